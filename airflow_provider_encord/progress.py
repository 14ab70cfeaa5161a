"""How far long work is: a log line at intervals, with the rate and the time that is left, in the same words everywhere.

A line is like ``1200 of 5000 label rows, 4.1 MB, in 16 s (75/s), about 51 s left.`` Work that takes less than an
interval logs none, so that a log stays short.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

SECONDS_BETWEEN_LINES = 15.0
_log = logging.getLogger(__name__)


class ProgressLogger:
    """Counts what is done, and logs it at intervals.

    A subclass may override `details`, and `seconds_left` if another measure is better than the number of units.

    :param unit: What is counted, in plural.
    :param total: How many units there are; None if that is not known.
    :param log: Logs a line; takes a format and its values, like `logging.Logger.info`.
    :param clock: Returns seconds since any start.
    """

    def __init__(
        self,
        unit: str,
        total: int | None = None,
        *,
        log: Callable[..., object] = _log.info,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.unit, self.total, self.done = unit, total, 0
        self._log, self._clock = log, clock
        self._started = self._logged = clock()

    @property
    def seconds(self) -> float:
        """How long the work has taken so far; never 0, so that rates can be made of it."""
        return max(self._clock() - self._started, 1e-6)

    @property
    def rate(self) -> float:
        """Units per second so far."""
        return self.done / self.seconds

    def add(self, units: int = 1) -> None:
        """Count units that are done, and log if the interval is over."""
        self.done += units
        self.log_at_intervals()

    def log_at_intervals(self) -> None:
        """Log a line, unless there was one a short time ago."""
        now = self._clock()
        if now - self._logged >= SECONDS_BETWEEN_LINES:
            self._logged = now
            self.log_line()

    def log_line(self) -> None:
        """Log the progress."""
        self._log("%s", self.line())

    def line(self) -> str:
        """The progress in words."""
        of = "" if self.total is None else f" of {self.total}"
        left = self.seconds_left()
        rest = "" if left is None else f", about {duration(left)} left"
        speed = f"in {duration(self.seconds)} ({per_second(self.rate)})"
        return f"{self.done}{of} {self.unit}{self.details()}, {speed}{rest}."

    def details(self) -> str:
        """What a line says besides the numbers of units; it begins with a comma."""
        return ""

    def seconds_left(self) -> float | None:
        """How long the rest will take at the rate so far; None if that is not known, or all is done."""
        if self.total is None or self.done >= self.total or not self.rate:
            return None
        return (self.total - self.done) / self.rate


def duration(seconds: float) -> str:
    """A time span in words, as exact as a person needs it: ``48 s``, ``12 min``, ``3 h 5 min``."""
    if not math.isfinite(seconds):
        return "an unknown time"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def per_second(rate: float) -> str:
    """A rate in words: ``75/s``, ``2.5/s``; slow ones by minute or hour."""
    for factor, unit in ((1, "s"), (60, "min"), (3600, "h")):
        if rate * factor >= 1 or unit == "h":
            break
    number = rate * factor
    return f"{number:.0f}/{unit}" if number >= 10 else f"{number:.1f}/{unit}"
