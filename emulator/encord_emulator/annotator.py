"""A person at work: opens data, draws and answers, hands the task on. Only a control makes him work, no client."""

from __future__ import annotations

import json
import random
from typing import Annotated, Any, Literal

import msgspec

from . import label_content, label_history, labels, people, task_actions, workflow
from .emulation import Emulation
from .errors import Reason, RefusalError
from .label_content import Ontology
from .label_generator import DRAWABLE, can_draw, paint
from .label_listing import MAIN
from .shapes import Count, Email, Strict
from .store import Row, Store

ANNOTATOR = "annotator@example.com"
"""In whose name the labels are made, unless ``email`` says otherwise."""
OBJECTS_PER_ROW = 2
"""So many objects are drawn if ``objects_per_row`` is not given."""
_NEXT = """
SELECT unit.* FROM tasks JOIN data_units AS unit USING (data_hash)
JOIN stages ON stages.project = tasks.project AND stages.uuid = tasks.stage
WHERE tasks.project = ? AND stage_type != 'DONE'
ORDER BY EXISTS (SELECT 1 FROM label_rows WHERE label_rows.project = tasks.project
                 AND label_rows.data_hash = tasks.data_hash), unit.position LIMIT ?
"""
_NAMED = """
SELECT unit.* FROM tasks JOIN data_units AS unit USING (data_hash)
WHERE tasks.project = ? AND tasks.data_hash IN (SELECT value FROM json_each(?)) ORDER BY unit.position
"""
_IN_STAGE = "SELECT uuid FROM tasks WHERE project = ? AND stage = ? AND data_hash IN (SELECT value FROM json_each(?))"
_STATUS = {"none": "LABEL_IN_PROGRESS", "submit": "LABELLED", "complete": "REVIEWED"}


class Assignment(Strict, frozen=True):
    project_hash: str
    data_hashes: list[str] | None = None
    count: Count | None = None
    objects_per_row: Annotated[int, msgspec.Meta(ge=0, le=100_000)] | None = None
    email: Email = ANNOTATOR
    advance: Literal["none", "submit", "complete"] = "none"
    seed: int = 0


def annotate(emulation: Emulation, assignment: Assignment) -> dict[str, int]:
    """Annotate the data that is named, or the next ``count`` that are not complete (all of them without ``count``),
    those without labels first. Rows that have labels get more, in the name of ``email``.

    :raises RefusalError: The ontology has nothing to label with.
    """
    store, project = emulation.store, assignment.project_hash
    structure = store.value(
        "SELECT editor FROM projects JOIN ontologies ON ontology = ontologies.uuid WHERE projects.uuid = ?", project
    )
    if structure is None:
        raise RefusalError(Reason.NOT_FOUND, f"there is no project {project}")
    ontology = Ontology(json.loads(structure))
    _check_ontology(ontology, assignment.objects_per_row)
    people.ensure_user(store, emulation.clock, assignment.email)
    dice = random.Random(assignment.seed)  # noqa: S311 - dice, not a secret
    units = _chosen(store, assignment)
    for unit in units:
        _work(emulation, project, unit, ontology, dice, assignment)
    _hand_on(emulation, [unit["data_hash"] for unit in units], assignment)
    return {"annotated": len(units)}


def _check_ontology(ontology: Ontology, objects_per_row: int | None) -> None:
    """:raises RefusalError: Nothing that was asked for could be labelled. An explicit 0 asks for no objects."""
    if can_draw(ontology) or objects_per_row == 0:
        return
    if objects_per_row is None and ontology.classifications:
        return
    raise RefusalError(
        Reason.MALFORMED,
        f"objects_per_row: the project's ontology has no object that can be drawn ({', '.join(DRAWABLE)}). Create the "
        "project with an ontology that has one, or pass objects_per_row: 0",
    )


def _chosen(store: Store, assignment: Assignment) -> list[Row]:
    if assignment.data_hashes is None:
        limit = -1 if assignment.count is None else assignment.count
        return store.all(_NEXT, assignment.project_hash, limit)
    wanted = list(dict.fromkeys(assignment.data_hashes))[: assignment.count]
    units = store.all(_NAMED, assignment.project_hash, json.dumps(wanted))
    if len(units) != len(wanted):
        raise RefusalError(Reason.NOT_FOUND, f"data_hashes: {len(wanted) - len(units)} are not in this project")
    return units


def _work(
    emulation: Emulation, project: str, unit: Row, ontology: Ontology, dice: random.Random, assignment: Assignment
) -> None:
    """Label one data unit."""
    store, now = emulation.store, emulation.clock.stamp()
    sql = "SELECT label_hash FROM label_rows WHERE project = ? AND data_hash = ? AND branch = ?"
    label_hash = store.value(sql, project, unit["data_hash"], MAIN)
    if label_hash is None:
        label_hash = labels.insert(store, project, unit, MAIN, now)
    row = store.one("SELECT answers, units FROM label_rows WHERE label_hash = ?", label_hash)
    assert row is not None  # noqa: S101 - there, or made just now
    content: dict[str, Any] = {**json.loads("{" + row["answers"] + "}"), "data_units": json.loads(row["units"])}
    count = OBJECTS_PER_ROW if assignment.objects_per_row is None else assignment.objects_per_row
    paint(content, unit, ontology, dice, count, assignment.email, now)
    answers, units = label_content.completed(content, unit, ontology, assignment.email, now)
    labels.keep(store, label_hash, answers, units, now)
    label_history.note_save(store, label_history.Place(project, unit["data_hash"], MAIN), assignment.email, now, {}, {})
    store.run("UPDATE label_rows SET label_status = ? WHERE label_hash = ?", _STATUS[assignment.advance], label_hash)


def _hand_on(emulation: Emulation, data_hashes: list[str], assignment: Assignment) -> None:
    """Bring the tasks one stage on, or to the end, as people in each of the stages would."""
    project, advance = assignment.project_hash, assignment.advance
    if advance == "none":
        return
    store, now, text = emulation.store, emulation.clock.stamp(), json.dumps(data_hashes)
    end = workflow.final_stage(store, project)
    steps = [
        (
            task_actions.Work(store, project, stage, assignment.email, now),
            store.column(_IN_STAGE, project, stage["uuid"], text),
        )
        for stage in workflow.stages_of(store, project)
        if (stage["next_stage"] is not None if advance == "submit" else stage["uuid"] != end)
    ]
    for work, tasks in steps:
        if advance == "submit":
            task_actions.pass_on(work, tasks)
        else:
            work.put(tasks, end, "move")
