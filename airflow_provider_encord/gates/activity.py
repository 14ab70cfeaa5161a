"""What a gate measures in the history of tasks: how often they were rejected, and which have open issues."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from airflow_provider_encord.client.api.analytics import TaskAction
from airflow_provider_encord.client.api.core.listing import every_page
from airflow_provider_encord.client.api.workflow_issues import Issue, list_issues
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.gates.measures import ISSUE_RATE, REJECTION_RATE, UNKNOWN, Finding, Rate, Row

SUBMIT, APPROVE, REJECT = "submit", "approve", "reject"


def rejections(actions: Iterable[TaskAction], rate: Rate) -> Iterator[Finding]:
    """Count reviews, and yield the rejected tasks.

    A rejection counts for the user who submitted the task last.

    :param actions: Of an interval. If a task was submitted before it, its annotator is `UNKNOWN`.
    :param rate: Where the reviews are added.
    """
    submitted: dict[str, str | None] = {}
    for action in sorted(actions, key=lambda action: action.timestamp):
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


def open_issues(project: str, row: Row, rate: Rate) -> Flow[Finding | None]:
    """Look whether the data unit of a label row has open issues. Takes a request for each page of them."""
    data_hash = str(row.get("data_hash"))
    issues: list[Issue] = yield from every_page(lambda page: list_issues(project, data_hash, page=page))
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
