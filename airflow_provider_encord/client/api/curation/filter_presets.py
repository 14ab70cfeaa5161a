"""Filter presets of the data view (Index): stored filters, by which collections add and remove items.

The definition of a preset has the keys ``local_filters`` (by id, the nil UUID by default) and ``global_filters``, both
in ``snake_case``. Which keys a filter has is not documented, so definitions are sent and returned unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.reading import Page, ignored, only, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import Call, Request

NO_FOLDER = "00000000-0000-0000-0000-000000000000"
"""Stands for a folder in every creation: presets do not belong to a folder."""


class FilterPresetRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A filter preset, without its definition."""

    uuid: str
    name: str
    description: str | None = None
    created_at: str | None = None
    last_updated_at: str | None = None


_PRESETS = v2_reader(Page[FilterPresetRecord])
_DEFINITION = v2_reader(dict[str, Any])
_ID = v2_reader(str)


@operation("presets.list", "v2")
def list_presets(
    *, folder: str | None = None, ids: Sequence[str] = (), page: str | None = None, page_size: int | None = None
) -> Call[Page[FilterPresetRecord]]:
    """List one page of the filter presets that the user can see.

    :param folder: Id of a top-level folder; None for all.
    :param ids: Only these presets; empty for all.
    """
    query = {"topLevelFolderUuid": folder, "uuids": list(ids), "pageToken": page, "pageSize": page_size}
    return Call(request=Request("GET", "index/presets", query), read=_PRESETS)


@operation("presets.get", "v2")
def get_preset(preset: str) -> Call[FilterPresetRecord]:
    """Read a filter preset by its id."""
    return Call(request=Request("GET", "index/presets", {"uuids": [preset]}), read=only(_PRESETS))


@operation("presets.definition", "v2")
def get_preset_definition(preset: str) -> Call[dict[str, Any]]:
    """Read the filters of a preset."""
    return Call(request=Request("GET", f"index/presets/{preset}"), read=_DEFINITION)


@operation("presets.create", "v2")
def create_preset(name: str, definition: Mapping[str, Any], *, description: str = "") -> Call[str]:
    """Create a filter preset. The response is its id."""
    body = {"name": name, "filterPresetJson": dict(definition), "description": description}
    request = Request("POST", "index/presets", {"topLevelFolderUuid": NO_FOLDER}, json=body)
    return Call(request=request, changes=True, repeatable=False, read=_ID)


@operation("presets.update", "v2")
def update_preset(
    preset: str,
    *,
    name: str | None = None,
    description: str | None = None,
    definition: Mapping[str, Any] | None = None,
) -> Call[None]:
    """Change a filter preset. None leaves the value unchanged."""
    wanted = {"name": name, "description": description, "filterPreset": definition and dict(definition)}
    body = {key: value for key, value in wanted.items() if value is not None}
    return Call(request=Request("PATCH", f"index/presets/{preset}", json=body), changes=True, read=ignored)


@operation("presets.delete", "v2")
def delete_preset(preset: str) -> Call[None]:
    """Delete a filter preset."""
    request = Request("DELETE", f"index/presets/{preset}")
    return Call(request=request, changes=True, repeatable=False, read=ignored)
