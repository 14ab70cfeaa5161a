"""The page "Encord" within Airflow's web interface: found in the menu, read, and left for Airflow's own pages."""

from __future__ import annotations

import datetime
import importlib.resources
import random
import re
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Frame, Page, expect

from airflow_provider_encord.history.records import (
    ActivityOfDay,
    ActivitySeen,
    Event,
    Fact,
    ProjectSeen,
    StageCount,
    StagesSeen,
    StageType,
    Task,
    record_of,
)
from airflow_provider_encord.history.store import ProjectStore, new_name
from airflow_provider_encord.project_progress.reporting import report_project
from tests.deployment.processes import Deployment
from tests.e2e.forms import Form

DAG = "example_encord_nightly_export"
STAGES = [("Annotate", "ANNOTATION"), ("Review", "REVIEW"), ("Complete", "DONE")]
DAY = datetime.timedelta(days=1)
AXE = "async () => (await axe.run()).violations.map(one => [one.id, one.nodes.map(node => node.html)])"


def _facts(project: int, total: int, per_day: int) -> Iterator[tuple[datetime.datetime, Fact]]:
    """Four months in the life of a project."""
    now, chance = datetime.datetime.now(datetime.UTC), random.Random(project)
    ids = [str(uuid.UUID(int=100 * project + place)) for place in range(len(STAGES))]
    types = [
        StageType(stage_id=one, title=title, stage_type=kind) for one, (title, kind) in zip(ids, STAGES, strict=True)
    ]
    seen = ProjectSeen(title=f"Street scenes {project}", status="inProgress", stages=types, host="api.encord.com")
    yield now - DAY, seen
    done = 0
    for days_ago in range(120, 0, -1):
        moment = now - days_ago * DAY
        done += chance.randint(0, 2 * per_day) if moment.weekday() < 5 else 0
        counts = (total - min(done, total) - 40, 40, min(done, total))
        stages = [
            StageCount(stage_id=one, title=title, tasks=max(0, tasks))
            for one, (title, _), tasks in zip(ids, STAGES, counts, strict=True)
        ]
        yield moment, StagesSeen(stages=stages, whole=True)
        day = moment.date()
        activity = ActivityOfDay(
            day=day.isoformat(), stage_id=ids[1], submitted=0, approved=9, rejected=2, seconds=1800, timed_tasks=11
        )
        yield (
            moment,
            ActivitySeen(
                start=day.isoformat(),
                end=(day + DAY).isoformat(),
                actions=True,
                time_spent=True,
                final=True,
                days=[activity],
            ),
        )
    yield now - DAY / 2, Event(event="export", outcome="success", counts={"rows": 120}, uri="s3://labels/manifest.json")


@pytest.fixture(scope="module")
def history(airflow: Deployment) -> list[str]:
    """The projects in the history of the deployment: one that moves on, one that stands still."""
    ids = []
    for number, per_day in ((1, 12), (2, 0)):
        project_id = str(uuid.UUID(int=number))
        task = Task(dag_id=DAG, run_id="manual__1", task_id="export")
        records = [record_of(project_id, fact, moment, task) for moment, fact in _facts(number, 2000, per_day)]
        moment = datetime.datetime.now(datetime.UTC)
        ProjectStore(airflow.home / "history", project_id).append(records, new_name(moment))
        ids.append(project_id)
    return ids


@pytest.fixture
def page(form: Form, line: str) -> Page:
    if line == "2.11":
        pytest.skip("Airflow 2 has no such pages")
    return form.page


def _frame(page: Page) -> Frame:
    """What is in the frame of Airflow's page, once it is there."""
    shown = page.frame_locator("iframe[title='Encord']").get_by_role("heading", level=1)
    expect(shown).to_be_visible()
    (frame,) = [one for one in page.frames[1:] if "/encord-projects/" in one.url]
    return frame


def _assert_accessible(frame: Frame) -> None:
    frame.evaluate(importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text())
    assert frame.evaluate(AXE) == []


def test_the_menu_leads_to_all_projects(page: Page, airflow: Deployment, history: list[str]) -> None:
    page.goto(airflow.url)
    page.get_by_role("button", name="Browse").first.click()
    page.get_by_role("menuitem", name="Encord").first.click()
    frame = _frame(page)
    rows = frame.get_by_role("row").filter(has_text="Street scenes")  # runs of other tests have a history, too
    expect(rows).to_have_count(len(history))
    expect(rows.nth(0)).to_contain_text("Street scenes 2")  # it stands still, so it comes before the other one
    expect(rows.nth(0)).to_contain_text("Late: There is no forecast")


def test_a_project_says_what_is_late_and_leads_to_the_task(page: Page, form: Form, history: list[str]) -> None:
    page.goto(f"{form.deployment.url}/plugin/encord")
    _frame(page).get_by_role("link", name="Street scenes 1").click()
    frame = page.frame_locator("iframe[title='Encord']")
    expect(frame.get_by_role("heading", name="Street scenes 1")).to_be_visible()
    expect(frame.get_by_role("img").first).to_be_visible()
    form.visit.picture("project-page", dark=True)
    _assert_accessible(_frame(page))
    frame.get_by_role("link", name=re.compile(f"{DAG}.export")).click()
    page.wait_for_url(f"**/dags/{DAG}/runs/manual__1/tasks/export")


def test_the_pages_can_be_read_by_everyone(page: Page, form: Form, history: list[str]) -> None:
    for size in ({"width": 1280, "height": 900}, {"width": 390, "height": 800}):
        page.set_viewport_size(size)
        for path in ("", f"projects/{history[0]}"):
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.goto(f"{form.deployment.url}/encord-projects/{path}")
                _assert_accessible(page.main_frame)
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
        _assert_accessible(page.main_frame)
