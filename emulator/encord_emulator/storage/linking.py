"""Storage items in datasets: a data row is an item's place in one. An item may have several, in one dataset even.

A new data row opens a task in every project that the dataset is attached to; a removed one takes its tasks and labels
along.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from ..state.store import Store
from ..wire.identifiers import new_uuids
from ..workflow import workflow

Row = tuple[str, str, str, str, str, str]
"""Data hash, dataset, title, item, created and last edited."""


def insert(store: Store, rows: Iterable[Row]) -> None:
    """Make data rows, without telling anyone: for a dataset that no project has yet."""
    store.many("INSERT INTO data_rows VALUES (NULL, ?, ?, ?, ?, ?, ?)", rows)


def link(
    store: Store, now: str, dataset: str, items: Sequence[str], data_hashes: Sequence[str] | None = None
) -> dict[str, str]:
    """Put items into a dataset, each under its name; the data hash of each new row by item.

    :param data_hashes: Those that the rows are to have, if they were promised.
    """
    sql = "SELECT uuid, name FROM items WHERE uuid IN (SELECT value FROM json_each(?))"
    names: dict[str, str] = {row["uuid"]: row["name"] for row in store.all(sql, json.dumps(list(items)))}
    hashes = list(data_hashes or new_uuids(len(items)))
    pairs = list(zip(hashes, items, strict=True))
    insert(store, ((data_hash, dataset, names[item], item, now, now) for data_hash, item in pairs))
    _touch(store, now, dataset)
    for project in store.column("SELECT project FROM project_datasets WHERE dataset = ?", dataset):
        workflow.open_tasks(store, project, hashes, now)
    return {item: data_hash for data_hash, item in pairs}


def unlink(store: Store, now: str, data_hashes: Sequence[str]) -> None:
    """Remove data rows, and what projects hold of them. The items stay where they are."""
    gone = json.dumps(list(data_hashes))
    sql = "SELECT DISTINCT dataset FROM data_rows WHERE data_hash IN (SELECT value FROM json_each(?))"
    for dataset in store.column(sql, gone):
        _touch(store, now, dataset)
    for table in ("label_rows", "tasks", "data_rows"):
        store.run(f"DELETE FROM {table} WHERE data_hash IN (SELECT value FROM json_each(?))", gone)  # noqa: S608


def _touch(store: Store, now: str, dataset: str) -> None:
    store.run("UPDATE datasets SET last_edited_at = ? WHERE uuid = ?", now, dataset)
