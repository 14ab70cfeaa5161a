"""Histories of made-up projects, which the pages show: one that moves on, one that stands still."""

from __future__ import annotations

import datetime
import random
import uuid
from collections.abc import Iterator
from pathlib import Path

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

STAGES = [("Annotate", "ANNOTATION"), ("Review", "REVIEW"), ("Complete", "DONE")]
DAY = datetime.timedelta(days=1)
PER_DAY = {1: 12, 2: 0}


def write_history(root: Path, task: Task, number: int) -> str:
    """Write four months of a project.

    :param task: The task that is said to have written it.
    :param number: Of the project, one of `PER_DAY`.
    :return: The id of the project.
    """
    project_id = str(uuid.UUID(int=number))
    facts = _facts(number, 2000, PER_DAY[number])
    records = [record_of(project_id, fact, moment, task) for moment, fact in facts]
    ProjectStore(root, project_id).append(records, new_name(datetime.datetime.now(datetime.UTC)))
    return project_id


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
