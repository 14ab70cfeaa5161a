"""The users and groups of a resource, for the handles on projects, datasets, ontologies and folders.

A handle inherits `HasUsers`, `HasGroups` or both, and sets `member_calls` to its calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from airflow_provider_encord.client.api.core.roles import (
    Role,
    role_on_wire,
)
from airflow_provider_encord.client.api.members import Member, MemberGroup
from airflow_provider_encord.client.client_protocol import ClientProtocol
from airflow_provider_encord.client.flows.members import GroupCalls, MemberCalls, add_users, all_groups, all_users
from airflow_provider_encord.client.identifiers import require_emails, require_ids


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
