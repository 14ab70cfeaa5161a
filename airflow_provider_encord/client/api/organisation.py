"""The user and the organisation: bearer token, cloud integrations."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from airflow_provider_encord.client.api.reading import Listing, several, v1_reader, v2_reader
from airflow_provider_encord.client.api.registry import operation
from airflow_provider_encord.client.call import SSH_OR_API_KEY, Call, Envelope, Request, Resource


class CloudIntegration(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A way into a customer's own cloud storage."""

    integration_uuid: str
    title: str


class _CloudIntegrationV1(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    title: str


class _Token(msgspec.Struct, frozen=True, kw_only=True):
    token: str

    def __repr__(self) -> str:
        return "_Token(...)"


_INTEGRATIONS = v2_reader(Listing[CloudIntegration])
_INTEGRATIONS_V1 = several(v1_reader(list[_CloudIntegrationV1]))
_TOKEN = v2_reader(_Token)


@operation("user.get_bearer_token", "v2")
def get_bearer_token() -> Call[str]:
    """A bearer token for the user; a secret. How long it lives is not documented."""
    return Call(request=Request("GET", "user/bearer-token"), read=lambda answer: _TOKEN(answer).token)


@operation("cloud_integrations.list", "v2")
def list_cloud_integrations(
    *, ids: Sequence[str] = (), titles: Sequence[str] = (), include_organisation: bool | None = None
) -> Call[list[CloudIntegration]]:
    """The cloud integrations that the user can use.

    :param ids: Only these; so for `titles`.
    """
    query = {
        "filterIntegrationUuids": list(ids),
        "filterIntegrationTitles": list(titles),
        "includeOrgAccess": include_organisation,
    }
    return Call(request=Request("GET", "cloud-integrations", query), read=lambda answer: _INTEGRATIONS(answer).result)


@operation("cloud_integrations.list", "v1")
def list_cloud_integrations_v1(resource: Resource) -> Call[list[CloudIntegration]]:
    """The cloud integrations, as an API key can list them.

    :param resource: What the key belongs to.
    """

    def read(answer: bytes) -> list[CloudIntegration]:
        return [CloudIntegration(integration_uuid=one.id, title=one.title) for one in _INTEGRATIONS_V1(answer)]

    return Call(request=Envelope("cloudintegration", "GET", resource), credentials=SSH_OR_API_KEY, read=read)
