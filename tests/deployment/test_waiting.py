"""Sensors in a real triggerer: many wait through a crash, few requests are sent, and nothing secret is stored."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import pytest

from encord_emulator.process import Emulator
from tests.airflow_layer.bench import Account
from tests.deployment.polling import poll
from tests.deployment.processes import TRIGGERER, Deployment

pytestmark = pytest.mark.system

WAITING = 12
CONNECTION = "encord_people"
DAG_FILE = """
import datetime
from airflow.providers.common.compat.sdk import DAG
from airflow_provider_encord.sensors.workflow import EncordTasksSensor

with DAG("waiting_for_people", schedule=None, start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
         default_args={{"project_id": "{project}", "stage": "Review", "deferrable": True, "poke_interval": 5,
                        "encord_conn_id": "{connection}"}}) as dag:
    for number in range({waiting}):
        EncordTasksSensor(task_id=f"wait_{{number}}", min_tasks=1 + number % 2, timeout=240)
    EncordTasksSensor(task_id="skipped", min_tasks=99, timeout=15, soft_fail=True)
"""


@pytest.mark.airflow
@pytest.mark.timeout(600)
def test_sensors_wait_in_the_triggerer_with_few_requests_also_after_a_crash(deployment: Deployment) -> None:
    with Emulator.start() as emulator:
        account = Account(emulator)
        seeded = account.project(rows=4)
        deployment.connect(CONNECTION, account.connection())
        dag = DAG_FILE.format(project=seeded["project_id"], waiting=WAITING, connection=CONNECTION)
        (deployment.dags / "waiting_for_people.py").write_text(dag)
        run = deployment.trigger("waiting_for_people")

        def states() -> dict[str, str]:
            return deployment.task_states(run)

        poll(lambda: states().get("skipped") == "skipped" or None, "the sensor is skipped", 240, every=2.0)
        poll(lambda: list(states().values()).count("deferred") == WAITING or None, "all are deferred", 120, every=2.0)
        rows = stored_triggers(deployment.home)
        deployment.restart(TRIGGERER)
        emulator.clear_journal()
        began = time.monotonic()
        poll(lambda: len(emulator.journal()) >= 4 or None, "polls of the new triggerer", 120)
        assert time.monotonic() - began > 3 * 5 * 0.85, "one request per interval, not one per sensor"
        with account.client() as client:
            stage = client.project(seeded["project_id"]).stage("Annotate")
            stage.move(list(stage.tasks())[:2], "Review")
        assert deployment.wait(run) == "success", states()
        logs = "".join(path.read_text(errors="replace") for path in deployment.logs.rglob("*") if path.is_file())
    assert len(rows) >= WAITING
    key = json.loads(account.connection())["extra"]["private_key"]
    for secret in key.splitlines()[1:-1]:
        assert secret not in logs
        assert secret not in "".join(rows)


def stored_triggers(home: Path) -> list[str]:
    """The rows of the table of triggers, as text."""
    (database,) = home.rglob("airflow.db")
    with sqlite3.connect(database) as session:
        return [str(row) for row in session.execute("select * from trigger")]
