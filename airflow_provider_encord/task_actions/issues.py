"""Adding comments to data units as issues, each at most once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airflow_provider_encord.client.api.core.listing import every_page
from airflow_provider_encord.client.api.workflow_issues import NewIssue, OnDataUnit, add_issues, list_issues
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.task_actions.lines import TaskLine

ISSUES_PER_REQUEST = 100


def add_comments(project: str, lines: Sequence[TaskLine]) -> Flow[set[str]]:
    """Add the comment of each line to its data unit, unless the data unit has an open issue with this comment.

    Adding is not idempotent. So the issues of each data unit are read first, one request for each, and a repeat after
    a lost response adds nothing twice.

    :return: The data units that got an issue.
    """
    comments = {str(line.data_hash): line.comment or "" for line in lines}
    tags = {str(line.data_hash): line.issue_tags or [] for line in lines}
    added: set[str] = set()
    for part in chunks(list(comments), ISSUES_PER_REQUEST):
        missing = yield from _without_comment(project, part, comments)
        if missing:
            new = [
                NewIssue(anchor=OnDataUnit(data_uuid=data_hash), comment=comments[data_hash], tags=tags[data_hash])
                for data_hash in missing
            ]
            yield from add_issues(project, new)
            added.update(missing)
    return added


def _without_comment(project: str, data_hashes: Sequence[str], comments: Mapping[str, str]) -> Flow[list[str]]:
    there = set()
    for data_hash in data_hashes:
        if (yield from _has_comment(project, data_hash, comments[data_hash])):
            there.add(data_hash)
    return [data_hash for data_hash in data_hashes if data_hash not in there]


def _has_comment(project: str, data_hash: str, comment: str) -> Flow[bool]:
    issues = yield from every_page(lambda page: list_issues(project, data_hash, page=page))
    return any(issue.is_open and issue.comments and issue.comments[0].content == comment for issue in issues)
