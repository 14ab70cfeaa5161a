"""The report of a registration: a file of the lines that the module `lines` makes.

The units of a job are written before the job starts (`SentUnit`), so the source does not have to be read again for the
report.

Each job has a part; see `report_files`. Lines of earlier runs about other units are kept, and ids from earlier lines,
because Encord's result does not contain files that it skips. Only files that this module wrote are replaced or deleted.
"""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.attempts import CLAIM_FILE, Claim, is_claim
from airflow_provider_encord.client.api.core.data_items import Unit
from airflow_provider_encord.client.api.uploads import DONE, UploadJob
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.fresh_listings import content_now
from airflow_provider_encord.registration.cloud import title_of, urls_of
from airflow_provider_encord.registration.lines import (
    OPERATION,
    RegistrationLine,
    SentUnit,
    ambiguous_items,
    key_of,
    registration_lines,
    urls_of_items,
    with_id,
)
from airflow_provider_encord.registration.registered_groups import Registered
from airflow_provider_encord.report_files import ReportFiles, part_name, part_pattern
from airflow_provider_encord.reports import LineReader, encode_lines
from airflow_provider_encord.sources.rows import json_lines
from airflow_provider_encord.storage_paths import UNFINISHED_PATTERN, require_replaceable, storage_errors

log = logging.getLogger(__name__)

_MOST_IN_MEMORY = 16 * 2**20  # bytes
_SENT = "sent.jsonl"  # suffix of the parts with the units of a job
_IS_PART, _IS_SENT = re.compile(part_pattern()), re.compile(part_pattern(suffix=_SENT))
_UNFINISHED = re.compile(rf"({part_pattern()}|{part_pattern(suffix=_SENT)}|claim\.json){UNFINISHED_PATTERN}")
_LINE = LineReader(RegistrationLine, OPERATION)
_SENT_UNIT = msgspec.json.Decoder(SentUnit)


def settle(report: RegistrationReport | None, claim: Claim) -> None:
    """Write what is known into the report at the end of an attempt, and release the claim on it.

    It raises nothing, as the attempt has its own error; what goes wrong is logged.

    :param report: None if the attempt failed before it knew where it registers.
    """
    if not claim.stands:
        return
    try:
        try:
            if report is not None:
                report.publish()
        finally:
            claim.release()
        if report is not None:
            report.tidy()
    except Exception as error:  # noqa: BLE001 - see above
        log.warning("The report is not written: %s", error)


class RegistrationReport:
    """A report and its parts.

    :param path: Path object of the report.
    :param dataset: Id of the dataset; None for a folder.
    :param folder: Id of the folder, if there is no dataset.
    """

    def __init__(self, path: Any, *, dataset: str | None = None, folder: str | None = None):
        self._files = ReportFiles(path)
        self._dataset, self._folder = dataset, None if dataset else folder

    @property
    def claim_path(self) -> Any:
        """The file that claims the report for one task."""
        return self._files.claim_path

    def require_ours(self) -> None:
        """Check that the report can be written, and replaces at most an earlier report.

        :raises InvalidArgumentError: The path contains something else.
        """
        for path in (self._files.path, self._files.known_path):
            require_replaceable(path, "report", _LINE.decode, "a report of a registration")
        foreign = next((path for path in self._files.files() if not self._is_ours(path)), None)
        if foreign is not None:
            raise InvalidArgumentError(
                f"report: {self._files.directory} contains {foreign.name[:80]!r}, which is not part of a report. "
                "Use another file for the report, or delete that directory."
            )

    def keep_earlier(self) -> None:
        """Keep the parts of an earlier attempt, before this attempt writes its own."""
        parts = self._files.parts()
        if not parts:
            return
        of_parts = {key_of(line) for path in parts for line in _lines(path)}
        self._write_known(of_parts, first=parts, earlier=[self._files.known_path])
        self._files.remove(parts)

    @property
    def has_open_part(self) -> bool:
        """Whether an earlier attempt has written no outcome of a job that it had started or was about to start."""
        return bool(self._files.parts(suffix=_SENT))

    def open_part(self, number: int, units: Iterable[Unit], present: Mapping[int, Registered]) -> None:
        """Write the units of the next job, before it starts.

        :param present: The units that exist already, by position.
        """
        sent = (_sent(unit, present.get(at)) for at, unit in enumerate(units))
        self._files.write(_sent_name(number), (msgspec.json.encode(item) + b"\n" for item in sent))

    def sent(self, number: int) -> list[SentUnit]:
        """The units of a job."""
        rows = json_lines(self._files.directory / _sent_name(number), "report")
        return [msgspec.convert(row.fields, SentUnit) for row in rows]

    def drop_part(self, number: int) -> None:
        """Delete the units of a job that certainly did not start."""
        self._files.remove([self._files.directory / _sent_name(number)])

    def drop_open_parts(self) -> None:
        """Delete the units of jobs without a written outcome."""
        self._files.remove(self._files.parts(suffix=_SENT))

    def write_outcomes(self, number: int, answer: UploadJob) -> Flow[None]:
        """Write the outcomes of a job that has ended."""
        sent, urls = self.sent(number), {}
        try:
            urls = yield from urls_of_items(ambiguous_items(sent, answer))
        except EncordError as error:
            log.warning("Units with the same title have no id in the report, because items cannot be read: %s", error)
        self.close_part(number, registration_lines(sent, answer, urls), all_ended=answer.status == DONE)

    def close_part(self, number: int, lines: Iterable[RegistrationLine], *, all_ended: bool = True) -> None:
        """Write the outcomes of a job.

        :param all_ended: Whether the job has processed all its units. If so, it skipped the units that it does not
            return.
        """
        target = {"dataset_id": self._dataset, "folder_id": self._folder}
        ours = [msgspec.structs.replace(line, **target) for line in lines]
        known = self._known_ids({key_of(line) for line in ours if line.id is None})
        written = (with_id(line, known.get(key_of(line)), all_ended) for line in ours)
        self._files.write(part_name(number), encode_lines(written))
        self.drop_part(number)

    def finish(self) -> None:
        """Write the complete report, and delete the parts."""
        self.publish()
        self._files.clear([*self._files.parts(), *self._files.parts(suffix=_SENT)])

    def publish(self) -> None:
        """Write the report from the parts, if there are any. It replaces the report of an earlier run."""
        parts = self._files.parts()
        if not parts:
            return
        of_parts = {key_of(line) for path in parts for line in _lines(path)}
        # First, so that a kill between the two steps loses nothing. The known lines are newer than the report.
        self._write_known(of_parts, earlier=[self._files.known_path, self._files.path])
        self._files.write_report(encode_lines(line for path in parts for line in _lines(path)))

    def tidy(self) -> None:
        """Remove the directory of the parts if it is empty."""
        self._files.tidy()

    def _is_ours(self, path: Any) -> bool:
        """Whether a file that was listed is part of a report. One that is gone was: its task has just ended."""
        if _UNFINISHED.fullmatch(path.name):
            return True
        with storage_errors("report", path):
            if path.is_dir():
                return False
            if path.name == CLAIM_FILE:
                content = content_now(path, "report")
                return content is None or is_claim(content)
        if not _IS_SENT.fullmatch(path.name) and not _IS_PART.fullmatch(path.name):
            return False
        decode = _SENT_UNIT.decode if _IS_SENT.fullmatch(path.name) else _LINE.decode
        with storage_errors("report", path):
            try:
                with path.open("rb") as file:
                    first = file.readline()
            except FileNotFoundError:
                return True
        try:
            decode(first)
        except NOT_JSON:
            return not first
        return True

    def _known_ids(self, wanted: Collection[bytes]) -> dict[bytes, str]:
        """The ids of units from earlier lines."""
        found: dict[bytes, str] = {}
        for line in self._earlier_lines([self._files.known_path, self._files.path]) if wanted else ():
            if line.id is not None and (key := key_of(line)) in wanted:
                found.setdefault(key, line.id)
        return found

    def _earlier_lines(self, paths: Iterable[Any]) -> Iterator[RegistrationLine]:
        for path in paths:
            with storage_errors("report", path):
                there = path.exists()
            if there:
                yield from _lines(path)

    def _write_known(self, replaced: set[bytes], *, earlier: Iterable[Any], first: Iterable[Any] = ()) -> None:
        """Write the lines of earlier runs, one per unit.

        :param replaced: Units that have newer lines.
        :param earlier: Files with earlier lines, the newest first.
        :param first: Files whose lines are preferred.
        """
        seen = set(replaced)
        # To another file first: a store may empty an object when it is opened for writing, while it is still being
        # read.
        with tempfile.SpooledTemporaryFile(max_size=_MOST_IN_MEMORY) as aside:
            for path in first:
                aside.writelines(encode_lines(_lines(path)))
            for line in self._earlier_lines(earlier):
                if (key := key_of(line)) not in seen:
                    seen.add(key)
                    aside.writelines(encode_lines([line]))
            if aside.tell():
                aside.seek(0)
                self._files.write_known(aside)
                return
        self._files.write_known(None)


def _lines(path: Any) -> Iterator[RegistrationLine]:
    for row in json_lines(path, "report"):
        try:
            yield _LINE.convert(row.fields)
        except msgspec.ValidationError as error:
            raise InvalidArgumentError(
                f"report: {path}, {row.where}: it is not a line of a report: {error}. Delete the file, or use "
                "another report."
            ) from None


def _sent(unit: Unit, present: Registered | None) -> SentUnit:
    known = () if present is None else (present.id, present.matched_by, present.note)
    return SentUnit(urls_of(unit), title_of(unit), *known)


def _sent_name(number: int) -> str:
    return part_name(number, suffix=_SENT)
