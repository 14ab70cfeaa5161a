"""Exporting one part of a plan. Several attempts at a part may run at the same time; each writes its own files."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence

import msgspec

from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import EncordError, UnexpectedResponseError
from airflow_provider_encord.exports.file_names import new_try
from airflow_provider_encord.exports.formats import Origin
from airflow_provider_encord.exports.listing import ListedRow
from airflow_provider_encord.exports.manifest import FailedRow
from airflow_provider_encord.exports.plan import (
    Directory,
    Plan,
    Progress,
    read_progress,
    rows_to_read,
    write_progress,
)
from airflow_provider_encord.exports.progress import ExportProgress
from airflow_provider_encord.exports.reading import Reader, ReadOptions
from airflow_provider_encord.exports.shards import OpenShard, shard_name

DEFAULT_READING = ReadOptions()


def export_part(
    client: EncordClient,
    plan: Plan,
    number: int,
    directory: Directory,
    *,
    reading: ReadOptions = DEFAULT_READING,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Export one part of a plan, continuing from the last shard of an earlier attempt.

    :param number: Number of the part, counted from 0.
    :raises FinishedError: Another process has finished the same export.
    :raises ReplacedError: Another export owns the directory.
    """
    progress = read_progress(directory, plan, number)
    directory.require_owner(plan.id)  # check after the read: a process that finished may have removed the files
    require_readable(progress.failed, reading)
    if progress.finished:
        return progress
    rows = rows_to_read(directory, plan, plan.parts[number], progress.next_row)
    reader = Reader(client, plan.selection.project_id, reading)
    progress_log = ExportProgress(progress.next_row + len(rows), clock, before=progress.next_row)
    writing = _Part(plan, number, directory, progress)
    try:
        for listed, row in reader.rows(rows):
            try:
                writing.take(listed, row)
            except UnexpectedResponseError as error:
                writing.take(listed, reader.failure(listed, error))
            progress_log.read(len(row.content) if isinstance(row, LabelRow) else 0)
        progress = writing.finish()
    except BaseException:
        writing.abandon()
        raise
    progress_log.finished(len(progress.shards))
    return progress


def require_readable(failed: Sequence[FailedRow], reading: ReadOptions) -> None:
    """Check whether an earlier attempt skipped rows that this one must not skip.

    :raises UnexpectedResponseError: The earlier attempt skipped rows, and this one must not.
    """
    if failed and not reading.skip_unreadable:
        raise UnexpectedResponseError(
            f"Label row {failed[0].label_hash} (data {failed[0].data_hash}) was skipped by an earlier attempt with "
            f"on_error='skip', because it cannot be read: {failed[0].error} Correct it in Encord and export again with "
            "overwrite=True, or keep on_error='skip'.",
            rows=[row.label_hash for row in failed],
        )


class _Part:
    """Writes the shards of a part, and records its progress after each shard."""

    def __init__(self, plan: Plan, number: int, directory: Directory, progress: Progress):
        self._plan, self._number, self._directory = plan, number, directory
        self._try = new_try()
        self._shards, self._missing = list(progress.shards), list(progress.not_found)
        self._failed = list(progress.failed)
        self._next_row = progress.next_row
        self._name = ""
        self._open: OpenShard | None = None

    def take(self, listed: ListedRow, row: LabelRow | FailedRow | None) -> None:
        """Add a row.

        :raises UnexpectedResponseError: The format cannot convert the row. The row was not added.
        """
        if row is None:
            self._missing.append(listed)
        elif isinstance(row, FailedRow):
            self._failed.append(row)
        else:
            if self._open and not self._open.fits(row):
                self._close()
                self._note(finished=False)
            if self._open is None:
                self._begin()
            if self._open is not None:
                self._open.write(msgspec.structs.replace(row, stage=listed.stage) if listed.stage else row)
        self._next_row += 1

    def finish(self) -> Progress:
        self._close()
        other = read_progress(self._directory, self._plan, self._number)
        if other.finished:  # a finished attempt keeps its files; those of this attempt are removed at the end
            return other
        return self._note(finished=True)

    def abandon(self) -> None:
        """After a failure, remove the file that no progress record lists. The others are kept for the next attempt."""
        if self._open:
            self._open.abandon()
            with contextlib.suppress(EncordError):  # the original failure is more important
                self._directory.discard(self._name)

    def _begin(self) -> None:
        self._directory.require_owner(self._plan.id)
        layout = self._plan.layout
        self._name = shard_name(self._plan.id, self._number, len(self._shards), self._try, layout.format)
        origin = Origin(project_id=self._plan.selection.project_id, structure=self._plan.structure)
        self._open = OpenShard(self._directory.path, self._name, layout, origin)

    def _close(self) -> None:
        if self._open:
            shard = self._open.finish()
            self._directory.require_owner(self._plan.id)  # if this raises, the open file is removed
            self._open = None
            self._shards.append(shard)

    def _note(self, *, finished: bool) -> Progress:
        progress = Progress(
            plan_id=self._plan.id,
            next_row=self._next_row,
            finished=finished,
            shards=self._shards,
            not_found=self._missing,
            failed=self._failed,
        )
        write_progress(self._directory, self._number, self._try, progress)
        return progress
