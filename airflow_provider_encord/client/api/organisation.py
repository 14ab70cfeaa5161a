"""The user and the organisation: bearer token, users, tags, cloud integrations. For its groups, see `groups`.

The API has no request that returns the current user.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from airflow_provider_encord.client.api.core.reading import Listing, Page, ignored, several, v1_reader, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import SSH_OR_API_KEY, Call, Envelope, Request, Resource


class CloudIntegration(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A configured access to a customer's own cloud storage."""

    integration_uuid: str
    title: str


class OrganisationUser(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A user of the organisation.

    :param role_mnemonic_name: One of `ORGANISATION_ROLES`, or a newer value.
    :param member_type: ``"internal"`` or ``"external"``.
    """

    email: str
    role_mnemonic_name: str | None = None
    role_uuid: str | None = None
    member_type: str | None = None
    created_at: str | None = None
    last_edited_at: str | None = None


class Tag(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A tag of the organisation, or an issue tag of a project."""

    uuid: str
    name: str


class _CloudIntegrationV1(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    title: str


class _Token(msgspec.Struct, frozen=True, kw_only=True):
    token: str

    def __repr__(self) -> str:
        return "_Token(...)"


ORGANISATION_ROLES = ("ADMIN", "MEMBER", "TASKER", "WORKFORCE_MANAGER")
MEMBER_TYPES = ("internal", "external")

_USERS = v2_reader(Page[OrganisationUser])
_TAG = v2_reader(Tag)
_TAGS = v2_reader(Page[Tag])
_INTEGRATIONS = v2_reader(Listing[CloudIntegration])
_INTEGRATIONS_V1 = several(v1_reader(list[_CloudIntegrationV1]))
_TOKEN = v2_reader(_Token)


@operation("user.get_bearer_token", "v2")
def get_bearer_token() -> Call[str]:
    """Get a bearer token for the user. It is a secret. Encord does not document how long it is valid."""
    return Call(request=Request("GET", "user/bearer-token"), read=lambda answer: _TOKEN(answer).token)


@operation("cloud_integrations.list", "v2")
def list_cloud_integrations(
    *, ids: Sequence[str] = (), titles: Sequence[str] = (), include_organisation: bool | None = None
) -> Call[list[CloudIntegration]]:
    """List the cloud integrations that the user can use.

    :param ids: Only integrations with these ids.
    :param titles: Only integrations with these titles.
    """
    query = {
        "filterIntegrationUuids": list(ids),
        "filterIntegrationTitles": list(titles),
        "includeOrgAccess": include_organisation,
    }
    return Call(request=Request("GET", "cloud-integrations", query), read=lambda answer: _INTEGRATIONS(answer).result)


@operation("cloud_integrations.list", "v1")
def list_cloud_integrations_v1(resource: Resource) -> Call[list[CloudIntegration]]:
    """List the cloud integrations with an API key.

    :param resource: The resource that the key belongs to.
    """

    def read(answer: bytes) -> list[CloudIntegration]:
        return [
            CloudIntegration(integration_uuid=integration.id, title=integration.title)
            for integration in _INTEGRATIONS_V1(answer)
        ]

    return Call(request=Envelope("cloudintegration", "GET", resource), credentials=SSH_OR_API_KEY, read=read)


@operation("organisation.list_users", "v2")
def list_organisation_users(*, page: str | None = None) -> Call[Page[OrganisationUser]]:
    """List one page of the users of the organisation."""
    return Call(request=Request("GET", "organisation/users", {"pageToken": page}), read=_USERS)


@operation("organisation.add_user", "v2")
def add_organisation_user(email: str, *, role: str, member_type: str) -> Call[None]:
    """Add a user to the organisation. A user who is a member already is a conflict.

    :param role: One of `ORGANISATION_ROLES`.
    :param member_type: One of `MEMBER_TYPES`.
    """
    body = {"email": email, "roleMnemonicName": role, "memberType": member_type}
    return Call(request=Request("POST", "organisation/users", json=body), changes=True, repeatable=False, read=ignored)


@operation("organisation.remove_user", "v2")
def remove_organisation_user(email: str) -> Call[None]:
    """Remove a user from the organisation. Not repeatable: a repeat would not find the user, and fail."""
    request = Request("DELETE", f"organisation/users/{quote(email, safe='')}")
    return Call(request=request, changes=True, repeatable=False, read=ignored)


@operation("organisation_tags.list", "v2")
def list_organisation_tags(*, page: str | None = None) -> Call[Page[Tag]]:
    """List one page of the tags of the organisation."""
    return Call(request=Request("GET", "organisation/organisation-tags", {"pageToken": page}), read=_TAGS)


@operation("organisation_tags.create", "v2")
def create_organisation_tag(name: str, *, description: str | None = None) -> Call[Tag]:
    """Create a tag. A name that exists already is a conflict."""
    body = {"name": name} if description is None else {"name": name, "description": description}
    request = Request("POST", "organisation/organisation-tags", json=body)
    return Call(request=request, changes=True, repeatable=False, read=_TAG)


@operation("organisation_tags.delete", "v2")
def delete_organisation_tag(tag: str) -> Call[None]:
    """Delete a tag by its id, and remove it from all resources. Not repeatable, like `remove_organisation_user`."""
    request = Request("DELETE", f"organisation/organisation-tags/{tag}")
    return Call(request=request, changes=True, repeatable=False, read=ignored)
