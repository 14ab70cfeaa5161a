"""Storage items: the files behind data units, and the groups made of them. One row each, however the file was added.

Everything that makes an item goes through :func:`insert`, and informs datasets that mirror the folder by :func:`added`.
Client metadata is JSON text here, as it is when read; it arrives as an object.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..state.store import Store
from . import linking

BLANK: dict[str, Any] = {
    "uuid": None,
    "folder": None,
    "item_type": None,
    "name": None,
    "description": "",
    "client_metadata": None,
    "owner": None,
    "created_at": None,
    "last_edited_at": None,
    "is_tombstone": 0,
    "is_placeholder": 0,
    "storage_location": 0,
    "integration": None,
    "file_link": None,
    "file_size": None,
    "file_type": None,
    "width": None,
    "height": None,
    "frames": 1,
    "fps": None,
    "duration": None,
    "images": None,
    "dicom_instance": None,
    "dicom_study": None,
    "dicom_series": None,
    "dicom_patient": None,
    "dicom_frames": None,
    "audio_sample_rate": None,
    "audio_bit_depth": None,
    "audio_codec": None,
    "audio_num_channels": None,
    "settings": None,
}
"""Every column of an item but its position, with what it is where nothing is known."""
_INSERT = f"INSERT INTO items ({', '.join(BLANK)}) VALUES ({', '.join('?' * len(BLANK))})"  # noqa: S608
_LOCATIONS = ("encord", "s3", "gcp", "azure", "s3Compatible")
"""The storage locations as items name them; datasets have the place in this list."""


def insert(store: Store, rows: Iterable[Mapping[str, Any]]) -> None:
    """Make items. What a row leaves out is unknown."""
    store.many(_INSERT, (tuple({**BLANK, **row}.values()) for row in rows))


def set_children(store: Store, item: str, children: Sequence[str]) -> None:
    """Say which items a group consists of, in order."""
    rows = [(item, place, child) for place, child in enumerate(children)]
    store.many("INSERT INTO item_children VALUES (?, ?, ?)", rows)


def added(store: Store, now: str, folder: str, uuids: Sequence[str]) -> dict[str, str]:
    """Items came into a folder: the dataset that mirrors it, if any, takes them in; the data hash of each."""
    dataset = mirror_of(store, folder)
    return {} if dataset is None else linking.link(store, now, dataset, uuids)


def removed(store: Store, now: str, uuids: Sequence[str]) -> None:
    """Delete the data rows of items that are about to be deleted, in all datasets."""
    which = json.dumps(list(uuids))
    sql = "SELECT data_hash FROM data_rows WHERE item_uuid IN (SELECT value FROM json_each(?))"
    linking.unlink(store, now, store.column(sql, which))
    for table, column in (("item_children", "item"), ("item_children", "child"), ("items", "uuid")):
        store.run(f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", which)  # noqa: S608


def left(store: Store, now: str, folder: str, uuids: Sequence[str]) -> None:
    """Items leave a folder, but stay: the dataset that mirrors it, if any, lets go of them."""
    dataset = mirror_of(store, folder)
    if dataset is None:
        return
    sql = "SELECT data_hash FROM data_rows WHERE dataset = ? AND item_uuid IN (SELECT value FROM json_each(?))"
    linking.unlink(store, now, store.column(sql, dataset, json.dumps(list(uuids))))


def mirror_of(store: Store, folder: str) -> str | None:
    """The dataset that is kept in step with a folder: its own, or the one of the nearest folder above that has one."""
    dataset: str | None = store.value(
        "WITH RECURSIVE up (uuid, parent, synced_dataset, depth) AS ("
        " SELECT uuid, parent, synced_dataset, 0 FROM folders WHERE uuid = ? UNION ALL"
        " SELECT folders.uuid, folders.parent, folders.synced_dataset, depth + 1"
        " FROM folders JOIN up ON folders.uuid = up.parent)"
        " SELECT synced_dataset FROM up WHERE synced_dataset IS NOT NULL ORDER BY depth LIMIT 1",
        folder,
    )
    return dataset


def location_name(storage_location: int) -> str:
    """How an item names its storage location."""
    return _LOCATIONS[storage_location]


def location_of(url: str | None, integration: str | None) -> int:
    """Where a file lies, according to its URL; what Encord keeps itself has no integration."""
    if integration is None or url is None:
        return 0
    if url.startswith("s3://"):
        return 1
    if url.startswith("gs://"):
        return 2
    return 3 if ".blob.core." in url else 4
