"""A person decides in Airflow between a preview and its plan, as the documentation shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from encord_emulator.process import Emulator
from tests.airflow_layer.bench import Account
from tests.deployment.polling import poll
from tests.deployment.processes import Deployment
from tests.docs.blocks import DOCS, blocks_of

pytestmark = pytest.mark.system

DAG_ID = "reopen_after_approval"
SHOWN_PROJECT = "aaaaaaaa-0000-4000-8000-000000000001"
ROWS = 5
WAITING = ("awaiting_input", "deferred")  # on Airflow 3.3, and before


@pytest.mark.airflow
@pytest.mark.timeout(600)
def test_a_plan_is_carried_out_only_after_approval(deployment: Deployment, tmp_path: Path) -> None:
    if deployment.old:
        pytest.skip("Airflow 2 has no ApprovalOperator")
    with Emulator.start() as emulator:
        account = Account(emulator)
        project = account.project(rows=ROWS)["project_id"]
        emulator.annotate(project, objects_per_row=1)  # only tasks with a label row can be reopened
        with account.client() as client:
            annotate = client.project(project).stage("Annotate")
            annotate.move(list(annotate.tasks()), "Complete")
        deployment.connect("encord_default", account.connection())
        (deployment.dags / f"{DAG_ID}.py").write_text(_shown(project, tmp_path))

        rejected = deployment.trigger(DAG_ID)
        _decide(deployment, rejected, "Reject")
        assert deployment.wait(rejected) == "success"
        assert deployment.task_states(rejected) == {"preview": "success", "approve": "success", "reopen": "skipped"}
        assert _stages(account, project) == {"Complete": ROWS}

        approved = deployment.trigger(DAG_ID)
        asked = _question(deployment, approved)
        assert asked["subject"] == f"Reopen {ROWS} tasks?"
        with account.client() as client:
            complete = client.project(project).stage("Complete")
            complete.move(list(complete.tasks())[:1], "Review")
        _decide(deployment, approved, "Approve")
        assert deployment.wait(approved) == "success", deployment.task_states(approved)
        assert _stages(account, project) == {"Annotate": ROWS - 1, "Review": 1}
    (report,) = tmp_path.rglob("reopen.jsonl")
    outcomes = [json.loads(line)["outcome"] for line in report.read_text().splitlines()]
    assert sorted(outcomes) == ["skipped", *["updated"] * (ROWS - 1)]


def _shown(project: str, folder: Path) -> str:
    """The DAG of the documentation, for this project and folder."""
    page = DOCS / "operators" / "workflow.md"
    (text,) = [block.text for block in blocks_of(page) if "ApprovalOperator" in block.text]
    return text.replace(SHOWN_PROJECT, project).replace("/data/", f"{folder}/")


def _question(deployment: Deployment, run: str) -> Any:
    """What the person is asked, once the task waits for an answer, and the scheduler has seen its process end.

    An answer before that queues the task again, and the scheduler takes the end of the process for the end of the
    queued one: Airflow fails the task. No person is that fast.
    """
    poll(lambda: deployment.task_states(run).get("approve") in WAITING or None, "the question", 120)
    ended, log = (
        f"TaskInstance Finished: dag_id={DAG_ID}, task_id=approve, run_id={run},",
        deployment.logs / "components",
    )
    poll(lambda: ended in (log / "scheduler.log").read_text(errors="replace") or None, "the end of the process", 120)
    return deployment.rest("GET", _path(run))


def _decide(deployment: Deployment, run: str, choice: str) -> None:
    """Answer as a person does in the web interface, which sends this request."""
    _question(deployment, run)
    deployment.rest("PATCH", _path(run), {"chosen_options": [choice]})


def _path(run: str) -> str:
    return f"dags/{DAG_ID}/dagRuns/{run}/taskInstances/approve/-1/hitlDetails"


def _stages(account: Account, project: str) -> dict[str, int]:
    with account.client() as client:
        counts = {stage.title: len(list(stage.tasks())) for stage in client.project(project).stages()}
    return {title: count for title, count in counts.items() if count}
