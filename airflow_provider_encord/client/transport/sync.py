"""The transport for workers: `requests`, signed at each attempt.

It drives the connection pools of `requests` and leaves its session aside: that would keep cookies, follow redirects,
look for other credentials in ``.netrc``, and take longer. The signature is made inside the authentication hook, of the
prepared request (`requests` turns ``%7E`` into ``~``).
"""

from __future__ import annotations

import ssl
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import requests
import requests.adapters
import requests.auth
import tenacity

from airflow_provider_encord.client.call import Call, Transfer
from airflow_provider_encord.client.credentials import Credential
from airflow_provider_encord.client.transport import answers, machine, retry
from airflow_provider_encord.client.transport.base import (
    CONNECTIONS,
    OBJECT_STORE,
    Transport,
    error_of,
    error_of_transfer,
    judge_transfer,
)
from airflow_provider_encord.client.transport.failures import Failure
from airflow_provider_encord.client.transport.files import SizedFile, opened, require_safe
from airflow_provider_encord.client.transport.scrubbing import queries_unlogged
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync_failures import NO_ANSWER, failure

T = TypeVar("T")

_READ_BYTES = 2**20


class _Signature(requests.auth.AuthBase):
    """Signs a prepared request for one call."""

    def __init__(self, sign: Callable[..., dict[str, str]], call: Call[Any]):
        self.sign, self.call = sign, call

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        body = prepared.body or b""
        proof = self.sign(
            self.call,
            method=(prepared.method or "").upper(),
            target=prepared.path_url,
            body=body.encode() if isinstance(body, str) else body,
        )
        prepared.headers.update(proof)
        return prepared


class _NoCredentials(requests.auth.AuthBase):
    """For signed URLs: their query is all the permission there is to send."""

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        return prepared


class _Pools(requests.adapters.HTTPAdapter):
    """The pools of connections, which share a TLS context: reading all certificates anew for each connection is slow.

    :param trusted: Path of the certificates that the connection names, if it does.
    """

    def __init__(self, trusted: str | None):
        super().__init__(pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS)
        self._trusted = trusted

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        """Which pool to take: by host, and by whom to trust."""
        host, options = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._context()} if host["scheme"] == "https" else options

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """The pools by way of a proxy, to which TLS may be spoken as well."""
        if proxy.lower().startswith("https"):
            options["proxy_ssl_context"] = self._context()
        return super().proxy_manager_for(proxy, **options)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave it to the context."""

    def _context(self) -> ssl.SSLContext:
        return machine.tls_context(machine.bundle(self._trusted))


class SyncTransport(Transport):
    """Sends calls over `requests`. One instance may serve several threads.

    :param credential: Signs the requests.
    :param settings: Where Encord is, and how to reach it.
    :param sleep: Waits between attempts, in seconds; tests pass their own.
    :param clock: The time in seconds since 1970, for v2 signatures.
    :param attempts: How often to send a call at most; 1 where somebody waits for the answer.
    """

    def __init__(
        self,
        credential: Credential,
        settings: Settings,
        *,
        sleep: Callable[[float], Any] = time.sleep,
        clock: Callable[[], float] = time.time,
        attempts: int = retry.ATTEMPTS,
    ):
        super().__init__(
            credential, settings, library=f"requests/{requests.__version__}", clock=clock, attempts=attempts
        )
        self._sleep = sleep
        self._pools = _Pools(settings.trusted)

    def close(self) -> None:
        """Give the pooled connections back."""
        self._pools.close()

    def send(self, call: Call[T]) -> T:
        """Send a call, again if the retry policy says so, and read its result.

        :raises EncordError: What it came to in the end.
        """
        answer: T = tenacity.Retrying(**retry.policy(sleep=self._sleep, attempts=self._attempts))(self._attempt, call)
        return answer

    def transfer(self, transfer: Transfer) -> None:
        """Send a file to a signed URL, without credentials.

        :raises EncordError: It was refused, or not reached after all attempts, or the file changed while it was read.
        """
        require_safe(transfer.url, transfer.title, allow_http=self._settings.allow_http)
        tenacity.Retrying(**retry.policy(sleep=self._sleep, attempts=self._attempts))(self._transfer_once, transfer)

    def pause(self, seconds: float) -> None:
        """Wait."""
        self._sleep(seconds)

    def _attempt(self, call: Call[T]) -> T:
        trace_id = uuid.uuid4().hex
        outgoing = self._outgoing(call, trace_id)
        try:
            response, content = self._exchange(
                outgoing.method,
                outgoing.url,
                outgoing.headers,
                outgoing.body,
                auth=_Signature(self._proof, call),
                hold_seconds=call.hold_seconds,
            )
        except NO_ANSWER as error:
            what = failure(error, self._host)
        else:
            return answers.result(call, self._answer(response, content, trace_id))
        # Raised here and not in the handler: requests' own exceptions hold the prepared request, with its credentials.
        raise error_of(call, what, trace_id)

    def _exchange(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: Any,
        *,
        auth: requests.auth.AuthBase,
        hold_seconds: float = 0.0,
    ) -> tuple[requests.Response, bytes]:
        """Send a request and read its answer whole."""
        prepared = requests.PreparedRequest()
        prepared.prepare(method=method, url=url, headers=headers, data=body, auth=auth)
        proxy = machine.proxy_for(url)
        response = self._pools.send(
            prepared,
            timeout=(self._settings.connect_timeout, self._settings.read_timeout + hold_seconds),
            proxies={"http": proxy, "https": proxy} if proxy else {},
        )
        with response:
            # `response.content` would read by 10 KB, which for an answer of megabytes takes more time than all the rest
            return response, b"".join(response.iter_content(_READ_BYTES))

    def _answer(self, response: requests.Response, content: bytes, trace_id: str) -> answers.Answer:
        return self._received(
            response.status_code,
            response.headers,
            content,
            sent=response.request.headers,
            trace_id=trace_id,
        )

    def _transfer_once(self, transfer: Transfer) -> None:
        what: Failure | None = None
        with opened(transfer) as file:
            sized = SizedFile(file, transfer.size, transfer.title)
            try:
                response, _ = self._put(transfer, sized)
            except NO_ANSWER as error:
                what = failure(error, OBJECT_STORE)
            else:
                sized.require_whole()
        if what:
            raise error_of_transfer(transfer, what)
        judge_transfer(transfer, response.status_code)

    def _put(self, transfer: Transfer, file: SizedFile) -> tuple[requests.Response, bytes]:
        body = file if transfer.size else b""  # `requests` would send an empty stream in chunks
        with queries_unlogged():
            return self._exchange("PUT", transfer.url, self._outgoing_file(transfer), body, auth=_NoCredentials())
