"""The report of a registration: a line for each unit, with the fields of `airflow_provider_encord.reports` and these.

================  =====================================================================================
field             meaning
================  =====================================================================================
``operation``     ``register_cloud_data``
``source``        URL of the object; of a group, of its first object
``id``            data hash of the data unit, in folders the id of the storage item; null where Encord does not return
                  it and no earlier line of the report has it
``outcome``       ``created``; ``unchanged`` (a group or scene that was there, or a file that Encord skipped and an
                  earlier line knows); ``skipped`` (such as a duplicate that Encord does not name); or ``failed``
``urls``          URLs of all objects of the unit
``title``         name in Encord
``matched_by``    how a unit that is ``unchanged`` was recognised: ``urls``, ``title``, or ``report``; else null
``note``          what was not done with a unit that is ``unchanged``; else null
``dataset_id``    id of the dataset; null if the unit was registered with a folder alone
``folder_id``     id of the folder, in that case
================  =====================================================================================

What is sent is written down before the job starts (`SentUnit`), so the report never depends on reading the source a
second time. Encord names what it made by title, and what failed by URL. A title that several units of one job share
does not identify any of them: then the URL of the made item decides, and where Encord does not return it, the line has
no id.

Each job has a part in ``<report>.parts/``; the report is made of the parts at the end. Lines of earlier runs about
other units are kept in ``<report>.known``. An id that an earlier line knows stays known: Encord's result does not name
a file that it skips. Only files that this module wrote are ever replaced or deleted.
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

from airflow_provider_encord.attempts import CLAIM_FILE, is_claim, remove, remove_empty
from airflow_provider_encord.client.api.data_items import Unit
from airflow_provider_encord.client.api.uploads import DONE, RegisteredFile, UploadJob
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.client.resources.storage import read_items
from airflow_provider_encord.ingest.cloud import title_of, urls_of
from airflow_provider_encord.ingest.registered_groups import Registered
from airflow_provider_encord.ingest.rows import json_lines
from airflow_provider_encord.reports import (
    CREATED,
    FAILED,
    SCHEMA_VERSION,
    SKIPPED,
    UNCHANGED,
    Outcome,
    ReportLine,
    encode_lines,
)
from airflow_provider_encord.storage_paths import (
    UNFINISHED_PATTERN,
    is_local,
    require_replaceable,
    storage_errors,
    write_whole,
)

log = logging.getLogger(__name__)

OPERATION = "register_cloud_data"
REPORT = "report"
"""By what a unit is recognised that Encord's result does not name and an earlier line does."""
_MOST_IN_MEMORY = 16 * 2**20  # bytes
_CANCELLED = "Encord cancelled the job before it registered this unit."
_PART = re.compile(r"part-\d{6,}\.jsonl")
_SENT = re.compile(r"part-\d{6,}\.sent\.jsonl")
_UNFINISHED = re.compile(rf"(part-\d{{6,}}(\.sent)?\.jsonl|claim\.json){UNFINISHED_PATTERN}")


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


class RegistrationLine(ReportLine, frozen=True, kw_only=True):
    """What a report says of one unit; the fields are explained above."""

    urls: list[str]
    title: str
    matched_by: str | None = None
    note: str | None = None
    dataset_id: str | None = None
    folder_id: str | None = None


_LINE = msgspec.json.Decoder(RegistrationLine)


class RegistrationReport:
    """A report, and the parts that it is made of.

    :param path: The report; a path object.
    :param dataset: Id of the dataset that is registered with; None for a folder.
    :param folder: Id of the folder, where there is no dataset.
    """

    def __init__(self, path: Any, *, dataset: str | None = None, folder: str | None = None):
        self._path, self._known_path = path, path.parent / f"{path.name}.known"
        self._directory = path.parent / f"{path.name}.parts"
        self._dataset, self._folder = dataset, None if dataset else folder

    @property
    def claim_path(self) -> Any:
        """The file that claims the report for one task."""
        return self._directory / CLAIM_FILE

    def require_ours(self) -> None:
        """Make sure that the report can be written, and that it replaces nothing but an earlier one.

        :raises InvalidArgumentError: Something else is there.
        """
        for path in (self._path, self._known_path):
            require_replaceable(path, "report", _LINE.decode, "a report of a registration")
        with storage_errors("report", self._directory):
            paths = self._files()
        foreign = next((path for path in paths if not self._is_ours(path)), None)
        if foreign is not None:
            raise InvalidArgumentError(
                f"report: {self._directory} holds {foreign.name[:80]!r}, which is not part of a report. Name another "
                "file, or delete that directory."
            )

    def keep_earlier(self) -> None:
        """Keep what an earlier attempt wrote in parts, before this one writes its own."""
        parts = self._parts()
        if not parts:
            return
        of_parts = {_key(line) for path in parts for line in _lines(path)}
        self._write_known(of_parts, first=parts, earlier=[self._known_path])
        self._remove(parts)

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
        self._write(_sent_name(number), (msgspec.json.encode(item) + b"\n" for item in sent))

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
        target = {"dataset_id": self._dataset, "folder_id": self._folder}
        ours = [msgspec.structs.replace(line, **target) for line in lines]
        known = self._known_ids({_key(line) for line in ours if line.id is None})
        written = (_with_id(line, known.get(_key(line)), all_ended) for line in ours)
        self._write(_part_name(number), encode_lines(written))
        self.drop_part(number)

    def finish(self) -> None:
        """Write the report, whole; then the parts are not needed any more."""
        self.publish()
        with storage_errors("report", self._directory):
            self._remove(path for path in self._files() if path.name != CLAIM_FILE)

    def publish(self) -> None:
        """Write the report of what the parts hold, if there are any, in place of that of an earlier run."""
        parts = self._parts()
        if not parts:
            return
        of_parts = {_key(line) for path in parts for line in _lines(path)}
        # First: if the task is killed between the two, nothing is lost.
        self._write_known(of_parts, earlier=[self._path, self._known_path])
        with storage_errors("report", self._path):
            write_whole(self._path, encode_lines(line for path in parts for line in _lines(path)))

    def tidy(self) -> None:
        """Remove the directory of the parts if it is empty."""
        with storage_errors("report", self._directory):
            if is_local(self._directory):
                remove_empty(self._directory)

    def _remove(self, paths: Iterable[Any]) -> None:
        with storage_errors("report", self._directory):
            for path in paths:
                remove(path)

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
        if not _SENT.fullmatch(path.name) and not _PART.fullmatch(path.name):
            return False
        type_: type[msgspec.Struct] = SentUnit if _SENT.fullmatch(path.name) else RegistrationLine
        with storage_errors("report", path), path.open("rb") as file:
            first = file.readline()
        try:
            msgspec.json.decode(first, type=type_)
        except NOT_JSON:
            return not first
        return True

    def _known_ids(self, wanted: Collection[bytes]) -> dict[bytes, str]:
        """The ids that earlier lines have of units."""
        found: dict[bytes, str] = {}
        for line in self._earlier_lines([self._known_path, self._path]) if wanted else ():
            if line.id is not None and (key := _key(line)) in wanted:
                found.setdefault(key, line.id)
        return found

    def _earlier_lines(self, paths: Iterable[Any]) -> Iterator[RegistrationLine]:
        for path in paths:
            with storage_errors("report", path):
                there = path.exists()
            if there:
                yield from _lines(path)

    def _write_known(self, replaced: set[bytes], *, earlier: Iterable[Any], first: Iterable[Any] = ()) -> None:
        """Write what is known of earlier runs, each unit once.

        :param replaced: Units of which newer lines are there.
        :param earlier: Files that hold earlier lines, the newest first.
        :param first: Files whose lines are kept before the others.
        """
        seen = set(replaced)
        # Aside first: a store may empty an object when it is opened for writing, and the lines are read from it.
        with tempfile.SpooledTemporaryFile(max_size=_MOST_IN_MEMORY) as aside:
            for path in first:
                aside.writelines(encode_lines(_lines(path)))
            for line in self._earlier_lines(earlier):
                if (key := _key(line)) not in seen:
                    seen.add(key)
                    aside.writelines(encode_lines([line]))
            if aside.tell():
                aside.seek(0)
                with storage_errors("report", self._known_path):
                    write_whole(self._known_path, aside)
                return
        with storage_errors("report", self._known_path):
            remove(self._known_path)


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
            yield _line(unit, UNCHANGED, unit.present, None)
            continue
        reason = next((failures[url] for url in unit.urls if url in failures), None)
        found = by_title.get(unit.title) or next((by_url[url] for url in unit.urls if url in by_url), None)
        outcome: Outcome
        if reason is not None:
            outcome, found = FAILED, None
        elif found is not None or _all_were_made(unit.title, titles, made):
            outcome = CREATED
        elif answer.units_cancelled_count:
            outcome, reason = FAILED, _CANCELLED
        else:
            outcome = SKIPPED
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
                "another report."
            ) from None


def _key(line: RegistrationLine) -> bytes:
    """Identifies a unit of one target."""
    about = msgspec.json.encode([line.dataset_id, line.folder_id, line.urls, line.title])
    return hashlib.blake2b(about, digest_size=16).digest()


def _with_id(line: RegistrationLine, known: str | None, all_ended: bool) -> RegistrationLine:
    if line.id is not None or known is None:
        return line
    if line.outcome == SKIPPED and all_ended:
        return msgspec.structs.replace(line, id=known, outcome=UNCHANGED, matched_by=REPORT)
    return msgspec.structs.replace(line, id=known)


def _sent(unit: Unit, present: Registered | None) -> SentUnit:
    known = () if present is None else (present.id, present.matched_by, present.note)
    return SentUnit(urls_of(unit), title_of(unit), *known)


def _titles(units: Iterable[SentUnit]) -> collections.Counter[str]:
    """How many units of each title were sent."""
    return collections.Counter(unit.title for unit in units if unit.present is None)


def _line(unit: SentUnit, outcome: Outcome, id_: str | None, error: str | None) -> RegistrationLine:
    return RegistrationLine(
        schema_version=SCHEMA_VERSION,
        operation=OPERATION,
        source=unit.urls[0] if unit.urls else unit.title,  # a scene names its objects only inside its own JSON
        id=id_,
        outcome=outcome,
        error=error,
        urls=unit.urls,
        title=unit.title,
        matched_by=unit.matched_by,
        note=unit.note,
    )


def _all_were_made(title: str, sent: Mapping[str, int], made: Mapping[str, int]) -> bool:
    return made[title] >= sent[title]


def _part_name(number: int) -> str:
    return f"part-{number:06d}.jsonl"


def _sent_name(number: int) -> str:
    return f"part-{number:06d}.sent.jsonl"
