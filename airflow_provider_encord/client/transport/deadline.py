"""How long one attempt may take in all.

``read_timeout`` limits each silence. A server that sends a byte now and then is never silent, so an attempt has a limit
of its own: ``total_timeout``, and for every byte that moves the time that it takes at `SLOWEST`. So a large answer or
upload that keeps flowing is not ended, and one that drips is.
"""

from __future__ import annotations

import time
from collections.abc import Callable

SLOWEST = 16 * 1024  # bytes per second; what is slower than this over a whole attempt is ended


class Deadline:
    """When an attempt ends.

    :param seconds: How long it may take, beside the time for the bytes that move.
    :param clock: A monotonic clock in seconds.
    """

    __slots__ = ("_clock", "_end")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._end = clock() + seconds

    def moved(self, size: int) -> None:
        """So many bytes were sent or received."""
        self._end += size / SLOWEST

    @property
    def left(self) -> float:
        """Seconds until it ends; 0 or less when it is over."""
        return self._end - self._clock()

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return self.left <= 0
