"""Waiting for the tasks of a stage: thresholds, errors, time limits, in every mode."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)

try:
    from airflow.sdk.exceptions import AirflowRescheduleException
except ImportError:  # Airflow 2.11
    from airflow.exceptions import AirflowRescheduleException

from airflow_provider_encord.operators.literals import InvalidLiteralError
from airflow_provider_encord.sensors.workflow import EncordTasksSensor
from airflow_provider_encord.triggers.waits import EncordWaitTrigger
from tests.airflow_layer.bench import Account
from tests.airflow_layer.deferrals import run_deferred
from tests.airflow_layer.lines import needs_task_state, running_line
from tests.moves.attempts import Store
from tests.moves.scenario import NOWHERE
from tests.sensors.conftest import Board

MODES: list[dict[str, Any]] = [{"deferrable": True}, {"mode": "poke"}]


def sensor(board: Board, **arguments: Any) -> EncordTasksSensor:
    given = {"project_id": board.id, "stage": board.second, "poke_interval": 0.05, "timeout": 30, **arguments}
    return EncordTasksSensor(task_id="wait", **given)


def deferred(board: Board, context: dict[str, Any] | None = None, **arguments: Any) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as raised:
        sensor(board, deferrable=True, **arguments).execute(context or {})
    return raised.value


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize(
    ("stage", "limits", "reason", "tasks"),
    [
        ("first", {"min_tasks": 6}, "min_tasks", 6),
        ("first", {"max_tasks": 6}, "max_tasks", 6),
        ("first", {"min_tasks": 2, "max_tasks": 9}, "min_tasks and max_tasks", 6),
        ("second", {"max_tasks": 0}, "max_tasks", 0),
    ],
)
def test_a_condition_that_is_met_already_ends_the_task_at_once(
    board: Board, mode: dict[str, Any], stage: str, limits: dict[str, int], reason: str, tasks: int
) -> None:
    title = getattr(board, stage)
    found = sensor(board, stage=title, **limits, **mode).execute({})
    assert (found["stage"], found["stage_id"]) == (title, board.stages[title])
    assert (found["reason"], found["tasks"], found["all_listed"]) == (reason, tasks, True)
    assert len(found["task_ids"]) == tasks
    assert len(board.requests()) == 2


def test_a_stage_is_found_by_its_id_and_ids_in_xcom_are_capped(account: Account) -> None:
    seeded = account.project(rows=120)
    stage = seeded["stages"][0]
    found = EncordTasksSensor(
        task_id="wait", project_id=seeded["project_id"], stage=stage["uuid"], min_tasks=120
    ).execute({})
    assert (found["stage"], found["tasks"], len(found["task_ids"])) == (stage["title"], 120, 100)


def test_a_listing_stops_when_a_minimum_is_reached(board: Board) -> None:
    board.emulator.limits(page_size=2)
    found = sensor(board, stage=board.first, min_tasks=3).execute({})
    assert (found["tasks"], found["all_listed"]) == (4, False)
    assert len(board.requests("/tasks")) == 2


def test_a_listing_stops_when_a_maximum_is_exceeded(board: Board) -> None:
    board.emulator.limits(page_size=2)
    deferred(board, stage=board.first, max_tasks=1)
    assert len(board.requests("/tasks")) == 1


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_the_task_waits_until_people_have_submitted_enough(board: Board, mode: dict[str, Any]) -> None:
    if "deferrable" in mode:
        found = run_deferred(lambda: sensor(board, min_tasks=2, **mode), while_deferred=lambda _: board.submit(3))
    else:
        waiting = sensor(board, min_tasks=2, **mode)
        assert not waiting.poke({})
        board.submit(3)
        found = waiting.execute({})
    assert (found["tasks"], found["stage"]) == (3, board.second)


def test_a_poll_in_the_triggerer_sends_one_request_and_reads_no_stages_again(board: Board) -> None:
    def submit(_: int) -> None:
        board.submit(1)
        board.emulator.clear_journal()

    run_deferred(lambda: sensor(board, min_tasks=1, deferrable=True), while_deferred=submit)
    assert len(board.requests()) == len(board.requests("/tasks")) == 1


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_an_unknown_stage_fails_at_once_and_names_the_stages(board: Board, mode: dict[str, Any]) -> None:
    with pytest.raises(AirflowFailException, match="'Nowhere' is neither id nor title of a stage") as raised:
        sensor(board, stage="Nowhere", min_tasks=1, **mode).execute({})
    assert all(repr(title) in str(raised.value) for title in board.stages)


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_an_unknown_project_fails_at_once(board: Board, mode: dict[str, Any]) -> None:
    with pytest.raises(AirflowFailException, match=NOWHERE):
        sensor(board, project_id=NOWHERE, min_tasks=1, **mode).execute({})


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_permanent_error_ends_a_wait_in_the_triggerer_at_once(board: Board, status: int) -> None:
    def refuse(_: int) -> None:
        board.emulator.faults([{"match": {"path": "/tasks$"}, "do": {"status": status, "json": {"message": "no"}}}])

    with pytest.raises(AirflowFailException) as raised:
        run_deferred(lambda: sensor(board, min_tasks=1, deferrable=True), while_deferred=refuse)
    assert "workflow.tasks.list" in str(raised.value)


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("number", [1, 2])
def test_a_temporary_failure_ends_no_wait(board: Board, mode: dict[str, Any], number: int) -> None:
    """Also not at the first request, before the stage is known."""
    busy = {"status": 503, "headers": {"Retry-After": "0"}}
    when = {"times": 5} if number == 1 else {"nth": 2}
    matched = {"path": "."} if number == 1 else {"path": "/tasks$"}
    board.emulator.faults([{"match": matched, "when": when, "do": busy}])
    found = run_deferred(lambda: sensor(board, stage=board.first, min_tasks=6, **mode))
    assert found["tasks"] == 6


def test_the_next_poke_is_not_before_the_time_that_encord_asks_for(board: Board) -> None:
    busy = {"status": 503, "headers": {"Retry-After": "900"}}
    board.emulator.faults([{"match": {"path": "."}, "when": {"nth": 1}, "do": busy}])
    waiting = sensor(board, min_tasks=1)
    assert not waiting.poke({})
    assert waiting._get_next_poke_interval(0.0, lambda: 0.0, 1) == 900
    assert not waiting.poke({})
    assert waiting._get_next_poke_interval(0.0, lambda: 0.0, 1) < 1


def context(**more: Any) -> dict[str, Any]:
    """A context for a sensor that is rescheduled."""

    class Instance:
        def get_first_reschedule_date(self, _: Any) -> None:
            return None

        def xcom_push(self, **_: Any) -> None:
            pass

    return {"ti": Instance(), **more}


def test_a_poke_that_comes_too_late_times_out(board: Board) -> None:
    with pytest.raises(AirflowSensorTimeout):
        sensor(board, min_tasks=1, mode="poke", timeout=0.2).execute({})


def test_a_wait_in_the_triggerer_ends_at_its_deadline(board: Board) -> None:
    started = time.time()
    with pytest.raises(AirflowSensorTimeout, match="not met within timeout"):
        run_deferred(lambda: sensor(board, min_tasks=1, deferrable=True, timeout=2))
    assert 1.9 < time.time() - started < 4


def test_a_deadline_ends_a_poll_that_gets_no_response(board: Board) -> None:
    def hang(_: int) -> None:
        board.emulator.faults([{"match": {"path": "/tasks$"}, "do": {"delay_s": 20}}])

    started = time.time()
    with pytest.raises(AirflowSensorTimeout):
        run_deferred(lambda: sensor(board, min_tasks=1, deferrable=True, timeout=2), while_deferred=hang)
    assert time.time() - started < 5


def test_the_deadline_is_a_time_and_airflows_own_limit_comes_after_it(board: Board) -> None:
    before = time.time()
    stop = deferred(board, min_tasks=1, timeout=600)
    _, stored = stop.trigger.serialize()
    assert before + 600 <= stored["deadline"] <= time.time() + 600
    assert stop.timeout is not None
    assert 600 < stop.timeout.total_seconds() <= 660


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_soft_fail_skips_the_task(board: Board, mode: dict[str, Any]) -> None:
    with pytest.raises(AirflowSkipException):
        sensor(board, stage="Nowhere", min_tasks=1, soft_fail=True, **mode).execute({})


def test_a_soft_fail_skips_the_task_after_a_deferral(board: Board) -> None:
    waiting = sensor(board, min_tasks=1, soft_fail=True, deferrable=True)
    with pytest.raises(AirflowSkipException):
        waiting.resume_execution("execute_complete", {"event": {"status": "overdue"}}, {})


def test_an_error_in_the_triggerer_keeps_whether_a_retry_helps(board: Board) -> None:
    waiting = sensor(board, min_tasks=1)
    with pytest.raises(AirflowFailException, match="no access"):
        waiting.execute_complete({}, {"status": "error", "message": "no access", "retryable": False})
    with pytest.raises(AirflowFailException, match="not an event of EncordWaitTrigger"):
        waiting.execute_complete({}, "success")  # type: ignore[arg-type]


def test_the_trigger_survives_storing_and_holds_no_secret(board: Board) -> None:
    trigger = deferred(board, min_tasks=1).trigger
    path, stored = trigger.serialize()
    assert path == "airflow_provider_encord.triggers.waits.EncordWaitTrigger"
    again = EncordWaitTrigger(**json.loads(json.dumps(stored)))
    assert again.serialize() == (path, stored)
    lines = board.account.private_key.splitlines()[1:-1]
    assert not [line for line in lines if line in json.dumps(stored)]
    assert stored["condition"]["stage"] == board.stages[board.second]


def test_the_interval_in_the_triggerer_is_at_least_five_seconds_and_polls_before_the_deadline(board: Board) -> None:
    def interval(**arguments: Any) -> float:
        stored = deferred(board, min_tasks=1, **arguments).trigger.serialize()[1]
        return float(stored["poll_interval"])

    assert interval(poke_interval=0) == 5
    assert interval(poke_interval=600, timeout=7200) == 600
    assert 590 < interval(poke_interval=3600, timeout=1200) <= 600


def test_a_task_that_waits_too_long_ends_the_wait(board: Board) -> None:
    found = run_deferred(lambda: sensor(board, stage=board.first, min_tasks=50, max_wait_seconds=1, deferrable=True))
    assert (found["reason"], found["tasks"]) == ("max_wait_seconds", 6)
    assert found["oldest_first_seen"] is not None


def test_a_task_that_left_the_stage_does_not_count_any_more(board: Board) -> None:
    with pytest.raises(AirflowSensorTimeout):
        run_deferred(
            lambda: sensor(board, stage=board.first, max_wait_seconds=1.5, deferrable=True, timeout=3),
            while_deferred=lambda _: board.submit(6),
        )


def test_what_the_task_saw_before_it_was_deferred_is_stored_with_the_trigger(board: Board) -> None:
    _, stored = deferred(board, stage=board.first, max_wait_seconds=60).trigger.serialize()
    assert len(stored["memory"]) == 6
    assert all(abs(seen - time.time()) < 20 for seen in stored["memory"].values())


@needs_task_state
def test_rescheduled_pokes_keep_the_times_in_the_task_state_and_delete_them_at_the_end(
    board: Board, tmp_path: Any
) -> None:
    store = Store(tmp_path)

    def poke() -> Any:
        waiting = sensor(board, stage=board.first, max_wait_seconds=1, mode="reschedule")
        try:
            return waiting.execute(context(task_state_store=store))
        except AirflowRescheduleException:
            return None

    assert poke() is None
    (key,) = store.keys
    stored = store.get(key)
    store.set(key, {**stored, "value": {task: seen - 5 for task, seen in stored["value"].items()}})
    assert poke()["reason"] == "max_wait_seconds"
    assert store.keys == []


@pytest.mark.skipif(running_line() == "3.3", reason="3.3 has task state")
def test_older_lines_refuse_a_maximum_wait_with_rescheduling(board: Board) -> None:
    with pytest.raises(AirflowFailException, match="needs the task state of Airflow"):
        sensor(board, max_wait_seconds=1, mode="reschedule").poke({})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "at least one of min_tasks, max_tasks, max_wait_seconds"),
        ({"min_tasks": 0}, "min_tasks"),
        ({"max_tasks": -1}, "max_tasks"),
        ({"max_wait_seconds": 0}, "max_wait_seconds"),
        ({"min_tasks": 5, "max_tasks": 2}, "never met"),
        ({"min_tasks": 1, "stage": "None"}, "stage"),
        ({"min_tasks": 1, "max_wait": 60}, "max_wait_seconds"),
    ],
    ids=str,
)
def test_literal_mistakes_are_found_when_the_dag_is_parsed(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidLiteralError, match=message):
        EncordTasksSensor(task_id="wait", **{"project_id": NOWHERE, "stage": "Review", **wrong})


def test_templated_mistakes_are_found_when_the_task_runs(board: Board) -> None:
    waiting = sensor(board, min_tasks="{{ params.least }}")
    waiting.render_template_fields({"params": {"least": "many"}})
    with pytest.raises(AirflowFailException, match="min_tasks: 'many'"):
        waiting.execute({})
    empty = sensor(board, min_tasks="{{ params.least }}")
    empty.render_template_fields({"params": {"least": ""}})
    with pytest.raises(AirflowFailException, match="at least one of"):
        empty.execute({})
