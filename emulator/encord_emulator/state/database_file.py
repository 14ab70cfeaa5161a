"""The file that keeps the state: it must be an emulator's, and is locked while one uses it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import sqlite3

from .schema import TABLES
from .schema_activity import TABLES as TABLES_OF_ACTIVITY
from .schema_collections import TABLES as TABLES_OF_COLLECTIONS
from .schema_models import TABLES as TABLES_OF_MODELS
from .schema_people import TABLES as TABLES_OF_PEOPLE
from .schema_webhooks import TABLES as TABLES_OF_WEBHOOKS
from .schema_workflow import TABLES as TABLES_OF_WORKFLOW

LOCK_SECONDS = 1.0
"""How long a lock of another program is waited for. Meanwhile no request is served."""
_SCHEMA = "".join(
    (
        *(TABLES, TABLES_OF_PEOPLE, TABLES_OF_WORKFLOW, TABLES_OF_ACTIVITY, TABLES_OF_WEBHOOKS, TABLES_OF_COLLECTIONS),
        TABLES_OF_MODELS,
    )
)
_SETTINGS = (
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA case_sensitive_like = ON;"
    "PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;"
)
_DEFINITIONS = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"
_UNAVAILABLE = (
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR),
    *(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN),
)


class DatabaseFileError(Exception):
    """The file cannot keep an emulator's state; the text names it and says why."""


class OwnedFile:
    """A database file that no other emulator uses until it is let go of.

    :raises DatabaseFileError: Another emulator uses it, or it cannot be a database.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        if path.exists() and not path.is_file():
            raise DatabaseFileError(f"{path} is not a file")
        try:
            # It stays open as long as the database: closing any descriptor of a file drops all of SQLite's locks on it.
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as problem:
            raise DatabaseFileError(f"{path} cannot be written: {problem.strerror}") from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise DatabaseFileError(f"another emulator uses {path}; stop it, or pass another file") from None

    def close(self) -> None:
        """Let another emulator use the file."""
        os.close(self._descriptor)


def open_database(path: pathlib.Path | None) -> sqlite3.Connection:
    """The database with all tables; in memory without a path.

    :raises DatabaseFileError: The file is not a database of this version of the emulator, or another program locks it.
    """
    connection = sqlite3.connect(path if path is not None else ":memory:", isolation_level=None, timeout=LOCK_SECONDS)
    try:
        if path is not None and path.stat().st_size:
            _check_tables(connection, path)
        connection.executescript(_SETTINGS)
        connection.executescript(_SCHEMA + "BEGIN IMMEDIATE; COMMIT;")  # refused while another program locks it
    except sqlite3.DatabaseError as problem:
        connection.close()
        raise DatabaseFileError(f"{path} cannot be used: {problem}") from None
    except DatabaseFileError:
        connection.close()
        raise
    return connection


def is_unavailable(error: sqlite3.Error) -> bool:
    """Whether the file cannot be used just now: another program locks it, or the disk is full or gone."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _UNAVAILABLE


def _check_tables(connection: sqlite3.Connection, path: pathlib.Path) -> None:
    """:raises DatabaseFileError: The tables are not exactly ours. Nothing is written."""
    with contextlib.closing(sqlite3.connect(":memory:")) as reference:
        reference.executescript(_SCHEMA)
        expected = reference.execute(_DEFINITIONS).fetchall()
    found = [tuple(row) for row in connection.execute(_DEFINITIONS)]
    if found == expected or not found:
        return
    if ("table", "settings") in [row[:2] for row in found]:
        raise DatabaseFileError(f"{path} was made by another version of the emulator; pass another file")
    raise DatabaseFileError(f"{path} is a database of another program; pass another file")
