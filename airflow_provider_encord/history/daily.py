"""A project day by day (UTC): what remains of its records for plots, forecasts and reports.

Records may be added in any order, also those of a day that is long over: of each thing, the latest of a day counts. So
a summary of the past can be kept, and newer records are added to it. Stages have numbers in it, and most values are
arrays, because a year of 200 projects is to be read within a second.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from airflow_provider_encord.history.records import (
    SCHEMA_VERSION,
    ActivityOfDay,
    ActivitySeen,
    Event,
    LabelsSeen,
    ProjectSeen,
    Record,
    StageCount,
    StagesSeen,
    Task,
)
from airflow_provider_encord.history.store import digest

_MOST_DAYS_OF_ACTIVITY = 3660  # of one record


class StageAt(msgspec.Struct, kw_only=True, array_like=True):
    """The tasks in one stage, when they were last counted in a day."""

    at: str
    tasks: int
    oldest_since: str | None = None


class AllStagesAt(msgspec.Struct, kw_only=True, array_like=True):
    """The tasks in all stages, when they were last counted in a day; stages that are left out had none."""

    at: str
    tasks: dict[int, int]


class LabelsAt(msgspec.Struct, kw_only=True, array_like=True):
    """The label rows, when they were last counted in a day."""

    at: str
    rows: int
    labelled: int


class Actions(msgspec.Struct, kw_only=True, array_like=True):
    """What people did in a stage in a day."""

    submitted: int = 0
    approved: int = 0
    rejected: int = 0


class TimeSpentAt(msgspec.Struct, kw_only=True, array_like=True):
    """Time that people spent in a stage in a day."""

    seconds: int = 0
    tasks: int = 0


class ActionsAt(msgspec.Struct, kw_only=True, array_like=True):
    """What people did in a day, as it was last read; by stage."""

    at: str
    stages: dict[int, Actions]


class TimeAt(msgspec.Struct, kw_only=True, array_like=True):
    """Time that people spent in a day, as it was last read; by stage."""

    at: str
    stages: dict[int, TimeSpentAt]


class Day(msgspec.Struct, kw_only=True, array_like=True):
    """What is known of a day; None and nothing where nothing is known."""

    stages: dict[int, StageAt] = {}
    all_stages: AllStagesAt | None = None
    labels: LabelsAt | None = None
    actions: ActionsAt | None = None
    time: TimeAt | None = None


class LastEvent(msgspec.Struct, kw_only=True):
    """The last export, gate, ... of a project."""

    at: str
    outcome: str
    counts: dict[str, int | float]
    uri: str | None
    task: Task | None


class ProjectAt(msgspec.Struct, kw_only=True):
    """The project itself, when it was last read."""

    at: str
    seen: ProjectSeen


class ProjectDays(msgspec.Struct, kw_only=True):
    """A project day by day.

    :param last_at: Time of the latest one.
    :param dag_ids: The DAGs whose tasks learned it.
    :param stage_ids: The ids of all stages. In the maps of days, a stage is its place in this list.
    :param titles: The titles of these stages, each with the time when it was seen.
    """

    last_at: str | None = None
    project: ProjectAt | None = None
    dag_ids: list[str] = []
    stage_ids: list[str] = []
    titles: list[tuple[str, str]] = []
    days: dict[str, Day] = {}
    events: dict[str, LastEvent] = {}

    def add(self, record: Record) -> None:
        """Add a record."""
        self.last_at = max(self.last_at or "", record.at)
        if record.task and record.task.dag_id not in self.dag_ids:
            self.dag_ids.append(record.task.dag_id)
        match record.fact:
            case ProjectSeen() as seen:
                self._add_project(record.at, seen)
            case StagesSeen() as counted:
                self._add_stages(record, counted)
            case LabelsSeen() as labels:
                day = self._day(record.day)
                if day.labels is None or day.labels.at <= record.at:
                    day.labels = LabelsAt(at=record.at, rows=labels.rows, labelled=labels.labelled)
            case ActivitySeen() as activity:
                self._add_activity(record.at, activity)
            case Event() as event:
                self._add_event(record, event)

    def _day(self, day: str) -> Day:
        return self.days.setdefault(day, Day())

    def number(self, stage_id: str) -> int:
        """The place of a stage in `stage_ids`."""
        if stage_id not in self.stage_ids:
            self.stage_ids.append(stage_id)
            self.titles.append(("", ""))
        return self.stage_ids.index(stage_id)

    def _name(self, at: str, stage_id: str, title: str) -> None:
        number = self.number(stage_id)
        if self.titles[number][0] <= at:
            self.titles[number] = (at, title)

    def _add_project(self, at: str, seen: ProjectSeen) -> None:
        for stage in seen.stages:
            self._name(at, stage.stage_id, stage.title)
        if self.project is None or self.project.at <= at:
            self.project = ProjectAt(at=at, seen=seen)

    def _add_stages(self, record: Record, counted: StagesSeen) -> None:
        day, at = self._day(record.day), record.at
        for stage in counted.stages:
            self._name(at, stage.stage_id, stage.title)
            if not counted.whole or stage.oldest_since:
                self._add_stage(day, at, stage)
        if counted.whole and (day.all_stages is None or day.all_stages.at <= at):
            tasks = {self.number(stage.stage_id): stage.tasks for stage in counted.stages}
            day.all_stages = AllStagesAt(at=at, tasks=tasks)

    def _add_stage(self, day: Day, at: str, stage: StageCount) -> None:
        number = self.number(stage.stage_id)
        known = day.stages.get(number)
        if known is None or known.at <= at:
            day.stages[number] = StageAt(at=at, tasks=stage.tasks, oldest_since=stage.oldest_since)

    def _add_activity(self, at: str, seen: ActivitySeen) -> None:
        found = defaultdict(list)
        for one in seen.days:
            found[one.day].append(one)
        for name in _days_between(seen.start, seen.end):
            day = self._day(name)
            if seen.actions and (day.actions is None or day.actions.at <= at):
                day.actions = ActionsAt(at=at, stages=self._actions(found[name]))
            if seen.time_spent and (day.time is None or day.time.at <= at):
                day.time = TimeAt(at=at, stages=self._time(found[name]))

    def _actions(self, activity: Iterable[ActivityOfDay]) -> dict[int, Actions]:
        return {
            self.number(one.stage_id): Actions(
                submitted=one.submitted, approved=one.approved or 0, rejected=one.rejected or 0
            )
            for one in activity
            if one.submitted is not None
        }

    def _time(self, activity: Iterable[ActivityOfDay]) -> dict[int, TimeSpentAt]:
        return {
            self.number(one.stage_id): TimeSpentAt(seconds=one.seconds, tasks=one.timed_tasks or 0)
            for one in activity
            if one.seconds is not None
        }

    def _add_event(self, record: Record, event: Event) -> None:
        last = self.events.get(event.event)
        if last is None or last.at <= record.at:
            self.events[event.event] = LastEvent(
                at=record.at, outcome=event.outcome, counts=event.counts, uri=event.uri, task=record.task
            )


def _days_between(start: str, end: str) -> list[str]:
    """The days from one to another, which is not included."""
    first = datetime.date.fromisoformat(start)
    length = min((datetime.date.fromisoformat(end) - first).days, _MOST_DAYS_OF_ACTIVITY)
    return [(first + datetime.timedelta(days=number)).isoformat() for number in range(length)]


def summary_of(records: Iterable[Record]) -> ProjectDays:
    """A project, from all its records."""
    project = ProjectDays()
    for record in records:
        project.add(record)
    return project


class Summary(msgspec.Struct, kw_only=True):
    """A project as the files of its months have it.

    :param months: The names of these files. If there are others, the summary is not used.
    """

    months: Sequence[str]
    project: ProjectDays
    schema_version: str = SCHEMA_VERSION


_DECODER, _ENCODER = msgspec.json.Decoder(Summary), msgspec.json.Encoder()


def summary_name(months: Sequence[str]) -> str:
    """The name of the summary of these files: equal files have an equal one, unless the version differs."""
    return f"summary-{digest(' '.join([SCHEMA_VERSION, *sorted(months)]).encode())}.json"


def encode_summary(summary: Summary) -> bytes:
    """Encode a summary; equal ones have equal bytes."""
    return _ENCODER.encode(summary)


def decode_summary(content: bytes) -> Summary:
    """Decode a summary.

    :raises Exception: One of `client.malformed.NOT_JSON`.
    """
    return _DECODER.decode(content)
