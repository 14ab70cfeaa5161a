"""JSON that grows while samples are added, on a disk until its document is written."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, Any

import msgspec

_BLOCK = 2**20
_MOST_IN_MEMORY = 2**22
_WRITTEN_TOGETHER = 100


class JsonParts:
    """Values of JSON with something between them.

    :param between: The bytes between two values.
    """

    def __init__(self, between: bytes):
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_MOST_IN_MEMORY)  # noqa: SIM115 - see `blocks`
        self._between = between
        self._waiting: list[bytes] = []
        self._empty = True

    def add(self, item: Any) -> None:
        """Add a value."""
        self._waiting.append(msgspec.json.encode(item))
        if len(self._waiting) == _WRITTEN_TOGETHER:
            self._write()

    def blocks(self) -> Iterator[bytes]:
        """All values, once. The file is deleted afterwards."""
        self._write()
        self._file.seek(0)
        yield from iter(lambda: self._file.read(_BLOCK), b"")
        self._file.close()

    def _write(self) -> None:
        if self._waiting:
            self._file.write((b"" if self._empty else self._between) + self._between.join(self._waiting))
            self._waiting, self._empty = [], False
