"""What a gate measures in the history of tasks: how often they were rejected, and which have open issues."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

from airflow_provider_encord.client.api.analytics import TaskAction
from airflow_provider_encord.client.api.core.listing import every_page
from airflow_provider_encord.client.api.label_row_stamps import list_label_row_stamps
from airflow_provider_encord.client.api.labels import LabelRowFilter
from airflow_provider_encord.client.api.workflow_issues import Issue, list_issues
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.errors import NotFoundError, PermissionDeniedError, UnexpectedResponseError
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.gates.measures import ISSUE_RATE, REJECTION_RATE, UNKNOWN, Finding, Rate, Row

SUBMIT, APPROVE, REJECT = "submit", "approve", "reject"


def rejections(actions: Iterable[TaskAction], rate: Rate) -> Iterator[Finding]:
    """Count reviews, and yield the rejected tasks.

    A rejection counts for the user who submitted the task last.

    :param actions: Of an interval. If a task was submitted before it, its annotator is `UNKNOWN`.
    :param rate: Where the reviews are added.
    """
    submitted: dict[str, str | None] = {}
    for action in sorted(actions, key=_time):
        if action.action_type == SUBMIT:
            submitted[action.task_uuid] = action.actor_email
        if action.action_type not in (APPROVE, REJECT):
            continue
        annotator = submitted.get(action.task_uuid) or UNKNOWN
        rejected = action.action_type == REJECT
        rate.add(int(rejected), 1, annotators=[annotator])
        if rejected:
            yield Finding(
                measure=REJECTION_RATE,
                data_hash=action.data_unit_uuid,
                label_hash=None,
                data_title="",
                message=f"It was rejected at {action.timestamp}.",
                annotator=annotator,
            )


def _time(action: TaskAction) -> datetime.datetime:
    """When it happened. The texts cannot be compared, because only some of them have fractions of a second."""
    try:
        return parse_time(action.timestamp)
    except (ValueError, TypeError, IndexError, OverflowError):
        raise UnexpectedResponseError(
            f"Encord returned the time {action.timestamp[:80]!r} of an action of task {action.task_uuid}."
        ) from None


def open_issues(project: str, row: Row, rate: Rate) -> Flow[Finding | None]:
    """Look whether the data unit of a label row has open issues. Takes a request for each page of them.

    A data unit that is no longer in the project is not counted.

    :raises RefusedError: Encord refuses the issues of a data unit that is in the project.
    """
    data_hash = str(row.get("data_hash"))
    try:
        issues: list[Issue] = yield from every_page(lambda page: list_issues(project, data_hash, page=page))
    except (NotFoundError, PermissionDeniedError):
        present = yield list_label_row_stamps(project, LabelRowFilter(data_hashes=[data_hash]))
        if present:
            raise
        return None
    found = [issue for issue in issues if issue.is_open]
    rate.add(int(bool(found)), 1)
    if not found:
        return None
    comment = found[0].comments[0].content[:200] if found[0].comments else ""
    return Finding(
        measure=ISSUE_RATE,
        data_hash=data_hash,
        label_hash=row.get("label_hash"),
        data_title=str(row.get("data_title") or ""),
        message=f"It has {len(found)} open issues, such as: {comment}",
    )
