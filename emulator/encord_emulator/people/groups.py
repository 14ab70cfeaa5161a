"""Groups of the organisation's users. Everyone in it may look; its administrators change them."""

from __future__ import annotations

import json
from typing import Any

from ..requests import access, listing
from ..requests.exchange import Exchange
from ..state.store import Row
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import StrictCamel
from . import members


class GroupBody(StrictCamel, frozen=True):
    name: str
    description: str | None = None


class GroupChange(StrictCamel, frozen=True):
    name: str | None = None
    description: str | None = None


def list_all(exchange: Exchange) -> dict[str, Any]:
    return listing.whole([_view(row) for row in exchange.store.all("SELECT * FROM groups ORDER BY rowid")])


def get(exchange: Exchange) -> dict[str, Any]:
    return _view(_row(exchange))


def create(exchange: Exchange) -> dict[str, Any]:
    """A new group; two may have the same name."""
    body: GroupBody = exchange.body
    access.require_organisation_admin(exchange)
    _require_name(body.name)
    uuid, now = new_uuid(), exchange.clock.stamp()
    exchange.store.run("INSERT INTO groups VALUES (?, ?, ?, ?)", uuid, body.name, body.description or "", now)
    exchange.path["group"] = uuid
    return get(exchange)


def update(exchange: Exchange) -> dict[str, Any]:
    body: GroupChange = exchange.body
    access.require_organisation_admin(exchange)
    row = _row(exchange)
    if body.name is not None:
        _require_name(body.name)
    exchange.store.run(
        "UPDATE groups SET name = coalesce(?, name), description = coalesce(?, description) WHERE group_hash = ?",
        body.name,
        body.description,
        row["group_hash"],
    )
    return get(exchange)


def delete(exchange: Exchange) -> None:
    """The group goes, and what its users could do by it."""
    access.require_organisation_admin(exchange)
    group = _row(exchange)["group_hash"]
    for table in ("group_users", "resource_groups", "groups"):
        exchange.store.run(f"DELETE FROM {table} WHERE group_hash = ?", group)  # noqa: S608 - a constant


def list_users(exchange: Exchange) -> dict[str, Any]:
    query: listing.PageQuery = exchange.query
    group = _row(exchange)["group_hash"]
    start, size = listing.page_start(query.page_token), exchange.emulation.limits.page_size
    sql = "SELECT email FROM group_users WHERE group_hash = ? ORDER BY email LIMIT ? OFFSET ?"
    emails = exchange.store.column(sql, group, size + 1, start)
    return listing.page([{"userEmail": email} for email in emails], start, size)


def add_users(exchange: Exchange) -> dict[str, Any]:
    """Put users of the organisation into the group; who is in it is left alone. The answer has all who are in it."""
    body: members.UserEmails = exchange.body
    access.require_organisation_admin(exchange)
    group = _row(exchange)["group_hash"]
    for email in body.user_emails:
        if exchange.store.one("SELECT 1 FROM organisation_users WHERE email = ?", email) is None:
            raise RefusalError(Reason.NOT_YOURS, f"userEmails: {email!r} is not in the organisation")
        exchange.store.run("INSERT OR IGNORE INTO group_users VALUES (?, ?)", group, email)
    everyone = exchange.store.column("SELECT email FROM group_users WHERE group_hash = ? ORDER BY email", group)
    return listing.whole([{"userEmail": email} for email in everyone])


def remove_users(exchange: Exchange) -> None:
    body: members.UserEmails = exchange.body
    access.require_organisation_admin(exchange)
    exchange.store.run(
        "DELETE FROM group_users WHERE group_hash = ? AND email IN (SELECT value FROM json_each(?))",
        _row(exchange)["group_hash"],
        json.dumps(body.user_emails),
    )


def _row(exchange: Exchange) -> Row:
    group = exchange.path["group"]
    row = exchange.store.one("SELECT * FROM groups WHERE group_hash = ?", group)
    if row is None:
        raise RefusalError(Reason.NOT_FOUND, f"there is no group {group}")
    return row


def _require_name(name: str) -> None:
    if not name.strip():
        raise RefusalError(Reason.INVALID, "name: must not be empty")


def _view(row: Row) -> dict[str, Any]:
    return {
        "groupHash": row["group_hash"],
        "name": row["name"],
        "description": row["description"],
        "createdAt": times.v2(row["created_at"]),
    }
