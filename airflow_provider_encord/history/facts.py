"""Facts that are made of what the client reads, or of what operators return."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.api.labels import StageName
from airflow_provider_encord.client.api.projects import ProjectRecord
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.history.records import Event, ProjectSeen, StageCount, StagesSeen, StageType


def project_fact(record: ProjectRecord, settings: Settings) -> ProjectSeen:
    """The project, as its record has it.

    :param settings: Those of the connection: where the project is.
    """
    stages = record.workflow.stages if record.workflow else []
    return ProjectSeen(
        title=record.title,
        status=record.status,
        stages=[StageType(stage_id=one.uuid, title=one.title, stage_type=one.stage_type) for one in stages],
        host=settings.host,
        web_app=settings.web_app_url,
    )


def stages_fact(rows: Counter[StageName | None]) -> StagesSeen:
    """All stages, from the number of label rows in each. Rows that are in no stage do not count."""
    counted: Counter[tuple[str, str]] = Counter()
    for stage, number in rows.items():
        if stage is not None:
            counted[stage.uuid, stage.title] += number
    found = sorted(counted.items())
    stages = [StageCount(stage_id=uuid, title=title, tasks=number) for (uuid, title), number in found]
    return StagesSeen(stages=stages, whole=True)


def stage_fact(stage_id: str, tasks: int, *, title: str = "", oldest_since: str | None = None) -> StagesSeen:
    """One stage.

    :param title: Its title; empty if it is not known here.
    """
    count = StageCount(stage_id=stage_id, title=title, tasks=tasks, oldest_since=oldest_since)
    return StagesSeen(stages=[count], whole=False)


def event_fact(
    event: str, result: Mapping[str, Any], *, outcome: str = "done", uri: str | None = None, fields: Sequence[str] = ()
) -> Event:
    """What a task did, from its result.

    :param fields: The numbers of the result to keep. Default: all.
    """
    counts = {
        name: value
        for name, value in result.items()
        if (not fields or name in fields) and isinstance(value, int | float) and not isinstance(value, bool)
    }
    return Event(event=event, outcome=outcome, counts=counts, uri=uri)
