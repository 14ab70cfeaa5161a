"""Sub-tasks of consensus stages, and the distribution of tasks to users."""

from __future__ import annotations

from airflow_provider_encord.operators.workflow import (
    EncordAssignTasksOperator,
    EncordMoveTasksOperator,
    EncordReleaseTasksOperator,
    EncordSubmitTasksOperator,
)
from tests.task_actions.desk import Desk


def consensus(desk: Desk) -> tuple[str, str]:
    """All tasks in the consensus stage, each with one sub-task of two users."""
    one, other = desk.member(), desk.member()
    desk.by_hand("move", "Annotate", desk.tasks("Annotate"), "Consensus")
    assert desk.attempt(EncordAssignTasksOperator, report="c", stage="Consensus", assignee=[one, other]).succeeded
    return one, other


def people_of(desk: Desk) -> list[str | None]:
    return [subtask.assignee for task in desk.tasks("Consensus") for subtask in task.subtasks or []]


def test_only_the_sub_tasks_of_the_chosen_users_are_released(desk: Desk) -> None:
    """user_emails: only what is assigned to these users is released."""
    one, other = consensus(desk)
    desk.attempt(EncordReleaseTasksOperator, stage="Consensus", user_emails=[one])
    assert sorted(map(str, people_of(desk))) == sorted(["None"] * 4 + [other] * 4)


def test_sub_tasks_of_the_right_users_are_unchanged_with_overwrite(desk: Desk) -> None:
    """A sub-task that its user has already is `unchanged`; no user has another one."""
    people = consensus(desk)
    end = desk.attempt(EncordAssignTasksOperator, stage="Consensus", assignee=list(people), if_assigned="overwrite")
    assert (end.result["unchanged"], end.result["skipped"]) == (8, 0)


def test_an_undo_of_submitted_sub_tasks_does_not_say_that_they_are_so_already(desk: Desk) -> None:
    """A sub-task that stays submitted is skipped with the reason, not `unchanged`."""
    one, _ = consensus(desk)
    subtasks = [subtask.uuid for task in desk.tasks("Consensus") for subtask in task.subtasks or []]
    mine = [
        subtask.uuid for task in desk.tasks("Consensus") for subtask in task.subtasks or [] if subtask.assignee == one
    ]
    assert len(subtasks) == 8
    assert desk.attempt(EncordSubmitTasksOperator, stage="Consensus", task_ids=mine).result["updated"] == 4
    undone = desk.revert()
    assert (undone.result["unchanged"], undone.result["skipped"]) == (0, 4)


def test_a_clear_with_the_ids_of_consensus_tasks_has_no_more_tasks_than_before(desk: Desk) -> None:
    """The id of a task whose sub-tasks were changed is not missing."""
    consensus(desk)
    ids = [task.uuid for task in desk.tasks("Consensus")]
    first = desk.attempt(EncordSubmitTasksOperator, stage="Consensus", task_ids=ids)
    again = desk.attempt(EncordSubmitTasksOperator, stage="Consensus", task_ids=ids)
    assert first.result["tasks"] == again.result["tasks"] == 8


def test_the_report_about_sub_tasks_names_their_tasks_to_other_operators(desk: Desk) -> None:
    """source: the report of another operator on tasks, also if that changed sub-tasks."""
    consensus(desk)
    end = desk.attempt(EncordMoveTasksOperator, stage="Consensus", to_stage="Archive", source=str(desk.report("c")))
    assert end.result["updated"] == 4


def test_least_tasks_with_overwrite_evens_the_tasks_out(desk: Desk) -> None:
    """A task that is taken from a user does not count for this user any more."""
    one, other = desk.member(), desk.member()
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), one)
    arguments = {"assignee": [one, other], "distribution": "least_tasks", "if_assigned": "overwrite"}
    assert desk.attempt(EncordAssignTasksOperator, stage="Annotate", **arguments).succeeded
    assert sorted(str(task.assignee) for task in desk.tasks("Annotate")) == sorted([one, one, other, other])


def test_a_user_who_is_given_twice_gets_no_more_tasks_than_the_others(desk: Desk) -> None:
    """Encord has one user per address, whatever its case."""
    one, other = desk.member(), desk.member()
    people = [one, one.upper(), other]
    desk.attempt(EncordAssignTasksOperator, stage="Annotate", assignee=people, preview=True)
    assert sorted(line["new_assignee"].lower() for line in desk.lines()) == sorted([one, one, other, other])
