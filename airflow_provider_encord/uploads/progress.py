"""The progress of an upload: counts, and log lines at intervals."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Sequence

from airflow_provider_encord.progress import ProgressLogger
from airflow_provider_encord.reports import CREATED, FAILED, UNCHANGED
from airflow_provider_encord.sources.files import SourceFile
from airflow_provider_encord.uploads.outcome import FileOutcome
from airflow_provider_encord.uploads.plan import TITLE, TITLE_AND_SIZE

_MEGABYTE = 1_000_000


class UploadProgress(ProgressLogger):
    """Counts outcomes, and logs them.

    :param files: All files of the upload.
    :param log: Logs a line; takes a format and its values, like `logging.Logger.info`.
    :param clock: Returns seconds since any start.
    """

    def __init__(
        self, files: Sequence[SourceFile], log: Callable[..., object], *, clock: Callable[[], float] = time.monotonic
    ):
        super().__init__("files", len(files), log=log, clock=clock)
        self._bytes = sum(file.size for file in files)
        self._counts: collections.Counter[str] = collections.Counter()
        self._done_bytes = self._matched_by_name = 0
        self.uploaded_bytes = 0

    @property
    def created(self) -> int:
        """Number of files that were uploaded now."""
        return self._counts[CREATED]

    @property
    def unchanged(self) -> int:
        """Number of files that existed before."""
        return self._counts[UNCHANGED]

    @property
    def matched_by_name(self) -> int:
        """Number of existing files that were recognised by name only."""
        return self._matched_by_name

    @property
    def failed(self) -> int:
        """Number of files that are not in the dataset."""
        return self._counts[FAILED]

    def take(self, outcomes: Sequence[FileOutcome]) -> None:
        """Count outcomes, and log if the interval is over."""
        for outcome in outcomes:
            self._counts[outcome.result] += 1
            self._matched_by_name += outcome.matched_by in (TITLE_AND_SIZE, TITLE)
            self._done_bytes += outcome.file.size
            self.uploaded_bytes += outcome.file.size if outcome.result == CREATED else 0
        if outcomes:
            self.add(len(outcomes), known=all(outcome.result == UNCHANGED for outcome in outcomes))

    def details(self) -> str:
        """How many files there are with each outcome, and how fast bytes were sent."""
        counts = f": {self.created} uploaded, {self.unchanged} already there, {self.failed} failed"
        size = self.uploaded_bytes / _MEGABYTE
        return f"{counts}; {size:.1f} MB ({size / self.seconds:.1f} MB/s)"

    def seconds_left(self) -> float | None:
        """How long the remaining bytes will take."""
        left = self._bytes - self._done_bytes
        return left * self.seconds / self.uploaded_bytes if left > 0 and self.uploaded_bytes else None
