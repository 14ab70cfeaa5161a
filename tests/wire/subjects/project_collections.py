"""Recorded requests of collections and filter presets of a project, and of Active."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from airflow_provider_encord.client.api.curation.project_collections import PlaceOfLabel
from airflow_provider_encord.client.api.curation.project_presets import PresetDefinition
from tests.wire.subjects.collections import page_of
from tests.wire.subjects.reading import UUID, Arguments, Key, Read, given, id_in_path


def _ids(request: dict[str, Any]) -> list[str]:
    """The UUIDs in the path: project, collection or preset."""
    return re.findall(UUID, request["path"])


def _listed(ids: str) -> Read:
    return lambda request: given(id_in_path(request), ids=request["query"].get(ids, ()), **page_of(request))


def _one(ids: str) -> Read:
    return lambda request: given(id_in_path(request), request["query"][ids][0])


def _create(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    kind = body["collectionType"]
    return given(id_in_path(request), body["name"], collection_type=kind, description=body["description"])


def _definition(content: Any) -> PresetDefinition:
    return msgspec.convert(content, PresetDefinition)


def _create_preset(request: dict[str, Any]) -> Arguments:
    return given(id_in_path(request), request["json"]["name"], _definition(request["json"]["filterPresetJson"]))


def _update_preset(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(*_ids(request), name=body.get("name"), definition=_definition(body["filterPreset"]))


def _places(request: dict[str, Any]) -> Arguments:
    return given(*_ids(request), msgspec.convert(request["json"]["items"], list[PlaceOfLabel]))


def _import(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(id_in_path(request), body["projectMode"], video_sampling_rate=body.get("videoSamplingRate"))


def _in_path(request: dict[str, Any]) -> Arguments:
    return given(*_ids(request))


def _items(request: dict[str, Any]) -> Arguments:
    return given(*_ids(request), **page_of(request))


def _preset(request: dict[str, Any]) -> Arguments:
    return given(*_ids(request), request["json"]["presetUuid"])


ARGUMENTS: dict[Key, Read] = {
    ("project.active.import", "v2"): _import,
    ("project.active.sync", "v2"): _in_path,
    ("project.collections.list", "v2"): _listed("uuids"),
    ("project.collections.get", "v2"): _one("uuids"),
    ("project.collections.create", "v2"): _create,
    ("project.collections.update", "v2"): lambda request: given(*_ids(request), **request["json"]),
    ("project.collections.delete", "v2"): _in_path,
    ("project.collections.frames", "v2"): _items,
    ("project.collections.labels", "v2"): _items,
    ("project.collections.items.add", "v2"): _places,
    ("project.collections.items.remove", "v2"): _places,
    ("project.collections.items.add_preset", "v2"): _preset,
    ("project.collections.items.remove_preset", "v2"): _preset,
    ("project.presets.list", "v2"): _listed("presetUuids"),
    ("project.presets.get", "v2"): _one("presetUuids"),
    ("project.presets.definition", "v2"): _in_path,
    ("project.presets.create", "v2"): _create_preset,
    ("project.presets.update", "v2"): _update_preset,
    ("project.presets.delete", "v2"): _in_path,
}

V1_SHAPES: dict[tuple[str, str], str] = {}

_ACTIVE = f"active/{UUID}"
_COLLECTION = f"{_ACTIVE}/collections/{UUID}"
_PRESET = f"{_ACTIVE}/presets/{UUID}"

V2_SHAPES: list[tuple[str, str, str]] = [
    ("POST", f"{_ACTIVE}/import", "project.active.import"),
    ("POST", f"{_ACTIVE}/sync", "project.active.sync"),
    ("GET", f"{_ACTIVE}/collections", "project.collections.list"),
    ("POST", f"{_ACTIVE}/collections", "project.collections.create"),
    ("PATCH", _COLLECTION, "project.collections.update"),
    ("DELETE", _COLLECTION, "project.collections.delete"),
    ("GET", f"{_COLLECTION}/items", "project.collections.frames"),
    ("POST", f"{_COLLECTION}/add-items", "project.collections.items.add"),
    ("POST", f"{_COLLECTION}/remove-items", "project.collections.items.remove"),
    ("POST", f"{_COLLECTION}/add-preset-items", "project.collections.items.add_preset"),
    ("POST", f"{_COLLECTION}/remove-preset-items", "project.collections.items.remove_preset"),
    ("GET", f"{_ACTIVE}/presets", "project.presets.list"),
    ("POST", f"{_ACTIVE}/presets", "project.presets.create"),
    ("GET", f"{_PRESET}/raw", "project.presets.definition"),
    ("PATCH", _PRESET, "project.presets.update"),
    ("DELETE", _PRESET, "project.presets.delete"),
]

NOT_YET: set[str] = set()

NOT_SERVED_YET: set[Key] = set()
