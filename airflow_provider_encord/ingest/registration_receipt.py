"""The receipt of a registration: a line of JSON for each unit that was sent, with its outcome.

What is sent is written down before the job starts (`SentUnit`), so the receipt never depends on reading the source a
second time. Encord names what it made by title, and what failed by URL. A title that several units of one job share
does not identify any of them: then the URL of the made item decides, and where Encord does not return it, the line has
no id.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.attempts import remove, remove_unfinished
from airflow_provider_encord.client.api.data_items import Unit
from airflow_provider_encord.client.api.storage_items import get_items
from airflow_provider_encord.client.api.uploads import RegisteredFile, UploadJob
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.resources.chunks import chunks
from airflow_provider_encord.ingest.cloud import title_of, urls_of
from airflow_provider_encord.ingest.registered_groups import Registered
from airflow_provider_encord.ingest.rows import json_lines
from airflow_provider_encord.storage_paths import storage_errors, write_whole

SCHEMA_VERSION = 1
REGISTERED = "registered"
PRESENT = "present"
NOT_TOLD = "not told"
FAILED = "failed"
CANCELLED = "cancelled"
_ITEMS_PER_REQUEST = 1000


class SentUnit(msgspec.Struct, frozen=True):
    """A unit as it was sent.

    :param present: Its id, if it was there and therefore was not sent.
    :param matched_by: By what it was recognised; see `Registered`.
    """

    urls: list[str]
    title: str
    present: str | None = None
    matched_by: str | None = None


class RegistrationLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt says of one unit.

    :param outcome: `REGISTERED`, `PRESENT` (a group or scene that was there), `NOT_TOLD` (such as a skipped duplicate),
        `FAILED` or `CANCELLED`.
    :param id: Of the data unit, in folders of the storage item; None where Encord does not return it.
    :param matched_by: By what a unit that is `PRESENT` was recognised: ``urls`` or ``title``.
    """

    schema_version: int
    urls: list[str]
    title: str
    outcome: str
    id: str | None
    error: str | None
    matched_by: str | None = None


class RegistrationReceipt:
    """The files of a receipt, one for each job, in a directory.

    :param directory: A path object.
    """

    def __init__(self, directory: Any):
        self._directory = directory

    def open_part(self, number: int, units: Iterable[Unit], present: Mapping[int, Registered]) -> None:
        """Write down what the next job is sent, before it starts.

        :param present: The units that are there already, by position.
        """
        sent = (_sent(unit, present.get(at)) for at, unit in enumerate(units))
        self._write(_sent_name(number), (msgspec.json.encode(one) + b"\n" for one in sent))

    def sent(self, number: int) -> list[SentUnit]:
        """What a job was sent."""
        rows = json_lines(self._directory / _sent_name(number), "receipt")
        return [msgspec.convert(row.fields, SentUnit) for row in rows]

    def close_part(self, number: int, lines: Iterable[RegistrationLine]) -> None:
        """Write the outcomes of a job."""
        self._write(_part_name(number), (msgspec.json.encode(line) + b"\n" for line in lines))
        with storage_errors("receipt", self._directory):
            remove(self._directory / _sent_name(number))

    def finish(self, jobs: int) -> None:
        """Delete the files that an earlier, longer attempt left behind those of this one."""
        with storage_errors("receipt", self._directory):
            if not self._directory.exists():
                return
            kept = {_part_name(number) for number in range(jobs)}
            for path in list(self._directory.iterdir()):
                if path.name.startswith("part-") and path.name.endswith(".jsonl") and path.name not in kept:
                    remove(path)
            remove_unfinished(self._directory)

    def _write(self, name: str, lines: Iterable[bytes]) -> None:
        with storage_errors("receipt", self._directory):
            write_whole(self._directory / name, lines)


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
            yield _line(unit, PRESENT, unit.present, None)
            continue
        reason = next((failures[url] for url in unit.urls if url in failures), None)
        found = by_title.get(unit.title) or next((by_url[url] for url in unit.urls if url in by_url), None)
        if reason is not None:
            outcome, found = FAILED, None
        elif found is not None or _all_were_made(unit.title, titles, made):
            outcome = REGISTERED
        else:
            outcome = CANCELLED if answer.units_cancelled_count else NOT_TOLD
        yield _line(unit, outcome, (found.data_hash or found.backing_item_uuid) if found else None, reason)


def ambiguous_items(units: Sequence[SentUnit], answer: UploadJob) -> list[str]:
    """The made items whose titles do not identify them."""
    titles = _titles(units)
    made = [item_of(one) for one in answer.data_hashes_with_titles if titles[one.title] > 1]
    return [item for item in made if item]


def urls_of_items(items: Sequence[str]) -> Flow[dict[str, str]]:
    """The URLs of storage items, as far as this credential can see them."""
    found: dict[str, str] = {}
    for some in chunks(items, _ITEMS_PER_REQUEST):
        found |= {item.uuid: item.url for item in (yield from get_items(some)) if item.url}
    return found


def item_of(made: RegisteredFile) -> str:
    """The id of its storage item; empty where Encord does not return it."""
    return made.backing_item_uuid or ""


def _sent(unit: Unit, present: Registered | None) -> SentUnit:
    known = (None, None) if present is None else (present.id, present.matched_by)
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
