"""Async clients that are shared: one for each event loop and content of a connection.

A triggerer runs many triggers on one loop, and each asks for a client as often as it polls; so they get the same one,
with its open connections. A `close` does not take it from the others. When a connection changes (its key was rotated,
say), the next caller gets a new client; the old one works on for those who still hold it, and keeps no connection
open between their calls.

Who closes them at the end? `asyncio.run` closes each asynchronous generator that has begun on its loop; so
one of these waits for that, for every loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeAlias, TypeVar

from airflow_provider_encord.client.async_client import AsyncEncordClient
from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.credentials import Credential
from airflow_provider_encord.client.transport.settings import Settings

T = TypeVar("T")
Content: TypeAlias = tuple[Credential, Settings]


class SharedAsyncClient(AsyncEncordClient):
    """A client that several use, none of whom can close it for the others."""

    def __init__(self, credential: Credential, settings: Settings):
        super().__init__(credential, settings)
        self.connections: set[str] = set()
        """Ids of the Airflow connections that have this content now; none means that it is out of date."""
        self._running = 0

    async def close(self) -> None:
        """Do nothing: others may use it. Its connections are given back when it is out of date or the loop ends."""

    async def send(self, call: Call[T]) -> T:
        """As `AsyncEncordClient.send`."""
        async with self._in_use():
            return await super().send(call)

    async def run(self, flow: Flow[T]) -> T:
        """As `AsyncEncordClient.run`."""
        async with self._in_use():
            return await super().run(flow)

    async def close_if_out_of_date(self) -> None:
        """Give the pooled connections back if no Airflow connection has this content, and no request runs."""
        if not self.connections and not self._running:
            await self.close_for_all()

    async def close_for_all(self) -> None:
        """Give the pooled connections back. A later call would make new ones."""
        await super().close()

    @contextlib.asynccontextmanager
    async def _in_use(self) -> AsyncIterator[None]:
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            await self.close_if_out_of_date()


class _Clients:
    """The clients of one event loop."""

    def __init__(self) -> None:
        self.by_content: dict[Content, SharedAsyncClient] = {}
        self._end = self._until_the_loop_ends()

    async def get(self, connection: str, content: Content) -> SharedAsyncClient:
        """The client of a connection, which has this content now."""
        if content not in self.by_content:
            self.by_content[content] = SharedAsyncClient(*content)
        client = self.by_content[content]
        client.connections.add(connection)
        for other in [one for one in self.by_content.values() if one is not client]:
            other.connections.discard(connection)
            if not other.connections:
                del self.by_content[other.credential, other.settings]
                await other.close_if_out_of_date()
        return client

    async def begin(self) -> None:
        """Make sure that the end of the loop is noticed."""
        await anext(self._end)

    async def _until_the_loop_ends(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            _of_loop.pop(asyncio.get_running_loop(), None)
            for client in self.by_content.values():
                await client.close_for_all()


_of_loop: dict[asyncio.AbstractEventLoop, _Clients] = {}


async def shared_client(connection: str, credential: Credential, settings: Settings) -> AsyncEncordClient:
    """The client of the running event loop for what a connection holds now.

    :param connection: Id of the Airflow connection.
    """
    loop = asyncio.get_running_loop()
    for other in [one for one in _of_loop if one.is_closed()]:  # those that ended in another way than by asyncio.run
        del _of_loop[other]
    if loop not in _of_loop:
        clients = _of_loop[loop] = _Clients()
        await clients.begin()
    return await _of_loop[loop].get(connection, (credential, settings))
