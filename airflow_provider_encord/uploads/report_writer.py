"""Writing the report of an upload: parts while outcomes arrive, one file at the end.

Object stores cannot append to files. So outcomes are written as numbered parts in ``<report>.parts/``, together with
the checkpoints of running jobs. If an attempt is killed, the next one reads both, on any machine.

The report contains the files of the last run. Lines of earlier runs about other files (or other content) are kept in
``<report>.known`` in the same format, so that a run for an earlier date recognises its rows.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from airflow_provider_encord.attempts import CLAIM_FILE, Claim, Owner, remove, remove_empty, remove_unfinished
from airflow_provider_encord.reports import encode_lines
from airflow_provider_encord.sources.files import SourceFile, uri_of
from airflow_provider_encord.storage_paths import (
    UNFINISHED_PATTERN,
    is_local,
    require_writable,
    storage_errors,
    write_whole,
)
from airflow_provider_encord.uploads.content import checksum_of
from airflow_provider_encord.uploads.evidence import Evidence
from airflow_provider_encord.uploads.notes import JobCheckpoints
from airflow_provider_encord.uploads.outcome import FileOutcome
from airflow_provider_encord.uploads.report import (
    UploadLine,
    earlier_lines,
    lines_of,
    upload_line,
    write_report,
)

_LINES_PER_PART = 500
_SECONDS_PER_PART = 30.0
_NOTES = "notes.json"


def is_of_report(path: Any) -> Callable[[str], bool]:
    """A function that returns whether a URI is a file of a report.

    :param path: Path object of the report.
    """
    report = uri_of(path)
    files = re.compile(rf"{re.escape(report)}(\.known)?({UNFINISHED_PATTERN})?")
    return lambda uri: uri.startswith(f"{report}.parts/") or files.fullmatch(uri) is not None


class ReportWriter:
    """The report of one task.

    :param path: Path object of the report.
    :param dataset: Id of the dataset; None for a folder.
    :param folder: Id of the folder, if there is no dataset.
    :param owner: The task that writes the report; only one task at a time may.
    :param exists: Returns whether a file still exists at a URI.
    :raises InvalidArgumentError: The path contains something else, or cannot be written.
    :raises UnavailableError: Another task is writing the report.
    """

    def __init__(
        self,
        path: Any,
        *,
        dataset: str | None,
        folder: str | None,
        owner: Owner,
        exists: Callable[[str], bool] = lambda _: False,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._path, self._target, self._clock = path, {"dataset": dataset, "folder": folder}, clock
        self._parts = path.parent / f"{path.name}.parts"
        self._known_path = path.parent / f"{path.name}.known"
        self._waiting: list[FileOutcome] = []
        self._written = clock()
        require_writable(path, "report")
        self._claim = Claim(self._parts / CLAIM_FILE, owner, "report")
        self._claim.take()  # before the read; otherwise, lines of the task that holds the claim would be missed
        try:
            lines, self._number = self._earlier()
        except BaseException:
            self.release()
            raise
        ours = (line for line in lines if (line.dataset_id, line.folder_id) == (dataset, folder))
        self.evidence = Evidence(ours, checksum=self._checksum_of, exists=exists)
        self._known = {line.id: line for line in lines if line.id and line.sha256}
        self._checksums = self.evidence.checksums

    @property
    def checkpoints(self) -> JobCheckpoints:
        """The checkpoints, stored with the parts."""
        return JobCheckpoints(
            read=self._read_notes,
            write=self._write_notes,
            erase=self._erase_notes,
            check=self._claim.check,
            hold=self._claim.hold,
        )

    def _checksum_of(self, file: SourceFile) -> str:
        self._claim.keep()  # many large files may have to be read
        return checksum_of(file)

    def take(self, outcomes: Sequence[FileOutcome]) -> None:
        """Add outcomes; a part is written at intervals."""
        self._waiting += outcomes
        due = self._clock() - self._written >= _SECONDS_PER_PART
        if self._waiting and (due or len(self._waiting) >= _LINES_PER_PART):
            self.flush()

    def flush(self) -> None:
        """Write all outcomes that are not written yet."""
        learned = self._learned()
        if not self._waiting and not learned:
            return
        self._claim.check()
        with storage_errors("report", self._parts):
            lines = [upload_line(outcome, **self._target, checksums=self._checksums) for outcome in self._waiting]
            write_whole(self._parts / f"part-{self._number:06d}.jsonl", encode_lines([*learned, *lines]))
        self._number += 1
        self._waiting = []
        self._written = self._clock()

    def finish(self, outcomes: Iterable[FileOutcome], *, unfinished: bool) -> None:
        """Write the complete report, and delete the parts.

        :param unfinished: Whether jobs still run at Encord. Their checkpoints are then kept for the next attempt.
        """
        self._claim.check()
        self._learned()
        lines = [upload_line(outcome, **self._target, checksums=self._checksums) for outcome in outcomes]
        self._keep_earlier({line.id for line in lines})  # first, so that a kill between the two steps loses nothing
        write_report(self._path, lines)
        with storage_errors("report", self._parts):
            for part in self._left():
                remove(part)
            remove_unfinished(self._parts)
            if not unfinished:
                remove(self._parts / _NOTES)
        self.release()

    def _keep_earlier(self, current: set[str | None]) -> None:
        """Keep the earlier lines about rows that are not in this report."""
        kept = [line for key, line in self._known.items() if key not in current]
        if kept:
            write_report(self._known_path, kept)
        else:
            with storage_errors("report", self._known_path):
                remove(self._known_path)

    def release(self) -> None:
        """Let other tasks write this report."""
        self._claim.release()
        with storage_errors("report", self._parts):
            if is_local(self._parts):
                remove_empty(self._parts)

    def _learned(self) -> list[UploadLine]:
        """The lines that were learned about earlier attempts since the last call."""
        learned, self.evidence.learned = self.evidence.learned, []
        self._known |= {line.id: line for line in learned if line.id}
        self._checksums |= {line.id: str(line.sha256) for line in learned if line.id}
        return learned

    def _earlier(self) -> tuple[list[UploadLine], int]:
        """The lines of earlier attempts, and the number of parts."""
        lines = earlier_lines(self._known_path) + earlier_lines(self._path)
        with storage_errors("report", self._parts):
            left = self._left()
            for part in left:
                with part.open("rb") as file:
                    lines += lines_of(file, part)
        return lines, len(left)

    def _left(self) -> list[Any]:
        if not self._parts.exists():
            return []
        return sorted(
            (path for path in self._parts.iterdir() if path.name.startswith("part-")), key=lambda path: path.name
        )

    def _read_notes(self) -> bytes | None:
        with storage_errors("report", self._parts):
            notes = self._parts / _NOTES
            return bytes(notes.read_bytes()) if notes.exists() else None

    def _write_notes(self, content: bytes) -> None:
        self._claim.check()  # a checkpoint is written before each job, so a process without the claim starts none
        self.flush()  # outcomes whose checkpoint is deleted must be in the report
        with storage_errors("report", self._parts):
            write_whole(self._parts / _NOTES, [content])
        self._claim.check()  # check again, because the next step starts a job

    def _erase_notes(self) -> None:
        self._claim.check()  # they may belong to another attempt now
        self.flush()
        with storage_errors("report", self._parts):
            remove(self._parts / _NOTES)
