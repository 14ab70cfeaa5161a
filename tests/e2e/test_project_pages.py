"""The page "Encord" within Airflow's web interface: found in the menu, read, and left for Airflow's own pages."""

from __future__ import annotations

import datetime
import re

import pytest
from playwright.sync_api import Page, expect

from airflow_provider_encord.history.records import Task
from airflow_provider_encord.project_progress.reporting import report_project
from tests.airflow_layer.lines import NEWEST
from tests.deployment.processes import Deployment
from tests.e2e.embedded_pages import assert_accessible, framed, open_by_menu
from tests.e2e.forms import Form
from tests.e2e.project_history import PER_DAY, write_history

DAG = "example_encord_nightly_export"
# Airflow 2.11 has no such pages, and refuses those who log in more often than five times in 40 seconds.
pytestmark = pytest.mark.parametrize("airflow", [NEWEST], indirect=True)


@pytest.fixture(scope="module")
def history(airflow: Deployment) -> list[str]:
    """The projects in the history of the deployment: one that moves on, one that stands still."""
    task = Task(dag_id=DAG, run_id="manual__1", task_id="export")
    return [write_history(airflow.home / "history", task, number) for number in PER_DAY]


@pytest.fixture
def page(form: Form) -> Page:
    return form.page


def test_the_menu_leads_to_all_projects(page: Page, airflow: Deployment, history: list[str]) -> None:
    frame = open_by_menu(page, airflow.url)
    rows = frame.get_by_role("row").filter(has_text="Street scenes")  # runs of other tests have a history, too
    expect(rows).to_have_count(len(history))
    expect(rows.nth(0)).to_contain_text("Street scenes 2")  # it stands still, so it comes before the other one
    expect(rows.nth(0)).to_contain_text("Late: There is no forecast")


def test_a_project_says_what_is_late_and_leads_to_the_task(page: Page, form: Form, history: list[str]) -> None:
    page.goto(f"{form.deployment.url}/plugin/encord")
    framed(page).get_by_role("link", name="Street scenes 1").click()
    frame = page.frame_locator("iframe[title='Encord']")
    expect(frame.get_by_role("heading", name="Street scenes 1")).to_be_visible()
    expect(frame.get_by_role("img").first).to_be_visible()
    form.visit.picture("project-page", dark=True)
    assert_accessible(framed(page))
    frame.get_by_role("link", name=re.compile(f"{DAG}.export")).click()
    page.wait_for_url(f"**/dags/{DAG}/runs/manual__1/tasks/export")


def test_the_pages_can_be_read_by_everyone(page: Page, form: Form, history: list[str]) -> None:
    for size in ({"width": 1280, "height": 900}, {"width": 390, "height": 800}):
        page.set_viewport_size(size)
        for path in ("", f"projects/{history[0]}"):
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.goto(f"{form.deployment.url}/encord-projects/{path}")
                assert_accessible(page.main_frame)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_file_of_a_report_can_be_read_by_everyone(page: Page, airflow: Deployment, history: list[str]) -> None:
    report = airflow.home / "report.html"
    report_project(
        history[0], airflow.home / "history", report, now=datetime.datetime.now(datetime.UTC), due=None, client=None
    )
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(report.as_uri())
        expect(page.get_by_role("heading", name="Street scenes 1")).to_be_visible()
        assert_accessible(page.main_frame)
