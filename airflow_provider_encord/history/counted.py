"""What was counted of a project on each day (UTC): how much is done, and the tasks in a stage."""

from __future__ import annotations

import datetime
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


def measure_of(history: ProjectDays) -> Literal["stages", "labels"]:
    """What is counted: tasks in final stages, or rows that have labels if no count of all stages is known."""
    known = final_stages(history) and any(day.all_stages is not None for day in history.days.values())
    return BY_STAGE if known else BY_LABELS


def points(history: ProjectDays) -> tuple[Literal["stages", "labels"], list[Point]]:
    """How much was done on each day that was counted, and what was counted."""
    measure, final = measure_of(history), final_stages(history)
    if measure == BY_LABELS:
        return measure, [
            Point(day=day, done=known.labels.labelled, total=known.labels.rows)
            for day, known in in_order(history)
            if known.labels is not None
        ]
    return measure, [
        Point(
            day=day,
            done=sum(count for number, count in known.all_stages.tasks.items() if number in final),
            total=sum(known.all_stages.tasks.values()),
        )
        for day, known in in_order(history)
        if known.all_stages is not None
    ]


class Count(msgspec.Struct, frozen=True):
    """The last count of a stage in a day."""

    day: datetime.date
    tasks: int
    at: str
    oldest_since: str | None = None


def stage_counts(history: ProjectDays, stage_id: str, until: datetime.date) -> list[Count]:
    """The counts of a stage, the last of each day.

    :param until: What is later is left out.
    """
    if stage_id not in history.stage_ids:
        return []
    number, last, found = history.stage_ids.index(stage_id), until.isoformat(), []
    for name in sorted(history.days):
        if name > last:
            break
        whole, one = history.days[name].all_stages, history.days[name].stages.get(number)
        if one is not None and (whole is None or one.at > whole.at):
            found.append(Count(date_of(name), one.tasks, one.at, one.oldest_since))
        elif whole is not None:
            found.append(Count(date_of(name), whole.tasks.get(number, 0), whole.at))
    return found


def last_left(counts: Sequence[Count]) -> int:
    """The place of the last count that shows that a task has left: it has fewer tasks, or is the first after none.

    Without such a count, it is 0.
    """
    for place in range(len(counts) - 1, 0, -1):
        before = counts[place - 1].tasks
        if counts[place].tasks < before or before == 0:
            return place
    return 0


def last_acted(history: ProjectDays, number: int, until: datetime.date) -> datetime.date | None:
    """The last day on which somebody submitted or reviewed a task of a stage.

    :param number: The place of the stage in `ProjectDays.stage_ids`.
    :param until: What is later is left out.
    """
    last = until.isoformat()
    for name in sorted(history.days, reverse=True):
        actions = history.days[name].actions
        stage = actions.stages.get(number) if actions and name <= last else None
        if stage and stage.submitted + stage.approved + stage.rejected:
            return date_of(name)
    return None
