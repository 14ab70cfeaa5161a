"""Where the emulator keeps its state: one SQLite database, in memory or in a file.

Everything runs in the event loop's thread, so there is one connection and no lock; a request runs in one transaction,
which is undone if the request is refused.
"""

from __future__ import annotations

import contextlib
import pathlib
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .database_file import OwnedFile, open_database

Row = sqlite3.Row


class Store:
    """A thin hand on the database.

    :param path: The database file, or ``None`` to keep everything in memory.
    :raises DatabaseFileError: The file cannot be used.
    """

    def __init__(self, path: pathlib.Path | None = None) -> None:
        self._file = None if path is None else OwnedFile(path)
        try:
            self._connection = open_database(path)
        except BaseException:
            self._let_go()
            raise
        self._connection.row_factory = sqlite3.Row

    def close(self) -> None:
        """Write what is pending and let go of the file."""
        self._connection.close()
        self._let_go()

    def _let_go(self) -> None:
        if self._file is not None:
            self._file.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what happens inside, or nothing. An inner one joins the outer."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def all(self, sql: str, *values: Any) -> list[Row]:
        """Every row that a query finds."""
        return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> Row | None:
        """The first row that a query finds."""
        row: Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def value(self, sql: str, *values: Any) -> Any:
        """The first column of the first row, or ``None``."""
        row = self.one(sql, *values)
        return None if row is None else row[0]

    def named(self, sql: str, **values: Any) -> Any:
        """As `value`, of a query that names its values."""
        row = self._connection.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def column(self, sql: str, *values: Any) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in self._connection.execute(sql, values)]

    def chunks(self, size: int, sql: str, *values: Any) -> Iterator[list[Row]]:
        """The rows of a query, some at a time, so that a long listing is never held twice."""
        cursor = self._connection.execute(sql, values)
        while rows := cursor.fetchmany(size):
            yield rows

    def run(self, sql: str, *values: Any) -> int:
        """Change something; how many rows it touched."""
        return self._connection.execute(sql, values).rowcount

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """The same change for many rows."""
        self._connection.executemany(sql, rows)

    def setting(self, name: str, default: str) -> str:
        """A named value; it is stored the first time that it is asked for."""
        self.run("INSERT OR IGNORE INTO settings VALUES (?, ?)", name, default)
        return str(self.value("SELECT value FROM settings WHERE name = ?", name))

    def secret(self, name: str) -> bytes:
        """A secret of this database, made when first asked for."""
        return bytes.fromhex(self.setting(name, secrets.token_hex(32)))
