"""Shared async clients: one for each event loop and each set of connection fields.

A triggerer runs many triggers on one event loop, and each trigger needs a client at every poll. So they share one
client and its open connections, and `close` does nothing. When an Airflow connection changes, for example because its
key was rotated, the next caller gets a new client. The old client still works for callers that have it, but it closes
its connections after each call.

All clients are closed when the event loop ends. For this, each loop has an asynchronous generator that has started:
`asyncio.run` closes such generators at the end, and this one then closes the clients.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeAlias, TypeVar

from airflow_provider_encord.client.async_client import AsyncEncordClient
from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.credentials import Credential
from airflow_provider_encord.client.transport.asynchronous import AsyncTransport
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.hooks.pacing import shared_pacer

T = TypeVar("T")
Content: TypeAlias = tuple[Credential, Settings]


class SharedAsyncClient(AsyncEncordClient):
    """A client with several users. `close` does nothing, so that no user closes it for the others."""

    def __init__(self, credential: Credential, settings: Settings, longest_wait: float | None):
        pacer = shared_pacer(credential, settings, longest=longest_wait, background=True)
        super().__init__(credential, settings, transport=AsyncTransport(credential, settings, pacer=pacer))
        self.connections: set[str] = set()
        """Ids of the Airflow connections that have these fields now. If it is empty, the client is outdated."""
        self._running = 0

    async def close(self) -> None:
        """Do nothing, because others may use the client. It is closed when it is outdated or the loop ends."""

    async def send(self, call: Call[T]) -> T:
        """See `AsyncEncordClient.send`."""
        async with self._in_use():
            return await super().send(call)

    async def run(self, flow: Flow[T]) -> T:
        """See `AsyncEncordClient.run`."""
        async with self._in_use():
            return await super().run(flow)

    async def close_if_out_of_date(self) -> None:
        """Close the pooled connections if no Airflow connection has these fields, and no request is running."""
        if not self.connections and not self._running:
            await self.close_for_all()

    async def close_for_all(self) -> None:
        """Close the pooled connections. A later call would open new ones."""
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

    async def get(self, connection: str, content: Content, longest_wait: float | None) -> SharedAsyncClient:
        """Return the client for the current fields of a connection."""
        if content not in self.by_content:
            self.by_content[content] = SharedAsyncClient(*content, longest_wait)
        client = self.by_content[content]
        client.connections.add(connection)
        for other in [held for held in self.by_content.values() if held is not client]:
            other.connections.discard(connection)
            if not other.connections:
                del self.by_content[other.credential, other.settings]
                await other.close_if_out_of_date()
        return client

    async def begin(self) -> None:
        """Start the generator that closes the clients when the loop ends."""
        await anext(self._end)

    async def _until_the_loop_ends(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            _of_loop.pop(asyncio.get_running_loop(), None)
            for client in self.by_content.values():
                await client.close_for_all()


_of_loop: dict[asyncio.AbstractEventLoop, _Clients] = {}


async def shared_client(
    connection: str, credential: Credential, settings: Settings, longest_wait: float | None
) -> AsyncEncordClient:
    """Return the client of the running event loop for the current fields of a connection.

    :param connection: Id of the Airflow connection.
    :param longest_wait: Seconds that a request may wait in place, if the client is new.
    """
    loop = asyncio.get_running_loop()
    for other in [known for known in _of_loop if known.is_closed()]:  # loops that were not run by asyncio.run
        del _of_loop[other]
    if loop not in _of_loop:
        clients = _of_loop[loop] = _Clients()
        await clients.begin()
    return await _of_loop[loop].get(connection, (credential, settings), longest_wait)
