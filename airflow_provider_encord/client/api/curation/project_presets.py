"""Filter presets of a project's explorer (Active).

The keys of a definition are in ``camelCase`` here, unlike those of the data view. Which keys a filter has is not
documented, so filters are sent and returned unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.reading import Page, ignored, only, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import Call, Request


class ProjectPresetRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A filter preset of a project, without its definition."""

    preset_uuid: str
    name: str
    created_at: str | None = None
    updated_at: str | None = None


class PresetDefinition(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The filters of a preset, as Encord stores them.

    :param local_filters: By id, the nil UUID by default.
    """

    local_filters: dict[str, Any] = {}
    global_filters: dict[str, Any] = {}


_PRESETS = v2_reader(Page[ProjectPresetRecord])
_DEFINITION = v2_reader(PresetDefinition)
_ID = v2_reader(str)


def _path(project: str, *more: str) -> str:
    return "/".join(["active", project, "presets", *more])


@operation("project.presets.list", "v2")
def list_project_presets(
    project: str, *, ids: Sequence[str] = (), page: str | None = None, page_size: int | None = None
) -> Call[Page[ProjectPresetRecord]]:
    """List one page of the filter presets of a project.

    :param ids: Only these presets; empty for all.
    """
    query = {"presetUuids": list(ids), "pageToken": page, "pageSize": page_size}
    return Call(request=Request("GET", _path(project), query), read=_PRESETS)


@operation("project.presets.get", "v2")
def get_project_preset(project: str, preset: str) -> Call[ProjectPresetRecord]:
    """Read a filter preset by its id."""
    return Call(request=Request("GET", _path(project), {"presetUuids": [preset]}), read=only(_PRESETS))


@operation("project.presets.definition", "v2")
def get_project_preset_definition(project: str, preset: str) -> Call[PresetDefinition]:
    """Read the filters of a preset."""
    return Call(request=Request("GET", _path(project, preset, "raw")), read=_DEFINITION)


@operation("project.presets.create", "v2")
def create_project_preset(project: str, name: str, definition: PresetDefinition) -> Call[str]:
    """Create a filter preset. The response is its id."""
    body = {"name": name, "filterPresetJson": msgspec.to_builtins(definition)}
    return Call(request=Request("POST", _path(project), json=body), changes=True, repeatable=False, read=_ID)


@operation("project.presets.update", "v2")
def update_project_preset(
    project: str, preset: str, *, name: str | None = None, definition: PresetDefinition | None = None
) -> Call[None]:
    """Change a filter preset. None leaves the value unchanged."""
    wanted = {"name": name, "filterPreset": definition and msgspec.to_builtins(definition)}
    body = {key: value for key, value in wanted.items() if value is not None}
    return Call(request=Request("PATCH", _path(project, preset), json=body), changes=True, read=ignored)


@operation("project.presets.delete", "v2")
def delete_project_preset(project: str, preset: str) -> Call[None]:
    """Delete a filter preset."""
    request = Request("DELETE", _path(project, preset))
    return Call(request=request, changes=True, repeatable=False, read=ignored)
