"""Grouping what a source has about a data unit, on the worker's disk, so that memory does not grow with the source."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from airflow_provider_encord.client.errors import UnavailableError

_AT_ONCE = 10_000  # entries to write


class Spool:
    """Entries by key. They are in a temporary file, which is removed at the end."""

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory(prefix="encord-prelabels-")
        self._database = sqlite3.connect(Path(self._directory.name) / "entries", isolation_level=None)
        self._waiting: list[tuple[str, bytes]] = []
        with _disk_errors():
            # It is read by this process only, and never after a crash.
            self._database.execute("PRAGMA journal_mode = OFF")
            self._database.execute("PRAGMA synchronous = OFF")
            self._database.execute("CREATE TABLE entries (key TEXT NOT NULL, content BLOB NOT NULL)")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._database.close()
        self._directory.cleanup()

    def add(self, key: str, content: bytes) -> None:
        """Add an entry.

        :raises UnavailableError: The disk is full.
        """
        self._waiting.append((key, content))
        if len(self._waiting) >= _AT_ONCE:
            self._write()

    def keys(self) -> Iterator[str]:
        """The keys, in the order of their first entry."""
        self._write()
        with _disk_errors():
            self._database.execute("CREATE INDEX IF NOT EXISTS by_key ON entries (key)")
            rows = self._database.execute("SELECT key FROM entries GROUP BY key ORDER BY MIN(rowid)")
            for (key,) in rows:
                yield key

    def entries(self, key: str) -> list[bytes]:
        """The entries of a key, in their order. Call `keys` first."""
        with _disk_errors():
            rows = self._database.execute("SELECT content FROM entries WHERE key = ? ORDER BY rowid", (key,))
            return [content for (content,) in rows]

    def _write(self) -> None:
        with _disk_errors():
            self._database.execute("BEGIN")
            self._database.executemany("INSERT INTO entries VALUES (?, ?)", self._waiting)
            self._database.execute("COMMIT")
        self._waiting.clear()


@contextlib.contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise UnavailableError(
            f"source: it cannot be sorted in the temporary directory {tempfile.gettempdir()} of this worker: {error}. "
            "Check its disk, and run the task again."
        ) from None
