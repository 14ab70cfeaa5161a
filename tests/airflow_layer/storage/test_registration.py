"""Objects of a bucket are registered: from manifests and listings, in jobs, once."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from tests.airflow_layer.bench import run_dag
from tests.airflow_layer.cloud_intake import START, Intake
from tests.airflow_layer.dags import deferred_jobs
from tests.airflow_layer.lines import needs_task_state
from tests.airflow_layer.storage.test_jobs import Store


def test_a_manifest_is_registered_in_jobs_and_once(intake: Intake, tmp_path: Path) -> None:
    names = intake.objects(5)
    report = tmp_path / "report"
    source = intake.manifest(names, client_metadata={"site": 3})
    result = intake.register(source=source, units_per_job=2, report=str(report))
    assert {name: result[name] for name in ("jobs", "units", "registered", "failed")} == {
        "jobs": 3,
        "units": 5,
        "registered": 5,
        "failed": 0,
    }
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert [(line["title"], line["outcome"], bool(line["id"])) for line in lines] == [
        (name, "created", True) for name in names
    ]
    assert intake.register(source=source)["units"] == 5
    assert intake.names() == names
    assert intake.starts() == 4


def test_a_listing_of_a_prefix_goes_into_a_dataset_by_the_title_of_the_integration(intake: Intake) -> None:
    names = intake.objects(3)
    (intake.bucket / "notes.csv").touch()
    result = intake.register(
        source=str(intake.bucket),
        url_prefix=intake.url,
        folder_id=None,
        dataset_id=intake.dataset,
        integration=f"key of {intake.url}",
    )
    assert (result["units"], result["registered"], result["folder_id"]) == (3, 3, None)
    with intake.account.client() as client:
        assert sorted(row.data_title for row in client.dataset(intake.dataset).data_rows()) == names


def test_lines_of_a_group_become_one_unit(intake: Intake) -> None:
    names = intake.objects(3)
    path = intake.manifests / "groups.csv"
    path.write_text("url,group\n" + "".join(f"{intake.url}/{name},drive\n" for name in names))
    assert intake.register(source=str(path))["units"] == 1
    assert "drive" in intake.names()


@pytest.mark.parametrize(
    ("do", "when"),
    [
        ({"cut": "after"}, {"nth": 1}),
        ({"cut": "before"}, {"nth": 1}),
        ({"status": 429, "headers": {"Retry-After": "0"}}, {"times": 2}),
        ({"status": 503, "headers": {"Retry-After": "0"}}, {"times": 1}),
    ],
)
def test_a_fault_at_the_start_neither_loses_nor_doubles(intake: Intake, do: dict[str, Any], when: Any) -> None:
    names = intake.objects(3)
    intake.emulator.faults([{"match": START, "when": when, "do": do}])
    for _ in range(3):
        with contextlib.suppress(AirflowException):
            intake.register(source=intake.manifest(names))
            break
    assert intake.names() == names


def test_half_a_job_refused_is_reported_with_reasons_and_the_rest_is_in(intake: Intake, tmp_path: Path) -> None:
    names = intake.objects(20)
    intake.emulator.jobs(fail_units=0.5, seed=3)
    source = intake.manifest(names)
    with pytest.raises(AirflowFailException, match=r"of 20 units were not registered.*\n.*s3://intake-"):
        intake.register(source=source)
    left = set(names) - set(intake.names())
    assert 0 < len(left) < 20
    result = intake.register(source=source, on_error="skip", report=str(tmp_path / "report"))
    assert result["failed"] <= len(left)
    intake.emulator.jobs(fail_units=0.0)
    intake.register(source=source)
    assert intake.names() == names


@needs_task_state
def test_the_try_after_one_that_died_continues_its_job(intake: Intake) -> None:
    names = intake.objects(4)
    store = Store()
    source = intake.manifest(names)
    intake.emulator.jobs(hold=True)
    with pytest.raises(AirflowException, match="job_timeout"):
        intake.register({"task_state_store": store}, source=source, units_per_job=2, job_timeout=1)
    intake.emulator.jobs(hold=False)
    result = intake.register({"task_state_store": store}, source=source, units_per_job=2)
    assert (result["registered"], intake.starts()) == (4, 2)
    assert intake.names() == names


def test_a_task_that_is_killed_cancels_its_job_and_sends_nothing_more(intake: Intake) -> None:
    names = intake.objects(2)
    intake.emulator.jobs(hold=True)
    operator = intake.operator(source=intake.manifest(names), job_timeout=1)
    with pytest.raises(AirflowException, match="job_timeout"):
        operator.execute({})
    operator.on_kill()
    operator.on_kill()
    assert [entry["path"].endswith("/cancel") for entry in intake.emulator.journal()].count(True) == 1
    assert intake.emulator.journal()[-1]["path"].endswith("/cancel")
    intake.emulator.jobs(hold=False)
    assert intake.names() == []


@pytest.mark.airflow
@pytest.mark.usefixtures("airflow_database")
def test_deferred_parts_end_with_the_same_result(intake: Intake) -> None:
    names = intake.objects(2)
    intake.emulator.jobs(units_per_second=0.5)
    params = {"folder": intake.folder, "source": intake.manifest(names), "integration": intake.integration}
    try:
        run = run_dag(deferred_jobs.registration, **params)
    finally:
        intake.emulator.jobs(units_per_second=None)
    assert run.state == "success", run.tasks
    assert run.results["register"]["registered"] == 2
    assert intake.names() == names
    assert intake.starts() == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"url": "x.png"}', "line 2: url: 'x.png' is not a URL"),
        ('{"url": "s3://b/x"}', "line 2: kind: the name 'x' has no suffix"),
        ('{"url": "s3://b/x.png", "size": 3}', "line 2: the field 'size' is not known"),
        ("{", "line 2: it is not JSON"),
        ('{"url": "s3://b/x.png", "kind": "hologram"}', "kind: 'hologram' is not one of"),
        ('{"url": "s3://b/x.png", "client_metadata": 3}', "line 2: client_metadata"),
    ],
)
def test_a_line_that_is_wrong_is_reported_before_anything_is_sent(intake: Intake, line: str, message: str) -> None:
    path = intake.manifests / "wrong.jsonl"
    path.write_text('{"url": "s3://b/a.png"}\n' + line + "\n")
    with pytest.raises(AirflowFailException, match=message):
        intake.register(source=str(path))
    assert intake.emulator.journal() == []


def test_an_integration_that_is_not_there_is_reported_with_those_that_are(intake: Intake) -> None:
    with pytest.raises(AirflowFailException, match=r"integration: no cloud integrations .*Existing titles"):
        intake.register(source=intake.manifest(intake.objects(1)), integration="misspelt")
    assert intake.starts() == 0


def test_time_series_and_scenes_of_a_bucket_are_registered_once(intake: Intake) -> None:
    """A CSV by its manifest or the argument `kind`; a scene of several files by Encord's upload JSON."""
    (intake.bucket / "signal.csv").write_text("time,speed\n0,1\n")
    (intake.bucket / "0.pcd").write_bytes(b"points")
    listed = intake.manifest(["signal.csv"], kind="time_series")
    assert intake.register(source=listed)["registered"] == 1
    assert intake.register(source=intake.manifest(["signal.csv"]), kind="time_series")["failed"] == 0
    stream = {"type": "point_cloud", "events": [{"timestamp": 0.0, "uri": f"{intake.url}/0.pcd"}]}
    entry = {"title": "drive", "scene": {"lidar": {**stream, "frame_of_reference": None, "pose": None}}}
    upload_json = intake.manifests / "scenes.json"
    upload_json.write_text(json.dumps({"scenes": [entry]}))
    assert intake.register(source=str(upload_json))["registered"] == 1
    assert intake.register(source=str(upload_json))["failed"] == 0
    assert intake.names() == ["drive", "signal.csv"]
    with intake.account.client() as client:
        types = {item.name: item.item_type for item in client.folder(intake.folder).items()}
    assert types == {"signal.csv": "timeseries", "drive": "scene"}


def test_a_scene_of_one_file_is_no_kind_of_object(intake: Intake) -> None:
    (intake.bucket / "drive.mcap").write_bytes(b"points")
    with pytest.raises(AirflowFailException, match="kind: 'scene' is not one of"):
        intake.register(source=intake.manifest(["drive.mcap"], kind="scene"))
