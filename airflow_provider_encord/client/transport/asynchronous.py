"""The transport for the triggerer. It uses `httpx` on one event loop and signs each attempt.

It uses the connection pools of `httpx` but not its client. The client would keep cookies, log complete URLs at level
INFO, and read the environment differently. Redirects are never followed.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import ssl
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import httpx
import requests.utils
import tenacity

from airflow_provider_encord.client.call import Call, Transfer
from airflow_provider_encord.client.credentials import Credential
from airflow_provider_encord.client.errors import RateLimitedError, UnavailableError
from airflow_provider_encord.client.item_stream import ItemStream
from airflow_provider_encord.client.transport import failures, network_environment, results, retry
from airflow_provider_encord.client.transport.async_failures import NO_ANSWER, Progress, ProxyUnusableError, failure
from airflow_provider_encord.client.transport.base import (
    MOST_OF_OBJECT_STORE,
    OBJECT_STORE,
    Transport,
    error_of,
    error_of_transfer,
    judge_transfer,
)
from airflow_provider_encord.client.transport.content import Content, NotUnpackedError, TooMuchError
from airflow_provider_encord.client.transport.deadline import Deadline
from airflow_provider_encord.client.transport.failures import Failure
from airflow_provider_encord.client.transport.files import BLOCK, SizedFile, opened, require_safe
from airflow_provider_encord.client.transport.pacing import Pacer
from airflow_provider_encord.client.transport.settings import Settings

T = TypeVar("T")

_CONNECTIONS = 16  # kept open; enough for the simultaneous polls of one event loop
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=_CONNECTIONS, keepalive_expiry=None)


class AsyncTransport(Transport):
    """Sends calls with `httpx`. One instance belongs to one event loop.

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
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        clock: Callable[[], float] = time.time,
        attempts: int = retry.ATTEMPTS,
        pacer: Pacer | None = None,
    ):
        library = f"httpx/{httpx.__version__}"
        super().__init__(credential, settings, library=library, clock=clock, attempts=attempts, pacer=pacer)
        self._sleep = sleep
        self._pools: dict[tuple[str | None, str | None, int, int], httpx.AsyncHTTPTransport] = {}
        """The pools by proxy, certificates, state of the certificates, and process.

        So replaced certificates are trusted
        from the next request on, and a forked process gets new connections."""
        self._making = asyncio.Lock()

    async def close(self) -> None:
        """Close the pooled connections."""
        pools = list(self._pools.values())
        self._pools.clear()
        for pool in pools:
            await pool.aclose()

    async def send(self, call: Call[T]) -> T:
        """Send a call, retry it according to the retry policy, and read its result.

        :raises EncordError: The error of the last attempt.
        """
        return await self._repeated(functools.partial(self._in_turn, call))

    async def transfer(self, transfer: Transfer) -> None:
        """Send a file to a signed URL, without a credential. The file is read in a thread.

        :raises EncordError: The object store refused the file or could not be reached, or the file changed while it was
            read.
        """
        settings = self._settings
        require_safe(transfer.url, transfer.title, base_url=settings.base_url, allow_http=settings.allow_http)
        await self._repeated(functools.partial(self._transfer_once, transfer))

    async def pause(self, seconds: float) -> None:
        """Wait."""
        await self._sleep(seconds)

    async def _repeated(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Attempt something, and again according to the retry policy.

        The policy costs a tenth of a small call, which is much in an event loop with thousands of waits. So it is asked
        only after a failure, which it then sees as that of its first attempt.
        """
        try:
            return await attempt()
        except UnavailableError as error:
            failed = error
        first = iter([failed])

        async def next_attempt() -> T:
            for error in first:
                raise error
            return await attempt()

        policy = tenacity.AsyncRetrying(**retry.policy(sleep=self._sleep, attempts=self._attempts))
        answer: T = await policy(next_attempt)
        return answer

    async def _in_turn(self, call: Call[T]) -> T:
        turn = self._turn(call)
        while True:
            while seconds := await self._ask(turn.seconds):
                await self._sleep(seconds)
            try:
                return await self._attempt(call)
            except RateLimitedError as error:
                await self._ask(functools.partial(turn.refused, error))

    async def _ask(self, ask: Callable[[], T]) -> T:
        return await asyncio.to_thread(ask) if self._pacer.may_block else ask()

    async def _attempt(self, call: Call[T]) -> T:
        trace_id = uuid.uuid4().hex
        outgoing = self._outgoing(call, trace_id)
        proxy = network_environment.proxy_for(outgoing.url)
        progress = Progress(proxied=proxy is not None)
        watch = self._watch(call.hold_seconds)
        stream = call.stream() if call.stream else None
        try:
            url = httpx.URL(outgoing.url)
            target = url.raw_path.decode("ascii")
            proof = self._proof(call, method=outgoing.method, target=target, body=outgoing.body or b"")
            request = httpx.Request(
                outgoing.method,
                url,
                headers=outgoing.headers | proof,
                content=outgoing.body,
                extensions=self._extensions(progress, hold_seconds=call.hold_seconds),
            )
            async with watch, self._exchange(request, proxy) as response:
                content = await _content(response, call.most_bytes, watch, stream)
        except NO_ANSWER as error:
            what = failures.too_slow(self._host) if watch.over else failure(error, self._host, progress)
        except NotUnpackedError:
            what = failures.lost(self._host, failures.NOT_UNPACKED)
        except TooMuchError as error:
            what = failures.too_much(self._host, error.most)
        else:
            # As plain dictionaries, because a look into those of httpx goes through all of their names.
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers.raw}
            sent = {name.lower(): value for name, value in proof.items()}
            answer = self._received(response.status_code, headers, content, sent=sent, trace_id=trace_id)
            return results.result(call, answer, stream)
        # Raised here and not in the handler, because exceptions of httpx contain the request with its credentials.
        raise error_of(call, what, trace_id)

    async def _transfer_once(self, transfer: Transfer) -> None:
        what: Failure | None = None
        proxy = network_environment.proxy_for(transfer.url)
        progress = Progress(proxied=proxy is not None)
        file = await asyncio.to_thread(opened, transfer)
        try:
            sized = SizedFile(file, transfer.size, transfer.title)
            watch = self._watch()
            try:
                request = httpx.Request(
                    "PUT",
                    requests.utils.requote_uri(transfer.url),  # in the same form as `requests` sends it
                    headers={**self._outgoing_file(transfer), "Content-Length": str(transfer.size)},
                    content=_blocks(sized, watch),
                    extensions=self._extensions(progress),
                )
                async with watch, self._exchange(request, proxy) as response:
                    await _drain(response)
            except NO_ANSWER as error:
                what = failures.too_slow(OBJECT_STORE) if watch.over else failure(error, OBJECT_STORE, progress)
            else:
                await asyncio.to_thread(sized.require_whole)
        finally:
            await asyncio.to_thread(file.close)
        if what:
            raise error_of_transfer(transfer, what)
        judge_transfer(transfer, response.status_code)

    def _extensions(self, progress: Progress, *, hold_seconds: float = 0.0) -> dict[str, Any]:
        connect, read = self._settings.connect_timeout, self._settings.read_timeout + hold_seconds
        # As in `requests`, the connect time-out also applies to sending the request.
        return {"timeout": {"connect": connect, "read": read, "write": connect, "pool": None}, "trace": progress}

    def _watch(self, hold_seconds: float = 0.0) -> _Watch:
        return _Watch(self._deadline(hold_seconds))

    @contextlib.asynccontextmanager
    async def _exchange(self, request: httpx.Request, proxy: str | None) -> AsyncIterator[httpx.Response]:
        """Send a request. Its response is not read yet."""
        pool = await self._pool(proxy, tls=request.url.scheme == "https")
        response = await pool.handle_async_request(request)
        try:
            yield response
        finally:
            await response.aclose()

    async def _pool(self, proxy: str | None, *, tls: bool) -> httpx.AsyncHTTPTransport:
        needs_tls = tls or (proxy is not None and proxy.startswith("https"))
        bundle = network_environment.bundle(self._settings.trusted) if needs_tls else None
        key = proxy, bundle, network_environment.version_of(bundle) if bundle else 0, os.getpid()
        if key in self._pools:
            return self._pools[key]
        async with self._making:
            if key not in self._pools:
                self._pools[key] = await asyncio.to_thread(_new_pool, proxy, bundle)
        return self._pools[key]


def _new_pool(proxy: str | None, bundle: str | None) -> httpx.AsyncHTTPTransport:
    """Create a pool of connections.

    :param bundle: Path of the certificates; None without TLS.
    :raises ProxyUnusableError: The proxy URL is invalid, or this kind of proxy is not supported.
    :raises OSError: The certificates cannot be read.
    """
    context = network_environment.tls_context(bundle) if bundle else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    through = None if proxy is None else _proxy(proxy, context)
    try:
        return httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=_LIMITS, proxy=through)
    except (ImportError, ValueError):
        raise ProxyUnusableError(failures.PROXY_UNSUPPORTED) from None


def _proxy(url: str, context: ssl.SSLContext) -> httpx.Proxy:
    try:
        proxy = httpx.Proxy(url, ssl_context=context if url.startswith("https") else None)
    except httpx.InvalidURL:
        raise ProxyUnusableError(failures.PROXY_UNUSABLE) from None
    except ValueError:
        raise ProxyUnusableError(failures.PROXY_UNSUPPORTED) from None
    if not proxy.url.host:
        raise ProxyUnusableError(failures.PROXY_UNUSABLE)
    return proxy


class _Watch:
    """Context manager that ends its body at a deadline. Each byte that is sent or received extends the deadline.

    It raises `TimeoutError`, which nothing else in the body raises.

    :param deadline: When the attempt ends.
    """

    def __init__(self, deadline: Deadline):
        self._deadline = deadline
        self._timeout = asyncio.timeout(deadline.left)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, *exception: Any) -> None:
        await self._timeout.__aexit__(*exception)

    @property
    def over(self) -> bool:
        """Whether the deadline has ended the body."""
        return self._timeout.expired()

    def moved(self, size: int) -> None:
        """Extend the deadline, because bytes were sent or received.

        :param size: Number of bytes.
        """
        self._deadline.moved(size)
        if not self.over:
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._deadline.left)


async def _content(response: httpx.Response, most: int, watch: _Watch, stream: ItemStream[Any] | None) -> bytes:
    """Read the body of a response and decompress it.

    :param most: Maximum size in bytes.
    :param stream: Takes items out of the body.
    :raises TooMuchError: The body is larger.
    :raises NotUnpackedError: The body cannot be decompressed.
    """
    content = Content(response.headers.get("content-encoding", ""), most, stream if response.is_success else None)
    async for piece in response.aiter_raw():
        watch.moved(len(piece))
        content.add(piece)
    return content.end()


async def _drain(response: httpx.Response) -> None:
    """Read a small part of a response of which only the status is needed, so that its connection can be reused."""
    read = 0
    async for piece in response.aiter_raw():
        read += len(piece)
        if read >= MOST_OF_OBJECT_STORE:
            return


async def _blocks(file: SizedFile, watch: _Watch) -> AsyncIterator[bytes]:
    while block := await asyncio.to_thread(file.read, BLOCK):
        yield block
        watch.moved(len(block))  # the generator is resumed when the block was sent
