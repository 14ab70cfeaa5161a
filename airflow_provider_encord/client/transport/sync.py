"""The transport for workers. It uses `requests` and signs each attempt.

It uses the connection pools of `requests` but not its session. The session would keep cookies, follow redirects, look
for other credentials in ``.netrc``, and be slower. The signature is made in the authentication hook from the prepared
request, because `requests` changes the target (it turns ``%7E`` into ``~``).
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import urllib.parse
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import requests
import requests.auth
import tenacity

from airflow_provider_encord.client.call import Call, Download, Downloaded, Transfer
from airflow_provider_encord.client.credentials import Credential
from airflow_provider_encord.client.errors import RateLimitedError, RefusedError
from airflow_provider_encord.client.item_stream import ItemStream
from airflow_provider_encord.client.transport import failures, network_environment, results, retry
from airflow_provider_encord.client.transport.base import (
    MOST_OF_OBJECT_STORE,
    OBJECT_STORE,
    Transport,
    error_of,
    error_of_download,
    error_of_transfer,
    judge_download,
    judge_transfer,
)
from airflow_provider_encord.client.transport.content import Content, NotUnpackedError, TooMuchError
from airflow_provider_encord.client.transport.failures import Failure
from airflow_provider_encord.client.transport.files import (
    NotWrittenError,
    ReceivedFile,
    SizedFile,
    opened,
    require_safe,
    states_end,
)
from airflow_provider_encord.client.transport.pacing import Pacer
from airflow_provider_encord.client.transport.responses import Answer
from airflow_provider_encord.client.transport.scrubbing import queries_unlogged
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync_connections import Pools, within
from airflow_provider_encord.client.transport.sync_failures import NO_ANSWER, failure

T = TypeVar("T")

_READ_BYTES = 2**20  # of a file
_READ_BYTES_OF_RESPONSE = 4 * 2**20  # in most cases all of it, which then needs no copy to be put together
_MOST_REDIRECTS = 3


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


class NoCredentials(requests.auth.AuthBase):
    """For signed URLs, whose query already contains the permission."""

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        return prepared


class SyncTransport(Transport):
    """Sends calls with `requests`. Several threads may use the same instance.

    :param credential: Signs the requests.
    :param settings: Encord's address, time-outs and certificates.
    :param sleep: Waits a number of seconds between attempts; tests pass another function.
    :param clock: Returns the time in seconds since 1970, for v2 signatures.
    :param attempts: Maximum number of attempts per call; 1 if a person waits for the result.
    :param pacer: Gives each call its turn. Default: one that only this transport uses.
    """

    def __init__(
        self,
        credential: Credential,
        settings: Settings,
        *,
        sleep: Callable[[float], Any] = time.sleep,
        clock: Callable[[], float] = time.time,
        attempts: int = retry.ATTEMPTS,
        pacer: Pacer | None = None,
    ):
        library = f"requests/{requests.__version__}"
        super().__init__(credential, settings, library=library, clock=clock, attempts=attempts, pacer=pacer)
        self._sleep = sleep
        self._pools = Pools(settings.trusted)
        self._queue = threading.Lock()
        self._process = os.getpid()

    def close(self) -> None:
        """Close the pooled connections."""
        self._own_pools().close()

    def send(self, call: Call[T]) -> T:
        """Send a call, retry it according to the retry policy, and read its result.

        :raises EncordError: The error of the last attempt.
        """
        answer: T = tenacity.Retrying(**retry.policy(sleep=self._sleep, attempts=self._attempts))(self._in_turn, call)
        return answer

    def transfer(self, transfer: Transfer) -> None:
        """Send a file to a signed URL, without a credential.

        :raises EncordError: The object store refused the file or could not be reached, or the file changed while it was
            read.
        """
        settings = self._settings
        require_safe(transfer.url, transfer.title, base_url=settings.base_url, allow_http=settings.allow_http)
        tenacity.Retrying(**retry.policy(sleep=self._sleep, attempts=self._attempts))(self._transfer_once, transfer)

    def download(self, download: Download) -> Downloaded:
        """Fetch a file from a signed URL, without a credential.

        :raises RefusedError: The object store does not give the file out. The URL may have expired.
        :raises UnavailableError: The object store could not be reached, or the file arrived incomplete or damaged.
        """
        retrying = tenacity.Retrying(**retry.policy(sleep=self._sleep, attempts=self._attempts))
        done: Downloaded = retrying(self._download_once, download)
        return done

    def pause(self, seconds: float) -> None:
        """Wait."""
        self._sleep(seconds)

    def _in_turn(self, call: Call[T]) -> T:
        turn = self._turn(call)
        while True:
            # One thread of a task waits at a time, so that a task with many threads gets no larger share than others.
            # Beside it waits the one whose place is before all others: it would pass unused.
            with contextlib.nullcontext() if turn.keeps_place else self._own_queue():
                while seconds := turn.seconds():
                    self._sleep(seconds)
            try:
                return self._attempt(call)
            except RateLimitedError as error:
                turn.refused(error)

    def _attempt(self, call: Call[T]) -> T:
        trace_id = uuid.uuid4().hex
        outgoing = self._outgoing(call, trace_id)
        deadline = self._deadline(call.hold_seconds)
        stream = call.stream() if call.stream else None
        try:
            with (
                within(deadline),
                self._exchange(
                    outgoing.method,
                    outgoing.url,
                    outgoing.headers,
                    outgoing.body,
                    auth=_Signature(self._proof, call),
                    hold_seconds=call.hold_seconds,
                ) as response,
            ):
                content = _content(response, call.most_bytes, stream)
        except NO_ANSWER as error:
            what = failures.too_slow(self._host) if deadline.over else failure(error, self._host)
        except NotUnpackedError:
            what = failures.lost(self._host, failures.NOT_UNPACKED)
        except TooMuchError as error:
            what = failures.too_much(self._host, error.most)
        else:
            return results.result(call, self._answer(response, content, trace_id), stream)
        # Raised here and not in the handler, because exceptions of requests contain the request with its credentials.
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
    ) -> requests.Response:
        """Send a request. Its response is not read yet."""
        prepared = requests.PreparedRequest()
        prepared.prepare(method=method, url=url, headers=headers, data=body, auth=auth)
        proxy = network_environment.proxy_for(url)
        return self._own_pools().send(
            prepared,
            stream=True,
            timeout=(self._settings.connect_timeout, self._settings.read_timeout + hold_seconds),
            proxies={"http": proxy, "https": proxy} if proxy else {},
        )

    def _own_pools(self) -> Pools:
        """The pools of this process.

        After a fork, two processes would share connections and receive each other's responses.

        The pools of the other process are neither used nor closed.
        """
        self._renew_after_fork()
        return self._pools

    def _own_queue(self) -> threading.Lock:
        """The lock of this process: a fork may have happened while another thread held it."""
        self._renew_after_fork()
        return self._queue

    def _renew_after_fork(self) -> None:
        if self._process != os.getpid():
            self._pools, self._queue = Pools(self._settings.trusted), threading.Lock()
            self._process = os.getpid()

    def _answer(self, response: requests.Response, content: bytes, trace_id: str) -> Answer:
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
            deadline = self._deadline()
            try:
                with within(deadline), queries_unlogged(), self._put(transfer, sized) as response:
                    _drain(response)
            except NO_ANSWER as error:
                what = failures.too_slow(OBJECT_STORE) if deadline.over else failure(error, OBJECT_STORE)
            else:
                sized.require_whole()
        if what:
            raise error_of_transfer(transfer, what)
        judge_transfer(transfer, response.status_code)

    def _download_once(self, download: Download) -> Downloaded:
        with download.open() as writer:
            file, deadline = ReceivedFile(writer, download.size), self._deadline()
            try:
                with within(deadline), queries_unlogged(), self._get(download) as response:
                    judge_download(download, response.status_code)
                    encoded = response.headers.get("content-encoding", "identity").lower() != "identity"
                    for block in response.raw.stream(_READ_BYTES, decode_content=encoded):
                        file.write(block)
            except NotWrittenError as error:
                raise error.error from None
            except NO_ANSWER as error:
                what = failures.too_slow(OBJECT_STORE) if deadline.over else failure(error, OBJECT_STORE)
            else:
                headers = response.headers
                return file.end(download.title, {} if encoded else headers, has_end=states_end(headers))
            # Raised here and not in the handler, because exceptions of requests contain the signed URL.
            raise error_of_download(download, what)

    def _get(self, download: Download) -> requests.Response:
        """Ask for a file. A few redirects are followed: a new bucket of S3 answers with one."""
        settings, url = self._settings, download.url
        for left in reversed(range(_MOST_REDIRECTS + 1)):
            require_safe(url, download.title, base_url=settings.base_url, allow_http=settings.allow_http)
            response = self._exchange("GET", url, self._outgoing_download(), None, auth=NoCredentials())
            location = response.headers.get("location") if response.is_redirect else None
            if location is None or not left:
                break
            response.close()
            url = _redirected(url, location, download.title)
        return response

    def _put(self, transfer: Transfer, file: SizedFile) -> requests.Response:
        body = file if transfer.size else b""  # `requests` would send an empty file in chunks
        return self._exchange("PUT", transfer.url, self._outgoing_file(transfer), body, auth=NoCredentials())


def _redirected(url: str, location: str, title: str) -> str:
    """The address that an object store refers to.

    :raises RefusedError: It is not a URL.
    """
    try:
        return urllib.parse.urljoin(url, location)
    except ValueError:
        raise RefusedError(f"The object store refers to an address for {title} that is not a URL.") from None


def _content(response: requests.Response, most: int, stream: ItemStream[Any] | None) -> bytes:
    """Read the body of a response and decompress it.

    :param most: Maximum size in bytes.
    :param stream: Takes items out of the body.
    :raises TooMuchError: The body is larger.
    :raises NotUnpackedError: The body cannot be decompressed.
    """
    content = Content(response.headers.get("content-encoding", ""), most, stream if response.ok else None)
    # In large pieces: `response.content` reads 10 KB at a time, which takes most of the time for a large response
    for piece in response.raw.stream(_READ_BYTES_OF_RESPONSE, decode_content=False):
        content.add(piece)
    return content.end()


def _drain(response: requests.Response) -> None:
    """Read a small part of a response of which only the status is needed, so that its connection can be reused."""
    read = 0
    for piece in response.raw.stream(MOST_OF_OBJECT_STORE, decode_content=False):
        read += len(piece)
        if read >= MOST_OF_OBJECT_STORE:
            return
