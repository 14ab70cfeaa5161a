"""Fault 8.2: the form that triggers an example DAG can be submitted with what its text says is needed, and no more."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.deployment.polling import poll
from tests.deployment.processes import Deployment
from tests.e2e.conftest import ROOT
from tests.e2e.forms import Form

EXAMPLES = sorted(path.stem for path in Path(ROOT, "example_dags").glob("*.py"))
NEEDED = {
    "example_encord_nightly_export": {"project_id": str(uuid.uuid4())},
    "example_encord_prelabel": {"project_id": str(uuid.uuid4())},
    "example_encord_routing": {"project_id": str(uuid.uuid4())},
    "example_encord_task_agent": {"project_id": str(uuid.uuid4())},
    "example_encord_training": {"project_id": str(uuid.uuid4())},
    "example_encord_wait_and_export": {"project_id": str(uuid.uuid4())},
}
"""What only the user can know; all other fields have a default, or may be empty."""
STAGES = {
    "example_encord_routing": "Review",
    "example_encord_task_agent": "Pre-label",
    "example_encord_training": "Complete",
    "example_encord_wait_and_export": "Review",
}
"""Defaults of the field `stage`; where it may be empty, the form gives null."""


def _open_trigger_form(form: Form, line: str, dag: str) -> None:
    if line == "2.11":
        form.page.goto(f"{form.deployment.url}/dags/{dag}/trigger")
        return
    form.page.goto(f"{form.deployment.url}/dags/{dag}")
    form.page.get_by_role("button", name="Trigger").first.click()
    expect(form.page.get_by_role("dialog").get_by_role("button", name="Trigger", exact=True)).to_be_visible()


def _submit(form: Form, line: str) -> None:
    place = form.page if line == "2.11" else form.page.get_by_role("dialog")
    button = place.get_by_role("button", name="Trigger", exact=True)
    expect(button).to_be_enabled(timeout=10_000)
    button.click()


def _runs(airflow: Deployment, dag: str) -> list[Any]:
    """The runs of a DAG, as soon as Airflow knows the DAG."""
    poll(lambda: airflow.request("GET", f"dags/{dag}").ok or None, f"the DAG {dag} to be parsed", 60)
    runs: list[Any] = airflow.rest("GET", f"dags/{dag}/dagRuns")["dag_runs"]
    return runs


def test_every_example_that_needs_something_says_so() -> None:
    for dag in EXAMPLES:
        text = Path(ROOT, "example_dags", f"{dag}.py").read_text()
        assert [name for name in NEEDED.get(dag, {}) if f"``{name}``: id of the project (needed)" not in text] == []
        assert text.count("(needed)") == len(NEEDED.get(dag, {}))


@pytest.mark.parametrize("dag", EXAMPLES)
def test_the_form_of_an_example_can_be_submitted_as_documented(
    lasting_form: Form, airflow: Deployment, line: str, dag: str
) -> None:
    before = len(_runs(airflow, dag))
    _open_trigger_form(lasting_form, line, dag)
    for name, value in NEEDED.get(dag, {}).items():
        lasting_form.page.locator(f"[name='element_{name}']").fill(value)
    _submit(lasting_form, line)
    (run,) = poll(lambda: _runs(airflow, dag)[before:] or None, f"a run of {dag}", 60)
    assert {name: run["conf"].get(name) for name in NEEDED.get(dag, {})} == NEEDED.get(dag, {})
    assert run["conf"].get("stage") == STAGES.get(dag)
