"""The records of a history: one thing that a task learned about a project, as a line of JSON.

Readers check `schema_version` first. The part before the dot grows when old readers would misread a record; they report
such records and do not use them. The part after the dot grows when there are only new fields, which old readers skip.
A record has no e-mail addresses and no content of labels, only counts, titles of stages, and URIs of what was written.
"""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec

from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.client.times import parse_time

SCHEMA_VERSION = "1.0"
_MAJOR = SCHEMA_VERSION.partition(".")[0]
EVENTS = ("export", "import", "snapshot", "gate", "analytics", "tasks", "agent")
"""What tasks do, in the order in which a report shows it."""


class StageCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many tasks were in a stage.

    :param oldest_since: Since when one of them has been there, as far as a wait has seen it; ISO 8601, UTC.
    """

    stage_id: str
    title: str
    tasks: int
    oldest_since: str | None = None


class StageType(msgspec.Struct, frozen=True, kw_only=True):
    """A stage of a workflow.

    :param stage_type: ``ANNOTATION``, ``REVIEW``, ``DONE``, ..., or a newer value.
    """

    stage_id: str
    title: str
    stage_type: str


class ProjectSeen(msgspec.Struct, frozen=True, kw_only=True, tag="project"):
    """The project itself.

    :param stages: The stages of its workflow, in its order.
    :param host: Host of the API, from which the address of the web app follows.
    :param web_app: The address of the web app, if the connection named it.
    """

    title: str
    status: str | None = None
    stages: list[StageType] = []
    host: str | None = None
    web_app: str | None = None


class StagesSeen(msgspec.Struct, frozen=True, kw_only=True, tag="stages"):
    """The tasks in stages at one moment.

    :param whole: Whether these are all tasks of the project. If not, the other stages are not known.
    """

    stages: list[StageCount]
    whole: bool


class LabelsSeen(msgspec.Struct, frozen=True, kw_only=True, tag="labels"):
    """The label rows of the main branch at one moment.

    :param labelled: Rows that have labels.
    """

    rows: int
    labelled: int


class ActivityOfDay(msgspec.Struct, frozen=True, kw_only=True):
    """What people did in a stage in one day (UTC).

    :param stage_id: Empty if Encord does not say which stage.
    :param seconds: Time spent; None if it was not read.
    :param timed_tasks: Number of tasks that have time spent.
    :param submitted: Actions of this type; None if actions were not read.
    """

    day: str
    stage_id: str = ""
    submitted: int | None = None
    approved: int | None = None
    rejected: int | None = None
    seconds: int | None = None
    timed_tasks: int | None = None


class ActivitySeen(msgspec.Struct, frozen=True, kw_only=True, tag="activity"):
    """What people did in an interval of whole days. A later record about the same days replaces it.

    :param start: First day of the interval.
    :param end: The day after the last one.
    :param actions: Whether actions on tasks were read.
    :param time_spent: Whether time spent was read.
    :param final: Whether no more records of the interval are to be expected.
    """

    start: str
    end: str
    actions: bool
    time_spent: bool
    final: bool
    days: list[ActivityOfDay]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag="event"):
    """Something that a task did.

    :param event: One of `EVENTS`, or a newer value.
    :param outcome: A word for how it ended, such as ``passed``.
    :param counts: Small numbers.
    :param uri: The manifest, report or page that was written.
    """

    event: str
    outcome: str
    counts: dict[str, int | float] = {}
    uri: str | None = None


Fact: TypeAlias = ProjectSeen | StagesSeen | LabelsSeen | ActivitySeen | Event


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """The task instance that learned something, by which Airflow's page about it is found."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the history.

    :param id: Random; of several records with one id, one is used.
    :param at: When it was true; ISO 8601, UTC.
    :param task: None outside of Airflow.
    """

    schema_version: str
    id: str
    project_id: str
    at: str
    fact: Fact
    task: Task | None = None

    @property
    def order(self) -> tuple[str, str]:
        """The place of the record in a history."""
        return self.at, self.id

    @property
    def day(self) -> str:
        """The day (UTC) that it belongs to, as ``2026-11-30``."""
        return self.at[:10]


class UnreadableRecordError(EncordError):
    """A line is not a record, or a newer version of this package wrote it.

    :param newer: Whether its schema is newer than this version can read.
    """

    def __init__(self, message: str, *, newer: bool = False):
        super().__init__(message)
        self.newer = newer


class _Head(msgspec.Struct):
    schema_version: str


_HEAD, _RECORD = msgspec.json.Decoder(_Head), msgspec.json.Decoder(Record)
_ENCODER = msgspec.json.Encoder()


def utc_text(moment: datetime.datetime) -> str:
    """Write a time as records have it: UTC, with microseconds, so that texts sort as times do."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="microseconds")


def record_of(project_id: str, fact: Fact, moment: datetime.datetime, task: Task | None = None) -> Record:
    """Make a record, with a new id."""
    return Record(
        schema_version=SCHEMA_VERSION,
        id=secrets.token_hex(8),
        project_id=project_id,
        at=utc_text(moment),
        fact=fact,
        task=task,
    )


def encode(records: Iterable[Record]) -> bytes:
    """Encode records, one line each."""
    return b"".join(_ENCODER.encode(record) + b"\n" for record in records)


def decode(line: bytes, project_id: str) -> Record:
    """Decode a line.

    :param project_id: The project whose history it is in.
    :raises UnreadableRecordError: It cannot be used.
    """
    try:
        version = _HEAD.decode(line).schema_version
    except NOT_JSON:
        raise UnreadableRecordError("it is not a record of a history") from None
    major = version.partition(".")[0]
    if major != _MAJOR:
        newer = major.isdigit() and int(major) > int(_MAJOR)
        raise UnreadableRecordError(f"it has the schema version {version[:20]!r}", newer=newer)
    try:
        record = _RECORD.decode(line)
        _require_sound(record, project_id)
    except (*NOT_JSON, ValueError, TypeError, IndexError, OverflowError) as error:
        raise UnreadableRecordError(f"it is not a record of version {version[:20]}: {str(error)[:200]}") from None
    return record


def _require_sound(record: Record, project_id: str) -> None:
    """:raises ValueError: A value is impossible."""
    if record.project_id != project_id:
        raise ValueError(f"it is about another project, {record.project_id[:40]}")
    moment = parse_time(record.at)
    if record.at != utc_text(moment):
        raise ValueError(f"`at` is {record.at[:40]!r}, not a time in UTC with microseconds")
    if any(number < 0 for number in _counts(record.fact)):
        raise ValueError("a count is negative")
    if isinstance(record.fact, ActivitySeen):
        days = [record.fact.start, record.fact.end, *(one.day for one in record.fact.days)]
        if any(datetime.date.fromisoformat(day).isoformat() != day for day in days):
            raise ValueError("a day is not written as 2026-11-30")
    if isinstance(record.fact, LabelsSeen) and record.fact.labelled > record.fact.rows:
        raise ValueError("more rows are labelled than there are rows")


def _counts(fact: Fact) -> list[Any]:
    match fact:
        case StagesSeen():
            return [stage.tasks for stage in fact.stages]
        case LabelsSeen():
            return [fact.rows, fact.labelled]
        case ActivitySeen():
            fields = ("submitted", "approved", "rejected", "seconds", "timed_tasks")
            return [number for day in fact.days for name in fields if (number := getattr(day, name)) is not None]
    return []
