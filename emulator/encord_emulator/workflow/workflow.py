"""Workflows: the stages of a project, the task that each data unit has in one of them, and how tasks come into stages.

A project without a template gets Annotate, Review, Complete. A stage of a template keeps its UUID in every project made
from it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from ..requests.exchange import Exchange
from ..state import webhook_events
from ..state.store import Row, Store
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid, new_uuids
from ..wire.shapes import Strict
from . import consensus, reviews
from .stage_access import ROUTER

STAGE_TYPES = ("ANNOTATION", "REVIEW", "CONSENSUS_ANNOTATION", "CONSENSUS_REVIEW", "AGENT", "DONE")
"""Those that the vendor's SDK can open; routers are not among them."""
_FIRST = ("ANNOTATION", "CONSENSUS_ANNOTATION")
_WITHOUT_ASSIGNEE = ("DONE", "CONSENSUS_ANNOTATION")
"""Where a task has no assignee: it is done, or its sub-tasks have assignees."""


class PathwayDraft(Strict, frozen=True):
    title: str
    to: str


class StageDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stage as the control takes it; other stages are named by title."""

    stage_type: str = msgspec.field(name="stageType")
    title: str = msgspec.field(name="title")
    pathways: list[PathwayDraft] | None = None
    next: str | None = None
    reject_to: str | None = None
    annotators: int | None = None


class GraphNodeAction(Strict, frozen=True):
    action: Literal["complete", "reopen"]


def default_stages() -> list[dict[str, Any]]:
    """Annotate, Review, Complete, with UUIDs of their own."""
    drafts = [StageDraft("ANNOTATION", "Annotate"), StageDraft("REVIEW", "Review"), StageDraft("DONE", "Complete")]
    return plan(drafts)


def plan(drafts: Sequence[StageDraft]) -> list[dict[str, Any]]:
    """Stages with UUIDs, from drafts that name each other by title. What is not said: on to the next one in the list,
    and back to the nearest annotation stage before.

    :raises RefusalError: A type or a title is unknown, a title is taken twice, or there is no final stage.
    """
    uuids = {draft.title: new_uuid() for draft in drafts}
    if len(uuids) != len(drafts):
        raise RefusalError(Reason.MALFORMED, "stages: two have the same title")
    if not any(draft.stage_type == "DONE" for draft in drafts):
        raise RefusalError(Reason.MALFORMED, "stages: one must be of stageType DONE")

    def uuid_of(title: str | None, field: str) -> str | None:
        if title is not None and title not in uuids:
            raise RefusalError(Reason.MALFORMED, f"stages: `{field}` names {title!r}, and no stage is called so")
        return uuids[title] if title is not None else None

    stages = []
    for position, draft in enumerate(drafts):
        if draft.stage_type not in (*STAGE_TYPES, ROUTER):
            raise RefusalError(
                Reason.MALFORMED, f"stages: stageType must be one of {', '.join((*STAGE_TYPES, ROUTER))}"
            )
        if draft.stage_type == ROUTER and (position == 0 or not draft.pathways):
            raise RefusalError(Reason.MALFORMED, "stages: a router has pathways, and tasks do not begin in it")
        final = draft.stage_type in ("DONE", ROUTER) or position + 1 == len(drafts)
        following = None if final else drafts[position + 1].title
        before = [other.title for other in drafts[:position] if other.stage_type in _FIRST]
        pathways = [
            {"uuid": new_uuid(), "title": way.title, "destinationUuid": uuid_of(way.to, "to")}
            for way in draft.pathways or []
        ]
        stages.append(
            {
                "uuid": uuids[draft.title],
                "title": draft.title,
                "stageType": draft.stage_type,
                "pathways": pathways if draft.stage_type in ("AGENT", ROUTER) else None,
                "next": uuid_of(draft.next or following, "next"),
                "reject_to": uuid_of(draft.reject_to or (before[-1] if before else None), "reject_to"),
                "annotators": _annotators(draft),
            }
        )
    return stages


def _annotators(draft: StageDraft) -> int | None:
    if draft.annotators is None:
        return None
    if draft.stage_type != "CONSENSUS_ANNOTATION" or draft.annotators < 1:
        raise RefusalError(Reason.MALFORMED, "stages: annotators is for CONSENSUS_ANNOTATION only, and 1 or more")
    return draft.annotators


def install(store: Store, project: str, stages: Sequence[dict[str, Any]]) -> None:
    """Give a new project its stages."""
    rows = [
        (
            project,
            stage["uuid"],
            position,
            stage["title"],
            stage["stageType"],
            json.dumps(stage["pathways"]) if stage["pathways"] is not None else None,
            stage["next"],
            stage["reject_to"],
        )
        for position, stage in enumerate(stages)
    ]
    store.many("INSERT INTO stages VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    annotators = [(project, stage["uuid"], stage["annotators"]) for stage in stages if stage.get("annotators")]
    store.many("INSERT INTO consensus_stages VALUES (?, ?, ?)", annotators)


def stages_of(store: Store, project: str) -> list[Row]:
    """The stages of a project, in order."""
    return store.all("SELECT * FROM stages WHERE project = ? ORDER BY position", project)


def shown_stages(store: Store, project: str) -> list[dict[str, Any]]:
    """The stages as the project shows them; routers are left out."""
    return [stage_view(stage) for stage in stages_of(store, project) if stage["stage_type"] != ROUTER]


def next_stage(stage: Row) -> str:
    """Where tasks go from here.

    :raises RefusalError: Nowhere.
    """
    if stage["next_stage"] is None:
        raise RefusalError(Reason.INVALID, f"stage {stage['title']!r}: nothing follows it")
    return str(stage["next_stage"])


def stage_view(stage: Row) -> dict[str, Any]:
    """A stage as the project shows it; only agent stages have pathways."""
    view = {"stageType": stage["stage_type"], "uuid": stage["uuid"], "title": stage["title"]}
    if stage["pathways"] is not None:
        view["pathways"] = json.loads(stage["pathways"])
    return view


def first_stage(store: Store, project: str) -> str:
    """Where tasks begin."""
    return str(stages_of(store, project)[0]["uuid"])


def final_stage(store: Store, project: str) -> str:
    """Where ``complete`` sends a row: the first final stage that is not an archive."""
    done = [stage for stage in stages_of(store, project) if stage["stage_type"] == "DONE"]
    done.sort(key=lambda stage: stage["title"].lower().startswith("archive"))
    return str(done[0]["uuid"])


def annotation_stage(store: Store, project: str) -> str:
    """Where ``reopen`` sends a row: the first annotation stage."""
    stages = stages_of(store, project)
    return str(next((stage["uuid"] for stage in stages if stage["stage_type"] in _FIRST), stages[0]["uuid"]))


def open_tasks(store: Store, project: str, data_hashes: Sequence[str], now: str) -> None:
    """One task in the first stage for each data unit that has none yet."""
    sql = "SELECT data_hash FROM tasks WHERE project = ? AND data_hash IN (SELECT value FROM json_each(?))"
    known = set(store.column(sql, project, json.dumps(list(data_hashes))))
    fresh = [data for data in data_hashes if data not in known]
    stage, uuids = stages_of(store, project)[0], new_uuids(len(fresh))
    store.many(
        "INSERT INTO tasks VALUES (?, ?, ?, ?, ?, NULL, NULL, 0.5, ?, ?)",
        (
            (uuid, project, data, stage["uuid"], _status_on_arrival(stage, None), now, now)
            for uuid, data in zip(uuids, fresh, strict=True)
        ),
    )
    _arrive(store, uuids, stage, now, rejected=False)


def put(
    store: Store,
    project: str,
    tasks: Sequence[str],
    stage: str,
    *,
    actor: str,
    now: str,
    assignee: str | None = None,
    retain: bool = False,
    rejected: bool = False,
) -> None:
    """Put tasks into a stage; they are not in it now. A router sends them on along its pathways, in turn.

    :param assignee: Who gets them there.
    :param retain: Who has them keeps them; every one of them is somebody's.
    :param rejected: They come back from a review.
    """
    place = store.one("SELECT * FROM stages WHERE project = ? AND uuid = ?", project, stage)
    assert place is not None  # noqa: S101 - a stage of this project, which callers made sure of
    if place["stage_type"] == ROUTER:
        ways = json.loads(place["pathways"])
        for number, way in enumerate(ways):  # in turn, so that tests know where each goes
            put(
                *(store, project, tasks[number :: len(ways)], way["destinationUuid"]),
                actor=actor,
                now=now,
                assignee=assignee,
                retain=retain,
                rejected=rejected,
            )
        return
    chosen = json.dumps(list(tasks))
    somebody = assignee is not None or retain
    keeps = place["stage_type"] not in _WITHOUT_ASSIGNEE
    status = "REOPENED" if rejected and keeps else _status_on_arrival(place, "somebody" if somebody else None)
    store.run(
        "UPDATE tasks SET stage = ?, status = ?, assignee = CASE WHEN ? THEN assignee ELSE ? END,"
        " last_actioned_by = ?, updated_at = ? WHERE uuid IN (SELECT value FROM json_each(?))",
        *(stage, status, retain and keeps, assignee if keeps else None, actor, now, chosen),
    )
    _arrive(store, tasks, place, now, rejected=rejected)


def _status_on_arrival(stage: Row, assignee: str | None) -> str:
    if stage["stage_type"] == "DONE":
        return "COMPLETED"
    return "ASSIGNED" if assignee is not None and stage["stage_type"] not in _WITHOUT_ASSIGNEE else "NEW"


def _arrive(store: Store, tasks: Sequence[str], stage: Row, now: str, *, rejected: bool) -> None:
    """What begins when tasks come into a stage."""
    if stage["stage_type"] == "REVIEW":
        reviews.open_reviews(store, tasks, stage["uuid"])
    if stage["stage_type"] == "CONSENSUS_ANNOTATION":
        consensus.open_subtasks(store, tasks, stage, now, rejected=rejected)
    if stage["stage_type"] == "DONE":
        webhook_events.note(store, stage["project"], tasks, webhook_events.TASK_COMPLETED, now)


def move_rows(exchange: Exchange) -> bool:
    """Complete or reopen label rows (v1), each of which must exist; who is there already stays."""
    action: GraphNodeAction = exchange.payload
    wanted: list[str] = list(dict.fromkeys(exchange.uid))
    exchange.emulation.limits.check_label_rows(len(wanted))
    store, project = exchange.store, exchange.resource
    data_hashes = store.column(
        "SELECT data_hash FROM label_rows WHERE project = ? AND label_hash IN (SELECT value FROM json_each(?))",
        project,
        json.dumps(wanted),
    )
    if len(data_hashes) != len(wanted):
        raise RefusalError(
            Reason.NOT_FOUND, f"{len(wanted) - len(data_hashes)} of these label rows are not in this project"
        )
    reopen = action.action == "reopen"
    stage = annotation_stage(store, project) if reopen else final_stage(store, project)
    tasks = store.column(
        "SELECT uuid FROM tasks WHERE project = ? AND stage != ? AND data_hash IN (SELECT value FROM json_each(?))",
        *(project, stage, json.dumps(data_hashes)),
    )
    actor, now = exchange.caller.email, exchange.clock.stamp()
    record(store, project, tasks, "move", actor, now)
    put(store, project, tasks, stage, actor=actor, now=now, rejected=reopen)
    return True


def record(store: Store, project: str, tasks: Sequence[str], action: str, actor: str, now: str) -> None:
    """Note for the analytics what is done to tasks, in the stage that they are in before it.

    :param action: As the analytics call it: ``assign``, ``approve``, ``submit``, ``move``, ``reject``, ``release``; an
        agent that lets a task proceed submits it [inferred].
    """
    store.run(
        "INSERT INTO task_actions SELECT NULL, project, stage, uuid, data_hash, ?, ?, ? FROM tasks"
        " WHERE project = ? AND uuid IN (SELECT value FROM json_each(?)) ORDER BY rowid",
        *(action, actor, now, project, json.dumps(list(tasks))),
    )
    if action == "submit":
        webhook_events.note(store, project, tasks, webhook_events.TASK_SUBMITTED, now)
