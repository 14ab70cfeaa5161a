"""Recorded requests of logs and analytics."""

from __future__ import annotations

from typing import Any

from tests.wire.subjects.reading import (
    UUID,
    Arguments,
    Key,
    Read,
    given,
    id_in_path,
    parameter,
    payload_of,
    resource_of,
)

LABEL_LOG_NAMES = {"start_timestamp": "after", "end_timestamp": "before"}


def _label_logs(request: dict[str, Any]) -> Arguments:
    filters = {LABEL_LOG_NAMES.get(name, name): value for name, value in payload_of(request).items()}
    del filters["include_user_email_and_interface_key"]
    return given(resource_of(request), **filters)


def _editor_logs(request: dict[str, Any]) -> Arguments:
    return given(
        id_in_path(request),
        start=parameter(request, "startTime"),
        end=parameter(request, "endTime"),
        action=parameter(request, "action"),
        user_email=parameter(request, "actorUserEmail"),
        stage=parameter(request, "workflowStageId"),
        data_hash=parameter(request, "dataUnitId"),
        page=parameter(request, "pageToken"),
    )


def _many(request: dict[str, Any], name: str) -> list[str]:
    values: list[str] = request["query"].get(name, [])
    return values


def _time_spent(request: dict[str, Any]) -> Arguments:
    return given(
        parameter(request, "projectUuid"),
        after=parameter(request, "after"),
        before=parameter(request, "before"),
        stages=_many(request, "workflowStageUuids"),
        user_emails=_many(request, "userEmails"),
        datasets=_many(request, "datasetUuids"),
        data_hashes=_many(request, "dataUuids"),
        data_title=parameter(request, "dataTitle"),
        page=parameter(request, "pageToken"),
    )


def _task_actions(request: dict[str, Any]) -> Arguments:
    return given(
        parameter(request, "projectUuid"),
        after=parameter(request, "after"),
        before=parameter(request, "before"),
        user_emails=_many(request, "actorEmails"),
        actions=_many(request, "eventTypes"),
        stages=_many(request, "workflowStageUuids"),
        data_hashes=_many(request, "dataUnitUuids"),
        page=parameter(request, "pageToken"),
    )


def _timers(request: dict[str, Any]) -> Arguments:
    return given(
        parameter(request, "projectHash"),
        after=parameter(request, "after"),
        before=parameter(request, "before"),
        group_by=parameter(request, "groupBy"),
        page_size=int(parameter(request, "pageSize") or 0),
        page=parameter(request, "pageToken"),
    )


ARGUMENTS: dict[Key, Read] = {
    ("label_logs.list", "v1"): _label_logs,
    ("editor_logs.list", "v2"): _editor_logs,
    ("analytics.time_spent", "v2"): _time_spent,
    ("analytics.task_actions", "v2"): _task_actions,
    ("analytics.collaborator_timers", "v2"): _timers,
}

V1_SHAPES: dict[tuple[str, str], str] = {("labellog", "GET"): "label_logs.list"}

V2_SHAPES: list[tuple[str, str, str]] = [
    ("GET", f"projects/{UUID}/editor-logs", "editor_logs.list"),
    ("GET", "analytics/time-spent", "analytics.time_spent"),
    ("GET", "analytics/task-actions", "analytics.task_actions"),
    ("GET", "analytics/collaborators/timers", "analytics.collaborator_timers"),
]

NOT_YET: set[str] = set()

NOT_SERVED_YET: set[Key] = set()
