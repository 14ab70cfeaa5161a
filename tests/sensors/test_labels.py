"""Waiting for edited label rows, since a time and since an export."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.exports import since_export
from airflow_provider_encord.exports.manifest import read_manifest
from airflow_provider_encord.operators.labels import EncordExportLabelsOperator
from airflow_provider_encord.operators.literals import InvalidLiteralError
from airflow_provider_encord.sensors.labels import EncordLabelsChangedSensor
from tests.airflow_layer.deferrals import run_deferred
from tests.moves.scenario import NOWHERE
from tests.sensors.conftest import Board


def sensor(**arguments: Any) -> EncordLabelsChangedSensor:
    return EncordLabelsChangedSensor(task_id="wait", **{"poke_interval": 0.05, "timeout": 30, **arguments})


def later(seconds: float = 3600) -> str:
    """A time in the future of the emulator, unless its clock is moved."""
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)).isoformat()


def edit(board: Board, *data_hashes: str, hours: float = 2) -> None:
    """People edit rows, some hours from now."""
    board.emulator.clock(now=later(hours * 3600))
    board.emulator.annotate(board.id, data_hashes=list(data_hashes), seed=int(hours * 10))
    board.emulator.clock(now=None)


def export(board: Board, directory: Path, **filters: Any) -> str:
    operator = EncordExportLabelsOperator(task_id="export", project_id=board.id, destination=str(directory), **filters)
    return str(operator.execute({})["manifest"])


@pytest.mark.parametrize("mode", [{"deferrable": True}, {"mode": "poke"}], ids=str)
def test_rows_that_are_edited_after_a_time_are_counted_once(board: Board, mode: dict[str, Any]) -> None:
    first, second, third = board.data_hashes[:3]
    board.emulator.annotate(board.id, data_hashes=[third])  # before
    since, people = later(), lambda _=0: (edit(board, first), edit(board, first, second, hours=3))

    def make() -> EncordLabelsChangedSensor:
        return sensor(project_id=board.id, since=since, min_rows=2, **mode)

    if mode.get("deferrable"):
        found = run_deferred(make, while_deferred=people)
    else:
        waiting = make()
        edit(board, first)
        edit(board, first, hours=3)
        assert not waiting.poke({})
        people()
        found = waiting.execute({})
    assert (found["rows"], len(found["label_hashes"])) == (2, 2)
    assert found["last_edited_at"] > later(2.5 * 3600)


def test_a_poll_takes_one_request(board: Board) -> None:
    assert not sensor(project_id=board.id, since=later()).poke({})
    assert len(board.requests()) == 1


def test_an_edit_after_an_export_is_seen_and_what_the_export_has_is_not(board: Board, tmp_path: Path) -> None:
    first, second = board.data_hashes[:2]
    board.emulator.annotate(board.id, data_hashes=[first, second])  # in the second before the listing
    manifest = export(board, tmp_path / "export")
    waiting = sensor(manifest=manifest)
    assert not waiting.poke({})
    edit(board, second)
    found = waiting.execute({})
    assert (found["rows"], found["project_id"]) == (1, board.id)
    labels = {row["data_hash"]: row["label_hash"] for row in board.emulator.labels(board.id)}
    assert found["label_hashes"] == [labels[second]]


def test_the_filters_of_the_export_apply(board: Board, tmp_path: Path) -> None:
    first, second = board.data_hashes[:2]
    board.emulator.annotate(board.id, data_hashes=[first, second])
    manifest = export(board, tmp_path / "export", data_hashes=[first])
    edit(board, second)
    waiting = sensor(manifest=manifest.rpartition("/")[0])
    assert not waiting.poke({})
    edit(board, first)
    assert waiting.execute({})["rows"] == 1


def test_a_condition_of_an_export_survives_storing(board: Board, tmp_path: Path) -> None:
    board.emulator.annotate(board.id, data_hashes=board.data_hashes[:2])
    manifest = export(board, tmp_path / "export", stage=board.first)
    found = run_deferred(
        lambda: sensor(manifest=manifest, deferrable=True),
        while_deferred=lambda _: edit(board, board.data_hashes[1]),
    )
    assert found["rows"] == 1


def test_an_export_that_knew_too_many_rows_is_asked_by_the_time_of_its_listing(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A second is too short for a slow machine: edits would be so far before the listing that none must be known.
    monkeypatch.setattr(since_export, "OVERLAP", 600.0)
    board.emulator.annotate(board.id, data_hashes=board.data_hashes[:3])
    directory = Path(export(board, tmp_path / "export").removeprefix("file://")).parent
    manifest = read_manifest(directory)
    few = since_export.rows_since(directory, manifest, most_known=2)
    all_known = since_export.rows_since(directory, manifest, most_known=3)
    assert (len(few.known), few.edited_after) == (0, manifest.listed_at)
    assert len(all_known.known) == 3
    assert all_known.edited_after < few.edited_after


def test_another_project_than_that_of_the_export_is_refused(board: Board, tmp_path: Path) -> None:
    manifest = export(board, tmp_path / "export")
    with pytest.raises(AirflowFailException, match="is not the project of the export"):
        sensor(manifest=manifest, project_id=NOWHERE).execute({})


def test_a_missing_manifest_fails_at_once(board: Board, tmp_path: Path) -> None:
    with pytest.raises(AirflowFailException, match="no complete export"):
        sensor(manifest=str(tmp_path)).execute({})


def test_an_api_key_of_the_project_is_enough_and_names_it(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_KEY", board.account.api_key_connection(board.id))
    edit(board, board.data_hashes[0])
    found = sensor(since=later(), encord_conn_id="key").execute({})
    assert (found["project_id"], found["rows"]) == (board.id, 1)


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_project_of_an_api_key_that_cannot_be_read_now_is_read_later(
    board: Board, monkeypatch: pytest.MonkeyPatch, deferrable: bool
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_KEY", board.account.api_key_connection(board.id))
    down = {"status": 503, "headers": {"Retry-After": "0"}}
    board.emulator.faults([{"match": {"query_type": "apikeymeta"}, "when": {"times": 5}, "do": down}])
    waiting = sensor(since=later(), encord_conn_id="key", deferrable=deferrable)
    if deferrable:
        with pytest.raises(AirflowException) as raised:
            waiting.execute({})
        assert not isinstance(raised.value, AirflowFailException)
    else:
        assert not waiting.poke({})
        edit(board, board.data_hashes[0])
        assert waiting.execute({})["project_id"] == board.id


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"since": "2026-01-01", "manifest": "/data/x"},
        {"since": "soon"},
        {"manifest": "x"},
        {"since": "2026-01-01", "min_rows": 0},
    ],
    ids=str,
)
def test_literal_mistakes_are_found_when_the_dag_is_parsed(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidLiteralError):
        sensor(project_id=NOWHERE, **wrong)


def test_a_template_that_renders_to_nothing_fails_when_the_task_runs(board: Board) -> None:
    waiting = sensor(project_id=board.id, manifest="{{ params.manifest }}")
    waiting.render_template_fields({"params": {"manifest": ""}})
    with pytest.raises(AirflowFailException, match="Check the rendered templates"):
        waiting.execute({})
