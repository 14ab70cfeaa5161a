"""Collections of the data view: made for a folder at the root, and filled with items below it.

A user with a role in the folder sees its collections and may change them; items that are not below it fail [inferred].
Client metadata is shown only where it is asked for [inferred].
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..requests import access, listing
from ..requests.exchange import Exchange
from ..requests.filters import Conditions
from ..state.store import Row
from ..storage import folders, storage_items
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import StrictCamel
from . import index_presets

MOST_TITLES, MOST_TITLE_BYTES = 1000, 200_000


class ItemsQuery(StrictCamel, frozen=True):
    include_client_metadata: bool = False
    page_token: str | None = None
    page_size: int = 100


class CollectionBody(StrictCamel, frozen=True):
    name: str
    description: str = ""


class CollectionChange(StrictCamel, frozen=True):
    name: str | None = None
    description: str | None = None


class ItemsBody(StrictCamel, frozen=True):
    item_uuids: list[str]


class TitlesBody(StrictCamel, frozen=True):
    data_titles: list[str]


class PresetBody(StrictCamel, frozen=True):
    preset_uuid: str


def list_page(exchange: Exchange) -> dict[str, Any]:
    """Collections of folders in which the caller has a role, oldest first."""
    query: index_presets.ListQuery = exchange.query
    conditions = Conditions()
    conditions.add("folder IS NOT NULL")
    conditions.equal("folder", query.top_level_folder_uuid)
    conditions.among("uuid", query.uuids)
    found = exchange.store.all(
        f"SELECT * FROM collections WHERE {conditions.sql} ORDER BY position",  # noqa: S608 - see Conditions
        *conditions.values,
    )
    start, size = listing.page_start(query.page_token), folders.page_size(exchange, query.page_size)
    mine = [row for row in found if access.has_role(exchange, "folder", row["folder"])]
    return listing.page([_view(row) for row in mine[start : start + size + 1]], start, size)


def create(exchange: Exchange) -> str:
    """Make an empty collection; its id."""
    body: CollectionBody = exchange.body
    folder: str = exchange.query.top_level_folder_uuid
    folders.require(exchange, folder, "user")
    if exchange.store.value("SELECT parent FROM folders WHERE uuid = ?", folder) is not None:
        raise RefusalError(Reason.INVALID, "topLevelFolderUuid: this folder is inside another one")
    index_presets.require_name(body.name)
    uuid, now = new_uuid(), exchange.clock.stamp()
    exchange.store.run(
        "INSERT INTO collections VALUES (NULL, ?, ?, NULL, NULL, ?, ?, ?, ?)",
        *(uuid, folder, body.name, body.description, now, now),
    )
    return uuid


def update(exchange: Exchange) -> None:
    body: CollectionChange = exchange.body
    collection = _row(exchange)["uuid"]
    edit(exchange, collection, body.name, body.description)


def edit(exchange: Exchange, collection: str, name: str | None, description: str | None) -> None:
    """Change name and description, of any kind of collection; what is None stays."""
    if name is not None:
        index_presets.require_name(name)
    exchange.store.run(
        "UPDATE collections SET name = coalesce(?, name), description = coalesce(?, description), last_edited_at = ?"
        " WHERE uuid = ?",
        *(name, description, exchange.clock.stamp(), collection),
    )


def delete(exchange: Exchange) -> None:
    exchange.store.run("DELETE FROM collections WHERE uuid = ?", _row(exchange)["uuid"])


def list_accessible(exchange: Exchange) -> dict[str, Any]:
    """Items that the caller may see."""
    rows = [row for row in _items(exchange) if access.has_role(exchange, "folder", row["folder"])]
    return _page_of_items(exchange, rows)


def list_all(exchange: Exchange) -> dict[str, Any]:
    """All items; of one that the caller may not see only its id."""
    return _page_of_items(exchange, _items(exchange))


def add_items(exchange: Exchange) -> dict[str, Any]:
    """Put items in; one that is in is left alone. The answer names those that could not be."""
    body: ItemsBody = exchange.body
    collection = _row(exchange)
    fitting = _fitting(exchange, collection["folder"], body.item_uuids)
    _put_in(exchange, collection["uuid"], fitting)
    return {"failedItems": [item for item in body.item_uuids if item not in fitting]}


def remove_items(exchange: Exchange) -> dict[str, Any]:
    """Take items out. The answer names those that are not in [inferred]."""
    body: ItemsBody = exchange.body
    collection = _row(exchange)["uuid"]
    inside = set(exchange.store.column("SELECT item FROM collection_items WHERE collection = ?", collection))
    _take_out(exchange, collection, body.item_uuids)
    return {"failedItems": [item for item in body.item_uuids if item not in inside]}


def add_titles(exchange: Exchange) -> dict[str, Any]:
    """Put in the items of these names; a name that several have puts in none."""
    body: TitlesBody = exchange.body
    collection, titles = _row(exchange), list(dict.fromkeys(body.data_titles))
    if len(titles) > MOST_TITLES or sum(map(_weight, titles)) > MOST_TITLE_BYTES:
        raise RefusalError(Reason.TOO_MANY_LABELS, f"dataTitles: at most {MOST_TITLES}, and {MOST_TITLE_BYTES} bytes")
    found: dict[str, list[str]] = {title: [] for title in titles}
    for row in _below(exchange, collection["folder"]):
        if row["name"] in found:
            found[row["name"]].append(row["uuid"])
    added = [items[0] for items in found.values() if len(items) == 1]
    _put_in(exchange, collection["uuid"], added)
    return {
        "requested": len(titles),
        "matchedTitles": len(added),
        "itemsAdded": len(added),
        "ambiguousTitles": [title for title, items in found.items() if len(items) > 1],
        "unmatchedTitles": [title for title, items in found.items() if not items],
        "failedItems": [],
    }


def add_preset(exchange: Exchange) -> None:
    """Put in what a preset matches, at once; Encord does it after its answer."""
    _put_in(exchange, _row(exchange)["uuid"], _matched(exchange))


def remove_preset(exchange: Exchange) -> None:
    """Take out what a preset matches, at once."""
    _take_out(exchange, _row(exchange)["uuid"], _matched(exchange))


def _matched(exchange: Exchange) -> list[str]:
    body: PresetBody = exchange.body
    if not index_presets.matches_everything(exchange, body.preset_uuid):
        return []
    return [row["uuid"] for row in _below(exchange, _row(exchange)["folder"])]


def _below(exchange: Exchange, folder: str) -> list[Row]:
    """Items below a folder, in the order of their age."""
    sql = "SELECT uuid, name FROM items WHERE folder IN (SELECT value FROM json_each(?)) ORDER BY position"
    return exchange.store.all(sql, json.dumps(folders.below(exchange.store, folder)))


def _fitting(exchange: Exchange, folder: str, items: Sequence[str]) -> list[str]:
    inside = {row["uuid"] for row in _below(exchange, folder)}
    return [item for item in dict.fromkeys(items) if item in inside]


def _put_in(exchange: Exchange, collection: str, items: Sequence[str]) -> None:
    exchange.store.many(
        "INSERT OR IGNORE INTO collection_items VALUES (NULL, ?, ?)", [(collection, item) for item in items]
    )


def _take_out(exchange: Exchange, collection: str, items: Sequence[str]) -> None:
    sql = "DELETE FROM collection_items WHERE collection = ? AND item IN (SELECT value FROM json_each(?))"
    exchange.store.run(sql, collection, json.dumps(list(items)))


def _items(exchange: Exchange) -> list[Row]:
    sql = (
        "SELECT items.* FROM collection_items AS inside JOIN items ON items.uuid = item"
        " WHERE collection = ? ORDER BY inside.position"
    )
    return exchange.store.all(sql, _row(exchange)["uuid"])


def _page_of_items(exchange: Exchange, rows: Sequence[Row]) -> dict[str, Any]:
    query: ItemsQuery = exchange.query
    start, size = listing.page_start(query.page_token), folders.page_size(exchange, query.page_size)
    shown = [_item(exchange, row) for row in rows[start : start + size + 1]]
    return listing.page(shown, start, size)


def _item(exchange: Exchange, row: Row) -> dict[str, Any]:
    if not access.has_role(exchange, "folder", row["folder"]):
        return {"uuid": row["uuid"]}
    shown = storage_items.view(exchange, row, sign=False)
    return shown if exchange.query.include_client_metadata else {**shown, "clientMetadata": "{}"}


def _row(exchange: Exchange) -> Row:
    """The collection of the path, if the caller has a role in its folder."""
    uuid = folders.require_uuid(exchange.path["collection"], "collection")
    row = exchange.store.one("SELECT * FROM collections WHERE uuid = ? AND folder IS NOT NULL", uuid)
    if row is None or not access.has_role(exchange, "folder", row["folder"]):
        raise RefusalError(Reason.NOT_YOURS, f"there is no collection {uuid}, or you have no access to its folder")
    return row


def _weight(title: str) -> int:
    """What a title counts for the limit of a request (protocol, section 7.13)."""
    return len(title.encode()) + 3 + title.count("'") + title.count("\\")


def _view(row: Row) -> dict[str, Any]:
    return {
        "uuid": row["uuid"],
        "topLevelFolderUuid": row["folder"],
        "name": row["name"],
        "description": row["description"],
        "createdAt": times.v2(row["created_at"]),
        "lastEditedAt": times.v2(row["last_edited_at"]),
    }
