"""Recorded requests of the user and the organisation: tokens, cloud integrations, users, groups, tags."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from airflow_provider_encord.client.call import Resource
from tests.wire.subjects.reading import (
    UUID,
    Arguments,
    Key,
    Read,
    flag,
    given,
    id_in_path,
    listed_below,
    parameter,
    resource_of,
    users_in_body,
)


def _integrations(request: dict[str, Any]) -> Arguments:
    query = request["query"]
    return given(
        ids=query.get("filterIntegrationUuids", ()),
        titles=query.get("filterIntegrationTitles", ()),
        include_organisation=flag(request, "includeOrgAccess") if "includeOrgAccess" in query else None,
    )


def _add_user(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(body["email"], role=body["roleMnemonicName"], member_type=body["memberType"])


def _named(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(body["name"], description=body.get("description"))


def _page(request: dict[str, Any]) -> Arguments:
    return given(page=parameter(request, "pageToken"))


ARGUMENTS: dict[Key, Read] = {
    ("organisation.list_users", "v2"): _page,
    ("organisation.add_user", "v2"): _add_user,
    ("organisation.remove_user", "v2"): lambda request: given(unquote(request["path"].rpartition("/")[2])),
    ("organisation_tags.list", "v2"): _page,
    ("organisation_tags.create", "v2"): _named,
    ("organisation_tags.delete", "v2"): lambda request: given(id_in_path(request)),
    ("groups.list", "v2"): _page,
    ("groups.get", "v2"): lambda request: given(id_in_path(request)),
    ("groups.create", "v2"): _named,
    ("groups.update", "v2"): lambda request: given(id_in_path(request), **request["json"]),
    ("groups.delete", "v2"): lambda request: given(id_in_path(request)),
    ("groups.list_users", "v2"): listed_below,
    ("groups.add_users", "v2"): users_in_body,
    ("groups.remove_users", "v2"): users_in_body,
    ("metadata_schema.get", "v2"): lambda request: given(),
    ("metadata_schema.save", "v2"): lambda request: given(request["json"]),
    ("metadata_schema.get_first_form", "v2"): lambda request: given(),
    ("metadata_schema.save_first_form", "v2"): lambda request: given(request["json"]),
    ("user.get_bearer_token", "v2"): lambda request: given(),
    ("cloud_integrations.list", "v2"): _integrations,
    ("cloud_integrations.list", "v1"): lambda request: given(Resource("project", resource_of(request))),
}

V1_SHAPES: dict[tuple[str, str], str] = {
    ("cloudintegration", "GET"): "cloud_integrations.list",
}

V2_SHAPES: list[tuple[str, str, str]] = [
    ("GET", "user/bearer-token", "user.get_bearer_token"),
    ("GET", "organisation/client-metadata-schema-v2", "metadata_schema.get"),
    ("POST", "organisation/client-metadata-schema-v2", "metadata_schema.save"),
    ("GET", "organisation/client-metadata-schema", "metadata_schema.get_first_form"),
    ("POST", "organisation/client-metadata-schema", "metadata_schema.save_first_form"),
    ("GET", "cloud-integrations", "cloud_integrations.list"),
    ("GET", "organisation/users", "organisation.list_users"),
    ("POST", "organisation/users", "organisation.add_user"),
    ("DELETE", "organisation/users/[^/]+", "organisation.remove_user"),
    ("GET", "organisation/organisation-tags", "organisation_tags.list"),
    ("POST", "organisation/organisation-tags", "organisation_tags.create"),
    ("DELETE", f"organisation/organisation-tags/{UUID}", "organisation_tags.delete"),
    ("GET", "user/current-organisation/groups", "groups.list"),
    ("GET", f"organisation/groups/{UUID}", "groups.get"),
    ("POST", "organisation/groups", "groups.create"),
    ("PATCH", f"organisation/groups/{UUID}", "groups.update"),
    ("DELETE", f"organisation/groups/{UUID}", "groups.delete"),
    ("GET", f"organisation/groups/{UUID}/users", "groups.list_users"),
    ("POST", f"organisation/groups/{UUID}/users", "groups.add_users"),
    ("POST", f"organisation/groups/{UUID}/users/bulk-delete", "groups.remove_users"),
]

NOT_YET: set[str] = set()

NOT_SERVED_YET: set[Key] = set()
