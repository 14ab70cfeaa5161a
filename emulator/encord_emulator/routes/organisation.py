"""Rows of the table: user and organisation."""

from __future__ import annotations

from ..people import groups, members, metadata_schema, organisation, people
from ..requests import listing
from ..requests.operations import Operation
from .rows import ANY_KEY, CHANGES, DATASET, PROJECT, READS, USER, v1, v2

SCHEMA = "organisation/client-metadata-schema"

# fmt: off
OPERATIONS: tuple[Operation, ...] = (
    v2(READS, "user.bearer_token", "GET user/bearer-token", people.bearer_token),
    v2(READS, "organisation_tags.list", "GET organisation/organisation-tags", organisation.tags),
    v2(READS, "organisation_tags.list (2025)", "GET organisation/project-tags", organisation.tags),
    v2(CHANGES, "organisation_tags.create", "POST organisation/organisation-tags", organisation.create_tag,
        body=organisation.TagBody),
    v2(CHANGES, "organisation_tags.delete", "DELETE organisation/organisation-tags/{tag}", organisation.delete_tag),
    v2(READS, "organisation.list_users", "GET organisation/users", organisation.users),
    v2(CHANGES, "organisation.add_user", "POST organisation/users", organisation.add_user, body=organisation.UserBody),
    v2(CHANGES, "organisation.remove_user", "DELETE organisation/users/{email}", organisation.remove_user),
    v2(READS, "groups.list", "GET user/current-organisation/groups", groups.list_all),
    v2(READS, "groups.get", "GET organisation/groups/{group}", groups.get),
    v2(CHANGES, "groups.create", "POST organisation/groups", groups.create, body=groups.GroupBody),
    v2(CHANGES, "groups.update", "PATCH organisation/groups/{group}", groups.update, body=groups.GroupChange),
    v2(CHANGES, "groups.delete", "DELETE organisation/groups/{group}", groups.delete),
    v2(READS, "groups.list_users", "GET organisation/groups/{group}/users", groups.list_users, listing.PageQuery),
    v2(CHANGES, "groups.add_users", "POST organisation/groups/{group}/users", groups.add_users,
        body=members.UserEmails),
    v2(CHANGES, "groups.remove_users", "POST organisation/groups/{group}/users/bulk-delete", groups.remove_users,
        body=members.UserEmails),
    v2(READS, "metadata_schema.get", f"GET {SCHEMA}-v2", metadata_schema.get),
    v2(CHANGES, "metadata_schema.save", f"POST {SCHEMA}-v2", metadata_schema.save, body=metadata_schema.Schema),
    v2(READS, "metadata_schema.get_first_form", f"GET {SCHEMA}", metadata_schema.get_first),
    v2(CHANGES, "metadata_schema.save_first_form", f"POST {SCHEMA}", metadata_schema.save_first,
        body=metadata_schema.FirstForm),
    v2(READS, "cloud_integrations.list", "GET cloud-integrations", organisation.integrations,
        organisation.IntegrationQuery),
    v1(READS, "cloud_integrations.list (v1)", "cloudintegration GET", organisation.integrations_v1,
        USER, PROJECT, DATASET, key=ANY_KEY),
)
# fmt: on
