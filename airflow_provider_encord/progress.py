"""How far long work is: a log line at intervals, with the rate and the time that is left, in the same words everywhere.

A line is like ``1200 of 5000 label rows, 4.1 MB, in 16 s (75/s), about 51 s left.`` Work that takes less than an
interval logs none, so that a log stays short. On Airflow 3.3, the state of the task has the last such line, at most one
every `SECONDS_BETWEEN_NOTES`, while the task runs, and while it waits in the triggerer.

A task that comes back, after a wait or as a retry, goes on from what was done before: ``1200 of 5000 label rows, in 16
s (75/s after the first 600), about 51 s left.``
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

SECONDS_BETWEEN_LINES = 15.0
SECONDS_BETWEEN_NOTES = 10.0
STATE_KEY = "encord_progress"
_log = logging.getLogger(__name__)


class _Notes:
    """Where the progress of this process is noted. A worker runs one task in a process, maybe in several threads."""

    def __init__(self) -> None:
        self.store: Any = None
        self.written = False  # by this process, or by the one before a wait

    def write(self, line: str) -> None:
        """Note a line; it never raises."""
        at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        try:
            self.store.set(STATE_KEY, {"at": at, "progress": line})
            self.written = True
        except Exception as error:  # noqa: BLE001 - no state may fail the task because of its progress
            self.store = None
            _log.debug("The progress could not be noted in the task's state: %s.", type(error).__name__)


_notes = _Notes()


@contextlib.contextmanager
def noted_in(store: Any, *, waits: type[BaseException] | tuple[()] = (), after_wait: bool = False) -> Iterator[None]:
    """Note the progress of the work inside in the state of the task, and remove it at the end.

    :param store: The ``task_state_store`` of Airflow 3.3; None notes nothing.
    :param waits: What is raised if the task is going to wait and then comes back: the note stays.
    :param after_wait: Whether the task has waited, so that there may be a note.
    """
    outside = _notes.store, _notes.written
    _notes.store, _notes.written = store, after_wait and store is not None
    stays = False
    try:
        yield
    except waits:
        stays = True
        raise
    finally:
        written = _notes.written
        _notes.store, _notes.written = outside
        if written and not stays:
            with contextlib.suppress(Exception):
                store.delete(STATE_KEY)


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
        self._before = 0
        self._log, self._clock = log, clock
        self._started = self._logged = self._noted = clock()

    @property
    def seconds(self) -> float:
        """How long the work has taken so far; never 0, so that rates can be made of it."""
        return max(self._clock() - self._started, 1e-6)

    @property
    def done_now(self) -> int:
        """How many units were done since the start, or since `go_on_from`."""
        return self.done - self._before

    @property
    def rate(self) -> float:
        """Units per second so far."""
        return self.done_now / self.seconds

    def go_on_from(self, done: int) -> None:
        """Take over units that were done before, or at no cost: they count, but the rate and the time begin here."""
        self.done = self._before = done
        self._started = self._clock()

    def add(self, units: int = 1, *, known: bool = False) -> None:
        """Count units that are done, and log if the interval is over.

        :param known: They were done before. Until others come, such units have no part in the rate.
        """
        if known and not self.done_now:
            self.go_on_from(self.done + units)
        else:
            self.done += units
        self.log_at_intervals()

    def log_at_intervals(self) -> None:
        """Log a line and note it, unless that was done a short time ago."""
        now = self._clock()
        if now - self._noted >= SECONDS_BETWEEN_NOTES:
            self._noted = now
            self.note()
        if now - self._logged >= SECONDS_BETWEEN_LINES:
            self._logged = now
            self.log_line()

    def note(self) -> None:
        """Note the progress in the state of the task, if it has one."""
        if _notes.store is not None:
            _notes.write(self.line())

    def log_line(self) -> None:
        """Log the progress."""
        self._log("%s", self.line())

    def line(self) -> str:
        """The progress in words."""
        of = "" if self.total is None else f" of {self.total}"
        left = self.seconds_left()
        rest = "" if left is None else f", about {duration(left)} left"
        after = f" after the first {self._before}" if self._before else ""
        speed = f"in {duration(self.seconds)} ({per_second(self.rate)}{after})"
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
