"""The users, groups, tags and integrations of an organisation.

If a response is lost, the flows check whether the change was made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from airflow_provider_encord.client.api import groups, organisation
from airflow_provider_encord.client.api.core.listing import every_page
from airflow_provider_encord.client.api.groups import GroupRecord
from airflow_provider_encord.client.api.organisation import CloudIntegration, OrganisationUser, Tag
from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.errors import (
    ConflictError,
    InvalidArgumentError,
    NotFoundError,
    OutcomeUnknownError,
)
from airflow_provider_encord.client.identifiers import is_id

T = TypeVar("T")


def all_users() -> Flow[list[OrganisationUser]]:
    """Every user of the organisation."""
    return every_page(lambda page: organisation.list_organisation_users(page=page))


def all_groups() -> Flow[list[GroupRecord]]:
    """Every group of the organisation."""
    return every_page(lambda page: groups.list_groups(page=page))


def all_tags() -> Flow[list[Tag]]:
    """Every tag of the organisation."""
    return every_page(lambda page: organisation.list_organisation_tags(page=page))


def add_user(email: str, role: str, member_type: str) -> Flow[None]:
    """Add a user. A user who is a member already is no error."""
    try:
        yield from organisation.add_organisation_user(email, role=role, member_type=member_type)
    except (ConflictError, OutcomeUnknownError):
        users = yield from all_users()
        if all(user.email.lower() != email.lower() for user in users):
            raise


def create(call: Call[T], find: Callable[[], Flow[list[T]]], is_it: Callable[[T], bool]) -> Flow[T]:
    """Create something. If the response is lost, search for it, and return the match if there is exactly one.

    The match may have existed before.
    """
    try:
        return (yield from call)
    except OutcomeUnknownError:
        found = [thing for thing in (yield from find()) if is_it(thing)]
        if len(found) != 1:
            raise
        return found[0]


def remove(call: Call[None], find: Callable[[], Flow[list[T]]], is_it: Callable[[T], bool]) -> Flow[None]:
    """Remove something.

    If the response is lost, list what is left; it counts as removed if it is not listed any more.
    """
    try:
        yield from call
    except OutcomeUnknownError:
        if any(is_it(thing) for thing in (yield from find())):
            raise


def delete_tag(tag: str) -> Flow[None]:
    """Delete a tag.

    :param tag: Id or name of the tag.
    """
    uuid = yield from tag_id(tag)
    yield from remove(organisation.delete_organisation_tag(uuid), all_tags, lambda tag: tag.uuid == uuid)


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


def tag_id(tag: str) -> Flow[str]:
    """Find the id of an organisation's tag.

    :param tag: Id or name of the tag.
    :raises NotFoundError: The organisation has no tag with this name.
    """
    if is_id(tag):
        return tag.strip().lower()
    tags = yield from all_tags()
    found = next((known.uuid for known in tags if known.name == tag), None)
    if found is None:
        raise NotFoundError(f"tag: the organisation has no tag named {tag[:80]!r}. Create it, or pass another tag.")
    return found
