"""Data groups: items of the type ``group``, whose children are shown by a layout.

Layout and settings are taken in camelCase and in snake_case, and answered as they came. The keys of a default layout
are the places of its items [inferred].
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

from ..requests.exchange import Exchange
from ..state.store import Row
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import Strict
from . import folders, items

_SETTINGS = {"fixedLayout": False, "tileSettings": None, "hasMultilayerLabels": None}
_NAME = "Data group"


class _Default(Strict, frozen=True, rename="camel", tag_field="layoutType"):
    layout_contents: list[str]
    name: str | None = None
    client_metadata: dict[str, Any] | None = None


class Grid(_Default, frozen=True, rename="camel", tag="default-grid"):
    """Tiles."""


class Carousel(_Default, frozen=True, rename="camel", tag="default-list"):
    """One item after the other."""


class Custom(Strict, frozen=True, rename="camel", tag_field="layoutType", tag="custom"):
    layout_contents: dict[str, str]
    timeline: list[str]
    layout: dict[str, Any] | None = None
    settings: dict[str, Any] | None = None
    name: str | None = None
    client_metadata: dict[str, Any] | None = None


Groups: TypeAlias = list[Grid | Carousel | Custom]


def create(exchange: Exchange) -> list[str]:
    """Make all groups, or none; their ids in the order of the request."""
    body: Groups = exchange.body
    folder, now = exchange.path["folder"], exchange.clock.stamp()
    folders.require(exchange, folder, "user")
    made = []
    for group in body:
        contents = _contents(group)
        _check(exchange, group, contents)
        made.append(new_uuid())
        items.insert(exchange.store, [_row(exchange, made[-1], group, contents)])
        items.set_children(exchange.store, made[-1], list(contents.values()))
    items.added(exchange.store, now, folder, made)
    return made


def layout_of(item: Row) -> dict[str, Any] | None:
    """The layout of a group as a summary shows it; ``None`` for every other item."""
    layout: dict[str, Any] | None = json.loads(item["settings"]) if item["item_type"] == "group" else None
    return layout


def _contents(group: Grid | Carousel | Custom) -> dict[str, str]:
    if isinstance(group, Custom):
        return group.layout_contents
    return {str(place): item for place, item in enumerate(group.layout_contents)}


def _row(exchange: Exchange, uuid: str, group: Grid | Carousel | Custom, contents: dict[str, str]) -> dict[str, Any]:
    custom = group if isinstance(group, Custom) else None
    layout = {
        "layoutContents": {key: {"uuid": item} for key, item in contents.items()},
        "layout": custom and custom.layout,
        "layoutSettings": (custom and custom.settings) or _SETTINGS,
        "timeline": custom.timeline if custom else [],
    }
    now = exchange.clock.stamp()
    return {
        "uuid": uuid,
        "folder": exchange.path["folder"],
        "item_type": "group",
        "name": group.name or _NAME,
        "client_metadata": None if group.client_metadata is None else json.dumps(group.client_metadata),
        "owner": exchange.caller.email,
        "created_at": now,
        "last_edited_at": now,
        "settings": json.dumps(layout),
    }


def _check(exchange: Exchange, group: Grid | Carousel | Custom, contents: dict[str, str]) -> None:
    if not contents:
        raise RefusalError(Reason.INVALID, "layoutContents: needs at least one item")
    for item in contents.values():
        folder = exchange.store.value("SELECT folder FROM items WHERE uuid = ?", folders.require_uuid(item, "item"))
        if folder is None:
            raise RefusalError(Reason.NOT_FOUND, f"layoutContents: there is no item {item}")
        folders.require(exchange, folder, "user")
    if isinstance(group, Custom):
        used = [*group.timeline, *_keys(group.layout or {})]
        if unknown := sorted(set(used) - contents.keys()):
            raise RefusalError(Reason.INVALID, f"layout: {', '.join(unknown)} is not in layoutContents")


def _keys(layout: dict[str, Any]) -> Iterator[str]:
    """The keys of items in a tile, a carousel, or a split of two of these."""
    if "key" in layout:
        yield layout["key"]
    yield from layout.get("keys", [])
    for part in ("first", "second"):
        if isinstance(layout.get(part), dict):
            yield from _keys(layout[part])
