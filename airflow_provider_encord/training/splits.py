"""Which split a sample is in: decided by a hash of its key alone, so it stays the same while data are added.

All samples with the same key are in the same split. The key is the data hash of the label row, so the frames of a video
and the images of a group stay together; or a value of the client metadata, such as a scene.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from airflow_provider_encord.client.errors import InvalidArgumentError

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TOLERANCE = 1e-6
_BITS = 64


class Splits:
    """Assigns splits.

    :param shares: The share of each split; they add up to 1.
    :param seed: Another seed gives another assignment.
    :raises InvalidArgumentError: The shares are not usable.
    """

    def __init__(self, shares: Mapping[str, Any], seed: str = ""):
        if not shares:
            raise InvalidArgumentError("split: it is empty. Pass shares that add up to 1, such as {'train': 1.0}.")
        for name, share in shares.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise InvalidArgumentError(f"split: {str(name)[:80]!r} is not a name of letters, digits, - and _.")
            if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
                raise InvalidArgumentError(f"split: the share of {name!r} is not a number above 0 and up to 1.")
        if len({name.casefold() for name in shares}) < len(shares):
            raise InvalidArgumentError("split: two names differ only in upper and lower case. Give one another name.")
        total = sum(shares.values())
        if abs(total - 1) > _TOLERANCE:
            raise InvalidArgumentError(f"split: the shares add up to {total:g}, not to 1.")
        self.names = list(shares)
        self.shares = {name: float(share) for name, share in shares.items()}
        self.seed = seed
        self._ends: list[tuple[float, str]] = []
        end = 0.0
        for name, share in shares.items():
            end += share
            self._ends.append((end, name))

    def of(self, key: str) -> str:
        """The split of all samples with this key."""
        digest = hashlib.sha256(f"{self.seed}\0{key}".encode()).digest()
        place = int.from_bytes(digest[: _BITS // 8]) / 2**_BITS
        return next((name for end, name in self._ends if place < end), self.names[-1])
