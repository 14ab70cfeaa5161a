"""Who may do what with tasks, and how many at once.

The vendor says which roles a project has, not what each may do to a task: the table is [inferred] from their names. So
is that a person is needed to be a member of the project before he can be given a task.
"""

from __future__ import annotations

import json
from collections.abc import Collection

from ..requests import access
from ..requests.exchange import Exchange
from ..state.store import Row
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import is_uuid

ROUTER = "PERCENTAGE_ROUTER"
"""A node of the workflow that keeps no tasks: those that come go on at once. It is not listed as a stage [inferred]."""

MANAGERS = frozenset({0, 4})
"""Administrators and team managers."""
ANNOTATORS = MANAGERS | {1, 3}
REVIEWERS = MANAGERS | {2, 3}
WORKERS = ANNOTATORS | REVIEWERS

MOST_ACTIONS = 1000
MOST_MOVES = 500


def stage_in_path(exchange: Exchange) -> Row:
    """The stage that a v2 path names.

    :raises RefusalError: The project has none of this id.
    """
    uuid = exchange.path["stage"]
    if not is_uuid(uuid):
        raise RefusalError(Reason.MALFORMED, "stage: this is not a UUID")
    return stage_of(exchange, uuid)


def stage_of(exchange: Exchange, uuid: str) -> Row:
    """A stage of the project that a v2 path names.

    :raises RefusalError: The project has none of this id, or a router.
    """
    row = exchange.store.one("SELECT * FROM stages WHERE project = ? AND uuid = ?", exchange.path["project"], uuid)
    if row is None or row["stage_type"] == ROUTER:
        raise RefusalError(Reason.NOT_FOUND, f"the workflow of this project has no stage {uuid}")
    return row


def require_role(exchange: Exchange, roles: Collection[int], deed: str) -> None:
    """:raises RefusalError: The caller's role in the project is not one of these."""
    if access.role_in(exchange, "project", exchange.path["project"]) not in roles:
        raise RefusalError(Reason.NOT_YOURS, f"your role in this project does not let you {deed}")


def is_manager(exchange: Exchange) -> bool:
    """Whether the caller manages the project."""
    return access.role_in(exchange, "project", exchange.path["project"]) in MANAGERS


def require_at_most(count: int, most: int, what: str) -> None:
    """:raises RefusalError: That is too much for one request."""
    if count > most:
        raise RefusalError(Reason.TOO_MANY_LABELS, f"{what}: at most {most} in one request, and these are {count}")


def require_members(exchange: Exchange, emails: Collection[str]) -> None:
    """:raises RefusalError: One of these people is not a member of the project."""
    project, wanted = exchange.path["project"], sorted(set(emails))
    members = exchange.store.column(
        "SELECT DISTINCT email FROM memberships WHERE kind = 'project' AND resource = ?"
        " AND email IN (SELECT value FROM json_each(?))",
        project,
        json.dumps(wanted),
    )
    strangers = [email for email in wanted if email not in members]
    if strangers:
        raise RefusalError(Reason.INVALID, f"assignee: {', '.join(strangers)} is not a member of this project")
