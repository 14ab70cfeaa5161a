"""Label reviews: the judgement on each object and classification of a task that is in a review stage.

They are made when the task comes in, for labels of the main branch that have none from an earlier visit. What was
rejected becomes ``RESOLVED`` when the task is submitted again; a label that was taken out takes its review along
[inferred]. A rejection with a comment is an issue at the label.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from ..requests import listing
from ..requests.exchange import Exchange
from ..rows.label_rows import MAIN
from ..state.store import Store
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import is_uuid, new_uuids
from ..wire.shapes import StrictCamel
from . import issues, stage_access

OPEN = ("NEW", "REOPENED", "RESOLVED")
_STATUS = {"APPROVE": "APPROVED", "REJECT": "REJECTED", "REOPEN": "REOPENED"}
_LABELS = """
SELECT tasks.uuid, kind.value AS label_type, one.key AS label_id FROM tasks
JOIN label_rows AS label ON label.project = tasks.project AND label.data_hash = tasks.data_hash AND label.branch = ?
JOIN json_each('{"object_answers":"Object","classification_answers":"Classification"}') AS kind
JOIN json_each('{' || label.answers || '}', '$.' || kind.key) AS one
WHERE tasks.uuid IN (SELECT value FROM json_each(?)) ORDER BY tasks.rowid, kind.key DESC
"""


class ReviewAction(StrictCamel, frozen=True):
    review_uuid: str
    action: Literal["APPROVE", "REJECT", "REOPEN"]
    comment: str | None = None
    comment_tags: list[str] | None = None


def open_reviews(store: Store, tasks: Sequence[str], stage: str) -> None:
    """Reviews of the labels that these tasks have now, as they come into a review stage."""
    chosen = json.dumps(list(tasks))
    labels = [tuple(row) for row in store.all(_LABELS, MAIN, chosen)]
    there = set(labels)
    sql = "SELECT * FROM label_reviews WHERE stage = ? AND task IN (SELECT value FROM json_each(?))"
    earlier = {(row["task"], row["label_type"], row["label_id"]): row["uuid"] for row in store.all(sql, stage, chosen)}
    gone = [uuid for label, uuid in earlier.items() if label not in there]
    store.run("DELETE FROM label_reviews WHERE uuid IN (SELECT value FROM json_each(?))", json.dumps(gone))
    new = [label for label in labels if label not in earlier]
    store.many(
        "INSERT INTO label_reviews VALUES (NULL, ?, ?, ?, ?, ?, 'NEW')",
        (
            (uuid, task, stage, label_type, label_id)
            for uuid, (task, label_type, label_id) in zip(new_uuids(len(new)), new, strict=True)
        ),
    )


def judge_open(store: Store, tasks: Sequence[str], stage: str, status: str, actor: str, now: str) -> None:
    """Judge what is open of these tasks, as approving or rejecting a task does."""
    sql = (
        "SELECT uuid FROM label_reviews WHERE stage = ? AND task IN (SELECT value FROM json_each(?))"
        " AND status IN (SELECT value FROM json_each(?))"
    )
    reviews = store.column(sql, stage, json.dumps(list(tasks)), json.dumps(OPEN))
    _set_status(store, reviews, status, actor, now)


def resolve(store: Store, tasks: Sequence[str], actor: str, now: str) -> None:
    """What was rejected of these tasks is said to be mended, as submitting a task does."""
    sql = "SELECT uuid FROM label_reviews WHERE status = 'REJECTED' AND task IN (SELECT value FROM json_each(?))"
    _set_status(store, store.column(sql, json.dumps(list(tasks))), "RESOLVED", actor, now)


def list_page(exchange: Exchange) -> dict[str, Any]:
    query: listing.PageQuery = exchange.query
    stage, task = _review_stage(exchange)
    start, size = listing.page_start(query.page_token), exchange.emulation.limits.page_size
    sql = "SELECT * FROM label_reviews WHERE task = ? AND stage = ? ORDER BY position LIMIT ? OFFSET ?"
    rows = exchange.store.all(sql, task, stage, size + 1, start)
    views = [
        {
            "reviewUuid": row["uuid"],
            "status": row["status"],
            "labelType": row["label_type"],
            "labelId": row["label_id"],
        }
        for row in rows
    ]
    return listing.page(views, start, size)


def act(exchange: Exchange) -> None:
    """Review labels; a single bad entry refuses all of them."""
    actions: list[ReviewAction] = exchange.body
    stage, task = _review_stage(exchange)
    stage_access.require_role(exchange, stage_access.REVIEWERS, "judge labels")
    stage_access.require_at_most(len(actions), stage_access.MOST_ACTIONS, "actions")
    store, actor, now = exchange.store, exchange.caller.email, exchange.clock.stamp()
    for action in actions:
        sql = "SELECT * FROM label_reviews WHERE uuid = ? AND task = ? AND stage = ?"
        review = store.one(sql, action.review_uuid, task, stage)
        if review is None:
            raise RefusalError(Reason.NOT_FOUND, f"reviewUuid: {action.review_uuid} is not a label review of this task")
        if action.action != "REJECT" and (action.comment is not None or action.comment_tags is not None):
            raise RefusalError(Reason.INVALID, "comment, commentTags: only with REJECT")
        _set_status(store, [action.review_uuid], _STATUS[action.action], actor, now)
        if action.comment is not None or action.comment_tags:
            issues.comment_on_label(exchange, review, action.comment or "", action.comment_tags or [])


def _set_status(store: Store, reviews: Sequence[str], status: str, actor: str, now: str) -> None:
    chosen = json.dumps(list(reviews))
    store.run("UPDATE label_reviews SET status = ? WHERE uuid IN (SELECT value FROM json_each(?))", status, chosen)
    issues.settle(store, reviews, resolved=status in ("APPROVED", "RESOLVED"), actor=actor, now=now)


def _review_stage(exchange: Exchange) -> tuple[str, str]:
    """Stage and task of the path, which must be a review task that is in this stage."""
    stage, task = stage_access.stage_in_path(exchange), exchange.path["task"]
    if stage["stage_type"] != "REVIEW":
        raise RefusalError(Reason.INVALID, f"stage: tasks of type {stage['stage_type']} have no label reviews")
    sql = "SELECT 1 FROM tasks WHERE uuid = ? AND project = ? AND stage = ?"
    if not is_uuid(task) or exchange.store.one(sql, task, exchange.path["project"], stage["uuid"]) is None:
        raise RefusalError(Reason.NOT_FOUND, f"task: {task} is not in this stage")
    return stage["uuid"], task
