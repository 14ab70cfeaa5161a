"""Encord asks for fewer requests while several tasks register objects: they leave their slots, and each ends once."""

from __future__ import annotations

import collections
from pathlib import Path

import pytest

from encord_emulator.process import Emulator
from tests.airflow_layer.bench import Account
from tests.deployment.polling import poll
from tests.deployment.processes import Deployment
from tests.sdk.media import png

pytestmark = pytest.mark.system

TASKS = 4
# Encord asks to send nothing for so long. Airflow fails a task that comes back before its scheduler saw it leave.
SECONDS = 25
DAG_FILE = """
import datetime
from airflow.providers.common.compat.sdk import DAG
from airflow_provider_encord.operators.storage import EncordRegisterCloudDataOperator

with DAG("paused", schedule=None, start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)) as dag:
    EncordRegisterCloudDataOperator.partial(
        task_id="register", folder_id={folder!r}, integration={integration!r}, deferrable=True, poll_interval=5
    ).expand(source={manifests!r})
"""


@pytest.mark.airflow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("line", ["here"], indirect=True)
def test_tasks_leave_their_slots_while_encord_asks_to_wait_and_do_everything_once(
    tmp_path: Path, deployment: Deployment
) -> None:
    (tmp_path / "bucket").mkdir()
    manifests = []
    for number in range(TASKS):
        (tmp_path / "bucket" / f"{number}.png").write_bytes(png(4, 4))
        manifests.append(str(tmp_path / f"manifest-{number}.jsonl"))
        Path(manifests[-1]).write_text(f'{{"url": "s3://bucket/{number}.png"}}\n')
    with Emulator.start() as emulator:
        account = Account(emulator)
        integration = emulator.bucket(integration="bucket", url="s3://bucket", directory=str(tmp_path / "bucket"))
        with account.client() as client:
            folder = client.create_folder("paused").id
        text = DAG_FILE.format(folder=folder, manifests=manifests, integration=integration)
        (deployment.dags / "paused.py").write_text(text)
        deployment.connect("encord_default", account.connection())
        asked = {"status": 429, "headers": {"Retry-After": str(SECONDS)}}
        emulator.faults([{"match": {"method": "POST"}, "when": {"nth": 2}, "do": asked}])
        emulator.clear_journal()
        run = deployment.trigger("paused")
        poll(lambda: set(deployment.task_states(run).values()) == {"deferred"} or None, "the tasks to be deferred", 120)
        assert deployment.wait(run) == "success", deployment.task_states(run)
        journal = emulator.journal()
        with account.client() as client:
            titles = collections.Counter(item.name for item in client.folder(folder).items())
    assert titles == {f"{number}.png": 1 for number in range(TASKS)}
    assert [entry["status"] for entry in journal].count(429) <= TASKS  # those on their way at the same time
    logs = "".join(path.read_text(errors="replace") for path in deployment.logs.rglob("*") if path.is_file())
    assert "The task leaves its slot" in logs
