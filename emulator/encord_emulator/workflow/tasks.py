"""Tasks of a stage: the listing. What happens to tasks is in :mod:`.task_actions` and :mod:`.workflow`.

A page begins behind the last task of the one before, not at a number: tasks that leave meanwhile shift nothing.
"""

from __future__ import annotations

import json
from typing import Any

from ..requests import listing
from ..requests.exchange import Exchange
from ..requests.filters import Conditions
from ..rows.label_rows import MAIN
from ..state.store import Row, Store
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.shapes import StrictCamel
from . import consensus, stage_access

_WITH_STATUS = ("ANNOTATION", "REVIEW", "CONSENSUS_REVIEW", "AGENT")
_WITH_BRANCH = ("ANNOTATION", "AGENT")
_LIST = """
SELECT tasks.*, tasks.rowid AS position, data_units.title FROM tasks JOIN data_units USING (data_hash)
WHERE tasks.project = ? AND tasks.stage = ? AND tasks.rowid > ? AND {conditions} ORDER BY tasks.rowid LIMIT ?
"""


class TaskListing(StrictCamel, frozen=True):
    user_emails: list[str] | None = None
    data_hashes: list[str] | None = None
    dataset_hashes: list[str] | None = None
    data_title_contains: str | None = None
    statuses: list[str] | None = None
    page_token: str | None = None


def list_page(exchange: Exchange) -> dict[str, Any]:
    query: TaskListing = exchange.query
    stage = stage_access.stage_in_path(exchange)
    conditions = _conditions(query, stage["stage_type"])
    start, size = listing.page_start(query.page_token), exchange.emulation.limits.page_size
    rows = exchange.store.all(
        _LIST.format(conditions=conditions.sql),
        *(exchange.path["project"], stage["uuid"], start, *conditions.values, size + 1),
    )
    token = listing.token(rows[size - 1]["position"]) if len(rows) > size else None
    return {"results": _views(exchange.store, rows[:size], stage["stage_type"]), "nextPageToken": token}


def _conditions(query: TaskListing, stage_type: str) -> Conditions:
    """The filters, of which some types of stages do not have all."""
    if query.statuses is not None and stage_type not in _WITH_STATUS:
        raise RefusalError(Reason.MALFORMED, f"statuses: tasks of a {stage_type} stage cannot be filtered by this")
    if query.user_emails is not None and stage_type == "DONE":
        raise RefusalError(Reason.MALFORMED, "userEmails: tasks of a DONE stage cannot be filtered by this")
    conditions = Conditions()
    conditions.among("tasks.data_hash", query.data_hashes)
    conditions.among("data_units.dataset", query.dataset_hashes)
    conditions.among("tasks.status", query.statuses)
    if query.data_title_contains is not None:
        conditions.add("instr(lower(data_units.title), lower(?)) > 0", query.data_title_contains)
    if query.user_emails is not None and stage_type == "CONSENSUS_ANNOTATION":
        sql = "tasks.uuid IN (SELECT task FROM subtasks WHERE assignee IN (SELECT value FROM json_each(?)))"
        conditions.add(sql, json.dumps(query.user_emails))
    elif query.user_emails is not None:
        conditions.among("tasks.assignee", query.user_emails)
    return conditions


def _views(store: Store, rows: list[Row], stage_type: str) -> list[dict[str, Any]]:
    """Tasks in the shape of their stage's type."""
    views = [_head(row) for row in rows]
    uuids = [row["uuid"] for row in rows]
    if stage_type == "CONSENSUS_ANNOTATION":
        subtasks = consensus.subtasks_of(store, uuids)
        for view in views:
            view["subtasks"] = [consensus.subtask_view(subtask) for subtask in subtasks.get(view["uuid"], [])]
        return views
    options = consensus.options_of(store, uuids) if stage_type == "CONSENSUS_REVIEW" else {}
    for row, view in zip(rows, views, strict=True):
        if stage_type in _WITH_STATUS:
            view |= {"status": row["status"], "assignee": row["assignee"]}
        if stage_type in _WITH_BRANCH:
            view["labelBranchName"] = MAIN
        if stage_type == "AGENT":
            view["lastActionedBy"] = row["last_actioned_by"]
        if stage_type == "CONSENSUS_REVIEW":
            view["options"] = options.get(row["uuid"], [])
    return views


def _head(row: Row) -> dict[str, Any]:
    return {
        "uuid": row["uuid"],
        "createdAt": times.v2(row["created_at"]),
        "updatedAt": times.v2(row["updated_at"]),
        "dataHash": row["data_hash"],
        "dataTitle": row["title"],
    }
