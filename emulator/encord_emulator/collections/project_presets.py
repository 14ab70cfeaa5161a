"""Filter presets of a project. Any member of the project sees and changes them [inferred].

A definition is kept as it is; here its keys are in ``camelCase``. One without any filter matches everything, one with a
filter nothing [inferred].
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from ..requests.exchange import Exchange
from ..requests.filters import Conditions
from ..state.store import Row
from ..storage import folders
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import StrictCamel
from . import index_presets


class ListQuery(StrictCamel, frozen=True):
    preset_uuids: list[str] | None = None
    page_token: str | None = None
    page_size: int = 100


class Definition(StrictCamel, frozen=True):
    local_filters: dict[str, index_presets.Filters] = msgspec.field(default_factory=dict)
    global_filters: index_presets.Filters = index_presets.Filters()


class PresetBody(StrictCamel, frozen=True):
    name: str
    filter_preset_json: Definition


class PresetChange(StrictCamel, frozen=True):
    name: str | None = None
    filter_preset: Definition | None = None


def list_page(exchange: Exchange) -> dict[str, Any]:
    query: ListQuery = exchange.query
    conditions = Conditions()
    conditions.equal("project", exchange.path["project"])
    conditions.among("uuid", query.preset_uuids)
    return index_presets.page_of(exchange, conditions, _view, query.page_token, query.page_size)


def definition(exchange: Exchange) -> dict[str, Any]:
    filters: dict[str, Any] = json.loads(_row(exchange, exchange.path["preset"])["definition"])
    return filters


def create(exchange: Exchange) -> str:
    """Make a preset; its id."""
    body: PresetBody = exchange.body
    index_presets.require_name(body.name)
    uuid, now = new_uuid(), exchange.clock.stamp()
    exchange.store.run(
        "INSERT INTO filter_presets VALUES (NULL, ?, ?, ?, '', ?, ?, ?)",
        *(uuid, exchange.path["project"], body.name, _text(body.filter_preset_json), now, now),
    )
    return uuid


def update(exchange: Exchange) -> None:
    body: PresetChange = exchange.body
    preset = _row(exchange, exchange.path["preset"])["uuid"]
    if body.name is not None:
        index_presets.require_name(body.name)
    filters = None if body.filter_preset is None else _text(body.filter_preset)
    exchange.store.run(
        "UPDATE filter_presets SET name = coalesce(?, name), definition = coalesce(?, definition), last_edited_at = ?"
        " WHERE uuid = ?",
        *(body.name, filters, exchange.clock.stamp(), preset),
    )


def delete(exchange: Exchange) -> None:
    exchange.store.run("DELETE FROM filter_presets WHERE uuid = ?", _row(exchange, exchange.path["preset"])["uuid"])


def matches_everything(exchange: Exchange, preset: str) -> bool:
    """Whether a preset of the project has no filter.

    :raises RefusalError: The project does not have it.
    """
    filters = json.loads(_row(exchange, preset)["definition"])
    each = [filters["globalFilters"], *filters["localFilters"].values()]
    return not any(one["filters"] for one in each)


def _text(filters: Definition) -> str:
    return msgspec.json.encode(filters).decode()


def _row(exchange: Exchange, preset: str) -> Row:
    uuid = folders.require_uuid(preset, "preset")
    sql = "SELECT * FROM filter_presets WHERE uuid = ? AND project = ?"
    row = exchange.store.one(sql, uuid, exchange.path["project"])
    if row is None:
        raise RefusalError(Reason.NOT_FOUND, f"the project has no preset {uuid}")
    return row


def _view(row: Row) -> dict[str, Any]:
    return {
        "presetUuid": row["uuid"],
        "name": row["name"],
        "createdAt": times.v2(row["created_at"]),
        "updatedAt": times.v2(row["last_edited_at"]),
    }
