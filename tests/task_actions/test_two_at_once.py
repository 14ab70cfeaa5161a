"""A revert and the task that writes its source, at the same time."""

from __future__ import annotations

import dataclasses
import json
import threading

import pytest

from airflow_provider_encord.attempts import Claim, Owner
from airflow_provider_encord.operators.workflow import EncordMoveTasksOperator, EncordRevertTasksOperator
from airflow_provider_encord.report_files import ReportFiles
from tests.deployment.polling import poll
from tests.moves.attempts import DAYS, End, Run, attempt
from tests.task_actions.desk import Desk
from tests.task_actions.test_faults import BUSY, MOVE

ARGUMENTS = {"stage": "Annotate", "to_stage": "Archive", "batch_size": 1}


@pytest.fixture
def other(desk: Desk) -> Run:
    """The revert is another task: here, one of another run."""
    return Run(desk.directory, DAYS[1])


def claim_of(desk: Desk, task: str = "dag/run/move/-1") -> Claim:
    """A claim on the report, as a task has it that runs."""
    return Claim(ReportFiles(desk.report()).claim_path, Owner(task), "report")


def expire(desk: Desk) -> None:
    """Let the claim of a killed worker end."""
    path = ReportFiles(desk.report()).claim_path
    path.write_text(json.dumps({**json.loads(path.read_text()), "renewed": 0.0}))


def test_a_revert_does_not_begin_while_the_task_still_changes_tasks(desk: Desk, other: Run) -> None:
    """The task is in the middle of its second request. The revert would miss what comes after."""
    desk.emulator.faults([{"match": MOVE, "when": {"nth": 2}, "do": {"delay_s": 3.0}}])
    ends: list[End] = []
    running = threading.Thread(target=lambda: ends.append(desk.attempt(EncordMoveTasksOperator, **ARGUMENTS)))
    running.start()
    poll(lambda: bool(list(desk.directory.glob("report.jsonl.parts/sent-000001*"))) or None, "it", 30, every=0.02)
    refused = desk.revert(run=other)
    running.join()
    assert refused.retryable
    assert "source: " in str(refused.error)
    assert "is in use by the task moves/scheduled__2026-03-01/moved/-1" in str(refused.error)
    assert ends[0].result["updated"] == 4, ends[0].error
    assert desk.counts() == {"Archive": 4}
    assert desk.revert(run=other).result["updated"] == 4
    assert desk.counts() == {"Annotate": 4}


def test_a_preview_of_a_revert_waits_for_the_task_too_and_writes_nothing_beside_its_report(
    desk: Desk, other: Run
) -> None:
    desk.attempt(EncordMoveTasksOperator, **ARGUMENTS)
    arguments = {"source": str(desk.report()), "report": str(desk.report("preview")), "preview": True}
    running = claim_of(desk)
    running.take()
    assert attempt(EncordRevertTasksOperator, arguments, other).retryable
    running.release()
    assert attempt(EncordRevertTasksOperator, arguments, other).result["updated"] == 4


def test_a_revert_takes_over_from_a_task_that_died(desk: Desk, other: Run) -> None:
    desk.emulator.faults([{"match": MOVE, "when": {"nth": 3}, "do": BUSY}])
    assert desk.attempt(EncordMoveTasksOperator, **ARGUMENTS).retryable
    desk.emulator.clear_faults()
    killed = claim_of(desk)
    killed.take()
    assert desk.revert(run=other).retryable
    expire(desk)
    undone = desk.revert(run=other)
    assert undone.result["updated"] == 2, undone.error
    assert desk.counts() == {"Annotate": 4}
    assert not killed.stands  # a zombie stops at its next step


def test_a_task_that_is_cleared_waits_for_the_revert(desk: Desk, other: Run) -> None:
    """It would move the tasks again that the revert has just moved back."""
    desk.attempt(EncordMoveTasksOperator, **ARGUMENTS)
    desk.emulator.faults([{"match": MOVE, "when": {"nth": 1}, "do": {"delay_s": 3.0}}])
    ends: list[End] = []
    undoing = threading.Thread(target=lambda: ends.append(desk.revert(run=other)))
    undoing.start()
    poll(lambda: bool(list(desk.directory.glob("reverted.jsonl.parts/sent-*"))) or None, "it", 30, every=0.02)
    cleared = desk.attempt(EncordMoveTasksOperator, **ARGUMENTS)
    undoing.join()
    assert cleared.retryable
    assert ends[0].result["updated"] == 4, ends[0].error
    assert desk.counts() == {"Annotate": 4}


def test_a_revert_whose_source_was_taken_over_stops(desk: Desk, other: Run) -> None:
    """The revert was stopped for long; meanwhile, its claim on the source has ended, and the task was cleared."""
    desk.attempt(EncordMoveTasksOperator, **ARGUMENTS)
    desk.emulator.faults([{"match": MOVE, "when": {"nth": 1}, "do": {"delay_s": 2.0}}])
    ends: list[End] = []
    arguments = {"source": str(desk.report()), "report": str(desk.report("reverted")), "batch_size": 1}
    undoing = threading.Thread(target=lambda: ends.append(attempt(EncordRevertTasksOperator, arguments, other)))
    undoing.start()
    poll(lambda: bool(list(desk.directory.glob("reverted.jsonl.parts/sent-*"))) or None, "it", 30, every=0.02)
    expire(desk)
    cleared = claim_of(desk)
    cleared.take()
    undoing.join()
    assert ends[0].retryable
    assert desk.counts() == {"Annotate": 1, "Archive": 3}
    cleared.release()
    assert attempt(EncordRevertTasksOperator, arguments, other).result["updated"] == 4
    assert desk.counts() == {"Annotate": 4}


def test_a_revert_leaves_nothing_beside_its_source(desk: Desk, other: Run) -> None:
    desk.attempt(EncordMoveTasksOperator, **ARGUMENTS)
    assert desk.revert(run=other).succeeded
    assert not ReportFiles(desk.report()).directory.exists()


def test_a_source_that_does_not_exist_is_not_claimed(desk: Desk, other: Run) -> None:
    assert "does not exist" in str(desk.revert("other", run=other).error)
    assert not ReportFiles(desk.report("other")).directory.exists()


def test_two_reverts_of_one_report_do_not_run_at_once(desk: Desk, other: Run) -> None:
    desk.attempt(EncordMoveTasksOperator, **ARGUMENTS)
    first = claim_of(desk, "dag/run/revert/-1")
    first.take()
    refused = desk.revert(run=dataclasses.replace(other, day=DAYS[2]))
    assert refused.retryable
    assert "dag/run/revert/-1" in str(refused.error)
