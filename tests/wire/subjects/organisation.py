"""Recorded requests of the user and the organisation: tokens, cloud integrations, users, groups, tags."""

from __future__ import annotations

from typing import Any

from airflow_provider_encord.client.call import Resource
from tests.wire.subjects.reading import Arguments, Key, Read, flag, given, resource_of


def _integrations(request: dict[str, Any]) -> Arguments:
    query = request["query"]
    return given(
        ids=query.get("filterIntegrationUuids", ()),
        titles=query.get("filterIntegrationTitles", ()),
        include_organisation=flag(request, "includeOrgAccess") if "includeOrgAccess" in query else None,
    )


ARGUMENTS: dict[Key, Read] = {
    ("user.get_bearer_token", "v2"): lambda request: given(),
    ("cloud_integrations.list", "v2"): _integrations,
    ("cloud_integrations.list", "v1"): lambda request: given(Resource("project", resource_of(request))),
}

V1_SHAPES: dict[tuple[str, str], str] = {
    ("cloudintegration", "GET"): "cloud_integrations.list",
}

V2_SHAPES: list[tuple[str, str, str]] = [
    ("GET", "user/bearer-token", "user.get_bearer_token"),
    ("GET", "cloud-integrations", "cloud_integrations.list"),
]

NOT_YET: set[str] = {
    "groups.create",
    "groups.list",
    "organisation.add_user",
    "organisation.list_users",
    "organisation.remove_user",
    "organisation_tags.create",
    "organisation_tags.delete",
    "organisation_tags.list",
}

NOT_SERVED_YET: set[Key] = {
    ("groups.create", "v2"),
    ("groups.list", "v2"),
    ("organisation.add_user", "v2"),
    ("organisation.list_users", "v2"),
    ("organisation.remove_user", "v2"),
    ("organisation_tags.create", "v2"),
    ("organisation_tags.delete", "v2"),
}
