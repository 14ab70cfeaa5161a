"""Users and groups of projects, datasets, ontologies and folders: one shape, whatever the resource is.

A user who is there keeps the present role, and so does a group [inferred for groups]. A caller who may not manage the
resource may look but not change. The last administrator cannot be taken out, because then no one could add users.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from ..requests import access, listing
from ..requests.exchange import Exchange
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.shapes import Strict, StrictCamel

ROLES = {"project": range(6), "dataset": range(2), "ontology": range(2), "folder": range(2)}
FOLDER_ROLES = ("admin", "user")


class UsersRequest(Strict, frozen=True):
    user_emails: list[str]
    user_role: int


class UserEmails(StrictCamel, frozen=True):
    user_emails: list[str]


class GroupsBody(StrictCamel, frozen=True):
    group_hash_list: list[str]
    user_role: int


class FolderGroupsBody(StrictCamel, frozen=True):
    group_hash_list: list[str]
    user_role: Literal["admin", "user"]


class GroupsQuery(StrictCamel, frozen=True):
    group_hash_list: list[str]


def add_project_users(exchange: Exchange) -> list[dict[str, Any]]:
    return _add_users(exchange, "project")


def add_dataset_users(exchange: Exchange) -> list[dict[str, Any]]:
    return _add_users(exchange, "dataset")


def list_project_users(exchange: Exchange) -> dict[str, Any]:
    """The users that were added themselves, paged; those of groups are not among them [inferred]."""
    query: listing.PageQuery = exchange.query
    start, size = listing.page_start(query.page_token), exchange.emulation.limits.page_size
    sql = "SELECT email, role FROM members WHERE kind = 'project' AND resource = ? ORDER BY email LIMIT ? OFFSET ?"
    rows = exchange.store.all(sql, exchange.path["project"], size + 1, start)
    return listing.page([{"userEmail": row["email"], "userRole": row["role"]} for row in rows], start, size)


def list_dataset_users(exchange: Exchange) -> dict[str, Any]:
    dataset = exchange.path["dataset"]
    rows = exchange.store.all(
        "SELECT email, role FROM members WHERE kind = 'dataset' AND resource = ? ORDER BY email", dataset
    )
    return listing.whole([{"datasetUuid": dataset, "userEmail": row["email"], "userRole": row["role"]} for row in rows])


def remove_users(exchange: Exchange) -> None:
    """Take users out; who is not there is left alone."""
    body: UserEmails = exchange.body
    kind, resource = _resource(exchange)
    access.require_manager(exchange, kind, resource)
    exchange.store.run(
        "DELETE FROM members WHERE kind = ? AND resource = ? AND email IN (SELECT value FROM json_each(?))",
        kind,
        resource,
        json.dumps(body.user_emails),
    )
    sql = "SELECT 1 FROM memberships WHERE kind = ? AND resource = ? AND role = 0"
    if exchange.store.one(sql, kind, resource) is None:
        raise RefusalError(Reason.INVALID, f"userEmails: {kind} {resource} would have no administrator left")


def list_groups(exchange: Exchange) -> dict[str, Any]:
    kind, resource = _resource(exchange)
    rows = exchange.store.all(
        "SELECT * FROM resource_groups JOIN groups USING (group_hash) WHERE kind = ? AND resource = ? ORDER BY name",
        kind,
        resource,
    )
    return listing.whole(
        [
            {
                "groupHash": row["group_hash"],
                "name": row["name"],
                "description": row["description"],
                "createdAt": times.v2(row["created_at"]),
                "isSameOrganisation": True,
                "userRole": FOLDER_ROLES[row["role"]] if kind == "folder" else row["role"],
            }
            for row in rows
        ]
    )


def add_groups(exchange: Exchange) -> None:
    body: GroupsBody | FolderGroupsBody = exchange.body
    kind, resource = _resource(exchange)
    access.require_manager(exchange, kind, resource)
    role = FOLDER_ROLES.index(body.user_role) if isinstance(body.user_role, str) else body.user_role
    _check_role(kind, role, "userRole")
    for group in body.group_hash_list:
        if exchange.store.one("SELECT 1 FROM groups WHERE group_hash = ?", group) is None:
            raise RefusalError(Reason.NOT_FOUND, f"groupHashList: there is no group {group}")
        exchange.store.run("INSERT OR IGNORE INTO resource_groups VALUES (?, ?, ?, ?)", kind, resource, group, role)


def remove_groups(exchange: Exchange) -> None:
    """Take groups out; one that is not there is left alone."""
    query: GroupsQuery = exchange.query
    kind, resource = _resource(exchange)
    access.require_manager(exchange, kind, resource)
    exchange.store.run(
        "DELETE FROM resource_groups"
        " WHERE kind = ? AND resource = ? AND group_hash IN (SELECT value FROM json_each(?))",
        kind,
        resource,
        json.dumps(query.group_hash_list),
    )


def check_emails(emails: list[str], field: str) -> None:
    """:raises RefusalError: One of these is not an e-mail address."""
    for email in emails:
        before, _, after = email.partition("@")
        if not before or not after:
            raise RefusalError(Reason.INVALID, f"{field}: {email!r} is not an e-mail address")


def _add_users(exchange: Exchange, kind: str) -> list[dict[str, Any]]:
    request: UsersRequest = exchange.payload
    resource, store = exchange.resource, exchange.store
    if exchange.uid != resource:
        raise RefusalError(Reason.INVALID, f"uid: must be the {kind} that the request is about")
    access.require_manager(exchange, kind, resource)
    _check_role(kind, request.user_role, "user_role")
    check_emails(request.user_emails, "user_emails")
    emails = list(dict.fromkeys(request.user_emails))
    for email in emails:
        store.run("INSERT OR IGNORE INTO members VALUES (?, ?, ?, ?)", kind, resource, email, request.user_role)
    sql = "SELECT role FROM members WHERE kind = ? AND resource = ? AND email = ?"
    roles = [(email, store.value(sql, kind, resource, email)) for email in emails]
    return [{"user_email": email, "user_role": role, f"{kind}_hash": resource} for email, role in roles]


def _check_role(kind: str, role: int, field: str) -> None:
    if role not in ROLES[kind]:
        raise RefusalError(Reason.INVALID, f"{field}: a {kind} has no role {role}")


def _resource(exchange: Exchange) -> tuple[str, str]:
    """Kind and UUID of what the path is about."""
    return next((kind, exchange.path[kind]) for kind in ROLES if kind in exchange.path)
