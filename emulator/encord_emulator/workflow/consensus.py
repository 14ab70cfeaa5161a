"""Consensus: several annotators label the same data, each on a branch of his own, until a reviewer takes one of them.

A task in a consensus annotation stage is done by its sub-tasks and goes on when the last of them is submitted. How many
there are is said nowhere on the wire; here it is the stage's ``annotators``, two unless the template says otherwise.
That branches are called ``encord-...`` is known from the vendor's pages; the rest of their name is [inferred].
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..rows.label_rows import MAIN
from ..state.store import Row, Store
from ..wire import times
from ..wire.identifiers import new_uuids

ANNOTATORS = 2
_OF_TASKS = """
SELECT subtasks.*, tasks.data_hash, unit.title FROM subtasks JOIN tasks ON tasks.uuid = subtasks.task
JOIN data_units AS unit USING (data_hash) WHERE subtasks.task IN (SELECT value FROM json_each(?))
ORDER BY subtasks.task, subtasks.position
"""
_OPTIONS = """
SELECT subtasks.task, subtasks.assignee, subtasks.branch, label.label_hash
FROM subtasks JOIN tasks ON tasks.uuid = subtasks.task
LEFT JOIN label_rows AS label ON label.project = tasks.project AND label.data_hash = tasks.data_hash
  AND label.branch = subtasks.branch
WHERE subtasks.status = 'COMPLETED' AND subtasks.task IN (SELECT value FROM json_each(?))
ORDER BY subtasks.task, subtasks.position
"""


def open_subtasks(store: Store, tasks: Sequence[str], stage: Row, now: str, *, rejected: bool = False) -> None:
    """Sub-tasks for tasks that come into a consensus annotation stage.

    Those that have some from before do them again, each by who did it, on the same branch [inferred].

    :param rejected: The tasks come back from a review.
    """
    chosen = json.dumps(list(tasks))
    sql = "SELECT annotators FROM consensus_stages WHERE project = ? AND stage = ?"
    annotators = store.value(sql, stage["project"], stage["uuid"]) or ANNOTATORS
    known = set(
        store.column("SELECT DISTINCT task FROM subtasks WHERE task IN (SELECT value FROM json_each(?))", chosen)
    )
    store.run(
        "UPDATE subtasks SET updated_at = ?, status = CASE WHEN ? THEN 'REOPENED' WHEN assignee IS NULL THEN 'NEW'"
        " ELSE 'ASSIGNED' END WHERE task IN (SELECT value FROM json_each(?))",
        now,
        rejected,
        chosen,
    )
    fresh = [(task, number) for task in tasks if task not in known for number in range(1, annotators + 1)]
    rows = zip(new_uuids(len(fresh)), fresh, strict=True)
    store.many(
        "INSERT INTO subtasks VALUES (?, ?, ?, ?, 'NEW', NULL, ?, ?)",
        ((uuid, task, number, f"encord-consensus-{number}", now, now) for uuid, (task, number) in rows),
    )


def finish_subtasks(store: Store, tasks: Sequence[str], annotator: str, now: str) -> None:
    """Complete all sub-tasks of these tasks; those without assignee were done by this annotator."""
    store.run(
        "UPDATE subtasks SET status = 'COMPLETED', assignee = coalesce(assignee, ?), updated_at = ?"
        " WHERE status != 'COMPLETED' AND task IN (SELECT value FROM json_each(?))",
        annotator,
        now,
        json.dumps(list(tasks)),
    )


def subtasks_of(store: Store, tasks: Sequence[str]) -> dict[str, list[Row]]:
    """The sub-tasks of tasks, with data hash and title, by task."""
    return _grouped(store.all(_OF_TASKS, json.dumps(list(tasks))))


def subtask_view(subtask: Row) -> dict[str, Any]:
    """A sub-task in the shape of an annotation task."""
    return {
        "uuid": subtask["uuid"],
        "createdAt": times.v2(subtask["created_at"]),
        "updatedAt": times.v2(subtask["updated_at"]),
        "dataHash": subtask["data_hash"],
        "dataTitle": subtask["title"],
        "status": subtask["status"],
        "labelBranchName": subtask["branch"],
        "assignee": subtask["assignee"],
    }


def options_of(store: Store, tasks: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """What a reviewer chooses from, by task: the work of each annotator who submitted."""
    return {
        task: [
            {"annotator": row["assignee"], "labelBranchName": row["branch"], "labelHash": row["label_hash"]}
            for row in rows
        ]
        for task, rows in _grouped(store.all(_OPTIONS, json.dumps(list(tasks)))).items()
    }


def take_first(store: Store, tasks: Sequence[str], now: str) -> None:
    """Make the first annotator's labels those of the main branch, where that has none yet: which of them a reviewer
    chose in the editor is said nowhere on the wire [inferred].
    """
    rows = store.all(
        "SELECT label.*, min(subtasks.position) AS first FROM subtasks JOIN tasks ON tasks.uuid = subtasks.task"
        " JOIN label_rows AS label ON label.project = tasks.project AND label.data_hash = tasks.data_hash"
        "   AND label.branch = subtasks.branch"
        " WHERE subtasks.status = 'COMPLETED' AND subtasks.task IN (SELECT value FROM json_each(?)) AND NOT EXISTS ("
        "   SELECT 1 FROM label_rows AS main WHERE main.project = tasks.project AND main.data_hash = tasks.data_hash"
        "   AND main.branch = ?) GROUP BY subtasks.task",
        json.dumps(list(tasks)),
        MAIN,
    )
    for uuid, row in zip(new_uuids(len(rows)), rows, strict=True):
        taken = {**dict(row), "label_hash": uuid, "branch": MAIN, "created_at": now, "last_edited_at": now}
        del taken["first"]
        marks = ", ".join("?" * len(taken))
        store.run(f"INSERT INTO label_rows ({', '.join(taken)}) VALUES ({marks})", *taken.values())  # noqa: S608


def _grouped(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["task"], []).append(row)
    return found
