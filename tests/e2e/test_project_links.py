"""From a task to the page of its project, on every line of Airflow that has the pages, and the page "Encord"."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from airflow_provider_encord.history.records import Task
from tests.airflow_layer.lines import NEWEST
from tests.deployment.processes import Deployment
from tests.e2e.browser import Visit
from tests.e2e.embedded_pages import assert_accessible, open_by_menu
from tests.e2e.forms import Form
from tests.e2e.project_history import write_history

DAG, TASK = "project_report_in_a_dag", "report"
UNKNOWN = "99999999-9999-4999-8999-999999999999"


def _follow_the_link_of_the_task(page: Page, airflow: Deployment, run_id: str) -> Page:
    """Where the button of the task leads, in another tab or in the same."""
    page.goto(f"{airflow.url}/dags/{DAG}/runs/{run_id}/tasks/{TASK}/details")
    button = page.get_by_role("link", name="Project in Airflow")
    expect(button).to_be_visible()
    if button.get_attribute("target") != "_blank":
        button.click()
        return page
    with page.context.expect_page() as opened:
        button.click()
    return opened.value


@pytest.mark.timeout(300)
def test_between_the_oldest_and_the_newest_line_the_pages_are_there_too(web_server: Deployment, visit: Visit) -> None:
    task = Task(dag_id=DAG, run_id="manual__1", task_id=TASK)
    write_history(web_server.home / "history", task, 1)
    web_server.cli("dags", "test", DAG)
    (run,) = web_server.rest("GET", f"dags/{DAG}/dagRuns")["dag_runs"]
    page = visit.page

    frame = open_by_menu(page, web_server.url)
    frame.get_by_role("link", name="Street scenes 1").click()
    shown = page.frame_locator("iframe[title='Encord']")
    expect(shown.get_by_role("heading", name="Street scenes 1")).to_be_visible()
    expect(shown.get_by_role("img").first).to_be_visible()
    visit.picture("project-page-{}-{}".format(*web_server.version))
    assert_accessible(frame)
    shown.get_by_role("link", name=f"{DAG}.{TASK}").first.click()
    page.wait_for_url(f"**/dags/{DAG}/runs/manual__1/tasks/{TASK}")

    project = _follow_the_link_of_the_task(page, web_server, run["dag_run_id"])
    expect(project.get_by_role("heading", name="Street scenes 1")).to_be_visible()


@pytest.mark.parametrize("airflow", [NEWEST], indirect=True)
def test_the_newest_line_leads_to_a_project_without_a_history_too(airflow: Deployment, form: Form) -> None:
    run_id = airflow.trigger(DAG, {"project_id": UNKNOWN})
    assert airflow.wait(run_id) == "success"

    project = _follow_the_link_of_the_task(form.page, airflow, run_id)
    expect(project.get_by_role("heading", name="No history of this project")).to_be_visible()
    assert project.url.endswith(f"/encord-projects/projects/{UNKNOWN}")
    assert_accessible(project.main_frame)
    project.get_by_role("link", name="All projects").click()
    expect(project.get_by_role("heading", name="Encord projects")).to_be_visible()
