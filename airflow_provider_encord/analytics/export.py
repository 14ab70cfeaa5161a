"""What people did and how long it took them, out of Encord into files, for an interval of time.

Which records belong to an interval is decided in `analytics_reading`. Records reach Encord with a delay, so an export
is final only if it was begun some time after the end of its interval, by Encord's clock.
"""

from __future__ import annotations

import datetime
import logging
import uuid
from collections.abc import Sequence
from typing import Literal

import msgspec

from airflow_provider_encord import __version__
from airflow_provider_encord.analytics.files import write_table
from airflow_provider_encord.analytics.reading import (
    KINDS,
    TIME_SPENT,
    Interval,
    days_of,
    is_whole_days,
    midnight,
)
from airflow_provider_encord.analytics.selection import known_selection
from airflow_provider_encord.attempts import fingerprint
from airflow_provider_encord.client.api.analytics import list_task_actions
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError, UnavailableError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.defaults import SETTLE_SECONDS
from airflow_provider_encord.exports.directory import ExportDirectory, ReplacedError
from airflow_provider_encord.exports.manifest import FileRecord, ManifestError, encode_manifest, require_readable
from airflow_provider_encord.storage_paths import StoragePath

log = logging.getLogger(__name__)

SCHEMA_VERSION = "1.0"
ANALYTICS: Literal["analytics"] = "analytics"
_MOST_TRIES = 3


class AnalyticsFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Whose records, and of what; empty does not restrict.

    :param user_emails: Of these users.
    :param stage_ids: In these workflow stages, by id.
    :param data_hashes: On these data units.
    :param actions: Of these actions; not of time spent. ``submit`` is ``submit_task`` in the editor logs.
    """

    user_emails: tuple[str, ...] = ()
    stage_ids: tuple[str, ...] = ()
    data_hashes: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()


class AnalyticsSelection(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted.

    :param record_types: Of `analytics_reading.KINDS`.
    :param start: ISO 8601, UTC; so `end`, which is not included.
    :param format: Of `analytics_files.FORMATS`.
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
        """Of all that decides which records are in which files.

        :param host: Of the API.
        """
        return fingerprint(host=host, selection=msgspec.to_builtins(self))


class AnalyticsManifest(msgspec.Struct, frozen=True, kw_only=True):
    """``manifest.json`` of such an export; written last.

    :param kind: `ANALYTICS`.
    :param taken_at: When it was begun, by Encord's clock; ISO 8601, UTC.
    :param records: How many of each kind.
    :param files: In order.
    :param plan_id: Id of the export; in the names of its files.
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
    replaces: Sequence[str] = ()

    @property
    def fingerprint(self) -> str:
        """Of what the export is for."""
        return self.selection.fingerprint(self.host)

    @property
    def file_names(self) -> list[str]:
        """The files beside the manifest."""
        return [file.name for file in self.files]

    def is_final(self, settle_seconds: float) -> bool:
        """Whether it should have all records: it was begun that long after the end of its interval.

        Time spent is complete when the last day (UTC) of the interval is over.
        """
        return self._would_be_final(parse_time(self.taken_at), settle_seconds)

    def is_as_final(self, moment: datetime.datetime, settle_seconds: float) -> bool:
        """Whether it is final, or one that begins at a later moment is not final either."""
        return self.is_final(settle_seconds) or not self._would_be_final(moment, settle_seconds)

    def _would_be_final(self, begun: datetime.datetime, settle_seconds: float) -> bool:
        latest = begun - datetime.timedelta(seconds=settle_seconds)
        if TIME_SPENT in self.selection.record_types:
            latest = midnight(latest)
        return latest >= self.selection.interval[1]


_MANIFEST = msgspec.json.Decoder(AnalyticsManifest)


def export_analytics(
    client: EncordClient,
    selection: AnalyticsSelection,
    destination: StoragePath,
    *,
    overwrite: bool = False,
    settle_seconds: float = SETTLE_SECONDS,
) -> AnalyticsManifest:
    """Export what happened in an interval. Only reads; page by page.

    A whole export of the same question stays if it is final; else it is made again, as is one that was cut off.

    :param destination: A directory of its own.
    :param overwrite: Make it again in any case.
    :param settle_seconds: How long after the end of the interval records may still arrive.
    :raises InvalidArgumentError: The destination holds something else, a filter names nothing, or the interval cannot
        be exported yet.
    :raises ReplacedError: An export of something else took the destination meanwhile.
    :raises UnavailableError: Another attempt at the same export did, several times.
    :raises EncordError: Encord refused, or was not reached; there is no manifest then.
    """
    directory = ExportDirectory(destination, _decode)
    before = _whole(directory, selection)
    if before and before.is_final(settle_seconds) and not overwrite:
        log.info("The export of %s to %s in %s is whole.", selection.start, selection.end, destination)
        directory.tidy()
        return before
    for _ in range(_MOST_TRIES):
        try:
            manifest = _export(client, selection, directory, before, settle_seconds)
            break
        except ReplacedError:
            if not directory.is_shared(selection.fingerprint(client.settings.host)):
                raise
            log.info("Another attempt at the same export owns %s.", destination)
    else:
        raise UnavailableError(
            f"destination: another attempt at this task exports to {destination} at the same time, and has replaced "
            f"this one {_MOST_TRIES} times. Let the task run once at a time; a retry finds what the other one exports."
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
) -> AnalyticsManifest:
    """Export, unless another attempt has just done so.

    :param before: The whole export that was there when this attempt began.
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
        log.info("Another attempt has exported %s to %s in %s.", selection.start, selection.end, directory.path)
        directory.tidy()
        return there
    claim = directory.take(plan, selection.fingerprint(client.settings.host))
    files: list[FileRecord] = []
    records: dict[str, int] = {}
    activity = client.project(selection.project_id).activity
    for kind in selection.record_types:
        found = KINDS[kind].read(activity, known, selection.interval, taken_at)
        written = write_table(directory, plan, KINDS[kind].table, selection.format, found)
        records[kind] = sum(file.rows for file in written)
        files += written
        log.info("%d records of %s.", records[kind], kind)
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


def _require_possible(selection: AnalyticsSelection, now: datetime.datetime) -> None:
    """Check that an interval has begun, and that its days are over where it does not consist of whole days.

    :raises InvalidArgumentError: See above.
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
            "start, end: Encord keeps time spent by day (UTC), and the last day of the interval from "
            f"{selection.start} to {selection.end} is not over, so seconds would be lost. {advice}"
        )
    first, last = days_of((start, end))
    log.warning(
        "Encord keeps time spent by day (UTC), and the interval from %s to %s does not consist of whole days. Time "
        "spent is exported for the days that begin in it: %s. %s",
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
    """The export that is there.

    :raises InvalidArgumentError: It is of something else.
    """
    manifest = directory.require_ours()
    if manifest is not None and manifest.selection != selection:
        raise InvalidArgumentError(
            f"destination: {directory.path} holds another export. Give each interval, project and question a directory "
            "of its own, such as one that ends with {{ ds }}, or empty this one."
        )
    return manifest
