"""The part that both transports share: building and signing a request, and converting responses and failures.

The two libraries normalise a target differently. So the signature is made from the request that the library has
prepared (`Transport._proof`), never from the target that was passed to it.
"""

from __future__ import annotations

import dataclasses
import platform
import time
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_encord import __version__
from airflow_provider_encord.client.call import NO_BODY, Call, Download, Envelope, Transfer
from airflow_provider_encord.client.credentials import Credential, SshKey
from airflow_provider_encord.client.errors import (
    EncordError,
    PayloadTooLargeError,
    RefusedError,
    SignedUrlRefusedError,
    UnavailableError,
)
from airflow_provider_encord.client.transport import responses, results, retry
from airflow_provider_encord.client.transport.deadline import Deadline
from airflow_provider_encord.client.transport.failures import Failure
from airflow_provider_encord.client.transport.pacing import MemoryStore, Pacer, Turn
from airflow_provider_encord.client.transport.sendable import json_body, query_text, require_ids_that_can_be_sent
from airflow_provider_encord.client.transport.settings import Settings

MOST_OF_OBJECT_STORE = 64 * 1024  # bytes of a response that are read; only its status is needed
OBJECT_STORE = "the object store"
_OK, _NOT_FOUND = 200, 404
_MAY_PASS = (408, 429)  # besides errors of the server
_PROOFS = ("authorization", "signature")  # headers whose values must not appear in a message


@dataclasses.dataclass(frozen=True, slots=True)
class Outgoing:
    """A request before it is prepared and signed.

    :param url: The URL with its query, percent-encoded like HTML forms (protocol, section 2.2).
    """

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None


class Transport:
    """The part of a transport that does no I/O.

    :param credential: Signs the requests.
    :param settings: Encord's address, time-outs and certificates.
    :param library: Name and version of the HTTP library, for the ``User-Agent``.
    :param clock: Returns the time in seconds since 1970, for v2 signatures.
    :param attempts: Maximum number of attempts per call; 1 if a person waits for the result.
    :param pacer: Gives each call its turn. Default: one that only this transport uses.
    """

    def __init__(
        self,
        credential: Credential,
        settings: Settings,
        *,
        library: str,
        clock: Callable[[], float] = time.time,
        attempts: int = retry.ATTEMPTS,
        pacer: Pacer | None = None,
    ):
        self._credential = credential
        self._settings = settings
        self._clock = clock
        self._attempts = attempts
        self._pacer = pacer or Pacer(MemoryStore(), clock=clock)
        self._host = settings.host
        self._public_key = credential.openssh_public_key() if isinstance(credential, SshKey) else ""
        self._user_agent = user_agent(library, settings.user_agent_suffix)
        self.clock_ahead: float | None = None
        """Seconds by which this machine's clock is ahead of Encord's, from the last response; None before the first."""

    def now(self) -> float:
        """The current time in seconds since 1970."""
        return self._clock()

    def _turn(self, call: Call[Any]) -> Turn:
        """The turn of a call; not repeated after a refusal if a person waits for the result."""
        return self._pacer.turn(call.operation, patient=self._attempts > 1)

    def _deadline(self, hold_seconds: float = 0.0) -> Deadline:
        """The deadline of an attempt that begins now.

        :param hold_seconds: Seconds that Encord may hold the request before it responds.
        """
        return Deadline(self._settings.total_seconds + hold_seconds)

    def _outgoing(self, call: Call[Any], trace_id: str) -> Outgoing:
        request = call.request
        require_ids_that_can_be_sent(call)
        url = self._settings.base_url + request.path
        headers = {
            "User-Agent": self._user_agent,
            "X-Cloud-Trace-Context": f"{trace_id}/1;o=1",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
        if isinstance(request, Envelope):
            headers["Content-Type"] = "application/json"
            return Outgoing("POST", url, headers, json_body(call, request.body()))
        if query := query_text(call):
            url = f"{url}?{query}"
        body = None if request.json is NO_BODY else json_body(call, request.json)
        if body is not None:
            headers["Content-Type"] = "application/json"
        elif request.method != "GET":
            headers["Content-Length"] = "0"  # otherwise `httpx` leaves it out of a DELETE request
        return Outgoing(request.method, url, headers, body)

    def _outgoing_file(self, transfer: Transfer) -> dict[str, str]:
        """The headers of a transfer. They contain neither a credential nor a trace id."""
        return {"User-Agent": self._user_agent, "Accept": "*/*", "Accept-Encoding": "gzip", **transfer.headers}

    def _outgoing_download(self) -> dict[str, str]:
        """The headers of a download. The bytes are to arrive as they are stored."""
        return {"User-Agent": self._user_agent, "Accept": "*/*", "Accept-Encoding": "identity"}

    def _proof(self, call: Call[Any], *, method: str, target: str, body: bytes) -> dict[str, str]:
        """The headers that sign or authorise a request.

        :param target: Path and query of the prepared request.
        """
        request = call.request
        if isinstance(request, Envelope):
            resource = request.resource
            return self._credential.v1_headers(body, resource_type=resource.kind, resource_id=resource.id)
        return self._credential.v2_headers(method=method, target=target, body=body, created=int(self._clock()))

    def _received(
        self, status: int, headers: Mapping[str, str], body: bytes, *, sent: Mapping[str, str], trace_id: str
    ) -> responses.Answer:
        """Convert a response to an `Answer`.

        :param sent: Headers of the request, at least those of the credential; must also be found by lower-case names.
        """
        answer = responses.Answer(
            status=status,
            headers={name.lower(): value for name, value in headers.items()},
            body=body,
            host=self._host,
            trace_id=trace_id,
            now=self._clock(),
            credential_kind=self._credential.kind,
            public_key=self._public_key,
            proofs=tuple(str(sent[name]) for name in _PROOFS if name in sent),
        )
        ahead = responses.clock_skew(answer)
        if ahead is not None:
            self.clock_ahead = ahead
        return answer


def user_agent(library: str, suffix: str = "") -> str:
    """The ``User-Agent`` of this client, which differs from that of the vendor's SDK.

    :param library: Name and version of the HTTP library, such as ``requests/2.34.2``.
    """
    own = f"airflow-provider-encord/{__version__} python/{platform.python_version()} {library}"
    return f"{own} {suffix}".strip()


def error_of(call: Call[Any], what: Failure, trace_id: str) -> EncordError:
    """The error for a call without a response. If no connection was made, any call may be repeated."""
    if what.hopeless:
        return RefusedError(what.what, operation=call.operation)
    if what.too_much and not call.changes:
        return PayloadTooLargeError(what.what, operation=call.operation, trace_id=trace_id)
    if not what.connected:
        return UnavailableError(what.what, operation=call.operation)
    return results.transient(call, what.what, trace_id=trace_id, timed_out=what.timed_out)


def error_of_transfer(transfer: Transfer, what: Failure) -> EncordError:
    """The error for a transfer without a response."""
    class_ = RefusedError if what.hopeless else UnavailableError
    return class_(f"{transfer.title} was not uploaded. {what.what}")


def error_of_download(download: Download, what: Failure) -> EncordError:
    """The error for a download without a response, or with one that broke off."""
    class_ = RefusedError if what.hopeless else UnavailableError
    return class_(f"{download.title} was not downloaded. {what.what}")


def judge_download(download: Download, status: int) -> None:
    """Check the status of an object store's response.

    :raises EncordError: The status is not a success.
    """
    if status == _OK:
        return
    what = f"The object store answered HTTP {status} to the download of {download.title}"
    if status in _MAY_PASS or status >= 500:
        raise UnavailableError(f"{what}.")
    if status == _NOT_FOUND:
        raise RefusedError(f"{what}: the file is not there. Somebody may have deleted it from its bucket.")
    raise SignedUrlRefusedError(f"{what}. The signed URL may have expired, or Encord may not read the file any more.")


def judge_transfer(transfer: Transfer, status: int) -> None:
    """Check the status of an object store's response.

    :raises EncordError: The status is not a success.
    """
    if 200 <= status < 300:
        return
    what = f"The object store answered HTTP {status} to the upload of {transfer.title}"
    if status in _MAY_PASS or status >= 500:
        raise UnavailableError(f"{what}.")
    raise RefusedError(f"{what}. The signed URL may have expired; run the task again to get a new one.")
