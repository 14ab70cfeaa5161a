"""Uploads whose worker is killed: the retry finishes them, and nothing is there twice."""

from __future__ import annotations

import collections
import contextlib
import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_encord.operators.storage import EncordUploadFilesOperator
from tests.client.network import plain_network
from tests.forks.workers import start_worker
from tests.operators.test_storage import PUT, START, URLS, Intake, account, either_intake, emulator, intake

__all__ = ["account", "either_intake", "emulator", "intake", "plain_network"]

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("plain_network")]


def _upload(arguments: dict[str, Any]) -> None:
    EncordUploadFilesOperator(task_id="upload", **arguments).execute({})


class Worker:
    """The operator in a process of its own, to be killed at a moment that the journal shows."""

    def __init__(self, intake: Intake, **arguments: Any):
        self._intake = intake
        arguments = {"source": str(intake.folder), "dataset_id": intake.dataset, **arguments}
        self.process = start_worker(_upload, arguments)

    def kill_when_seen(self, **match: Any) -> None:
        """Kill it as soon as the emulator has answered such a request."""
        deadline = time.monotonic() + 60
        while not self._intake.requests(**match):
            assert time.monotonic() < deadline, "the worker never sent it"
            assert self.process.is_alive(), "the worker ended by itself"
            time.sleep(0.02)
        self.process.kill()
        self.process.join(10)
        assert self.process.exitcode == -signal.SIGKILL


def test_what_a_killed_worker_sent_but_did_not_register_is_uploaded_by_the_retry(either_intake: Intake) -> None:
    either_intake.images("a.png", "b.png", "c.png")
    either_intake.fault(PUT, {"delay_s": 30}, nth=2)
    Worker(either_intake, max_concurrency=1).kill_when_seen(method="PUT", status=200)
    assert either_intake.rows() == []
    assert either_intake.requests(**START) == 0
    assert either_intake.upload()["created"] == 3
    assert either_intake.titles() == ["a.png", "b.png", "c.png"]


def test_a_job_that_outlives_its_worker_is_not_started_again_once_it_has_ended(either_intake: Intake) -> None:
    either_intake.images("a.png", "b.png")
    either_intake.emulator.jobs(hold=True)
    Worker(either_intake).kill_when_seen(**START, status=200)
    either_intake.emulator.jobs(hold=False)
    deadline = time.monotonic() + 30
    while len(either_intake.rows()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert either_intake.upload()["unchanged"] == 2
    assert either_intake.titles() == ["a.png", "b.png"]


@pytest.mark.parametrize("moment", [{"method": "PUT", "status": 200}, {**START, "status": 200}])
def test_with_a_report_a_killed_worker_s_retry_continues_its_job(
    either_intake: Intake, tmp_path: Path, moment: dict[str, Any]
) -> None:
    """Also while the job still runs at Encord: it is followed, and no byte is sent again."""
    either_intake.images("a.png", "b.png", "c.png")
    either_intake.emulator.jobs(hold=True)
    report = str(tmp_path / "report.jsonl")
    if moment["method" if "method" in moment else "query_type"] == "PUT":
        either_intake.fault(PUT, {"delay_s": 30}, nth=2)
    Worker(either_intake, report=report, max_concurrency=1).kill_when_seen(**moment)
    started = either_intake.requests(**START)
    sent = either_intake.requests(method="PUT")
    either_intake.emulator.jobs(hold=False)
    either_intake.emulator.clear_faults()
    result = either_intake.upload(report=report)
    assert (result["created"], result["unchanged"]) == (3, 0)
    assert either_intake.titles() == ["a.png", "b.png", "c.png"]
    assert either_intake.requests(**START) == 1
    if started:
        assert either_intake.requests(method="PUT") == sent
    lines = [json.loads(line) for line in Path(report).read_text().splitlines()]
    assert [(line["title"], line["outcome"], bool(line["sha256"])) for line in lines] == [
        ("a.png", "created", True),
        ("b.png", "created", True),
        ("c.png", "created", True),
    ]
    assert [path.name for path in tmp_path.iterdir() if "report" in path.name] == ["report.jsonl"]


def test_under_a_storm_of_faults_every_file_is_there_once_after_the_retries(intake: Intake) -> None:
    names = [f"{number:03}.png" for number in range(60)]
    intake.images(*names)
    for seed, do in enumerate([{"status": 429, "headers": {"Retry-After": "0"}}, {"status": 503}, {"cut": "after"}]):
        for match in (PUT, URLS, START):
            intake.fault(match, do, probability=0.08, seed=seed)
    deadline = time.monotonic() + 120
    while collections.Counter(intake.titles()) != collections.Counter(names):
        assert time.monotonic() < deadline
        with contextlib.suppress(AirflowException):
            intake.upload(files_per_job=10)
    assert intake.upload()["unchanged"] == 60
