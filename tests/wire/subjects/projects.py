"""Recorded requests of projects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_encord.client.api.project_copy import ClonedDataset, CopiedLabels
from tests.wire.subjects.reading import (
    UUID,
    Arguments,
    Key,
    Read,
    given,
    groups_to_add,
    groups_to_remove,
    id_in_path,
    listed_below,
    listing_filter,
    listing_filter_v1,
    parameter,
    payload_of,
    resource_of,
    uid_of,
    users_in_body,
    users_to_add,
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


def _copy(request: dict[str, Any]) -> Arguments:
    payload = payload_of(request)
    options, how, names = (payload[part] for part in PARTS_OF_A_COPY)
    clone = ClonedDataset(title=names["dataset_title"], description=names["dataset_description"])
    labels = CopiedLabels(label_hashes=how["accepted_label_hashes"], statuses=how["accepted_label_statuses"])
    return given(
        uid_of(request),
        title=names["project_title"],
        description=names["project_description"],
        attach_datasets="datasets" in options,
        clone_datasets=clone if how["create_new_dataset"] else None,
        only_data=how["datasets_to_data_hashes_map"],
        labels=labels if "labels" in options else None,
        collaborators="collaborators" in options,
        models="models" in options,
    )


def _branches(request: dict[str, Any]) -> Arguments:
    limit = parameter(request, "limit")
    return given(id_in_path(request), limit=limit and int(limit), page=parameter(request, "pageToken"))


def _project_tag(request: dict[str, Any]) -> Arguments:
    _, project, _, tag = request["path"].removeprefix("/v2/public/").split("/")
    return given(project, tag)


PARTS_OF_A_COPY = ("copy_project_options", "copy_labels_options", "project_copy_metadata")

ARGUMENTS: dict[Key, Read] = {
    ("projects.list", "v1"): listing_filter_v1,
    ("projects.list", "v2"): _projects_list,
    ("project.get", "v2"): lambda request: given(id_in_path(request)),
    ("project.get", "v1"): lambda request: given(resource_of(request), **payload_of(request)),
    ("project.get_ontology", "v2"): lambda request: given(id_in_path(request)),
    ("project.get_ontology", "v1"): lambda request: given(resource_of(request)),
    ("project.create", "v1"): _project_create,
    ("project.copy", "v1"): _copy,
    ("project.replace_ontology", "v1"): lambda request: given(resource_of(request), payload_of(request)["editor"]),
    ("project.set_status", "v2"): lambda request: given(id_in_path(request), request["json"]["status"]),
    ("project.list_branches", "v2"): _branches,
    ("project.get_organisation_tags", "v2"): listed_below,
    ("project.add_organisation_tag", "v2"): _project_tag,
    ("project.remove_organisation_tag", "v2"): _project_tag,
    ("project.get_issue_tags", "v2"): listed_below,
    ("project.add_issue_tags", "v2"): lambda request: given(id_in_path(request), request["json"]["issueTagNames"]),
    ("project.add_users", "v1"): users_to_add,
    ("project.list_users", "v2"): listed_below,
    ("project.remove_users", "v2"): users_in_body,
    ("project.list_groups", "v2"): listed_below,
    ("project.add_group", "v2"): groups_to_add,
    ("project.remove_group", "v2"): groups_to_remove,
    ("project.list_datasets", "v2"): lambda request: given(id_in_path(request), page=parameter(request, "pageToken")),
    ("project.list_datasets", "v1"): lambda request: given(resource_of(request)),
    ("project.add_datasets", "v1"): lambda request: given(resource_of(request), payload_of(request)["dataset_hashes"]),
    ("project.remove_datasets", "v1"): lambda request: given(resource_of(request), uid_of(request)),
}

V1_SHAPES: dict[tuple[str, str], str] = {
    ("projectdataset", "POST"): "project.add_datasets",
    ("projectdataset", "DELETE"): "project.remove_datasets",
    ("projectwithuserrole", "GET"): "projects.list",
    ("projectusers", "POST"): "project.add_users",
    ("projectcopy", "POST"): "project.copy",
}

V2_SHAPES: list[tuple[str, str, str]] = [
    ("GET", "projects", "projects.list"),
    ("GET", f"projects/{UUID}", "project.get"),
    ("GET", f"projects/{UUID}/datasets", "project.list_datasets"),
    ("PUT", f"projects/{UUID}/status", "project.set_status"),
    ("GET", f"projects/{UUID}/branches", "project.list_branches"),
    ("GET", f"projects/{UUID}/tags", "project.get_organisation_tags"),
    ("PUT", f"projects/{UUID}/tags/{UUID}", "project.add_organisation_tag"),
    ("DELETE", f"projects/{UUID}/tags/{UUID}", "project.remove_organisation_tag"),
    ("GET", f"projects/{UUID}/issue-tags", "project.get_issue_tags"),
    ("POST", f"projects/{UUID}/issue-tags", "project.add_issue_tags"),
    ("GET", f"projects/{UUID}/users", "project.list_users"),
    ("POST", f"projects/{UUID}/users/bulk-delete", "project.remove_users"),
    ("GET", f"projects/{UUID}/groups", "project.list_groups"),
    ("POST", f"projects/{UUID}/groups", "project.add_group"),
    ("DELETE", f"projects/{UUID}/groups", "project.remove_group"),
]

NOT_YET: set[str] = {}

NOT_SERVED_YET: set[Key] = set()
