"""Sensors in DAGs that Airflow runs: templates, deferral, skipping, time limits and retries."""

from __future__ import annotations

import pytest

from tests.airflow_layer.bench import Account, run_dag
from tests.airflow_layer.dags import waiting_for_people

pytestmark = [pytest.mark.airflow, pytest.mark.system, pytest.mark.usefixtures("airflow_database")]

STATES = {
    **dict.fromkeys(("poked", "rescheduled", "deferred", "progress", "status", "labels"), "success"),
    **dict.fromkeys(("mapped[0]", "mapped[1]"), "success"),
    **dict.fromkeys(("skipped", "poked_skipped"), "skipped"),
    **dict.fromkeys(("unknown", "overdue", "poked_overdue"), "failed"),
}


def test_sensors_do_in_every_mode_what_they_say(account: Account) -> None:
    seeded = account.project(rows=3, created=1.0)
    account.emulator.clear_journal()
    run = run_dag(waiting_for_people.dag, project_id=seeded["project_id"])

    assert run.tasks == STATES
    assert run.tries["unknown"] == run.tries["overdue"] == run.tries["poked_overdue"] == 1, "they are not retried"
    assert run.results["poked"]["tasks"] == 3
    assert run.results["deferred"]["reason"] == "max_wait_seconds"
    assert run.results["progress"]["fraction"] == 1
    assert run.results["labels"]["rows"] == 3
    assert [entry for entry in account.emulator.journal() if entry["changes"]] == []
