"""The lines of the report of a registration, one for each unit.

They have the fields of `airflow_provider_encord.reports`, and these.

================  =====================================================================================
field             meaning
================  =====================================================================================
``operation``     ``register_cloud_data``
``source``        URL of the object; of a group, of its first object; of a scene, its title
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

Encord names what it made by title, and what failed by URL. A title that several units of one job share does not
identify any of them: then the URL of the made item decides, and where Encord does not return it, the line has no id.
"""

from __future__ import annotations

import collections
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from airflow_provider_encord.client.api.uploads import RegisteredFile, UploadJob
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.flows.storage import read_items
from airflow_provider_encord.reports import CREATED, FAILED, SCHEMA_VERSION, SKIPPED, UNCHANGED, Outcome, ReportLine

OPERATION = "register_cloud_data"
REPORT = "report"
"""The value of `matched_by` for a unit that is in an earlier line but not in Encord's result."""
_CANCELLED = "Encord cancelled the job before it registered this unit."
_SKIPPED = "Encord skipped it, for example because its URL is registered already, and did not return the item."


class SentUnit(msgspec.Struct, frozen=True):
    """A unit of a job.

    :param present: Id of the unit, if it existed and was not sent.
    :param matched_by: How it was recognised; see `Registered`.
    :param note: What was not done with the unit.
    """

    urls: list[str]
    title: str
    present: str | None = None
    matched_by: str | None = None
    note: str | None = None


class RegistrationLine(ReportLine, frozen=True, kw_only=True):
    """A line of a report about one unit. The module's docstring explains the fields."""

    urls: list[str]
    title: str
    matched_by: str | None = None
    note: str | None = None
    dataset_id: str | None = None
    folder_id: str | None = None


def registration_lines(
    units: Sequence[SentUnit], answer: UploadJob, url_of_item: Mapping[str, str]
) -> Iterator[RegistrationLine]:
    """Make the lines of one job.

    :param url_of_item: The URLs of created items that their titles do not identify, as far as Encord returns them.
    """
    titles, failures = _titles(units), answer.failures
    by_title = {row.title: row for row in answer.data_hashes_with_titles if titles[row.title] == 1}
    by_url = {url_of_item[key]: row for row in answer.data_hashes_with_titles if (key := item_of(row)) in url_of_item}
    made = collections.Counter(row.title for row in answer.data_hashes_with_titles)
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
            outcome, reason = SKIPPED, _SKIPPED
        yield _line(unit, outcome, (found.data_hash or found.backing_item_uuid) if found else None, reason)


def ambiguous_items(units: Sequence[SentUnit], answer: UploadJob) -> list[str]:
    """The created items that their titles do not identify."""
    titles = _titles(units)
    made = [item_of(row) for row in answer.data_hashes_with_titles if titles[row.title] > 1]
    return [item for item in made if item]


def urls_of_items(items: Sequence[str]) -> Flow[dict[str, str]]:
    """The URLs of storage items, as far as this credential can read them."""
    return {item.uuid: item.url for item in (yield from read_items(items)) if item.url}


def item_of(made: RegisteredFile) -> str:
    """The id of the storage item of a file; empty if Encord does not return it."""
    return made.backing_item_uuid or ""


def key_of(line: RegistrationLine) -> bytes:
    """A key that identifies a unit of one target."""
    about = msgspec.json.encode([line.dataset_id, line.folder_id, line.urls, line.title])
    return hashlib.blake2b(about, digest_size=16).digest()


def with_id(line: RegistrationLine, known: str | None, all_ended: bool) -> RegistrationLine:
    """Add the id from an earlier line to a line without an id, unless the unit was created now."""
    if line.id is not None or known is None or line.outcome == CREATED:
        return line
    if line.outcome == SKIPPED and all_ended:
        return msgspec.structs.replace(line, id=known, outcome=UNCHANGED, error=None, matched_by=REPORT)
    return msgspec.structs.replace(line, id=known)


def _titles(units: Iterable[SentUnit]) -> collections.Counter[str]:
    """The number of sent units by title."""
    return collections.Counter(unit.title for unit in units if unit.present is None)


def _line(unit: SentUnit, outcome: Outcome, id_: str | None, error: str | None) -> RegistrationLine:
    return RegistrationLine(
        schema_version=SCHEMA_VERSION,
        operation=OPERATION,
        source=unit.urls[0] if unit.urls else unit.title,  # the URLs of a scene are only inside its own JSON
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
