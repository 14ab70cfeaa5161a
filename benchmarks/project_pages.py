"""The page "Encord" of many projects with a long history: how long it takes, and how large it is.

No race. Each new process answers the first request, the same one again, the first one of the next day, and one for
the page of a project. Airflow's authentication is left out. The history is on a disk of this machine, so on a quiet
one, seconds are CPU seconds.

A history is `merged` as tasks leave it. Others are what may be found after an upgrade or a fault: `without-outline` as
an earlier version merged it, and `never-merged`, with a file for each day.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator

from airflow_provider_encord.history.compaction import compact
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
from airflow_provider_encord.project_pages.catalog import Catalog
from airflow_provider_encord.project_pages.overview import overview_of
from airflow_provider_encord.project_progress.page import page_of

STAGES = (("Annotate", "ANNOTATION"), ("Review", "REVIEW"), ("Correct", "ANNOTATION"), ("Complete", "DONE"))
TOTAL = 20_000
MERGED, WITHOUT_OUTLINE, NEVER_MERGED = STATES = ("merged", "without-outline", "never-merged")
DAY = datetime.timedelta(days=1)
NOW = datetime.datetime(2026, 11, 30, 8, tzinfo=datetime.UTC)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=200)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--times", type=int, default=5, help="so many processes; the median counts")
    parser.add_argument("--state", choices=STATES, default=MERGED)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(answered(pathlib.Path(options.only))))
        return
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for number in range(options.projects):
            seed(root, number, options.days, options.state)
        files = [path.stat().st_size for path in root.rglob("*") if path.is_file()]
        about = {name: getattr(options, name) for name in ("projects", "days", "state")}
        about |= {"files": len(files), "mb": sum(files) / 1e6}
        command = [sys.executable, "-m", "benchmarks.project_pages", "--only", folder]
        runs = [json.loads(subprocess.check_output(command, text=True)) for _ in range(options.times)]
    middle = {name: sorted(run[name] for run in runs)[len(runs) // 2] for name in runs[0]}
    print(json.dumps({**about, **middle}))


def seed(root: pathlib.Path, number: int, days: int, state: str = MERGED) -> None:
    """The history of a project up to yesterday, and what three tasks learned today.

    :param state: One of `STATES`.
    """
    project_id = str(uuid.UUID(int=number + 1))
    store = ProjectStore(root, project_id)
    for moment, facts in itertools.groupby(past(number, days), lambda fact: fact[1]):
        store.append((record_of(project_id, *fact) for fact in facts), new_name(moment))
    if state != NEVER_MERGED:
        compact(store, NOW)
    if state == WITHOUT_OUTLINE:
        for name in store.names().outlines:
            store.remove(name)
    add_news(root, number)


def add_news(root: pathlib.Path, number: int) -> None:
    """What three tasks learned today."""
    project_id, chance = str(uuid.UUID(int=number + 1)), random.Random(number)
    gate = Event(event="gate", outcome="passed", counts={"rows": 9})
    facts: list[Fact] = [project(number), counted(number, chance.randint(0, TOTAL)), gate]
    for place, fact in enumerate(facts):
        moment = NOW - datetime.timedelta(hours=3, minutes=place)
        ProjectStore(root, project_id).append([record_of(project_id, fact, moment, task(number))], new_name(moment))


def task(number: int) -> Task:
    """A task that learned something."""
    return Task(dag_id=f"labels_{number % 20}", run_id="scheduled__1", task_id="progress")


def project(number: int) -> ProjectSeen:
    """A project with its workflow."""
    stages = [
        StageType(stage_id=stage_id(number, place), title=title, stage_type=kind)
        for place, (title, kind) in enumerate(STAGES)
    ]
    return ProjectSeen(title=f"Streets {number}", status="ongoing", stages=stages, host="api.encord.com")


def stage_id(number: int, place: int) -> str:
    """A stage of a project."""
    return str(uuid.UUID(int=1000 * (number + 1) + place))


def counted(number: int, done: int) -> StagesSeen:
    """Tasks in all stages."""
    left = TOTAL - done
    tasks = (left - left // 3 - left // 10, left // 3, left // 10, done)
    stages = [
        StageCount(stage_id=stage_id(number, place), title=title, tasks=count)
        for place, ((title, _), count) in enumerate(zip(STAGES, tasks, strict=True))
    ]
    return StagesSeen(stages=stages, whole=True)


def past(number: int, days: int) -> Iterator[tuple[Fact, datetime.datetime, Task]]:
    """The past of a project: one of four is slow, so that its forecast looks far ahead."""
    chance, done = random.Random(number), 0
    pace = 3 if number % 4 == 0 else TOTAL // (days + 30 + number % 90)
    yield project(number), NOW - days * DAY, task(number)
    for ago in range(days, 0, -1):
        moment = NOW - ago * DAY
        done = min(TOTAL, done + chance.randint(0, 2 * pace)) if moment.weekday() < 5 else done
        yield counted(number, done), moment, task(number)
        day = moment.date().isoformat()
        people = [
            ActivityOfDay(
                day=day,
                stage_id=stage_id(number, place),
                submitted=chance.randint(0, pace),
                approved=chance.randint(0, pace),
                rejected=chance.randint(0, pace // 5),
                seconds=chance.randint(0, 30_000),
                timed_tasks=pace,
            )
            for place in range(3)
        ]
        after = (moment.date() + DAY).isoformat()
        yield (
            ActivitySeen(start=day, end=after, actions=True, time_spent=True, final=True, days=people),
            moment,
            task(number),
        )
        yield (
            Event(event="export", outcome="success", counts={"rows": done}, uri="s3://labels/it"),
            moment,
            task(number),
        )


def answered(root: pathlib.Path) -> dict[str, float]:
    """What the requests take, in this process."""
    catalog, costs = Catalog(root), dict[str, float]()

    def overview(now: datetime.datetime) -> str:
        return overview_of([one.glance for one in catalog.all(now)])

    def one_project() -> str:
        shown = catalog.one(str(uuid.UUID(int=2)), NOW)
        return page_of(shown.progress) if shown else ""

    def measure(name: str, work: Callable[[], str]) -> None:
        begun, begun_cpu = time.perf_counter(), time.process_time()
        page = work()
        costs[f"{name}_seconds"], costs[f"{name}_cpu"] = time.perf_counter() - begun, time.process_time() - begun_cpu
        costs[f"{name}_kb"] = len(page.encode()) / 1000

    measure("first", lambda: overview(NOW))
    measure("again", lambda: overview(NOW))
    measure("next_day", lambda: overview(NOW + DAY))
    measure("project", one_project)
    return {name: round(cost, 3) for name, cost in costs.items()}


if __name__ == "__main__":
    main()
