"""The user's organisation: its users, groups and tags. SSH keys only.

Adding and creating require rights in the organisation. If a response is lost, the methods check whether the change was
made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.api import (
    groups,
    metadata_schema,
    organisation,
)
from airflow_provider_encord.client.api.groups import GroupRecord
from airflow_provider_encord.client.api.organisation import OrganisationUser, Tag
from airflow_provider_encord.client.client_protocol import ClientProtocol
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.flows import organisation as flows
from airflow_provider_encord.client.flows.metadata_schema import SavedSchema, save
from airflow_provider_encord.client.flows.pages import each
from airflow_provider_encord.client.identifiers import require_emails, require_id


class Organisation:
    """Handle on the organisation of the user. Creating the handle sends no request.

    :param client: Sends the requests of the methods.
    """

    def __init__(self, client: ClientProtocol):
        self._client = client

    def users(self) -> list[OrganisationUser]:
        """The users of the organisation."""
        return self._client.run(flows.all_users())

    def add_user(self, email: str, *, role: str = "MEMBER", member_type: str = "internal") -> None:
        """Add a user. It is no error if the user is a member already; the existing role is then not checked.

        :param role: One of `organisation.ORGANISATION_ROLES`.
        :param member_type: One of `organisation.MEMBER_TYPES`.
        """
        _require_one_of(role, organisation.ORGANISATION_ROLES, "role")
        _require_one_of(member_type, organisation.MEMBER_TYPES, "member_type")
        (address,) = require_emails(email, "email")
        self._client.run(flows.add_user(address, role, member_type))

    def remove_user(self, email: str) -> None:
        """Remove a user from the organisation."""
        (address,) = require_emails(email, "email")
        gone = organisation.remove_organisation_user(address)
        self._client.run(flows.remove(gone, flows.all_users, lambda user: user.email.lower() == address.lower()))

    def groups(self) -> list[GroupRecord]:
        """The groups of the organisation."""
        return self._client.run(flows.all_groups())

    def group(self, id: str) -> Group:  # noqa: A002 - the word for it
        """Get a handle on a group; sends no request."""
        return Group(self._client, id)

    def create_group(self, name: str, *, description: str | None = None) -> GroupRecord:
        """Create a group. Every run creates another one, unless Encord refuses a name that exists already."""
        return self._client.run(
            flows.create(
                groups.create_group(name, description=description), flows.all_groups, lambda group: group.name == name
            )
        )

    def tags(self) -> list[Tag]:
        """The tags of the organisation."""
        return self._client.run(flows.all_tags())

    def create_tag(self, name: str, *, description: str | None = None) -> Tag:
        """Create a tag.

        :raises ConflictError: A tag with this name exists already.
        """
        return self._client.run(
            flows.create(
                organisation.create_organisation_tag(name, description=description),
                flows.all_tags,
                lambda group: group.name == name,
            )
        )

    def metadata_schema(self) -> dict[str, dict[str, Any]]:
        """The type of each key of client metadata, such as ``{"site": {"ty": "enum", "values": ["A", "B"]}}``."""
        return self._client.send(metadata_schema.get_metadata_schema())

    def save_metadata_schema(self, schema: Mapping[str, Mapping[str, Any]]) -> SavedSchema:
        """Replace the whole metadata schema; safe to repeat. Nothing is sent if nothing changes.

        Encord has no version of the schema: if two tasks save at the same time, the last one wins.

        :param schema: The type of every key. To add a key, pass ``{**organisation.metadata_schema(), key: type}``.
        :return: The keys that were created, updated, unchanged and removed.
        :raises InvalidArgumentError: A key or a type is not valid. Nothing was saved.
        """
        return self._client.run(save(schema))

    def delete_tag(self, tag: str) -> None:
        """Delete a tag, and remove it from all resources that have it.

        :param tag: Id or name of the tag.
        """
        self._client.run(flows.delete_tag(tag))


class Group:
    """Handle on one group of users. Creating the handle sends no request.

    :param client: Sends the requests of the methods.
    :param id: The group's id.
    """

    def __init__(self, client: ClientProtocol, id: str):  # noqa: A002 - the word for it
        self._client = client
        self.id = require_id(id, "group")

    def __repr__(self) -> str:
        return f"Group({self.id!r})"

    def get(self) -> GroupRecord:
        """Read the group's record."""
        return self._client.send(groups.get_group(self.id))

    def update(self, *, name: str | None = None, description: str | None = None) -> GroupRecord:
        """Change the name or the description. None leaves the value unchanged."""
        if name is None and description is None:
            raise InvalidArgumentError("name, description: both are missing. Pass at least one of them.")
        return self._client.send(groups.update_group(self.id, name=name, description=description))

    def delete(self) -> None:
        """Delete the group; its users stay in the organisation."""
        self._client.run(
            flows.remove(groups.delete_group(self.id), flows.all_groups, lambda group: group.group_hash == self.id)
        )

    def users(self) -> Iterator[str]:
        """Iterate over the e-mail addresses of the group's users, one page in memory at a time."""
        return (
            user.user_email for user in each(self._client, lambda page: groups.list_group_users(self.id, page=page))
        )

    def add_users(self, emails: Sequence[str] | str) -> None:
        """Add users of the organisation to the group; safe to repeat.

        :raises PermissionDeniedError: One of the users is not in the organisation.
        """
        if wanted := require_emails(emails, "emails"):
            self._client.send(groups.add_group_users(self.id, wanted))

    def remove_users(self, emails: Sequence[str] | str) -> None:
        """Remove users from the group."""
        if wanted := require_emails(emails, "emails"):
            self._client.send(groups.remove_group_users(self.id, wanted))


def _require_one_of(value: str, known: Sequence[str], name: str) -> None:
    if value not in known:
        raise InvalidArgumentError(f"{name}: {value!r} is not one of {', '.join(known)}.")
