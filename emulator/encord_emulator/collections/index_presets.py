"""Filter presets of the data view. All users see and change them [inferred].

What keys a filter has is not known, so a definition is kept as it is. One without any filter matches everything, one
with a filter nothing [inferred].
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from ..requests import listing
from ..requests.exchange import Exchange
from ..requests.filters import Conditions
from ..state.store import Row
from ..storage import folders
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import Strict, StrictCamel


class ListQuery(StrictCamel, frozen=True):
    top_level_folder_uuid: str | None = None
    uuids: list[str] | None = None
    page_token: str | None = None
    page_size: int = 100


class FolderQuery(StrictCamel, frozen=True):
    top_level_folder_uuid: str


class Filters(Strict, frozen=True):
    filters: list[dict[str, Any]] = msgspec.field(default_factory=list)


class Definition(Strict, frozen=True):
    local_filters: dict[str, Filters] = msgspec.field(default_factory=dict)
    global_filters: Filters = Filters()


class PresetBody(StrictCamel, frozen=True):
    name: str
    filter_preset_json: Definition
    description: str = ""


class PresetChange(StrictCamel, frozen=True):
    name: str | None = None
    description: str | None = None
    filter_preset: Definition | None = None


def list_page(exchange: Exchange) -> dict[str, Any]:
    """All presets; they belong to no folder, so a folder is no filter [inferred]."""
    query: ListQuery = exchange.query
    if query.top_level_folder_uuid is not None:
        folders.require(exchange, query.top_level_folder_uuid, "user")
    conditions = Conditions()
    conditions.add("project IS NULL")
    conditions.among("uuid", query.uuids)
    return page_of(exchange, conditions, _view, query.page_token, query.page_size)


def page_of(
    exchange: Exchange, conditions: Conditions, view: Callable[[Row], dict[str, Any]], token: str | None, size: int
) -> dict[str, Any]:
    """A page of the presets that meet some conditions, of the data view or of a project."""
    start, size = listing.page_start(token), folders.page_size(exchange, size)
    rows = exchange.store.all(
        f"SELECT * FROM filter_presets WHERE {conditions.sql}"  # noqa: S608 - see Conditions
        " ORDER BY position LIMIT ? OFFSET ?",
        *(*conditions.values, size + 1, start),
    )
    return listing.page([view(row) for row in rows], start, size)


def definition(exchange: Exchange) -> dict[str, Any]:
    filters: dict[str, Any] = json.loads(_row(exchange, exchange.path["preset"])["definition"])
    return filters


def create(exchange: Exchange) -> str:
    """Make a preset; its id."""
    body: PresetBody = exchange.body
    require_name(body.name)
    uuid, now = new_uuid(), exchange.clock.stamp()
    exchange.store.run(
        "INSERT INTO filter_presets VALUES (NULL, ?, NULL, ?, ?, ?, ?, ?)",
        *(uuid, body.name, body.description, _text(body.filter_preset_json), now, now),
    )
    return uuid


def update(exchange: Exchange) -> None:
    body: PresetChange = exchange.body
    preset = _row(exchange, exchange.path["preset"])["uuid"]
    if body.name is not None:
        require_name(body.name)
    filters = None if body.filter_preset is None else _text(body.filter_preset)
    exchange.store.run(
        "UPDATE filter_presets SET name = coalesce(?, name), description = coalesce(?, description),"
        " definition = coalesce(?, definition), last_edited_at = ? WHERE uuid = ?",
        *(body.name, body.description, filters, exchange.clock.stamp(), preset),
    )


def delete(exchange: Exchange) -> None:
    exchange.store.run("DELETE FROM filter_presets WHERE uuid = ?", _row(exchange, exchange.path["preset"])["uuid"])


def matches_everything(exchange: Exchange, preset: str) -> bool:
    """Whether a preset has no filter.

    :raises RefusalError: It does not exist.
    """
    filters = json.loads(_row(exchange, preset)["definition"])
    each = [filters["global_filters"], *filters["local_filters"].values()]
    return not any(one["filters"] for one in each)


def require_name(name: str) -> None:
    """:raises RefusalError: It is empty."""
    if not name.strip():
        raise RefusalError(Reason.INVALID, "name: must not be empty")


def _text(filters: Definition) -> str:
    return msgspec.json.encode(filters).decode()


def _row(exchange: Exchange, preset: str) -> Row:
    uuid = folders.require_uuid(preset, "preset")
    row = exchange.store.one("SELECT * FROM filter_presets WHERE uuid = ? AND project IS NULL", uuid)
    if row is None:
        raise RefusalError(Reason.NOT_YOURS, f"there is no preset {uuid}")
    return row


def _view(row: Row) -> dict[str, Any]:
    return {
        "uuid": row["uuid"],
        "name": row["name"],
        "description": row["description"],
        "createdAt": times.v2(row["created_at"]),
        "lastUpdatedAt": times.v2(row["last_edited_at"]),
    }
