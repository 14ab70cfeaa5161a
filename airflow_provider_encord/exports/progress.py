"""Log lines about the progress of an export, at intervals and at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)

SECONDS_BETWEEN_REPORTS = 15.0


class ProgressLogger:
    """Counts the rows that were read, and logs the progress.

    :param total: Number of label rows to read.
    :param clock: Returns seconds.
    """

    def __init__(self, total: int, clock: Callable[[], float]):
        self._total = total
        self._clock = clock
        self._started = self._reported = clock()
        self._rows = 0
        self._bytes = 0

    def read(self, size: int) -> None:
        """Count a row.

        :param size: Size of the row in bytes.
        """
        self._rows += 1
        self._bytes += size
        now = self._clock()
        if now - self._reported < SECONDS_BETWEEN_REPORTS:
            return
        self._reported = now
        seconds = now - self._started
        log.info(
            "Read %d of %d label rows, %.1f MB in %.0f s (%.0f rows/s).",
            self._rows,
            self._total,
            self._bytes / 1e6,
            seconds,
            self._rows / seconds,
        )

    def finished(self, files: int) -> None:
        """Log that all rows are exported.

        :param files: Number of files.
        """
        seconds = max(self._clock() - self._started, 1e-6)
        log.info(
            "Exported %d label rows, %.1f MB of labels in %d files, in %.1f s (%.0f rows/s).",
            self._rows,
            self._bytes / 1e6,
            files,
            seconds,
            self._rows / seconds,
        )
