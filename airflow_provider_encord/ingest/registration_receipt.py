"""The receipt of a registration: a line of JSON for each unit, saying what became of it.

Encord tells the title of what it made, and the URLs of what failed. So a unit is known by its URLs where it failed, and
by its title, in order, where it did not; of a skipped duplicate Encord says nothing.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from airflow_provider_encord.client.api.data_items import Unit
from airflow_provider_encord.client.api.uploads import RegisteredFile, UploadJob
from airflow_provider_encord.ingest.cloud import title_of, urls_of

SCHEMA_VERSION = 1
REGISTERED = "registered"
NOT_TOLD = "not told"
FAILED = "failed"


class RegistrationLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt says of one unit.

    :param outcome: `REGISTERED`, `NOT_TOLD` (such as a skipped duplicate) or `FAILED`.
    :param id: Of the data unit, in folders of the storage item.
    """

    schema_version: int
    urls: list[str]
    title: str
    outcome: str
    id: str | None
    error: str | None


def registration_lines(units: Sequence[Unit], answer: UploadJob, failures: Mapping[str, str]) -> Iterator[bytes]:
    """The lines of one job, each with its newline.

    :param failures: Reasons by URL.
    """
    made: dict[str, collections.deque[RegisteredFile]] = collections.defaultdict(collections.deque)
    for one in answer.data_hashes_with_titles:
        made[one.title].append(one)
    for unit in units:
        urls = urls_of(unit)
        reason = next((failures[url] for url in urls if url in failures), None)
        known = made.get(title_of(unit))
        told = known.popleft() if known and reason is None else None
        line = RegistrationLine(
            schema_version=SCHEMA_VERSION,
            urls=urls,
            title=title_of(unit),
            outcome=FAILED if reason is not None else REGISTERED if told else NOT_TOLD,
            id=(told.data_hash or told.backing_item_uuid) if told else None,
            error=reason,
        )
        yield msgspec.json.encode(line) + b"\n"
