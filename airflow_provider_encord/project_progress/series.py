"""Numbers of a project by day (UTC), from its history: what happened on it, reviews, and time spent."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Sequence

import msgspec

from airflow_provider_encord.history.counted import Point, in_order
from airflow_provider_encord.history.daily import ProjectDays


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
