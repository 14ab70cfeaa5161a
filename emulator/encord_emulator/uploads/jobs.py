"""Upload jobs, of datasets and of folders alike: each unit becomes a storage item.

With ``ignoreErrors`` each unit is made by itself, and the job always ends DONE. Without, all are looked at
first, and nothing is made if any of them fails: the job ends in ERROR, and the units that were fine count as cancelled.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..state.store import Row, Store
from ..wire.identifiers import new_uuid
from . import registration
from .registration import Plan, UnitError

if TYPE_CHECKING:
    from ..state.jobs import Jobs

log = logging.getLogger("encord-emulator")

TABLE = "jobs"
Unit = tuple[str, dict[str, Any]]
"""The kind of an entry and the entry."""
_FAILED = "UPDATE job_units SET status = 'ERROR', error = ? WHERE job = ? AND position = ?"
_DONE = """
UPDATE job_units SET status = 'DONE', data_hash = ?, title = ?, item_uuid = ? WHERE job = ? AND position = ?
"""


def begin(
    jobs: Jobs,
    units: Sequence[Unit],
    *,
    creator: str,
    folder: str,
    dataset: str | None = None,
    sync: str | None = None,
    integration: str | None = None,
    file_name: str | None = None,
    ignore_errors: bool = False,
    skip_duplicates: bool = False,
    upsert_metadata: bool = False,
) -> str:
    """Write a job down and let it run; its UUID.

    :param folder: Where the items come.
    :param dataset: Where they get a place, besides.
    """
    job = new_uuid()
    jobs.store.run(
        "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'PENDING', ?)",
        *(job, dataset, folder, sync, creator, integration, file_name),
        *(ignore_errors, skip_duplicates, upsert_metadata, jobs.clock.stamp()),
    )
    jobs.store.many(
        "INSERT INTO job_units VALUES (?, ?, ?, ?, 'PENDING', NULL, ?, NULL, NULL, NULL)",
        [(job, place, kind, json.dumps(entry), new_uuid()) for place, (kind, entry) in enumerate(units)],
    )
    jobs.start(job, TABLE)
    return job


async def run(jobs: Jobs, job: str) -> None:
    """Work on a job to its end."""
    row = jobs.store.one("SELECT * FROM jobs WHERE uuid = ?", job)
    assert row is not None  # noqa: S101 - jobs are never deleted
    worker = _Worker(jobs, row)
    for position in worker.pending():
        await jobs.pace()
        with jobs.store.transaction():
            worker.work_on(position)
    with jobs.store.transaction():
        worker.finish()


def give_up(store: Store, job: str) -> None:
    """End a job that the emulator failed on, rather than let its client wait for ever."""
    _cancel_unmade(store, job)
    store.run("UPDATE jobs SET status = 'ERROR' WHERE uuid = ?", job)


def cancel(jobs: Jobs, job: str) -> int:
    """Stop a job; how many units were not made because of that. One that is over stays as it is."""
    store = jobs.store
    if store.run("UPDATE jobs SET status = 'CANCELLED' WHERE uuid = ? AND status = 'PENDING'", job) == 0:
        return 0
    jobs.cancel(job)
    return _cancel_unmade(store, job)


def _cancel_unmade(store: Store, job: str) -> int:
    """Units that were to come, or were only looked at. What was skipped in a job that counts errors is among them."""
    sql = "UPDATE job_units SET status = 'CANCELLED' WHERE job = ? AND (status = 'PENDING' OR (status = 'DONE' AND {}))"
    whole = "item_uuid IS NULL AND NOT (SELECT ignore_errors FROM jobs WHERE uuid = job)"
    return store.run(sql.format(whole), job)


class _Worker:
    """Works on one job."""

    def __init__(self, jobs: Jobs, row: Row) -> None:
        self._jobs, self._store, self._job = jobs, jobs.store, row
        self._waiting: dict[int, Plan] = {}
        self._planned: set[str] = set()

    def pending(self) -> list[int]:
        """The units that are to be worked on. What was only looked at before a restart is looked at again."""
        job = self._job["uuid"]
        if not self._job["ignore_errors"]:
            sql = "UPDATE job_units SET status = 'PENDING' WHERE job = ? AND status = 'DONE'"
            self._store.run(sql, job)
        sql = "SELECT position FROM job_units WHERE job = ? AND status = 'PENDING' ORDER BY position"
        return self._store.column(sql, job)

    def work_on(self, position: int) -> None:
        """Make one unit, or look at it, so that it can be made at the end."""
        job = self._job["uuid"]
        sql = "SELECT kind, entry FROM job_units WHERE job = ? AND position = ?"
        kind, text = self._store.one(sql, job, position) or ("", "null")
        try:
            made = self._attempt(position, kind, json.loads(text))
        except UnitError as problem:
            self._store.run(_FAILED, str(problem), job, position)
        except Exception:
            # A job that never ends would keep its client waiting for days.
            log.exception("The emulator failed on a unit of a job; this is a bug in the emulator.")
            self._store.run(_FAILED, "the emulator failed; its log says why", job, position)
        else:
            self._store.run(_DONE, *(made or (None, None, None)), job, position)

    def _attempt(self, position: int, kind: str, entry: dict[str, Any]) -> registration.Made | None:
        if self._jobs.is_to_fail():
            raise UnitError("a control of the emulator makes this unit fail")
        plan = registration.prepare(self._store, self._jobs.objects, self._job, kind, entry, self._planned)
        now = self._jobs.clock.stamp()
        if plan is None:
            registration.renew_metadata(self._store, now, self._job, entry)
            return None
        if self._job["ignore_errors"]:
            return registration.make(self._store, now, self._job, plan)
        self._waiting[position] = plan
        self._planned.update(plan.links, (row["uuid"] for row in plan.rows))
        return None

    def finish(self) -> None:
        """Make what waits, unless something failed; say how it ended."""
        job = self._job["uuid"]
        failed = self._store.value("SELECT count(*) FROM job_units WHERE job = ? AND status = 'ERROR'", job)
        if failed and not self._job["ignore_errors"]:
            _cancel_unmade(self._store, job)
            self._store.run("UPDATE jobs SET status = 'ERROR' WHERE uuid = ?", job)
            return
        now = self._jobs.clock.stamp()
        for position, plan in self._waiting.items():
            made = registration.make(self._store, now, self._job, plan)
            self._store.run(_DONE, *made, job, position)
        self._store.run("UPDATE jobs SET status = 'DONE' WHERE uuid = ?", job)


def counts(units: Sequence[Row]) -> dict[str, int]:
    """How many units are in which state."""
    states = ("PENDING", "DONE", "ERROR", "CANCELLED")
    return {state: sum(unit["status"] == state for unit in units) for state in states}


def view_v1(store: Store, job: Row) -> dict[str, Any]:
    """A job as the poll of a dataset answers it; what it made is in the answer once it has ended."""
    units, errors = _units(store, job)
    count = counts(units)
    return {
        "status": job["status"],
        "data_hashes_with_titles": [
            {"data_hash": unit["data_hash"], "title": unit["title"], "backing_item_uuid": unit["item_uuid"]}
            for unit in _made(job, units)
            if unit["data_hash"] is not None
        ],
        "errors": [unit["error"] for unit in errors],
        "data_unit_errors": [
            {
                "object_urls": _urls(unit),
                "error": unit["error"],
                "subtask_uuid": unit["subtask"],
                "action_description": _action(unit),
            }
            for unit in errors
        ],
        **{f"units_{state.lower()}_count": number for state, number in count.items()},
    }


def view_v2(store: Store, job: Row) -> dict[str, Any]:
    """A job as the poll of a folder answers it."""
    units, errors = _units(store, job)
    return {
        "status": job["status"],
        "itemsWithNames": [{"itemUuid": unit["item_uuid"], "name": unit["title"]} for unit in _made(job, units)],
        "errors": [unit["error"] for unit in errors],
        **{f"units{state.capitalize()}Count": number for state, number in counts(units).items()},
        "unitErrors": [
            {
                "objectUrls": _urls(unit),
                "error": unit["error"],
                "subtaskUuid": unit["subtask"],
                "actionDescription": _action(unit),
            }
            for unit in errors
        ],
        "fileName": job["file_name"],
    }


def _units(store: Store, job: Row) -> tuple[list[Row], list[Row]]:
    """All units of a job, and those that failed, once it is over."""
    units = store.all("SELECT * FROM job_units WHERE job = ? ORDER BY position", job["uuid"])
    over = job["status"] != "PENDING"
    return units, [unit for unit in units if over and unit["status"] == "ERROR"]


def _made(job: Row, units: Sequence[Row]) -> list[Row]:
    return [unit for unit in units if job["status"] != "PENDING" and unit["item_uuid"] is not None]


def _urls(unit: Row) -> list[str]:
    entry = json.loads(unit["entry"])
    if "objectUrl" in entry:
        return [entry["objectUrl"]]
    if "scene" in entry:
        return [entry["scene"]["url"]] if isinstance(entry["scene"].get("url"), str) else []
    return [file["url"] for field in ("images", "dicomFiles") for file in entry.get(field) or []]


def _action(unit: Row) -> str:
    return f"Registering one of {unit['kind']}"
