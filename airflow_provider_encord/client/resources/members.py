"""The users and the groups of a resource: what the handles on projects, datasets, ontologies and folders share.

A handle inherits `HasUsers`, `HasGroups` or both, and names its calls in `member_calls`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Protocol

from airflow_provider_encord.client.api import members
from airflow_provider_encord.client.api.listing import every_page
from airflow_provider_encord.client.api.members import Member, MemberGroup
from airflow_provider_encord.client.api.reading import Page
from airflow_provider_encord.client.api.roles import (
    DATASET_ROLES,
    FOLDER_ROLES,
    ONTOLOGY_ROLES,
    PROJECT_ROLES,
    Role,
    role_on_wire,
)
from airflow_provider_encord.client.call import API_KEY, Call, Flow
from airflow_provider_encord.client.errors import OutcomeUnknownError
from airflow_provider_encord.client.resources.client_protocol import ClientProtocol
from airflow_provider_encord.client.resources.identifiers import require_emails, require_ids


class _Listing(Protocol):
    def __call__(self, id_: str, /, *, page: str | None = None) -> Call[Page[MemberGroup]]: ...


class _UserListing(Protocol):
    def __call__(self, id_: str, /, *, page: str | None = None) -> Call[Page[Member]]: ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class GroupCalls:
    """The calls for groups of one kind of resource, and the roles that it knows."""

    roles: Mapping[str, Role]
    list_groups: _Listing
    add_groups: Callable[[str, Sequence[str], Role], Call[None]]
    remove_groups: Callable[[str, Sequence[str]], Call[None]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MemberCalls(GroupCalls):
    """The calls for users as well."""

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
    """Add users. If the answer is lost, look whether they are there, where the credential can.

    :param role: By name, or as on the wire.
    :param credential: Kind of the client's credential; an API key cannot list users.
    :return: Everyone of `emails` with the role that they have now, which for who was there before is the old one.
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
        there = {one.user_email.lower(): one for one in (yield from all_users(calls, id_))}
        if not all(email.lower() in there for email in wanted):
            raise
        return [there[email.lower()] for email in wanted]


class _Handle(Protocol):
    _client: ClientProtocol
    id: str


class HasUsers:
    """A resource that users can be added to. A handle on it has `_client` and `id`."""

    member_calls: ClassVar[MemberCalls]

    def users(self: _UserHandle) -> list[Member]:
        """The users with their roles. SSH keys only."""
        return self._client.run(all_users(self.member_calls, self.id))

    def add_users(self: _UserHandle, emails: Sequence[str] | str, role: Role) -> list[Member]:
        """Add users; safe to repeat. Who is there already keeps the old role.

        :param role: By name (``"annotator"``, ``"admin"``, ...; see `api.roles`) or number.
        :return: Everyone of `emails` with the role that they have now.
        """
        wanted = require_emails(emails, "emails")
        flow = add_users(self.member_calls, self.id, wanted, role, credential=self._client.credential.kind)
        return self._client.run(flow)

    def remove_users(self: _UserHandle, emails: Sequence[str] | str) -> None:
        """Take users out; who is not there is left alone. SSH keys only."""
        if wanted := require_emails(emails, "emails"):
            self._client.send(self.member_calls.remove_users(self.id, wanted))


class HasGroups:
    """A resource that groups of users can have a role in. SSH keys only. A handle on it has `_client` and `id`."""

    member_calls: ClassVar[GroupCalls]

    def groups(self: _GroupHandle) -> list[MemberGroup]:
        """The groups with their roles."""
        return self._client.run(all_groups(self.member_calls, self.id))

    def add_groups(self: _GroupHandle, groups: Sequence[str] | str, role: Role) -> None:
        """Give groups a role.

        :param groups: Their ids; a single one may stand for a list.
        :param role: By name or as on the wire.
        """
        number = role_on_wire(role, self.member_calls.roles)
        if wanted := require_ids(groups, "group_ids"):
            self._client.send(self.member_calls.add_groups(self.id, wanted, number))

    def remove_groups(self: _GroupHandle, groups: Sequence[str] | str) -> None:
        """Take groups out."""
        if wanted := require_ids(groups, "group_ids"):
            self._client.send(self.member_calls.remove_groups(self.id, wanted))


class _UserHandle(_Handle, Protocol):
    member_calls: ClassVar[MemberCalls]


class _GroupHandle(_Handle, Protocol):
    member_calls: ClassVar[GroupCalls]
