"""The emulator's clock: real time, real time moved by an offset, or a moment that stands still.

``now`` stops it at that moment until it is advanced or let go; ``advance_s`` moves it either way. Waiting (long polls,
the pace of jobs) is real time: a clock that stands still must not make a client wait for ever.
"""

from __future__ import annotations

import datetime
import time

from ..wire import times
from ..wire.errors import Reason, RefusalError

_EARLIEST = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_LATEST = datetime.datetime(9900, 1, 1, tzinfo=datetime.UTC)
"""Between these all times that follow from the clock can be written: expiry times, HTTP dates."""


class Clock:
    """The clock of everything in the emulator that writes or compares a time."""

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

    def let_go(self) -> None:
        """Real time again, without an offset."""
        self._stands_at, self._offset = None, datetime.timedelta()

    def become(self, other: Clock) -> None:
        """Show what another clock shows."""
        self._stands_at, self._offset = other._stands_at, other._offset

    def change(self, stand_at: datetime.datetime | None, seconds: float) -> None:
        """Stop at a moment, if one is given; then move forward (or, with a negative number, back).

        :raises RefusalError: The clock would leave the years 1970 to 9899; nothing is changed.
        """
        stands_at = self._stands_at if stand_at is None else stand_at
        try:
            step = datetime.timedelta(seconds=seconds)
            offset = self._offset + step
            shown = (stands_at or datetime.datetime.now(datetime.UTC) + self._offset) + step
        except OverflowError:
            raise _out_of_range("advance_s") from None
        if not _EARLIEST <= shown < _LATEST:
            raise _out_of_range("advance_s" if seconds else "now")
        self._stands_at, self._offset = (None if stands_at is None else shown), offset


def _out_of_range(field: str) -> RefusalError:
    return RefusalError(Reason.MALFORMED, f"{field}: the clock would leave the years 1970 to 9899")
