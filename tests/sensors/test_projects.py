"""Waiting for the progress and the status of a project."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.operators.literals import InvalidLiteralError
from airflow_provider_encord.sensors.projects import EncordProjectProgressSensor, EncordProjectStatusSensor
from tests.airflow_layer.deferrals import run_deferred
from tests.moves.scenario import NOWHERE
from tests.sensors.conftest import Board

MODES: list[dict[str, Any]] = [{"deferrable": True}, {"mode": "poke"}]


def progress(board: Board, **arguments: Any) -> EncordProjectProgressSensor:
    given = {"project_id": board.id, "stages": [board.last], "poke_interval": 0.05, "timeout": 30, **arguments}
    return EncordProjectProgressSensor(task_id="wait", **given)


def status(board: Board, **arguments: Any) -> EncordProjectStatusSensor:
    given = {"project_id": board.id, "statuses": "completed", "poke_interval": 0.05, "timeout": 30, **arguments}
    return EncordProjectStatusSensor(task_id="wait", **given)


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_fraction_of_the_rows_is_enough(board: Board, mode: dict[str, Any]) -> None:
    board.emulator.annotate(board.id, count=2, advance="complete")
    waiting = progress(board, min_fraction=0.5, **mode)
    if not mode.get("deferrable"):
        assert not waiting.poke({})
        board.emulator.annotate(board.id, count=1, advance="complete")
        found = waiting.execute({})
    else:
        found = run_deferred(
            lambda: progress(board, min_fraction=0.5, **mode),
            while_deferred=lambda _: board.emulator.annotate(board.id, count=1, advance="complete"),
        )
    assert (found["rows"], found["rows_in_stages"], found["fraction"]) == (6, 3, 0.5)
    assert found["stage_ids"] == [board.stages[board.last]]
    assert found["rows_by_stage"] == {board.first: 3, board.last: 3}


def test_all_rows_are_waited_for_by_default_and_stages_add_up(board: Board) -> None:
    board.emulator.annotate(board.id, count=5, advance="complete")
    assert not progress(board).poke({})
    found = progress(board, stages=[board.first, board.stages[board.last]]).execute({})
    assert (found["rows_in_stages"], found["fraction"]) == (6, 1.0)


def test_a_later_poll_of_the_progress_takes_one_request(board: Board) -> None:
    waiting = progress(board)
    waiting.poke({})
    assert len(board.requests()) == 2
    waiting.poke({})
    assert len(board.requests()) == 3


def test_a_project_without_rows_is_not_done(board: Board) -> None:
    empty = board.account.project(rows=0)["project_id"]
    assert not progress(board, project_id=empty).poke({})


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_an_unknown_stage_fails_and_names_the_stages(board: Board, mode: dict[str, Any]) -> None:
    with pytest.raises(AirflowFailException, match="'Nowhere'") as raised:
        progress(board, stages=[board.last, "Nowhere"], **mode).execute({})
    assert board.first in str(raised.value)


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_status_is_waited_for_with_one_request_a_poll(board: Board, mode: dict[str, Any]) -> None:
    def set_status() -> None:
        with board.account.client() as client:
            client.project(board.id).set_status("completed")

    if not mode.get("deferrable"):
        waiting = status(board, **mode)
        assert not waiting.poke({})
        assert len(board.requests()) == 1
        set_status()
        found = waiting.execute({})
    else:
        found = run_deferred(lambda: status(board, **mode), while_deferred=lambda _: set_status())
    assert (found["project_id"], found["status"]) == (board.id, "completed")


def test_one_of_several_statuses_is_enough(board: Board) -> None:
    found = status(board, statuses=["notStarted", "inProgress", "paused"]).execute({})
    assert found["status"] in ("notStarted", "inProgress")


def test_an_api_key_is_refused_because_it_cannot_read_the_status(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_KEY", board.account.api_key_connection(board.id))
    with pytest.raises(AirflowFailException, match="SSH key"):
        status(board, encord_conn_id="key").execute({})


@pytest.mark.parametrize(
    ("sensor", "wrong"),
    [
        (EncordProjectProgressSensor, {"stages": []}),
        (EncordProjectProgressSensor, {"stages": ""}),
        (EncordProjectProgressSensor, {"stages": "Complete", "min_fraction": 0}),
        (EncordProjectProgressSensor, {"stages": "Complete", "min_fraction": 80}),
        (EncordProjectProgressSensor, {"stages": "Complete", "min_fraction": "most"}),
        (EncordProjectStatusSensor, {"statuses": "done"}),
        (EncordProjectStatusSensor, {"statuses": []}),
    ],
)
def test_literal_mistakes_are_found_when_the_dag_is_parsed(sensor: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidLiteralError):
        sensor(task_id="wait", project_id=NOWHERE, **wrong)


def test_templated_mistakes_are_found_when_the_task_runs(board: Board) -> None:
    waiting = status(board, statuses="{{ params.status }}")
    waiting.render_template_fields({"params": {"status": "done"}})
    with pytest.raises(AirflowFailException, match="statuses: 'done'"):
        waiting.execute({})
