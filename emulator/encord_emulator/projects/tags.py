"""Tags of a project: those of the organisation that it has, and those that its issues can have.

Issue tags are made in the workspace, for which there is no API, and linked to projects by name. Here any name is taken
for one that was made.
"""

from __future__ import annotations

from typing import Any

from ..requests import access, listing
from ..requests.exchange import Exchange
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import StrictCamel


class IssueTagsBody(StrictCamel, frozen=True):
    issue_tag_names: list[str]


def list_tags(exchange: Exchange) -> dict[str, Any]:
    rows = exchange.store.all(
        "SELECT uuid, name FROM project_tags JOIN organisation_tags ON tag = uuid WHERE project = ? ORDER BY name",
        exchange.path["project"],
    )
    return listing.whole([{"uuid": row["uuid"], "name": row["name"]} for row in rows])


def add_tag(exchange: Exchange) -> None:
    project, tag = exchange.path["project"], exchange.path["tag"]
    access.require_manager(exchange, "project", project)
    if exchange.store.one("SELECT 1 FROM organisation_tags WHERE uuid = ?", tag) is None:
        raise RefusalError(Reason.NOT_FOUND, f"the organisation has no tag {tag}")
    exchange.store.run("INSERT OR IGNORE INTO project_tags VALUES (?, ?)", project, tag)


def remove_tag(exchange: Exchange) -> None:
    project = exchange.path["project"]
    access.require_manager(exchange, "project", project)
    exchange.store.run("DELETE FROM project_tags WHERE project = ? AND tag = ?", project, exchange.path["tag"])


def list_issue_tags(exchange: Exchange) -> dict[str, Any]:
    query: listing.PageQuery = exchange.query
    start, size = listing.page_start(query.page_token), exchange.emulation.limits.page_size
    sql = "SELECT uuid, name FROM issue_tags WHERE project = ? ORDER BY rowid LIMIT ? OFFSET ?"
    rows = exchange.store.all(sql, exchange.path["project"], size + 1, start)
    return listing.page([{"uuid": row["uuid"], "name": row["name"]} for row in rows], start, size)


def add_issue_tags(exchange: Exchange) -> None:
    """Link issue tags; one that is linked already is left alone [inferred]."""
    body: IssueTagsBody = exchange.body
    project = exchange.path["project"]
    access.require_manager(exchange, "project", project)
    for name in body.issue_tag_names:
        if not name.strip():
            raise RefusalError(Reason.INVALID, "issueTagNames: a name must not be empty")
        exchange.store.run("INSERT OR IGNORE INTO issue_tags VALUES (?, ?, ?)", new_uuid(), project, name)
