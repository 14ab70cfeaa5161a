"""The async client in a real triggerer: tasks that wait there poll over the same few connections."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.airflow_layer.bench import connection
from tests.client import keys
from tests.client.scripted_server import Received, ScriptedServer, respond
from tests.deployment.processes import Deployment

pytestmark = pytest.mark.system

WAITING = 4  # tasks at the same time
POLLS = 60  # before there is anything to see
DAG_FILE = """
import datetime
from airflow.providers.common.compat.sdk import DAG
from tests.airflow_layer.dags.waiting_in_a_trigger import WaitForProject

with DAG("waiting", schedule=None, start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)) as dag:
    for number in range({waiting}):
        WaitForProject(task_id=f"wait_{{number}}")
"""


@pytest.mark.airflow
@pytest.mark.timeout(600)
def test_tasks_that_wait_in_the_triggerer_share_a_client(deployment: Deployment) -> None:
    """Their connection is in Airflow's database, and a trigger that is done closes what it got."""
    seen = 0

    def poll(received: Received) -> tuple[int, Any]:
        nonlocal seen
        seen += 1
        project = {"projectHash": str(uuid.uuid4()), "title": "Street"}
        return 200, {"results": [project] if seen > POLLS else [], "nextPageToken": None}

    with ScriptedServer() as server:
        server.always(respond(poll))
        stored = connection(server.url, private_key=keys.openssh(keys.new_key()))
        deployment.connect("encord_default", stored)
        (deployment.dags / "waiting.py").write_text(DAG_FILE.format(waiting=WAITING))
        run = deployment.trigger("waiting")
        assert deployment.wait(run) == "success", deployment.task_states(run)
        logs = "".join(path.read_text(errors="replace") for path in deployment.logs.rglob("*") if path.is_file())
        assert len(server.requests) > POLLS
        assert server.accepted <= WAITING
    key = json.loads(stored)["extra"]["private_key"]
    for line in key.splitlines()[1:-1]:
        assert line not in logs
