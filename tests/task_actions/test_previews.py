"""Previews, and plans that are carried out later: exactly these tasks, unless somebody changed them."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_encord.operators.workflow import (
    EncordAssignTasksOperator,
    EncordMoveTasksOperator,
    EncordSetPriorityOperator,
    EncordSubmitTasksOperator,
)
from tests.moves.attempts import DAYS, Run
from tests.task_actions.desk import Desk


def test_a_preview_only_reads_and_says_what_would_be_done(desk: Desk) -> None:
    desk.emulator.clear_journal()
    end = desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive", preview=True)
    assert (end.result["tasks"], end.result["updated"]) == (4, 4)
    assert not any(entry["changes"] for entry in desk.emulator.journal())
    assert {(line["preview"], line["outcome"]) for line in desk.lines()} == {(True, "updated")}


def test_a_plan_changes_its_tasks_and_no_others(desk: Desk) -> None:
    desk.attempt(EncordMoveTasksOperator, report="plan", stage="Annotate", to_stage="Review", max_tasks=2, preview=True)
    # Afterwards, one of the two leaves the stage; those that the plan does not have stay.
    planned = [line["id"] for line in desk.lines("plan")]
    gone = [task for task in desk.tasks("Annotate") if task.uuid == planned[0]]
    desk.by_hand("move", "Annotate", gone, "Archive")
    end = desk.attempt(EncordMoveTasksOperator, plan=str(desk.report("plan")))
    assert (end.result["tasks"], end.result["updated"], end.result["skipped"]) == (2, 1, 1)
    assert desk.counts() == {"Annotate": 2, "Archive": 1, "Review": 1}
    assert [task.uuid for task in desk.tasks("Review")] == planned[1:]


def test_a_plan_does_not_undo_what_somebody_did_since(desk: Desk) -> None:
    one, other = desk.member(), desk.member()
    desk.attempt(EncordAssignTasksOperator, report="plan", stage="Annotate", assignee=one, preview=True)
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate")[:1], other)
    end = desk.attempt(EncordAssignTasksOperator, plan=str(desk.report("plan")))
    assert (end.result["updated"], end.result["skipped"]) == (3, 1)
    (skipped,) = [line for line in desk.lines() if line["outcome"] == "skipped"]
    assert skipped["error"] == f"Somebody else changed its assignee to {other}."


def test_a_plan_that_was_carried_out_changes_nothing_the_second_time(desk: Desk) -> None:
    desk.attempt(EncordMoveTasksOperator, report="plan", stage="Annotate", to_stage="Review", preview=True)
    plan = str(desk.report("plan"))
    desk.attempt(EncordMoveTasksOperator, plan=plan)
    desk.emulator.clear_journal()
    end = desk.attempt(EncordMoveTasksOperator, Run(desk.directory, DAYS[1]), report="second", plan=plan)
    assert end.result["unchanged"] == 4
    assert not any(entry["changes"] for entry in desk.emulator.journal())


def test_a_plan_is_only_for_the_operator_that_made_it(desk: Desk) -> None:
    desk.attempt(EncordMoveTasksOperator, report="plan", stage="Annotate", to_stage="Review", preview=True)
    plan = str(desk.report("plan"))
    end = desk.attempt(EncordSetPriorityOperator, plan=plan)
    assert "is the plan to move tasks of project" in str(end.error)
    end = desk.attempt(EncordMoveTasksOperator, plan=plan, stage="Annotate")
    assert "plan: it names the tasks." in str(end.error)
    end = desk.attempt(EncordMoveTasksOperator, report="plan", plan=plan)
    assert "report: it is the same file as the plan" in str(end.error)
    assert desk.counts() == {"Annotate": 4}


@pytest.mark.parametrize(
    ("operator", "made_with", "argument", "value"),
    [
        (EncordSubmitTasksOperator, {}, "retain_assignee", True),
        (EncordSubmitTasksOperator, {}, "assignee", "ada@example.com"),
        (EncordAssignTasksOperator, {"assignee": "ada@example.com"}, "if_assigned", "overwrite"),
        (EncordSetPriorityOperator, {"priority": 1}, "priority", 0),
    ],
)
def test_what_a_plan_does_not_heed_is_refused_by_its_name(
    desk: Desk, operator: type, made_with: dict[str, Any], argument: str, value: Any
) -> None:
    desk.attempt(operator, report="plan", stage="Annotate", preview=True, **made_with)
    end = desk.attempt(operator, plan=str(desk.report("plan")), **{argument: value})
    assert f"Do not pass {argument} together with it." in str(end.error)
    assert desk.counts() == {"Annotate": 4}


def test_the_report_of_a_change_is_no_plan_and_is_not_replaced_by_a_preview(desk: Desk) -> None:
    desk.attempt(EncordMoveTasksOperator, report="done", stage="Annotate", to_stage="Review", max_tasks=1)
    end = desk.attempt(EncordMoveTasksOperator, plan=str(desk.report("done")))
    assert "is the report of a change that was made" in str(end.error)
    content = desk.report("done").read_bytes()
    end = desk.attempt(EncordMoveTasksOperator, report="done", stage="Annotate", to_stage="Review", preview=True)
    assert "is the report of a change, which is needed to undo it" in str(end.error)
    assert desk.report("done").read_bytes() == content


def test_a_preview_is_replaced_by_the_next_preview_and_by_the_change(desk: Desk) -> None:
    for preview in (True, True, False):
        end = desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Review", preview=preview)
        assert end.result["updated"] == 4
    assert {line["preview"] for line in desk.lines()} == {False}
