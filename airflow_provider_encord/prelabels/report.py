"""The report of an import: parts while outcomes arrive, and one file at the end; see `report_files`.

A report is also evidence for the next import, because it contains what was saved to each label row. A row with exactly
these labels was not edited since, so it may be updated. Any other row with labels was edited by people. So the labels
are recorded before they are saved (an intent), in case the worker dies before the outcome is written. Lines of earlier
imports about other rows are kept.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from airflow_provider_encord.attempts import Claim, Owner
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.report_files import ReportFiles, part_name
from airflow_provider_encord.reports import (
    CONFLICT,
    CREATED,
    FAILED,
    SKIPPED,
    UNCHANGED,
    UPDATED,
    LineReader,
    ReportLine,
    encode_lines,
)
from airflow_provider_encord.sources.rows import json_lines
from airflow_provider_encord.storage_paths import StoragePath, require_writable, storage_errors

OPERATION = "import_labels"
KEPT = "kept"  # name of a count of rows; not an outcome
OUTCOMES_OF_IMPORTS = (CREATED, UPDATED, UNCHANGED, SKIPPED, CONFLICT, FAILED)
SAVED = (CREATED, UPDATED, UNCHANGED)
"""The outcomes of rows that now have the labels."""
_NAMED = 20
_INTENT = "intent"  # stem of the parts with intents


class ImportLine(ReportLine, frozen=True, kw_only=True):
    """A line of a report about one line of the source.

    ``source`` is the file and line; or the title of the data unit, if a function made the labels. ``id`` is the label
    hash of the row.

    :param outcome: `CREATED` (the label row, with the labels), `UPDATED`, `UNCHANGED`, `SKIPPED`, `CONFLICT` (somebody
        edited the row, so it was left alone) or `FAILED`.
    :param label_row_created: Whether the label row was created, even if the labels were not saved to it.
    :param annotations: Number of annotations of the row from this source.
    :param note: What was not done with a row that was saved.
    :param content: Hash of all labels of the row after the save; None if they are not known.
    :param own_labels: Hashes of the labels that are from imports, if the row also has other labels; None if all labels
        of the row are from imports.
    :param kept: Number of labels that exist in the row with another content and were not changed.
    :param previous_state: Hash of the labels and the edit time of the row before the save.
    :param dropped: Number of annotations of the source that were left out, by reason: ``class_map``,
        ``score_threshold``, ``duplicate``, ``attribute`` (answers). ``clipped`` counts objects that were moved to the
        edge of the image.
    """

    data_hash: str | None
    label_row_created: bool = False
    annotations: int = 0
    note: str | None = None
    content: str | None = None
    own_labels: list[str] | None = None
    kept: int = 0
    previous_state: str | None = None
    dropped: dict[str, int] = msgspec.field(default_factory=dict)


class IntendedLine(ImportLine, frozen=True, kw_only=True):
    """A line about labels that an import was about to save.

    It occurs in parts, and in the known lines of ended imports.
    """

    intended: bool = True  # always; the oldest msgspec that is allowed takes no Literal[True]


_LINE = LineReader(ImportLine, OPERATION)
_INTENDED = LineReader(IntendedLine, OPERATION)


class ImportReport:
    """The report of an import.

    :param path: Path of the report; None to keep only counts.
    :param owner: The task that writes the report; only one task at a time may. None writes without a claim.
    :raises InvalidArgumentError: The path contains something that is not a report of an import.
    :raises UnavailableError: Another task is writing the report.
    """

    def __init__(self, path: StoragePath | None, owner: Owner | None = None):
        self._files = None if path is None else ReportFiles(path)
        self._parts: list[StoragePath] = []
        self._claim: Claim | None = None
        self.counts: collections.Counter[str] = collections.Counter()
        self.dropped: collections.Counter[str] = collections.Counter()
        self.failures: list[ImportLine] = []
        self.saved_before: dict[str, str] = {}
        """By label hash: the hash of the labels that earlier imports saved."""
        self.intended: dict[str, set[str]] = {}
        """By label hash: the hashes of the labels that earlier imports were about to save when they ended."""
        self._replaced: dict[str, set[str]] = {}
        """By label hash: the states of the row before earlier imports, which ended early, were about to save it."""
        self._known: dict[str, list[ImportLine]] = {}  # by label hash
        self._pending: dict[str, ImportLine] = {}  # intents of this import
        self._recorded: set[str] = set()  # label hashes
        if self._files is None:
            return
        require_writable(path, "report")
        if owner is not None:
            self._claim = Claim(self._files.claim_path, owner, "report")
            self._claim.take()  # before the read; otherwise, lines of the task that holds the claim would be missed
        try:
            self._read_earlier(self._files)
            self._number = len(self._files.parts())
            self._intents = len(self._files.parts(_INTENT))
        except BaseException:
            self.release()
            raise

    def check(self) -> None:
        """Check, before anything is saved to Encord, that no other attempt has taken the report.

        :raises InvalidArgumentError: Another attempt has taken it.
        """
        if self._claim is not None:
            self._claim.check()

    def keep(self) -> None:
        """Do the same as `check`, but only at intervals.

        It is called for each line, because a model may need long for it.
        """
        if self._claim is not None:
            self._claim.keep()

    def evidence(self, label_hash: str, content: str) -> ImportLine | None:
        """The line that shows that an import saved this content to a row, so that it was not edited since.

        :param content: Hash of the present labels of the row.
        """
        pending = self._pending.get(label_hash)
        lines = [*self._known.get(label_hash, ()), *([pending] if pending else [])]
        return next((line for line in reversed(lines) if line.content == content), None)

    def is_edited(self, label_hash: str, content: str, state: str) -> bool:
        """Whether somebody has edited a row since an import saved it or may have saved it.

        :param content: Hash of the present labels of the row.
        :param state: Hash of its present labels and edit time.
        """
        if self.evidence(label_hash, content) is not None:
            return False
        replaced = self._replaced.get(label_hash)
        return label_hash in self.saved_before or (replaced is not None and state not in replaced)

    def intend(self, outcomes: Sequence[ImportLine]) -> None:
        """Record the labels that are about to be saved. If this worker dies, the next import knows where they are from.

        :param outcomes: The outcomes if the save succeeds.
        """
        if self._files is None:
            return
        self.check()
        intents = [IntendedLine(**msgspec.structs.asdict(outcome)) for outcome in outcomes]
        self._files.write(part_name(self._intents, _INTENT), encode_lines(intents))
        self._intents += 1
        self._pending |= {intent.id: intent for intent in intents if intent.id}

    def withdraw(self, label_hashes: Iterable[str]) -> None:
        """Remove the intents of rows that were not saved."""
        for label_hash in label_hashes:
            self._pending.pop(label_hash, None)

    def take(self, outcomes: Sequence[ImportLine]) -> None:
        """Write outcomes to a new part."""
        for outcome in outcomes:
            self.counts[outcome.outcome] += 1
            self.counts[KEPT] += bool(outcome.kept)
            self.dropped.update(outcome.dropped)
        self.failures += [outcome for outcome in outcomes if outcome.outcome == FAILED][
            : max(0, _NAMED - len(self.failures))
        ]
        if self._files is None or not outcomes:
            return
        self.check()
        self._parts.append(self._files.write(part_name(self._number), encode_lines(outcomes)))
        self._number += 1
        self._recorded |= {outcome.id for outcome in outcomes if outcome.id and outcome.content}

    @property
    def begun(self) -> bool:
        """Whether the outcome of any row is known."""
        return bool(self.counts)

    def finish(self) -> None:
        """Combine the parts into the report, which replaces that of an earlier import, and release the claim."""
        if self._files is None:
            return
        self.check()
        self._keep_earlier(self._files)  # first, so that a kill between the two steps loses nothing
        self._files.write_report(self._contents())
        self._files.clear([*self._files.parts(_INTENT), *self._files.parts()])
        self.release()

    def release(self) -> None:
        """Release the claim, so that other tasks can write the report. The parts are kept for the next attempt."""
        if self._files is None:
            return
        if self._claim is not None:
            self._claim.release()
        self._files.tidy()

    def _keep_earlier(self, files: ReportFiles) -> None:
        """Keep the earlier lines about rows that are not in this report."""
        lines = [line for known in self._known.values() for line in known] + list(self._pending.values())
        kept = [line for line in lines if line.id not in self._recorded]
        files.write_known(encode_lines(kept) if kept else None)

    def _read_earlier(self, files: ReportFiles) -> None:
        with storage_errors("report", files.path):
            whole = [path for path in (files.known_path, files.path) if path.exists()]
        parts = files.parts()
        # Only an outcome with the same content settles an intent; other outcomes of the row do not.
        settled = {(line.id, line.content) for file in parts for line in self._lines(file)}
        for file in [*whole, *parts]:
            self._learn(self._lines(file))
        for file in files.parts(_INTENT):
            self._learn(line for line in self._lines(file) if (line.id, line.content) not in settled)

    def _learn(self, lines: Iterable[ImportLine]) -> None:
        """Add the evidence of lines about the labels of rows."""
        for line in lines:
            if not line.id or not line.content:
                continue
            if isinstance(line, IntendedLine):
                self.intended.setdefault(line.id, set()).add(line.content)
                self._known.setdefault(line.id, []).append(line)
                if line.previous_state:
                    self._replaced.setdefault(line.id, set()).add(line.previous_state)
            else:
                self.saved_before[line.id] = line.content
                self.intended.pop(line.id, None)
                self._replaced.pop(line.id, None)
                self._known[line.id] = [line]

    def _lines(self, file: StoragePath) -> Iterator[ImportLine]:
        for row in json_lines(file, "report"):
            try:
                intended = isinstance(row.fields, Mapping) and row.fields.get("intended")
                line: ImportLine = (_INTENDED if intended else _LINE).convert(row.fields)
            except msgspec.ValidationError:
                raise InvalidArgumentError(
                    f"report: {file}, {row.where}: it is not a line of a report of an import. Use another file."
                ) from None
            yield line

    def _contents(self) -> Iterator[bytes]:
        for part in self._parts:
            yield part.read_bytes()
