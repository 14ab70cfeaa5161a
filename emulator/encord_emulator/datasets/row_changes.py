"""What is done to data rows: edited, renamed, removed; and made, by giving a storage item a place in a dataset."""

from __future__ import annotations

import json
from typing import Any, Literal

from ..requests import access
from ..requests.exchange import Exchange
from ..requests.filters import Conditions
from ..rows import data_rows
from ..storage import linking
from ..wire.errors import Reason, RefusalError
from ..wire.shapes import Strict


class LinkRequest(Strict, frozen=True):
    item_uuids: list[str]
    duplicates_behavior: Literal["SKIP", "FAIL", "DUPLICATE"] = "SKIP"


class DataRowEdit(Strict, frozen=True):
    data_title: str | None = None
    client_metadata: dict[str, Any] | None = None


class Title(Strict, frozen=True):
    """A new title; the field has this name for data of any kind."""

    video_hash: str
    title: str


def edit(exchange: Exchange) -> dict[str, Any]:
    """Change title or client metadata of a data unit."""
    request: DataRowEdit = exchange.payload
    data_rows.row_of(exchange, exchange.uid)
    changed = []
    if request.data_title is not None:
        _set(exchange, exchange.uid, "title", request.data_title)
        changed.append("data_title")
    if request.client_metadata is not None:
        _set(exchange, exchange.uid, "client_metadata", json.dumps(request.client_metadata))
        changed.append("client_metadata")
    return {
        "updated_fields": changed,
        "data_row": data_rows.shown(data_rows.row_of(exchange, exchange.uid), metadata=True),
    }


def rename(exchange: Exchange) -> dict[str, bool]:
    """Give data units other titles: all of them, or none if one is not in this dataset."""
    titles: list[Title] = exchange.payload
    for title in titles:
        data_rows.row_of(exchange, title.video_hash)
    for title in titles:
        _set(exchange, title.video_hash, "title", title.title)
    return {"success": True}


def _set(exchange: Exchange, data_hash: str, column: str, value: str) -> None:
    store, now = exchange.store, exchange.clock.stamp()
    if column == "title":
        store.run("UPDATE data_rows SET title = ? WHERE data_hash = ?", value, data_hash)
    else:
        sql = "UPDATE items SET client_metadata = ? WHERE uuid = (SELECT item_uuid FROM data_rows WHERE data_hash = ?)"
        store.run(sql, value, data_hash)
    store.run("UPDATE data_rows SET last_edited_at = ? WHERE data_hash = ?", now, data_hash)
    exchange.store.run("UPDATE datasets SET last_edited_at = ? WHERE uuid = ?", now, exchange.resource)


def link_items(exchange: Exchange) -> list[Any]:
    """Give storage items a place in the dataset; the new rows. Those that have one are skipped, refused or doubled."""
    request: LinkRequest = exchange.payload
    store, wanted = exchange.store, list(dict.fromkeys(request.item_uuids))
    if exchange.uid != exchange.resource:
        raise RefusalError(Reason.INVALID, "uid: must be the dataset that the request is about")
    for item in wanted:
        folder = store.value("SELECT folder FROM items WHERE uuid = ?", item)
        if folder is None:
            raise RefusalError(Reason.NOT_FOUND, f"item_uuids: there is no item {item}")
        if exchange.caller.api_key is None:
            access.role_in(exchange, "folder", folder)
    sql = "SELECT DISTINCT item_uuid FROM data_rows WHERE dataset = ? AND item_uuid IN (SELECT value FROM json_each(?))"
    there = set(store.column(sql, exchange.resource, json.dumps(wanted)))
    if there and request.duplicates_behavior == "FAIL":
        raise RefusalError(Reason.EXISTS, f"item_uuids: {len(there)} of these are in the dataset already")
    if request.duplicates_behavior == "SKIP":
        wanted = [item for item in wanted if item not in there]
    made = linking.link(store, exchange.clock.stamp(), exchange.resource, wanted)
    conditions = Conditions()
    conditions.among("data_hash", made.values())
    return data_rows.of_dataset(exchange, data_rows.AccessSettings(fetch_client_metadata=True), conditions)


def delete(exchange: Exchange) -> bool:
    """Remove data units, whatever their type, and what projects hold of them; hashes of other datasets are ignored."""
    store = exchange.store
    sql = "SELECT data_hash FROM data_units WHERE dataset = ? AND data_hash IN (SELECT value FROM json_each(?))"
    gone = store.column(sql, exchange.resource, json.dumps(exchange.uid))
    linking.unlink(store, exchange.clock.stamp(), gone)
    return True
