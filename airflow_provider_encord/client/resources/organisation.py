"""The user's organisation: who is in it, its groups and its tags. SSH keys only.

To add and to create need rights in the organisation; a lost answer is looked up, so all of it is safe to repeat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from airflow_provider_encord.client.api import groups, organisation
from airflow_provider_encord.client.api.groups import GroupRecord
from airflow_provider_encord.client.api.listing import every_page
from airflow_provider_encord.client.api.organisation import CloudIntegration, OrganisationUser, Tag
from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.errors import ConflictError, InvalidArgumentError, OutcomeUnknownError
from airflow_provider_encord.client.resources.client_protocol import ClientProtocol
from airflow_provider_encord.client.resources.identifiers import require_emails, require_id
from airflow_provider_encord.client.resources.pages import each
from airflow_provider_encord.client.resources.project_tags import tag_id

T = TypeVar("T")


class Organisation:
    """Handle on the organisation of the user. Making it sends nothing.

    :param client: Sends what the methods need.
    """

    def __init__(self, client: ClientProtocol):
        self._client = client

    def users(self) -> list[OrganisationUser]:
        """Who is in it."""
        return self._client.run(_all_users())

    def add_user(self, email: str, *, role: str = "MEMBER", member_type: str = "internal") -> None:
        """Add a user; not an error if he is in it already, though with what role is not looked at.

        :param role: Of `organisation.ORGANISATION_ROLES`.
        :param member_type: Of `organisation.MEMBER_TYPES`.
        """
        _require_one_of(role, organisation.ORGANISATION_ROLES, "role")
        _require_one_of(member_type, organisation.MEMBER_TYPES, "member_type")
        (address,) = require_emails(email, "email")
        self._client.run(_add_user(address, role, member_type))

    def remove_user(self, email: str) -> None:
        """Take a user out."""
        (address,) = require_emails(email, "email")
        gone = organisation.remove_organisation_user(address)
        self._client.run(_remove(gone, _all_users, lambda one: one.email.lower() == address.lower()))

    def groups(self) -> list[GroupRecord]:
        """Its groups."""
        return self._client.run(_all_groups())

    def group(self, id: str) -> Group:  # noqa: A002 - the word for it
        """Handle on a group; nothing is asked."""
        return Group(self._client, id)

    def create_group(self, name: str, *, description: str | None = None) -> GroupRecord:
        """Create a group; makes another one at every run, unless the name is taken and Encord minds."""
        return self._client.run(
            _create(groups.create_group(name, description=description), _all_groups, lambda one: one.name == name)
        )

    def tags(self) -> list[Tag]:
        """Its tags."""
        return self._client.run(_all_tags())

    def create_tag(self, name: str, *, description: str | None = None) -> Tag:
        """Create a tag.

        :raises ConflictError: The name is taken.
        """
        return self._client.run(
            _create(
                organisation.create_organisation_tag(name, description=description),
                _all_tags,
                lambda one: one.name == name,
            )
        )

    def delete_tag(self, tag: str) -> None:
        """Delete a tag, also from all that has it.

        :param tag: Its id or its name.
        """
        self._client.run(_delete_tag(tag))


class Group:
    """Handle on one group of users. Making it sends nothing.

    :param client: Sends what the methods need.
    :param id: The group's id.
    """

    def __init__(self, client: ClientProtocol, id: str):  # noqa: A002 - the word for it
        self._client = client
        self.id = require_id(id, "group")

    def __repr__(self) -> str:
        return f"Group({self.id!r})"

    def get(self) -> GroupRecord:
        """What Encord returns about it."""
        return self._client.send(groups.get_group(self.id))

    def update(self, *, name: str | None = None, description: str | None = None) -> GroupRecord:
        """Change name or description; what is None stays."""
        if name is None and description is None:
            raise InvalidArgumentError("name, description: give at least one of them; there is nothing to change.")
        return self._client.send(groups.update_group(self.id, name=name, description=description))

    def delete(self) -> None:
        """Delete the group; its users stay in the organisation."""
        self._client.run(_remove(groups.delete_group(self.id), _all_groups, lambda one: one.group_hash == self.id))

    def users(self) -> Iterator[str]:
        """The addresses of its users, read a page at a time."""
        return (one.user_email for one in each(self._client, lambda page: groups.list_group_users(self.id, page=page)))

    def add_users(self, emails: Sequence[str] | str) -> None:
        """Put users of the organisation into it; safe to repeat.

        :raises PermissionDeniedError: One of them is not in the organisation.
        """
        if wanted := require_emails(emails, "emails"):
            self._client.send(groups.add_group_users(self.id, wanted))

    def remove_users(self, emails: Sequence[str] | str) -> None:
        """Take users out of it."""
        if wanted := require_emails(emails, "emails"):
            self._client.send(groups.remove_group_users(self.id, wanted))


def _all_users() -> Flow[list[OrganisationUser]]:
    return every_page(lambda page: organisation.list_organisation_users(page=page))


def _all_groups() -> Flow[list[GroupRecord]]:
    return every_page(lambda page: groups.list_groups(page=page))


def _all_tags() -> Flow[list[Tag]]:
    return every_page(lambda page: organisation.list_organisation_tags(page=page))


def _add_user(email: str, role: str, member_type: str) -> Flow[None]:
    try:
        yield from organisation.add_organisation_user(email, role=role, member_type=member_type)
    except (ConflictError, OutcomeUnknownError):
        users = yield from _all_users()
        if all(user.email.lower() != email.lower() for user in users):
            raise


def _create(create: Call[T], find: Callable[[], Flow[list[T]]], is_it: Callable[[T], bool]) -> Flow[T]:
    """Create something. If the answer is lost, look for it; one that was there before counts, if it is the only one."""
    try:
        return (yield from create)
    except OutcomeUnknownError:
        found = [one for one in (yield from find()) if is_it(one)]
        if len(found) != 1:
            raise
        return found[0]


def _remove(remove: Call[None], find: Callable[[], Flow[list[T]]], is_it: Callable[[T], bool]) -> Flow[None]:
    """Remove something. If the answer is lost, look: what is not there any more was removed."""
    try:
        yield from remove
    except OutcomeUnknownError:
        if any(is_it(one) for one in (yield from find())):
            raise


def _delete_tag(tag: str) -> Flow[None]:
    uuid = yield from tag_id(tag)
    yield from _remove(organisation.delete_organisation_tag(uuid), _all_tags, lambda one: one.uuid == uuid)


def _require_one_of(value: str, known: Sequence[str], name: str) -> None:
    if value not in known:
        raise InvalidArgumentError(f"{name}: {value!r} is not one of {', '.join(known)}.")


def integration_of(there: Sequence[CloudIntegration], wanted: str) -> str:
    """The id of a cloud integration.

    :param there: Those that the credential can see.
    :param wanted: Its title or id.
    :raises InvalidArgumentError: None or several are meant; the message names those that there are.
    """
    found = [one.integration_uuid for one in there if wanted in (one.integration_uuid, one.title)]
    if len(found) == 1:
        return found[0]
    titles = ", ".join(repr(one.title) for one in there[:10]) or "none"
    how_many = "no" if not found else str(len(found))
    raise InvalidArgumentError(
        f"integration: {how_many} cloud integrations have the title or id {wanted[:80]!r}; there are: {titles}."
    )
