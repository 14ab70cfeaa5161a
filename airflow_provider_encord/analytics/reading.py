"""Reading the records of an interval. With consecutive intervals, each record belongs to exactly one of them.

Intervals include their start but not their end, whatever Encord's filters do with these times. Actions and logs have a
time. Time spent has a day (UTC). A day belongs to the interval that contains its start, and is read up to its end. So
intervals of time spent are extended or cut to midnight.

People can act while the records are read. New records shift the pages (see `pages.each_once`). Time spent of a day that
is not over can also change its place in the listing, so this day is read again until nothing changes.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import msgspec

from airflow_provider_encord.analytics.files import Table
from airflow_provider_encord.client.api.analytics import EditorLog, TaskAction, TimeSpent
from airflow_provider_encord.client.flows.activity import time_spent_key, windows
from airflow_provider_encord.client.resources.activity import Activity
from airflow_provider_encord.client.times import answered_time

TIME_SPENT = "time_spent"
TASK_ACTIONS = "task_actions"
EDITOR_LOGS = "editor_logs"
DAY = datetime.timedelta(days=1)
FIRST_DAY = datetime.datetime(2018, 1, 1, tzinfo=datetime.UTC)
"""A time before Encord existed; earlier days are not requested."""
_MOST_READINGS = 10

Interval = tuple[datetime.datetime, datetime.datetime]


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which records to read, with Encord's values. Empty fields do not filter.

    :param task_actions: Types of action on tasks.
    :param editor_actions: Actions in the editor, in lower case.
    """

    user_emails: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    data_hashes: tuple[str, ...] = ()
    task_actions: tuple[str, ...] = ()
    editor_actions: tuple[str, ...] = ()


class Kind(msgspec.Struct, frozen=True):
    """A kind of record: its reader and its table.

    :param read: Takes the project's activity, the selection, the interval, and the current time by Encord's clock.
    """

    table: Table
    read: Callable[[Activity, Selection, Interval, datetime.datetime], Iterator[Any]]


def midnight(moment: datetime.datetime) -> datetime.datetime:
    """The start of the day (UTC) that contains a time."""
    return moment.astimezone(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def next_midnight(moment: datetime.datetime) -> datetime.datetime:
    """The time itself if it is midnight (UTC), else the next midnight."""
    day = midnight(moment)
    return day if day == moment else day + DAY


def is_whole_days(interval: Interval) -> bool:
    """Whether an interval consists of whole days (UTC)."""
    return all(midnight(moment) == moment for moment in interval)


def days_of(interval: Interval) -> Interval:
    """The days (UTC) that start in an interval, as an interval."""
    return next_midnight(interval[0]), next_midnight(interval[1])


def known_part(interval: Interval, now: datetime.datetime) -> Interval | None:
    """An interval without its part before Encord existed and its part in the future; None if nothing remains."""
    start, end = max(interval[0], FIRST_DAY), min(interval[1], midnight(now) + 2 * DAY)
    return (start, end) if start < end else None


def _time_spent(
    activity: Activity, selection: Selection, interval: Interval, now: datetime.datetime
) -> Iterator[TimeSpent]:
    part = known_part(interval, now)
    if part is None:
        return
    first, last = days_of(part)
    running = min(max(first, midnight(now)), last)

    def read(start: datetime.datetime, end: datetime.datetime) -> Iterator[TimeSpent]:
        records = activity.time_spent(
            start,
            end,
            user_emails=selection.user_emails,
            stage_ids=selection.stages,
            data_hashes=selection.data_hashes,
        )
        return (
            record for record in records if start <= answered_time(record.period_start_time, "period_start_time") < end
        )

    if first < running:
        for start, end in windows(first, running):
            yield from read(start, end)
    if running < last:
        yield from _read_until_stable(lambda: read(running, last))


def _read_until_stable(read: Callable[[], Iterator[TimeSpent]]) -> list[TimeSpent]:
    """Read records that can change meanwhile, until nothing changes. Returns the latest version of each record."""
    found: dict[Hashable, TimeSpent] = {}
    for _ in range(_MOST_READINGS):
        before = len(found)
        counted: Counter[Hashable] = Counter()
        for record in read():
            key = time_spent_key(record)
            name = (key, counted[key])
            counted[key] += 1
            there = found.get(name)
            if there is None or there.time_spent_seconds < record.time_spent_seconds:
                found[name] = record
        if len(found) == before:
            break
    return list(found.values())


def _task_actions(
    activity: Activity, selection: Selection, interval: Interval, now: datetime.datetime
) -> Iterator[TaskAction]:
    part = known_part(interval, now)
    for start, end in windows(*part) if part else ():
        for record in activity.task_actions(
            start,
            end,
            user_emails=selection.user_emails,
            actions=selection.task_actions,
            stage_ids=selection.stages,
            data_hashes=selection.data_hashes,
        ):
            if start <= answered_time(record.timestamp, "timestamp") < end:
                yield record


def _editor_logs(
    activity: Activity, selection: Selection, interval: Interval, now: datetime.datetime
) -> Iterator[EditorLog]:
    """Read editor logs. Encord's filters take only one value, so several values, and actions, are filtered here."""
    filters = {
        "user_email": selection.user_emails,
        "stage": selection.stages,
        "data_hash": selection.data_hashes,
    }
    asked = {name: values[0] for name, values in filters.items() if len(values) == 1}
    part = known_part(interval, now)
    if part is None:
        return
    start, end = part
    for record in activity.editor_logs(start, end, **asked):
        wanted = (
            (selection.user_emails, record.actor_user_email),
            (selection.stages, record.workflow_stage_id),
            (selection.data_hashes, record.data_unit_id),
            (selection.editor_actions, record.action.lower()),
        )
        in_interval = start <= answered_time(record.timestamp, "timestamp") < end
        if in_interval and all(not values or value in values for values, value in wanted):
            yield record


KINDS: dict[str, Kind] = {
    TIME_SPENT: Kind(Table(TIME_SPENT, TimeSpent, times=("period_start_time", "period_end_time")), _time_spent),
    TASK_ACTIONS: Kind(Table(TASK_ACTIONS, TaskAction, times=("timestamp",)), _task_actions),
    EDITOR_LOGS: Kind(Table(EDITOR_LOGS, EditorLog, times=("timestamp",)), _editor_logs),
}
