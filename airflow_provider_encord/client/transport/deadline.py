"""The time limit of one attempt.

``read_timeout`` limits the time between two bytes. A server that sends single bytes now and then never exceeds it. So
each attempt also has a total limit: ``total_timeout``, plus for each byte the time that it takes at the speed
`SLOWEST`. A large response or upload at normal speed does not reach this limit; a very slow one does.
"""

from __future__ import annotations

import time
from collections.abc import Callable

SLOWEST = 16 * 1024  # bytes per second; an attempt that is slower on average is ended


class Deadline:
    """When an attempt ends.

    :param seconds: Seconds that it may take, not counting the time for the bytes.
    :param clock: A monotonic clock in seconds.
    """

    __slots__ = ("_clock", "_end")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._end = clock() + seconds

    def moved(self, size: int) -> None:
        """Extend the deadline, because bytes were sent or received.

        :param size: Number of bytes.
        """
        self._end += size / SLOWEST

    @property
    def left(self) -> float:
        """Seconds until the deadline; 0 or less when it is over."""
        return self._end - self._clock()

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return self.left <= 0
