"""Registration while Encord asks for fewer requests: the task pauses at any of its requests, and does nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_encord import pauses as lengths
from airflow_provider_encord.operators import base
from tests.airflow_layer.bench import Account
from tests.airflow_layer.cloud_intake import START, Intake
from tests.airflow_layer.deferrals import run_deferred
from tests.airflow_layer.storage.test_jobs import Store
from tests.moves.attempts import Instance


@pytest.fixture
def intake(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Intake:
    for module in (base, lengths):  # so that a short wait is long enough for a pause
        monkeypatch.setattr(module, "LONGEST_WAIT_IN_SLOT", 0.5)
    return Intake(account, tmp_path)


def refuse(intake: Intake, nth: int, **match: str) -> None:
    fault = {"status": 429, "headers": {"Retry-After": "1"}}
    intake.emulator.faults([{"match": match, "when": {"nth": nth}, "do": fault}])


@pytest.mark.parametrize("nth", range(1, 13))
def test_nothing_is_registered_twice_without_task_state(intake: Intake, nth: int) -> None:
    names = intake.objects(3)
    source = intake.manifest(names)
    refuse(intake, nth)
    result = run_deferred(lambda: intake.deferrable(source=source, units_per_job=1, skip_duplicate_urls=False))
    assert intake.names() == names
    assert (result["units"], result["registered"], result["jobs"]) == (3, 3, 3)


@pytest.mark.parametrize("nth", range(1, 4))
def test_the_report_of_a_task_that_paused_is_whole(intake: Intake, tmp_path: Path, nth: int) -> None:
    names = intake.objects(3)
    source, report = intake.manifest(names), tmp_path / "report.jsonl"
    refuse(intake, nth, **START)
    run_deferred(
        lambda: intake.deferrable(source=source, units_per_job=1, skip_duplicate_urls=False, report=str(report))
    )
    assert intake.names() == names
    assert len(report.read_text().splitlines()) == 3


def test_the_last_try_still_knows_its_jobs_after_a_pause(intake: Intake) -> None:
    names = intake.objects(3)
    source = intake.manifest(names)
    refuse(intake, 3, **START)

    store = Store()
    context = {"task_state_store": store, "ti": Instance("run", max_tries=0)}
    run_deferred(lambda: intake.deferrable(source=source, units_per_job=1, skip_duplicate_urls=False), context)
    assert intake.names() == names
    assert store.kept == {}


def test_refused_polls_of_the_triggerer_end_no_wait(intake: Intake) -> None:
    """Eleven of them did: after a minute, if it polls every five seconds."""
    source = intake.manifest(intake.objects(1))

    def meanwhile(_: int) -> None:
        fault = {"status": 429, "headers": {"Retry-After": "900"}}
        intake.emulator.faults([{"match": {"method": "GET", "path": "/data-upload-jobs/"}, "do": fault}])

    intake.emulator.jobs(hold=True)
    with pytest.raises(AirflowException, match="has not ended within job_timeout"):
        run_deferred(lambda: intake.deferrable(source=source, job_timeout=3), while_deferred=meanwhile)
