"""What tasks learn is written once, costs no request, and never fails a task."""

from __future__ import annotations

import datetime
import logging
import types
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.history.daily import ProjectDays
from airflow_provider_encord.history.reading import read_project
from airflow_provider_encord.operators.analytics import EncordExportAnalyticsOperator
from airflow_provider_encord.operators.labels import EncordExportLabelsOperator, EncordSnapshotLabelsOperator
from airflow_provider_encord.operators.projects import EncordGetProjectOperator
from airflow_provider_encord.operators.quality import EncordQualityGateOperator
from airflow_provider_encord.operators.workflow import EncordMoveTasksOperator
from airflow_provider_encord.sensors.projects import EncordProjectProgressSensor
from airflow_provider_encord.sensors.workflow import EncordTasksSensor
from tests.airflow_layer.bench import Account
from tests.airflow_layer.deferrals import run_deferred
from tests.deployment.polling import poll

OPTION = "AIRFLOW__ENCORD__HISTORY"
INSTANCE = types.SimpleNamespace(
    dag_id="a_dag", run_id="a_run", task_id="a_task", map_index=-1, xcom_push=lambda **_: None
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the history."""
    monkeypatch.setenv(OPTION, f"file://{tmp_path / 'history'}")
    return tmp_path / "history"


@pytest.fixture
def project(account: Account) -> str:
    """A project of which half of the rows have labels."""
    return str(account.project(rows=4, created=0.5)["project_id"])


def execute(operator: Any, **arguments: Any) -> Any:
    return operator(task_id="task", **arguments).execute({"ti": INSTANCE})


def days(root: Path, project: str) -> ProjectDays:
    history = read_project(root, project)
    assert history.problems.total == 0
    return history.days


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def only_day(root: Path, project: str) -> Any:
    (day,) = days(root, project).days.values()
    return day


def test_a_sensor_remembers_all_stages_and_the_project(root: Path, project: str) -> None:
    execute(EncordProjectProgressSensor, project_id=project, stages=["Annotate"], min_fraction=0.01)
    found = days(root, project)
    assert found.project is not None
    kinds = [stage.stage_type for stage in found.project.seen.stages]
    assert kinds[0] == "ANNOTATION"
    assert "DONE" in kinds
    assert found.project.seen.host
    assert sum(only_day(root, project).all_stages.tasks.values()) == 4
    assert len(files(root)) == 1


def test_a_sensor_remembers_one_stage_that_it_has_seen_as_a_whole(root: Path, project: str) -> None:
    execute(EncordTasksSensor, project_id=project, stage="Annotate", max_tasks=10)
    (stage,) = only_day(root, project).stages.values()
    assert stage.tasks == 4


def test_polls_of_one_hour_leave_one_fact(root: Path, project: str) -> None:
    waiting = EncordTasksSensor(task_id="task", project_id=project, stage="Annotate", max_tasks=10)
    for _ in range(5):
        waiting.poke({})  # type: ignore[arg-type]
    waiting.write_history({"ti": INSTANCE})  # type: ignore[arg-type]
    lines = files(root)[0].read_bytes().splitlines()
    assert len(lines) in (2, 3, 4)  # the project and the stage; two of each, if an hour ended meanwhile


def test_a_sensor_that_is_rescheduled_writes_one_object_an_hour(
    root: Path, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        waiting = EncordTasksSensor(
            task_id="task", project_id=project, stage="Annotate", min_tasks=1, mode="reschedule"
        )
        waiting.poke({})  # type: ignore[arg-type]
        waiting.write_history({"ti": INSTANCE})  # type: ignore[arg-type]
    assert len(files(root)) in (1, 2)


def test_the_triggerer_remembers_what_its_polls_say(root: Path, project: str, account: Account) -> None:
    def finish(_: Any) -> None:
        account.emulator.annotate(project, count=4, advance="complete")

    run_deferred(
        lambda: EncordProjectProgressSensor(
            task_id="wait", project_id=project, stages=["Complete"], poke_interval=0.05, timeout=30, deferrable=True
        ),
        while_deferred=finish,
    )

    def seen() -> bool | None:
        found, tasks = days(root, project), only_day(root, project).all_stages.tasks
        return {found.titles[number][1]: count for number, count in tasks.items()} == {"Complete": 4} or None

    poll(seen, "what ended the wait to be written, which a thread does", 20)


def test_an_export_remembers_the_rows_and_itself(root: Path, project: str, tmp_path: Path) -> None:
    made = execute(EncordExportLabelsOperator, project_id=project, destination=str(tmp_path / "export"))
    labels = only_day(root, project).labels
    assert (labels.rows, labels.labelled) == (4, 2)
    event = days(root, project).events["export"]
    assert (event.outcome, event.uri) == ("done", made["manifest"])
    assert event.counts["rows"] == 2
    assert event.task is not None
    assert (event.task.dag_id, event.task.task_id) == ("a_dag", "a_task")


def test_an_export_of_some_rows_says_nothing_about_all(root: Path, project: str, tmp_path: Path) -> None:
    execute(
        EncordExportLabelsOperator, project_id=project, destination=str(tmp_path / "export"), data_title_like="none%"
    )
    assert days(root, project).days == {}
    assert "export" in days(root, project).events


def test_activity_is_added_up_without_people(root: Path, project: str, account: Account, tmp_path: Path) -> None:
    account.emulator.annotate(project, count=3, advance="submit")
    now = datetime.datetime.now(datetime.UTC)
    first = now.replace(hour=0, minute=0, second=0, microsecond=0) - datetime.timedelta(days=1)
    execute(
        EncordExportAnalyticsOperator,
        project_id=project,
        destination=str(tmp_path / "analytics"),
        record_types=["task_actions", "time_spent"],
        start=first,
        end=first + datetime.timedelta(days=3),
    )
    found = days(root, project)
    assert sum(stage.submitted for day in found.days.values() if day.actions for stage in day.actions.stages.values())
    assert account.email not in "".join(path.read_text() for path in files(root))


def test_a_gate_that_fails_its_task_is_remembered(root: Path, project: str, account: Account, tmp_path: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    with pytest.raises(AirflowFailException):
        execute(
            EncordQualityGateOperator,
            project_id=project,
            report=str(tmp_path / "report.jsonl"),
            max_rejection_rate=0.1,
            start=now - datetime.timedelta(days=1),
            end=now,
        )
    event = days(root, project).events["gate"]
    assert (event.outcome, event.uri) == ("failed", f"file://{tmp_path / 'report.jsonl'}")


def test_moves_and_snapshots_are_remembered(root: Path, project: str, tmp_path: Path) -> None:
    execute(
        EncordMoveTasksOperator,
        project_id=project,
        stage="Annotate",
        to_stage="Complete",
        report=str(tmp_path / "report.jsonl"),
    )
    execute(EncordSnapshotLabelsOperator, project_id=project, snapshot_branch="one", max_lateness_seconds=86400)
    events = days(root, project).events
    assert events["tasks"].counts["updated"] == 4
    assert events["snapshot"].uri is not None


def test_nothing_is_sent_for_the_history(
    account: Account, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def requests(option: str) -> list[str]:
        monkeypatch.setenv(OPTION, option)
        account.emulator.clear_journal()
        execute(EncordProjectProgressSensor, project_id=project, stages=["Annotate"], min_fraction=0.01)
        execute(EncordGetProjectOperator, project_id=project)
        return [entry["path"] for entry in account.emulator.journal()]

    assert requests(str(tmp_path / "history")) == requests("")
    assert files(tmp_path / "history")


@pytest.mark.parametrize("option", ["relative/path", "nowhere://bucket/path", "/dev/null/history"])
def test_a_place_that_cannot_be_used_is_one_warning(
    project: str, option: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(OPTION, option)
    with caplog.at_level(logging.WARNING):
        assert execute(EncordGetProjectOperator, project_id=project)["project_id"] == project
    warnings = [record.getMessage() for record in caplog.records if "history" in record.getMessage()]
    assert len(warnings) == 1
    assert option in warnings[0]


def test_without_the_option_there_is_no_file(project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OPTION, " ")
    monkeypatch.chdir(tmp_path)
    execute(EncordGetProjectOperator, project_id=project)
    assert files(tmp_path) == []


def test_a_task_that_fails_at_once_leaves_nothing(root: Path, account: Account) -> None:
    with pytest.raises(AirflowException):
        execute(EncordGetProjectOperator, project_id="00000000-0000-4000-8000-000000000000")
    assert files(root) == []
