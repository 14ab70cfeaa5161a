"""Asset events of operators on tasks: an alias has one for each change, and none if an attempt changed nothing."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AssetAlias

from airflow_provider_encord.operators.workflow import EncordMoveTasksOperator, EncordRevertTasksOperator
from tests.airflow_layer.outlet_events import OutletEvents
from tests.moves.attempts import End, attempt
from tests.pauses import end_pauses
from tests.task_actions.desk import Desk
from tests.task_actions.test_faults import BUSY, MOVE

LABELS = AssetAlias("labels of the run")
ARCHIVE = {"stage": "Annotate", "to_stage": "Archive"}


def events_of(desk: Desk, operator: type, **arguments: Any) -> tuple[End, int]:
    """Make an attempt, and count the events that it adds to the alias. Airflow drops those of an attempt that fails."""
    events = OutletEvents()

    def make(**given: Any) -> Any:
        task = operator(outlets=[LABELS], **given)
        inner = task.execute
        task.execute = lambda context: inner({**context, "outlet_events": events})
        return task

    end = attempt(make, {"report": str(desk.report()), **arguments}, desk.run)  # type: ignore[arg-type]
    return end, len(events[LABELS].added) if end.succeeded else 0


def move(desk: Desk, **arguments: Any) -> tuple[End, int]:
    return events_of(desk, EncordMoveTasksOperator, project_id=desk.project_id, **{**ARCHIVE, **arguments})


def revert(desk: Desk) -> tuple[End, int]:
    arguments = {"source": str(desk.report()), "report": str(desk.report("reverted"))}
    return events_of(desk, EncordRevertTasksOperator, **arguments)


def test_a_cleared_task_that_changes_nothing_has_no_event(desk: Desk) -> None:
    assert move(desk)[1] == 1
    end, events = move(desk)
    assert end.result["updated"] == 4  # the report still has what the task did before
    assert events == 0


def test_a_cleared_task_that_changes_more_has_an_event(desk: Desk) -> None:
    assert move(desk, max_tasks=2)[1] == 1
    assert move(desk)[1] == 1


def test_a_cleared_revert_that_changes_nothing_has_no_event(desk: Desk) -> None:
    move(desk)
    assert revert(desk)[1] == 1
    end, events = revert(desk)
    assert end.succeeded, end.error
    assert events == 0


def test_a_retry_announces_what_the_attempt_before_changed(desk: Desk) -> None:
    """The first attempt failed after its change, so it had no event."""
    desk.emulator.faults(
        [
            {"match": MOVE, "when": {"nth": 1}, "do": {"cut": "after"}},
            {"match": {"path": "/tasks$", "method": "GET"}, "when": {"nth": 2}, "do": BUSY},
        ]
    )
    assert move(desk)[0].retryable
    assert desk.counts() == {"Archive": 4}
    desk.emulator.clear_faults()
    end_pauses(desk.emulator.url)
    end, events = move(desk)
    assert end.result["updated"] == 4
    assert events == 1
    assert move(desk)[1] == 0


@pytest.mark.parametrize("status", [400, 403])
def test_what_a_failed_attempt_changed_is_announced_by_the_one_that_succeeds(desk: Desk, status: int) -> None:
    """The attempt wrote its report, and failed because Encord refused the last task: its changes have no event yet."""
    refusal = {"status": status, "json": {"message": "no"}}
    desk.emulator.faults([{"match": MOVE, "when": {"nth": 2}, "do": refusal}])
    failed, _ = move(desk, batch_size=3)
    assert not failed.succeeded
    assert desk.report().exists()
    assert desk.counts() == {"Annotate": 1, "Archive": 3}
    desk.emulator.clear_faults()
    desk.by_hand("move", "Annotate", desk.tasks("Annotate"), "Review")
    end, events = move(desk, batch_size=3)
    assert (end.result["updated"], end.result["skipped"]) == (3, 1)
    assert events == 1
    assert move(desk, batch_size=3)[1] == 0


def test_what_a_cleared_task_did_before_it_failed_is_not_announced_again(desk: Desk) -> None:
    assert move(desk)[1] == 1
    assert not move(desk, to_stage="Nowhere")[0].succeeded
    assert move(desk)[1] == 0
