"""Asking Encord how far a project is, where its history does not say. Only reads."""

from __future__ import annotations

import datetime
from collections import Counter, deque

from airflow_provider_encord.client.api.label_row_stamps import list_label_row_stages
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.history.activity import ActivityTally
from airflow_provider_encord.history.facts import project_fact, stages_fact
from airflow_provider_encord.history.records import Fact

DAYS_OF_ACTIVITY = 28


def ask_encord(client: EncordClient, project_id: str, now: datetime.datetime) -> list[Fact]:
    """Read a project, the stages of its label rows, and what people did in the last four weeks.

    It takes a request for the project, one whose response lists all rows, and one for each page of actions and of time
    spent. Records of the current day are left out, because more of them will come.

    :raises UnsupportedByCredentialError: The credential is an API key, or the project has no workflow.
    :raises EncordError: Encord refused a request, or cannot be reached.
    """
    project = client.project(project_id)
    record = project.get()
    stages = client.send(list_label_row_stages(project.id))
    end = now.astimezone(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = end - datetime.timedelta(days=DAYS_OF_ACTIVITY)
    tally = ActivityTally()
    deque(tally.actions(project.activity.task_actions(start, end)), maxlen=0)
    deque(tally.time_spent(project.activity.time_spent(start, end)), maxlen=0)
    activity = tally.fact(start, end, final=False)
    facts = (project_fact(record, client.settings), stages_fact(Counter(stages)), activity)
    return [fact for fact in facts if fact is not None]
