"""Reports: from the history without a request, and from Encord if that is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.operators.literals import InvalidLiteralError
from airflow_provider_encord.operators.reports import EncordProjectReportOperator
from airflow_provider_encord.sensors.projects import EncordProjectProgressSensor
from tests.airflow_layer.bench import Account, changes, run
from tests.airflow_layer.history.test_remembering import OPTION, days, files, project, root

__all__ = ["project", "root"]


def report(project: str, page: Path, **arguments: Any) -> Any:
    return run(EncordProjectReportOperator, project_id=project, destination=str(page), **arguments)


def test_a_report_of_the_history_sends_nothing_and_needs_no_connection(
    root: Path, project: str, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(EncordProjectProgressSensor, project_id=project, stages=["Annotate"], min_fraction=0.01)
    before = {path: path.read_bytes() for path in files(root)}
    account.emulator.clear_journal()
    monkeypatch.delenv("AIRFLOW_CONN_ENCORD_DEFAULT")
    result = report(project, tmp_path / "report.html")
    assert account.emulator.journal() == []
    assert {path: path.read_bytes() for path in files(root)} == before
    assert (result["done"], result["total"], result["verdict"]) == (0, 4, "too_short")
    assert result["destination"] == f"file://{tmp_path / 'report.html'}"
    assert "0 of 4" in (tmp_path / "report.html").read_text()


def test_a_refresh_asks_encord_and_keeps_the_answers(
    root: Path, project: str, account: Account, tmp_path: Path
) -> None:
    account.emulator.annotate(project, count=1, advance="complete")
    account.emulator.clear_journal()
    result = report(project, tmp_path / "report.html", refresh=True)
    assert (result["done"], result["total"]) == (1, 4)
    assert len(account.emulator.journal()) == 4
    assert changes(account) == []
    found = days(root, project)
    assert found.project is not None
    assert sum(day.actions is not None for day in found.days.values()) == 28


def test_without_a_history_a_refresh_is_enough_and_nothing_is_not(
    project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OPTION, "")
    with pytest.raises(AirflowFailException, match=r"refresh: .*\[encord\] history is empty"):
        report(project, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()
    assert report(project, tmp_path / "report.html", refresh="True")["total"] == 4


def test_a_report_replaces_a_report_and_no_other_file(root: Path, project: str, tmp_path: Path) -> None:
    for _ in range(2):
        report(project, tmp_path / "report.html")
    other = tmp_path / "other.html"
    other.write_text("<!doctype html><p>of a person")
    with pytest.raises(AirflowFailException, match=r"destination: .*is not a report on a project"):
        report(project, other)
    assert other.read_text() == "<!doctype html><p>of a person"


def test_a_picture_has_the_plots_and_replaces_only_a_picture(root: Path, project: str, tmp_path: Path) -> None:
    picture = tmp_path / "report.png"
    for _ in range(2):
        assert report(project, tmp_path / "report.html", png=str(picture))["png"] == f"file://{picture}"
    assert picture.read_bytes().startswith(b"\x89PNG")
    picture.write_text("of a person")
    with pytest.raises(AirflowFailException, match=r"png: .*report\.png is not a PNG"):
        report(project, tmp_path / "new.html", png=str(picture))
    assert picture.read_text() == "of a person"
    assert not (tmp_path / "new.html").exists()


def test_damaged_records_are_counted_and_stated(
    root: Path, project: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(EncordProjectProgressSensor, project_id=project, stages=["Annotate"], min_fraction=0.01)
    (file,) = files(root)
    file.write_bytes(file.read_bytes() + b'{"schema_version": "9.0"}\nnonsense\n')
    result = report(project, tmp_path / "report.html")
    assert (result["wrong"], result["newer"], result["total"]) == (1, 1, 4)
    assert "line 4: it is not a record" in (tmp_path / "report.html").read_text()
    assert any("are damaged" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"due": "someday"}, "due: 'someday' is not a time"),
        ({"destination": "reports/page.html"}, "destination: .* is not an absolute path"),
        ({"project_id": "streets"}, "project_id: 'streets' is not an id"),
        ({"refresh": "perhaps"}, "refresh: 'perhaps' is neither true nor false"),
    ],
)
def test_wrong_arguments_are_refused_when_the_dag_is_parsed(arguments: dict[str, Any], message: str) -> None:
    right = {"project_id": "00000000-0000-4000-8000-000000000001", "destination": "/data/page.html"}
    with pytest.raises(InvalidLiteralError, match=message):
        EncordProjectReportOperator(task_id="report", **{**right, **arguments})
