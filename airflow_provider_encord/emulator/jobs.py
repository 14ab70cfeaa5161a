"""Upload jobs: each unit becomes a data unit, in the background, at the pace and with the failures that a control sets.

A job lives in the database, unit by unit, so that one that was running when the server stopped goes on afterwards. With
``ignoreErrors`` it ends DONE whatever happened; without, any failed unit makes it end in ERROR (the others stay).
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from typing import Any

from .clock import Clock
from .objects import ObjectStore
from .registration import UnitError, register
from .store import Row, Store

log = logging.getLogger("encord-emulator")

_FAILED = "UPDATE job_units SET status = 'ERROR', error = ? WHERE job = ? AND position = ?"
_DONE = """
UPDATE job_units SET status = 'DONE', data_hash = ?, title = ?, item_uuid = ? WHERE job = ? AND position = ?
"""
_TICK = 0.02
"""How often a waiting job looks whether the settings have changed, seconds."""


class Jobs:
    """The running jobs and the settings of ``/_emulator/jobs``."""

    def __init__(self, store: Store, clock: Clock, objects: ObjectStore) -> None:
        self._store, self._clock, self._objects = store, clock, objects
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

    def start(self, job: str) -> None:
        """Let a job that is in the database run."""
        self._done[job] = asyncio.Event()
        self._running[job] = asyncio.get_running_loop().create_task(self._run(job))

    def resume(self) -> None:
        """Let every job run that was pending when the server last stopped."""
        for job in self._store.column("SELECT uuid FROM jobs WHERE status = 'PENDING'"):
            self.start(job)

    def stop(self) -> None:
        """Leave the jobs where they are."""
        for task in self._running.values():
            task.cancel()

    async def wait(self, job: str, seconds: float) -> None:
        """Until the job is over, or so many seconds have passed."""
        event = self._done.get(job)
        if event is None or seconds <= 0:
            return
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            return

    async def _run(self, job: str) -> None:
        units = "SELECT position FROM job_units WHERE job = ? AND status = 'PENDING' ORDER BY position"
        for position in self._store.column(units, job):
            await self._pace()
            with self._store.transaction():
                self._work_on(job, position)
        self._finish(job)

    async def _pace(self) -> None:
        """Wait for this unit's turn. Always gives way once, so that other requests are served in between."""
        started = time.monotonic()
        await asyncio.sleep(0)
        while self.hold:
            await asyncio.sleep(_TICK)
        while self.units_per_second:
            left = started + 1 / self.units_per_second - time.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(min(left, _TICK))

    def _work_on(self, job: str, position: int) -> None:
        row = self._store.one("SELECT * FROM jobs WHERE uuid = ?", job)
        unit = self._store.one("SELECT * FROM job_units WHERE job = ? AND position = ?", job, position)
        if row is None or unit is None:
            return
        try:
            if self.fail_units and self._dice.random() < self.fail_units:
                raise UnitError("the emulator was told to fail this unit")
            made = register(self._store, self._objects, self._clock, row, unit["kind"], json.loads(unit["entry"]))
        except UnitError as problem:
            self._store.run(_FAILED, str(problem), job, position)
        except Exception:
            # A job that never ends would keep its client waiting for days.
            log.exception("The emulator failed on a unit of a job; this is a bug in the emulator.")
            self._store.run(_FAILED, "the emulator failed; its log says why", job, position)
        else:
            self._store.run(_DONE, *(made or (None, None, None)), job, position)

    def _finish(self, job: str) -> None:
        failed = self._store.value("SELECT count(*) FROM job_units WHERE job = ? AND status = 'ERROR'", job)
        self._store.run(
            "UPDATE jobs SET status = CASE WHEN ? AND NOT ignore_errors THEN 'ERROR' ELSE 'DONE' END WHERE uuid = ?",
            failed > 0,
            job,
        )
        self._done.pop(job).set()
        self._running.pop(job, None)


def view(store: Store, job: Row) -> dict[str, Any]:
    """A job as the poll answers it; what it made is told once it is DONE."""
    units = store.all("SELECT * FROM job_units WHERE job = ? ORDER BY position", job["uuid"])
    failed = [unit for unit in units if unit["status"] == "ERROR"]
    over = job["status"] != "PENDING"
    made = [unit for unit in units if unit["data_hash"] is not None] if job["status"] == "DONE" else []
    return {
        "status": job["status"],
        "data_hashes_with_titles": [
            {"data_hash": unit["data_hash"], "title": unit["title"], "backing_item_uuid": unit["item_uuid"]}
            for unit in made
        ],
        "errors": [unit["error"] for unit in failed] if over else [],
        "data_unit_errors": [_failure(unit) for unit in failed] if over else [],
        "units_pending_count": sum(unit["status"] == "PENDING" for unit in units),
        "units_done_count": sum(unit["status"] == "DONE" for unit in units),
        "units_error_count": len(failed),
        "units_cancelled_count": sum(unit["status"] == "CANCELLED" for unit in units),
    }


def _failure(unit: Row) -> dict[str, Any]:
    entry = json.loads(unit["entry"])
    urls = [entry["objectUrl"]] if "objectUrl" in entry else [image["url"] for image in entry.get("images", [])]
    return {
        "object_urls": urls,
        "error": unit["error"],
        "subtask_uuid": unit["subtask"],
        "action_description": f"Registering one of {unit['kind']}",
    }
