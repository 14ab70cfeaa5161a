"""Collections of a project: frames or labels. Any member of the project sees and changes them [inferred].

A frame must be one of its data unit, a label must be there at its frame; what is not fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Literal

from ..labels import content
from ..requests import listing
from ..requests.exchange import Exchange
from ..requests.filters import Conditions
from ..rows import label_rows
from ..state.store import Row, Store
from ..storage import folders
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import Count, StrictCamel
from . import index_collections, index_presets, project_presets

_IN_SNAKE_CASE = {
    "label_hash": "label_uuid",
    "data_hash": "data_uuid",
    "group_hash": "group_uuid",
    "dataset_hash": "dataset_uuid",
}
"""The four keys of a label row that have no name in camelCase (protocol, section 7.14)."""


class ListQuery(StrictCamel, frozen=True):
    project_hash: str | None = None
    uuids: list[str] | None = None
    page_token: str | None = None
    page_size: int = 100


class ProjectQuery(StrictCamel, frozen=True):
    project_hash: str


class ItemsQuery(StrictCamel, frozen=True):
    get_labels: bool = False
    page_token: str | None = None
    page_size: int = 100


class CollectionBody(StrictCamel, frozen=True):
    name: str
    collection_type: Literal["FRAME", "LABEL"]
    description: str = ""


class Place(StrictCamel, frozen=True, omit_defaults=True):
    data_uuid: str
    frame: Count
    annotation_id: str | None = None


class PlacesBody(StrictCamel, frozen=True):
    items: list[Place]


def list_page(exchange: Exchange) -> dict[str, Any]:
    query: ListQuery = exchange.query
    _require_same_project(exchange, query.project_hash)
    conditions = Conditions()
    conditions.equal("project", exchange.path["project"])
    conditions.among("uuid", query.uuids)
    start, size = listing.page_start(query.page_token), folders.page_size(exchange, query.page_size)
    rows = exchange.store.all(
        f"SELECT * FROM collections WHERE {conditions.sql} ORDER BY position LIMIT ? OFFSET ?",  # noqa: S608
        *(*conditions.values, size + 1, start),
    )
    return listing.page([_view(row) for row in rows], start, size)


def create(exchange: Exchange) -> str:
    """Make an empty collection; its id."""
    body: CollectionBody = exchange.body
    _require_same_project(exchange, exchange.query.project_hash)
    index_presets.require_name(body.name)
    uuid, now = new_uuid(), exchange.clock.stamp()
    exchange.store.run(
        "INSERT INTO collections VALUES (NULL, ?, NULL, ?, ?, ?, ?, ?, ?)",
        *(uuid, exchange.path["project"], body.collection_type, body.name, body.description, now, now),
    )
    return uuid


def update(exchange: Exchange) -> None:
    body: index_collections.CollectionChange = exchange.body
    index_collections.edit(exchange, _row(exchange)["uuid"], body.name, body.description)


def delete(exchange: Exchange) -> None:
    exchange.store.run("DELETE FROM collections WHERE uuid = ?", _row(exchange)["uuid"])


def list_items(exchange: Exchange) -> dict[str, Any]:
    """What is in it, by data unit; the ids of labels only where labels are asked for."""
    query: ItemsQuery = exchange.query
    store, collection, project = exchange.store, _row(exchange)["uuid"], exchange.path["project"]
    start, size = listing.page_start(query.page_token), folders.page_size(exchange, query.page_size)
    sql = (
        "SELECT data_hash FROM collection_places WHERE collection = ?"
        " GROUP BY data_hash ORDER BY min(position) LIMIT ? OFFSET ?"
    )
    units = store.column(sql, collection, size + 1, start)
    rows = {row["data_hash"]: row for row in label_rows.main_rows(exchange, project, units)}
    shown = [
        {"labelRowMetadata": _metadata(rows[unit]), "instances": _instances(store, collection, unit, query.get_labels)}
        for unit in units
        if unit in rows
    ]
    return listing.page(shown, start, size)


def add_items(exchange: Exchange) -> dict[str, Any]:
    """Put frames or labels in; one that is in is left alone. The answer has those that could not be."""
    body: PlacesBody = exchange.body
    collection = _row(exchange)
    fitting = [place for place in body.items if _is_there(exchange, collection["kind"], place)]
    _put_in(exchange, collection["uuid"], fitting)
    return {"failedItems": [place for place in body.items if place not in fitting]}


def remove_items(exchange: Exchange) -> dict[str, Any]:
    """Take frames or labels out. The answer has those that are not in [inferred]."""
    body: PlacesBody = exchange.body
    collection = _row(exchange)["uuid"]
    sql = "DELETE FROM collection_places WHERE collection = ? AND data_hash = ? AND frame = ? AND annotation = ?"
    failed = [place for place in body.items if not exchange.store.run(sql, collection, *_columns(place))]
    return {"failedItems": failed}


def add_preset(exchange: Exchange) -> None:
    """Put in what a preset matches, at once; Encord does it after its answer."""
    collection = _row(exchange)
    _put_in(exchange, collection["uuid"], _matched(exchange, collection))


def remove_preset(exchange: Exchange) -> None:
    """Take out what a preset matches, at once."""
    collection = _row(exchange)
    sql = "DELETE FROM collection_places WHERE collection = ? AND data_hash = ? AND frame = ? AND annotation = ?"
    exchange.store.many(sql, [(collection["uuid"], *_columns(place)) for place in _matched(exchange, collection)])


def _matched(exchange: Exchange, collection: Row) -> list[Place]:
    body: index_collections.PresetBody = exchange.body
    if not project_presets.matches_everything(exchange, body.preset_uuid):
        return []
    store, project = exchange.store, exchange.path["project"]
    units = store.column("SELECT data_hash FROM tasks WHERE project = ? ORDER BY rowid", project)
    if collection["kind"] == "FRAME":
        return [Place(unit, frame) for unit in units for frame in range(_frames(store, unit))]
    return [Place(unit, frame, label) for unit in units for frame, label in _labels(store, project, unit)]


def _is_there(exchange: Exchange, kind: str, place: Place) -> bool:
    store, project, unit = exchange.store, exchange.path["project"], place.data_uuid
    if store.one("SELECT 1 FROM tasks WHERE project = ? AND data_hash = ?", project, unit) is None:
        return False
    if kind == "FRAME":
        return place.annotation_id is None and place.frame < _frames(store, unit)
    return (place.frame, place.annotation_id) in _labels(store, project, unit)


def _frames(store: Store, data_hash: str) -> int:
    return int(store.value("SELECT frames FROM data_units WHERE data_hash = ?", data_hash))


def _labels(store: Store, project: str, data_hash: str) -> list[tuple[int, str]]:
    """Frame and id of every object and classification of a row on the main branch."""
    sql = "SELECT units FROM label_rows WHERE project = ? AND data_hash = ? AND branch = ?"
    units = store.value(sql, project, data_hash, label_rows.MAIN)
    if units is None:
        return []
    data_type = store.value("SELECT data_type FROM data_units WHERE data_hash = ?", data_hash)
    return [
        (frame, label[key])
        for frame, labels in content.frames(json.loads(units), data_type)
        for kind, key in (("objects", "objectHash"), ("classifications", "classificationHash"))
        for label in labels.get(kind, [])
    ]


def _put_in(exchange: Exchange, collection: str, places: Iterable[Place]) -> None:
    exchange.store.many(
        "INSERT OR IGNORE INTO collection_places VALUES (NULL, ?, ?, ?, ?)",
        [(collection, *_columns(place)) for place in places],
    )


def _columns(place: Place) -> tuple[str, int, str]:
    """As it is stored; a frame has an empty annotation, so that it is unique."""
    return place.data_uuid, place.frame, place.annotation_id or ""


def _instances(store: Store, collection: str, data_hash: str, with_labels: bool) -> list[dict[str, Any]]:
    sql = "SELECT frame, annotation FROM collection_places WHERE collection = ? AND data_hash = ? ORDER BY position"
    rows = store.all(sql, collection, data_hash)
    if with_labels:
        return [{"frame": row["frame"], "annotationId": row["annotation"]} for row in rows]
    return [{"frame": frame} for frame in dict.fromkeys(row["frame"] for row in rows)]


def _metadata(row: dict[str, Any]) -> dict[str, Any]:
    return {_IN_SNAKE_CASE.get(name) or _in_camel_case(name): value for name, value in row.items() if name != "spaces"}


def _in_camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _require_same_project(exchange: Exchange, project: str | None) -> None:
    if project is not None and project != exchange.path["project"]:
        raise RefusalError(Reason.INVALID, "projectHash: this is not the project of the path")


def _row(exchange: Exchange) -> Row:
    """The collection of the path."""
    uuid = folders.require_uuid(exchange.path["collection"], "collection")
    row = exchange.store.one("SELECT * FROM collections WHERE uuid = ? AND project = ?", uuid, exchange.path["project"])
    if row is None:
        raise RefusalError(Reason.NOT_FOUND, f"the project has no collection {uuid}")
    return row


def _view(row: Row) -> dict[str, Any]:
    return {
        "collectionUuid": row["uuid"],
        "name": row["name"],
        "description": row["description"],
        "createdAt": times.v2(row["created_at"]),
        "lastEditedAt": times.v2(row["last_edited_at"]),
        "projectUuid": row["project"],
        "collectionType": row["kind"],
    }
