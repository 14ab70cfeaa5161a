"""What is done to tasks: submit, approve, reject, assign, release, proceed, move.

A request does all of its actions or none: one task that is not in the stage, or that an action does not fit, refuses
the other 999, as the vendor's own runner of agents says. Which roles may do what, that only a manager acts on a
task that somebody else has, and that a task may be named once only, is [inferred]. A task of a consensus annotation
stage is worked on by its sub-tasks.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import msgspec

from ..requests.exchange import Exchange
from ..state.store import Row, Store
from ..wire.errors import Reason, RefusalError
from ..wire.shapes import StrictCamel
from . import consensus, reviews, stage_access, workflow


class Submit(StrictCamel, frozen=True, tag_field="action", tag="SUBMIT"):
    task_uuid: str
    resolve_label_reviews: bool = True
    assignee: str | None = None
    retain_assignee: bool = False


class Approve(StrictCamel, frozen=True, tag_field="action", tag="APPROVE"):
    task_uuid: str
    approve_label_reviews: bool = True
    assignee: str | None = None
    retain_assignee: bool = False


class Reject(StrictCamel, frozen=True, tag_field="action", tag="REJECT"):
    task_uuid: str
    reject_label_reviews: bool = True
    assignee: str | None = None
    retain_assignee: bool = False


class Assign(StrictCamel, frozen=True, tag_field="action", tag="ASSIGN"):
    task_uuid: str
    assignee: str


class Release(StrictCamel, frozen=True, tag_field="action", tag="RELEASE"):
    task_uuid: str


class Proceed(StrictCamel, frozen=True, tag_field="action", tag="PATHWAY_ACTION"):
    task_uuid: str
    pathway_uuid: str | None = None
    pathway_name: str | None = None


Action = Submit | Approve | Reject | Assign | Release | Proceed


class MoveBody(StrictCamel, frozen=True):
    task_uuids: list[str]
    destination_stage_uuid: str


_FIT = {
    "ANNOTATION": (Submit, Assign, Release),
    "CONSENSUS_ANNOTATION": (Submit, Assign, Release),
    "REVIEW": (Approve, Reject, Assign, Release),
    "CONSENSUS_REVIEW": (Approve, Reject, Assign, Release),
    "AGENT": (Proceed,),
    "DONE": (),
}
_ROLES = {
    Submit: stage_access.ANNOTATORS,
    Approve: stage_access.REVIEWERS,
    Reject: stage_access.REVIEWERS,
    Assign: stage_access.WORKERS,
    Release: stage_access.WORKERS,
    Proceed: stage_access.MANAGERS,
}


@dataclasses.dataclass(frozen=True)
class Work:
    """Who does something where, and when."""

    store: Store
    project: str
    stage: Row
    actor: str
    now: str

    def put(
        self,
        tasks: Sequence[str],
        stage: str,
        action: str,
        *,
        assignee: str | None = None,
        retain: bool = False,
        rejected: bool = False,
    ) -> None:
        """Note what is done, and put the tasks where it brings them; see `workflow.put`.

        :param retain: Counts only if no assignee is named.
        """
        workflow.record(self.store, self.project, tasks, action, self.actor, self.now)
        workflow.put(
            self.store,
            self.project,
            tasks,
            stage,
            actor=self.actor,
            now=self.now,
            assignee=assignee,
            retain=retain and assignee is None,
            rejected=rejected,
        )


def act(exchange: Exchange) -> None:
    """Carry out a list of actions in one stage; alike ones together."""
    actions: list[Action] = exchange.body
    stage = stage_access.stage_in_path(exchange)
    stage_access.require_at_most(len(actions), stage_access.MOST_ACTIONS, "actions")
    _require_distinct([action.task_uuid for action in actions])
    work = _work(exchange, stage)
    alike: dict[Action, list[str]] = {}
    for action in actions:
        alike.setdefault(msgspec.structs.replace(action, task_uuid=""), []).append(action.task_uuid)
    consensual = stage["stage_type"] == "CONSENSUS_ANNOTATION"
    for action, tasks in alike.items():
        _require_fit(exchange, action, stage)
        rows = _subtasks(work, tasks) if consensual else _tasks(work, tasks)
        _require_own(exchange, action, rows)
        if isinstance(action, Submit | Approve | Reject):
            _require_somebody(action, rows)
        if isinstance(action, Submit | Approve | Reject | Assign) and action.assignee is not None:
            stage_access.require_members(exchange, [action.assignee])
        if consensual:
            _do_subtasks(work, action, rows)
        else:
            _do(work, action, tasks)


def move(exchange: Exchange) -> None:
    """Move tasks to another stage of any type, out of final ones, too."""
    body: MoveBody = exchange.body
    stage = stage_access.stage_in_path(exchange)
    stage_access.require_role(exchange, stage_access.MANAGERS, "move tasks")
    stage_access.require_at_most(len(body.task_uuids), stage_access.MOST_MOVES, "taskUuids")
    _require_distinct(body.task_uuids)
    destination = stage_access.stage_of(exchange, body.destination_stage_uuid)
    if destination["uuid"] == stage["uuid"]:
        raise RefusalError(Reason.INVALID, "destinationStageUuid: this is the stage that the tasks are in")
    work = _work(exchange, stage)
    _tasks(work, body.task_uuids)
    work.put(body.task_uuids, destination["uuid"], "move")


def pass_on(work: Work, tasks: Sequence[str]) -> None:
    """Bring tasks one stage on, as its annotator or reviewer would: for the control that plays people."""
    following = workflow.next_stage(work.stage)
    if work.stage["stage_type"] == "CONSENSUS_ANNOTATION":
        consensus.finish_subtasks(work.store, tasks, work.actor, work.now)
    if work.stage["stage_type"] == "REVIEW":
        reviews.judge_open(work.store, tasks, work.stage["uuid"], "APPROVED", work.actor, work.now)
    else:
        reviews.resolve(work.store, tasks, work.actor, work.now)
    work.put(tasks, following, "approve" if work.stage["stage_type"].endswith("REVIEW") else "submit")


def _work(exchange: Exchange, stage: Row) -> Work:
    return Work(exchange.store, exchange.path["project"], stage, exchange.caller.email, exchange.clock.stamp())


def _do(work: Work, action: Action, tasks: Sequence[str]) -> None:
    store, stage, actor, now = work.store, work.stage, work.actor, work.now
    match action:
        case Submit(resolve_label_reviews=resolve, assignee=assignee, retain_assignee=retain):
            if resolve:
                reviews.resolve(store, tasks, actor, now)
            work.put(tasks, workflow.next_stage(stage), "submit", assignee=assignee, retain=retain)
        case Approve(approve_label_reviews=approve, assignee=assignee, retain_assignee=retain):
            if approve:
                reviews.judge_open(store, tasks, stage["uuid"], "APPROVED", actor, now)
            if stage["stage_type"] == "CONSENSUS_REVIEW":
                consensus.take_first(store, tasks, now)
            work.put(tasks, workflow.next_stage(stage), "approve", assignee=assignee, retain=retain)
        case Reject(reject_label_reviews=reject, assignee=assignee, retain_assignee=retain):
            if stage["reject_to"] is None:
                raise RefusalError(Reason.INVALID, f"stage {stage['title']!r}: nothing comes before it")
            if reject:
                reviews.judge_open(store, tasks, stage["uuid"], "REJECTED", actor, now)
            work.put(tasks, stage["reject_to"], "reject", assignee=assignee, retain=retain, rejected=True)
        case Assign() | Release():
            _give(work, action, "tasks", tasks)
        case Proceed():
            work.put(tasks, _destination(stage, action), "submit")


def _do_subtasks(work: Work, action: Action, rows: Sequence[Row]) -> None:
    done = [row["uuid"] for row in rows if row["status"] == "COMPLETED"]
    if done:
        raise RefusalError(Reason.INVALID, f"taskUuid: sub-task {done[0]} is completed; nothing was done")
    subtasks = [row["uuid"] for row in rows]
    if isinstance(action, Assign):
        _require_one_each(work, action.assignee, rows)
    if isinstance(action, Assign | Release):
        _give(work, action, "subtasks", subtasks)
        return
    assert isinstance(action, Submit)  # noqa: S101 - the only other one that fits
    work.store.run(
        "UPDATE subtasks SET status = 'COMPLETED', assignee = coalesce(assignee, ?), updated_at = ?"
        " WHERE uuid IN (SELECT value FROM json_each(?))",
        *(work.actor, work.now, json.dumps(subtasks)),
    )
    parents = list(dict.fromkeys(row["task"] for row in rows))
    busy = set(
        work.store.column(
            "SELECT task FROM subtasks WHERE status != 'COMPLETED' AND task IN (SELECT value FROM json_each(?))",
            json.dumps(parents),
        )
    )
    finished = [task for task in parents if task not in busy]
    workflow.record(
        work.store, work.project, [task for task in parents if task in busy], "submit", work.actor, work.now
    )
    _touch(work, parents)
    last = {row["task"]: action.assignee or (row["assignee"] if action.retain_assignee else None) for row in rows}
    for task in finished:
        work.put([task], workflow.next_stage(work.stage), "submit", assignee=last[task])


def _give(work: Work, action: Assign | Release, table: str, uuids: Sequence[str]) -> None:
    """Assign or release; they stay where they are."""
    giving = isinstance(action, Assign)
    work.store.run(
        f"UPDATE {table} SET assignee = ?, status = ?, updated_at = ? WHERE uuid IN (SELECT value FROM json_each(?))",  # noqa: S608
        action.assignee if isinstance(action, Assign) else None,
        "ASSIGNED" if giving else "RELEASED",
        *(work.now, json.dumps(list(uuids))),
    )
    tasks = uuids
    if table == "subtasks":
        sql = "SELECT DISTINCT task FROM subtasks WHERE uuid IN (SELECT value FROM json_each(?))"
        tasks = work.store.column(sql, json.dumps(list(uuids)))
    _touch(work, tasks)
    workflow.record(work.store, work.project, tasks, "assign" if giving else "release", work.actor, work.now)


def _touch(work: Work, tasks: Sequence[str]) -> None:
    sql = "UPDATE tasks SET last_actioned_by = ?, updated_at = ? WHERE uuid IN (SELECT value FROM json_each(?))"
    work.store.run(sql, work.actor, work.now, json.dumps(list(tasks)))


def _destination(stage: Row, action: Proceed) -> str:
    if (action.pathway_uuid is None) == (action.pathway_name is None):
        raise RefusalError(Reason.INVALID, "pathwayUuid, pathwayName: one of them, and only one")
    for way in json.loads(stage["pathways"]):
        if action.pathway_uuid == way["uuid"] or action.pathway_name == way["title"]:
            return str(way["destinationUuid"])
    named = action.pathway_uuid or action.pathway_name
    raise RefusalError(Reason.INVALID, f"stage {stage['title']!r} has no pathway {named!r}; nothing was done")


def _tasks(work: Work, uuids: Sequence[str]) -> list[Row]:
    """:raises RefusalError: One of these tasks is not in the stage."""
    rows = work.store.all(
        "SELECT * FROM tasks WHERE project = ? AND stage = ? AND uuid IN (SELECT value FROM json_each(?))",
        *(work.project, work.stage["uuid"], json.dumps(list(uuids))),
    )
    return _all_there(work, uuids, rows)


def _subtasks(work: Work, uuids: Sequence[str]) -> list[Row]:
    """:raises RefusalError: One of these sub-tasks is of no task in the stage."""
    rows = work.store.all(
        "SELECT subtasks.* FROM subtasks JOIN tasks ON tasks.uuid = subtasks.task WHERE project = ? AND stage = ?"
        " AND subtasks.uuid IN (SELECT value FROM json_each(?))",
        *(work.project, work.stage["uuid"], json.dumps(list(uuids))),
    )
    return _all_there(work, uuids, rows)


def _all_there(work: Work, uuids: Sequence[str], rows: list[Row]) -> list[Row]:
    missing = set(uuids) - {row["uuid"] for row in rows}
    if missing:
        raise RefusalError(
            Reason.INVALID,
            f"{len(missing)} of {len(uuids)} tasks are not in stage {work.stage['title']!r}, for example "
            f"{min(missing)}; nothing was done",
        )
    return rows


def _require_distinct(uuids: Sequence[str]) -> None:
    if len(set(uuids)) != len(uuids):
        raise RefusalError(Reason.INVALID, "taskUuid: a task is named twice; nothing was done")


def _require_fit(exchange: Exchange, action: Action, stage: Row) -> None:
    kind = type(action)
    if kind not in _FIT[stage["stage_type"]]:
        name = kind.__struct_config__.tag
        raise RefusalError(Reason.INVALID, f"action: tasks of a {stage['stage_type']} stage do not take {name}")
    stage_access.require_role(exchange, _ROLES[kind], f"{kind.__name__.lower()} tasks")


def _require_own(exchange: Exchange, action: Action, rows: Sequence[Row]) -> None:
    """Only a manager may act on tasks of others, or assign a task to others."""
    if stage_access.is_manager(exchange):
        return
    email = exchange.caller.email
    if isinstance(action, Assign) and action.assignee != email:
        raise RefusalError(
            Reason.NOT_YOURS, "assignee: your role in this project lets you assign tasks to yourself only"
        )
    if any(row["assignee"] not in (None, email) for row in rows):
        raise RefusalError(Reason.NOT_YOURS, "taskUuid: a task is assigned to somebody else; nothing was done")


def _require_somebody(action: Submit | Approve | Reject, rows: Sequence[Row]) -> None:
    if action.retain_assignee and action.assignee is None and any(row["assignee"] is None for row in rows):
        raise RefusalError(
            Reason.INVALID, "retainAssignee: a task has no assignee that could be retained; nothing was done"
        )


def _require_one_each(work: Work, assignee: str, rows: Sequence[Row]) -> None:
    """A consensus of an annotator with himself is none [inferred]."""
    tasks = [row["task"] for row in rows]
    others = work.store.column(
        "SELECT task FROM subtasks WHERE assignee = ? AND task IN (SELECT value FROM json_each(?))"
        " AND uuid NOT IN (SELECT value FROM json_each(?))",
        *(assignee, json.dumps(tasks), json.dumps([row["uuid"] for row in rows])),
    )
    if others or len(set(tasks)) != len(tasks):
        raise RefusalError(
            Reason.INVALID, f"assignee: {assignee} has another sub-task of the same task; nothing was done"
        )
