"""Filters that several listings share, as SQL conditions. ``Like`` patterns are SQL's own: ``%``, ``_``, ``\\``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..wire.shapes import Strict, StrictCamel, moment


class Conditions:
    """Conditions joined by AND, with their values."""

    def __init__(self) -> None:
        self._terms: list[str] = ["1"]
        self.values: list[Any] = []

    @property
    def sql(self) -> str:
        """What goes behind WHERE."""
        return " AND ".join(self._terms)

    def add(self, term: str, *values: Any) -> None:
        """One more condition."""
        self._terms.append(term)
        self.values.extend(values)

    def equal(self, column: str, value: str | None) -> None:
        """The column is this text; no condition without a text."""
        if value is not None:
            self.add(f"{column} = ?", value)

    def like(self, column: str, pattern: str | None) -> None:
        """The column is like this pattern."""
        if pattern is not None:
            self.add(f"{column} LIKE ? ESCAPE '\\'", pattern)

    def among(self, column: str, values: Iterable[str] | None) -> None:
        """The column is one of these; an empty list is not one of them."""
        if values is not None:
            # One value, however long the list: SQLite limits how many there may be in a statement.
            self.add(f"{column} IN (SELECT value FROM json_each(?))", json.dumps(list(values)))  # noqa: S608

    def before(self, column: str, value: str | None, field: str) -> None:
        """The column is earlier than a client's time."""
        if value is not None:
            self.add(f"{column} < ?", moment(value, field))

    def after(self, column: str, value: str | None, field: str) -> None:
        """The column is later than a client's time."""
        if value is not None:
            self.add(f"{column} > ?", moment(value, field))


class V1Filter(Strict, frozen=True):
    """The eight filters of the v1 listings."""

    title_eq: str | None = None
    title_like: str | None = None
    desc_eq: str | None = None
    desc_like: str | None = None
    created_before: str | None = None
    created_after: str | None = None
    edited_before: str | None = None
    edited_after: str | None = None


class V1FilterPayload(Strict, frozen=True):
    """The payload of a v1 listing."""

    filter: V1Filter = V1Filter()


class Listing(StrictCamel, frozen=True):
    """The eight filters of the v2 listings of projects and ontologies, and who may see more.

    Written out again because ``msgspec`` renames no inherited fields: a common base would stay ``snake_case`` here.
    """

    title_eq: str | None = None
    title_like: str | None = None
    desc_eq: str | None = None
    desc_like: str | None = None
    created_before: str | None = None
    created_after: str | None = None
    edited_before: str | None = None
    edited_after: str | None = None
    include_org_access: bool = False


def matching(filters: V1Filter | Listing, table: str) -> Conditions:
    """The eight filters on a table that has the usual columns."""
    conditions = Conditions()
    conditions.equal(f"{table}.title", filters.title_eq)
    conditions.like(f"{table}.title", filters.title_like)
    conditions.equal(f"{table}.description", filters.desc_eq)
    conditions.like(f"{table}.description", filters.desc_like)
    conditions.before(f"{table}.created_at", filters.created_before, "created_before")
    conditions.after(f"{table}.created_at", filters.created_after, "created_after")
    conditions.before(f"{table}.last_edited_at", filters.edited_before, "edited_before")
    conditions.after(f"{table}.last_edited_at", filters.edited_after, "edited_after")
    return conditions
