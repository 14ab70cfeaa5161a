"""The users and groups of a resource. The calls differ by the kind of resource."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

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
from airflow_provider_encord.client.errors import OutcomeUnknownError
from airflow_provider_encord.client.identifiers import require_emails


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
