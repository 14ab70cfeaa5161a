"""JSON that grows while samples are added, on a disk until its document is written."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, Any

import msgspec

_BLOCK = 2**20
_MOST_IN_MEMORY = 2**22


class JsonParts:
    """Values of JSON with something between them.

    :param between: The bytes between two values.
    """

    def __init__(self, between: bytes):
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_MOST_IN_MEMORY)  # noqa: SIM115 - see `blocks`
        self._between = between
        self._first = True

    def add(self, item: Any) -> None:
        """Add a value."""
        self._file.write((b"" if self._first else self._between) + msgspec.json.encode(item))
        self._first = False

    def blocks(self) -> Iterator[bytes]:
        """All values, once. The file is deleted afterwards."""
        self._file.seek(0)
        yield from iter(lambda: self._file.read(_BLOCK), b"")
        self._file.close()
