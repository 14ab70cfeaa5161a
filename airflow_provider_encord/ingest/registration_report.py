"""The report of a registration: a line of JSON for each unit that was sent, with its outcome.

What is sent is written down before the job starts (`SentUnit`), so the report never depends on reading the source a
second time. Encord names what it made by title, and what failed by URL. A title that several units of one job share
does not identify any of them: then the URL of the made item decides, and where Encord does not return it, the line has
no id.

The parts are about the last run. Lines of earlier runs about other units are kept in ``known.jsonl``. An id that an
earlier line knows stays known: Encord's result does not name a file that it skips. Only files that this module wrote
are ever replaced or deleted; a directory with any other file is refused.
"""

from __future__ import annotations

import collections
import hashlib
import logging
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.attempts import CLAIM_FILE, is_claim, remove
from airflow_provider_encord.client.api.data_items import Unit
from airflow_provider_encord.client.api.uploads import DONE, RegisteredFile, UploadJob
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.client.resources.storage import read_items
from airflow_provider_encord.ingest.cloud import title_of, urls_of
from airflow_provider_encord.ingest.registered_groups import Registered
from airflow_provider_encord.ingest.rows import json_lines
from airflow_provider_encord.storage_paths import UNFINISHED_PATTERN, storage_errors, write_whole

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
REGISTERED = "registered"
PRESENT = "present"
SKIPPED = "skipped"
FAILED = "failed"
CANCELLED = "cancelled"
REPORT = "report"
"""By what a unit is recognised that Encord's result does not name and an earlier line does."""
_MOST_IN_MEMORY = 16 * 2**20  # bytes
_KNOWN = "known.jsonl"
_PART = re.compile(r"part-\d{6,}\.jsonl")
_SENT = re.compile(r"part-\d{6,}\.sent\.jsonl")
_UNFINISHED = re.compile(rf"(part-\d{{6,}}(\.sent)?\.jsonl|known\.jsonl|claim\.json){UNFINISHED_PATTERN}")


class SentUnit(msgspec.Struct, frozen=True):
    """A unit as it was sent.

    :param present: Its id, if it was there and therefore was not sent.
    :param matched_by: By what it was recognised; see `Registered`.
    :param note: What was not done with it.
    """

    urls: list[str]
    title: str
    present: str | None = None
    matched_by: str | None = None
    note: str | None = None


class RegistrationLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says of one unit.

    :param outcome: `REGISTERED`, `PRESENT` (a group or scene that was there), `SKIPPED` (such as a skipped duplicate),
        `FAILED` or `CANCELLED`.
    :param id: Of the data unit, in folders of the storage item; None where Encord does not return it and no earlier
        line of the report has it.
    :param matched_by: By what a unit that is `PRESENT` was recognised: ``urls``, ``title``, or `REPORT`.
    :param dataset: Id of the dataset; None if the unit was registered with a folder alone.
    :param folder: Id of the folder, in that case.
    """

    schema_version: int
    urls: list[str]
    title: str
    outcome: str
    id: str | None
    error: str | None
    matched_by: str | None = None
    dataset: str | None = None
    folder: str | None = None


class RegistrationReport:
    """The files of a report, one for each job, in a directory.

    :param directory: A path object.
    :param dataset: Id of the dataset that is registered with; None for a folder.
    :param folder: Id of the folder, where there is no dataset.
    """

    def __init__(self, directory: Any, *, dataset: str | None = None, folder: str | None = None):
        self._directory = directory
        self._dataset, self._folder = dataset, None if dataset else folder

    def require_ours(self) -> None:
        """Make sure that the directory holds nothing but a report.

        :raises InvalidArgumentError: It holds another file, or one of a name of ours with other content.
        """
        with storage_errors("report", self._directory):
            paths = self._files()
        foreign = next((path for path in paths if not self._is_ours(path)), None)
        if foreign is not None:
            raise InvalidArgumentError(
                f"report: {self._directory} holds {foreign.name[:80]!r}, which is no file of a report. Name an empty "
                "directory, or one that does not exist yet."
            )

    def keep_earlier(self) -> None:
        """Keep the lines of the last run, before its parts are replaced."""
        parts = self._parts()
        if parts:
            of_parts = {_key(line) for path in parts for line in _lines(path)}
            self._write_known(of_parts, first=parts)

    @property
    def has_open_part(self) -> bool:
        """Whether an earlier attempt was about to start a job, or had started it, and wrote no outcome."""
        with storage_errors("report", self._directory):
            return any(_SENT.fullmatch(path.name) for path in self._files())

    def open_part(self, number: int, units: Iterable[Unit], present: Mapping[int, Registered]) -> None:
        """Write down what the next job is sent, before it starts.

        :param present: The units that are there already, by position.
        """
        sent = (_sent(unit, present.get(at)) for at, unit in enumerate(units))
        self._write(_sent_name(number), (msgspec.json.encode(one) + b"\n" for one in sent))

    def sent(self, number: int) -> list[SentUnit]:
        """What a job was sent."""
        rows = json_lines(self._directory / _sent_name(number), "report")
        return [msgspec.convert(row.fields, SentUnit) for row in rows]

    def drop_part(self, number: int) -> None:
        """Forget what a job was to be sent that certainly did not start."""
        with storage_errors("report", self._directory):
            remove(self._directory / _sent_name(number))

    def drop_open_parts(self) -> None:
        """Forget what jobs were sent that wrote no outcome."""
        with storage_errors("report", self._directory):
            for path in self._files():
                if _SENT.fullmatch(path.name):
                    remove(path)

    def write_outcomes(self, number: int, answer: UploadJob) -> Flow[None]:
        """Write the outcomes of a job that has ended."""
        sent, urls = self.sent(number), {}
        try:
            urls = yield from urls_of_items(ambiguous_items(sent, answer))
        except EncordError as error:
            log.warning("Units of one title have no id in the report, as items cannot be read: %s", error)
        self.close_part(number, registration_lines(sent, answer, urls), all_ended=answer.status == DONE)

    def close_part(self, number: int, lines: Iterable[RegistrationLine], *, all_ended: bool = True) -> None:
        """Write the outcomes of a job.

        :param all_ended: Whether the job went through all of its units: then it skipped what it does not name.
        """
        target = {"dataset": self._dataset, "folder": self._folder}
        ours = [msgspec.structs.replace(line, **target) for line in lines]
        known = self._known_ids({_key(line) for line in ours if line.id is None})
        written = (_with_id(line, known.get(_key(line)), all_ended) for line in ours)
        self._write(_part_name(number), _encoded(written))
        self.drop_part(number)

    def finish(self, jobs: int) -> None:
        """Delete the files that an earlier, longer attempt left behind those of this one."""
        with storage_errors("report", self._directory):
            if not self._directory.exists():
                return
            kept = {_part_name(number) for number in range(jobs)}
            for path in self._files():
                name = path.name
                is_part = _PART.fullmatch(name) or _SENT.fullmatch(name)
                unfinished = _UNFINISHED.fullmatch(name) and not name.startswith(CLAIM_FILE)
                if (is_part and name not in kept) or unfinished:
                    remove(path)
            if not (self._directory / _KNOWN).exists():
                return
        self._write_known({_key(line) for path in self._parts() for line in _lines(path)})

    def _write(self, name: str, lines: Iterable[bytes]) -> None:
        with storage_errors("report", self._directory):
            write_whole(self._directory / name, lines)

    def _files(self) -> list[Any]:
        """What is in the directory. Some object stores list the directory itself, as a name that is empty."""
        if not self._directory.exists():
            return []
        own = self._directory.name
        return sorted((path for path in self._directory.iterdir() if path.name not in ("", own)), key=lambda p: p.name)

    def _parts(self) -> list[Any]:
        with storage_errors("report", self._directory):
            return [path for path in self._files() if _PART.fullmatch(path.name)]

    def _is_ours(self, path: Any) -> bool:
        if _UNFINISHED.fullmatch(path.name):
            return True
        with storage_errors("report", path):
            if path.is_dir():
                return False
            if path.name == CLAIM_FILE:
                return is_claim(path.read_bytes())
        type_ = SentUnit if _SENT.fullmatch(path.name) else RegistrationLine
        if type_ is RegistrationLine and not _PART.fullmatch(path.name) and path.name != _KNOWN:
            return False
        with storage_errors("report", path), path.open("rb") as file:
            first = file.readline()
        try:
            msgspec.json.decode(first, type=type_)
        except NOT_JSON:
            return not first
        return True

    def _known_lines(self) -> Iterator[RegistrationLine]:
        path = self._directory / _KNOWN
        with storage_errors("report", path):
            there = path.exists()
        if there:
            yield from _lines(path)

    def _known_ids(self, wanted: Collection[bytes]) -> dict[bytes, str]:
        """The ids that earlier lines have of units."""
        found: dict[bytes, str] = {}
        for line in self._known_lines() if wanted else ():
            if line.id is not None and (key := _key(line)) in wanted:
                found.setdefault(key, line.id)
        return found

    def _write_known(self, replaced: Collection[bytes], first: Iterable[Any] = ()) -> None:
        """Write what is known of earlier runs.

        :param replaced: Units of which newer lines are there.
        :param first: Files whose lines are kept before the others.
        """

        # Aside first: a store may empty an object when it is opened for writing, and the lines are read from it.
        with tempfile.SpooledTemporaryFile(max_size=_MOST_IN_MEMORY) as aside:
            for path in first:
                aside.writelines(_encoded(_lines(path)))
            aside.writelines(_encoded(line for line in self._known_lines() if _key(line) not in replaced))
            if aside.tell():
                aside.seek(0)
                self._write(_KNOWN, aside)
                return
        with storage_errors("report", self._directory):
            remove(self._directory / _KNOWN)


def registration_lines(
    units: Sequence[SentUnit], answer: UploadJob, url_of_item: Mapping[str, str]
) -> Iterator[RegistrationLine]:
    """The lines of one job.

    :param url_of_item: The URL of each made item whose title does not identify it, as far as Encord returns it.
    """
    titles, failures = _titles(units), answer.failures
    by_title = {one.title: one for one in answer.data_hashes_with_titles if titles[one.title] == 1}
    by_url = {url_of_item[key]: one for one in answer.data_hashes_with_titles if (key := item_of(one)) in url_of_item}
    made = collections.Counter(one.title for one in answer.data_hashes_with_titles)
    for unit in units:
        if unit.present is not None:
            yield _line(unit, PRESENT, unit.present, unit.note)
            continue
        reason = next((failures[url] for url in unit.urls if url in failures), None)
        found = by_title.get(unit.title) or next((by_url[url] for url in unit.urls if url in by_url), None)
        if reason is not None:
            outcome, found = FAILED, None
        elif found is not None or _all_were_made(unit.title, titles, made):
            outcome = REGISTERED
        else:
            outcome = CANCELLED if answer.units_cancelled_count else SKIPPED
        yield _line(unit, outcome, (found.data_hash or found.backing_item_uuid) if found else None, reason)


def ambiguous_items(units: Sequence[SentUnit], answer: UploadJob) -> list[str]:
    """The made items whose titles do not identify them."""
    titles = _titles(units)
    made = [item_of(one) for one in answer.data_hashes_with_titles if titles[one.title] > 1]
    return [item for item in made if item]


def urls_of_items(items: Sequence[str]) -> Flow[dict[str, str]]:
    """The URLs of storage items, as far as this credential can see them."""
    return {item.uuid: item.url for item in (yield from read_items(items)) if item.url}


def item_of(made: RegisteredFile) -> str:
    """The id of its storage item; empty where Encord does not return it."""
    return made.backing_item_uuid or ""


def _lines(path: Any) -> Iterator[RegistrationLine]:
    for row in json_lines(path, "report"):
        try:
            yield msgspec.convert(row.fields, RegistrationLine)
        except msgspec.ValidationError as error:
            raise InvalidArgumentError(
                f"report: {path}, {row.where}: it is not a line of a report: {error}. Delete the file, or name "
                "another directory."
            ) from None


def _encoded(lines: Iterable[RegistrationLine]) -> Iterator[bytes]:
    return (msgspec.json.encode(line) + b"\n" for line in lines)


def _key(line: RegistrationLine) -> bytes:
    """Identifies a unit of one target."""
    about = msgspec.json.encode([line.dataset, line.folder, line.urls, line.title])
    return hashlib.blake2b(about, digest_size=16).digest()


def _with_id(line: RegistrationLine, known: str | None, all_ended: bool) -> RegistrationLine:
    if line.id is not None or known is None:
        return line
    if line.outcome == SKIPPED and all_ended:
        return msgspec.structs.replace(line, id=known, outcome=PRESENT, matched_by=REPORT)
    return msgspec.structs.replace(line, id=known)


def _sent(unit: Unit, present: Registered | None) -> SentUnit:
    known = () if present is None else (present.id, present.matched_by, present.note)
    return SentUnit(urls_of(unit), title_of(unit), *known)


def _titles(units: Iterable[SentUnit]) -> collections.Counter[str]:
    """How many units of each title were sent."""
    return collections.Counter(unit.title for unit in units if unit.present is None)


def _line(unit: SentUnit, outcome: str, id_: str | None, error: str | None) -> RegistrationLine:
    return RegistrationLine(
        schema_version=SCHEMA_VERSION,
        urls=unit.urls,
        title=unit.title,
        outcome=outcome,
        id=id_,
        error=error,
        matched_by=unit.matched_by,
    )


def _all_were_made(title: str, sent: Mapping[str, int], made: Mapping[str, int]) -> bool:
    return made[title] >= sent[title]


def _part_name(number: int) -> str:
    return f"part-{number:06d}.jsonl"


def _sent_name(number: int) -> str:
    return f"part-{number:06d}.sent.jsonl"
