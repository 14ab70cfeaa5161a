"""What is done with label rows beside reading and saving: priorities, validation, classifications, copies to a branch.

A branch is there as soon as a row is on it. What a copy leaves alone (rows that the target has, without ``overwrite``)
does not count as copied.
"""

from __future__ import annotations

import json
from typing import Any

from ..requests.exchange import Exchange
from ..rows.label_rows import MAIN
from ..state.store import Row
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import Strict, StrictCamel
from . import content as label_content

MOST_PRIORITIES = 1000
MOST_CLASSIFICATIONS = 1000

_STATUSES = ("NOT_LABELLED", "LABEL_IN_PROGRESS", "LABELLED", "REVIEW_IN_PROGRESS", "REVIEWED", "REVIEWED_TWICE")
_ROWS = """
SELECT label.*, unit.title, unit.data_type FROM json_each(?) AS wanted
JOIN label_rows AS label ON label.label_hash = wanted.value JOIN data_units AS unit USING (data_hash)
WHERE label.project = ? AND label.branch = ? ORDER BY wanted.key
"""


class PrioritiesBody(StrictCamel, frozen=True):
    priorities: list[tuple[str, float]]


class ClassificationsBody(StrictCamel, frozen=True):
    label_uuids: list[str]
    branch_name: str = MAIN


class CopyBody(StrictCamel, frozen=True):
    source_branch_name: str
    target_branch_name: str
    overwrite: bool
    label_uuids: list[str]


class StatusPayload(Strict, frozen=True):
    label_status: str


def set_priorities(exchange: Exchange) -> None:
    """Set the priorities of tasks, named by their data."""
    body: PrioritiesBody = exchange.body
    project, wanted = exchange.path["project"], dict(body.priorities)
    if len(body.priorities) > MOST_PRIORITIES:
        raise RefusalError(Reason.TOO_MANY_LABELS, f"priorities: at most {MOST_PRIORITIES} at once")
    if any(not 0 <= priority <= 1 for priority in wanted.values()):
        raise RefusalError(Reason.MALFORMED, "priorities: must be from 0 to 1")
    sql = "SELECT data_hash FROM tasks WHERE project = ? AND data_hash IN (SELECT value FROM json_each(?))"
    known = exchange.store.column(sql, project, json.dumps(list(wanted)))
    if len(known) != len(wanted):
        raise RefusalError(Reason.NOT_FOUND, f"{len(wanted) - len(known)} of these data units are not in this project")
    exchange.store.many(
        "UPDATE tasks SET priority = ? WHERE project = ? AND data_hash = ?",
        ((priority, project, data_hash) for data_hash, priority in wanted.items()),
    )


def validation_state(exchange: Exchange) -> dict[str, Any]:
    """Whether the labels of a row fit the ontology as it is now. The version counts the saves of the row."""
    project, label_hash = exchange.path["project"], exchange.path["label"]
    store = exchange.store
    row = store.one(
        "SELECT label.*, unit.data_type FROM label_rows AS label JOIN data_units AS unit USING (data_hash)"
        " WHERE label.project = ? AND label.label_hash = ?",
        *(project, label_hash),
    )
    if row is None:
        raise RefusalError(Reason.NOT_FOUND, f"there is no label row {label_hash} in this project")
    structure = store.value(
        "SELECT editor FROM projects JOIN ontologies ON ontology = ontologies.uuid WHERE projects.uuid = ?", project
    )
    errors = _errors(row, label_content.Ontology(json.loads(structure)))
    saves = store.value(
        "SELECT count(*) FROM label_actions WHERE project = ? AND data_hash = ? AND branch = ? AND action = 'save'",
        *(project, row["data_hash"], row["branch"]),
    )
    return {
        "labelHash": label_hash,
        "branchName": row["branch"],
        "version": saves + 1,
        "isValid": not errors,
        "errors": errors,
    }


def classifications(exchange: Exchange) -> dict[str, Any]:
    """The classification answers of rows, in the order of the request."""
    body: ClassificationsBody = exchange.body
    if len(body.label_uuids) > MOST_CLASSIFICATIONS:
        raise RefusalError(Reason.TOO_MANY_LABELS, f"labelUuids: at most {MOST_CLASSIFICATIONS} at once")
    rows = _rows(exchange, body.label_uuids, body.branch_name)
    return {
        "labels": [
            {
                "labelUuid": row["label_hash"],
                "dataUuid": row["data_hash"],
                "dataTitle": row["title"],
                "branchName": row["branch"],
                "classificationAnswers": json.loads("{" + row["answers"] + "}")["classification_answers"],
                "exportUuid": None,
                "exportedAt": None,
            }
            for row in rows
        ]
    }


def copy_branch(exchange: Exchange) -> dict[str, int]:
    """Copy rows to another branch; where the target has a row, it is overwritten or left alone."""
    body: CopyBody = exchange.body
    if not body.target_branch_name.strip() or body.target_branch_name == body.source_branch_name:
        raise RefusalError(Reason.INVALID, "targetBranchName: must be a name, and not that of the source")
    exchange.emulation.limits.check_label_rows(len(body.label_uuids))
    store, project, now = exchange.store, exchange.path["project"], exchange.clock.stamp()
    rows = _rows(exchange, body.label_uuids, body.source_branch_name)
    there = _on_branch(exchange, [row["data_hash"] for row in rows], body.target_branch_name)
    fresh = [row for row in rows if row["data_hash"] not in there]
    replaced = [row for row in rows if row["data_hash"] in there] if body.overwrite else []
    store.many(
        "INSERT INTO label_rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                *(new_uuid(), project, row["data_hash"], body.target_branch_name, now, now),
                *(row["label_status"], row["is_valid"], row["answers"], row["units"]),
            )
            for row in fresh
        ),
    )
    store.many(
        "UPDATE label_rows SET answers = ?, units = ?, is_valid = ?, last_edited_at = ? WHERE label_hash = ?",
        ((row["answers"], row["units"], row["is_valid"], now, there[row["data_hash"]]) for row in replaced),
    )
    return {"copiedCount": len(fresh) + len(replaced)}


def set_status(exchange: Exchange) -> bool:
    """Set the status of a row (v1, for projects without a workflow)."""
    payload: StatusPayload = exchange.payload
    if payload.label_status not in _STATUSES:
        raise RefusalError(Reason.INVALID, f"label_status: must be one of {', '.join(_STATUSES)}")
    return _with_status(exchange, payload.label_status)


def submit_for_review(exchange: Exchange) -> bool:
    """Hand a row to the reviewers (v1, for projects without a workflow)."""
    return _with_status(exchange, "REVIEW_IN_PROGRESS")


def _with_status(exchange: Exchange, status: str) -> bool:
    sql = "UPDATE label_rows SET label_status = ?, last_edited_at = ? WHERE project = ? AND label_hash = ?"
    if not exchange.store.run(sql, status, exchange.clock.stamp(), exchange.resource, exchange.uid):
        raise RefusalError(Reason.NOT_FOUND, f"there is no label row {exchange.uid} in this project")
    return True


def _rows(exchange: Exchange, label_hashes: list[str], branch: str) -> list[Row]:
    wanted = list(dict.fromkeys(label_hashes))
    rows = exchange.store.all(_ROWS, json.dumps(wanted), exchange.path["project"], branch)
    if len(rows) != len(wanted):
        missing = len(wanted) - len(rows)
        raise RefusalError(Reason.NOT_FOUND, f"{missing} of these label rows are not on branch {branch!r}")
    return rows


def _on_branch(exchange: Exchange, data_hashes: list[str], branch: str) -> dict[str, str]:
    rows = exchange.store.all(
        "SELECT data_hash, label_hash FROM label_rows WHERE project = ? AND branch = ?"
        " AND data_hash IN (SELECT value FROM json_each(?))",
        *(exchange.path["project"], branch, json.dumps(data_hashes)),
    )
    return {row["data_hash"]: row["label_hash"] for row in rows}


def _errors(row: Row, ontology: label_content.Ontology) -> list[str]:
    try:
        answers, units = json.loads("{" + row["answers"] + "}"), json.loads(row["units"])
        label_content.check(answers, units, row, ontology)
    except RefusalError as refusal:
        return [refusal.text]
    return []
