"""How far an export of analytics is. Encord says no totals, so the times of the records say how much is left."""

from __future__ import annotations

import contextlib
import datetime
import logging
import time
from collections.abc import Callable

from airflow_provider_encord.client.api.analytics import LONGEST_EDITOR_LOG
from airflow_provider_encord.client.errors import UnexpectedResponseError
from airflow_provider_encord.client.times import answered_time
from airflow_provider_encord.progress import ProgressLogger

log = logging.getLogger(__name__)
_RECORDS_BETWEEN_LOOKS = 100


class RecordProgress(ProgressLogger):
    """Counts the records of a kind, and sees which part of the interval they cover.

    A long interval is read in windows, the earliest first. Within a window, Encord's records may come in either order;
    if they come in none, the time that is left is not known before the next window.

    :param name: Name of the kind.
    :param interval: What is read; None if it is empty.
    :param now: The time by Encord's clock: nothing comes after it.
    """

    def __init__(
        self,
        name: str,
        interval: tuple[datetime.datetime, datetime.datetime] | None,
        now: datetime.datetime,
        *,
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__(f"records of {name}", log=log.info, clock=clock)
        start, end = interval or (now, now)
        self._start, self._end = start, max(start, min(end, now))
        self._window = 0
        self._last: datetime.datetime | None = None
        self._ascending: set[bool] = set()  # both if the records of the window are in no order

    def saw(self, at: str) -> None:
        """Count a record, and log if the interval is over.

        :param at: Its time, as Encord writes it.
        """
        if self.done % _RECORDS_BETWEEN_LOOKS == 0:
            with contextlib.suppress(UnexpectedResponseError):  # the reader says what is wrong with it
                self._look(answered_time(at, "timestamp"))
        self.add()

    def _look(self, at: datetime.datetime) -> None:
        window = max(0, (at - self._start) // LONGEST_EDITOR_LOG)
        if window != self._window or self._last is None:
            self._window, self._ascending = window, set()
        elif at != self._last:
            self._ascending.add(at > self._last)
        self._last = at

    @property
    def covered(self) -> float:
        """Which part of the interval was read, from 0 to 1."""
        whole = self._end - self._start
        if not whole or self._last is None:
            return 0.0
        begin = self._start + self._window * LONGEST_EDITOR_LOG
        covered = begin - self._start
        if self._ascending == {True}:
            covered += self._last - begin
        elif self._ascending == {False}:
            covered += min(LONGEST_EDITOR_LOG, self._end - begin) - (self._last - begin)
        return min(max(covered / whole, 0.0), 1.0)

    def seconds_left(self) -> float | None:
        """How long the rest of the interval will take, if it has as many records."""
        covered = self.covered
        return self.seconds * (1 - covered) / covered if covered else None
