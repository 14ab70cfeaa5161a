"""The outline of a project: those of its days that the page of all projects needs, read many times faster than a year.

These are the latest days, and of the days before them the few that decide since when something has been so: when
nothing remained any more, when something was last done, when a task last left a stage. `read_outline` refuses whatever
could change an earlier day, and then all days have to be read. So what is shown of an outline is what would be shown
of all days (``tests/history/test_outline.py``).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from airflow_provider_encord.history.counted import (
    Count,
    Point,
    date_of,
    final_stages,
    last_acted,
    last_left,
    measure_of,
    points,
    stage_counts,
)
from airflow_provider_encord.history.daily import Day, ProjectDays
from airflow_provider_encord.history.records import SCHEMA_VERSION, ActivitySeen, Record
from airflow_provider_encord.history.store import digest

LATEST = datetime.timedelta(days=90)
"""All days so shortly before the last one are in an outline."""
NEWS = datetime.timedelta(days=30)
"""A record may be so much older than the last day, and can still be added."""
_FORECAST = datetime.timedelta(days=57)  # what a forecast looks back, from the last count
_TREND = datetime.timedelta(days=14)  # what the trend of a stage looks back, from its last count
_FORM = "1"


class Outline(msgspec.Struct, kw_only=True):
    """The outline of a project, as a file.

    :param months: The names of the files that it is made of. If there are others, the outline is not used.
    :param made_on: The day on which it was made; it is not used on an earlier one.
    :param latest_from: The first day from which on every day is in it.
    :param project: The project, with some of its days.
    """

    months: Sequence[str]
    made_on: str
    latest_from: str
    project: ProjectDays
    schema_version: str = SCHEMA_VERSION


_DECODER, _ENCODER = msgspec.json.Decoder(Outline), msgspec.json.Encoder()


def outline_name(months: Sequence[str]) -> str:
    """The name of the outline of these files."""
    return f"outline-{digest(' '.join([SCHEMA_VERSION, _FORM, *sorted(months)]).encode())}.json"


def encode_outline(months: Sequence[str], whole: ProjectDays, today: datetime.date) -> bytes:
    """Make the outline of a project.

    :param months: The names of the files that `whole` is made of.
    :param today: The current day (UTC).
    """
    known = [name for name in sorted(whole.days) if name <= today.isoformat()]
    first = (date_of(known[-1]) - LATEST).isoformat() if known else ""
    needed = {name for name in whole.days if name >= first} | set(_earlier(whole, first, today))
    kept = {name: _without_time(whole.days[name]) for name in sorted(needed)}
    project = msgspec.structs.replace(whole, days=kept)
    return _ENCODER.encode(Outline(months=list(months), made_on=today.isoformat(), latest_from=first, project=project))


def _without_time(day: Day) -> Day:
    return Day(stages=day.stages, all_stages=day.all_stages, labels=day.labels, actions=day.actions)


def _earlier(whole: ProjectDays, first: str, today: datetime.date) -> Iterator[str]:
    """The days before the latest ones that decide something."""
    if not first:
        return
    counted = [point for point in points(whole)[1] if point.day <= today]
    yield from (point.day.isoformat() for point in _points_to_keep(counted, date_of(first)))
    for number, stage_id in enumerate(whole.stage_ids):
        counts = stage_counts(whole, stage_id, today)
        before = [count for count in counts if count.day < date_of(first)]
        yield from (count.day.isoformat() for count in _counts_to_keep(counts, before))
        ends = [date_of(first) - datetime.timedelta(days=1), *(count.day for count in before[-1:])]
        acted = (last_acted(whole, number, end) for end in ends)
        yield from (day.isoformat() for day in acted if day is not None)


def _points_to_keep(counted: Sequence[Point], first: datetime.date) -> Iterator[Point]:
    before = [point for point in counted if point.day < first]
    if not before:
        return
    yield from (before[0], before[-1])
    done = next((place for place in range(len(before), 0, -1) if before[place - 1].remaining > 0), 0)
    yield from before[max(done - 1, 0) : done + 1]  # since when nothing remains
    moved = [place for place in range(1, len(before)) if before[place].done > before[place - 1].done]
    yield from (before[place + step] for place in moved[-1:] for step in (-1, 0))
    start = counted[-1].day - _FORECAST
    inside = next((place for place, point in enumerate(before) if point.day >= start), len(before))
    yield from before[max(inside - 1, 0) :]


def _counts_to_keep(counts: Sequence[Count], before: Sequence[Count]) -> Iterator[Count]:
    """Of the counts of a stage: the first and the last one, when a task last left, and what the trend begins with."""
    if not before:
        return
    left = last_left(before)
    yield from (before[0], before[-1], *before[max(left - 1, 0) : left + 1])
    trend = [count for count in before if count.day <= counts[-1].day - _TREND]
    yield from trend[-1:]


def read_outline(
    content: bytes, months: Sequence[str], news: Iterable[Record], today: datetime.date
) -> ProjectDays | None:
    """Take the days of an outline, and add what is newer.

    :param months: The names of the files of months that are there.
    :param news: The records that are in other files.
    :return: None if all days have to be read.
    :raises Exception: One of `client.malformed.NOT_JSON`.
    """
    outline = _DECODER.decode(content)
    if sorted(outline.months) != sorted(months) or not outline.latest_from or today.isoformat() < outline.made_on:
        return None
    latest = (date_of(outline.latest_from) + LATEST - NEWS).isoformat()
    project = outline.project
    measured = measure_of(project), final_stages(project)
    for record in news:
        if record.day < latest or _first_day(record) < outline.latest_from:
            return None
        project.add(record)
    return project if (measure_of(project), final_stages(project)) == measured else None


def _first_day(record: Record) -> str:
    """The first day that it says something about."""
    return min(record.day, record.fact.start) if isinstance(record.fact, ActivitySeen) else record.day
