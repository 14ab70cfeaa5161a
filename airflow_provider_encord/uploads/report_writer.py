"""Writing the report of an upload: parts while outcomes arrive, one file at the end; see `report_files`.

The checkpoints of running jobs are beside the parts. If an attempt is killed, the next one reads both, on any machine.

The report contains the files of the last run. Lines of earlier runs about other files (or other content) are kept, so
that a run for an earlier date recognises its rows.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from airflow_provider_encord.attempts import Claim, Owner
from airflow_provider_encord.report_files import ReportFiles, part_name
from airflow_provider_encord.reports import encode_lines
from airflow_provider_encord.sources.files import SourceFile, uri_of
from airflow_provider_encord.storage_paths import UNFINISHED_PATTERN, require_writable, storage_errors
from airflow_provider_encord.uploads.content import checksum_of
from airflow_provider_encord.uploads.evidence import Evidence
from airflow_provider_encord.uploads.notes import JobCheckpoints
from airflow_provider_encord.uploads.outcome import FileOutcome
from airflow_provider_encord.uploads.report import (
    UploadLine,
    earlier_lines,
    lines_of,
    upload_line,
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
        self._files, self._target, self._clock = ReportFiles(path), {"dataset": dataset, "folder": folder}, clock
        self._waiting: list[FileOutcome] = []
        self._written = clock()
        require_writable(path, "report")
        self._claim = Claim(self._files.claim_path, owner, "report")
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
        lines = [upload_line(outcome, **self._target, checksums=self._checksums) for outcome in self._waiting]
        self._files.write(part_name(self._number), encode_lines([*learned, *lines]))
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
        self._files.write_report(encode_lines(lines))
        self._files.clear(self._files.parts())
        if not unfinished:
            self._files.remove([self._notes])
        self.release()

    def _keep_earlier(self, current: set[str | None]) -> None:
        """Keep the earlier lines about rows that are not in this report."""
        kept = [line for key, line in self._known.items() if key not in current]
        self._files.write_known(encode_lines(kept) if kept else None)

    def release(self) -> None:
        """Let other tasks write this report."""
        self._claim.release()
        self._files.tidy()

    def _learned(self) -> list[UploadLine]:
        """The lines that were learned about earlier attempts since the last call."""
        learned, self.evidence.learned = self.evidence.learned, []
        self._known |= {line.id: line for line in learned if line.id}
        self._checksums |= {line.id: str(line.sha256) for line in learned if line.id}
        return learned

    def _earlier(self) -> tuple[list[UploadLine], int]:
        """The lines of earlier attempts, and the number of parts."""
        lines = earlier_lines(self._files.known_path) + earlier_lines(self._files.path)
        left = self._files.parts()
        for part in left:
            with storage_errors("report", part), part.open("rb") as file:
                lines += lines_of(file, part)
        return lines, len(left)

    @property
    def _notes(self) -> Any:
        return self._files.directory / _NOTES

    def _read_notes(self) -> bytes | None:
        return self._files.read(_NOTES)

    def _write_notes(self, content: bytes) -> None:
        self._claim.check()  # a checkpoint is written before each job, so a process without the claim starts none
        self.flush()  # outcomes whose checkpoint is deleted must be in the report
        self._files.write(_NOTES, [content])
        self._claim.check()  # check again, because the next step starts a job

    def _erase_notes(self) -> None:
        self._claim.check()  # they may belong to another attempt now
        self.flush()
        self._files.remove([self._notes])
