"""Recorded requests of collections and filter presets of the data view.

One collection and a list of them are the same request by path; which operation it is stands in the query.
"""

from __future__ import annotations

import re
from typing import Any

from tests.wire.subjects.reading import UUID, Arguments, Key, Read, flag, given, id_in_path, parameter


def page_of(request: dict[str, Any]) -> dict[str, Any]:
    """The arguments that say which page."""
    size = parameter(request, "pageSize")
    return {"page": parameter(request, "pageToken"), "page_size": None if size is None else int(size)}


def _listed(request: dict[str, Any]) -> Arguments:
    ids = request["query"].get("uuids", ())
    return given(folder=parameter(request, "topLevelFolderUuid"), ids=ids, **page_of(request))


def _items(request: dict[str, Any]) -> Arguments:
    metadata = flag(request, "includeClientMetadata") if "includeClientMetadata" in request["query"] else None
    return given(id_in_path(request), client_metadata=metadata, **page_of(request))


def _one(request: dict[str, Any]) -> Arguments:
    return given(request["query"]["uuids"][0])


def _create(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(parameter(request, "topLevelFolderUuid"), body["name"], description=body["description"])


def _create_preset(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(body["name"], body["filterPresetJson"], description=body["description"])


def _update_preset(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(
        id_in_path(request),
        name=body.get("name"),
        description=body.get("description"),
        definition=body.get("filterPreset"),
    )


def _of(field: str) -> Read:
    return lambda request: given(id_in_path(request), request["json"][field])


def _id(request: dict[str, Any]) -> Arguments:
    return given(id_in_path(request))


ARGUMENTS: dict[Key, Read] = {
    ("collections.list", "v2"): _listed,
    ("collections.get", "v2"): _one,
    ("collections.create", "v2"): _create,
    ("collections.update", "v2"): lambda request: given(id_in_path(request), **request["json"]),
    ("collections.delete", "v2"): _id,
    ("collections.items.list", "v2"): _items,
    ("collections.items.list_all", "v2"): lambda request: given(id_in_path(request), **page_of(request)),
    ("collections.items.add", "v2"): _of("itemUuids"),
    ("collections.items.remove", "v2"): _of("itemUuids"),
    ("collections.items.add_by_title", "v2"): _of("dataTitles"),
    ("collections.items.add_preset", "v2"): _of("presetUuid"),
    ("collections.items.remove_preset", "v2"): _of("presetUuid"),
    ("presets.list", "v2"): _listed,
    ("presets.get", "v2"): _one,
    ("presets.definition", "v2"): _id,
    ("presets.create", "v2"): _create_preset,
    ("presets.update", "v2"): _update_preset,
    ("presets.delete", "v2"): _id,
}

V1_SHAPES: dict[tuple[str, str], str] = {}

_COLLECTION = f"index/collections/{UUID}"

V2_SHAPES: list[tuple[str, str, str]] = [
    ("GET", "index/collections", "collections.list"),
    ("POST", "index/collections", "collections.create"),
    ("PATCH", _COLLECTION, "collections.update"),
    ("DELETE", _COLLECTION, "collections.delete"),
    ("GET", f"{_COLLECTION}/accessible-items", "collections.items.list"),
    ("GET", f"{_COLLECTION}/all-items", "collections.items.list_all"),
    ("POST", f"{_COLLECTION}/add-items", "collections.items.add"),
    ("POST", f"{_COLLECTION}/remove-items", "collections.items.remove"),
    ("POST", f"{_COLLECTION}/add-data-title-items", "collections.items.add_by_title"),
    ("POST", f"{_COLLECTION}/add-preset-items", "collections.items.add_preset"),
    ("POST", f"{_COLLECTION}/remove-preset-items", "collections.items.remove_preset"),
    ("GET", "index/presets", "presets.list"),
    ("POST", "index/presets", "presets.create"),
    ("GET", f"index/presets/{UUID}", "presets.definition"),
    ("PATCH", f"index/presets/{UUID}", "presets.update"),
    ("DELETE", f"index/presets/{UUID}", "presets.delete"),
]

_ONE_OF = [
    (r"/v2/public/index/collections", "uuids", "collections.get"),
    (r"/v2/public/index/presets", "uuids", "presets.get"),
    (rf"/v2/public/active/{UUID}/collections", "uuids", "project.collections.get"),
    (rf"/v2/public/active/{UUID}/presets", "presetUuids", "project.presets.get"),
]
"""Path of a listing, its parameter for ids, and the operation that asks for one id."""


def operation_by_query(request: dict[str, Any]) -> str | None:
    """The operation of a listing that says by its query what it is about; None for any other request."""
    query = request.get("query") or {}
    for path, parameter_of_ids, name in _ONE_OF:
        one = list(query) == [parameter_of_ids] and len(query[parameter_of_ids]) == 1
        if request["method"] == "GET" and one and re.fullmatch(path, request["path"]):
            return name
    return "project.collections.labels" if query.get("getLabels") else None


NOT_YET: set[str] = set()

NOT_SERVED_YET: set[Key] = set()
