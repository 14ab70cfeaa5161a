"""Actions on tasks: submit, approve, reject, assign, release, proceed along a pathway.

All of them use the same request: a list of at most 1000 actions, all in one stage. If one task is not in the stage, or
does not support its action, Encord refuses the whole list and does nothing. So an action after which a task leaves its
stage is not repeatable. The flows in `client.flows.workflow_actions` check which tasks are still in the stage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.api.core.reading import ignored
from airflow_provider_encord.client.api.core.registry import operation
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
"""The actions by type of stage. In consensus annotation stages, all actions except moves apply to the sub-tasks."""


def _act(project: str, stage: str, actions: Iterable[dict[str, Any]], *, repeatable: bool) -> Call[None]:
    request = Request("POST", f"{stage_path(project, stage)}/actions", json=list(actions))
    return Call(request=request, changes=True, repeatable=repeatable, read=ignored)


def _finish(
    project: str, stage: str, tasks: Sequence[str], action: str, reviews: dict[str, bool], following: dict[str, Any]
) -> Call[None]:
    """An action after which tasks leave the stage, with the same values for all of them."""
    rest = {"action": action, **reviews, **following}
    return _act(project, stage, ({"taskUuid": task, **rest} for task in tasks), repeatable=False)


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
    :param assignee: E-mail address of the user who gets the tasks in the next stage.
    :param retain_assignee: The present assignees keep the tasks, unless `assignee` is given. An error for tasks without
        an assignee.
    """
    reviews = {"resolveLabelReviews": True}
    return _finish(project, stage, tasks, "SUBMIT", reviews, _next_assignee(assignee, retain_assignee))


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
    """Approve tasks of a review stage, and their open label reviews. For the other arguments, see `submit_tasks`.

    :param consensus: The stage is a consensus review stage, which has no label reviews.
    """
    reviews = {} if consensus else {"approveLabelReviews": True}
    return _finish(project, stage, tasks, "APPROVE", reviews, _next_assignee(assignee, retain_assignee))


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
    """Reject tasks of a review stage, and their open label reviews. For the arguments, see `approve_tasks`."""
    reviews = {} if consensus else {"rejectLabelReviews": True}
    return _finish(project, stage, tasks, "REJECT", reviews, _next_assignee(assignee, retain_assignee))


@operation("workflow.task.assign", "v2")
def assign_tasks(project: str, stage: str, assignees: Mapping[str, str]) -> Call[None]:
    """Assign tasks. They stay in their stage, so it is safe to repeat.

    :param assignees: E-mail address of the assignee by task id; at most 1000 tasks.
    """
    actions = ({"taskUuid": task, "action": "ASSIGN", "assignee": email} for task, email in assignees.items())
    return _act(project, stage, actions, repeatable=True)


@operation("workflow.task.release", "v2")
def release_tasks(project: str, stage: str, tasks: Sequence[str]) -> Call[None]:
    """Remove the assignees of tasks. The tasks stay in their stage, so it is safe to repeat."""
    return _act(project, stage, ({"taskUuid": task, "action": "RELEASE"} for task in tasks), repeatable=True)


@operation("workflow.task.proceed", "v2")
def proceed_tasks(
    project: str, stage: str, *, by_uuid: Mapping[str, str] | None = None, by_name: Mapping[str, str] | None = None
) -> Call[None]:
    """Send tasks of an agent stage along its pathways; at most 1000 tasks in total.

    :param by_uuid: Pathway id by task id.
    :param by_name: Pathway title by task id.
    """
    along = {"pathwayUuid": by_uuid or {}, "pathwayName": by_name or {}}
    actions = (
        {"taskUuid": task, "action": "PATHWAY_ACTION", key: way}
        for key, ways in along.items()
        for task, way in ways.items()
    )
    return _act(project, stage, actions, repeatable=False)
