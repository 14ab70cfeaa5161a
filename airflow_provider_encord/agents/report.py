"""The report of an agent: a part for each commit while it runs, and one file at the end; see `report_files`.

Lines of earlier attempts are kept, because their tasks have left the stage. The last line about a task replaces the
earlier ones. Before tasks move, their lines are written down, because a worker may die before it reports the move.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from airflow_provider_encord.attempts import Claim, Owner
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.report_files import ReportFiles, part_name
from airflow_provider_encord.reports import (
    CONFLICT,
    FAILED,
    SKIPPED,
    UNCHANGED,
    UPDATED,
    LineReader,
    Outcome,
    ReportLine,
    encode_lines,
)
from airflow_provider_encord.sources.rows import json_lines
from airflow_provider_encord.storage_paths import StoragePath, require_writable, storage_errors

OPERATION = "run_agent"
_SENT = "sent"  # stem of the part that is written right before a move, with the number of the part that follows
MOVED, LEFT, ROUTED = "moved", "left", "routed"
OUTCOMES: dict[str, Outcome] = {
    MOVED: UPDATED,
    LEFT: UNCHANGED,
    ROUTED: FAILED,
    SKIPPED: SKIPPED,
    CONFLICT: CONFLICT,
    FAILED: FAILED,
}
"""The words of the report for what an agent did with a task."""


class AgentLine(ReportLine, frozen=True, kw_only=True):
    """A line of a report about one task of an agent stage.

    ``source`` is the title of the data unit, ``id`` the id of the task.

    :param outcome: `UPDATED` (moved along a pathway), `UNCHANGED` (left in the stage, as the function decided),
        `SKIPPED` (had left the stage before), `CONFLICT` (somebody edited the labels meanwhile, so it was left), or
        `FAILED`.
    :param pathway: Title of the pathway that the task took; None if it stayed. With the outcome `FAILED`, it is the
        pathway of `on_error`.
    :param labels_saved: Whether labels were saved.
    :param kept: Number of labels of the function that exist in the row with another content and were not changed.
    :param cached: Whether the result was in the cache.
    :param url: Address of the task in Encord's web app; None if it is not known.
    """

    data_hash: str | None
    stage_id: str
    pathway: str | None = None
    labels_saved: bool = False
    kept: int = 0
    priority: float | None = None
    cached: bool = False
    url: str | None = None


_LINE = LineReader(AgentLine, OPERATION)


class AgentReport:
    """The report of an agent.

    :param path: Path of the report; None writes nothing.
    :param owner: The task that writes the report; only one task at a time may.
    :raises InvalidArgumentError: The path contains something that is not a report of an agent.
    :raises UnavailableError: Another task is writing the report.
    """

    def __init__(self, path: StoragePath | None, owner: Owner):
        self._files = None if path is None else ReportFiles(path)
        self._lines: dict[str, AgentLine] = {}
        self.in_doubt: list[AgentLine] = []
        """The lines of tasks that an earlier attempt was about to move, and whose outcome it did not report."""
        if self._files is None:
            return
        require_writable(path, "report")
        self._claim = Claim(self._files.claim_path, owner, "report")
        self._claim.take()
        try:
            self._number = len(self._files.parts())
            self._read(self._files)
        except BaseException:
            self.release()
            raise

    def check(self) -> None:
        """Check that no other attempt has taken the report.

        :raises InvalidArgumentError: Another attempt has taken it.
        """
        if self._files is not None:
            self._claim.check()

    def keep(self) -> None:
        """Do the same as `check`, but only at intervals. It is called for each answer, which may take long."""
        if self._files is not None:
            self._claim.keep()

    def sending(self, lines: Sequence[AgentLine]) -> None:
        """Write down, right before tasks move, what their lines are if they do."""
        if self._files is None or not lines:
            return
        self._claim.check()
        earlier = self._files.parts(_SENT)
        written = self._files.write(part_name(self._number, _SENT), encode_lines(lines))
        self._files.remove(path for path in earlier if path.name != written.name)

    def take(self, lines: Sequence[AgentLine]) -> None:
        """Write lines to a new part."""
        if self._files is None or not lines:
            return
        self._claim.check()
        self._files.write(part_name(self._number), encode_lines(lines))
        self._number += 1
        for line in lines:
            self._learn(line)

    def finish(self) -> None:
        """Write the report, with the lines of all attempts, and release the claim."""
        if self._files is None:
            return
        self._claim.check()
        self._files.write_report(encode_lines(self._lines.values()))
        self._files.clear([*self._files.parts(_SENT), *self._files.parts()])
        self.release()

    def release(self) -> None:
        """Release the claim, so that other tasks can write the report. The parts are kept for the next attempt."""
        if self._files is not None:
            self._claim.release()
            self._files.tidy()

    def _learn(self, line: AgentLine) -> None:
        """Remember a line. A task that an earlier attempt has moved is not in the stage, which is no news."""
        name = line.id or line.source
        if not (line.outcome == SKIPPED and name in self._lines and self._lines[name].pathway is not None):
            self._lines[name] = line

    def _read(self, files: ReportFiles) -> None:
        with storage_errors("report", files.path):
            whole = [files.path] if files.path.exists() else []
        numbers: dict[str, int] = {}  # of the last part that has a line about a task
        for number, file in enumerate([*whole, *files.parts()], start=-len(whole)):
            for line in _lines_of(file):
                self._learn(line)
                numbers[line.id or line.source] = number
        for file in files.parts(_SENT):
            sent = int(file.name.split("-")[1].split(".")[0])
            self.in_doubt += [line for line in _lines_of(file) if numbers.get(line.id or "", -1) < sent]


def _lines_of(file: StoragePath) -> Iterator[AgentLine]:
    for row in json_lines(file, "report"):
        try:
            yield _LINE.convert(row.fields)
        except msgspec.ValidationError:
            raise InvalidArgumentError(
                f"report: {file}, {row.where}: it is not a line of a report of an agent. Use another file."
            ) from None
