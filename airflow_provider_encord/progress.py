"""When the progress of long work is logged: at intervals, so that a log stays short however much there is to do."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable

SECONDS_BETWEEN_LINES = 15.0


class ProgressLogger(ABC):
    """Base of what counts a kind of work. A subclass calls `log_at_intervals` after each step.

    :param clock: Returns seconds since any start.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._started = self._logged = clock()

    @property
    def seconds(self) -> float:
        """How long the work has taken so far; never 0, so that rates can be made of it."""
        return max(self._clock() - self._started, 1e-6)

    def log_at_intervals(self) -> None:
        """Log a line, unless there was one a short time ago."""
        now = self._clock()
        if now - self._logged >= SECONDS_BETWEEN_LINES:
            self._logged = now
            self.log_line()

    @abstractmethod
    def log_line(self) -> None:
        """Log the progress."""
