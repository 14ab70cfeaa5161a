"""Deliveries of the emulator at a real API server with two processes, and the DAG that they start."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.assets import stage_uri
from encord_emulator.process import Emulator
from tests.airflow_layer.bench import Account
from tests.airflow_layer.lines import running_line
from tests.deployment.polling import poll
from tests.deployment.processes import DAG_PROCESSOR, SCHEDULER, WEB, Deployment

pytestmark = pytest.mark.system

SECRET = "the-secret-of-this-deployment"
STAGES = [
    {"stageType": "AGENT", "title": "Pre-label", "pathways": [{"title": "on", "to": "Complete"}]},
    {"stageType": "DONE", "title": "Complete"},
]
DAG_FILE = """
from airflow.sdk import DAG, Asset, task

with DAG("pre_label", schedule=[Asset("{uri}")]) as dag:
    @task
    def announced(triggering_asset_events=None):
        (events,) = triggering_asset_events.values()
        return [event.extra["payload"]["task_ids"] for event in events]

    announced()
"""


class Site:
    """A deployment with a receiver, and a project on an emulator whose agent stage has tasks."""

    def __init__(self, emulator: Emulator, deployment: Deployment, project: dict[str, Any]):
        self.emulator, self.deployment, self.project_id = emulator, deployment, project["project_id"]
        self.stage = project["stages"][0]["uuid"]
        self.uri = stage_uri(emulator.url, self.project_id, self.stage)

    def subscribe(self, **wanted: Any) -> str:
        url = f"{self.deployment.url}/encord/webhook"
        return self.emulator.webhook(url, SECRET, self.project_id, self.stage, **wanted)

    def events(self) -> list[dict[str, Any]]:
        return self.deployment.asset_events(self.uri)

    def knows_the_asset(self) -> bool | None:
        assets = self.deployment.rest("GET", "assets?limit=100")["assets"]
        return any(asset["uri"] == self.uri for asset in assets) or None


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    if running_line() == "2.11":
        pytest.skip("Airflow 2 has no apps of plugins")
    with Emulator.start() as emulator:
        account = Account(emulator)
        project = account.project(rows=2, template=emulator.template("agents", STAGES)["uuid"])
        environment = {
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "True",  # runs for asset events
            "AIRFLOW__ENCORD__WEBHOOK_SECRETS": SECRET,
            "AIRFLOW__ENCORD__WEBHOOK_PROJECTS": project["project_id"],
            "AIRFLOW__ENCORD__WEBHOOK_CONN_ID": "encord_default",
        }
        (tmp_path / "dags").mkdir()
        deployment = Deployment(
            Path(sys.executable),
            tmp_path / "home",
            tmp_path / "dags",
            components=(WEB, SCHEDULER, DAG_PROCESSOR),
            environment=environment,
            web_workers=2,
        )
        with deployment:
            site = Site(emulator, deployment, project)
            deployment.connect("encord_default", account.connection())
            (tmp_path / "dags" / "pre_label.py").write_text(DAG_FILE.format(uri=site.uri))
            poll(site.knows_the_asset, "the asset to be known", 120)
            yield site


@pytest.mark.airflow
@pytest.mark.timeout(600)
def test_a_delivery_of_the_emulator_starts_a_dag_and_a_replay_does_not(site: Site) -> None:
    webhook = site.subscribe(cycle_seconds=300)
    (event,) = poll(lambda: site.events() or None, "the event", 60)
    assert len(event["extra"]["payload"]["task_ids"]) == 2
    answers = [site.emulator.deliver(webhook, replay=True)[0]["status"] for _ in range(8)]  # both processes get some
    assert answers == [200] * 8
    assert site.emulator.deliver(webhook, secret="another")[0]["status"] == 401
    assert site.emulator.deliver(webhook, age_seconds=400)[0]["status"] == 401
    # Announced again, with a fresh uid: the same tasks are still there.
    assert [site.emulator.deliver(webhook)[0]["status"] for _ in range(4)] == [200] * 4
    assert len(site.events()) == 1
    runs = poll(lambda: site.deployment.rest("GET", "dags/pre_label/dagRuns")["dag_runs"] or None, "a run", 120)
    run_id = runs[0]["dag_run_id"]
    poll(lambda: _state(site, run_id) == "success" or None, "the run to succeed", 120)
    path = f"dags/pre_label/dagRuns/{run_id}/taskInstances/announced/xcomEntries/return_value"
    returned = site.deployment.rest("GET", path)["value"]
    named = json.loads(returned) if isinstance(returned, str) else returned
    assert named == [event["extra"]["payload"]["task_ids"]]
    assert len(site.deployment.rest("GET", "dags/pre_label/dagRuns")["dag_runs"]) == 1
    logs = "".join(path.read_text(errors="replace") for path in site.deployment.logs.rglob("*") if path.is_file())
    assert SECRET not in logs


def _state(site: Site, run_id: str) -> str:
    state: str = site.deployment.rest("GET", f"dags/pre_label/dagRuns/{run_id}")["state"]
    return state
