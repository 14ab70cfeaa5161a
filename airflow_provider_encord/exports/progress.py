"""Log lines on the progress of an export: at intervals, and at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)

SECONDS_BETWEEN_REPORTS = 15.0


class ProgressLogger:
    """Counts what was read.

    :param total: Label rows to be read.
    :param clock: Seconds.
    """

    def __init__(self, total: int, clock: Callable[[], float]):
        self._total = total
        self._clock = clock
        self._started = self._reported = clock()
        self._rows = 0
        self._bytes = 0

    def read(self, size: int) -> None:
        """A row came, of so many bytes."""
        self._rows += 1
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

    def finished(self, files: int) -> None:
        """All are read, and written to so many files."""
        seconds = max(self._clock() - self._started, 1e-6)
        log.info(
            "Exported %d label rows, %.1f MB of labels in %d files, in %.1f s (%.0f rows/s).",
            self._rows,
            self._bytes / 1e6,
            files,
            seconds,
            self._rows / seconds,
        )
