"""Reads about what people do in a project: branches, label rows in detail, tasks, reviews, issues, logs, analytics."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from airflow_provider_encord.client.api import (
    analytics,
    label_actions,
    projects,
    workflow,
    workflow_issues,
    workflow_reviews,
)
from airflow_provider_encord.client.api.labels import LabelRowMetadata
from airflow_provider_encord.client.api.projects import Stage
from airflow_provider_encord.smoke.visit import Visit

_DAYS = 7  # of logs and analytics
_MOST_LISTED = 5
_MOST_STAGES = 5


def read_work(visit: Visit, project: str) -> None:
    """Send the reads about the work in a project that need an SSH key."""
    about = visit.alias("project", project)
    visit.ask(projects.list_project_branches(project, limit=_MOST_LISTED), about)
    _read_rows(visit, project)
    for record in _values(visit, "project.get", about):
        _read_tasks(visit, project, record.workflow.stages if record.workflow else ())
    _read_logs(visit, project)


def read_work_v1(visit: Visit, project: str) -> None:
    """Send the reads that also work with an API key."""
    about = visit.alias("project", project)
    now = datetime.datetime.now(datetime.UTC)
    since = now - datetime.timedelta(days=_DAYS)
    visit.ask(analytics.list_label_logs(project, after=int(since.timestamp()), before=int(now.timestamp())), about)
    for row in _rows(visit, about)[:1]:
        visit.ask(label_actions.get_data_links(project, row.data_hash), about)


def _values(visit: Visit, operation: str, about: str, api: str = "v2") -> list[Any]:
    return [value for asked, value in visit.values(operation, api) if asked == about]


def _rows(visit: Visit, about: str) -> Sequence[LabelRowMetadata]:
    return [row for rows in _values(visit, "label_rows.list", about, "v1") for row in rows]


def _read_rows(visit: Visit, project: str) -> None:
    about = visit.alias("project", project)
    rows = _rows(visit, about)
    for row in rows[:1]:
        visit.ask(workflow_issues.list_issues(project, row.data_hash), about)
    for label_hash in [row.label_hash for row in rows if row.label_hash][:1]:
        visit.ask(label_actions.get_validation_state(project, label_hash), about)
        visit.ask(label_actions.get_classifications(project, [label_hash]), about)


def _read_tasks(visit: Visit, project: str, stages: Sequence[Stage]) -> None:
    """Read the tasks of one stage of each type, and the label reviews of one task."""
    about = visit.alias("project", project)
    of_each_type = list({stage.stage_type: stage for stage in reversed(stages)}.values())[:_MOST_STAGES]
    for stage in of_each_type:
        tasks = visit.ask(workflow.list_tasks(project, stage.uuid), about)
        if tasks.answered and stage.stage_type == workflow.REVIEW:
            for task in tasks.value.results[:1]:
                visit.ask(workflow_reviews.list_label_reviews(project, stage.uuid, task.uuid), about)


def _read_logs(visit: Visit, project: str) -> None:
    about = visit.alias("project", project)
    now = datetime.datetime.now(datetime.UTC)
    since = now - datetime.timedelta(days=_DAYS)
    visit.ask(analytics.list_editor_logs(project, start=since, end=now), about)
    visit.ask(analytics.list_time_spent(project, after=since, before=now), about)
    visit.ask(analytics.list_task_actions(project, after=since, before=now), about)
    timers = analytics.list_collaborator_timers(project, after=since, before=now, page_size=_MOST_LISTED)
    visit.ask(timers, about)
