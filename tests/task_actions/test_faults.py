"""Lost answers, refusals, and people who act meanwhile: every task is changed once, and reported once."""

from __future__ import annotations

import threading
from typing import Any

from airflow_provider_encord.operators.workflow import (
    EncordAssignTasksOperator,
    EncordMoveTasksOperator,
    EncordReviewTasksOperator,
    EncordSubmitTasksOperator,
)
from tests.deployment.polling import poll
from tests.task_actions.desk import Desk

MOVE = {"path": "/move-tasks$"}
ACT = {"path": "/actions$", "method": "POST"}
BUSY = {"status": 429, "headers": {"Retry-After": "900"}}


def moves(desk: Desk) -> int:
    """How many requests to move tasks were sent."""
    return sum(entry["path"].endswith("/move-tasks") for entry in desk.emulator.journal())


def test_a_move_whose_answer_is_lost_is_found_out_and_not_repeated(desk: Desk) -> None:
    desk.emulator.faults([{"match": MOVE, "when": {"nth": 1}, "do": {"cut": "after"}}])
    desk.emulator.clear_journal()
    end = desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive", batch_size=2)
    assert end.result["updated"] == 4
    assert moves(desk) == 1 + 1  # the first was carried out, though its answer did not come
    assert desk.outcomes() == ["updated"] * 4


def test_a_retry_continues_and_the_report_has_the_tasks_of_both_attempts(desk: Desk) -> None:
    desk.emulator.faults([{"match": MOVE, "when": {"nth": 2}, "do": BUSY}])
    end = desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive", batch_size=3)
    assert end.retryable
    assert desk.counts() == {"Annotate": 1, "Archive": 3}
    desk.emulator.clear_faults()
    end = desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive", batch_size=3)
    assert end.result["updated"] == 4
    assert desk.revert().result["updated"] == 4
    assert desk.counts() == {"Annotate": 4}


def test_what_an_attempt_did_last_before_it_was_lost_is_reported_by_the_retry(desk: Desk) -> None:
    """The tasks are moved, and then nothing more can be asked: the attempt does not learn it."""
    desk.emulator.faults(
        [
            {"match": MOVE, "when": {"nth": 1}, "do": {"cut": "after"}},
            {"match": {"path": "/tasks$", "method": "GET"}, "when": {"nth": 2}, "do": BUSY},
        ]
    )
    end = desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive")
    assert end.retryable
    assert desk.counts() == {"Archive": 4}
    assert not desk.report().exists()
    desk.emulator.clear_faults()
    end = desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive")
    assert end.result["updated"] == 4


def test_a_task_that_did_not_end_can_be_undone(desk: Desk) -> None:
    desk.emulator.faults([{"match": MOVE, "when": {"nth": 2}, "do": BUSY}])
    desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive", batch_size=3)
    desk.emulator.clear_faults()
    undone = desk.revert()
    assert (undone.result["tasks"], undone.result["updated"]) == (3, 3)  # nothing was sent for the other one
    assert desk.counts() == {"Annotate": 4}


def test_one_task_that_encord_refuses_does_not_cost_the_others(desk: Desk) -> None:
    person = desk.member()
    free = desk.tasks("Annotate")[0]
    desk.by_hand("assign", "Annotate", desk.tasks("Annotate")[1:], person)
    end = desk.attempt(EncordSubmitTasksOperator, stage="Annotate", retain_assignee=True)
    assert not end.retryable
    assert "1 of 4 tasks could not be changed; the others were." in str(end.error)
    assert free.uuid in str(end.error)
    assert "no assignee" in str(end.error)
    assert desk.counts() == {"Annotate": 1, "Review": 3}
    assert desk.outcomes() == ["failed", *["updated"] * 3]
    # Once the reason is mended, the cleared task does the rest, and its report has all.
    desk.by_hand("assign", "Annotate", [free], person)
    end = desk.attempt(EncordSubmitTasksOperator, stage="Annotate", retain_assignee=True)
    assert end.result["updated"] == 4
    assert desk.outcomes() == ["updated"] * 4


def test_if_encord_refuses_all_the_message_is_not_about_others(desk: Desk) -> None:
    end = desk.attempt(EncordSubmitTasksOperator, stage="Annotate", assignee="stranger@example.com")
    assert str(end.error).startswith("4 of 4 tasks could not be changed.\n")


def test_what_is_refused_for_all_stops_early_and_all_are_reported(desk: Desk) -> None:
    desk = Desk(desk.account, desk.directory, rows=60, created=0.0)
    desk.emulator.faults([{"match": ACT, "do": {"status": 403, "json": {"message": "no"}}}])
    desk.emulator.clear_journal()
    end = desk.attempt(EncordSubmitTasksOperator, stage="Annotate")
    desk.emulator.clear_faults()
    assert not end.retryable
    assert desk.outcomes() == ["failed"] * 60
    assert desk.counts() == {"Annotate": 60}
    assert sum(entry["path"].endswith("/actions") for entry in desk.emulator.journal()) < 60


def test_who_acts_between_the_listing_and_the_move_keeps_the_task(desk: Desk) -> None:
    first = desk.tasks("Annotate")[:1]
    desk.emulator.faults([{"match": MOVE, "when": {"nth": 1}, "do": {"delay_s": 1.0}}])
    ends: list[Any] = []
    work = threading.Thread(
        target=lambda: ends.append(desk.attempt(EncordMoveTasksOperator, stage="Annotate", to_stage="Archive"))
    )
    work.start()
    poll(lambda: bool(list(desk.directory.glob("report.jsonl.parts/plan-*"))) or None, "the plan", 30, every=0.02)
    desk.by_hand("submit", "Annotate", first)
    work.join()
    (end,) = ends
    assert (end.result["updated"], end.result["skipped"]) == (3, 1)
    assert desk.counts() == {"Archive": 3, "Review": 1}


def test_a_comment_is_added_once_though_its_answer_is_lost(desk: Desk) -> None:
    desk.by_hand("move", "Annotate", desk.tasks("Annotate"), "Review")
    desk.emulator.faults(
        [{"match": {"path": "/issues$", "method": "POST"}, "do": {"cut": "after"}, "when": {"nth": 1}}]
    )
    arguments = {"stage": "Review", "verdict": "reject", "comment": "Too small."}
    ends = [desk.attempt(EncordReviewTasksOperator, **arguments)]
    if ends[0].retryable:
        ends.append(desk.attempt(EncordReviewTasksOperator, **arguments))
    assert ends[-1].result["updated"] == 4
    with desk.client as client:
        project = client.project(desk.project_id)
        assert [len(list(project.issues(data))) for data in desk.data_hashes] == [1] * 4


def test_assignments_are_repeated_after_a_lost_answer_with_the_same_users(desk: Desk) -> None:
    people = [desk.member() for _ in range(2)]
    desk.emulator.faults([{"match": ACT, "when": {"nth": 1}, "do": {"cut": "after"}}])
    end = desk.attempt(EncordAssignTasksOperator, stage="Annotate", assignee=people)
    assert end.result["updated"] == 4
    assert sorted(str(task.assignee) for task in desk.tasks("Annotate")) == sorted(people * 2)
