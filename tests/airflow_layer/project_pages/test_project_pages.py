"""The pages of projects behind Airflow's own authentication: who sees what, and what they show."""

from __future__ import annotations

import contextlib
import datetime
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.history.records import (
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
from airflow_provider_encord.project_pages.plugin import EncordProjectPagesPlugin
from tests.airflow_layer.lines import running_line

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.skipif(running_line() == "2.11", reason="Airflow 2 has no apps of plugins"),
]
LATE, CALM, UNTOLD = (str(uuid.UUID(int=number)) for number in (1, 2, 3))
STAGE, DONE = str(uuid.UUID(int=10)), str(uuid.UUID(int=11))
MANAGER = "tests.airflow_layer.project_pages.narrow.NarrowAuthManager"


def _counted(open_tasks: int, done: int) -> StagesSeen:
    counts = ((STAGE, "Review <b>now</b>", open_tasks), (DONE, "Complete", done))
    stages = [StageCount(stage_id=stage, title=title, tasks=tasks) for stage, title, tasks in counts]
    return StagesSeen(stages=stages, whole=True)


class History:
    """A history in a directory."""

    def __init__(self, root: Path):
        self.root = root

    def add(self, project_id: str, fact: Fact, *, days_ago: float = 0, dag: str | None = None) -> None:
        moment = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days_ago)
        task = Task(dag_id=dag, run_id="run:1", task_id="export", map_index=3) if dag else None
        ProjectStore(self.root, project_id).append([record_of(project_id, fact, moment, task)], new_name(moment))


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    """Three projects: one that stands still, one that has ended, one of which no DAG is known."""
    monkeypatch.setenv("AIRFLOW__ENCORD__HISTORY", str(tmp_path / "history"))
    history = History(tmp_path / "history")
    for days_ago in range(40, 0, -1):
        history.add(LATE, _counted(60, 40), days_ago=days_ago, dag="labels")
        history.add(CALM, _counted(0, 100), days_ago=days_ago, dag="exports")
    stages = [
        StageType(stage_id=STAGE, title="Review <b>now</b>", stage_type="REVIEW"),
        StageType(stage_id=DONE, title="Complete", stage_type="DONE"),
    ]
    for project_id, title, dag in ((LATE, "Streets <i>", "labels"), (CALM, "Trees", "exports")):
        seen = ProjectSeen(title=title, status="ongoing", stages=stages, host="api.encord.com")
        history.add(project_id, seen, days_ago=1, dag=dag)
    history.add(CALM, Event(event="export", outcome="success", counts={"rows": 7}), days_ago=1, dag="exports")
    history.add(UNTOLD, _counted(5, 5), days_ago=1)
    return history


class Visitor:
    """A user of Airflow before the pages."""

    def __init__(self, client: Any, manager: Any):
        self._client, self._manager = client, manager

    def get(self, path: str, name: str | None = "ada", role: str | None = "admin") -> Any:
        from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

        headers = {}
        if name is not None:
            token = self._manager.generate_jwt(SimpleAuthManagerUser(username=name, role=role))
            headers["Authorization"] = f"Bearer {token}"
        return self._client.get(path, headers=headers)


@pytest.fixture
def visitor(history: History, airflow_database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    from airflow.api_fastapi import app as server
    from starlette.testclient import TestClient

    from airflow_provider_encord.project_pages.app import create_app

    monkeypatch.setenv("AIRFLOW__CORE__AUTH_MANAGER", MANAGER)
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", uuid.uuid4().hex * 2)
    with _dags_in_the_database("labels", "exports"), TestClient(create_app()) as client:
        yield Visitor(client, server.init_auth_manager())
    server.purge_cached_app()


@contextlib.contextmanager
def _dags_in_the_database(*dag_ids: str) -> Iterator[None]:
    """Rows of DAGs, as the DAG processor makes them."""
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.utils.session import create_session

    bundle = f"bundle-{uuid.uuid4().hex[:8]}"
    with create_session() as session:
        session.add(DagBundleModel(name=bundle))
        session.flush()
        for dag_id in dag_ids:
            session.add(DagModel(dag_id=dag_id, bundle_name=bundle, fileloc="there.py", is_paused=False))
    yield
    with create_session() as session:
        for dag_id in dag_ids:
            session.delete(session.get(DagModel, dag_id))
        session.flush()
        session.delete(session.get(DagBundleModel, bundle))


def test_without_a_history_the_plugin_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW__ENCORD__HISTORY", raising=False)
    plugin = EncordProjectPagesPlugin()
    assert (plugin.fastapi_apps, plugin.external_views) == ([], [])


def test_with_a_history_the_plugin_adds_an_app_and_an_entry_in_the_menu(history: History) -> None:
    plugin = EncordProjectPagesPlugin()
    ((app,), (view,)) = plugin.fastapi_apps, plugin.external_views
    assert view["href"] == f"{app['url_prefix']}/"


def test_all_projects_are_shown_the_late_ones_first(visitor: Visitor) -> None:
    answer = visitor.get("/")
    assert answer.status_code == 200
    links = re.findall(r'<a href="projects/([0-9a-f-]{36})">', answer.text)
    assert links[0] == LATE
    assert sorted(links) == [LATE, CALM, UNTOLD]
    assert "Streets &lt;i&gt;" in answer.text
    assert "Done since" in answer.text or "done since" in answer.text


def test_a_project_has_a_page_with_ways_to_airflow_and_encord(visitor: Visitor) -> None:
    page = visitor.get(f"/projects/{CALM}").text
    assert '<a href="../../dags/exports/runs/run%3A1/tasks/export/mapped/3">' in page
    late = visitor.get(f"/projects/{LATE}").text
    assert f'<a href="https://app.encord.com/projects/view/{LATE}' in late
    assert "Review &lt;b&gt;now&lt;/b&gt;" in late


def test_the_numbers_are_there_as_json(visitor: Visitor) -> None:
    answer = visitor.get(f"/projects/{LATE}/progress.json")
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json()["points"][-1]["done"] == 40


@pytest.mark.parametrize("path", ["/", f"/projects/{LATE}", f"/projects/{LATE}/progress.json"])
def test_a_visitor_who_has_not_logged_in_sees_nothing(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path, name=None)
    assert answer.status_code == 401
    assert "Streets" not in answer.text


def test_a_user_without_a_role_sees_no_project(visitor: Visitor) -> None:
    answer = visitor.get("/", name="eve", role=None)
    assert "You may not read a DAG that works on one of the projects." in answer.text
    assert [project for project in (LATE, CALM, UNTOLD) if project in answer.text] == []
    assert visitor.get(f"/projects/{LATE}", name="eve", role=None).status_code == 404


def test_a_user_sees_the_projects_of_the_dags_that_they_may_read(visitor: Visitor) -> None:
    mine = visitor.get("/", name="reads_only_exports", role="viewer").text
    assert re.findall(r'<a href="projects/([0-9a-f-]{36})">', mine) == [CALM]
    assert visitor.get(f"/projects/{CALM}", name="reads_only_exports", role="viewer").status_code == 200
    hidden = visitor.get(f"/projects/{LATE}", name="reads_only_exports", role="viewer")
    missing = visitor.get(f"/projects/{uuid.uuid4()}", name="reads_only_exports", role="viewer")
    assert (hidden.status_code, hidden.text) == (missing.status_code, missing.text)
    assert hidden.status_code == 404
    assert visitor.get(f"/projects/{UNTOLD}", name="reads_only_exports", role="viewer").status_code == 404


def test_a_project_without_a_history_has_a_page_that_says_what_is_missing_and_how_to_get_it(visitor: Visitor) -> None:
    answer = visitor.get(f"/projects/{uuid.uuid4()}")
    assert answer.status_code == 404
    assert "A task writes to the history when it ends." in answer.text
    assert "<code>EncordProjectReportOperator</code> with <code>refresh=True</code>" in answer.text
    assert '<a href="../">All projects</a>' in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("project_id", ["%2e%2e%2fetc", "x" * 36, "a'b"])
def test_what_is_no_id_is_answered_as_missing(visitor: Visitor, project_id: str) -> None:
    assert visitor.get(f"/projects/{project_id}").status_code == 404


def test_new_history_is_shown_and_damaged_history_is_reported(visitor: Visitor, history: History) -> None:
    assert "60" in visitor.get(f"/projects/{LATE}").text
    history.add(LATE, _counted(12, 88), dag="labels")
    (history.root / LATE / new_name(datetime.datetime.now(datetime.UTC))).write_text("{broken\n")
    page = visitor.get(f"/projects/{LATE}").text
    assert "88 of 100" in page
    assert "1 lines or files are damaged" in page
    assert "1 parts of the history cannot be used." in visitor.get("/").text


def test_a_page_may_load_nothing_and_run_only_its_own_script(visitor: Visitor) -> None:
    for path in ("/", f"/projects/{LATE}"):
        answer = visitor.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'self'" in policy
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert len(re.findall("<script", answer.text)) == 1


def test_a_history_that_cannot_be_listed_is_an_error_without_its_place(
    visitor: Visitor, history: History, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a-file").write_text("")
    monkeypatch.setenv("AIRFLOW__ENCORD__HISTORY", str(tmp_path / "a-file" / "below"))
    answer = visitor.get("/")
    assert answer.status_code in (200, 503)
    assert str(tmp_path) not in answer.text
