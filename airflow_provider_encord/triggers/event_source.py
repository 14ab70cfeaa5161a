"""The polls of one asset watcher: an endless stream of answers that never raises.

Airflow starts a watcher that has failed again every few seconds, for ever. So a failure is logged and the stream goes
on: a temporary failure at the next poll, a permanent one (no access, not found, a wrong argument) after a pause, so
that a watcher without access sends at most one request a minute. The polls are those of `shared_polls`, so watchers and
sensors that ask the same question share them on every version of Airflow.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.triggers import shared_polls
from airflow_provider_encord.triggers.shared_polls import Waiter

if TYPE_CHECKING:
    from airflow_provider_encord.client.api.projects import ProjectRecord
    from airflow_provider_encord.client.async_client import AsyncEncordClient
    from airflow_provider_encord.client.transport.settings import Settings
    from airflow_provider_encord.waits.questions import Question

_log = logging.getLogger(__name__)

PAUSE = 60.0
"""Seconds without a request after a permanent failure. They double with each failure in a row, up to
`LONGEST_PAUSE`."""
LONGEST_PAUSE = 480.0

Settle = Callable[["ProjectRecord | None"], "Question"]
"""Takes the record of the project, and returns the question to ask from then on."""


class _NoAccessError(Exception):
    """A permanent failure. Its cause is the error."""


class _CredentialChangedError(Exception):
    """The connection has another credential."""


@dataclasses.dataclass(eq=False)
class Snapshot:
    """The answer of one poll.

    :param source: The source that it comes from.
    :param settings: Of the client.
    :param record: The record of the project, if the source reads it.
    :param answer: None for the first snapshot of a source, which has not polled yet.
    :param now: When the poll ended, in seconds since 1970.
    :param commits: What to do once the events that follow from this snapshot are stored.
    """

    source: EventSource
    settings: Settings
    record: ProjectRecord | None
    answer: Any = None
    now: float = 0.0
    commits: list[Callable[[], Awaitable[None]]] = dataclasses.field(default_factory=list)


class EventSource:
    """The polls of one watcher.

    :param settle: Makes the question from the record of the project.
    :param reads_project: Whether it needs that record. It takes one request.
    """

    def __init__(
        self, *, encord_conn_id: str, project_id: str, poll_interval: float, settle: Settle, reads_project: bool
    ):
        self._connection, self._project_id = encord_conn_id, project_id
        self._settle, self._reads_project = settle, reads_project
        self._waiter = Waiter(poll_interval, None)
        self._started = asyncio.Event()
        self._question: Question | None = None
        self._record: ProjectRecord | None = None
        self._failures = 0
        self._said = ""

    def start(self, needs: Any) -> None:
        """Let the polls begin, or change what they need.

        :param needs: What the watcher needs of each answer; see `waits.conditions`.
        """
        self._waiter.needs = needs
        self._started.set()

    async def snapshots(self) -> AsyncGenerator[Snapshot]:
        """Yield a snapshot without an answer, wait for `start`, and then yield the answer of each poll."""
        while True:
            client: AsyncEncordClient | None = None
            try:
                client = await self._polls.client(self._connection, fresh=self._failures > 0)
                async with contextlib.aclosing(self._with_client(client)) as snapshots:
                    async for snapshot in snapshots:
                        self._succeeded()
                        yield snapshot
            except _CredentialChangedError:
                continue
            except _NoAccessError as permanent:
                if not await self._has_another(client):
                    self._failed(permanent.__cause__)
                    await self._pause(client)
            except Exception as error:  # noqa: BLE001 - a watcher that raises is started again every two seconds
                self._failed(error)
                await self._pause(None)  # the connection cannot be read

    async def _with_client(self, client: AsyncEncordClient) -> AsyncGenerator[Snapshot]:
        """Poll until the connection has another credential.

        :raises _NoAccessError: A poll failed permanently.
        """
        settings = client.settings
        if self._question is None:
            self._record = await self._project(client) if self._reads_project else None
            self._question = self._settled(self._record)
            yield Snapshot(self, settings, self._record)
        await self._started.wait()
        async with contextlib.aclosing(self._polled(client, self._question, self._waiter)) as answers:
            async for answer in answers:
                yield Snapshot(self, settings, self._record, answer, time.time())

    async def _project(self, client: AsyncEncordClient) -> Any:
        from airflow_provider_encord.waits.questions import ProjectQuestion

        question, waiter = ProjectQuestion(project_id=self._project_id), Waiter(self._waiter.interval, None)
        async with contextlib.aclosing(self._polled(client, question, waiter)) as records:
            async for record in records:
                return record
        raise _CredentialChangedError

    async def _polled(self, client: AsyncEncordClient, question: Question, waiter: Waiter) -> AsyncGenerator[Any]:
        with self._polls.joined(client, question, waiter) as poll:
            outcome = await poll.next_outcome()
            while outcome.error is None and waiter.needs not in outcome.needs:
                # It was asked before this watcher joined, for waits that need less: the answer has gaps.
                outcome = await poll.next_outcome(after=outcome.number)
            while True:
                if outcome.error is not None and not _may_pass(outcome.error):
                    raise _NoAccessError from outcome.error  # at once, so that the poll ends
                if not await self._is_current(client, failed=outcome.error is not None):
                    return
                if outcome.error is None:
                    yield outcome.answer
                else:
                    self._failed(outcome.error)
                outcome = await poll.next_outcome(after=outcome.number)

    def _settled(self, record: ProjectRecord | None) -> Question:
        try:
            return self._settle(record)
        except Exception as error:
            raise _NoAccessError from error

    async def _is_current(self, client: AsyncEncordClient, *, failed: bool = False) -> bool:
        """Whether the connection still has this credential. After a failure, it is read again first."""
        return await self._polls.client(self._connection, fresh=failed) is client

    async def _pause(self, client: AsyncEncordClient | None) -> None:
        """Wait after a permanent failure, until the pause is over or the connection leads to another client.

        :param client: None if the connection could not be read: then to any client.
        """
        self._failures += 1
        end = time.monotonic() + min(PAUSE * 2 ** (self._failures - 1), LONGEST_PAUSE)
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, PAUSE))
            if await self._has_another(client):
                return

    async def _has_another(self, client: AsyncEncordClient | None) -> bool:
        """Read the connection again, and return whether it leads to another client now."""
        with contextlib.suppress(Exception):  # it is read again, and reported, after the pause
            return await self._polls.client(self._connection, fresh=True) is not client
        return False

    def _succeeded(self) -> None:
        if self._said:
            _log.info("Polling works again.")
        self._failures, self._said = 0, ""

    def _failed(self, error: BaseException | None) -> None:
        """Log a failure, unless it was the last thing that was logged."""
        if self._said != str(error):
            self._said = str(error)
            _log.warning("A poll failed; the watcher goes on: %s", error)

    @property
    def _polls(self) -> shared_polls.SharedPolls:
        return shared_polls.of_running_loop()


def _may_pass(error: Exception) -> bool:
    """Whether the next poll may succeed without a change of the connection or of the watcher."""
    from airflow_provider_encord.client.errors import EncordError, UnexpectedResponseError

    return not isinstance(error, EncordError) or isinstance(error, UnexpectedResponseError) or error.retryable
