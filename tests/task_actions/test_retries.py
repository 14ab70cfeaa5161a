"""Retries, clears and killed attempts: the plan is continued, and what was changed can be undone."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from airflow_provider_encord.client.errors import OutcomeUnknownError, RefusedError
from airflow_provider_encord.client.flows.workflow_actions import act_while_present
from airflow_provider_encord.operators.workflow import (
    EncordAddIssuesOperator,
    EncordAssignTasksOperator,
    EncordMoveTasksOperator,
    EncordReleaseTasksOperator,
    EncordSetPriorityOperator,
    EncordSubmitTasksOperator,
)
from airflow_provider_encord.task_actions.report import TaskReport
from tests.deployment.polling import poll
from tests.histories.processes import Attempt
from tests.moves.attempts import DAYS, Run
from tests.task_actions.desk import Desk
from tests.task_actions.test_faults import ACT, BUSY, MOVE

LIST = {"path": "/tasks$", "method": "GET"}

PRIORITIES = {"path": "/priorities$"}


def ordered(desk: Desk, stage: str = "Annotate") -> list[Any]:
    """The tasks of a stage in the order in which they are changed."""
    return sorted(desk.tasks(stage), key=lambda task: (task.created_at, task.uuid))


def lose_the_last_outcome(desk: Desk, changes: dict[str, str], nth: int = 1, listing: int = 2) -> None:
    """The change is made, its answer is lost, and nothing more can be asked, as if the worker was killed."""
    desk.emulator.faults(
        [
            {"match": changes, "when": {"nth": nth}, "do": {"cut": "after"}},
            {"match": LIST, "when": {"nth": listing}, "do": BUSY},
        ]
    )


def test_a_retry_does_not_change_more_than_max_tasks(desk: Desk) -> None:
    """A retry counts what earlier attempts changed: in all at most max_tasks."""
    desk.emulator.faults([{"match": MOVE, "when": {"nth": 2}, "do": BUSY}])
    arguments = {"stage": "Annotate", "to_stage": "Archive", "max_tasks": 2, "batch_size": 1}
    assert desk.attempt(EncordMoveTasksOperator, **arguments).retryable
    desk.emulator.clear_faults()
    desk.attempt(EncordMoveTasksOperator, **arguments)
    assert desk.counts() == {"Annotate": 2, "Archive": 2}


def test_a_retry_that_fails_permanently_keeps_the_plan_of_the_attempt_before(desk: Desk) -> None:
    """An undo still finds what an attempt changed of which it did not learn the outcome."""
    lose_the_last_outcome(desk, MOVE, nth=2)
    arguments = {"stage": "Annotate", "to_stage": "Archive", "batch_size": 2}
    assert desk.attempt(EncordMoveTasksOperator, **arguments).retryable
    assert desk.counts() == {"Archive": 4}
    desk.emulator.clear_faults()
    desk.emulator.faults([{"match": LIST, "do": {"status": 403, "json": {"message": "no"}}}])
    assert not desk.attempt(EncordMoveTasksOperator, **arguments).succeeded
    desk.emulator.clear_faults()
    desk.revert()
    assert desk.counts() == {"Annotate": 4}


def test_what_encord_refused_and_a_person_did_is_not_reported_as_done(desk: Desk) -> None:
    """A task that Encord refused, and that a person submitted then, was not changed by the operator."""
    person = desk.member()
    free, *others = desk.tasks("Annotate")
    desk.by_hand("assign", "Annotate", others, person)
    arguments = {"stage": "Annotate", "retain_assignee": True}
    desk.attempt(EncordSubmitTasksOperator, **arguments)
    desk.by_hand("submit", "Annotate", [free])
    end = desk.attempt(EncordSubmitTasksOperator, **arguments)
    assert (end.result["updated"], end.result["skipped"]) == (3, 1)


def test_a_task_that_a_person_archived_before_the_retry_was_not_submitted(desk: Desk) -> None:
    """Nothing was sent before; the task is not where a submission brings it, so it is skipped."""
    desk.emulator.faults([{"match": ACT, "when": {"nth": 1}, "do": BUSY}])
    assert desk.attempt(EncordSubmitTasksOperator, stage="Annotate").retryable
    desk.emulator.clear_faults()
    desk.by_hand("move", "Annotate", desk.tasks("Annotate")[:1], "Archive")
    end = desk.attempt(EncordSubmitTasksOperator, stage="Annotate")
    assert (end.result["updated"], end.result["skipped"]) == (3, 1)


def test_a_planned_task_that_left_the_stage_before_the_retry_is_reported(desk: Desk) -> None:
    """Each planned task has a line: one whose priority was not set because it left the stage is skipped."""
    desk.emulator.faults([{"match": PRIORITIES, "when": {"nth": 1}, "do": BUSY}])
    arguments = {"stage": "Annotate", "priority": 0.25}
    assert desk.attempt(EncordSetPriorityOperator, **arguments).retryable
    desk.emulator.clear_faults()
    desk.by_hand("move", "Annotate", desk.tasks("Annotate")[:1], "Review")
    end = desk.attempt(EncordSetPriorityOperator, **arguments)
    assert (end.result["tasks"], end.result["updated"]) == (4, 3)


def test_comments_that_an_attempt_added_before_it_was_lost_count_as_added(desk: Desk) -> None:
    """The task added the comments itself, so its tasks are `updated`, not `unchanged`."""
    desk.emulator.faults(
        [{"match": {"path": "/issues$", "method": "POST"}, "do": {"cut": "after"}, "when": {"nth": 1}}]
    )
    ends = [desk.attempt(EncordAddIssuesOperator, stage="Annotate", comment="Look.") for _ in range(2)]
    assert ends[0].retryable
    assert ends[1].result["updated"] == 4


def test_a_retry_continues_the_distribution_of_the_first_attempt(desk: Desk) -> None:
    """Tasks are distributed evenly, also if a retry did the rest."""
    people = [desk.member(), desk.member()]
    desk.emulator.faults([{"match": ACT, "when": {"nth": 2}, "do": BUSY}])
    arguments = {"stage": "Annotate", "assignee": people, "batch_size": 1}
    assert desk.attempt(EncordAssignTasksOperator, **arguments).retryable
    desk.emulator.clear_faults()
    assert desk.attempt(EncordAssignTasksOperator, **arguments).succeeded
    assert sorted(str(task.assignee) for task in desk.tasks("Annotate")) == sorted(people * 2)


def test_a_change_that_is_late_is_not_somebody_elses() -> None:
    """The answer is lost, Encord carries the request out after we looked, and refuses the repeat: it is done."""
    answers: list[Any] = [OutcomeUnknownError("lost"), {"a", "b"}, RefusedError("not in the stage"), set()]

    def step(_: Any) -> Any:
        return (yield)

    flow: Any = act_while_present(["a", "b"], step, step, size=10, isolate=True)  # type: ignore[arg-type]
    outcome: Any = None
    try:
        next(flow)
        for answer in answers:
            flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)
    except StopIteration as ended:
        outcome = ended.value
    assert outcome.done == ["a", "b"]


def test_another_run_does_not_take_over_what_an_unfinished_one_left(desk: Desk) -> None:
    """The plan of another run is what its undo needs: the report path is refused."""
    lose_the_last_outcome(desk, MOVE)
    arguments = {"stage": "Annotate", "to_stage": "Archive"}
    assert desk.attempt(EncordMoveTasksOperator, **arguments).retryable
    desk.emulator.clear_faults()
    end = desk.attempt(EncordMoveTasksOperator, Run(desk.directory, DAYS[1]), **arguments)
    assert "is the report of the task" in str(end.error)


def test_an_undo_uses_the_plan_and_not_the_preview_before_it(desk: Desk) -> None:
    """A preview at the same path is older than the plan, so it says nothing about what the tasks were."""
    new, before = desk.member(), desk.member()
    arguments = {"stage": "Annotate", "assignee": new, "if_assigned": "overwrite"}
    desk.attempt(EncordAssignTasksOperator, preview=True, **arguments)
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), before)
    _die_after_sending(desk, arguments)
    assert {task.assignee for task in desk.tasks("Annotate")} == {new}
    assert desk.revert().succeeded
    assert {task.assignee for task in desk.tasks("Annotate")} == {before}


def _die_after_sending(desk: Desk, arguments: dict[str, Any]) -> None:
    """The attempt sends its change, and is killed before it writes the outcome."""
    take = TaskReport.take

    def killed(report: TaskReport, lines: Any) -> None:
        if list(lines):
            raise KeyboardInterrupt

    TaskReport.take = killed  # type: ignore[method-assign]
    try:
        with pytest.raises(KeyboardInterrupt):
            desk.attempt(EncordAssignTasksOperator, **arguments)
    finally:
        TaskReport.take = take  # type: ignore[method-assign]


def test_a_failure_after_a_clear_keeps_what_an_undo_needs(desk: Desk) -> None:
    """A task that was changed before, and could not be changed again, is still undone."""
    before, new, other = desk.member(), desk.member(), desk.member()
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate"), before)
    arguments = {"stage": "Annotate", "if_assigned": "overwrite"}
    assert desk.attempt(EncordAssignTasksOperator, assignee=new, **arguments).succeeded
    desk.emulator.faults([{"match": ACT, "do": {"status": 403, "json": {"message": "no"}}}])
    desk.attempt(EncordAssignTasksOperator, assignee=other, **arguments)
    desk.emulator.clear_faults()
    assert {task.assignee for task in desk.tasks("Annotate")} == {new}
    desk.revert()
    assert {task.assignee for task in desk.tasks("Annotate")} == {before}


def test_a_batch_that_is_refused_does_not_cost_the_next_one(desk: Desk) -> None:
    """If Encord accepts some tasks and refuses others, the others are changed, whatever the batches are."""
    desk = Desk(desk.account, desk.directory, rows=75, created=0.0)
    tasks, person = ordered(desk), desk.member()
    desk.by_hand("assign", "Annotate", tasks[:25] + tasks[50:], person)
    desk.attempt(EncordSubmitTasksOperator, stage="Annotate", retain_assignee=True, batch_size=25)
    assert desk.counts() == {"Annotate": 25, "Review": 50}


def test_a_plan_of_a_change_that_was_killed_is_no_preview(desk: Desk) -> None:
    """What a killed change left is not the plan of a preview that a person approved."""
    lose_the_last_outcome(desk, MOVE)
    assert desk.attempt(EncordMoveTasksOperator, report="killed", stage="Annotate", to_stage="Archive").retryable
    desk.emulator.clear_faults()
    end = desk.attempt(EncordMoveTasksOperator, plan=str(desk.report("killed")))
    assert not end.succeeded


def test_a_failed_line_of_a_task_that_left_the_stage_does_not_fail_every_clear(desk: Desk) -> None:
    """A task that was refused, and is not in the stage any more, is skipped at the next attempt."""
    desk.emulator.faults([{"match": PRIORITIES, "do": {"status": 403, "json": {"message": "no"}}}])
    arguments = {"stage": "Annotate", "priority": 0.25}
    assert not desk.attempt(EncordSetPriorityOperator, **arguments).succeeded
    desk.emulator.clear_faults()
    desk.by_hand("move", "Annotate", desk.tasks("Annotate")[:1], "Review")
    end = desk.attempt(EncordSetPriorityOperator, **arguments)
    assert end.succeeded, end.error


def test_an_undo_of_what_a_person_did_after_a_refusal_leaves_it(desk: Desk) -> None:
    """Nothing was sent, so what a person did before the undo is not undone."""
    desk.emulator.faults([{"match": ACT, "when": {"nth": 1}, "do": BUSY}])
    assert desk.attempt(EncordSubmitTasksOperator, stage="Annotate").retryable
    desk.emulator.clear_faults()
    desk.by_hand("submit", "Annotate", desk.tasks("Annotate")[:1])
    desk.revert()
    assert desk.counts() == {"Annotate": 3, "Review": 1}


def test_what_may_have_been_done_is_not_reported_as_refused(desk: Desk) -> None:
    """The answer of a move is lost, and the user may not list tasks any more: an undo must still know the tasks."""
    desk.emulator.faults(
        [
            {"match": MOVE, "when": {"nth": 1}, "do": {"cut": "after"}},
            {"match": LIST, "when": {"nth": 2}, "do": {"status": 403, "json": {"message": "no"}}},
        ]
    )
    assert not desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive").succeeded
    assert desk.counts() == {"Archive": 4}
    desk.emulator.clear_faults()
    desk.revert()
    assert desk.counts() == {"Annotate": 4}


def test_what_an_attempt_did_while_the_next_one_had_begun_is_reported_as_done(desk: Desk) -> None:
    """The request of a lost attempt is carried out after the retry has planned: its tasks are done by this task."""
    desk.emulator.faults(
        [
            {"match": MOVE, "when": {"nth": 1}, "do": {"delay_s": 1.5}},
            {"match": MOVE, "when": {"nth": 2}, "do": {"delay_s": 3.0}},
        ]
    )
    arguments = {"stage": "Annotate", "to_stage": "Archive"}
    lost = threading.Thread(target=lambda: desk.attempt(EncordMoveTasksOperator, **arguments))
    lost.start()
    poll(lambda: bool(list(desk.directory.glob("report.jsonl.parts/plan-*"))) or None, "the plan", 30, every=0.02)
    end = desk.attempt(EncordMoveTasksOperator, **arguments)
    lost.join()
    assert desk.counts() == {"Archive": 4}
    assert end.result["updated"] == 4


def test_a_retry_leaves_the_tasks_that_an_earlier_attempt_assigned(desk: Desk) -> None:
    """With overwrite, a task that this run gave to a user stays with this user, also if another one left the stage."""
    people = [desk.member(), desk.member()]
    first, second, *_ = ordered(desk)
    desk.emulator.faults([{"match": ACT, "when": {"nth": 2}, "do": BUSY}])
    arguments = {"stage": "Annotate", "assignee": people, "if_assigned": "overwrite", "batch_size": 2}
    assert desk.attempt(EncordAssignTasksOperator, **arguments).retryable
    desk.emulator.clear_faults()
    desk.by_hand("submit", "Annotate", [first])
    assert desk.attempt(EncordAssignTasksOperator, **arguments).succeeded
    assert {task.uuid: task.assignee for task in desk.tasks("Annotate")}[second.uuid] == people[1]


def test_a_data_unit_that_came_into_the_stage_after_all_has_one_line(desk: Desk) -> None:
    """The line that says that it was not there is replaced, so the outcomes add up to the data units."""
    desk.by_hand("move", "Annotate", desk.tasks("Annotate")[:1], "Choose")
    arguments = {"stage": "Annotate", "to_stage": "Archive", "data_hashes": desk.data_hashes}
    assert desk.attempt(EncordMoveTasksOperator, **arguments).result["tasks"] == 4
    desk.by_hand("move", "Choose", desk.tasks("Choose"), "Annotate")
    end = desk.attempt(EncordMoveTasksOperator, **arguments)
    assert (end.result["tasks"], end.result["updated"]) == (4, 4)


def test_a_corrected_argument_makes_a_new_plan_and_the_report_keeps_what_was_done(desk: Desk) -> None:
    """An attempt broke, and the task is cleared with another destination: the rest goes there."""
    desk.emulator.faults([{"match": MOVE, "when": {"nth": 2}, "do": BUSY}])
    arguments = {"stage": "Annotate", "batch_size": 3}
    assert desk.attempt(EncordMoveTasksOperator, to_stage="Archive", **arguments).retryable
    desk.emulator.clear_faults()
    end = desk.attempt(EncordMoveTasksOperator, to_stage="Review", **arguments)
    assert end.result["updated"] == 4
    assert desk.counts() == {"Archive": 3, "Review": 1}
    assert desk.revert().result["updated"] == 4
    assert desk.counts() == {"Annotate": 4}


def test_what_was_sent_with_other_arguments_before_is_reported(desk: Desk) -> None:
    """The outcome of the request of the first attempt is looked up before a new plan is made."""
    lose_the_last_outcome(desk, MOVE)
    assert desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive").retryable
    desk.emulator.clear_faults()
    end = desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Review")
    assert end.result["updated"] == 4
    assert desk.counts() == {"Archive": 4}


def test_tasks_that_needed_no_change_are_reported_by_the_retry_of_a_worker_that_died_after_its_plan(desk: Desk) -> None:
    """The plan has all selected tasks, not only those that are to be changed."""
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate")[:1], desk.member())
    lost = Attempt(lambda: desk.attempt(EncordReleaseTasksOperator, stage="Annotate"), desk.directory, stop_at=1)
    while lost.end is None and "part-000000" not in lost.step:
        lost.go_on(1)
    lost.kill()
    end = desk.attempt(EncordReleaseTasksOperator, stage="Annotate")
    assert (end.result["updated"], end.result["unchanged"]) == (1, 3)
    assert desk.outcomes() == [*["unchanged"] * 3, "updated"]
