"""A made-up past of some projects, so that the page "Encord" has something to show when the playground opens.

The emulator has no past: its projects are minutes old. So the counts and the activity of eight weeks are invented, and
lead to what is done on the emulator now. The task that they name never ran.
"""

from __future__ import annotations

import datetime
import pathlib
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from airflow_provider_encord.client.api.label_row_stamps import list_label_row_stages
from airflow_provider_encord.client.api.projects import ProjectRecord, Stage
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.history.compaction import compact
from airflow_provider_encord.history.counted import DONE_STAGE
from airflow_provider_encord.history.facts import project_fact
from airflow_provider_encord.history.records import (
    ActivityOfDay,
    ActivitySeen,
    Fact,
    StageCount,
    StagesSeen,
    Task,
    record_of,
)
from airflow_provider_encord.history.store import ProjectStore, new_name

DAYS = 56
_DAY = datetime.timedelta(days=1)
_WEEKEND = 5
MADE_UP = Task(dag_id="example_encord_nightly_export", run_id="made_up", task_id="made_up")
"""Who sees a project is decided by the DAGs that wrote to its history, so one has to be named."""


def write_past(client: EncordClient, root: pathlib.Path, projects: Sequence[str], now: datetime.datetime) -> None:
    """Write the past of projects to a history, up to yesterday."""
    for place, project_id in enumerate(projects):
        project = client.project(project_id).get()
        rows = client.send(list_label_row_stages(project_id))
        stages = Counter(row.uuid if row else None for row in rows)
        facts = past(project, client.settings, stages, now, seed=place)
        store = ProjectStore(root, project_id)
        store.append((record_of(project_id, fact, moment, MADE_UP) for fact, moment in facts), new_name(now - _DAY))
        compact(store, now)


def past(
    project: ProjectRecord,
    settings: Settings,
    tasks: Mapping[str | None, int],
    now: datetime.datetime,
    *,
    seed: int = 0,
) -> Iterator[tuple[Fact, datetime.datetime]]:
    """What was true on each day.

    :param settings: Those of the connection.
    :param tasks: The tasks in each stage now, by its id.
    """
    found = project.workflow.stages if project.workflow else []
    stages = sorted(found, key=lambda stage: stage.stage_type == DONE_STAGE)
    if len(stages) < 2:  # nothing moves
        return
    rows, goal, chance = sum(tasks.values()), tasks.get(stages[-1].uuid, 0), random.Random(seed)
    days = [now - ago * _DAY for ago in range(DAYS, 0, -1)]
    work = [chance.uniform(0.2, 1) if day.weekday() < _WEEKEND else 0.0 for day in days]
    done = [round(goal * sum(work[: number + 1]) / sum(work)) for number in range(DAYS)]
    yield project_fact(project, settings), days[0]
    for moment, after, before in zip(days, done, [0, *done], strict=False):
        yield _counted(stages, rows, after), moment
        yield _worked(stages[:-1], moment, after - before, chance), moment


def _counted(stages: Sequence[Stage], rows: int, done: int) -> StagesSeen:
    """All tasks: those that are done are in the last stage, and one of ten of the others in each stage between."""
    between = (rows - done) // 10
    tasks = [rows - done - between * (len(stages) - 2), *[between] * (len(stages) - 2), done]
    counts = zip(stages, tasks, strict=True)
    return StagesSeen(
        stages=[StageCount(stage_id=stage.uuid, title=stage.title, tasks=count) for stage, count in counts], whole=True
    )


def _worked(stages: Sequence[Stage], moment: datetime.datetime, finished: int, chance: random.Random) -> ActivitySeen:
    """What people did on a day, the same in each stage."""
    day = moment.date()
    rejected, seconds = round(finished * chance.uniform(0, 0.3)), round(finished * chance.uniform(60, 140))
    of_stages = [
        ActivityOfDay(
            day=day.isoformat(),
            stage_id=stage.uuid,
            submitted=finished,
            approved=finished,
            rejected=rejected,
            seconds=seconds,
            timed_tasks=finished,
        )
        for stage in stages
    ]
    after = (day + _DAY).isoformat()
    return ActivitySeen(start=day.isoformat(), end=after, actions=True, time_spent=True, final=True, days=of_stages)
