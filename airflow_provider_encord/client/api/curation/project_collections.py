"""Collections of a project: frames or labels, which the app shows in the project's explorer (Active).

There is no operation that reads a single collection: a listing is filtered by its id. What matches a filter preset is
added and removed in the background, and Encord does not report when that ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.reading import Page, ignored, only, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.api.labels import StageName
from airflow_provider_encord.client.call import Call, Request

COLLECTION_TYPES = ("FRAME", "LABEL")


class ProjectCollectionRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A collection of a project.

    :param collection_type: ``FRAME`` or ``LABEL``: what it contains.
    """

    collection_uuid: str
    name: str
    description: str | None = None
    created_at: str | None = None
    last_edited_at: str | None = None
    project_uuid: str | None = None
    collection_type: str | None = None


class PlaceOfLabel(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A frame of a data unit, or a label in it.

    :param annotation_id: Hash of the object or classification; None for the frame itself.
    """

    data_uuid: str
    frame: int
    annotation_id: str | None = None


class FailedPlaces(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The frames or labels that Encord did not add or remove."""

    failed_items: list[PlaceOfLabel] = []


class CollectedRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The label row that frames or labels of a collection belong to. Four of its keys are in ``snake_case``."""

    data_hash: str = msgspec.field(name="data_uuid")
    label_hash: str | None = msgspec.field(name="label_uuid", default=None)
    dataset_hash: str | None = msgspec.field(name="dataset_uuid", default=None)
    group_hash: str | None = msgspec.field(name="group_uuid", default=None)
    branch_name: str | None = None
    dataset_title: str | None = None
    data_title: str | None = None
    data_type: str | None = None
    label_status: str | None = None
    workflow_graph_node: StageName | None = None
    number_of_frames: int | None = None
    task_uuid: str | None = None
    priority: float | None = None
    backing_item_uuid: str | None = None
    created_at: str | None = None
    last_edited_at: str | None = None


class Instance(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A frame of a label row, or a label in it.

    :param annotation_id: Hash of the object or classification; None in collections of frames.
    """

    frame: int
    annotation_id: str | None = None


class Collected(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a collection contains of one label row."""

    label_row_metadata: CollectedRow
    instances: list[Instance] = []


_COLLECTIONS = v2_reader(Page[ProjectCollectionRecord])
_COLLECTED = v2_reader(Page[Collected])
_FAILED = v2_reader(FailedPlaces)
_ID = v2_reader(str)


def _path(project: str, *more: str) -> str:
    return "/".join(["active", project, "collections", *more])


@operation("project.collections.list", "v2")
def list_project_collections(
    project: str, *, ids: Sequence[str] = (), page: str | None = None, page_size: int | None = None
) -> Call[Page[ProjectCollectionRecord]]:
    """List one page of the collections of a project.

    :param ids: Only these collections; empty for all.
    """
    query = {"projectHash": project, "uuids": list(ids), "pageToken": page, "pageSize": page_size}
    return Call(request=Request("GET", _path(project), query), read=_COLLECTIONS)


@operation("project.collections.get", "v2")
def get_project_collection(project: str, collection: str) -> Call[ProjectCollectionRecord]:
    """Read a collection by its id."""
    return Call(request=Request("GET", _path(project), {"uuids": [collection]}), read=only(_COLLECTIONS))


@operation("project.collections.create", "v2")
def create_project_collection(
    project: str, name: str, *, collection_type: str = "FRAME", description: str = ""
) -> Call[str]:
    """Create a collection. The response is its id.

    :param collection_type: One of `COLLECTION_TYPES`.
    """
    body = {"name": name, "description": description, "collectionType": collection_type}
    request = Request("POST", _path(project), {"projectHash": project}, json=body)
    return Call(request=request, changes=True, repeatable=False, read=_ID)


@operation("project.collections.update", "v2")
def update_project_collection(
    project: str, collection: str, *, name: str | None = None, description: str | None = None
) -> Call[None]:
    """Change a collection. None leaves the value unchanged."""
    wanted = {"name": name, "description": description}
    body = {key: value for key, value in wanted.items() if value is not None}
    return Call(request=Request("PATCH", _path(project, collection), json=body), changes=True, read=ignored)


@operation("project.collections.delete", "v2")
def delete_project_collection(project: str, collection: str) -> Call[None]:
    """Delete a collection; its frames and labels stay."""
    request = Request("DELETE", _path(project, collection))
    return Call(request=request, changes=True, repeatable=False, read=ignored)


@operation("project.collections.frames", "v2")
def list_collected_frames(
    project: str, collection: str, *, page: str | None = None, page_size: int | None = None
) -> Call[Page[Collected]]:
    """List one page of the frames in a collection, by label row."""
    query = {"pageToken": page, "pageSize": page_size}
    return Call(request=Request("GET", _path(project, collection, "items"), query), read=_COLLECTED)


@operation("project.collections.labels", "v2")
def list_collected_labels(
    project: str, collection: str, *, page: str | None = None, page_size: int | None = None
) -> Call[Page[Collected]]:
    """List one page of the labels in a collection, by label row."""
    query = {"getLabels": "true", "pageToken": page, "pageSize": page_size}  # lower case, unlike other booleans
    return Call(request=Request("GET", _path(project, collection, "items"), query), read=_COLLECTED)


@operation("project.collections.items.add", "v2")
def add_collected(project: str, collection: str, places: Sequence[PlaceOfLabel]) -> Call[FailedPlaces]:
    """Add frames, or labels. The response contains those that were not added."""
    request = Request("POST", _path(project, collection, "add-items"), json=_items(places))
    return Call(request=request, changes=True, read=_FAILED)


@operation("project.collections.items.remove", "v2")
def remove_collected(project: str, collection: str, places: Sequence[PlaceOfLabel]) -> Call[FailedPlaces]:
    """Remove frames, or labels, from the collection. The response contains those that were not removed."""
    request = Request("POST", _path(project, collection, "remove-items"), json=_items(places))
    return Call(request=request, changes=True, read=_FAILED)


@operation("project.collections.items.add_preset", "v2")
def add_preset_matches(project: str, collection: str, preset: str) -> Call[None]:
    """Start adding what matches a filter preset of the project."""
    request = Request("POST", _path(project, collection, "add-preset-items"), json={"presetUuid": preset})
    return Call(request=request, changes=True, read=ignored)


@operation("project.collections.items.remove_preset", "v2")
def remove_preset_matches(project: str, collection: str, preset: str) -> Call[None]:
    """Start removing what matches a filter preset of the project."""
    request = Request("POST", _path(project, collection, "remove-preset-items"), json={"presetUuid": preset})
    return Call(request=request, changes=True, read=ignored)


def _items(places: Sequence[PlaceOfLabel]) -> dict[str, Any]:
    return {"items": [msgspec.to_builtins(place) for place in places]}
