"""Adding comments to data units as issues, each at most once."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from airflow_provider_encord.client.api.core.listing import every_page
from airflow_provider_encord.client.api.workflow_issues import NewIssue, OnDataUnit, add_issues, list_issues
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.errors import NotFoundError
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.task_actions.lines import TaskLine

ISSUES_PER_REQUEST = 100


class Commented(msgspec.Struct, frozen=True, kw_only=True):
    """Data units by what happened to their comment.

    :param added: They have a new issue.
    :param there: They had an open issue with the comment.
    :param deleted: They are no longer in the project.
    """

    added: set[str] = msgspec.field(default_factory=set)
    there: set[str] = msgspec.field(default_factory=set)
    deleted: set[str] = msgspec.field(default_factory=set)


def add_comments(project: str, lines: Sequence[TaskLine]) -> Flow[Commented]:
    """Add the comment of each line to its data unit, unless the data unit has an open issue with this comment.

    Adding is not idempotent. So the issues of each data unit are read first, one request for each, and a repeat after
    a lost response adds nothing twice.
    """
    found = Commented()
    for part in chunks(list(lines), ISSUES_PER_REQUEST):
        missing = yield from _missing(project, part, found)
        if missing:
            yield from add_issues(
                project,
                [
                    NewIssue(
                        anchor=OnDataUnit(data_uuid=str(line.data_hash)),
                        comment=line.comment or "",
                        tags=line.issue_tags or (),
                    )
                    for line in missing
                ],
            )
            found.added.update(str(line.data_hash) for line in missing)
    return found


def _missing(project: str, lines: Sequence[TaskLine], found: Commented) -> Flow[list[TaskLine]]:
    """The lines whose comment is missing; of the others, note why."""
    missing = []
    for line in lines:
        has_comment = yield from _has_comment(project, line)
        if has_comment is None:
            found.deleted.add(str(line.data_hash))
        elif has_comment:
            found.there.add(str(line.data_hash))
        else:
            missing.append(line)
    return missing


def _has_comment(project: str, line: TaskLine) -> Flow[bool | None]:
    """Whether the data unit has the comment; None if it does not exist."""
    data_hash = str(line.data_hash)
    try:
        issues = yield from every_page(lambda page: list_issues(project, data_hash, page=page))
    except NotFoundError:
        return None
    return any(issue.is_open and issue.comments and issue.comments[0].content == line.comment for issue in issues)
