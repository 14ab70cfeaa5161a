"""Asset watchers in a whole Airflow: work starts runs, and nothing is lost or handled twice when the triggerer dies."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.assets import stage_uri
from airflow_provider_encord.exports import read
from encord_emulator.process import Emulator
from tests.airflow_layer.bench import Account
from tests.deployment.polling import poll
from tests.deployment.processes import SCHEDULER, TRIGGERER, Deployment

pytestmark = pytest.mark.system

CONNECTION = "encord_watched"
EXAMPLE = Path(__file__).parents[2] / "example_dags" / "example_encord_event_driven.py"
KILLS = int(os.environ.get("TRIGGERER_KILLS", "3"))
DAG_FILE = """
import json
from pathlib import Path

from airflow.sdk import DAG, AssetWatcher, get_current_context, task

from airflow_provider_encord import events
from airflow_provider_encord.assets import stage_asset
from airflow_provider_encord.triggers.events import EncordTasksEventTrigger

WATCHER = AssetWatcher(
    name="reviews",
    trigger=EncordTasksEventTrigger(
        project_id="{project}", stage="Review", batch_size=2, max_wait_seconds=20, poll_interval=5,
        encord_conn_id="{connection}",
    ),
)
STAGE = stage_asset("{project}", "{stage}", host="{host}", watchers=[WATCHER])

with DAG("handles_reviews", schedule=[STAGE]):

    @task(inlets=[STAGE])
    def batches():
        return events.task_batches(get_current_context(), batch_size=3)

    @task
    def handle(project_id, stage_id, task_ids):
        run = get_current_context()["run_id"]
        with Path("{handled}").open("a") as file:
            file.write("".join(json.dumps([run, one]) + chr(10) for one in task_ids))

    handle.expand_kwargs(batches())
"""


def asset_events(deployment: Deployment, uri: str) -> list[dict[str, Any]]:
    """The payloads of all events of an asset, in order."""
    return [event["extra"]["payload"] for event in deployment.asset_events(uri)]


def handled(path: Path) -> list[str]:
    """The tasks that the DAG handled, in order."""
    return [json.loads(line)[1] for line in path.read_text().splitlines()] if path.exists() else []


def polls(emulator: Emulator, stage: str) -> int:
    """How often the tasks of a stage were listed."""
    return sum(stage in entry["path"] and entry["method"] == "GET" for entry in emulator.journal())


@pytest.mark.airflow
@pytest.mark.timeout(900)
def test_no_task_is_lost_or_handled_twice_when_the_triggerer_is_killed(deployment: Deployment, tmp_path: Path) -> None:
    if deployment.old:
        pytest.skip("Airflow 2.11 has no asset watchers.")
    path = tmp_path / "handled.jsonl"
    chance = random.Random(20261129)
    with Emulator.start() as emulator:
        account = Account(emulator)
        seeded = account.project(rows=4 * KILLS + 2)
        project, stage = seeded["project_id"], seeded["stages"][1]["uuid"]
        deployment.connect(CONNECTION, account.connection())
        host = emulator.url.partition("://")[2]
        values = {"project": project, "stage": stage, "host": host, "handled": path, "connection": CONNECTION}
        (deployment.dags / "handles_reviews.py").write_text(DAG_FILE.format(**values))
        with account.client() as client:
            first = client.project(project).stage("Annotate")
            tasks = [task.uuid for task in first.tasks()]
            first.move(tasks[:2], "Review")
            poll(lambda: len(handled(path)) >= 2 or None, "the first tasks are handled", 180)
            for kill in range(KILLS):
                emulator.clear_journal()
                first.move(tasks[2 + 4 * kill : 4 + 4 * kill], "Review")
                poll(lambda: polls(emulator, stage) >= 2 or None, "the watcher polls", 120, every=0.05)
                time.sleep(chance.uniform(0, 2.5))  # at any moment while Airflow stores the event and confirms it
                deployment.restart(TRIGGERER)
                first.move(tasks[4 + 4 * kill : 6 + 4 * kill], "Review")
        poll(lambda: set(handled(path)) == set(tasks) or None, "all tasks are handled", 240, every=1)
        payloads = asset_events(deployment, stage_uri(emulator.url, project, stage))
        changes = [entry for entry in emulator.journal() if entry["changes"]]
    (deployment.dags / "handles_reviews.py").unlink()
    assert len(handled(path)) == len(tasks), "a task was handled twice"
    repeats = len(payloads) - len({payload["batch_id"] for payload in payloads})
    assert repeats <= KILLS, payloads
    assert all(payload["repeat"] == 0 and payload["stage"] == "Review" for payload in payloads)
    assert {task for payload in payloads for task in payload["task_ids"]} == set(tasks)
    assert [entry["path"] for entry in changes if "move" not in entry["path"] and "actions" not in entry["path"]] == []
    print(json.dumps({"kills": KILLS, "events": len(payloads), "repeats": repeats}))


@pytest.mark.airflow
@pytest.mark.timeout(900)
def test_the_event_driven_example_exports_what_changed_through_a_restart_of_each_part(
    deployment: Deployment, tmp_path: Path
) -> None:
    if deployment.old:
        pytest.skip("Airflow 2.11 has no asset watchers.")
    copy = deployment.dags / EXAMPLE.name
    with Emulator.start() as emulator:
        account = Account(emulator)
        seeded = account.project(rows=45)
        deployment.connect("encord_default", account.connection())
        text = EXAMPLE.read_text().replace("00000000-0000-4000-8000-000000000000", seeded["project_id"])
        text = text.replace("api.encord.com", emulator.url.partition("://")[2])
        text = text.replace("max_wait_seconds=600", "max_wait_seconds=600, poll_interval=5")  # for a short test
        copy.write_text(text.replace("file:///var/lib/encord-exports", f"file://{tmp_path}/exports"))
        poll(lambda: listings(emulator) or None, "the watcher polls", 180)
        edited: set[str] = set()
        for component in (TRIGGERER, SCHEDULER):
            edited |= edit(emulator, seeded["project_id"], seeded["data_hashes"][len(edited) : len(edited) + 20])
            deployment.restart(component)
            wanted = set(edited)
            poll(
                lambda wanted=wanted: exported(tmp_path).keys() == wanted or None,
                f"the export after {component}",
                240,
                every=1,
            )
    copy.unlink()
    assert set(exported(tmp_path).values()) == {1}, "a row was exported twice"


def listings(emulator: Emulator) -> int:
    """How often label rows were listed."""
    return sum(entry["query_type"] == "labelrowmetadata" for entry in emulator.journal())


def edit(emulator: Emulator, project_id: str, data_hashes: list[str]) -> set[str]:
    """People edit these rows."""
    emulator.annotate(project_id, data_hashes=data_hashes)
    return set(data_hashes)


def exported(folder: Path) -> Counter[str]:
    """How often each data unit is in the exports that are complete."""
    manifests = (folder / "exports").rglob("manifest.json")
    return Counter(row["data_hash"] for manifest in manifests for row in read(manifest.parent))
