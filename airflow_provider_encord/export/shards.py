"""Files of label rows, one row a line, each file up to a given size.

Where a file ends depends on the rows and their order alone, not on the bundles they came in, so the same rows give the
same files. Rows are not parsed: a newline cannot occur inside a JSON string, so those between the tokens are turned
into blanks, and every other byte stays as Encord sent it. (U+2028 may occur inside a string. It ends a line for
`str.splitlines`, but not in JSON Lines.)
"""

from __future__ import annotations

import hashlib
import re
from types import TracebackType
from typing import Self

from airflow_provider_encord.defaults import SHARD_BYTES
from airflow_provider_encord.export.manifest import Shard
from airflow_provider_encord.storage_paths import BinaryWriter, StoragePath, storage_errors

SHARD_NAME = re.compile(r"labels-\d{5,}\.jsonl")
_WRITE_BYTES = 2**20  # Airflow notes lineage at each write, which costs more than the write of a small row


def shard_name(number: int) -> str:
    """The file name of a shard, counted from 0."""
    return f"labels-{number:05d}.jsonl"


def one_line(row: bytes) -> bytes:
    """A JSON value as a line, with its newline."""
    return row.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"


class _OpenShard:
    """A shard that is being written."""

    def __init__(self, directory: StoragePath, name: str):
        self._name, self._directory = name, directory
        with storage_errors("destination", directory):
            self._file: BinaryWriter = (directory / name).open("wb")
        self._waiting = bytearray()
        self._digest = hashlib.sha256()
        self._rows = 0
        self.bytes = 0

    def write(self, line: bytes) -> None:
        self._waiting += line
        self._rows += 1
        self.bytes += len(line)
        if len(self._waiting) >= _WRITE_BYTES:
            self._flush()

    def finish(self) -> Shard:
        try:
            self._flush()
        finally:
            with storage_errors("destination", self._directory):
                self._file.close()
        return Shard(name=self._name, rows=self._rows, bytes=self.bytes, sha256=self._digest.hexdigest())

    def abandon(self) -> None:
        self._file.close()

    def _flush(self) -> None:
        waiting, self._waiting = bytes(self._waiting), bytearray()
        self._digest.update(waiting)
        with storage_errors("destination", self._directory):
            self._file.write(waiting)


class ShardWriter:
    """Writes rows to shards. Use it in a ``with``; what it wrote is in `shards` afterwards.

    :param directory: Exists already.
    :param shard_bytes: The most that a shard holds, unless one row alone is larger.
    """

    def __init__(self, directory: StoragePath, *, shard_bytes: int = SHARD_BYTES):
        if shard_bytes < 1:
            raise ValueError(f"A shard must hold at least one byte, not {shard_bytes}.")
        self._directory = directory
        self._shard_bytes = shard_bytes
        self._open: _OpenShard | None = None
        self.shards: list[Shard] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, class_: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if class_ is None:
            self._finish()
        elif self._open:
            self._open.abandon()

    def write(self, row: bytes) -> None:
        """Add a row, in a new shard if it does not fit.

        :param row: A JSON value.
        """
        line = one_line(row)
        if self._open and self._open.bytes + len(line) > self._shard_bytes:
            self._finish()
        if self._open is None:
            self._open = _OpenShard(self._directory, shard_name(len(self.shards)))
        self._open.write(line)

    def _finish(self) -> None:
        if self._open:
            shard, self._open = self._open, None
            self.shards.append(shard.finish())
