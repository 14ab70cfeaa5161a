"""The made-up past of the playground: it ends with what is there, and the page has a forecast and plots of it."""

from __future__ import annotations

import datetime
import uuid
from pathlib import Path

import pytest

from airflow_provider_encord.client.api.projects import ProjectRecord, Stage, Workflow
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.history.reading import read_project
from airflow_provider_encord.history.records import record_of
from airflow_provider_encord.history.store import ProjectStore, new_name
from airflow_provider_encord.project_progress.plotted import plotted
from airflow_provider_encord.project_progress.progress import progress_of
from playground.past import DAYS, past

PROJECT = str(uuid.UUID(int=1))
STAGES = [
    Stage(stage_type="DONE", uuid="done", title="Complete"),
    Stage(stage_type="ANNOTATION", uuid="annotate", title="Annotate"),
    Stage(stage_type="REVIEW", uuid="review", title="Review"),
]
NOW = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize(("done", "verdict"), [(30, "forecast"), (200, "done"), (0, "no_progress")])
def test_the_past_leads_to_what_is_done_now(tmp_path: Path, done: int, verdict: str) -> None:
    project = ProjectRecord(project_hash=PROJECT, title="Parking lots", workflow=Workflow(stages=STAGES))
    facts = past(project, Settings(base_url="http://127.0.0.1"), {"annotate": 200 - done, "done": done}, NOW)
    store = ProjectStore(tmp_path, PROJECT)
    store.append([record_of(PROJECT, fact, moment) for fact, moment in facts], new_name(NOW))
    progress = progress_of(read_project(tmp_path, PROJECT), NOW)
    assert len(progress.points) == DAYS
    assert progress.last is not None
    assert (progress.last.done, progress.last.total) == (done, 200)
    assert progress.forecast.verdict == verdict
    assert [one.title for one in plotted(progress) if one.missing and done] == []
