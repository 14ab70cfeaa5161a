"""Polls that many waits of one triggerer share.

All waits with the same credential, host and question share one poll: it sends one request per interval (for tasks, one
for each page), whether one task waits or 2,000 do. The interval is the shortest of its waits. Each wait evaluates its
own condition on the answer. A poll exists as long as a wait uses it.

The polls of one credential run at most `PLACES` at a time, so many projects neither flood Encord nor block the event
loop. Connections are read again at most every `FRESH_SECONDS`, however many waits use them. So when the key of a
connection is rotated, its waits move to a poll with the new key.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import dataclasses
import math
import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.hooks.encord import EncordHook
from airflow_provider_encord.hooks.history import TaskHistory, history_option

if TYPE_CHECKING:
    from airflow_provider_encord.client.async_client import AsyncEncordClient
    from airflow_provider_encord.waits.questions import Question

HISTORY_SECONDS = 3600.0
"""So often, what a poll says about a project is added to its history, if there is one."""
PLACES = 16
FRESH_SECONDS = 5.0
_SPREAD = 0.1  # intervals differ by this fraction, so that polls do not stay in step


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """How a poll ended.

    :param number: Counts the polls of a question.
    :param error: Why there is no answer; None if there is one.
    :param needs: What the waits of that moment needed of the answer.
    """

    number: int
    answer: Any = None
    error: Exception | None = None
    needs: Sequence[Any] = ()


@dataclasses.dataclass(slots=True, eq=False)
class Waiter:
    """A wait that uses a poll.

    :param interval: Seconds between two polls.
    :param needs: What the wait needs of the answer; see `waits.conditions`. It may change from poll to poll.
    """

    interval: float
    needs: Any


class SharedPoll:
    """Asks one question again and again, as long as it has waiters.

    :param client: Sends the requests.
    :param places: Limits the polls of this client that run at the same time.
    """

    def __init__(self, client: AsyncEncordClient, question: Question, places: asyncio.Semaphore):
        self._client, self._question, self._places = client, question, places
        self._waiters: set[Waiter] = set()
        self._latest = Outcome(0)
        self._published = asyncio.Event()
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._kept_at, self._kept = -math.inf, 0
        self._writing: asyncio.Task[None] | None = None

    @property
    def waiters(self) -> int:
        """How many waits use this poll."""
        return len(self._waiters)

    def join(self, waiter: Waiter) -> None:
        """Add a waiter. The first one starts the poll."""
        self._waiters.add(waiter)
        self._hurry.set()
        if self._task is None:
            # In a context of its own: its log lines do not belong to the task that happened to be the first.
            self._task = asyncio.create_task(self._poll(), context=contextvars.Context())

    def leave(self, waiter: Waiter) -> None:
        """Remove a waiter. The last one stops the poll."""
        self._waiters.discard(waiter)
        if not self._waiters and self._task is not None:
            self._task.cancel()

    async def next_outcome(self, after: int | None = None) -> Outcome:
        """Wait for an outcome.

        :param after: Number of the last outcome that the caller knows. Default: the latest.
        """
        known = self._latest.number if after is None else after
        while self._latest.number <= known:
            await self._published.wait()
        return self._latest

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        begun, least, factor = loop.time(), 0.0, random.uniform(0.5, 1.0)  # noqa: S311 - spreads the load
        while True:
            await self._until_due(begun, least, factor)
            begun = loop.time()
            outcome = await self._ask(self._latest.number + 1)
            least = getattr(outcome.error, "retry_after", None) or 0.0
            least += loop.time() - begun
            factor = random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311
            self._latest = outcome
            published, self._published = self._published, asyncio.Event()
            published.set()
            if loop.time() - self._kept_at >= HISTORY_SECONDS:
                await self.keep()

    async def keep(self) -> None:
        """Add what the latest answer says to the history of the project, in a thread, because files may block.

        It returns when that is written, also if another call has begun it, and was cancelled since.
        """
        latest = self._latest
        if latest.error is None and latest.number != self._kept:
            self._kept_at, self._kept = asyncio.get_running_loop().time(), latest.number
            if history_option() is not None:
                self._writing = asyncio.create_task(asyncio.to_thread(self._write, latest.answer))
        if self._writing is not None:
            await asyncio.shield(self._writing)

    def _write(self, answer: Any) -> None:
        from airflow_provider_encord.waits.observing import fact_of

        fact = fact_of(self._question, answer, self._client.settings)
        if fact is not None:
            history = TaskHistory()
            history.remember(self._question.project_id, fact)
            history.write(None)

    async def _until_due(self, begun: float, least: float, factor: float) -> None:
        """Sleep until the next poll. A waiter that joins may have a shorter interval.

        :param begun: When the last poll began, by the clock of the loop.
        :param least: Seconds from then that have to pass in any case, because Encord asked for them.
        """
        loop = asyncio.get_running_loop()
        while True:
            self._hurry.clear()
            interval = min((waiter.interval for waiter in self._waiters), default=0.0)
            left = begun + max(interval * factor, least) - loop.time()
            if left <= 0:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), left)

    async def _ask(self, number: int) -> Outcome:
        from airflow_provider_encord.waits.questions import ask

        async with self._places:
            try:
                needs = [waiter.needs for waiter in self._waiters]
                return Outcome(number, answer=await self._client.run(ask(self._question, needs)), needs=needs)
            except Exception as error:  # noqa: BLE001 - each waiter decides what the error means
                return Outcome(number, error=error)


class _CurrentClient:
    """The client of an Airflow connection. Many waits ask for it at once, and the connection is read once for them."""

    def __init__(self, connection: str):
        self._connection = connection
        self._reading = asyncio.Lock()
        self._read_at: float | None = None
        self._client: AsyncEncordClient | None = None
        self._error: Exception | None = None

    async def get(self, *, since: float) -> AsyncEncordClient:
        """Return the client of the connection as it was at a time or later.

        :param since: By the clock of the loop.
        """
        async with self._reading:
            if self._read_at is None or self._read_at < since:
                await self._read()
        if self._client is None:
            assert self._error is not None  # noqa: S101 - one of the two is set by `_read`
            raise self._error
        return self._client

    async def _read(self) -> None:
        read_at, self._client, self._error = asyncio.get_running_loop().time(), None, None
        try:
            self._client = await EncordHook(self._connection).get_async_client()
        except Exception as error:  # noqa: BLE001 - raised in `get`, for all that wait for it
            self._error = error
        self._read_at = read_at


class SharedPolls:
    """The polls of one event loop. Get it with `of_running_loop`."""

    def __init__(self) -> None:
        self._polls: dict[tuple[AsyncEncordClient, bytes], SharedPoll] = {}
        self._places: dict[AsyncEncordClient, asyncio.Semaphore] = {}
        self._clients: dict[str, _CurrentClient] = {}

    @property
    def polls(self) -> list[SharedPoll]:
        """The polls that are in use."""
        return list(self._polls.values())

    async def client(self, connection: str, *, fresh: bool = False) -> AsyncEncordClient:
        """Return the client of an Airflow connection.

        :param fresh: Read the connection again, even if it was read a moment ago.
        :raises Exception: The connection cannot be read, or its credential cannot be used.
        """
        current = self._clients.setdefault(connection, _CurrentClient(connection))
        now = asyncio.get_running_loop().time()
        return await current.get(since=now if fresh else now - FRESH_SECONDS)

    @contextlib.contextmanager
    def joined(self, client: AsyncEncordClient, question: Question, waiter: Waiter) -> Iterator[SharedPoll]:
        """Use the poll of a question, until the end of the ``with`` statement."""
        from airflow_provider_encord.waits.questions import key_of

        key = client, key_of(question)
        if key not in self._polls:
            places = self._places.setdefault(client, asyncio.Semaphore(PLACES))
            self._polls[key] = SharedPoll(client, question, places)
        poll = self._polls[key]
        poll.join(waiter)
        try:
            yield poll
        finally:
            poll.leave(waiter)
            if not poll.waiters and self._polls.get(key) is poll:
                self._forget(key)

    def _forget(self, key: tuple[AsyncEncordClient, bytes]) -> None:
        del self._polls[key]
        if not any(client is key[0] for client, _ in self._polls):
            del self._places[key[0]]
        if not self._polls:
            self._clients.clear()


_of_loop: dict[asyncio.AbstractEventLoop, SharedPolls] = {}


def of_running_loop() -> SharedPolls:
    """Return the polls of the running event loop."""
    loop = asyncio.get_running_loop()
    for other in [known for known in _of_loop if known.is_closed()]:
        del _of_loop[other]
    return _of_loop.setdefault(loop, SharedPolls())
