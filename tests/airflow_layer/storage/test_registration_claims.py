"""The report's directory of a registration belongs to one task from the first request on, and through every wait."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.attempts import CLAIM_SECONDS
from airflow_provider_encord.client.api.uploads import UploadJob
from airflow_provider_encord.client.call import run
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.flows.jobs import FOLDER_UPLOAD, Job
from airflow_provider_encord.operators.storage import EncordRegisterCloudDataOperator
from tests.airflow_layer.cloud_intake import Intake
from tests.airflow_layer.deferrals import run_deferred


def _age(claim: Path, seconds: float) -> None:
    """Let a claim be as if it had been written so long ago."""
    held = json.loads(claim.read_text())
    claim.write_text(json.dumps({**held, "renewed": held["renewed"] - seconds}))


def test_a_deferred_registration_keeps_its_report_for_as_long_as_it_waits(intake: Intake, tmp_path: Path) -> None:
    """Review of 0.1, ingest 1: the claim ended after 15 minutes, and another task wrote into the same directory."""
    names, report = intake.objects(2), tmp_path / "report"
    source = intake.manifest(names)
    refusals: list[str] = []

    def make() -> EncordRegisterCloudDataOperator:
        return intake.deferrable(source=source, report=str(report), job_timeout=10 * CLAIM_SECONDS)

    class Other:
        dag_id, run_id, task_id, map_index = "other", "run", "task", -1
        try_number, max_tries = 1, 3

        def xcom_push(self, **_: Any) -> None:
            """Not looked at."""

    def meanwhile(number: int) -> None:
        _age(tmp_path / "report.parts" / "claim.json", 9 * CLAIM_SECONDS)
        with pytest.raises(AirflowException, match="is in use by the task") as raised:
            intake.register({"ti": Other()}, source=source, report=str(report))
        refusals.append(str(raised.value))
        intake.emulator.jobs(hold=False)

    intake.emulator.jobs(hold=True)
    assert run_deferred(make, while_deferred=meanwhile)["registered"] == 2
    assert len(refusals) == 1
    assert not (tmp_path / "report.parts" / "claim.json").exists()


def test_a_wait_on_the_worker_checks_the_claim_before_each_poll() -> None:
    """Review of 0.1, ingest 1: so it is renewed, and a zombie that waits stops."""
    polls: list[str] = []

    def check() -> None:
        polls.append("check")
        if len(polls) > 6:
            raise InvalidArgumentError("another attempt took it over")

    def perform(step: Any) -> Any:
        if getattr(step, "operation", None):
            polls.append("poll")
            return UploadJob(status="PENDING")
        return 0.0

    job = Job(kind=FOLDER_UPLOAD, resource="00000000-0000-4000-8000-000000000001", id="job")
    with pytest.raises(InvalidArgumentError, match="took it over"):
        run(job.follow(timeout=60, before_poll=check), perform)
    assert polls == ["check", "poll"] * 3 + ["check"]


def test_a_report_that_cannot_be_written_is_named_before_the_first_request(intake: Intake, tmp_path: Path) -> None:
    """Review of 0.1, ingest 14."""
    source = intake.manifest(intake.objects(1))
    (tmp_path / "taken").write_text("a file")
    intake.emulator.clear_journal()
    with pytest.raises(AirflowFailException, match=r"report: .* cannot be used"):
        intake.register(source=source, report=str(tmp_path / "taken" / "report.jsonl"))
    assert intake.emulator.journal() == []


@pytest.mark.parametrize("event", ["overdue", "error", "error that a retry mends"])
def test_a_wait_in_the_triggerer_that_fails_gives_the_report_back(intake: Intake, tmp_path: Path, event: str) -> None:
    """Review of 0.1, ingest 11: the event was read before the operator knew what it holds."""
    report, job_timeout = tmp_path / "report", 2 if event == "overdue" else 60
    source = intake.manifest(intake.objects(2))

    def make() -> EncordRegisterCloudDataOperator:
        return intake.deferrable(source=source, report=str(report), job_timeout=job_timeout)

    def meanwhile(number: int) -> None:
        status = 403 if event == "error" else 503
        headers = {"Retry-After": "900"}
        poll = {"method": "GET", "path": "/data-upload-jobs/"}
        if event != "overdue":
            intake.emulator.faults([{"match": poll, "do": {"status": status, "headers": headers}}])

    intake.emulator.jobs(hold=True)
    try:
        with pytest.raises(AirflowException) as raised:
            run_deferred(make, while_deferred=meanwhile)
    finally:
        intake.emulator.clear_faults()
    assert isinstance(raised.value, AirflowFailException) is (event == "error")
    assert (tmp_path / "report.parts" / "part-000000.sent.jsonl").exists()
    assert not (tmp_path / "report.parts" / "claim.json").exists()


def test_a_task_that_cannot_go_on_after_its_wait_gives_the_report_back(
    intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It failed with an AttributeError, which hid the reason, and the claim remained."""
    source, report = intake.manifest(intake.objects(1)), tmp_path / "report.jsonl"

    made: list[EncordRegisterCloudDataOperator] = []

    def make() -> EncordRegisterCloudDataOperator:
        if made:
            monkeypatch.delenv("AIRFLOW_CONN_ENCORD_DEFAULT")
        made.append(intake.deferrable(source=source, report=str(report), folder_id=None, dataset_id=intake.dataset))
        return made[-1]

    intake.emulator.jobs(hold=True)
    with pytest.raises(AirflowFailException, match="encord_conn_id"):
        run_deferred(make, while_deferred=lambda _: intake.emulator.jobs(hold=False))
    assert len(made) == 2
    assert not [*tmp_path.glob("report.jsonl.parts/claim.json")]
