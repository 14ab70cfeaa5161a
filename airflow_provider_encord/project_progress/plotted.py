"""The plots of a project, each with its numbers as a table. What is not known is not drawn; it is said instead."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from airflow_provider_encord.history.counted import Point
from airflow_provider_encord.plots import Curve, areas, columns, curves
from airflow_provider_encord.project_progress.progress import ProjectProgress

Numbers = TypeVar("Numbers")
_DAYS_OF_COLUMNS = 84
_WEEKS_IN_TABLE = 60


class Plotted(msgspec.Struct, frozen=True, kw_only=True):
    """A plot and its table.

    :param missing: Why it is not drawn; empty if it is.
    """

    title: str
    svg: list[str] = []
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    missing: str = ""


def plotted(progress: ProjectProgress) -> Iterator[Plotted]:
    """All plots of a page, in order."""
    yield _done(progress)
    yield _stages(progress)
    yield _throughput(progress)
    yield _rejection(progress)
    yield _time(progress)


def _done(progress: ProjectProgress) -> Plotted:
    title, counted, ended = "Done, and when it will be", progress.points, progress.forecast
    if len(counted) < 2:
        return Plotted(title=title, missing="It needs two counts of all tasks, on different days.")
    last = counted[-1]
    lines: dict[str, Curve] = {
        "done": [(point.day, point.done) for point in counted],
        "all": [(point.day, point.total) for point in counted],
    }
    band, dashed = [], []
    if ended.verdict == "forecast" and ended.date and ended.earliest:
        dashed = [(last.day, float(last.done)), (ended.date, float(last.total))]
        if ended.latest:
            band = [(last.day, float(last.done)), *((day, float(last.total)) for day in (ended.earliest, ended.latest))]
    words = f"{progress.noun.capitalize()} that are done, and all of them"
    svg = list(curves("done", words, lines, band=band, dashed=dashed))
    rows = [[str(point.day), str(point.done), str(point.total)] for point in _by_week(counted)]
    return Plotted(title=title, svg=svg, head=("Last count of a week", "done", "all"), rows=rows)


def _by_week(counted: Sequence[Point]) -> list[Point]:
    """The last of each week, the latest first."""
    found = {point.day.isocalendar()[:2]: point for point in counted}
    return list(reversed(found.values()))[:_WEEKS_IN_TABLE]


def _stages(progress: ProjectProgress) -> Plotted:
    title, days = "Tasks by stage over time", progress.stage_days
    if len(days) < 2:
        return Plotted(title=title, missing="It needs counts of all stages on two days.")
    series = progress.stage_series
    shown = {one.title: [float(tasks or 0) for tasks in one.tasks] for one in series}
    svg = list(areas("stages", "Tasks by stage", days, shown))
    weeks = {day.isocalendar()[:2]: number for number, day in enumerate(days)}
    numbers = list(reversed(weeks.values()))[:_WEEKS_IN_TABLE]
    rows = [[str(days[number]), *(str(one.tasks[number]) for one in series)] for number in numbers]
    return Plotted(title=title, svg=svg, head=("Last count of a week", *(one.title for one in series)), rows=rows)


def _throughput(progress: ProjectProgress) -> Plotted:
    title, steps = f"Done per day ({progress.noun})", progress.steps
    if not steps:
        return Plotted(title=title, missing="It needs two counts of all tasks, on different days.")
    shown = [(step.day, step.done) for step in steps[-_DAYS_OF_COLUMNS:]]
    svg = list(columns("throughput", f"What was done on each day since {shown[0][0]}", shown, progress.noun))
    weeks: dict[datetime.date, list[float]] = defaultdict(lambda: [0.0, 0.0, 0])
    for step in steps:
        week = weeks[_monday(step.day)]
        week[0], week[1], week[2] = week[0] + step.done, week[1] + step.added, week[2] + (not step.counted)
    rows = [
        [str(day), f"{done:.0f}", f"{added:.0f}", f"{guessed:.0f}"] for day, (done, added, guessed) in _latest(weeks)
    ]
    head = ("Week from", "done", "added", "days that are averages")
    return Plotted(title=title, svg=svg, head=head, rows=rows)


def _rejection(progress: ProjectProgress) -> Plotted:
    title = "Rejected reviews by week"
    weeks: dict[datetime.date, list[int]] = defaultdict(lambda: [0, 0])
    for one in progress.reviews:
        week = weeks[_monday(one.day)]
        week[0], week[1] = week[0] + one.rejected, week[1] + one.reviewed
    curve = [(day, rejected / reviewed) for day, (rejected, reviewed) in sorted(weeks.items()) if reviewed]
    if not curve:
        return Plotted(title=title, missing=_without("reviews"))
    svg = list(curves("rejection", "Share of reviews that rejected a task", {"rejected": curve}, percent=True))
    rows = [
        [str(day), str(rejected), str(reviewed), f"{rejected / reviewed:.1%}" if reviewed else ""]
        for day, (rejected, reviewed) in _latest(weeks)
    ]
    return Plotted(title=title, svg=svg, head=("Week from", "rejected", "reviews", "share"), rows=rows)


def _time(progress: ProjectProgress) -> Plotted:
    title = "Minutes per task by week"
    weeks: dict[datetime.date, list[int]] = defaultdict(lambda: [0, 0])
    for one in progress.time_spent:
        week = weeks[_monday(one.day)]
        week[0], week[1] = week[0] + one.seconds, week[1] + one.tasks
    curve = [(day, seconds / tasks / 60) for day, (seconds, tasks) in sorted(weeks.items()) if tasks]
    if not curve:
        return Plotted(title=title, missing=_without("time spent"))
    svg = list(curves("time", "Minutes that were spent on a task in a stage and a day", {"minutes": curve}))
    rows = [
        [str(day), f"{seconds / 3600:.1f}", str(tasks), f"{seconds / tasks / 60:.1f}" if tasks else ""]
        for day, (seconds, tasks) in _latest(weeks)
    ]
    return Plotted(title=title, svg=svg, head=("Week from", "hours", "tasks", "minutes per task"), rows=rows)


def _without(what: str) -> str:
    return f"The history has no {what}. EncordExportAnalyticsOperator adds them each time that it exports a whole day."


def _monday(day: datetime.date) -> datetime.date:
    return day - datetime.timedelta(days=day.weekday())


def _latest(weeks: dict[datetime.date, Numbers]) -> list[tuple[datetime.date, Numbers]]:
    return sorted(weeks.items(), key=lambda item: item[0], reverse=True)[:_WEEKS_IN_TABLE]
