"""What runs in the background: upload jobs, folder syncs and re-encodings, at the pace and with the failures that a
control sets.

Every job lives in the database, unit by unit, so that one that was running when the server stopped goes on afterwards.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from .clock import Clock
from .database_file import is_unavailable
from .objects import ObjectStore
from .store import Store

log = logging.getLogger("encord-emulator")

MOST_SECONDS = 60
"""How long a poll is held at most, however long the client would wait: the vendor's SDK asks for a week."""
_TICK = 0.02
"""How often a waiting job looks whether the settings have changed, seconds."""


class Work(NamedTuple):
    """What is done for one sort of job.

    :param run: Does it, to its end.
    :param give_up: Ends a job that the emulator failed on, so that its client does not wait for ever.
    """

    run: Callable[[Jobs, str], Awaitable[None]]
    give_up: Callable[[Store, str], None]


class Jobs:
    """The running jobs and the settings of ``/_emulator/jobs``.

    :param work: What is done for a job, by the table that it is in. Where jobs of one table wait for jobs of another,
        theirs comes first.
    """

    def __init__(self, store: Store, clock: Clock, objects: ObjectStore, work: Mapping[str, Work]) -> None:
        self.store, self.clock, self.objects, self._work = store, clock, objects, work
        self.units_per_second: float | None = None
        self.fail_units = 0.0
        self.hold = False
        self.seed: int | None = None
        self._dice = random.Random()  # noqa: S311 - dice, not a secret
        self._running: dict[str, asyncio.Task[None]] = {}
        self._done: dict[str, asyncio.Event] = {}

    def settings(self) -> dict[str, Any]:
        """The settings as the control answers them."""
        return {
            "units_per_second": self.units_per_second,
            "fail_units": self.fail_units,
            "hold": self.hold,
            "seed": self.seed,
        }

    def reseed(self, seed: int | None) -> None:
        """Throw the dice afresh, so that the same seed fails the same units."""
        self.seed = seed
        self._dice = random.Random(seed)  # noqa: S311 - dice, not a secret

    def is_to_fail(self) -> bool:
        """Throw the dice for one unit."""
        return bool(self.fail_units) and self._dice.random() < self.fail_units

    def start(self, job: str, table: str) -> None:
        """Let a job that is in the database run.

        :param table: The one that it is in.
        """
        self._done[job] = asyncio.Event()
        self._running[job] = asyncio.get_running_loop().create_task(self._run(job, self._work[table]))

    def resume(self) -> None:
        """Let every job run that was pending when the server last stopped."""
        for table in self._work:
            for job in self.store.column(f"SELECT uuid FROM {table} WHERE status = 'PENDING'"):  # noqa: S608 - ours
                if job not in self._running:
                    self.start(job, table)

    def stop(self) -> None:
        """Leave the jobs where they are."""
        for task in self._running.values():
            task.cancel()

    def cancel(self, job: str) -> None:
        """Stop working on a job; its state is the caller's business."""
        task = self._running.pop(job, None)
        if task is not None:
            task.cancel()
        self._over(job)

    async def wait(self, job: str, seconds: float) -> None:
        """Until the job is over, or so many seconds (at most :data:`MOST_SECONDS`) have passed."""
        event = self._done.get(job)
        if event is None or seconds <= 0:
            return
        try:
            await asyncio.wait_for(event.wait(), min(seconds, MOST_SECONDS))
        except TimeoutError:
            return

    async def pace(self) -> None:
        """Wait for a unit's turn. Always gives way once, so that other requests are served in between."""
        started = time.monotonic()
        await asyncio.sleep(0)
        while self.hold:
            await asyncio.sleep(_TICK)
        while self.units_per_second:
            left = started + 1 / self.units_per_second - time.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(min(left, _TICK))

    async def _run(self, job: str, work: Work) -> None:
        while True:
            try:
                await work.run(self, job)
            except Exception as error:
                if isinstance(error, sqlite3.Error) and is_unavailable(error):
                    await asyncio.sleep(_TICK)
                    continue  # what is done is in the database, so the work goes on from there
                log.exception("The emulator failed on a job; this is a bug in the emulator.")
                work.give_up(self.store, job)
            break
        self._running.pop(job, None)
        self._over(job)

    def _over(self, job: str) -> None:
        event = self._done.pop(job, None)
        if event is not None:
            event.set()
