"""Pulling files: look up what is there, sign URLs for the rest, fetch several at once, and note each batch.

A batch ends before the next one begins, so a worker that dies loses at most one batch, and no more signed URLs are
waiting than will be used soon.
"""

from __future__ import annotations

import collections
import concurrent.futures
import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import (
    EncordError,
    InvalidArgumentError,
    UnavailableError,
    must_wait_elsewhere,
)
from airflow_provider_encord.counts import require_sum
from airflow_provider_encord.media.fetching import Fetcher, media_line, path_at
from airflow_provider_encord.media.files import MediaFile, Unavailable, files_of
from airflow_provider_encord.media.frame_files import FrameFiles
from airflow_provider_encord.media.report import OPERATION, MediaLine, MediaReport
from airflow_provider_encord.media.wanted import Reference, References
from airflow_provider_encord.progress import ProgressLogger
from airflow_provider_encord.reports import CREATED, FAILED, NOT_FOUND, SCHEMA_VERSION, SKIPPED, UNCHANGED, Outcome
from airflow_provider_encord.storage_paths import blocks_of, size_and_version, storage_errors, version_of

log = logging.getLogger(__name__)

_BATCH = 200
_BATCH_OF_VIDEOS = 25  # each may have thousands of frames, and lines
_LINES_PER_PART = 5000
_NAMED = 5
COUNTED: tuple[Outcome, ...] = (CREATED, UNCHANGED, SKIPPED, NOT_FOUND, FAILED)

T = TypeVar("T")


class PullSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a pull does with the files that it is given.

    :param destination: The directory for the files.
    :param max_concurrency: How many files are fetched at once.
    :param overwrite: Fetch files again that were pulled before.
    :param part: Which part of the files to pull, of `parts`.
    """

    destination: Any
    max_concurrency: int
    overwrite: bool = False
    part: int = 0
    parts: int = 1


class Pulled(msgspec.Struct, kw_only=True):
    """What was pulled.

    :param counts: Number of files, by outcome.
    :param bytes: Number of bytes that were fetched.
    :param failures: Messages of the first failed files.
    :param retryable: Whether a retry may help some of the failed files.
    """

    counts: collections.Counter[str] = msgspec.field(default_factory=collections.Counter)
    files: int = 0
    bytes: int = 0
    failures: list[str] = []
    retryable: bool = False

    def add(self, line: MediaLine) -> None:
        """Count a file."""
        self.files += 1
        self.counts[line.outcome] += 1
        if line.outcome == CREATED:
            self.bytes += line.bytes or 0
        if line.outcome == FAILED and len(self.failures) < _NAMED:
            self.failures.append(f"{line.source}: {line.error}")


class PullProgress(ProgressLogger):
    """Counts items.

    :param pulled: Counts the files.
    :param part: Which part of all items is pulled, such as 0.25; how many that are is known only about.
    """

    def __init__(self, pulled: Pulled, part: float = 1.0, *, clock: Callable[[], float] = time.monotonic):
        super().__init__("items", log=log.info, clock=clock)
        self._pulled, self._part = pulled, part
        self._expected: float | None = None

    def took(self, items: int, total: int | None) -> None:
        """Count items, and log if the interval is over.

        :param total: How many items there are in all parts, if that is known.
        """
        if total is not None:
            self._expected, self.total = total * self._part, total if self._part == 1 else None
        self.add(items, known=self._pulled.counts[UNCHANGED] == self._pulled.files)

    def details(self) -> str:
        """The number of files, and what was fetched of them."""
        return f", {self._pulled.files} files, {self._pulled.bytes / 1e6:.1f} MB fetched"

    def seconds_left(self) -> float | None:
        """How long the rest will take at the rate so far."""
        left = (self._expected or 0) - self.done
        return left / self.rate if left > 0 and self.done_now else None


class Pull:
    """A pull.

    :param fetcher: Fetches a file.
    :param frames: Takes frames out of videos; None to pull videos as they are.
    """

    def __init__(
        self, client: EncordClient, spec: PullSpec, fetcher: Fetcher, frames: FrameFiles | None, report: MediaReport
    ):
        self._client, self._spec, self._fetcher, self._frames, self._report = client, spec, fetcher, frames, report
        self.pulled = Pulled()

    def run(self, references: References) -> Pulled:
        """Pull the files of all items.

        :raises EncordError: Encord could not be reached, or all files of a batch failed for a reason that may pass.
        """
        spec = self._spec
        progress = PullProgress(self.pulled, 1 / spec.parts)
        mine = (reference for reference in references if reference.is_in(spec.part, spec.parts))
        pool = concurrent.futures.ThreadPoolExecutor(max_workers=spec.max_concurrency)
        try:
            for batch in _batches(mine, _BATCH if self._frames is None else _BATCH_OF_VIDEOS):
                self._batch(batch, pool)
                progress.took(len(batch), references.total)
        finally:
            pool.shutdown(cancel_futures=True)  # if the task is killed, no more files are started
        require_sum("The pull", self.pulled.files, **{name: self.pulled.counts[name] for name in COUNTED})
        progress.log_line()
        return self.pulled

    def _batch(self, batch: Sequence[Reference], pool: concurrent.futures.Executor) -> None:
        self._report.keep()
        known, missing = self._split(batch, [self._pulled_before(reference) for reference in batch], pool)
        files = list(files_of(self._client, missing))
        more, files = self._split(files, [self._member_pulled_before(file) for file in files], pool)
        lines, failed = [*known, *more], 0
        error = None
        for some in pool.map(self._lines, files):
            lines += some
            failed += any(line.outcome == FAILED for line in some)
            error = error or next((line.error for line in some if line.outcome == FAILED), None)
            if len(lines) >= _LINES_PER_PART:
                self._take(lines)
                lines = []
            self._report.keep()
        self._take(lines)
        if files and failed == len(files) and self.pulled.retryable:
            raise UnavailableError(
                f"None of {len(files)} files could be fetched: {error} The report has what was fetched before; a retry "
                "continues there."
            )

    def _take(self, lines: Sequence[MediaLine]) -> None:
        self._report.take(lines)
        for line in lines:
            self.pulled.add(line)

    def _split(
        self, items: Sequence[T], candidates: Iterable[list[MediaLine]], pool: concurrent.futures.Executor
    ) -> tuple[list[MediaLine], list[T]]:
        """The lines of what is there already, and the items that are not."""
        found = list(pool.map(self._known, candidates))
        lines = [line for some in found for line in some]
        return lines, [item for item, some in zip(items, found, strict=True) if not some]

    def _pulled_before(self, reference: Reference) -> list[MediaLine]:
        """What was pulled of an item, also if it was for another data unit."""
        if self._spec.overwrite or reference.item_id is None:
            return []
        own = self._report.known.of(reference.item_id, reference.data_hash)
        if own:
            return own
        others = self._report.known.of_another_unit(reference.item_id)
        unit = reference.data_hash
        return others if unit is None else [msgspec.structs.replace(line, unit=unit, data_hash=unit) for line in others]

    def _member_pulled_before(self, file: MediaFile | Unavailable) -> list[MediaLine]:
        if self._spec.overwrite or isinstance(file, Unavailable) or not file.is_member:
            return []
        return self._report.known.of(file.item_id, file.unit)

    def _known(self, lines: list[MediaLine]) -> list[MediaLine]:
        """The lines of an item that was pulled before; none if one of its files is not there as it was."""
        if not lines or not self._as_wanted(lines):
            return []
        there = [found for line in lines if (found := self._there(line)) is not None]
        return there if len(there) == len(lines) else []

    def _as_wanted(self, lines: Sequence[MediaLine]) -> bool:
        """Whether the files have the paths, and videos the frames, that are asked for now."""
        first = lines[0]
        if self._frames is not None and self._frames.applies_to(first.item_type):
            wanted = self._frames.selection_of(first.data_hash)
            return all(line.selection == wanted for line in lines) and len(lines) == first.frames
        return all(line.frame is None and line.path == self._fetcher.path_of(line) for line in lines)

    def _there(self, line: MediaLine) -> MediaLine | None:
        """The line of a file that is at the destination as it was pulled; None if it is not.

        A copy of the whole destination has other versions of its files, but the same content.
        """
        path = path_at(self._spec.destination, line.path or "")
        try:
            with storage_errors("destination", path):
                version = version_of(path)
                if version != line.version and not _has_content(path, line):
                    return None
        except InvalidArgumentError:  # it does not exist
            return None
        return msgspec.structs.replace(line, outcome=UNCHANGED, error=None, version=version)

    def _lines(self, file: MediaFile | Unavailable) -> list[MediaLine]:
        """Fetch a file. Its failure becomes its line."""
        if isinstance(file, Unavailable):
            reference = file.reference
            return [
                MediaLine(
                    schema_version=SCHEMA_VERSION,
                    operation=OPERATION,
                    source=reference.title or reference.data_hash or reference.item_id or "",
                    id=reference.item_id,
                    outcome=NOT_FOUND if file.missing else FAILED,
                    error=file.problem,
                    data_hash=reference.data_hash,
                    unit=reference.data_hash,
                )
            ]
        try:
            if self._frames is not None and self._frames.applies_to(file.item_type):
                return self._frames.extract(file)
            return [self._fetcher.fetch(file)]
        except EncordError as error:
            if must_wait_elsewhere(error):
                raise
            self.pulled.retryable = self.pulled.retryable or error.retryable
            return [media_line(file, FAILED, error=error.message)]


def _has_content(path: Any, line: MediaLine) -> bool:
    """Whether a file has the size and the checksum of a line."""
    if size_and_version(path)[0] != line.bytes:
        return False
    digest = hashlib.sha256()
    for block in blocks_of(path):
        digest.update(block)
    return digest.hexdigest() == line.sha256


def _batches(references: Iterable[Reference], size: int) -> Iterator[list[Reference]]:
    """Batches in which each item is once, so that one that is in several datasets is fetched only once."""
    batch: dict[str, Reference] = {}
    for number, reference in enumerate(references):
        name = reference.item_id or f"{number}"
        if name in batch or len(batch) == size:
            yield list(batch.values())
            batch = {}
        batch[name] = reference
    if batch:
        yield list(batch.values())
