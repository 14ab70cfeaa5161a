"""Re-encoding videos, asked for by data hash (v1, numbered jobs) or by item (v2). Nothing about the video changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..requests.exchange import Exchange
from ..rows import data_rows
from ..state.store import Row, Store
from ..storage import folders
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import Strict, StrictCamel

if TYPE_CHECKING:
    from ..state.jobs import Jobs

TABLE = "reencodings"


class DataHashes(Strict, frozen=True):
    data_hash: list[str]


class ReEncodeBody(StrictCamel, frozen=True):
    storage_items: list[str]
    process_title: str
    force_full_reencoding: bool = False


def start_v1(exchange: Exchange) -> int:
    """Begin with videos of a dataset; the job's number."""
    wanted: list[str] = exchange.payload.data_hash
    sql = (
        "SELECT item_uuid, data_type FROM data_units"
        " WHERE dataset = ? AND data_hash IN (SELECT value FROM json_each(?))"
    )
    rows = exchange.store.all(sql, exchange.resource, json.dumps(wanted))
    if len(rows) != len(set(wanted)):
        raise RefusalError(Reason.NOT_FOUND, "data_hash: some are not in this dataset")
    if any(row["data_type"] != "video" for row in rows):
        raise RefusalError(Reason.INVALID, "data_hash: only videos can be re-encoded")
    return int(_note(exchange, "", [row["item_uuid"] for row in rows])["number"])


def poll_v1(exchange: Exchange) -> dict[str, Any]:
    """How a numbered job stands."""
    row = exchange.store.one("SELECT * FROM reencodings WHERE number = ?", exchange.uid)
    if row is None or row["creator"] != exchange.caller.email:
        raise RefusalError(Reason.NOT_FOUND, f"there is no job {exchange.uid}")
    view: dict[str, Any] = {"status": "SUBMITTED" if row["status"] == "PENDING" else row["status"]}
    if row["status"] == "DONE":
        view["result"] = [
            {
                "data_hash": unit["data_hash"],
                "signed_url": data_rows.link(exchange, unit["file_link"]),
                "bucket_path": unit["file_link"],
            }
            for unit in _units(exchange.store, row)
        ]
    return view


def start(exchange: Exchange) -> str:
    """Begin with storage items; the job's id."""
    body: ReEncodeBody = exchange.body
    for item in body.storage_items:
        row = exchange.store.one(
            "SELECT folder, item_type FROM items WHERE uuid = ?", folders.require_uuid(item, "storageItems")
        )
        if row is None:
            raise RefusalError(Reason.NOT_FOUND, f"there is no item {item}")
        folders.require(exchange, row["folder"], "user")
        if row["item_type"] != "video":
            raise RefusalError(Reason.INVALID, "storageItems: only videos can be re-encoded")
    return str(_note(exchange, body.process_title, body.storage_items)["uuid"])


def poll(exchange: Exchange) -> dict[str, Any]:
    """How a job stands."""
    row = exchange.store.one("SELECT * FROM reencodings WHERE uuid = ?", exchange.path["job"])
    if row is None or row["creator"] != exchange.caller.email:
        raise RefusalError(Reason.NOT_FOUND, f"there is no job {exchange.path['job']}")
    done = row["status"] == "DONE"
    return {
        "status": "submitted" if row["status"] == "PENDING" else row["status"].lower(),
        "result": [{"uuid": item} for item in json.loads(row["items"])] if done else None,
    }


async def run(jobs: Jobs, job: str) -> None:
    """Take the time that it takes."""
    for _ in json.loads(jobs.store.value("SELECT items FROM reencodings WHERE uuid = ?", job) or "[]"):
        await jobs.pace()
    failed = jobs.is_to_fail()
    jobs.store.run("UPDATE reencodings SET status = ? WHERE uuid = ?", "ERROR" if failed else "DONE", job)


def give_up(store: Store, job: str) -> None:
    """End a job that the emulator failed on."""
    store.run("UPDATE reencodings SET status = 'ERROR' WHERE uuid = ?", job)


def _note(exchange: Exchange, title: str, items: list[str]) -> Row:
    uuid, store = new_uuid(), exchange.store
    store.run(
        "INSERT INTO reencodings VALUES (NULL, ?, ?, ?, ?, 'PENDING', ?)",
        *(uuid, exchange.caller.email, title, json.dumps(items), exchange.clock.stamp()),
    )
    exchange.emulation.jobs.start(uuid, TABLE)
    row = store.one("SELECT * FROM reencodings WHERE uuid = ?", uuid)
    assert row is not None  # noqa: S101 - inserted just now
    return row


def _units(store: Store, row: Row) -> list[Row]:
    sql = "SELECT * FROM data_units WHERE item_uuid IN (SELECT value FROM json_each(?))"
    return store.all(sql, row["items"])
