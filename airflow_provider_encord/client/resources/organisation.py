"""The user's organisation: its users, groups and tags. SSH keys only.

Adding and creating require rights in the organisation. If a response is lost, the methods check whether the change was
made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from airflow_provider_encord.client.api import groups, organisation
from airflow_provider_encord.client.api.core.listing import every_page
from airflow_provider_encord.client.api.groups import GroupRecord
from airflow_provider_encord.client.api.organisation import CloudIntegration, OrganisationUser, Tag
from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.client_protocol import ClientProtocol
from airflow_provider_encord.client.errors import ConflictError, InvalidArgumentError, OutcomeUnknownError
from airflow_provider_encord.client.flows.pages import each
from airflow_provider_encord.client.identifiers import require_emails, require_id
from airflow_provider_encord.client.resources.project_tags import tag_id

T = TypeVar("T")


class Organisation:
    """Handle on the organisation of the user. Creating the handle sends no request.

    :param client: Sends the requests of the methods.
    """

    def __init__(self, client: ClientProtocol):
        self._client = client

    def users(self) -> list[OrganisationUser]:
        """The users of the organisation."""
        return self._client.run(_all_users())

    def add_user(self, email: str, *, role: str = "MEMBER", member_type: str = "internal") -> None:
        """Add a user. It is no error if the user is a member already; the existing role is then not checked.

        :param role: One of `organisation.ORGANISATION_ROLES`.
        :param member_type: One of `organisation.MEMBER_TYPES`.
        """
        _require_one_of(role, organisation.ORGANISATION_ROLES, "role")
        _require_one_of(member_type, organisation.MEMBER_TYPES, "member_type")
        (address,) = require_emails(email, "email")
        self._client.run(_add_user(address, role, member_type))

    def remove_user(self, email: str) -> None:
        """Remove a user from the organisation."""
        (address,) = require_emails(email, "email")
        gone = organisation.remove_organisation_user(address)
        self._client.run(_remove(gone, _all_users, lambda user: user.email.lower() == address.lower()))

    def groups(self) -> list[GroupRecord]:
        """The groups of the organisation."""
        return self._client.run(_all_groups())

    def group(self, id: str) -> Group:  # noqa: A002 - the word for it
        """Get a handle on a group; sends no request."""
        return Group(self._client, id)

    def create_group(self, name: str, *, description: str | None = None) -> GroupRecord:
        """Create a group. Every run creates another one, unless Encord refuses a name that exists already."""
        return self._client.run(
            _create(groups.create_group(name, description=description), _all_groups, lambda group: group.name == name)
        )

    def tags(self) -> list[Tag]:
        """The tags of the organisation."""
        return self._client.run(_all_tags())

    def create_tag(self, name: str, *, description: str | None = None) -> Tag:
        """Create a tag.

        :raises ConflictError: A tag with this name exists already.
        """
        return self._client.run(
            _create(
                organisation.create_organisation_tag(name, description=description),
                _all_tags,
                lambda group: group.name == name,
            )
        )

    def delete_tag(self, tag: str) -> None:
        """Delete a tag, and remove it from all resources that have it.

        :param tag: Id or name of the tag.
        """
        self._client.run(_delete_tag(tag))


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
        self._client.run(_remove(groups.delete_group(self.id), _all_groups, lambda group: group.group_hash == self.id))

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
    """Create something. If the response is lost, search for it, and return the match if there is exactly one.

    The match may have existed before.
    """
    try:
        return (yield from create)
    except OutcomeUnknownError:
        found = [thing for thing in (yield from find()) if is_it(thing)]
        if len(found) != 1:
            raise
        return found[0]


def _remove(remove: Call[None], find: Callable[[], Flow[list[T]]], is_it: Callable[[T], bool]) -> Flow[None]:
    """Remove something.

    If the response is lost, list what is left; it counts as removed if it is not listed any more.
    """
    try:
        yield from remove
    except OutcomeUnknownError:
        if any(is_it(thing) for thing in (yield from find())):
            raise


def _delete_tag(tag: str) -> Flow[None]:
    uuid = yield from tag_id(tag)
    yield from _remove(organisation.delete_organisation_tag(uuid), _all_tags, lambda tag: tag.uuid == uuid)


def _require_one_of(value: str, known: Sequence[str], name: str) -> None:
    if value not in known:
        raise InvalidArgumentError(f"{name}: {value!r} is not one of {', '.join(known)}.")


def integration_of(there: Sequence[CloudIntegration], wanted: str) -> str:
    """Find the id of a cloud integration.

    :param there: The integrations that the credential can see.
    :param wanted: Title or id of the integration.
    :raises InvalidArgumentError: No integration matches, or several do. The message names the existing ones.
    """
    found = [
        integration.integration_uuid
        for integration in there
        if wanted in (integration.integration_uuid, integration.title)
    ]
    if len(found) == 1:
        return found[0]
    titles = ", ".join(repr(integration.title) for integration in there[:10]) or "none"
    how_many = "no" if not found else str(len(found))
    raise InvalidArgumentError(
        f"integration: {how_many} cloud integrations have the title or id {wanted[:80]!r}. Existing titles: {titles}."
    )
