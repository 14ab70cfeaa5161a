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
    """

    def __init__(self, total: int, clock: Callable[[], float]):
        super().__init__(clock)
        self._total, self._rows, self._bytes = total, 0, 0

    def read(self, size: int) -> None:
        """Count a row, and log if the interval is over.

        :param size: Size of the row in bytes.
        """
        self._rows += 1
        self._bytes += size
        self.log_at_intervals()

    def log_line(self) -> None:
        """Log how many rows were read."""
        log.info(
            "Read %d of %d label rows, %.1f MB in %.0f s (%.0f rows/s).",
            self._rows,
            self._total,
            self._bytes / _MEGABYTE,
            self.seconds,
            self._rows / self.seconds,
        )

    def finished(self, files: int) -> None:
        """Log that all rows are exported.

        :param files: Number of files.
        """
        log.info(
            "Exported %d label rows, %.1f MB of labels in %d files, in %.1f s (%.0f rows/s).",
            self._rows,
            self._bytes / _MEGABYTE,
            files,
            self.seconds,
            self._rows / self.seconds,
        )
