"""Logs and analytics: what people did to labels and tasks, as five operations tell it.

No time is measured here: each action counts as a minute. Assignments and moves are no work in the
editor, so only the analytics of task actions tell them. That the newest comes first is [inferred].
"""

from __future__ import annotations

import datetime
import json
import uuid
from typing import Any, Literal

from ..requests import access, listing
from ..requests.exchange import Exchange
from ..requests.filters import Conditions
from ..state.store import Row
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.shapes import Strict, StrictCamel, moment

LONGEST_EDITOR_LOG = datetime.timedelta(days=30)
SECONDS_EACH = 60
_ORGANISATION = 1
_ROLES = {0: "ADMIN", 1: "ANNOTATOR", 2: "REVIEWER", 3: "ANNOTATOR_REVIEWER", 4: "TEAM_MANAGER", 5: "VIEWER"}
_ACTION_NUMBERS = {
    "add_object": 0,
    "edit_object": 1,
    "delete_object": 2,
    "add_classification": 0,
    "edit_classification": 1,
    "delete_classification": 2,
    "save": 14,
    "submit_task": 11,
    "approve_task": 33,
    "reject_task": 34,
}
_EVERYTHING = """
SELECT 'label' AS source, position, project, stage, task, data_hash, branch, category, action, actor, acted_at,
  thing, feature, name, shape, ranges FROM label_actions
UNION ALL
SELECT 'task', position, project, stage, task, data_hash, 'main', 'task', action || '_task', actor, acted_at,
  NULL, NULL, NULL, NULL, NULL FROM task_actions WHERE action IN ('submit', 'approve', 'reject')
"""
_JOINED = f"""
SELECT done.*, unit.title, unit.data_type, unit.dataset, datasets.title AS dataset_title, projects.ontology,
  stages.stage_type, stages.title AS stage_title, label.label_hash, users.user_hash, users.role AS organisation_role,
  (SELECT role FROM memberships WHERE kind = 'project' AND resource = done.project AND email = done.actor
   ORDER BY rank LIMIT 1) AS role
FROM ({_EVERYTHING}) AS done
JOIN data_units AS unit USING (data_hash) JOIN datasets ON datasets.uuid = unit.dataset
JOIN projects ON projects.uuid = done.project
LEFT JOIN stages ON stages.project = done.project AND stages.uuid = done.stage
LEFT JOIN label_rows AS label
  ON label.project = done.project AND label.data_hash = done.data_hash AND label.branch = done.branch
LEFT JOIN users ON users.email = done.actor
WHERE done.project = ? AND {{conditions}}
"""  # noqa: S608 - constants


class LabelLogPayload(Strict, frozen=True):
    user_hash: str | None = None
    data_hash: str | None = None
    start_timestamp: int | None = None
    end_timestamp: int | None = None
    user_email: str | None = None
    include_user_email_and_interface_key: bool = False


class EditorLogQuery(StrictCamel, frozen=True):
    start_time: str
    end_time: str
    action: str | None = None
    actor_user_email: str | None = None
    workflow_stage_id: str | None = None
    data_unit_id: str | None = None
    page_token: str | None = None


class TimeSpentQuery(StrictCamel, frozen=True):
    project_uuid: str
    after: str
    before: str | None = None
    workflow_stage_uuids: list[str] | None = None
    user_emails: list[str] | None = None
    dataset_uuids: list[str] | None = None
    data_uuids: list[str] | None = None
    data_title: str | None = None
    page_token: str | None = None


class TaskActionQuery(StrictCamel, frozen=True):
    project_uuid: str
    after: str
    before: str | None = None
    actor_emails: list[str] | None = None
    event_types: list[str] | None = None
    workflow_stage_uuids: list[str] | None = None
    data_unit_uuids: list[str] | None = None
    page_token: str | None = None


class TimerQuery(StrictCamel, frozen=True):
    project_hash: str
    after: str
    before: str | None = None
    group_by: Literal["dataUnit", "project"] = "dataUnit"
    page_size: int = 100
    page_token: str | None = None


def label_logs(exchange: Exchange) -> list[dict[str, Any]]:
    """What was done to labels (v1), newest first."""
    payload: LabelLogPayload = exchange.payload or LabelLogPayload()
    conditions = Conditions()
    conditions.equal("users.user_hash", payload.user_hash)
    conditions.equal("done.actor", payload.user_email)
    conditions.equal("done.data_hash", payload.data_hash)
    if payload.start_timestamp is not None:
        conditions.add("done.acted_at >= ?", _at(payload.start_timestamp))
    if payload.end_timestamp is not None:
        conditions.add("done.acted_at <= ?", _at(payload.end_timestamp))
    rows = _done(exchange, exchange.resource, conditions, -1, 0)
    return [_label_log(row, emails=payload.include_user_email_and_interface_key) for row in rows]


def editor_logs(exchange: Exchange) -> dict[str, Any]:
    """What was done in the editor, newest first."""
    query: EditorLogQuery = exchange.query
    start, end = moment(query.start_time, "startTime"), moment(query.end_time, "endTime")
    if end < start:
        raise RefusalError(Reason.INVALID, "endTime: must not be before startTime")
    if times.moment(end) - times.moment(start) > LONGEST_EDITOR_LOG:
        raise RefusalError(Reason.INVALID, "endTime: must be at most 30 days after startTime")
    conditions = Conditions()
    conditions.add("done.acted_at >= ? AND done.acted_at <= ?", start, end)
    conditions.equal("done.action", query.action)
    conditions.equal("done.actor", query.actor_user_email)
    conditions.equal("done.stage", query.workflow_stage_id)
    conditions.equal("done.data_hash", query.data_unit_id)
    first, size = listing.page_start(query.page_token), exchange.emulation.limits.page_size
    rows = _done(exchange, exchange.path["project"], conditions, size + 1, first)
    return listing.page([_editor_log(row) for row in rows], first, size)


def time_spent(exchange: Exchange) -> dict[str, Any]:
    """Time by user, task and day."""
    query: TimeSpentQuery = exchange.query
    conditions = _interval(exchange, query.project_uuid, query.after, query.before)
    conditions.among("done.stage", query.workflow_stage_uuids)
    conditions.among("done.actor", query.user_emails)
    conditions.among("unit.dataset", query.dataset_uuids)
    conditions.among("done.data_hash", query.data_uuids)
    conditions.equal("unit.title", query.data_title)
    spent: dict[tuple[str, str, str], tuple[Row, int]] = {}
    for row in _done(exchange, query.project_uuid, conditions, -1, 0):
        key = (row["acted_at"][:10], row["actor"], row["task"])
        spent[key] = (row, spent.get(key, (row, 0))[1] + SECONDS_EACH)
    views = [_time_view(day, row, seconds) for (day, _, _), (row, seconds) in spent.items()]
    return _page_of(views, query.page_token, exchange.emulation.limits.page_size)


def task_actions(exchange: Exchange) -> dict[str, Any]:
    """What was done to tasks, newest first."""
    query: TaskActionQuery = exchange.query
    conditions = _interval(exchange, query.project_uuid, query.after, query.before)
    conditions.among("done.actor", query.actor_emails)
    conditions.among("done.action", query.event_types)
    conditions.among("done.stage", query.workflow_stage_uuids)
    conditions.among("done.data_hash", query.data_unit_uuids)
    first, size = listing.page_start(query.page_token), exchange.emulation.limits.page_size
    rows = exchange.store.all(
        f"SELECT * FROM task_actions AS done WHERE project = ? AND {conditions.sql}"  # noqa: S608 - see Conditions
        " ORDER BY acted_at DESC, position DESC LIMIT ? OFFSET ?",
        *(query.project_uuid, *conditions.values, size + 1, first),
    )
    views = [
        {
            "timestamp": times.v2(row["acted_at"]),
            "actionType": row["action"],
            "projectUuid": row["project"],
            "workflowStageUuid": row["stage"],
            "taskUuid": row["task"],
            "dataUnitUuid": row["data_hash"],
            "actorEmail": row["actor"],
        }
        for row in rows
    ]
    return listing.page(views, first, size)


def collaborator_timers(exchange: Exchange) -> dict[str, Any]:
    """Time of each collaborator, in all or by data unit."""
    query: TimerQuery = exchange.query
    if not 1 <= query.page_size <= 1000:
        raise RefusalError(Reason.MALFORMED, "pageSize: must be from 1 to 1000")
    conditions = _interval(exchange, query.project_hash, query.after, query.before)
    spent: dict[tuple[str, str | None], tuple[Row, int]] = {}
    for row in _done(exchange, query.project_hash, conditions, -1, 0):
        key = (row["actor"], row["title"] if query.group_by == "dataUnit" else None)
        spent[key] = (row, spent.get(key, (row, 0))[1] + SECONDS_EACH)
    views = [
        {"userEmail": email, "userRole": _role(row), "dataTitle": title, "timeSeconds": float(seconds)}
        for (email, title), (row, seconds) in spent.items()
    ]
    return _page_of(views, query.page_token, min(query.page_size, exchange.emulation.limits.page_size))


def _done(exchange: Exchange, project: str, conditions: Conditions, limit: int, offset: int) -> list[Row]:
    order = " ORDER BY done.acted_at DESC, done.source DESC, done.position DESC LIMIT ? OFFSET ?"
    return exchange.store.all(
        _JOINED.format(conditions=conditions.sql) + order,
        *(project, *conditions.values, limit, offset),
    )


def _interval(exchange: Exchange, project: str, after: str, before: str | None) -> Conditions:
    """What lies between two times, in a project that the caller belongs to."""
    access.role_in(exchange, "project", project)  # refuses who is not a member
    conditions = Conditions()
    conditions.add("done.acted_at >= ?", moment(after, "after"))
    conditions.before("done.acted_at", before, "before")
    return conditions


def _page_of(views: list[dict[str, Any]], token: str | None, size: int) -> dict[str, Any]:
    first = listing.page_start(token)
    return listing.page(views[first : first + size + 1], first, size)


def _at(timestamp: int) -> str:
    return times.stored(datetime.datetime.fromtimestamp(timestamp, datetime.UTC))


def _id(row: Row) -> str:
    return str(uuid.uuid5(uuid.UUID(row["project"]), f"{row['source']}-{row['position']}"))


def _role(row: Row) -> int:
    """The role of who did it; of one who is no member any more, that of an annotator."""
    return 1 if row["role"] is None else int(row["role"])


def _label_log(row: Row, *, emails: bool) -> dict[str, Any]:
    ranges = json.loads(row["ranges"] or "null")
    view = {
        "log_hash": _id(row),
        "user_hash": row["user_hash"] or "",
        "data_hash": row["data_hash"],
        "action": _ACTION_NUMBERS[row["action"]],
        "created_at": times.v1_project(row["acted_at"]),
        "identifier": row["thing"],
        "annotation_hash": row["thing"],  # its name until 2022; the SDKs of then want it, later ones ignore it
        "feature_hash": row["feature"],
        "label_name": row["name"],
        "time_taken": SECONDS_EACH * 1000,
        "frame": ranges[0][0] if ranges else None,
    }
    return {**view, "user_email": row["actor"]} if emails else view


def _editor_log(row: Row) -> dict[str, Any]:
    view: dict[str, Any] = {
        "id": _id(row),
        "action": row["action"],
        "actionCategory": row["category"],
        "dataUnitId": row["data_hash"],
        "workflowStageId": row["stage"],
        "branchName": row["branch"],
        "workflowTaskId": row["task"],
        "timestamp": times.v2(row["acted_at"]),
        "sessionId": str(uuid.uuid5(uuid.UUID(row["task"]), f"{row['actor']} {row['acted_at'][:10]}")),
        "actorUserId": row["user_hash"] or "",
        "actorOrganisationId": _ORGANISATION,
        "actorUserEmail": row["actor"],
        "projectId": row["project"],
        "projectOrganisationId": _ORGANISATION,
        "projectUserRole": _ROLES[_role(row)],
        "projectOrganisationUserRole": row["organisation_role"] or "MEMBER",
        "dataUnitTitle": row["title"],
        "dataUnitDataType": row["data_type"],
        "dataUnitDatasetId": row["dataset"],
        "dataUnitDatasetTitle": row["dataset_title"],
        "ontologyId": row["ontology"],
        "labelId": row["label_hash"] or "",
        "workflowStageType": row["stage_type"] or "",
        "workflowStageTitle": row["stage_title"] or "",
    }
    if row["thing"] is None:
        return view
    view |= {
        "labelName": row["name"],
        "featureId": row["feature"],
        "labelRanges": json.loads(row["ranges"] or "[]"),
    }
    if row["category"] == "classification":
        return view | {"classificationHash": row["thing"]}
    return view | {
        "objectShape": row["shape"],
        "objectHash": row["thing"],
        "objectId": row["position"],
        "objectCurrentFrame": view["labelRanges"][0][0] if view["labelRanges"] else None,
    }


def _time_view(day: str, row: Row, seconds: int) -> dict[str, Any]:
    begin = datetime.datetime.fromisoformat(day)
    return {
        "periodStartTime": times.v2(times.stored(begin)),
        "periodEndTime": times.v2(times.stored(begin + datetime.timedelta(days=1))),
        "timeSpentSeconds": seconds,
        "userEmail": row["actor"],
        "projectUserRole": _role(row),
        "dataUuid": row["data_hash"],
        "dataTitle": row["title"],
        "datasetUuid": row["dataset"],
        "datasetTitle": row["dataset_title"],
        "workflowTaskUuid": row["task"],
        "workflowStage": {"stageType": row["stage_type"], "uuid": row["stage"], "title": row["stage_title"]},
    }
