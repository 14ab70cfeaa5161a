"""The users and groups of a resource, for the handles on projects, datasets, ontologies and folders.

A handle inherits `HasUsers`, `HasGroups` or both, and sets `member_calls` to its calls.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Protocol

from airflow_provider_encord.client.api import members
from airflow_provider_encord.client.api.core.listing import every_page
from airflow_provider_encord.client.api.core.reading import Page
from airflow_provider_encord.client.api.core.roles import (
    DATASET_ROLES,
    FOLDER_ROLES,
    ONTOLOGY_ROLES,
    PROJECT_ROLES,
    Role,
    role_on_wire,
)
from airflow_provider_encord.client.api.members import Member, MemberGroup
from airflow_provider_encord.client.call import API_KEY, Call, Flow
from airflow_provider_encord.client.client_protocol import ClientProtocol
from airflow_provider_encord.client.errors import OutcomeUnknownError
from airflow_provider_encord.client.identifiers import require_emails, require_ids


class _Listing(Protocol):
    def __call__(self, id_: str, /, *, page: str | None = None) -> Call[Page[MemberGroup]]: ...


class _UserListing(Protocol):
    def __call__(self, id_: str, /, *, page: str | None = None) -> Call[Page[Member]]: ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class GroupCalls:
    """The calls for the groups of one kind of resource, and the roles of that kind."""

    roles: Mapping[str, Role]
    list_groups: _Listing
    add_groups: Callable[[str, Sequence[str], Role], Call[None]]
    remove_groups: Callable[[str, Sequence[str]], Call[None]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MemberCalls(GroupCalls):
    """The calls for the groups and the users of one kind of resource."""

    list_users: _UserListing
    add_users: Callable[[str, Sequence[str], Role], Call[list[Member]]]
    remove_users: Callable[[str, Sequence[str]], Call[None]]


OF_PROJECT = MemberCalls(
    roles=PROJECT_ROLES,
    list_groups=members.list_project_groups,
    add_groups=members.add_project_groups,
    remove_groups=members.remove_project_groups,
    list_users=members.list_project_users,
    add_users=members.add_project_users,
    remove_users=members.remove_project_users,
)
OF_DATASET = MemberCalls(
    roles=DATASET_ROLES,
    list_groups=members.list_dataset_groups,
    add_groups=members.add_dataset_groups,
    remove_groups=members.remove_dataset_groups,
    list_users=members.list_dataset_users,
    add_users=members.add_dataset_users,
    remove_users=members.remove_dataset_users,
)
OF_ONTOLOGY = GroupCalls(
    roles=ONTOLOGY_ROLES,
    list_groups=members.list_ontology_groups,
    add_groups=members.add_ontology_groups,
    remove_groups=members.remove_ontology_groups,
)
OF_FOLDER = GroupCalls(
    roles=FOLDER_ROLES,
    list_groups=members.list_folder_groups,
    add_groups=members.add_folder_groups,
    remove_groups=members.remove_folder_groups,
)


def all_users(calls: MemberCalls, id_: str) -> Flow[list[Member]]:
    """Every user of a resource."""
    return (yield from every_page(lambda page: calls.list_users(id_, page=page)))


def all_groups(calls: GroupCalls, id_: str) -> Flow[list[MemberGroup]]:
    """Every group of a resource."""
    return (yield from every_page(lambda page: calls.list_groups(id_, page=page)))


def add_users(
    calls: MemberCalls, id_: str, emails: Sequence[str], role: Role, *, credential: str
) -> Flow[list[Member]]:
    """Add users. If the response is lost, check whether they were added; an API key cannot do this check.

    :param role: Name or number of the role.
    :param credential: Kind of the client's credential; an API key cannot list users.
    :return: All users of `emails` with their current role. Users who were members before keep their old role.
    """
    wanted = require_emails(emails, "emails")
    number = role_on_wire(role, calls.roles)
    if not wanted:
        return []
    try:
        return (yield from calls.add_users(id_, wanted, number))
    except OutcomeUnknownError:
        if credential == API_KEY:
            raise
        there = {user.user_email.lower(): user for user in (yield from all_users(calls, id_))}
        if not all(email.lower() in there for email in wanted):
            raise
        return [there[email.lower()] for email in wanted]


class _Handle(Protocol):
    _client: ClientProtocol
    id: str


class HasUsers:
    """Methods of a handle on a resource that has users. The handle must have `_client` and `id`."""

    member_calls: ClassVar[MemberCalls]

    def users(self: _UserHandle) -> list[Member]:
        """The users with their roles. SSH keys only."""
        return self._client.run(all_users(self.member_calls, self.id))

    def add_users(self: _UserHandle, emails: Sequence[str] | str, role: Role) -> list[Member]:
        """Add users; safe to repeat. Users who are members already keep their role.

        :param role: Name (``"annotator"``, ``"admin"``, ...; see `client.api.core.roles`) or number of the role.
        :return: All users of `emails` with their current role.
        """
        wanted = require_emails(emails, "emails")
        flow = add_users(self.member_calls, self.id, wanted, role, credential=self._client.credential.kind)
        return self._client.run(flow)

    def remove_users(self: _UserHandle, emails: Sequence[str] | str) -> None:
        """Remove users. Users who are not members are ignored. SSH keys only."""
        if wanted := require_emails(emails, "emails"):
            self._client.send(self.member_calls.remove_users(self.id, wanted))


class HasGroups:
    """Methods of a handle on a resource that has groups of users. SSH keys only.

    The handle must have `_client` and `id`.
    """

    member_calls: ClassVar[GroupCalls]

    def groups(self: _GroupHandle) -> list[MemberGroup]:
        """The groups with their roles."""
        return self._client.run(all_groups(self.member_calls, self.id))

    def add_groups(self: _GroupHandle, groups: Sequence[str] | str, role: Role) -> None:
        """Add groups with a role.

        :param groups: Ids of the groups, or a single id.
        :param role: Name or number of the role.
        """
        number = role_on_wire(role, self.member_calls.roles)
        if wanted := require_ids(groups, "group_ids"):
            self._client.send(self.member_calls.add_groups(self.id, wanted, number))

    def remove_groups(self: _GroupHandle, groups: Sequence[str] | str) -> None:
        """Remove groups."""
        if wanted := require_ids(groups, "group_ids"):
            self._client.send(self.member_calls.remove_groups(self.id, wanted))


class _UserHandle(_Handle, Protocol):
    member_calls: ClassVar[MemberCalls]


class _GroupHandle(_Handle, Protocol):
    member_calls: ClassVar[GroupCalls]
