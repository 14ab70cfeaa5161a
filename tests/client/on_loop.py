"""What runs on an event loop, for tests that run over both transports: called from any thread, it blocks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from airflow_provider_encord.client.async_client import AsyncEncordClient
from airflow_provider_encord.client.call import Call, Flow, Resource, Transfer
from airflow_provider_encord.client.transport.asynchronous import AsyncTransport

T = TypeVar("T")
MOST = 60  # seconds that anything here may take

Closable = TypeVar("Closable", AsyncTransport, AsyncEncordClient)


class _OnLoop(Generic[Closable]):
    """An event loop in a thread of its own, and something on it.

    :param make: Makes it, on the loop.
    """

    def __init__(self, make: Callable[[], Closable]):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

        async def made() -> Closable:
            return make()

        self.inner: Closable = self.wait(made())

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(MOST)

    def close(self) -> None:
        self.wait(self.inner.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(MOST)
        self.loop.close()


class TransportOnLoop(_OnLoop[AsyncTransport]):
    """`AsyncTransport`, as `SyncTransport` is called."""

    def send(self, call: Call[T]) -> T:
        return self.wait(self.inner.send(call))

    def transfer(self, transfer: Transfer) -> None:
        self.wait(self.inner.transfer(transfer))

    def pause(self, seconds: float) -> None:
        self.wait(self.inner.pause(seconds))


class ClientOnLoop(_OnLoop[AsyncEncordClient]):
    """`AsyncEncordClient`, as `EncordClient` is called."""

    @property
    def key_resource(self) -> Resource | None:
        return self.wait(self.inner.key_resource())

    def send(self, call: Call[T]) -> T:
        return self.wait(self.inner.send(call))

    def run(self, flow: Flow[T]) -> T:
        return self.wait(self.inner.run(flow))

    def __enter__(self) -> ClientOnLoop:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
