"""A worker dies while its job runs at Encord: the retry continues that job, and nothing is there twice."""

from __future__ import annotations

import json
import os
import urllib.parse
from pathlib import Path

import psutil
import pytest

from encord_emulator.process import Emulator
from tests.airflow_layer.bench import Account
from tests.deployment.polling import poll
from tests.deployment.processes import TRIGGERER, Deployment
from tests.sdk.media import png

pytestmark = pytest.mark.system

DAG_FILE = """
import datetime
from airflow.providers.common.compat.sdk import DAG
from airflow_provider_encord.operators.storage import EncordRegisterCloudDataOperator, EncordUploadFilesOperator

retries = {{"retries": 3, "retry_delay": datetime.timedelta(seconds=1)}}
with DAG(
    "ingest",
    schedule=None,
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
    default_args=retries,
) as dag:
    if {registers}:
        EncordRegisterCloudDataOperator(
            task_id="register", folder_id={folder!r}, source={manifest!r}, integration={integration!r}
        )
    EncordUploadFilesOperator(task_id="upload", dataset_id={dataset!r}, source={files!r}, report={report!r})
"""


def _talking_to(emulator: Emulator) -> set[int]:
    """Processes with an open connection to the emulator: the tasks, as no other process connects to it."""
    port = urllib.parse.urlsplit(emulator.url).port
    return {
        process.pid
        for process in psutil.process_iter()
        if process.pid not in (os.getpid(), emulator.process_id) and _speaks_with(process, port)
    }


def _speaks_with(process: psutil.Process, port: int | None) -> bool:
    try:
        connections = process.net_connections("tcp4")
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return False
    return any(
        connection.raddr and connection.raddr.port == port and connection.status == "ESTABLISHED"
        for connection in connections
    )


def _starts(emulator: Emulator) -> list[str]:
    """The jobs that were started: into a folder, and into a dataset."""
    journal = emulator.journal()
    folder = [
        "folder" for entry in journal if entry["method"] == "POST" and entry["path"].endswith("/data-upload-jobs")
    ]
    start = ("datasetdatalongpolling", "POST")
    return folder + ["dataset" for one in journal if (one["query_type"], one["query_method"]) == start]


DEFERRED = """
import datetime
from airflow.providers.common.compat.sdk import DAG
from airflow_provider_encord.operators.storage import EncordRegisterCloudDataOperator

with DAG("deferred", schedule=None, start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)) as dag:
    for name in ("seen_through", "ended_by_hand"):
        EncordRegisterCloudDataOperator(
            task_id=name,
            folder_id={folders!r}[name],
            source={manifest!r},
            integration={integration!r},
            deferrable=True,
            poll_interval=5,
        )
"""


@pytest.mark.airflow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("line", ["here"], indirect=True)
def test_a_restarted_triggerer_sees_jobs_through_and_a_task_that_is_ended_by_hand_cancels_its_own(
    tmp_path: Path, deployment: Deployment
) -> None:
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "a.png").write_bytes(png(4, 4))
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text('{"url": "s3://bucket/a.png"}\n')
    with Emulator.start() as emulator:
        account = Account(emulator)
        integration = emulator.bucket(integration="bucket", url="s3://bucket", directory=str(tmp_path / "bucket"))
        with account.client() as client:
            folders = {name: client.create_folder(name).id for name in ("seen_through", "ended_by_hand")}
        text = DEFERRED.format(folders=folders, manifest=str(manifest), integration=integration)
        (deployment.dags / "deferred.py").write_text(text)
        emulator.clear_journal()
        emulator.jobs(hold=True)
        deployment.connect("encord_default", account.connection())
        run = deployment.trigger("deferred")
        both = {"seen_through": "deferred", "ended_by_hand": "deferred"}
        poll(lambda: deployment.task_states(run) == both or None, "both tasks to be deferred", 240)
        deployment.restart(TRIGGERER)
        before = len(_polls(emulator))
        path = f"dags/deferred/dagRuns/{run}/taskInstances/ended_by_hand"
        folder = folders["ended_by_hand"]
        poll(
            lambda: any(folder in one for one in _polls(emulator)[before:]) or None,
            "the new triggerer to poll",
            120,
        )
        deployment.rest("PATCH", path, {"new_state": "failed"})
        poll(lambda: _cancelled(emulator) == [folder] or None, "the job to be cancelled", 120)
        emulator.jobs(hold=False)
        deployment.wait(run)
        assert deployment.task_states(run) == {"seen_through": "success", "ended_by_hand": "failed"}
        with account.client() as client:
            there = {name: [item.name for item in client.folder(one).items()] for name, one in folders.items()}
        assert there == {"seen_through": ["a.png"], "ended_by_hand": []}
        assert _starts(emulator) == ["folder", "folder"]


def _polls(emulator: Emulator) -> list[str]:
    return [
        entry["path"]
        for entry in emulator.journal()
        if entry["method"] == "GET" and "/data-upload-jobs/" in entry["path"]
    ]


def _cancelled(emulator: Emulator) -> list[str]:
    """Folders whose jobs were cancelled."""
    return [entry["path"].split("/")[-4] for entry in emulator.journal() if entry["path"].endswith("/cancel")]


@pytest.mark.airflow
@pytest.mark.timeout(600)
def test_the_retry_of_a_killed_worker_ends_with_everything_there_once(
    tmp_path: Path, line: str, deployment: Deployment
) -> None:
    """Each task continues its job. On 2.11, whose executor runs one task at a time here, that is the upload, which
    notes its job beside the report; older lines keep no state of tasks.
    """
    names = ["a.png", "b.png", "c.png"]
    for folder in ("bucket", "files"):
        (tmp_path / folder).mkdir()
    for number, name in enumerate(names):
        for folder in ("bucket", "files"):
            (tmp_path / folder / name).write_bytes(png(4 + number, 4))
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text("".join(json.dumps({"url": f"s3://bucket/{name}"}) + "\n" for name in names))
    with Emulator.start() as emulator:
        account = Account(emulator)
        integration = emulator.bucket(integration="bucket", url="s3://bucket", directory=str(tmp_path / "bucket"))
        with account.client() as client:
            folder_id, dataset = client.create_folder("Registered").id, client.create_dataset("Uploaded").id
        old = line == "2.11"
        (deployment.dags / "ingest.py").write_text(
            DAG_FILE.format(
                registers=not old,
                folder=folder_id,
                manifest=str(manifest),
                integration=integration,
                dataset=dataset,
                files=str(tmp_path / "files"),
                report=f"{tmp_path}/report.jsonl" if old else None,  # 3.3 has its own place for notes
            )
        )
        emulator.clear_journal()
        emulator.jobs(hold=True)
        expected = {"dataset"} if old else {"dataset", "folder"}
        deployment.connect("encord_default", account.connection())
        run = deployment.trigger("ingest")
        poll(lambda: set(_starts(emulator)) == expected or None, "the jobs to start", 240)
        workers = poll(lambda: (found := _talking_to(emulator)) and len(found) >= len(expected) and found, "tasks", 60)
        for worker in workers:
            psutil.Process(worker).kill()
        emulator.jobs(hold=False)
        assert deployment.wait(run) == "success", deployment.task_states(run)
        with account.client() as client:
            assert sorted(item.name for item in client.folder(folder_id).items()) == ([] if old else names)
            assert sorted(row.data_title for row in client.dataset(dataset).data_rows()) == names
        assert sorted(_starts(emulator)) == sorted(expected)
        assert sum(entry["method"] == "PUT" for entry in emulator.journal()) == len(names)
