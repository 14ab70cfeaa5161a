"""How much the emulator takes: requests in a minute, label rows in a request, entries on a page."""

from __future__ import annotations

import collections
import math

from ..wire.errors import Reason, RefusalError
from .clock import Clock

DEFAULT_LABEL_ROWS = 1000
DEFAULT_PAGE = 100
_MINUTE = 60.0


class Limits:
    """The settings of ``/_emulator/limits``, and the requests of the last minute."""

    def __init__(self) -> None:
        self.requests_per_minute: int | None = None
        self.label_rows_per_request = DEFAULT_LABEL_ROWS
        self.page_size = DEFAULT_PAGE
        self._recent: collections.deque[float] = collections.deque()

    def settings(self) -> dict[str, int | None]:
        """The settings as the control answers them."""
        return {
            "requests_per_minute": self.requests_per_minute,
            "label_rows_per_request": self.label_rows_per_request,
            "page_size": self.page_size,
        }

    def check_label_rows(self, count: int) -> None:
        """:raises RefusalError: So many label rows are too many for one request; the payload says how many are not."""
        if count > self.label_rows_per_request:
            payload = {"maximum_labels_allowed": self.label_rows_per_request}
            raise RefusalError(
                Reason.TOO_MANY_LABELS, f"at most {self.label_rows_per_request} label rows at once", payload
            )

    def set_requests_per_minute(self, allowed: int | None) -> None:
        """Count afresh from now on."""
        self.requests_per_minute = allowed
        self._recent.clear()

    def seconds_to_wait(self, clock: Clock) -> int | None:
        """``None`` if one more request is fine now (it is counted), else whole seconds until one would be."""
        if self.requests_per_minute is None:
            return None
        now = clock.elapsed()
        while self._recent and self._recent[0] <= now - _MINUTE:
            self._recent.popleft()
        if len(self._recent) < self.requests_per_minute:
            self._recent.append(now)
            return None
        if not self._recent:
            return int(_MINUTE)
        return max(1, math.ceil(self._recent[0] + _MINUTE - now))
