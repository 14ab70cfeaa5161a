"""Exporting label rows: list once, read what has labels, write shards, and last the manifest.

Nothing of it changes anything at Encord. Content passes from the socket to the file unparsed, one bundle at a time.
"""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable

from airflow_provider_encord import __version__
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.defaults import ROWS_PER_REQUEST, SHARD_BYTES
from airflow_provider_encord.export.destination import prepare, require_own
from airflow_provider_encord.export.listing import ListedRow, Listing, Question, list_rows
from airflow_provider_encord.export.manifest import (
    LABELS,
    SCHEMA_VERSION,
    Counts,
    Manifest,
    ProjectReference,
    Shard,
    write_manifest,
)
from airflow_provider_encord.export.reading import Reader
from airflow_provider_encord.export.shards import ShardWriter
from airflow_provider_encord.storage_paths import StoragePath, storage_errors

log = logging.getLogger(__name__)

SECONDS_BETWEEN_REPORTS = 15.0


def export_labels(
    client: EncordClient,
    question: Question,
    destination: StoragePath,
    *,
    rows_per_request: int = ROWS_PER_REQUEST,
    shard_bytes: int = SHARD_BYTES,
    clock: Callable[[], float] = time.monotonic,
) -> Manifest:
    """Export the label rows of a project that have labels.

    Safe to repeat: a run that finds an export of the same question, or the rest of one, does it anew in its place.
    Until the new manifest is there, there is none.

    :param destination: A directory of its own; made if it is not there.
    :param rows_per_request: How many rows to read at once, at most.
    :param shard_bytes: Size of a file, at most, unless one row alone is larger.
    :param clock: Seconds, for the rate and the intervals of log lines.
    :return: What was exported.
    :raises InvalidRequestError: The destination holds something else, or cannot be written.
    :raises EncordError: Encord refused, or was not reached. What was written so far has no manifest.
    """
    require_own(destination, question)
    listing = list_rows(client.project(question.project), question)
    log.info(
        "Exporting %d label rows of project %s, branch %s, to %s; %d listed without labels are left out.",
        len(listing.rows),
        question.project,
        question.branch,
        destination,
        listing.without_labels,
    )
    if not listing.rows:
        _warn_of_nothing(question, listing)
    prepare(destination)
    reader = Reader(client, question, rows_per_request=rows_per_request)
    progress = _Progress(len(listing.rows), clock)
    missing: list[ListedRow] = []
    with ShardWriter(destination, shard_bytes=shard_bytes) as writer:
        for bundle in reader.bundles(listing.rows):
            for row in bundle.rows:
                writer.write(bytes(row.content))
            missing += bundle.missing
            progress.read(len(bundle.rows), sum(len(row.content) for row in bundle.rows))
    manifest = _manifest(client, question, listing, writer.shards, missing)
    with storage_errors("destination", destination):
        write_manifest(destination, manifest)
    progress.finished(manifest)
    return manifest


def _warn_of_nothing(question: Question, listing: Listing) -> None:
    """Say what may be misspelt. A project without labels, asked for as a whole, is none of that."""
    restrictions = question.restrictions
    if restrictions:
        log.warning(
            "Nothing to export: of %d data units that these let through, none has labels: %s. Check that they are what "
            "you mean; Encord does not say whether there is such a name.",
            listing.listed,
            ", ".join(f"{name}={str(value)[:80]!r}" for name, value in restrictions.items()),
        )


def _manifest(
    client: EncordClient, question: Question, listing: Listing, shards: list[Shard], missing: list[ListedRow]
) -> Manifest:
    return Manifest(
        schema_version=SCHEMA_VERSION,
        what=LABELS,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        library_version=__version__,
        host=client.settings.host,
        project=ProjectReference(id=question.project),
        branch=question.branch,
        filters=question.filters,
        counts=Counts(
            listed=listing.listed,
            with_labels=len(listing.rows),
            without_labels=listing.without_labels,
            exported=sum(shard.rows for shard in shards),
            missing=len(missing),
        ),
        bytes=sum(shard.bytes for shard in shards),
        shards=shards,
        missing=missing,
        watermark=listing.watermark,
    )


class _Progress:
    """Log lines for whoever watches: at intervals, and at the end."""

    def __init__(self, total: int, clock: Callable[[], float]):
        self._total = total
        self._clock = clock
        self._started = self._reported = clock()
        self._rows = 0
        self._bytes = 0

    def read(self, rows: int, size: int) -> None:
        self._rows += rows
        self._bytes += size
        now = self._clock()
        if now - self._reported < SECONDS_BETWEEN_REPORTS:
            return
        self._reported = now
        seconds = now - self._started
        log.info(
            "%d of %d label rows, %.1f MB in %.0f s (%.0f rows/s).",
            self._rows,
            self._total,
            self._bytes / 1e6,
            seconds,
            self._rows / seconds,
        )

    def finished(self, manifest: Manifest) -> None:
        seconds = max(self._clock() - self._started, 1e-6)
        log.info(
            "Exported %d label rows, %.1f MB in %d files, in %.1f s (%.0f rows/s).",
            manifest.counts.exported,
            manifest.bytes / 1e6,
            len(manifest.shards),
            seconds,
            manifest.counts.exported / seconds,
        )
        if manifest.missing:
            log.warning(
                "%d label rows were listed but gone when they were to be read; the manifest names them, the first is "
                "%s.",
                len(manifest.missing),
                manifest.missing[0].label_hash,
            )
