"""Synchronising a folder with the place in a bucket that it is linked to: what is new there becomes items here.

Scanned in pages; each page's new files are an upload job of their own. What vanished from the bucket is a tombstone
until it is back, as the vendor's SDK describes the mark.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from ..people import organisation
from ..requests.exchange import Exchange
from ..state.store import Row, Store
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import StrictCamel
from . import jobs as upload_jobs

if TYPE_CHECKING:
    from ..state.jobs import Jobs

TABLE = "syncs"
FILES_ON_A_PAGE = 1000
_KINDS = {
    **dict.fromkeys(("jpg", "jpeg", "png", "gif", "bmp", "webp", "tif", "tiff"), "images"),
    **dict.fromkeys(("mp4", "mov", "avi", "mkv", "webm"), "videos"),
    **dict.fromkeys(("wav", "mp3", "flac", "m4a", "ogg"), "audio"),
    **dict.fromkeys(("txt", "json", "xml", "html", "md", "csv"), "text"),
    "pdf": "pdf",
    "nii": "nifti",
}


class PollQuery(StrictCamel, frozen=True):
    timeout_seconds: int = 0


def start(exchange: Exchange) -> str:
    """Begin, if the folder is linked to a bucket; the job's id."""
    folder = exchange.store.one("SELECT * FROM folders WHERE uuid = ?", exchange.path["folder"])
    if folder is None or folder["remote_url"] is None:
        raise RefusalError(Reason.INVALID, "this folder is not synced with a bucket")
    uuid, now = new_uuid(), exchange.clock.stamp()
    exchange.store.run(
        "INSERT INTO syncs VALUES (?, ?, ?, 'PENDING', 0, 0, 0, ?)", uuid, folder["uuid"], exchange.caller.email, now
    )
    exchange.emulation.jobs.start(uuid, TABLE)
    return uuid


async def poll(exchange: Exchange) -> dict[str, Any]:
    """How it stands, as soon as it is over or the time is up."""
    query: PollQuery = exchange.query
    sql = "SELECT * FROM syncs WHERE uuid = ? AND folder = ?"
    values = exchange.path["job"], exchange.path["folder"]
    if exchange.store.one(sql, *values) is None:
        raise RefusalError(Reason.NOT_FOUND, f"there is no synchronisation {values[0]} of this folder")
    await exchange.emulation.jobs.wait(values[0], query.timeout_seconds)
    row = exchange.store.one(sql, *values)
    assert row is not None  # noqa: S101 - they are never deleted
    return _view(exchange.store, row)


async def run(jobs: Jobs, sync: str) -> None:
    """Scan the bucket, and take in what is new."""
    store = jobs.store
    row = store.one(
        "SELECT syncs.*, integration, remote_url FROM syncs JOIN folders ON folders.uuid = folder WHERE syncs.uuid = ?",
        sync,
    )
    if row is None:
        return
    known = set(store.column("SELECT file_link FROM items WHERE folder = ?", row["folder"]))
    found = organisation.bucket_files(store, row["integration"], row["remote_url"])
    pages = [found[place : place + FILES_ON_A_PAGE] for place in range(0, len(found), FILES_ON_A_PAGE)]
    store.run("UPDATE syncs SET pages_pending = ?, pages_done = 0 WHERE uuid = ?", len(pages), sync)
    for page in pages:
        await jobs.pace()
        await _take_in(jobs, row, [url for url in page if url not in known])
        store.run(
            "UPDATE syncs SET pages_pending = pages_pending - 1, pages_done = pages_done + 1 WHERE uuid = ?", sync
        )
    _mark_tombstones(store, row["folder"], found)
    store.run("UPDATE syncs SET status = 'DONE' WHERE uuid = ?", sync)


def give_up(store: Store, sync: str) -> None:
    """End a sync that the emulator failed on."""
    store.run("UPDATE syncs SET status = 'ERROR' WHERE uuid = ?", sync)


def _mark_tombstones(store: Store, folder: str, found: list[str]) -> None:
    """Items whose files are gone, and no others."""
    store.run(
        "UPDATE items SET is_tombstone = file_link NOT IN (SELECT value FROM json_each(?))"
        " WHERE folder = ? AND integration IS NOT NULL AND file_link IS NOT NULL",
        *(json.dumps(found), folder),
    )


async def _take_in(jobs: Jobs, row: Row, urls: list[str]) -> None:
    units = [(kind, {"objectUrl": url}) for url in urls if (kind := _KINDS.get(url.rpartition(".")[2].lower()))]
    if not units:
        return
    job = upload_jobs.begin(
        jobs,
        units,
        creator=row["creator"],
        folder=row["folder"],
        sync=row["uuid"],
        integration=row["integration"],
        ignore_errors=True,
        skip_duplicates=True,
    )
    while jobs.store.value("SELECT status FROM jobs WHERE uuid = ?", job) == "PENDING":
        await jobs.wait(job, 1)
        await asyncio.sleep(0)


def _view(store: Store, row: Row) -> dict[str, Any]:
    statuses = store.column("SELECT status FROM jobs WHERE sync = ?", row["uuid"])
    sql = "SELECT job_units.status FROM job_units JOIN jobs ON jobs.uuid = job WHERE sync = ?"
    units = upload_jobs.counts(store.all(sql, row["uuid"]))
    return {
        "status": row["status"].lower(),
        "scanPagesProcessingPending": row["pages_pending"],
        "scanPagesProcessingDone": row["pages_done"],
        "scanPagesProcessingError": row["pages_error"],
        "scanPagesProcessingCancelled": 0,
        **{f"uploadJobs{state.capitalize()}": statuses.count(state) for state in ("PENDING", "DONE", "ERROR")},
        **{f"uploadJobsUnits{state.capitalize()}": number for state, number in units.items()},
    }
