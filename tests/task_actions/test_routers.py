"""Pathways into a router: Encord does not list routers as stages, and tasks go on from them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_encord.operators.workflow import EncordProceedTasksOperator
from tests.airflow_layer.bench import Account
from tests.task_actions.desk import Desk
from tests.task_actions.test_faults import ACT
from tests.task_actions.test_retries import lose_the_last_outcome

ROUTED = [
    {"stageType": "ANNOTATION", "title": "Annotate", "next": "Agent"},
    {"stageType": "AGENT", "title": "Agent", "pathways": [{"title": "some", "to": "Split"}]},
    {
        "stageType": "PERCENTAGE_ROUTER",
        "title": "Split",
        "pathways": [{"title": "a", "to": "Review"}, {"title": "b", "to": "Complete"}],
    },
    {"stageType": "REVIEW", "title": "Review", "next": "Complete"},
    {"stageType": "DONE", "title": "Complete"},
]
ARGUMENTS = {"stage": "Agent", "pathway": "some"}


@pytest.fixture
def routed(account: Account, tmp_path: Path) -> Desk:
    desk = Desk(account, tmp_path, stages=ROUTED)
    desk.by_hand("move", "Annotate", desk.tasks("Annotate"), "Agent")
    return desk


def test_the_report_says_to_which_stages_a_router_sent_the_tasks(routed: Desk) -> None:
    done = routed.attempt(EncordProceedTasksOperator, **ARGUMENTS)
    assert done.result["updated"] == 4, done.error
    assert routed.counts() == {"Review": 2, "Complete": 2}
    with routed.client as client:
        titles = {stage.uuid: stage.title for stage in client.project(routed.project_id).stages()}
    assert sorted(titles[line["new_stage_id"]] for line in routed.lines()) == [
        "Complete",
        "Complete",
        "Review",
        "Review",
    ]


def test_a_preview_does_not_name_the_router_as_the_next_stage(routed: Desk) -> None:
    assert routed.attempt(EncordProceedTasksOperator, preview=True, **ARGUMENTS).result["updated"] == 4
    assert {line["new_stage_id"] for line in routed.lines()} == {None}
    # A preview can be carried out.
    plan = str(routed.report())
    done = routed.attempt(EncordProceedTasksOperator, report="carried", plan=plan)
    assert done.result["updated"] == 4, done.error


def test_a_retry_counts_the_tasks_that_went_through_the_router(routed: Desk) -> None:
    lose_the_last_outcome(routed, ACT)
    assert routed.attempt(EncordProceedTasksOperator, **ARGUMENTS).retryable
    routed.emulator.clear_faults()
    assert routed.counts() == {"Review": 2, "Complete": 2}
    again = routed.attempt(EncordProceedTasksOperator, **ARGUMENTS)
    assert (again.result["updated"], again.result["skipped"]) == (4, 0)
    assert {line["outcome"] for line in routed.lines()} == {"updated"}
    assert None not in {line["new_stage_id"] for line in routed.lines()}


def test_what_went_through_a_router_can_be_reverted(routed: Desk) -> None:
    routed.attempt(EncordProceedTasksOperator, **ARGUMENTS)
    undone = routed.revert()
    assert (undone.result["updated"], undone.result["skipped"]) == (4, 0), undone.error
    assert routed.counts() == {"Agent": 4}


def test_what_somebody_moved_on_after_the_router_is_left_there(routed: Desk) -> None:
    routed.attempt(EncordProceedTasksOperator, **ARGUMENTS)
    routed.by_hand("approve", "Review", routed.tasks("Review")[:1])
    undone = routed.revert()
    assert (undone.result["updated"], undone.result["skipped"]) == (3, 1)
    assert routed.counts() == {"Agent": 3, "Complete": 1}
