"""One pooled session that signs by hand, for the floors: what any client has to do, and nothing else."""

from __future__ import annotations

import hashlib
import json
import pathlib
import resource
import time
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key


class BareSession:
    """Sends v1 requests about one resource.

    :param key_file: An Ed25519 key.
    :param kind: Of the resource, such as ``project``.
    """

    def __init__(self, base: str, key_file: str, kind: str, id_: str):
        key = load_ssh_private_key(pathlib.Path(key_file).read_bytes(), None)
        assert isinstance(key, Ed25519PrivateKey)
        self._key = key
        self._public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
        self._url, self._resource = f"{base}/public", {"ResourceType": kind, "ResourceID": id_}
        self._session = requests.Session()

    def ask(self, query_type: str, verb: str, uid: Any, payload: Any) -> bytes:
        """Send one signed request; its answer, which is not looked at."""
        url, headers, body = self.signed(query_type, verb, uid, payload)
        answer = self._session.post(url, data=body, headers=headers, timeout=180)
        answer.raise_for_status()
        return answer.content

    def signed(self, query_type: str, verb: str, uid: Any, payload: Any) -> tuple[str, dict[str, str], bytes]:
        """The address, headers and body of a request."""
        values = {"uid": uid, "payload": payload}
        body = json.dumps({"query_type": query_type, "query_method": verb, "values": values}).encode()
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Authorization": f"{self._public}:{self._key.sign(hashlib.sha256(body).digest()).hex()}",
            **self._resource,
        }
        return self._url, headers, body


class Stopwatch:
    """Measures from its making on."""

    def __init__(self) -> None:
        self._started, self._cpu = time.perf_counter(), time.process_time()

    def costs(self, what: str, number: int) -> str:
        """The costs of so many things, as the line that a benchmark reads.

        :param what: What they are, in the plural.
        """
        took, cpu = time.perf_counter() - self._started, time.process_time() - self._cpu
        return json.dumps(
            {
                what: number,
                "seconds": took,
                f"{what}_per_second": number / took,
                "cpu_seconds": cpu,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
