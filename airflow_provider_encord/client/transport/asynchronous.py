"""The transport for the triggerer: `httpx`, signed at each attempt, on one event loop.

It drives `httpx`' connection pools and leaves its client aside: that would keep cookies, write whole URLs to the log at
level INFO, and read the environment in its own way. Redirects are never followed.
"""

from __future__ import annotations

import asyncio
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
from airflow_provider_encord.client.transport import answers, failures, machine, retry
from airflow_provider_encord.client.transport.async_failures import NO_ANSWER, Progress, ProxyUnusableError, failure
from airflow_provider_encord.client.transport.base import (
    CONNECTIONS,
    OBJECT_STORE,
    Transport,
    error_of,
    error_of_transfer,
    judge_transfer,
)
from airflow_provider_encord.client.transport.failures import Failure
from airflow_provider_encord.client.transport.files import BLOCK, SizedFile, opened, require_safe
from airflow_provider_encord.client.transport.settings import Settings

T = TypeVar("T")

_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=CONNECTIONS, keepalive_expiry=None)


class AsyncTransport(Transport):
    """Sends calls over `httpx`. One instance serves one event loop.

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
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        clock: Callable[[], float] = time.time,
        attempts: int = retry.ATTEMPTS,
    ):
        super().__init__(credential, settings, library=f"httpx/{httpx.__version__}", clock=clock, attempts=attempts)
        self._sleep = sleep
        self._pools: dict[tuple[str | None, str | None, int], httpx.AsyncHTTPTransport] = {}
        """By proxy, certificates and the state of these: replaced ones are trusted from the next request on."""
        self._making = asyncio.Lock()

    async def close(self) -> None:
        """Give the pooled connections back."""
        pools = list(self._pools.values())
        self._pools.clear()
        for pool in pools:
            await pool.aclose()

    async def send(self, call: Call[T]) -> T:
        """Send a call, again if the retry policy says so, and read its result.

        :raises EncordError: What it came to in the end.
        """
        policy = tenacity.AsyncRetrying(**retry.policy(sleep=self._sleep, attempts=self._attempts))
        answer: T = await policy(self._attempt, call)
        return answer

    async def transfer(self, transfer: Transfer) -> None:
        """Send a file to a signed URL, without credentials. The file is read in a thread.

        :raises EncordError: It was refused, or not reached after all attempts, or the file changed while it was read.
        """
        require_safe(transfer.url, transfer.title, allow_http=self._settings.allow_http)
        policy = tenacity.AsyncRetrying(**retry.policy(sleep=self._sleep, attempts=self._attempts))
        await policy(self._transfer_once, transfer)

    async def pause(self, seconds: float) -> None:
        """Wait."""
        await self._sleep(seconds)

    async def _attempt(self, call: Call[T]) -> T:
        trace_id = uuid.uuid4().hex
        outgoing = self._outgoing(call, trace_id)
        proxy = machine.proxy_for(outgoing.url)
        progress = Progress(proxied=proxy is not None)
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
            response = await self._exchange(request, proxy)
        except NO_ANSWER as error:
            what = failure(error, self._host, progress)
        else:
            answer = self._received(
                response.status_code, response.headers, response.content, sent=request.headers, trace_id=trace_id
            )
            return answers.result(call, answer)
        # Raised here and not in the handler: exceptions of httpx hold the request, with its credentials.
        raise error_of(call, what, trace_id)

    async def _transfer_once(self, transfer: Transfer) -> None:
        what: Failure | None = None
        proxy = machine.proxy_for(transfer.url)
        progress = Progress(proxied=proxy is not None)
        file = await asyncio.to_thread(opened, transfer)
        try:
            sized = SizedFile(file, transfer.size, transfer.title)
            try:
                request = httpx.Request(
                    "PUT",
                    requests.utils.requote_uri(transfer.url),  # as `requests` sends it
                    headers={**self._outgoing_file(transfer), "Content-Length": str(transfer.size)},
                    content=_blocks(sized),
                    extensions=self._extensions(progress),
                )
                response = await self._exchange(request, proxy)
            except NO_ANSWER as error:
                what = failure(error, OBJECT_STORE, progress)
            else:
                await asyncio.to_thread(sized.require_whole)
        finally:
            await asyncio.to_thread(file.close)
        if what:
            raise error_of_transfer(transfer, what)
        judge_transfer(transfer, response.status_code)

    def _extensions(self, progress: Progress, *, hold_seconds: float = 0.0) -> dict[str, Any]:
        connect, read = self._settings.connect_timeout, self._settings.read_timeout + hold_seconds
        # `requests` counts the sending of a request to the time-out of the connection, too.
        return {"timeout": {"connect": connect, "read": read, "write": connect, "pool": None}, "trace": progress}

    async def _exchange(self, request: httpx.Request, proxy: str | None) -> httpx.Response:
        """Send a request and read its answer whole."""
        pool = await self._pool(proxy, tls=request.url.scheme == "https")
        response = await pool.handle_async_request(request)
        try:
            await response.aread()
        finally:
            await response.aclose()
        return response

    async def _pool(self, proxy: str | None, *, tls: bool) -> httpx.AsyncHTTPTransport:
        needs_tls = tls or (proxy is not None and proxy.startswith("https"))
        bundle = machine.bundle(self._settings.trusted) if needs_tls else None
        key = proxy, bundle, machine.state_of(bundle) if bundle else 0
        if key in self._pools:
            return self._pools[key]
        async with self._making:
            if key not in self._pools:
                self._pools[key] = await asyncio.to_thread(_new_pool, proxy, bundle)
        return self._pools[key]


def _new_pool(proxy: str | None, bundle: str | None) -> httpx.AsyncHTTPTransport:
    """A pool of connections.

    :param bundle: Path of certificates; None where no TLS is spoken.
    :raises ProxyUnusableError: The proxy is none, or of a kind that is not supported.
    :raises OSError: The certificates cannot be read.
    """
    context = machine.tls_context(bundle) if bundle else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
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


async def _blocks(file: SizedFile) -> AsyncIterator[bytes]:
    while block := await asyncio.to_thread(file.read, BLOCK):
        yield block
