"""Recorded requests of projects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.wire.subjects.reading import (
    UUID,
    Arguments,
    Key,
    Read,
    given,
    id_in_path,
    listing_filter,
    parameter,
    payload_of,
    resource_of,
    uid_of,
)


def _projects_list(request: dict[str, Any]) -> Arguments:
    tags: Sequence[str] = request["query"].get("tagsAnyof", [])
    return given(listing_filter(request, "desc"), tags=tags, page=parameter(request, "pageToken"))


def _project_create(request: dict[str, Any]) -> Arguments:
    payload = payload_of(request)
    return given(
        payload["title"],
        description=payload["description"],
        datasets=payload["dataset_hashes"],
        ontology=payload.get("ontology_hash"),
        workflow_template=payload.get("workflow_template_id"),
        benchmark_of=payload.get("source_projects", ()),
    )


ARGUMENTS: dict[Key, Read] = {
    ("projects.list", "v2"): _projects_list,
    ("project.get", "v2"): lambda request: given(id_in_path(request)),
    ("project.get", "v1"): lambda request: given(resource_of(request), **payload_of(request)),
    ("project.create", "v1"): _project_create,
    ("project.list_datasets", "v2"): lambda request: given(id_in_path(request), page=parameter(request, "pageToken")),
    ("project.list_datasets", "v1"): lambda request: given(resource_of(request)),
    ("project.add_datasets", "v1"): lambda request: given(resource_of(request), payload_of(request)["dataset_hashes"]),
    ("project.remove_datasets", "v1"): lambda request: given(resource_of(request), uid_of(request)),
}

V1_SHAPES: dict[tuple[str, str], str] = {
    ("projectdataset", "POST"): "project.add_datasets",
    ("projectdataset", "DELETE"): "project.remove_datasets",
}

V2_SHAPES: list[tuple[str, str, str]] = [
    ("GET", "projects", "projects.list"),
    ("GET", f"projects/{UUID}", "project.get"),
    ("GET", f"projects/{UUID}/datasets", "project.list_datasets"),
]

NOT_YET: set[str] = {
    "project.add_group",
    "project.add_organisation_tag",
    "project.add_users",
    "project.copy",
    "project.get_data",
    "project.get_organisation_tags",
    "project.list_branches",
    "project.list_groups",
    "project.list_users",
    "project.remove_group",
    "project.remove_organisation_tag",
    "project.remove_users",
    "project.set_status",
}

NOT_SERVED_YET: set[Key] = {
    ("project.add_group", "v2"),
    ("project.add_organisation_tag", "v2"),
    ("project.add_users", "v1"),
    ("project.copy", "v1"),
    ("project.get_organisation_tags", "v2"),
    ("project.list_branches", "v2"),
    ("project.list_groups", "v2"),
    ("project.list_users", "v2"),
    ("project.remove_group", "v2"),
    ("project.remove_organisation_tag", "v2"),
    ("project.remove_users", "v2"),
    ("project.set_status", "v2"),
}
