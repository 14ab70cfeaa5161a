"""The transport for workers: one pooled `requests` session, signed at each attempt.

The signature is made inside `requests`' own authentication hook, of the prepared request (it turns ``%7E`` into ``~``).
Redirects are never followed, and ``.netrc`` is not read.
"""

from __future__ import annotations

import http.cookiejar
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
        self._session = requests.Session()
        self._session.trust_env = False  # `machine` reads the environment, for both transports
        adapter = requests.adapters.HTTPAdapter(pool_connections=CONNECTIONS, pool_maxsize=CONNECTIONS)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))  # takes none

    def close(self) -> None:
        """Give the pooled connections back."""
        self._session.close()

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
        request = self._outgoing(call, trace_id)
        try:
            response = self._session.request(
                request.method,
                request.url,
                headers=request.headers,
                data=request.body,
                auth=_Signature(self._proof, call),
                timeout=(self._settings.connect_timeout, self._settings.read_timeout + call.hold_seconds),
                allow_redirects=False,
                **self._way(request.url),
            )
        except NO_ANSWER as error:
            what = failure(error, self._host)
        else:
            return answers.result(call, self._answer(response, trace_id))
        # Raised here and not in the handler: requests' own exceptions hold the prepared request, with its credentials.
        raise error_of(call, what, trace_id)

    def _way(self, url: str) -> dict[str, Any]:
        """By which proxy to go, and whom to trust."""
        proxy = machine.proxy_for(url)
        return {
            "proxies": {"http": proxy, "https": proxy} if proxy else {},
            "verify": machine.bundle(self._settings.trusted),
        }

    def _answer(self, response: requests.Response, trace_id: str) -> answers.Answer:
        return self._received(
            response.status_code,
            response.headers,
            response.content,
            sent=response.request.headers,
            trace_id=trace_id,
        )

    def _transfer_once(self, transfer: Transfer) -> None:
        what: Failure | None = None
        with opened(transfer) as file:
            sized = SizedFile(file, transfer.size, transfer.title)
            try:
                response = self._put(transfer, sized)
            except NO_ANSWER as error:
                what = failure(error, OBJECT_STORE)
            else:
                sized.require_whole()
        if what:
            raise error_of_transfer(transfer, what)
        judge_transfer(transfer, response.status_code)

    def _put(self, transfer: Transfer, file: SizedFile) -> requests.Response:
        with queries_unlogged():
            return self._session.put(
                transfer.url,
                data=file if transfer.size else b"",  # `requests` would send an empty stream in chunks
                headers=self._outgoing_file(transfer),
                auth=_NoCredentials(),
                timeout=(self._settings.connect_timeout, self._settings.read_timeout),
                allow_redirects=False,
                **self._way(transfer.url),
            )
