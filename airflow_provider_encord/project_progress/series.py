"""Numbers of a project by day (UTC), from its history: tasks by stage, what is done, reviews, and time spent."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from airflow_provider_encord.history.daily import Day, ProjectDays

DONE_STAGE = "DONE"
"""The type of the final stages of a workflow."""
BY_STAGE: Literal["stages"] = "stages"
BY_LABELS: Literal["labels"] = "labels"


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """How much was done on a day on which it was counted.

    :param done: Tasks in final stages; or rows that have labels, if no stages are known.
    :param total: All tasks or rows.
    """

    day: datetime.date
    done: int
    total: int

    @property
    def remaining(self) -> int:
        """What is not done."""
        return self.total - self.done


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A day, and what happened since the day before.

    :param done: Tasks that were done, less those that were opened again.
    :param added: Tasks that were added, less those that were removed.
    :param counted: Whether both days were counted; else it is a part of what happened in several days.
    """

    day: datetime.date
    done: float
    added: float
    counted: bool


class Reviews(msgspec.Struct, frozen=True, kw_only=True):
    """The reviews of a day."""

    day: datetime.date
    reviewed: int
    rejected: int


class TimeOfDay(msgspec.Struct, frozen=True, kw_only=True):
    """Time spent on a day, and on how many tasks."""

    day: datetime.date
    seconds: int
    tasks: int


def date_of(name: str) -> datetime.date:
    """The date of a day of a history."""
    return datetime.date.fromisoformat(name)


def in_order(history: ProjectDays) -> Iterator[tuple[datetime.date, Day]]:
    """The days of a history."""
    for name in sorted(history.days):
        yield date_of(name), history.days[name]


def final_stages(history: ProjectDays) -> set[int]:
    """The numbers of the final stages; nothing if the history does not say which these are."""
    stages = history.project.seen.stages if history.project else []
    known = {stage_id: number for number, stage_id in enumerate(history.stage_ids)}
    return {known[stage.stage_id] for stage in stages if stage.stage_type == DONE_STAGE and stage.stage_id in known}


def points(history: ProjectDays) -> tuple[Literal["stages", "labels"], list[Point]]:
    """How much was done on each day that was counted, and what was counted."""
    final = final_stages(history)
    if final:
        found = [
            Point(
                day=day,
                done=sum(count for number, count in known.all_stages.tasks.items() if number in final),
                total=sum(known.all_stages.tasks.values()),
            )
            for day, known in in_order(history)
            if known.all_stages is not None
        ]
        if found:
            return BY_STAGE, found
    return BY_LABELS, [
        Point(day=day, done=known.labels.labelled, total=known.labels.rows)
        for day, known in in_order(history)
        if known.labels is not None
    ]


def steps(counted: Sequence[Point]) -> list[Step]:
    """What happened on each day from the first to the last that was counted."""
    found: list[Step] = []
    for before, after in itertools.pairwise(counted):
        length = (after.day - before.day).days
        found += [
            Step(
                day=before.day + datetime.timedelta(days=number),
                done=(after.done - before.done) / length,
                added=(after.total - before.total) / length,
                counted=length == 1,
            )
            for number in range(1, length + 1)
        ]
    return found


def reviews(history: ProjectDays) -> list[Reviews]:
    """The reviews of each day of which they are known."""
    found = []
    for day, known in in_order(history):
        if known.actions is not None:
            of_stages = known.actions.stages.values()
            rejected = sum(stage.rejected for stage in of_stages)
            reviewed = rejected + sum(stage.approved for stage in of_stages)
            found.append(Reviews(day=day, reviewed=reviewed, rejected=rejected))
    return found


def time_spent(history: ProjectDays) -> list[TimeOfDay]:
    """Time spent on each day of which it is known."""
    found = []
    for day, known in in_order(history):
        if known.time is not None:
            of_stages = known.time.stages.values()
            seconds, tasks = sum(one.seconds for one in of_stages), sum(one.tasks for one in of_stages)
            found.append(TimeOfDay(day=day, seconds=seconds, tasks=tasks))
    return found
