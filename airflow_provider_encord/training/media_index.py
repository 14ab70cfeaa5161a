"""Where the files of data units are, by the reports of the tasks that pulled them."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections.abc import Sequence
from typing import Any

from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.media.report import read_media
from airflow_provider_encord.training.samples import File

_WHOLE = -1
_MOST_VARIABLES = 500  # in a query


class FilesOfUnits:
    """The files of some units."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, int], File] = {}

    def find(self, unit: str, frame: int | None) -> File | None:
        """The file of a unit or frame; None if it was not pulled."""
        return self.files.get((unit, _WHOLE if frame is None else frame))


class MediaIndex:
    """Finds files, in a temporary database: memory does not grow with their number.

    :param reports: Path objects of reports. The paths in them are relative to the directory of the media.
    :raises InvalidArgumentError: One of them is not a report of pulled media.
    """

    def __init__(self, reports: Sequence[Any]):
        self._file = tempfile.NamedTemporaryFile(prefix="encord-training-")  # noqa: SIM115 - closed with the index
        self._database = sqlite3.connect(self._file.name, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE files (unit TEXT, frame INTEGER, path TEXT, sha256 TEXT, mime_type TEXT, "
            "width INTEGER, height INTEGER, bytes INTEGER, PRIMARY KEY (unit, frame)) WITHOUT ROWID"
        )
        try:
            for report in reports:
                self._add(report)
        except BaseException:
            self.close()
            raise

    @property
    def fingerprint(self) -> str:
        """A hash of what is where. It does not depend on which run fetched a file, and in which order."""
        digest = hashlib.sha256()
        query = "SELECT * FROM files ORDER BY unit, frame"
        for row in self._database.execute(query):
            digest.update(repr(row).encode())
        return digest.hexdigest()

    def of(self, units: Sequence[str]) -> FilesOfUnits:
        """The files of some units, looked up together: in a process with busy threads, each look takes its time."""
        found: FilesOfUnits = FilesOfUnits()
        for some in chunks(units, _MOST_VARIABLES):
            marks = ", ".join("?" * len(some))
            query = f"SELECT * FROM files WHERE unit IN ({marks})"  # noqa: S608 - marks
            for unit, frame, *about in self._database.execute(query, some):
                found.files[unit, frame] = File(*about)
        return found

    def close(self) -> None:
        """Delete the database."""
        self._database.close()
        self._file.close()

    def _add(self, report: Any) -> None:
        self._database.execute("BEGIN")
        for line in read_media(report, "media"):
            if line.unit is None or line.path is None or not line.has_file:
                continue
            frame = _WHOLE if line.frame is None else line.frame
            self._database.execute(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (line.unit, frame, line.path, line.sha256, line.mime_type, line.width, line.height, line.bytes),
            )
        self._database.execute("COMMIT")
