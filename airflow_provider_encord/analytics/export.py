"""Exporting analytics (actions, editor logs, time spent) of an interval of time to files.

`analytics_reading` decides which records belong to an interval. Records reach Encord with a delay. So an export is
final only if it was started some time after the end of its interval, by Encord's clock.
"""

from __future__ import annotations

import datetime
import logging
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from airflow_provider_encord import __version__
from airflow_provider_encord.analytics.files import write_table
from airflow_provider_encord.analytics.progress import RecordProgress
from airflow_provider_encord.analytics.reading import (
    KINDS,
    TIME_SPENT,
    Interval,
    Kind,
    days_of,
    is_whole_days,
    known_part,
    midnight,
)
from airflow_provider_encord.analytics.selection import known_selection
from airflow_provider_encord.attempts import fingerprint
from airflow_provider_encord.client.api.analytics import list_task_actions
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError, UnavailableError
from airflow_provider_encord.client.identifiers import require_emails, require_ids
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.defaults import SETTLE_SECONDS
from airflow_provider_encord.exports.directory import ExportDirectory, ReplacedError
from airflow_provider_encord.exports.file_names import MANIFEST
from airflow_provider_encord.exports.formats import require_format
from airflow_provider_encord.exports.manifest import FileRecord, ManifestError, encode_manifest, require_readable
from airflow_provider_encord.history.activity import ActivityTally as ActivityTally
from airflow_provider_encord.storage_paths import StoragePath

log = logging.getLogger(__name__)

SCHEMA_VERSION = "1.0"
ANALYTICS: Literal["analytics"] = "analytics"
_MOST_TRIES = 3


class AnalyticsFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which records to export. Empty fields do not filter.

    :param user_emails: Only records of these users.
    :param stage_ids: Only records in these workflow stages.
    :param data_hashes: Only records about these data units.
    :param actions: Only these actions; not for time spent. ``submit`` is ``submit_task`` in the editor logs.
    """

    user_emails: tuple[str, ...] = ()
    stage_ids: tuple[str, ...] = ()
    data_hashes: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether records are left out."""
        return any(getattr(self, name) for name in self.__struct_fields__)


class AnalyticsSelection(msgspec.Struct, frozen=True, kw_only=True):
    """What to export.

    :param record_types: Values of `analytics_reading.KINDS`.
    :param start: Start of the interval; ISO 8601, UTC.
    :param end: End of the interval, which is not part of it; ISO 8601, UTC.
    :param format: One of `analytics_files.FORMATS`.
    """

    project_id: str
    record_types: tuple[str, ...]
    start: str
    end: str
    format: str
    filters: AnalyticsFilters = AnalyticsFilters()

    @property
    def interval(self) -> Interval:
        """Start and end."""
        return parse_time(self.start), parse_time(self.end)

    def fingerprint(self, host: str) -> str:
        """A hash of everything that decides which records are in which files.

        :param host: Host of the API.
        """
        return fingerprint(host=host, selection=msgspec.to_builtins(self))


class AnalyticsManifest(msgspec.Struct, frozen=True, kw_only=True):
    """``manifest.json`` of an export of analytics. It is written last.

    :param kind: `ANALYTICS`.
    :param taken_at: When the export was started, by Encord's clock; ISO 8601, UTC.
    :param records: Number of records by kind.
    :param files: The files in order.
    :param plan_id: Id of the export, which is part of the names of its files.
    :param replaces: Ids of exports that were in the directory before.
    """

    schema_version: str
    kind: Literal["analytics"]
    taken_at: str
    provider_version: str
    host: str
    selection: AnalyticsSelection
    records: dict[str, int]
    files: list[FileRecord]
    plan_id: str
    replaces: Sequence[str]

    @property
    def fingerprint(self) -> str:
        """A hash that identifies what was exported."""
        return self.selection.fingerprint(self.host)

    @property
    def file_names(self) -> list[str]:
        """The names of the other files of the export."""
        return [file.name for file in self.files]

    def is_final(self, settle_seconds: float) -> bool:
        """Whether it should contain all records: it was started at least this long after the end of its interval.

        Time spent is complete when the last day (UTC) of the interval is over.
        """
        return self._would_be_final(parse_time(self.taken_at), settle_seconds)

    def is_as_final(self, moment: datetime.datetime, settle_seconds: float) -> bool:
        """Whether it is final, or an export that starts at the given time would not be final either."""
        return self.is_final(settle_seconds) or not self._would_be_final(moment, settle_seconds)

    def _would_be_final(self, begun: datetime.datetime, settle_seconds: float) -> bool:
        latest = begun - datetime.timedelta(seconds=settle_seconds)
        if TIME_SPENT in self.selection.record_types:
            latest = midnight(latest)
        return latest >= self.selection.interval[1]

    def summary(self, directory: StoragePath, settle_seconds: float) -> dict[str, Any]:
        """What was exported, as small JSON.

        :param directory: The directory of the export.
        :param settle_seconds: See `is_final`.
        """
        return {
            "project_id": self.selection.project_id,
            "start": self.selection.start,
            "end": self.selection.end,
            "records": self.records,
            "final": self.is_final(settle_seconds),
            "manifest": str(directory / MANIFEST),
        }


_MANIFEST = msgspec.json.Decoder(AnalyticsManifest)


def select_records(
    client: EncordClient,
    project_id: str | None,
    *,
    record_types: Sequence[str],
    interval: Interval,
    format: str,  # noqa: A002 - the word for it
    user_emails: Sequence[str],
    stage_ids: Sequence[str],
    data_hashes: Sequence[str],
    actions: Sequence[str],
) -> AnalyticsSelection:
    """Check what to export, as far as that needs no request.

    :raises InvalidArgumentError: The interval is empty, the format cannot be written, or a filter is not valid.
    """
    require_format(format)
    start, end = interval
    if start >= end:
        raise InvalidArgumentError(
            f"start, end: the interval from {start} to {end} is empty. If it is the data interval of the run, "
            "do not pass start and end (with Airflow 3's default timetable, data intervals are empty), or use "
            "CronDataIntervalTimetable."
        )
    project = client.project(project_id).id
    if actions and TIME_SPENT in record_types:
        raise InvalidArgumentError(
            "actions: this filter does not work for time_spent, which has no actions. Remove `actions`, or remove "
            "time_spent from `record_types`."
        )
    return AnalyticsSelection(
        project_id=project,
        record_types=tuple(dict.fromkeys(record_types)),
        start=start.isoformat(),
        end=end.isoformat(),
        format=format,
        filters=AnalyticsFilters(
            user_emails=tuple(require_emails(user_emails, "user_emails")),
            stage_ids=tuple(require_ids(stage_ids, "stage_ids")),
            data_hashes=tuple(require_ids(data_hashes, "data_hashes")),
            actions=tuple(actions),
        ),
    )


def export_analytics(
    client: EncordClient,
    selection: AnalyticsSelection,
    destination: StoragePath,
    *,
    overwrite: bool = False,
    settle_seconds: float = SETTLE_SECONDS,
    tally: ActivityTally | None = None,
) -> AnalyticsManifest:
    """Export the records of an interval. Reads page by page and changes nothing at Encord.

    A complete and final export of the same selection is kept. Otherwise the export is made again.

    :param destination: Directory that contains only this export.
    :param overwrite: Make the export again in any case.
    :param settle_seconds: Seconds after the end of the interval during which records may still arrive.
    :param tally: Counts what is read; nothing if an export that is there is kept.
    :raises InvalidArgumentError: The destination contains something else, a value of a filter does not exist, or the
        interval cannot be exported yet.
    :raises ReplacedError: A different export has taken the destination meanwhile.
    :raises UnavailableError: Another attempt at the same export has taken the destination several times.
    :raises EncordError: Encord refused a request, or cannot be reached. There is no manifest then.
    """
    directory = ExportDirectory(destination, _decode)
    before = _whole(directory, selection)
    if before and before.is_final(settle_seconds) and not overwrite:
        log.info("The export from %s to %s in %s is complete; keeping it.", selection.start, selection.end, destination)
        directory.tidy()
        return before
    for _ in range(_MOST_TRIES):
        try:
            manifest = _export(client, selection, directory, before, settle_seconds, tally)
            break
        except ReplacedError:
            if not directory.is_shared(selection.fingerprint(client.settings.host)):
                raise
            log.info("Another attempt at the same export uses %s.", destination)
    else:
        raise UnavailableError(
            f"destination: another attempt at this task exports to {destination} at the same time, and has replaced "
            f"this attempt {_MOST_TRIES} times. Run only one attempt at a time. A retry uses the export of the other "
            "attempt."
        )
    if not manifest.is_final(settle_seconds):
        log.info(
            "Records of this interval may still arrive. To export them, clear this task %.0f s after the end or later.",
            settle_seconds,
        )
    return manifest


def _export(
    client: EncordClient,
    selection: AnalyticsSelection,
    directory: ExportDirectory[AnalyticsManifest],
    before: AnalyticsManifest | None,
    settle_seconds: float,
    tally: ActivityTally | None,
) -> AnalyticsManifest:
    """Export, unless another attempt has completed the same export.

    :param before: The complete export that existed when this attempt started.
    :raises ReplacedError: Another export took the directory.
    """
    client.require_possible(list_task_actions(selection.project_id, after=selection.start, before=selection.end))
    project = client.project(selection.project_id).get()
    taken_at, plan = client.encord_time(), str(uuid.uuid4())
    _require_possible(selection, taken_at)
    filters = selection.filters
    known = known_selection(
        client,
        project,
        selection.record_types,
        interval=selection.interval,
        user_emails=filters.user_emails,
        stages=filters.stage_ids,
        data_hashes=filters.data_hashes,
        actions=filters.actions,
    )
    there = _whole(directory, selection)
    if there and (before is None or there.plan_id != before.plan_id) and there.is_as_final(taken_at, settle_seconds):
        log.info(
            "Another attempt has exported the records from %s to %s in %s.",
            selection.start,
            selection.end,
            directory.path,
        )
        directory.tidy()
        return there
    claim = directory.take(plan, selection.fingerprint(client.settings.host))
    files: list[FileRecord] = []
    records: dict[str, int] = {}
    activity = client.project(selection.project_id).activity
    for kind in selection.record_types:
        read = KINDS[kind].read(activity, known, selection.interval, taken_at)
        found = _logged(read, KINDS[kind], RecordProgress(kind, known_part(selection.interval, taken_at), taken_at))
        if tally is not None:
            found = tally.seen(kind, found)
        written = write_table(directory, plan, KINDS[kind].table, selection.format, found)
        records[kind] = sum(file.rows for file in written)
        files += written
        log.info("Exported %d records of %s.", records[kind], kind)
    manifest = AnalyticsManifest(
        schema_version=SCHEMA_VERSION,
        kind=ANALYTICS,
        taken_at=taken_at.isoformat(),
        provider_version=__version__,
        host=client.settings.host,
        selection=selection,
        records=records,
        files=files,
        plan_id=plan,
        replaces=claim.replaces,
    )
    directory.publish(plan, encode_manifest(manifest))
    directory.finish(plan, keep=lambda: manifest.file_names)
    return manifest


def _logged(records: Iterator[Any], kind: Kind, progress: RecordProgress) -> Iterator[Any]:
    """The records; how far they are is logged at intervals."""
    field = kind.table.times[0]
    for record in records:
        progress.saw(getattr(record, field))
        yield record


def _require_possible(selection: AnalyticsSelection, now: datetime.datetime) -> None:
    """Check that the interval has started, and that its last day is over if it does not consist of whole days.

    :raises InvalidArgumentError: One of these is not true.
    """
    start, end = selection.interval
    if start > now:
        raise InvalidArgumentError(
            f"start: {selection.start} is in the future; Encord's clock shows {now.isoformat()}."
        )
    if TIME_SPENT not in selection.record_types or is_whole_days((start, end)):
        return
    advice = (
        "Pass whole days, such as start='{{ data_interval_start | ds }}' and end='{{ data_interval_end | ds }}', or "
        "leave time_spent out of `record_types`."
    )
    if end > midnight(now):
        raise InvalidArgumentError(
            f"start, end: the last day (UTC) of the interval from {selection.start} to {selection.end} is not over, "
            f"and Encord stores time spent by day. {advice}"
        )
    first, last = days_of((start, end))
    log.warning(
        "The interval from %s to %s does not consist of whole days, but Encord stores time spent by day (UTC). Time "
        "spent is exported for the days that begin in the interval: %s. %s",
        *(selection.start, selection.end),
        "none" if first == last else f"from {first:%Y-%m-%d} to {last - datetime.timedelta(days=1):%Y-%m-%d}",
        advice,
    )


def _decode(content: bytes, title: str) -> AnalyticsManifest:
    try:
        require_readable(content, title)
        return _MANIFEST.decode(content)
    except NOT_JSON as error:
        raise ManifestError(f"{title} is not the manifest of an export of analytics: {error}.") from None


def _whole(directory: ExportDirectory[AnalyticsManifest], selection: AnalyticsSelection) -> AnalyticsManifest | None:
    """The complete export in the directory, if there is one.

    :raises InvalidArgumentError: It is a different export.
    """
    manifest = directory.require_ours()
    if manifest is not None and manifest.selection != selection:
        raise InvalidArgumentError(
            f"destination: {directory.path} contains a different export. Use a separate directory for each interval, "
            "project and selection, such as one that ends with {{ ds }}; or empty this one."
        )
    return manifest
