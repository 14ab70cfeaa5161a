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

from .schema import TABLES
from .schema_activity import TABLES as TABLES_OF_ACTIVITY
from .schema_people import TABLES as TABLES_OF_PEOPLE
from .schema_workflow import TABLES as TABLES_OF_WORKFLOW

Row = sqlite3.Row


class Store:
    """A thin hand on the database.

    :param path: The database file, or ``None`` to keep everything in memory.
    """

    def __init__(self, path: pathlib.Path | None = None) -> None:
        self._connection = sqlite3.connect(path if path is not None else ":memory:", isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA case_sensitive_like = ON;"
            "PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;"
        )
        self._connection.executescript(TABLES + TABLES_OF_PEOPLE + TABLES_OF_WORKFLOW + TABLES_OF_ACTIVITY)

    def close(self) -> None:
        """Write what is pending and let go of the file."""
        self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what happens inside, or nothing. An inner one joins the outer."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

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
