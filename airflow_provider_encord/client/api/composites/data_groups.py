"""Data groups: storage items that show several items side by side, and are labelled as one data unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.reading import v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import Call, Request

GRID, CAROUSEL = "default-grid", "default-list"
_CUSTOM = "custom"


class DataGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group to create, with one of Encord's own layouts.

    :param items: Ids of the storage items, in order.
    :param layout: ``default-grid`` or ``default-list``, a carousel.
    """

    items: Sequence[str]
    layout: str = CAROUSEL
    name: str | None = None
    client_metadata: Mapping[str, Any] | None = None

    def entry(self) -> dict[str, Any]:
        """The group in the form that is sent."""
        return {"layoutType": self.layout, "layoutContents": list(self.items), **_named(self)}


class CustomDataGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group to create, with a layout of its own.

    :param items: Ids of the storage items, by the key that the layout uses.
    :param layout: A tile, a carousel, or a split of two of these, in Encord's format. None if all items are on the
        timeline.
    :param timeline: Keys of time series.
    :param settings: Settings of the tiles, in Encord's format.
    """

    items: Mapping[str, str]
    layout: Mapping[str, Any] | None = None
    timeline: Sequence[str] = ()
    settings: Mapping[str, Any] | None = None
    name: str | None = None
    client_metadata: Mapping[str, Any] | None = None

    def entry(self) -> dict[str, Any]:
        """The group in the form that is sent."""
        stated = {"layout": self.layout, "settings": self.settings}
        return {
            "layoutType": _CUSTOM,
            "layoutContents": dict(self.items),
            "timeline": list(self.timeline),
            **{key: dict(value) for key, value in stated.items() if value is not None},
            **_named(self),
        }


_IDS = v2_reader(list[str])


@operation("storage.data_groups.create", "v2")
def create_data_groups(folder: str, groups: Sequence[DataGroup | CustomDataGroup]) -> Call[list[str]]:
    """Create data groups in a folder. The response contains the ids of their items, in the order of the request."""
    body = [group.entry() for group in groups]
    request = Request("POST", f"storage/folders/{folder}/create-group-items", json=body)
    return Call(request=request, changes=True, repeatable=False, read=_IDS)


def _named(group: DataGroup | CustomDataGroup) -> dict[str, Any]:
    named = {} if group.name is None else {"name": group.name}
    return named if group.client_metadata is None else {**named, "clientMetadata": dict(group.client_metadata)}
