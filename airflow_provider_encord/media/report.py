"""The report of pulled media: which file is where. It is also the index that later tasks find the files by.

A part is written after each batch, and the parts of the attempt become the report. What earlier attempts and runs
pulled is looked up in a temporary database, so memory does not grow with the number of files.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.attempts import Claim, Owner
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.media.leftovers import Leftovers
from airflow_provider_encord.report_files import ReportFiles, part_name
from airflow_provider_encord.reports import CREATED, UNCHANGED, LineReader, ReportLine, encode_lines
from airflow_provider_encord.sources.rows import json_lines
from airflow_provider_encord.storage_paths import StoragePath, blocks_of, require_writable, storage_errors

OPERATION = "pull_media"
BY_MD5, BY_SIZE, BY_LENGTH = "md5", "size", "length"


class MediaLine(ReportLine, frozen=True, kw_only=True):
    """A line of a report about one file, or one frame of a video.

    ``source`` is the title of the file, ``id`` the id of its storage item; of an image in a group, its hash.

    :param outcome: `CREATED` (pulled), `UNCHANGED` (pulled before, and still there), `NOT_FOUND` (not in Encord any
        more), `SKIPPED` (Encord has no single file for it), or `FAILED`.
    :param data_hash: Hash of the data unit; of an image group, that of the group.
    :param unit: Hash by which label rows name the file: of the data unit, or of the image in an image group. None if
        only the item is known, and for the files of DICOM series and data groups.
    :param frame: Number of the frame, if the file is a frame of a video.
    :param frames: Number of frames that were taken from the video, if the file is a frame.
    :param selection: Which frames were asked for, if the file is a frame.
    :param path: Path relative to the destination; None without a file.
    :param bytes: Size in bytes.
    :param sha256: SHA-256 of the file.
    :param checked_by: How the file was checked: `BY_MD5` (that of the object store), `BY_SIZE` (that of Encord), or
        `BY_LENGTH` (only that it arrived as far as the object store says). None if nothing could be checked: the object
        store stated neither a length nor an end, so the file may have broken off. None for frames.
    :param width: Width in pixels, if Encord states it; of a frame, that of the picture.
    :param version: What identifies the version of the file at the destination.
    """

    data_hash: str | None = None
    unit: str | None = None
    item_type: str | None = None
    frame: int | None = None
    frames: int | None = None
    selection: str | None = None
    path: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    checked_by: str | None = None
    mime_type: str | None = None
    width: int | None = None
    height: int | None = None
    version: str | None = None

    @property
    def item_id(self) -> str:
        """The id, under the name that layouts use."""
        return self.id or ""

    @property
    def title(self) -> str:
        """The title of the file."""
        return self.source

    @property
    def has_file(self) -> bool:
        """Whether the file is at the destination."""
        return self.outcome in (CREATED, UNCHANGED)


_LINE = LineReader(MediaLine, OPERATION)


class MediaReport:
    """The report of a task.

    :param owner: The task that writes it; only one task at a time may.
    :param destination: The directory of the files. What killed attempts left unfinished in it is removed.
    :raises InvalidArgumentError: The path contains something that is not a report of pulled media.
    :raises UnavailableError: Another task is writing the report.
    """

    def __init__(self, path: StoragePath, owner: Owner, destination: StoragePath):
        require_writable(path, "report")
        self._files = ReportFiles(path)
        self._claim = Claim(self._files.claim_path, owner, "report")
        self._claim.take()
        self._leftovers = Leftovers(self._files, destination, owner.attempt)
        self.known = KnownFiles()
        try:
            self._leftovers.clear()
            self._earlier = self._files.parts()
            with storage_errors("report", path):
                whole = [path] if path.exists() else []
            for file in (*whole, *self._earlier):
                self.known.add(_lines_of(file))
        except BaseException:
            self.release()
            raise
        self._number = len(self._earlier)

    def keep(self) -> None:
        """Check at intervals that no other attempt has taken the report.

        :raises InvalidArgumentError: Another attempt has taken it.
        """
        self._claim.keep()

    def take(self, lines: Sequence[MediaLine]) -> None:
        """Write lines to a new part."""
        if lines:
            self._claim.check()
            self._files.write(part_name(self._number), encode_lines(lines))
            self._number += 1
            self.known.add(lines)

    def finish(self) -> None:
        """Make the parts of this attempt the report."""
        self._claim.check()
        earlier = {path.name for path in self._earlier}
        own = [path for path in self._files.parts() if path.name not in earlier]
        self._files.write_report(block for path in own for block in blocks_of(path))
        self._files.clear(self._files.parts())
        self.release()

    def release(self) -> None:
        """Release the claim. The parts are kept for the next attempt."""
        self.known.close()
        self._leftovers.end()
        self._claim.release()
        self._files.tidy()


class KnownFiles:
    """What was pulled before, by item and data unit."""

    def __init__(self) -> None:
        self._file = tempfile.NamedTemporaryFile(prefix="encord-media-")  # noqa: SIM115 - closed with the report
        self._database = sqlite3.connect(self._file.name, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE known (item TEXT, unit TEXT, frame INTEGER, line BLOB, PRIMARY KEY (item, unit, frame)) "
            "WITHOUT ROWID"
        )

    def add(self, lines: Iterable[MediaLine]) -> None:
        """Remember the files of these lines. Later lines about the same file replace earlier ones."""
        rows = ((*_key(line.id, line.unit), _frame(line), msgspec.json.encode(line)) for line in lines if line.has_file)
        self._database.execute("BEGIN")
        self._database.executemany("INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?)", rows)
        self._database.execute("COMMIT")

    def of(self, item: str, unit: str | None) -> list[MediaLine]:
        """The files of an item: one, or the frames of a video in order."""
        found = self._database.execute(
            "SELECT line FROM known WHERE item = ? AND unit = ? ORDER BY frame", _key(item, unit)
        ).fetchall()
        return [_LINE.decode(line) for (line,) in found]

    def of_another_unit(self, item: str) -> list[MediaLine]:
        """The files of an item that was pulled as another data unit, in another dataset for instance."""
        found = self._database.execute("SELECT unit FROM known WHERE item = ? LIMIT 1", (item,)).fetchone()
        return self.of(item, found[0]) if found else []

    def close(self) -> None:
        """Delete the database."""
        self._database.close()
        self._file.close()


def read_media(path: StoragePath, argument: str) -> Iterator[MediaLine]:
    """The lines of a report.

    :param argument: The argument that it is, for messages.
    :raises InvalidArgumentError: It is not a report of pulled media.
    """
    for row in json_lines(path, argument):
        try:
            yield _LINE.convert(row.fields, argument)
        except msgspec.ValidationError:
            raise InvalidArgumentError(
                f"{argument}: {path}, {row.where}: it is not a line of a report of pulled media. Use another file."
            ) from None


def _lines_of(path: Any) -> Iterator[MediaLine]:
    return read_media(path, "report")


def _key(item: str | None, unit: str | None) -> tuple[str, str]:
    return item or "", unit or ""


def _frame(line: MediaLine) -> int:
    return -1 if line.frame is None else line.frame
