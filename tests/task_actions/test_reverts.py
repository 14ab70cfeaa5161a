"""Undoing: every task is again what it was, except where somebody else went on with it."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_encord.operators.workflow import (
    EncordAssignTasksOperator,
    EncordMoveTasksOperator,
    EncordProceedTasksOperator,
    EncordReleaseTasksOperator,
    EncordReopenTasksOperator,
    EncordRevertTasksOperator,
    EncordReviewTasksOperator,
    EncordSetPriorityOperator,
    EncordSubmitTasksOperator,
)
from tests.moves.attempts import DAYS, Run, attempt
from tests.task_actions.desk import Desk

State = dict[str, tuple[str, str | None, float | None]]


def state(desk: Desk) -> State:
    """Stage, assignee and priority of each task, by its id."""
    with desk.client as client:
        project = client.project(desk.project_id)
        priorities = {row.data_hash: row.priority for row in project.label_rows()}
        return {
            task.uuid: (stage.title, task.assignee, priorities[task.data_hash])
            for stage in project.stages()
            for task in stage.tasks()
        }


@pytest.mark.parametrize(
    ("operator", "stage", "arguments"),
    [
        (EncordMoveTasksOperator, "Annotate", {"to_stage": "Archive"}),
        (EncordMoveTasksOperator, "Review", {"to_stage": "Complete"}),
        (EncordSubmitTasksOperator, "Annotate", {}),
        (EncordSubmitTasksOperator, "Annotate", {"retain_assignee": True}),
        (EncordReviewTasksOperator, "Review", {"verdict": "approve"}),
        (EncordReviewTasksOperator, "Review", {"verdict": "reject", "comment": "Again."}),
        (EncordReopenTasksOperator, "Complete", {}),
        (EncordProceedTasksOperator, "Agent", {"pathway": "no"}),
        (EncordReleaseTasksOperator, "Annotate", {}),
        (EncordAssignTasksOperator, "Annotate", {"assignee": "new", "if_assigned": "overwrite"}),
        (EncordSetPriorityOperator, "Annotate", {"priority": 0.25}),
    ],
)
def test_a_revert_restores_stages_assignees_and_priorities(
    desk: Desk, operator: type, stage: str, arguments: dict[str, Any]
) -> None:
    if stage != "Annotate":
        desk.by_hand("move", "Annotate", desk.tasks("Annotate"), stage)
    if stage in ("Annotate", "Review"):
        desk.by_hand("assign", stage, desk.tasks(stage)[:2], desk.member())
        desk.by_hand("assign", stage, desk.tasks(stage)[2:], desk.account.email)
    if arguments.get("assignee"):
        arguments = {**arguments, "assignee": desk.member()}
    before = state(desk)
    done = desk.attempt(operator, stage=stage, **arguments)
    assert done.succeeded, done.error
    assert done.result["updated"] == 4
    after = state(desk)
    assert after != before
    undone = desk.revert()
    assert undone.succeeded, undone.error
    assert undone.result["updated"] == 4
    assert state(desk) == before
    # The revert has a report of its own, which can be reverted.
    assert desk.revert("reverted", "restored").result["updated"] == 4
    assert {task: place for task, (place, *_) in state(desk).items()} == {
        task: place for task, (place, *_) in after.items()
    }


def test_a_second_revert_changes_nothing(desk: Desk) -> None:
    desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive")
    desk.revert()
    desk.emulator.clear_journal()
    again = desk.revert(into="again")
    assert again.result["unchanged"] == 4
    assert not any(entry["changes"] for entry in desk.emulator.journal())


def test_an_assignee_who_overrules_retain_assignee_is_not_taken_for_somebody_else(desk: Desk) -> None:
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), desk.account.email)
    before = state(desk)
    done = desk.attempt(EncordSubmitTasksOperator, stage="Annotate", assignee=desk.member(), retain_assignee=True)
    assert done.result["updated"] == 4
    assert desk.revert().result["updated"] == 4
    assert state(desk) == before


def test_what_somebody_moved_on_since_is_left_there(desk: Desk) -> None:
    desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Review")
    desk.by_hand("approve", "Review", desk.tasks("Review")[:1])
    undone = desk.revert()
    assert (undone.result["updated"], undone.result["skipped"]) == (3, 1)
    assert desk.counts() == {"Annotate": 3, "Complete": 1}
    (skipped,) = [line for line in desk.lines("reverted") if line["outcome"] == "skipped"]
    assert skipped["error"] == "It is now in the stage 'Complete'."


def test_what_somebody_reassigned_since_is_left(desk: Desk) -> None:
    one, other = desk.member(), desk.member()
    desk.attempt(EncordAssignTasksOperator, stage="Annotate", assignee=one)
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate")[:1], other)
    undone = desk.revert()
    assert (undone.result["updated"], undone.result["skipped"]) == (3, 1)
    assert sorted(str(task.assignee) for task in desk.tasks("Annotate")) == sorted(["None", "None", "None", other])


def test_only_what_was_changed_is_undone(desk: Desk) -> None:
    desk.by_hand("move", "Annotate", desk.tasks("Annotate")[:1], "Archive")
    wanted = [task.uuid for stage in ("Annotate", "Archive") for task in desk.tasks(stage)]
    desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Review", task_ids=wanted)
    assert desk.revert().result["tasks"] == 3
    assert desk.counts() == {"Annotate": 3, "Archive": 1}


def test_a_thousand_moves_are_undone(desk: Desk) -> None:
    desk = Desk(desk.account, desk.directory / "large", rows=1000, created=0.0)
    desk.directory.mkdir()
    before = state(desk)
    assert desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive").result["updated"] == 1000
    assert desk.revert().result["updated"] == 1000
    assert state(desk) == before


def test_a_preview_of_a_revert_changes_nothing(desk: Desk) -> None:
    desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive")
    arguments = {"source": str(desk.report()), "report": str(desk.report("preview")), "preview": True}
    assert attempt(EncordRevertTasksOperator, arguments, desk.run).result["updated"] == 4
    assert desk.counts() == {"Archive": 4}


def test_the_report_of_another_run_is_not_replaced(desk: Desk) -> None:
    desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive", max_tasks=2)
    content = desk.report().read_bytes()
    end = desk.attempt(EncordMoveTasksOperator, Run(desk.directory, DAYS[1]), stage="Annotate", to_stage="Archive")
    assert "is the report of the task moves/scheduled__2026-03-01/moved/-1" in str(end.error)
    assert desk.counts() == {"Annotate": 2, "Archive": 2}
    assert desk.report().read_bytes() == content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        ('{"data_hash": "a"}\n', "it is not a line about tasks"),
    ],
)
def test_a_source_that_is_no_report_is_refused(desk: Desk, content: str | None, message: str) -> None:
    if content is not None:
        desk.report("other").write_text(content)
    assert message in str(desk.revert("other").error)


def test_a_report_of_a_newer_version_is_refused_wherever_it_is_passed(desk: Desk) -> None:
    desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Review")
    desk.report("newer").write_text(
        desk.report().read_text().replace('"schema_version":"1.0"', '"schema_version":"2.0"')
    )
    file = str(desk.report("newer"))
    selected = desk.attempt(EncordMoveTasksOperator, report="m", stage="Review", to_stage="Archive", source=file)
    planned = desk.attempt(EncordMoveTasksOperator, report="p", plan=file)
    for end, argument in ((desk.revert("newer"), "source"), (selected, "source"), (planned, "plan")):
        assert str(end.error).startswith(f"{argument}: file://{file}: a line has schema_version '2.0'")
    assert desk.counts() == {"Review": 4}
