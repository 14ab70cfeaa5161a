"""The progress of an export: counts of rows and bytes, and log lines."""

from __future__ import annotations

import logging
from collections.abc import Callable

from airflow_provider_encord.progress import ProgressLogger

log = logging.getLogger(__name__)

_MEGABYTE = 1e6


class ExportProgress(ProgressLogger):
    """Counts the rows that were read.

    :param total: Number of label rows to read.
    :param clock: Returns seconds.
    :param before: Number of these that an earlier attempt has read.
    """

    def __init__(self, total: int, clock: Callable[[], float], *, before: int = 0):
        super().__init__("label rows", total, log=log.info, clock=clock)
        self.go_on_from(before)
        self._bytes = 0

    def read(self, size: int) -> None:
        """Count a row, and log if the interval is over.

        :param size: Size of the row in bytes.
        """
        self._bytes += size
        self.add()

    def details(self) -> str:
        """How much was read."""
        return f" read, {self._bytes / _MEGABYTE:.1f} MB"

    def finished(self, files: int) -> None:
        """Log that all rows are exported.

        :param files: Number of files.
        """
        log.info(
            "Exported %d label rows, %.1f MB of labels in %d files, in %.1f s (%.0f rows/s).",
            self.done_now,
            self._bytes / _MEGABYTE,
            files,
            self.seconds,
            self.rate,
        )
