"""What people and agents do with tasks: submit, approve, reject, assign, release, proceed along a pathway.

All of them are one request on the wire: a list of actions, at most 1000, all in one stage. One task that is not in the
stage (any more), or that an action does not fit, refuses the whole list: nothing is done. So what makes a task leave
its stage is not repeated blindly; the flow in `resources.workflow_actions` looks at what is still there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.api.reading import ignored
from airflow_provider_encord.client.api.registry import operation
from airflow_provider_encord.client.api.workflow import (
    AGENT,
    ANNOTATION,
    CONSENSUS_ANNOTATION,
    CONSENSUS_REVIEW,
    FINAL,
    REVIEW,
    stage_path,
)
from airflow_provider_encord.client.call import Call, Request

MOST_ACTIONS_PER_REQUEST = 1000

ACTIONS: dict[str, frozenset[str]] = {
    ANNOTATION: frozenset({"submit", "assign", "release", "move"}),
    REVIEW: frozenset({"approve", "reject", "assign", "release", "move"}),
    CONSENSUS_ANNOTATION: frozenset({"submit", "assign", "release", "move"}),
    CONSENSUS_REVIEW: frozenset({"approve", "reject", "assign", "release", "move"}),
    AGENT: frozenset({"proceed", "move"}),
    FINAL: frozenset({"move"}),
}
"""What can be done with tasks of each type of stage; in consensus annotation all but moves are for the sub-tasks."""


def _act(project: str, stage: str, actions: Iterable[dict[str, Any]], *, repeatable: bool) -> Call[None]:
    request = Request("POST", f"{stage_path(project, stage)}/actions", json=list(actions))
    return Call(request=request, changes=True, repeatable=repeatable, read=ignored)


def _next_assignee(assignee: str | None, retain_assignee: bool) -> dict[str, Any]:
    given = {"assignee": assignee} if assignee is not None else {}
    return {**given, "retainAssignee": retain_assignee}


@operation("workflow.task.submit", "v2")
def submit_tasks(
    project: str,
    stage: str,
    tasks: Sequence[str],
    *,
    assignee: str | None = None,
    retain_assignee: bool = False,
) -> Call[None]:
    """Submit tasks of an annotation stage, or sub-tasks of a consensus annotation stage.

    :param tasks: Ids of at most 1000 tasks.
    :param assignee: Who gets them in the next stage; an e-mail address.
    :param retain_assignee: Who has them now keeps them; an error for a task without assignee. `assignee` goes first.
    """
    rest = {"action": "SUBMIT", "resolveLabelReviews": True, **_next_assignee(assignee, retain_assignee)}
    return _act(project, stage, ({"taskUuid": task, **rest} for task in tasks), repeatable=False)


@operation("workflow.task.approve", "v2")
def approve_tasks(
    project: str,
    stage: str,
    tasks: Sequence[str],
    *,
    consensus: bool = False,
    assignee: str | None = None,
    retain_assignee: bool = False,
) -> Call[None]:
    """Approve tasks of a review stage, with the label reviews that are open; else as `submit_tasks`.

    :param consensus: The stage is one of consensus review, which has no label reviews.
    """
    reviews = {} if consensus else {"approveLabelReviews": True}
    rest = {"action": "APPROVE", **reviews, **_next_assignee(assignee, retain_assignee)}
    return _act(project, stage, ({"taskUuid": task, **rest} for task in tasks), repeatable=False)


@operation("workflow.task.reject", "v2")
def reject_tasks(
    project: str,
    stage: str,
    tasks: Sequence[str],
    *,
    consensus: bool = False,
    assignee: str | None = None,
    retain_assignee: bool = False,
) -> Call[None]:
    """Reject tasks of a review stage, with the label reviews that are open; else as `approve_tasks`."""
    reviews = {} if consensus else {"rejectLabelReviews": True}
    rest = {"action": "REJECT", **reviews, **_next_assignee(assignee, retain_assignee)}
    return _act(project, stage, ({"taskUuid": task, **rest} for task in tasks), repeatable=False)


@operation("workflow.task.assign", "v2")
def assign_tasks(project: str, stage: str, assignees: Mapping[str, str]) -> Call[None]:
    """Assign tasks; they stay in their stage, so a repeat does no harm.

    :param assignees: The e-mail address of the assignee by id of the task; at most 1000.
    """
    actions = ({"taskUuid": task, "action": "ASSIGN", "assignee": email} for task, email in assignees.items())
    return _act(project, stage, actions, repeatable=True)


@operation("workflow.task.release", "v2")
def release_tasks(project: str, stage: str, tasks: Sequence[str]) -> Call[None]:
    """Take tasks from their assignees; they stay in their stage, so a repeat does no harm."""
    return _act(project, stage, ({"taskUuid": task, "action": "RELEASE"} for task in tasks), repeatable=True)


@operation("workflow.task.proceed", "v2")
def proceed_tasks(
    project: str, stage: str, *, by_uuid: Mapping[str, str] | None = None, by_name: Mapping[str, str] | None = None
) -> Call[None]:
    """Let tasks of an agent stage go along its pathways; at most 1000 tasks together.

    :param by_uuid: The id of the pathway by id of the task.
    :param by_name: The title of the pathway by id of the task.
    """
    along = {"pathwayUuid": by_uuid or {}, "pathwayName": by_name or {}}
    actions = (
        {"taskUuid": task, "action": "PATHWAY_ACTION", key: way}
        for key, ways in along.items()
        for task, way in ways.items()
    )
    return _act(project, stage, actions, repeatable=False)
