"""A small client of Encord's API, written out by hand: it signs, sends, gives back status and JSON, nothing more."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import http.client
import json
import time
import urllib.parse
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclasses.dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def code(self) -> str | None:
        """The error code of a v1 envelope; ``None`` for a success."""
        return None if self.json["status"] == 200 else self.json["response"][0]


def send(
    url: str, method: str, target: str, headers: dict[str, str] | None = None, body: bytes | None = None
) -> Answer:
    """One request over a connection of its own, with exactly these headers."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=90)
    try:
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def envelope(query_type: str, verb: str, uid: Any = None, payload: Any = None) -> bytes:
    body = {"query_type": query_type, "query_method": verb, "values": {"uid": uid, "payload": payload}}
    return json.dumps(body).encode()


class Person:
    """Somebody with an SSH key."""

    def __init__(self, url: str, email: str, key: Ed25519PrivateKey | None = None) -> None:
        self.url, self.email = url, email
        self.key = key or Ed25519PrivateKey.generate()
        self.public_key = self.key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        self.public_hex = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def sign_v1(self, body: bytes) -> str:
        return f"{self.public_hex}:{self.key.sign(hashlib.sha256(body).digest()).hex()}"

    def sign_v2(self, method: str, target: str, body: bytes, created: int | None = None) -> dict[str, str]:
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
        moment = int(time.time()) if created is None else created
        covered = '("@method" "@request-target" "content-digest")'
        signed = f'{covered};created={moment};keyid="{self.public_hex}";alg="ed25519"'
        base = f'"@method": {method}\n"@request-target": {target}\n"content-digest": {digest}\n'
        base += f'"@signature-params": {signed}'
        signature = base64.b64encode(self.key.sign(base.encode())).decode()
        return {
            "Content-Digest": digest,
            "Signature-Input": f"encord-sig={signed}",
            "Signature": f"encord-sig=:{signature}:",
        }

    def ask(
        self, query_type: str, verb: str, uid: Any = None, payload: Any = None, *, project: str = "", dataset: str = ""
    ) -> Answer:
        """A v1 call, at user scope unless a resource is named."""
        body = envelope(query_type, verb, uid, payload)
        kind = "project" if project else "dataset" if dataset else ""
        headers = {
            "Content-Type": "application/json",
            "ResourceType": kind,
            "ResourceID": project or dataset,
            "Authorization": self.sign_v1(body),
        }
        return send(self.url, "POST", "/public" if kind else "/public/user", headers, body)

    def get(self, query_type: str, verb: str, uid: Any = None, payload: Any = None, **scope: str) -> Any:
        """The result of a v1 call that must succeed."""
        answer = self.ask(query_type, verb, uid, payload, **scope)
        assert answer.code is None, answer.json
        return answer.json["response"]

    def rest(self, method: str, path: str, body: Any = None, *, created: int | None = None) -> Answer:
        """A v2 call; ``path`` may hold a query."""
        content = b"" if body is None else json.dumps(body).encode()
        target = f"/v2/public/{path}"
        return send(self.url, method, target, self.sign_v2(method, target, content, created), content or None)


@dataclasses.dataclass
class KeyHolder:
    """Something that holds an API key of a project or dataset."""

    url: str
    resource: str
    api_key: str

    def ask(self, query_type: str, verb: str, uid: Any = None, payload: Any = None, path: str = "/public") -> Answer:
        headers = {"Authorization": self.api_key, "ResourceID": self.resource, "Content-Type": "application/json"}
        return send(self.url, "POST", path, headers, envelope(query_type, verb, uid, payload))
