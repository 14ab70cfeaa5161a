"""Groups of the organisation's users. The role of a group is set where it is added to a resource; see `members`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from airflow_provider_encord.client.api.core.reading import Page, ignored, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import Call, Request


class GroupRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A group."""

    group_hash: str
    name: str
    description: str | None = ""
    created_at: str | None = None


class GroupUser(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A user in a group."""

    user_email: str


_GROUP = v2_reader(GroupRecord)
_GROUPS = v2_reader(Page[GroupRecord])
_GROUP_USERS = v2_reader(Page[GroupUser])


def _body(name: str | None, description: str | None) -> dict[str, str]:
    given = {"name": name, "description": description}
    return {key: value for key, value in given.items() if value is not None}


@operation("groups.list", "v2")
def list_groups(*, page: str | None = None) -> Call[Page[GroupRecord]]:
    """List the groups of the user's organisation."""
    return Call(request=Request("GET", "user/current-organisation/groups", {"pageToken": page}), read=_GROUPS)


@operation("groups.get", "v2")
def get_group(group: str) -> Call[GroupRecord]:
    """Read a group by its id."""
    return Call(request=Request("GET", f"organisation/groups/{group}"), read=_GROUP)


@operation("groups.create", "v2")
def create_group(name: str, *, description: str | None = None) -> Call[GroupRecord]:
    """Create a group."""
    request = Request("POST", "organisation/groups", json=_body(name, description))
    return Call(request=request, changes=True, repeatable=False, read=_GROUP)


@operation("groups.update", "v2")
def update_group(group: str, *, name: str | None = None, description: str | None = None) -> Call[GroupRecord]:
    """Change a group. None leaves the value unchanged."""
    request = Request("PATCH", f"organisation/groups/{group}", json=_body(name, description))
    return Call(request=request, changes=True, read=_GROUP)


@operation("groups.delete", "v2")
def delete_group(group: str) -> Call[None]:
    """Delete a group; its users stay in the organisation. Not repeatable, like `remove_organisation_user`."""
    request = Request("DELETE", f"organisation/groups/{group}")
    return Call(request=request, changes=True, repeatable=False, read=ignored)


@operation("groups.list_users", "v2")
def list_group_users(group: str, *, page: str | None = None) -> Call[Page[GroupUser]]:
    """List one page of the users in a group."""
    request = Request("GET", f"organisation/groups/{group}/users", {"pageToken": page})
    return Call(request=request, read=_GROUP_USERS)


@operation("groups.add_users", "v2")
def add_group_users(group: str, emails: Sequence[str]) -> Call[Page[GroupUser]]:
    """Add users of the organisation to a group. The response contains all users of the group."""
    request = Request("POST", f"organisation/groups/{group}/users", json={"userEmails": list(emails)})
    return Call(request=request, changes=True, read=_GROUP_USERS)


@operation("groups.remove_users", "v2")
def remove_group_users(group: str, emails: Sequence[str]) -> Call[None]:
    """Remove users from a group."""
    request = Request("POST", f"organisation/groups/{group}/users/bulk-delete", json={"userEmails": list(emails)})
    return Call(request=request, changes=True, read=ignored)
