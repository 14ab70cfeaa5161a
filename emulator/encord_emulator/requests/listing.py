"""Listings of what a person may see: one query for projects, datasets and ontologies, and the token that pages it."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ..state.store import Row
from ..wire.errors import Reason, RefusalError
from ..wire.shapes import StrictCamel
from .exchange import Exchange
from .filters import Conditions


class PageQuery(StrictCamel, frozen=True):
    """The query of a listing that has pages and no filters."""

    page_token: str | None = None


_TABLES = {"project": "projects", "dataset": "datasets", "ontology": "ontologies"}


def visible(
    exchange: Exchange,
    kind: str,
    conditions: Conditions,
    *,
    organisation: bool = False,
    limit: int = -1,
    offset: int = 0,
) -> list[Row]:
    """Rows of the table with the caller's ``role``, oldest first.

    :param organisation: Also those where he has no role, if he is an administrator of the organisation (role ``None``).
    """
    table, caller = _TABLES[kind], exchange.caller
    join = "LEFT JOIN" if organisation and caller.role == "ADMIN" else "JOIN"
    return exchange.store.all(
        f"SELECT {table}.*, mine.role AS role FROM {table} {join}"  # noqa: S608 - constants only
        # Of several rows of a group, SQLite takes the other columns from the one that has the minimum.
        " (SELECT resource, role, min(rank) FROM memberships WHERE email = ? AND kind = ? GROUP BY resource) AS mine"
        f" ON mine.resource = {table}.uuid WHERE {conditions.sql} ORDER BY {table}.rowid LIMIT ? OFFSET ?",
        caller.email,
        kind,
        *conditions.values,
        limit,
        offset,
    )


def page_start(token: str | None) -> int:
    """Where the page of this token begins.

    :raises RefusalError: The token is not one of ours.
    """
    if token is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeError):
        text = ""
    start = text.removeprefix("from:")
    if start == text or not start.isdigit():
        raise RefusalError(Reason.INVALID, "pageToken: this is not a token of this listing")
    return int(start)


def page(results: list[Any], start: int, size: int) -> dict[str, Any]:
    """A page of at most ``size`` of the results, which were read one beyond it to see whether more follow."""
    return {"results": results[:size], "nextPageToken": token(start + size) if len(results) > size else None}


def token(start: int) -> str:
    """The token of the page that begins there."""
    return base64.urlsafe_b64encode(f"from:{start}".encode()).decode()


def whole(results: list[Any]) -> dict[str, Any]:
    """A listing in the shape of a page that has no second one."""
    return {"results": results, "nextPageToken": None}
