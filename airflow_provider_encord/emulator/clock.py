"""The emulator's clock: real time, real time moved by an offset, or a moment that stands still.

``now`` stops it at that moment until it is advanced or let go; ``advance_s`` moves it either way. Waiting (long polls,
the pace of jobs) is real time: a clock that stands still must not make a client wait for ever.
"""

from __future__ import annotations

import datetime
import time

from . import times


class Clock:
    """Tells the time to everything in the emulator that writes or compares one."""

    def __init__(self) -> None:
        self._stands_at: datetime.datetime | None = None
        self._offset = datetime.timedelta()

    def now(self) -> datetime.datetime:
        """The present moment, in UTC."""
        if self._stands_at is not None:
            return self._stands_at
        return datetime.datetime.now(datetime.UTC) + self._offset

    def stamp(self) -> str:
        """The present moment in the stored form."""
        return times.stored(self.now())

    def unix(self) -> float:
        """The present moment as seconds since 1970."""
        return self.now().timestamp()

    def elapsed(self) -> float:
        """Seconds that only grow: real ones plus those that were skipped. For counting requests in a minute."""
        return time.monotonic() + self._offset.total_seconds()

    def stand_at(self, moment: datetime.datetime) -> None:
        """Stop at this moment."""
        self._stands_at = moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)

    def let_go(self) -> None:
        """Real time again, without an offset."""
        self._stands_at, self._offset = None, datetime.timedelta()

    def advance(self, seconds: float) -> None:
        """Move forward (or, with a negative number, back)."""
        step = datetime.timedelta(seconds=seconds)
        if self._stands_at is not None:
            self._stands_at += step
        self._offset += step
