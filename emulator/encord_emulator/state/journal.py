"""What was asked of the emulator, for assertions such as "nothing that only reads sends a change".

An entry never holds a secret: no body, no signature, no key (eight digits name a credential), and no query of a signed
URL. Whether a request changes anything is read from the table of operations, not from the client.
"""

from __future__ import annotations

import collections
from typing import Any

KEPT = 200_000
"""So many entries are kept; older ones are forgotten."""


class Journal:
    """The entries, oldest first; ids only grow."""

    def __init__(self) -> None:
        self._entries: collections.deque[dict[str, Any]] = collections.deque(maxlen=KEPT)
        self._last = 0

    def add(self, entry: dict[str, Any]) -> None:
        """Note one request, under the next id."""
        self._last += 1
        self._entries.append({"id": self._last, **entry})

    def since(self, last_seen: int) -> list[dict[str, Any]]:
        """The entries with a higher id than ``last_seen``."""
        return [entry for entry in self._entries if entry["id"] > last_seen]

    def clear(self) -> int:
        """Forget everything; how many entries that were."""
        count = len(self._entries)
        self._entries.clear()
        return count
