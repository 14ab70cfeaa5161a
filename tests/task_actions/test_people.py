"""People act between the plan, the change and the undo: what they did is left, and reported."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_encord.attempts import Owner
from airflow_provider_encord.operators.workflow import (
    EncordAddIssuesOperator,
    EncordAssignTasksOperator,
    EncordMoveTasksOperator,
    EncordReviewTasksOperator,
    EncordSetPriorityOperator,
)
from airflow_provider_encord.storage_paths import StoragePath
from airflow_provider_encord.task_actions.changing import TaskChanger
from airflow_provider_encord.task_actions.lines import counts
from airflow_provider_encord.task_actions.planning import Change
from airflow_provider_encord.task_actions.report import TaskReport
from airflow_provider_encord.task_actions.selection import TaskSelection
from tests.task_actions.desk import Desk


def test_an_undo_does_not_take_a_task_from_who_took_it_since(desk: Desk) -> None:
    """A task that somebody reassigned since is skipped, also if the change was a move."""
    desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Review")
    desk.by_hand("assign", "Review", desk.tasks("Review")[:1], desk.member())
    undone = desk.revert()
    assert (undone.result["updated"], undone.result["skipped"]) == (3, 1)


def test_a_plan_to_move_skips_what_somebody_took_in_the_meantime(desk: Desk) -> None:
    """A plan changes its tasks, and skips those that somebody changed in the meantime."""
    arguments = {"stage": "Annotate", "to_stage": "Review"}
    desk.attempt(EncordMoveTasksOperator, report="plan", preview=True, **arguments)
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate")[:1], desk.member())
    end = desk.attempt(EncordMoveTasksOperator, plan=str(desk.report("plan")))
    assert (end.result["updated"], end.result["skipped"]) == (3, 1)


def test_after_a_plan_and_its_undo_each_user_has_the_tasks_of_before(desk: Desk) -> None:
    """The report of a plan that was carried out has what the tasks were then, not at the time of the preview."""
    person = desk.member()
    desk.attempt(EncordMoveTasksOperator, report="plan", stage="Annotate", to_stage="Review", preview=True)
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), person)
    desk.attempt(EncordMoveTasksOperator, plan=str(desk.report("plan")))
    desk.revert()
    assert {task.assignee for task in desk.tasks("Annotate")} == {person}


def test_a_plan_and_another_destination_contradict_each_other(desk: Desk) -> None:
    """An argument that the plan contradicts is an error, and is not ignored."""
    desk.attempt(EncordMoveTasksOperator, report="plan", stage="Annotate", to_stage="Review", preview=True)
    end = desk.attempt(EncordMoveTasksOperator, plan=str(desk.report("plan")), to_stage="Archive")
    assert not end.succeeded
    assert desk.counts() == {"Annotate": 4}


def test_the_note_of_an_undo_says_that_the_status_is_not_restored(desk: Desk) -> None:
    """The field note says what Encord cannot restore, so also the status of a task."""
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), desk.account.email)
    desk.by_hand("release", "Annotate", desk.tasks("Annotate"))
    before = {task.status for task in desk.tasks("Annotate")}
    desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive")
    desk.revert()
    after = {task.status for task in desk.tasks("Annotate")}
    assert after == before or all("status" in str(line["note"]) for line in desk.lines("reverted"))


def _changer(desk: Desk, client: Any) -> tuple[TaskChanger, TaskReport]:
    from airflow_provider_encord.operators.arguments import storage_path

    path: StoragePath = storage_path(str(desk.report()), "report")
    report = TaskReport(path, Owner("a task"), "https://api.encord.com")
    return TaskChanger(client, desk.project_id, report, batch_size=500), report


@pytest.mark.parametrize(
    ("stage", "change"),
    [("Archive", Change(action="reopen")), ("Annotate", Change(action="add_issue", comment="Look."))],
)
def test_a_data_unit_that_is_deleted_between_the_plan_and_the_request_costs_only_itself(
    desk: Desk, stage: str, change: Change
) -> None:
    """The other tasks are changed, and there is no bug to report."""
    if stage != "Annotate":
        desk.by_hand("move", "Annotate", desk.tasks("Annotate"), stage)
    with desk.client as client:
        changer, report = _changer(desk, client)
        lines = changer.planned(changer.place(stage), change, TaskSelection())
        (row,) = [row for row in client.project(desk.project_id).label_rows() if row.data_hash == desk.data_hashes[0]]
        client.dataset(row.dataset_hash).remove_data_rows([row.data_hash])
        changer.carry_out(lines, "about")
        assert counts(report.lines)["updated"] == 3


def test_what_a_plan_found_unchanged_and_somebody_changed_since_is_not_unchanged(desk: Desk) -> None:
    """`unchanged` says that a task is so already; one that another user has now is skipped."""
    person, other = desk.member(), desk.member()
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), person)
    desk.attempt(EncordAssignTasksOperator, report="plan", preview=True, stage="Annotate", assignee=person)
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate")[:1], other)
    end = desk.attempt(EncordAssignTasksOperator, plan=str(desk.report("plan")))
    assert (end.result["unchanged"], end.result["skipped"]) == (3, 1)


def test_an_undo_of_a_change_that_changed_nothing_has_nothing_to_do(desk: Desk) -> None:
    """The report of a stage without tasks is a report; its undo changes nothing and succeeds."""
    assert desk.attempt(EncordMoveTasksOperator, stage="Review", to_stage="Archive").result["tasks"] == 0
    undone = desk.revert()
    assert undone.succeeded, undone.error


def test_a_comment_is_not_added_to_a_task_that_was_not_rejected(desk: Desk) -> None:
    """If Encord refuses to reject, the data unit has no comment that it was rejected."""
    desk.by_hand("move", "Annotate", desk.tasks("Annotate"), "Review")
    arguments = {"stage": "Review", "verdict": "reject", "comment": "Again.", "retain_assignee": True}
    assert not desk.attempt(EncordReviewTasksOperator, **arguments).succeeded
    assert desk.counts() == {"Review": 4}
    with desk.client as client:
        project = client.project(desk.project_id)
        assert [len(list(project.issues(data))) for data in desk.data_hashes] == [0] * 4


def test_a_cleared_undo_does_not_assign_what_was_given_back_since(desk: Desk) -> None:
    """A clear of an undo does not assign a task again that its user has given back since."""
    person = desk.member()
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), person)
    desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive")
    desk.revert()
    desk.by_hand("release", "Annotate", desk.tasks("Annotate"))
    desk.revert()
    assert {task.assignee for task in desk.tasks("Annotate")} == {None}


def test_a_plan_and_a_priority_of_0_contradict_each_other(desk: Desk) -> None:
    """A priority of 0 is a value, too."""
    desk.attempt(EncordSetPriorityOperator, report="plan", stage="Annotate", priority=0.7, preview=True)
    end = desk.attempt(EncordSetPriorityOperator, plan=str(desk.report("plan")), priority=0)
    assert "Do not pass priority together with it" in str(end.error)


def test_a_plan_and_another_comment_contradict_each_other(desk: Desk) -> None:
    """The comment of a plan is what the preview showed, and an other comment is an error."""
    desk.attempt(EncordAddIssuesOperator, report="plan", stage="Annotate", comment="One.", preview=True)
    end = desk.attempt(EncordAddIssuesOperator, plan=str(desk.report("plan")), comment="Two.")
    assert not end.succeeded


def test_a_reopening_keeps_the_task_of_who_took_it_between(desk: Desk) -> None:
    """A task that left the stage after the plan was made is not reopened."""
    desk.by_hand("move", "Annotate", desk.tasks("Annotate"), "Complete")
    with desk.client as client:
        changer, report = _changer(desk, client)
        lines = changer.planned(changer.place("Complete"), Change(action="reopen"), TaskSelection())
        desk.by_hand("move", "Complete", desk.tasks("Complete")[:1], "Archive")
        changer.carry_out(lines, "about")
        assert counts(report.lines)["skipped"] == 1
    assert desk.counts() == {"Annotate": 3, "Archive": 1}


def test_the_undo_of_comments_says_in_the_note_that_they_stay(desk: Desk) -> None:
    """The field note says what Encord cannot restore: status, label reviews, comments."""
    desk.attempt(EncordAddIssuesOperator, stage="Annotate", comment="Look.")
    undone = desk.revert()
    assert undone.result["skipped"] == 4
    assert all(line["note"] for line in desk.lines("reverted"))


@pytest.mark.parametrize("action", ["assign", "release"])
def test_a_task_that_somebody_takes_between_the_plan_and_the_request_stays_with_this_user(
    desk: Desk, action: str
) -> None:
    """With many tasks, that takes minutes, and people take tasks all the time."""
    person, other = desk.member(), desk.member()
    if action == "release":
        desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), other)
    change = Change(action=action, assignees=[other] if action == "assign" else [])
    with desk.client as client:
        changer, report = _changer(desk, client)
        lines = changer.planned(changer.place("Annotate"), change, TaskSelection())
        taken = desk.tasks("Annotate")[0]
        desk.by_hand("assign", "Annotate", [taken], person)
        changer.carry_out(lines, "about")
        assert (counts(report.lines)["updated"], counts(report.lines)["skipped"]) == (3, 1)
        (skipped,) = [line for line in report.lines if line.outcome == "skipped"]
    assert skipped.error == f"Somebody else changed its assignee to {person}."
    assert {task.uuid: task.assignee for task in desk.tasks("Annotate")}[taken.uuid] == person
