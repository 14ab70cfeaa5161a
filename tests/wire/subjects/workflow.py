"""Recorded requests of workflow stages and tasks.

All actions on tasks are one request by its shape; which operation it is stands in the elements of its body.
"""

from __future__ import annotations

import re
from typing import Any

from airflow_provider_encord.client.api.workflow import TaskFilter
from airflow_provider_encord.client.api.workflow_issues import NewIssue
from tests.wire.subjects.reading import UUID, Arguments, Key, Read, given, id_in_path, parameter


def _ids(request: dict[str, Any]) -> list[str]:
    """The UUIDs in the path: project, stage, task."""
    return re.findall(UUID, request["path"])


def _tasks(request: dict[str, Any]) -> Arguments:
    query = request["query"]
    which = TaskFilter(
        user_emails=query.get("userEmails"),
        data_hashes=query.get("dataHashes"),
        dataset_hashes=query.get("datasetHashes"),
        data_title_contains=parameter(request, "dataTitleContains"),
        statuses=query.get("statuses"),
    )
    return given(*_ids(request), which, page=parameter(request, "pageToken"))


def _acted_on(request: dict[str, Any]) -> Arguments:
    return given(*_ids(request), [one["taskUuid"] for one in request["json"]])


def _handed_on(flag: str) -> Read:
    """Actions that hand tasks on; consensus reviews lack the flag about label reviews."""

    def read(request: dict[str, Any]) -> Arguments:
        first = request["json"][0]
        positional, _ = _acted_on(request)
        consensus = {} if flag in first else {"consensus": True}
        return given(*positional, **consensus, assignee=first.get("assignee"), retain_assignee=first["retainAssignee"])

    return read


def _assigned(request: dict[str, Any]) -> Arguments:
    return given(*_ids(request), {one["taskUuid"]: one["assignee"] for one in request["json"]})


def _proceeded(request: dict[str, Any]) -> Arguments:
    actions = request["json"]
    by_uuid = {action["taskUuid"]: action["pathwayUuid"] for action in actions if "pathwayUuid" in action}
    by_name = {one["taskUuid"]: one["pathwayName"] for one in actions if "pathwayName" in one}
    return given(*_ids(request), by_uuid=by_uuid, by_name=by_name)


def _moved(request: dict[str, Any]) -> Arguments:
    return given(*_ids(request), request["json"]["taskUuids"], request["json"]["destinationStageUuid"])


def _reviews(request: dict[str, Any]) -> Arguments:
    return given(*_ids(request), page=parameter(request, "pageToken"))


def _reviewed(request: dict[str, Any]) -> Arguments:
    return given(*_ids(request), [one["reviewUuid"] for one in request["json"]])


def _rejected_labels(request: dict[str, Any]) -> Arguments:
    positional, _ = _reviewed(request)
    first = request["json"][0]
    return given(*positional, comment=first.get("comment"), tags=first.get("commentTags"))


def _issues(request: dict[str, Any]) -> Arguments:
    return given(id_in_path(request), parameter(request, "dataUnitId"), page=parameter(request, "pageToken"))


def _new_issues(request: dict[str, Any]) -> Arguments:
    issues = request["json"]["issues"]
    return given(
        id_in_path(request),
        [NewIssue(anchor=issue["anchor"], comment=issue["comment"], tags=issue["issueTags"]) for issue in issues],
    )


ARGUMENTS: dict[Key, Read] = {
    ("workflow.tasks.list", "v2"): _tasks,
    ("workflow.task.submit", "v2"): _handed_on("resolveLabelReviews"),
    ("workflow.task.approve", "v2"): _handed_on("approveLabelReviews"),
    ("workflow.task.reject", "v2"): _handed_on("rejectLabelReviews"),
    ("workflow.task.assign", "v2"): _assigned,
    ("workflow.task.release", "v2"): _acted_on,
    ("workflow.task.proceed", "v2"): _proceeded,
    ("workflow.task.move", "v2"): _moved,
    ("workflow.task.label_reviews.list", "v2"): _reviews,
    ("workflow.task.label_review.approve", "v2"): _reviewed,
    ("workflow.task.label_review.reject", "v2"): _rejected_labels,
    ("workflow.task.label_review.reopen", "v2"): _reviewed,
    ("workflow.task.issues.list", "v2"): _issues,
    ("workflow.task.issues.add", "v2"): _new_issues,
    ("workflow.task.issues.delete", "v2"): lambda request: given(id_in_path(request), request["json"]["issueUuids"]),
}

V1_SHAPES: dict[tuple[str, str], str] = {}

_STAGE = f"projects/{UUID}/workflow/stages/{UUID}"

V2_SHAPES: list[tuple[str, str, str]] = [
    ("GET", f"{_STAGE}/tasks", "workflow.tasks.list"),
    ("POST", f"{_STAGE}/move-tasks", "workflow.task.move"),
    ("GET", f"{_STAGE}/tasks/{UUID}/reviews", "workflow.task.label_reviews.list"),
    ("GET", f"projects/{UUID}/issues", "workflow.task.issues.list"),
    ("POST", f"projects/{UUID}/issues", "workflow.task.issues.add"),
    ("POST", f"projects/{UUID}/issues/delete", "workflow.task.issues.delete"),
]

_BY_ACTION = {
    "SUBMIT": "workflow.task.submit",
    "APPROVE": "workflow.task.approve",
    "REJECT": "workflow.task.reject",
    "ASSIGN": "workflow.task.assign",
    "RELEASE": "workflow.task.release",
    "PATHWAY_ACTION": "workflow.task.proceed",
}
_BY_REVIEW_ACTION = {
    "APPROVE": "workflow.task.label_review.approve",
    "REJECT": "workflow.task.label_review.reject",
    "REOPEN": "workflow.task.label_review.reopen",
}


def operation_by_action(request: dict[str, Any]) -> str | None:
    """The operation of a request that is a list of actions; None for any other."""
    if not request["path"].endswith("/actions") or not isinstance(request["json"], list):
        return None
    names = _BY_REVIEW_ACTION if request["path"].endswith("/reviews/actions") else _BY_ACTION
    return names.get(request["json"][0]["action"])


NOT_YET: set[str] = set()

NOT_SERVED_YET: set[Key] = set()
