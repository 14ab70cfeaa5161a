"""What people did and how long it took them, out of Encord into files, for an interval of time.

Intervals are half-open: a record belongs to the interval that its time is in, the beginning included and the end not,
whatever Encord's own filters do at their edges. So intervals that follow each other have every record once.

Surprise: time spent comes by user, task and day. It belongs to the interval that the beginning of its day is in, and
the day that is going on still grows; so ask for whole days, when they are over.
"""

from __future__ import annotations

import datetime
import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from airflow_provider_encord import __version__
from airflow_provider_encord.client.api.analytics import EditorLog, TaskAction, TimeSpent
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidRequestError
from airflow_provider_encord.client.resources.activity import Activity, windows
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.export.analytics_files import Table, write_table
from airflow_provider_encord.export.directory import ExportDirectory
from airflow_provider_encord.export.manifest import FileRecord, ManifestError, encode_manifest
from airflow_provider_encord.storage_paths import StoragePath

log = logging.getLogger(__name__)

TIME_SPENT = "time_spent"
TASK_ACTIONS = "task_actions"
EDITOR_LOGS = "editor_logs"
SCHEMA_VERSION = "1.1"


class AnalyticsFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Whose records, and of what; empty does not restrict.

    :param user_emails: Of these users.
    :param stages: In these workflow stages, by id.
    :param data_hashes: On these data units.
    :param actions: Of these actions; not of time spent.
    """

    user_emails: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    data_hashes: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()


class AnalyticsQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted.

    :param what: Of `KINDS`.
    :param start: ISO 8601, UTC; so `end`, which is not included.
    :param format: Of `analytics_files.FORMATS`.
    """

    project: str
    what: tuple[str, ...]
    start: str
    end: str
    format: str
    filters: AnalyticsFilters = AnalyticsFilters()


class AnalyticsManifest(msgspec.Struct, frozen=True, kw_only=True):
    """``manifest.json`` of such an export; written last.

    :param what: ``"analytics"``.
    :param taken_at: When it was begun; ISO 8601, UTC. What is taken before the interval is over is not all.
    :param records: How many of each kind.
    :param files: In order.
    :param plan: Id of the export; in the names of its files. Null before version 1.1.
    :param replaces: Ids of exports that were in the directory before.
    """

    schema_version: str
    what: str
    taken_at: str
    library_version: str
    host: str
    question: AnalyticsQuestion
    records: dict[str, int]
    files: list[FileRecord]
    plan: str | None = None
    replaces: Sequence[str] = ()

    @property
    def file_names(self) -> list[str]:
        """The files beside the manifest."""
        return [one.name for one in self.files]

    @property
    def is_final(self) -> bool:
        """Whether the interval was over."""
        return parse_time(self.taken_at) >= parse_time(self.question.end)


_MANIFEST = msgspec.json.Decoder(AnalyticsManifest)
Moments = tuple[datetime.datetime, datetime.datetime]


def export_analytics(
    client: EncordClient,
    question: AnalyticsQuestion,
    destination: StoragePath,
    *,
    overwrite: bool = False,
    now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
) -> AnalyticsManifest:
    """Export what happened in an interval. Only reads; page by page.

    What is there of the same question and whole stays, unless it was taken before the interval was over. What a killed
    try left is made anew.

    :param destination: A directory of its own.
    :param overwrite: Make it anew in any case.
    :raises InvalidRequestError: The destination holds something else.
    :raises ReplacedError: Another export took the destination meanwhile.
    :raises EncordError: Encord refused, or was not reached; there is no manifest then.
    """
    directory = ExportDirectory(destination, _decode)
    there = _whole(directory, question)
    if there and there.is_final and not overwrite:
        log.info("The export of %s to %s in %s is whole.", question.start, question.end, destination)
        return there
    taken_at, plan = now(), str(uuid.uuid4())
    claim = directory.take(plan)
    files, records = [], {}
    for kind in question.what:
        written = write_table(directory, plan, KINDS[kind].table, question.format, KINDS[kind].read(client, question))
        records[kind] = sum(one.rows for one in written)
        files += written
        log.info("%d records of %s.", records[kind], kind)
    manifest = AnalyticsManifest(
        schema_version=SCHEMA_VERSION,
        what="analytics",
        taken_at=taken_at.isoformat(),
        library_version=__version__,
        host=client.settings.host,
        question=question,
        records=records,
        files=files,
        plan=plan,
        replaces=claim.replaces,
    )
    directory.publish(plan, encode_manifest(manifest))
    directory.finish(plan, keep=lambda: manifest.file_names)
    return manifest


def _decode(content: bytes, title: str) -> AnalyticsManifest:
    try:
        return _MANIFEST.decode(content)
    except msgspec.DecodeError as error:
        raise ManifestError(f"{title} is not the manifest of an export of analytics: {error}.") from None


def _whole(directory: ExportDirectory[AnalyticsManifest], question: AnalyticsQuestion) -> AnalyticsManifest | None:
    """The export that is there.

    :raises InvalidRequestError: It is of something else.
    """
    manifest = directory.require_ours()
    if manifest is not None and manifest.question != question:
        raise InvalidRequestError(
            f"destination: {directory.path} holds another export. Give each interval, project and question a directory "
            "of its own, such as one that ends with {{ ds }}, or empty this one."
        )
    return manifest


class _Kind(msgspec.Struct, frozen=True):
    """A kind of record: how it is read, and its table."""

    table: Table
    read: Callable[[EncordClient, AnalyticsQuestion], Iterator[Any]]


def _in_windows(
    time_of: Callable[[Any], str], read: Callable[[Activity, AnalyticsFilters, Moments], Iterator[Any]]
) -> Callable[[EncordClient, AnalyticsQuestion], Iterator[Any]]:
    """Read an interval in windows, and of each only what is in it, its end not included."""

    def of(client: EncordClient, question: AnalyticsQuestion) -> Iterator[Any]:
        activity = client.project(question.project).activity
        for start, end in windows(parse_time(question.start), parse_time(question.end)):
            for record in read(activity, question.filters, (start, end)):
                if start <= parse_time(time_of(record)) < end:
                    yield record

    return of


def _time_spent(activity: Activity, filters: AnalyticsFilters, interval: Moments) -> Iterator[TimeSpent]:
    start, end = interval
    day = start.astimezone(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return activity.time_spent(
        day, end, user_emails=filters.user_emails, stages=filters.stages, data_hashes=filters.data_hashes
    )


def _task_actions(activity: Activity, filters: AnalyticsFilters, interval: Moments) -> Iterator[TaskAction]:
    return activity.task_actions(
        *interval,
        user_emails=filters.user_emails,
        actions=filters.actions,
        stages=filters.stages,
        data_hashes=filters.data_hashes,
    )


def _editor_logs(activity: Activity, filters: AnalyticsFilters, interval: Moments) -> Iterator[EditorLog]:
    """Encord's filters take one of each; with several, the rest is chosen here."""
    asked = {
        name: values[0]
        for name, values in {
            "user_email": filters.user_emails,
            "stage": filters.stages,
            "data_hash": filters.data_hashes,
            "action": filters.actions,
        }.items()
        if len(values) == 1
    }
    for record in activity.editor_logs(*interval, **asked):
        wanted = (
            (filters.user_emails, record.actor_user_email),
            (filters.stages, record.workflow_stage_id),
            (filters.data_hashes, record.data_unit_id),
            (filters.actions, record.action),
        )
        if all(not values or value in values for values, value in wanted):
            yield record


KINDS: dict[str, _Kind] = {
    TIME_SPENT: _Kind(
        Table(TIME_SPENT, TimeSpent, times=("period_start_time", "period_end_time")),
        _in_windows(lambda one: one.period_start_time, _time_spent),
    ),
    TASK_ACTIONS: _Kind(
        Table(TASK_ACTIONS, TaskAction, times=("timestamp",)),
        _in_windows(lambda one: one.timestamp, _task_actions),
    ),
    EDITOR_LOGS: _Kind(
        Table(EDITOR_LOGS, EditorLog, times=("timestamp",)), _in_windows(lambda one: one.timestamp, _editor_logs)
    ),
}
