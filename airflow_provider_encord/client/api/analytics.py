"""Logs and analytics: label logs, editor logs, task actions, time spent.

All listings are paged except the label logs. Encord calls the label logs deprecated, but they are the only ones that an
API key may read. An interval of editor logs may be at most 30 days long, and the collaborator timers call their project
``projectHash``.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.listing import Time
from airflow_provider_encord.client.api.core.reading import Page, several, v1_reader, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import SSH_OR_API_KEY, Call, Envelope, Request, Resource
from airflow_provider_encord.client.times import write_utc_time

LONGEST_EDITOR_LOG = datetime.timedelta(days=30)

TASK_ACTIONS = ("assign", "approve", "submit", "move", "reject", "release", "skip")
"""The types of task actions."""

BY_DATA_UNIT = "dataUnit"
BY_PROJECT = "project"


class LabelLog(msgspec.Struct, frozen=True, kw_only=True):
    """One change of labels by a user.

    :param action: Number of the action; section 8 of the protocol lists the numbers.
    :param time_taken: Time in milliseconds.
    """

    log_hash: str
    data_hash: str
    action: int
    created_at: str
    user_hash: str | None = None
    user_email: str | None = None
    identifier: str | None = None
    feature_hash: str | None = None
    label_name: str | None = None
    time_taken: int | None = None
    frame: int | None = None
    annotation_hash: str | None = None


class EditorLog(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One action of a user in the label editor.

    :param action_category: ``object``, ``classification``, ``task``, ``agent``, ``editor``, or a newer value.
    :param label_ranges: First and last frame (inclusive) of each range; for objects and classifications only.
    """

    id: str
    action: str
    action_category: str
    timestamp: str
    data_unit_id: str | None = None
    workflow_stage_id: str | None = None
    workflow_task_id: str | None = None
    workflow_stage_type: str | None = None
    workflow_stage_title: str | None = None
    branch_name: str | None = None
    session_id: str | None = None
    actor_user_id: str | None = None
    actor_organisation_id: int | None = None
    actor_user_email: str | None = None
    project_id: str | None = None
    project_organisation_id: int | None = None
    project_user_role: str | None = None
    project_organisation_user_role: str | None = None
    data_unit_title: str | None = None
    data_unit_data_type: str | None = None
    data_unit_dataset_id: str | None = None
    data_unit_dataset_title: str | None = None
    ontology_id: str | None = None
    label_id: str | None = None
    label_name: str | None = None
    feature_id: str | None = None
    label_ranges: list[list[int]] | None = None
    object_shape: str | None = None
    object_current_frame: int | None = None
    object_hash: str | None = None
    object_id: int | None = None
    classification_hash: str | None = None


class StageOfTask(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The workflow stage of a record of time spent."""

    uuid: str
    title: str
    stage_type: str | None = None


class TimeSpent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Time that one user spent on one task in one day.

    :param project_user_role: Number of the role; see `roles`.
    """

    period_start_time: str
    period_end_time: str
    time_spent_seconds: int
    user_email: str
    data_uuid: str
    project_user_role: int | None = None
    data_title: str | None = None
    dataset_uuid: str | None = None
    dataset_title: str | None = None
    workflow_task_uuid: str | None = None
    workflow_stage: StageOfTask | None = None


class TaskAction(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One action on a task.

    :param action_type: One of `TASK_ACTIONS`, or a newer value.
    """

    timestamp: str
    action_type: str
    task_uuid: str
    project_uuid: str | None = None
    workflow_stage_uuid: str | None = None
    data_unit_uuid: str | None = None
    actor_email: str | None = None


class CollaboratorTimer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Time of one collaborator, in total or on one data unit."""

    user_email: str
    time_seconds: float
    user_role: int | None = None
    data_title: str | None = None


_LABEL_LOGS = several(v1_reader(list[LabelLog]))
_EDITOR_LOGS = v2_reader(Page[EditorLog])
_TIME_SPENT = v2_reader(Page[TimeSpent])
_TASK_ACTIONS = v2_reader(Page[TaskAction])
_TIMERS = v2_reader(Page[CollaboratorTimer])


@operation("label_logs.list", "v1")
def list_label_logs(
    project: str,
    *,
    user_hash: str | None = None,
    data_hash: str | None = None,
    after: int | None = None,
    before: int | None = None,
    user_email: str | None = None,
) -> Call[list[LabelLog]]:
    """List the changes of labels, in one response. Encord recommends the editor logs instead, which need an SSH key.

    :param after: Start of the interval, as Unix time in seconds.
    :param before: End of the interval, as Unix time in seconds.
    """
    filters: dict[str, Any] = {
        "user_hash": user_hash,
        "data_hash": data_hash,
        "start_timestamp": after,
        "end_timestamp": before,
        "user_email": user_email,
    }
    payload = {name: value for name, value in filters.items() if value is not None}
    payload["include_user_email_and_interface_key"] = True
    request = Envelope("labellog", "GET", Resource("project", project), payload=payload)
    return Call(request=request, credentials=SSH_OR_API_KEY, read=_LABEL_LOGS)


@operation("editor_logs.list", "v2")
def list_editor_logs(
    project: str,
    *,
    start: Time,
    end: Time,
    action: str | None = None,
    user_email: str | None = None,
    stage: str | None = None,
    data_hash: str | None = None,
    page: str | None = None,
) -> Call[Page[EditorLog]]:
    """List one page of the actions in the label editor.

    :param start: Start of the interval. Both ends are required, and at most `LONGEST_EDITOR_LOG` apart.
    """
    query = {
        "startTime": write_utc_time(start),
        "endTime": write_utc_time(end),
        "action": action,
        "actorUserEmail": user_email,
        "workflowStageId": stage,
        "dataUnitId": data_hash,
        "pageToken": page,
    }
    return Call(request=Request("GET", f"projects/{project}/editor-logs", query), read=_EDITOR_LOGS)


@operation("analytics.time_spent", "v2")
def list_time_spent(
    project: str,
    *,
    after: Time,
    before: Time | None = None,
    stages: Sequence[str] = (),
    user_emails: Sequence[str] = (),
    datasets: Sequence[str] = (),
    data_hashes: Sequence[str] = (),
    data_title: str | None = None,
    page: str | None = None,
) -> Call[Page[TimeSpent]]:
    """List one page of the time that users spent on tasks, by day.

    :param before: End of the interval; None for now.
    """
    query = {
        "projectUuid": project,
        "after": write_utc_time(after),
        "before": write_utc_time(before),
        "workflowStageUuids": list(stages),
        "userEmails": list(user_emails),
        "datasetUuids": list(datasets),
        "dataUuids": list(data_hashes),
        "dataTitle": data_title,
        "pageToken": page,
    }
    return Call(request=Request("GET", "analytics/time-spent", query), read=_TIME_SPENT)


@operation("analytics.task_actions", "v2")
def list_task_actions(
    project: str,
    *,
    after: Time,
    before: Time,
    user_emails: Sequence[str] = (),
    actions: Sequence[str] = (),
    stages: Sequence[str] = (),
    data_hashes: Sequence[str] = (),
    page: str | None = None,
) -> Call[Page[TaskAction]]:
    """List one page of the actions on tasks.

    :param actions: Values of `TASK_ACTIONS`.
    """
    query = {
        "projectUuid": project,
        "after": write_utc_time(after),
        "before": write_utc_time(before),
        "actorEmails": list(user_emails),
        "eventTypes": list(actions),
        "workflowStageUuids": list(stages),
        "dataUnitUuids": list(data_hashes),
        "pageToken": page,
    }
    return Call(request=Request("GET", "analytics/task-actions", query), read=_TASK_ACTIONS)


@operation("analytics.collaborator_timers", "v2")
def list_collaborator_timers(
    project: str,
    *,
    after: Time,
    before: Time | None = None,
    group_by: str = BY_DATA_UNIT,
    page_size: int = 100,
    page: str | None = None,
) -> Call[Page[CollaboratorTimer]]:
    """List one page of the time of each collaborator. Encord recommends `list_time_spent` instead.

    :param group_by: `BY_DATA_UNIT` or `BY_PROJECT`.
    """
    query = {
        "projectHash": project,
        "after": write_utc_time(after),
        "before": write_utc_time(before),
        "groupBy": group_by,
        "pageSize": page_size,
        "pageToken": page,
    }
    return Call(request=Request("GET", "analytics/collaborators/timers", query), read=_TIMERS)
