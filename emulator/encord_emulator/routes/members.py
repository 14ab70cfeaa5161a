"""Rows of the table: users and groups of projects, datasets, ontologies and folders."""

from __future__ import annotations

from typing import Any

from ..people import members
from ..requests import listing
from ..requests.operations import Operation
from .rows import CHANGES, DATA_WRITE, DATASET, LABEL_WRITE, PROJECT, READS, v1, v2


def _groups(name: str, path: str, body: Any = members.GroupsBody) -> tuple[Operation, ...]:
    return (
        v2(READS, f"{name}.list_groups", f"GET {path}/groups", members.list_groups),
        v2(CHANGES, f"{name}.add_group", f"POST {path}/groups", members.add_groups, body=body),
        v2(CHANGES, f"{name}.remove_group", f"DELETE {path}/groups", members.remove_groups, members.GroupsQuery),
    )


# fmt: off
OPERATIONS: tuple[Operation, ...] = (
    v1(CHANGES, "project.add_users", "projectusers POST", members.add_project_users, PROJECT,
        uid=str, payload=members.UsersRequest, key=LABEL_WRITE),
    v2(READS, "project.list_users", "GET projects/{project}/users", members.list_project_users, listing.PageQuery),
    v2(CHANGES, "project.remove_users", "POST projects/{project}/users/bulk-delete", members.remove_users,
        body=members.UserEmails),
    v1(CHANGES, "dataset.add_users", "datasetusers POST", members.add_dataset_users, DATASET,
        uid=str, payload=members.UsersRequest, key=DATA_WRITE),
    v2(READS, "dataset.list_users", "GET datasets/{dataset}/users", members.list_dataset_users),
    v2(CHANGES, "dataset.remove_users", "POST datasets/{dataset}/users/bulk-delete", members.remove_users,
        body=members.UserEmails),
    *_groups("project", "projects/{project}"),
    *_groups("dataset", "datasets/{dataset}"),
    *_groups("ontology", "ontologies/{ontology}"),
    *_groups("storage.folder", "storage/folders/{folder}", members.FolderGroupsBody),
)
# fmt: on
