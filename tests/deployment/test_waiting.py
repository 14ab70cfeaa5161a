"""Sensors in a real triggerer: many wait, few requests are sent, and nothing secret is stored."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from pathlib import Path

import pytest

from encord_emulator.process import Emulator
from tests.airflow_layer.bench import Account
from tests.deployment.processes import Deployment, poll

ROOT = Path(__file__).parents[2]
WAITING = 12
PYTHONS = {"here": Path(sys.executable), "2.11": ROOT / ".venvs" / "airflow-2.11" / "bin" / "python"}
DAG_FILE = """
import datetime
from airflow.providers.common.compat.sdk import DAG
from airflow_provider_encord.sensors.workflow import EncordTasksSensor

with DAG("waiting", schedule=None, start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
         default_args={{"project_id": "{project}", "stage": "Review", "deferrable": True, "poke_interval": 5}}) as dag:
    for number in range({waiting}):
        EncordTasksSensor(task_id=f"wait_{{number}}", min_tasks=1 + number % 2, timeout=240)
    EncordTasksSensor(task_id="skipped", min_tasks=99, timeout=15, soft_fail=True)
"""


@pytest.mark.airflow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("line", PYTHONS)
def test_sensors_wait_in_the_triggerer_with_few_requests(tmp_path: Path, line: str) -> None:
    if not PYTHONS[line].exists():
        pytest.skip(f"Airflow {line} is not installed here: make matrix-{line}")
    with Emulator.start() as emulator:
        account = Account(emulator)
        seeded = account.project(rows=4)
        dags = tmp_path / "dags"
        dags.mkdir()
        (dags / "waiting.py").write_text(DAG_FILE.format(project=seeded["project_id"], waiting=WAITING))
        deployment = Deployment(PYTHONS[line], tmp_path / "home", dags, environment={"PYTHONPATH": str(ROOT)})
        with deployment:
            deployment.cli("connections", "add", "encord_default", "--conn-json", account.connection())
            run = deployment.trigger("waiting")

            def states() -> dict[str, str]:
                return deployment.task_states(run)

            poll(lambda: states().get("skipped") == "skipped" or None, "the sensor is skipped", 240)
            poll(lambda: list(states().values()).count("deferred") == WAITING or None, "all are deferred", 120)
            rows = stored_triggers(tmp_path / "home")
            emulator.clear_journal()
            began = time.monotonic()
            poll(lambda: len(emulator.journal()) >= 4 or None, "polls", 60)
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
