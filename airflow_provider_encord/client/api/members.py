"""The users and groups of projects, datasets, ontologies and storage folders, in the same form for all of them.

Users are added with v1, with both kinds of credential, and listed and removed with v2. A user who is a member already
keeps the old role, and the response shows it. In the API, ontologies and folders have only groups and no users.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from airflow_provider_encord.client.api.core.reading import Page, ignored, several, v1_reader, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.api.core.roles import Role
from airflow_provider_encord.client.call import SSH_OR_API_KEY, Call, Envelope, Request, Resource


class Member(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A user of a project or dataset.

    :param user_role: Number of the role; see `roles.PROJECT_ROLES` and `roles.DATASET_ROLES`.
    """

    user_email: str
    user_role: Role


class _MemberV1(msgspec.Struct, frozen=True, kw_only=True):
    user_email: str
    user_role: Role

    def record(self) -> Member:
        return Member(user_email=self.user_email, user_role=self.user_role)


class MemberGroup(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A group of users that has a role in a resource.

    :param user_role: Role of all users in the group: a number; for storage folders a word.
    :param is_same_organisation: Whether the group belongs to the caller's own organisation.
    """

    group_hash: str
    name: str
    user_role: Role
    description: str | None = ""
    created_at: str | None = None
    is_same_organisation: bool | None = None


_MEMBERS = v2_reader(Page[Member])
_GROUPS = v2_reader(Page[MemberGroup])
_ADDED = several(v1_reader(list[_MemberV1]))


def _add_users(kind: str, id_: str, emails: Sequence[str], role: Role) -> Call[list[Member]]:

    def read(answer: bytes) -> list[Member]:
        return [user.record() for user in _ADDED(answer)]

    payload = {"user_emails": list(emails), "user_role": role}
    request = Envelope(f"{kind}users", "POST", Resource(kind, id_), uid=id_, payload=payload)
    return Call(request=request, credentials=SSH_OR_API_KEY, changes=True, repeatable=False, read=read)


def _list_users(path: str, page: str | None) -> Call[Page[Member]]:
    return Call(request=Request("GET", f"{path}/users", {"pageToken": page}), read=_MEMBERS)


def _remove_users(path: str, emails: Sequence[str]) -> Call[None]:
    request = Request("POST", f"{path}/users/bulk-delete", json={"userEmails": list(emails)})
    return Call(request=request, changes=True, read=ignored)


def _list_groups(path: str, page: str | None) -> Call[Page[MemberGroup]]:
    return Call(request=Request("GET", f"{path}/groups", {"pageToken": page}), read=_GROUPS)


def _add_groups(path: str, groups: Sequence[str], role: Role) -> Call[None]:
    request = Request("POST", f"{path}/groups", json={"groupHashList": list(groups), "userRole": role})
    return Call(request=request, changes=True, read=ignored)


def _remove_groups(path: str, groups: Sequence[str]) -> Call[None]:
    return Call(
        request=Request("DELETE", f"{path}/groups", {"groupHashList": list(groups)}), changes=True, read=ignored
    )


@operation("project.add_users", "v1")
def add_project_users(project: str, emails: Sequence[str], role: Role) -> Call[list[Member]]:
    """Add users to a project. The response contains these users with their current roles.

    :param role: The role in Encord's form, as `roles.role_on_wire` returns it.
    """
    return _add_users("project", project, emails, role)


@operation("project.list_users", "v2")
def list_project_users(project: str, *, page: str | None = None) -> Call[Page[Member]]:
    """List one page of the users of a project."""
    return _list_users(f"projects/{project}", page)


@operation("project.remove_users", "v2")
def remove_project_users(project: str, emails: Sequence[str]) -> Call[None]:
    """Remove users from a project."""
    return _remove_users(f"projects/{project}", emails)


@operation("project.list_groups", "v2")
def list_project_groups(project: str, *, page: str | None = None) -> Call[Page[MemberGroup]]:
    """List one page of the groups that have a role in a project."""
    return _list_groups(f"projects/{project}", page)


@operation("project.add_group", "v2")
def add_project_groups(project: str, groups: Sequence[str], role: Role) -> Call[None]:
    """Give groups a role in a project."""
    return _add_groups(f"projects/{project}", groups, role)


@operation("project.remove_group", "v2")
def remove_project_groups(project: str, groups: Sequence[str]) -> Call[None]:
    """Remove groups from a project."""
    return _remove_groups(f"projects/{project}", groups)


@operation("dataset.add_users", "v1")
def add_dataset_users(dataset: str, emails: Sequence[str], role: Role) -> Call[list[Member]]:
    """Add users to a dataset; see `add_project_users`."""
    return _add_users("dataset", dataset, emails, role)


@operation("dataset.list_users", "v2")
def list_dataset_users(dataset: str, *, page: str | None = None) -> Call[Page[Member]]:
    """List one page of the users of a dataset."""
    return _list_users(f"datasets/{dataset}", page)


@operation("dataset.remove_users", "v2")
def remove_dataset_users(dataset: str, emails: Sequence[str]) -> Call[None]:
    """Remove users from a dataset."""
    return _remove_users(f"datasets/{dataset}", emails)


@operation("dataset.list_groups", "v2")
def list_dataset_groups(dataset: str, *, page: str | None = None) -> Call[Page[MemberGroup]]:
    """List one page of the groups that have a role in a dataset."""
    return _list_groups(f"datasets/{dataset}", page)


@operation("dataset.add_group", "v2")
def add_dataset_groups(dataset: str, groups: Sequence[str], role: Role) -> Call[None]:
    """Give groups a role in a dataset."""
    return _add_groups(f"datasets/{dataset}", groups, role)


@operation("dataset.remove_group", "v2")
def remove_dataset_groups(dataset: str, groups: Sequence[str]) -> Call[None]:
    """Remove groups from a dataset."""
    return _remove_groups(f"datasets/{dataset}", groups)


@operation("ontology.list_groups", "v2")
def list_ontology_groups(ontology: str, *, page: str | None = None) -> Call[Page[MemberGroup]]:
    """List one page of the groups that have a role in an ontology."""
    return _list_groups(f"ontologies/{ontology}", page)


@operation("ontology.add_group", "v2")
def add_ontology_groups(ontology: str, groups: Sequence[str], role: Role) -> Call[None]:
    """Give groups a role in an ontology."""
    return _add_groups(f"ontologies/{ontology}", groups, role)


@operation("ontology.remove_group", "v2")
def remove_ontology_groups(ontology: str, groups: Sequence[str]) -> Call[None]:
    """Remove groups from an ontology."""
    return _remove_groups(f"ontologies/{ontology}", groups)


@operation("storage.folder.list_groups", "v2")
def list_folder_groups(folder: str, *, page: str | None = None) -> Call[Page[MemberGroup]]:
    """List one page of the groups that have a role in a storage folder."""
    return _list_groups(f"storage/folders/{folder}", page)


@operation("storage.folder.add_group", "v2")
def add_folder_groups(folder: str, groups: Sequence[str], role: Role) -> Call[None]:
    """Give groups a role in a storage folder."""
    return _add_groups(f"storage/folders/{folder}", groups, role)


@operation("storage.folder.remove_group", "v2")
def remove_folder_groups(folder: str, groups: Sequence[str]) -> Call[None]:
    """Remove groups from a storage folder."""
    return _remove_groups(f"storage/folders/{folder}", groups)
