"""A project as a report or a page shows it, from its history: what is late and why, and the numbers behind it.

`ProjectProgress` is a value of plain types: ``msgspec.json.encode`` of it is what an API may serve. The same history
and the same `now` have the same result.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Literal

import msgspec

from airflow_provider_encord.history.counted import Point, points
from airflow_provider_encord.history.daily import LastEvent, ProjectDays
from airflow_provider_encord.history.reading import ProjectHistory
from airflow_provider_encord.history.records import EVENTS
from airflow_provider_encord.project_progress.findings import Finding, findings
from airflow_provider_encord.project_progress.forecast import DRAWS, Forecast, forecast
from airflow_provider_encord.project_progress.series import (
    Reviews,
    Step,
    TimeOfDay,
    reviews,
    steps,
    time_spent,
)
from airflow_provider_encord.project_progress.stages import StageNow, stages_now

SCHEMA_VERSION = "1.0"
NOUNS = {"stages": "tasks", "labels": "label rows"}
RECENT = datetime.timedelta(days=28)


class StageSeries(msgspec.Struct, frozen=True, kw_only=True):
    """The tasks of a stage on the days of `ProjectProgress.stage_days`; None where they are not known."""

    stage_id: str
    title: str
    tasks: list[int | None]


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A share of recent weeks, beside the weeks before.

    :param value: Of the last four weeks; None if there is nothing to divide.
    :param before: Of the four weeks before these.
    :param of: What the value is a share of.
    """

    value: float | None
    before: float | None
    of: int


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of all projects shows of one.

    :param as_of: Time of the latest record of the history; None if it is empty.
    :param measure: What `last` counts: tasks in final ``stages``, or rows that have ``labels``.
    :param findings: What is late or wrong, the worst first.
    :param stages: The stages now, in the order of the workflow.
    :param last: The last count; None if there was no count.
    :param wrong: Number of lines of the history that are not records, and of files that cannot be read.
    :param newer: Number of records of a newer version of the provider.
    """

    project_id: str
    title: str | None
    status: str | None
    as_of: str | None
    measure: Literal["stages", "labels"]
    findings: list[Finding]
    forecast: Forecast
    stages: list[StageNow]
    last: Point | None
    wrong: int
    newer: int


class ProjectProgress(Glance, frozen=True, kw_only=True):
    """How far a project is.

    :param stage_days: The days on which all stages were counted.
    :param points: What is done, on each day that was counted.
    :param steps: What was done on each day since the day before.
    :param rejection: Share of reviews that rejected a task.
    :param seconds_per_task: Time spent in a stage on a task in a day, on average.
    :param events: The last export, gate, ... of the project, by kind.
    :param problems: The first of what of the history cannot be used, in words.
    """

    schema_version: str = SCHEMA_VERSION
    host: str | None
    web_app: str | None
    now: str
    due: datetime.date | None
    stage_days: list[datetime.date]
    stage_series: list[StageSeries]
    points: list[Point]
    steps: list[Step]
    reviews: list[Reviews]
    time_spent: list[TimeOfDay]
    rejection: Share
    seconds_per_task: Share
    events: dict[str, LastEvent]
    problems: list[str]

    @property
    def noun(self) -> str:
        """What is counted."""
        return NOUNS[self.measure]


def progress_of(
    history: ProjectHistory, now: datetime.datetime, *, due: datetime.date | None = None, draws: int = DRAWS
) -> ProjectProgress:
    """Take all numbers of a project from its history.

    :param now: The current time; what is later is left out.
    :param due: When the project should be done.
    :param draws: See `forecast`.
    """
    now, days = now.astimezone(datetime.UTC), history.days
    today = now.date()
    measure, counted = points(days)
    counted = [point for point in counted if point.day <= today]
    glance = _glance(history, measure, counted, today, due, draws)
    stage_days, series = _stage_series(days, glance.stages, today)
    reviewed = [one for one in reviews(days) if one.day <= today]
    timed = [one for one in time_spent(days) if one.day <= today]
    events = {name: days.events[name] for name in (*EVENTS, *sorted({*days.events} - {*EVENTS})) if name in days.events}
    return ProjectProgress(
        **msgspec.structs.asdict(glance),
        host=days.project.seen.host if days.project else None,
        web_app=days.project.seen.web_app if days.project else None,
        now=now.isoformat(timespec="seconds"),
        due=due,
        stage_days=stage_days,
        stage_series=series,
        points=counted,
        steps=steps(counted),
        reviews=reviewed,
        time_spent=timed,
        rejection=_rejection(reviewed, today),
        seconds_per_task=_seconds_per_task(timed, today),
        events=events,
        problems=history.problems.examples,
    )


def glance_of(history: ProjectHistory, now: datetime.datetime) -> Glance:
    """Take what the page of all projects shows, from the history or its outline."""
    today = now.astimezone(datetime.UTC).date()
    measure, counted = points(history.days)
    counted = [point for point in counted if point.day <= today]
    return _glance(history, measure, counted, today, None, DRAWS)


def _glance(
    history: ProjectHistory,
    measure: Literal["stages", "labels"],
    counted: Sequence[Point],
    today: datetime.date,
    due: datetime.date | None,
    draws: int,
) -> Glance:
    days, problems = history.days, history.problems
    seen = days.project.seen if days.project else None
    ended, stages = forecast(counted, noun=NOUNS[measure], draws=draws), stages_now(days, today)
    return Glance(
        project_id=history.project_id,
        title=seen.title if seen else None,
        status=seen.status if seen else None,
        as_of=days.last_at,
        measure=measure,
        findings=findings(days, stages, counted, ended, today=today, due=due, noun=NOUNS[measure]),
        forecast=ended,
        stages=stages,
        last=counted[-1] if counted else None,
        wrong=problems.wrong + problems.files,
        newer=problems.newer,
    )


def _stage_series(
    days: ProjectDays, stages: Sequence[StageNow], today: datetime.date
) -> tuple[list[datetime.date], list[StageSeries]]:
    found = sorted(name for name, day in days.days.items() if day.all_stages and name <= today.isoformat())
    numbers = {stage_id: number for number, stage_id in enumerate(days.stage_ids)}
    series = []
    for stage in stages:
        number = numbers.get(stage.stage_id)
        tasks = [_tasks(days, name, number) for name in found]
        series.append(StageSeries(stage_id=stage.stage_id, title=stage.title, tasks=tasks))
    return [datetime.date.fromisoformat(name) for name in found], series


def _tasks(days: ProjectDays, name: str, number: int | None) -> int | None:
    everything = days.days[name].all_stages
    return None if everything is None else 0 if number is None else everything.tasks.get(number, 0)


def _rejection(found: Sequence[Reviews], today: datetime.date) -> Share:
    def share(first: datetime.date, after: datetime.date) -> tuple[float | None, int]:
        of = [one for one in found if first <= one.day < after]
        reviewed = sum(one.reviewed for one in of)
        return (sum(one.rejected for one in of) / reviewed if reviewed else None), reviewed

    value, reviewed = share(today - RECENT, today + datetime.timedelta(days=1))
    return Share(value=value, before=share(today - 2 * RECENT, today - RECENT)[0], of=reviewed)


def _seconds_per_task(found: Sequence[TimeOfDay], today: datetime.date) -> Share:
    def share(first: datetime.date, after: datetime.date) -> tuple[float | None, int]:
        of = [one for one in found if first <= one.day < after]
        tasks = sum(one.tasks for one in of)
        return (sum(one.seconds for one in of) / tasks if tasks else None), tasks

    value, tasks = share(today - RECENT, today + datetime.timedelta(days=1))
    return Share(value=value, before=share(today - 2 * RECENT, today - RECENT)[0], of=tasks)
