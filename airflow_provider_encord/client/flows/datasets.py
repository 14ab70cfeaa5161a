"""Datasets: creating one just once, linking items to it, and removing data rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_encord.client.api import data_rows, datasets
from airflow_provider_encord.client.api.core.listing import Filter
from airflow_provider_encord.client.api.data_rows import DuplicatesBehavior
from airflow_provider_encord.client.api.datasets import CreatedDataset, DataRow, DatasetRecord
from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.errors import OutcomeUnknownError
from airflow_provider_encord.client.flows.chunks import as_far_as_possible, in_parts
from airflow_provider_encord.client.flows.creation import (
    Created,
    Existing,
    another_description,
    existing,
    get_or_create,
)

_LOST_ANSWERS = 3  # in a row; after each one, the data rows are checked
MOST_ITEMS = 1000  # in one request; Encord documents no limit for these two, so this is its limit for items elsewhere


def remove_data_rows(dataset: str, data_hashes: Sequence[str]) -> Flow[None]:
    """Remove data rows, `MOST_ITEMS` per request, or fewer if a request is too large or takes too long."""
    yield from in_parts(data_hashes, lambda part: data_rows.remove_data_rows(dataset, part), size=MOST_ITEMS)


def link_items(
    dataset: str, items: Sequence[str], *, duplicates_behavior: DuplicatesBehavior = "SKIP"
) -> Flow[list[DataRow]]:
    """Link storage items to a dataset, `MOST_ITEMS` per request, or fewer if a request is too large.

    If a response is lost, the data rows show which items were linked, and only the others are sent again. If a request
    fails, the items of earlier requests stay linked; with ``SKIP``, a repeat continues from there. With ``FAIL``,
    Encord refuses the whole request that contains a duplicate, but no other request.

    :return: The new data rows.
    """

    def call(part: Sequence[str]) -> Call[list[DataRow]]:
        return data_rows.link_items(dataset, part, duplicates_behavior=duplicates_behavior)

    there_before = yield from datasets.list_data_rows(dataset)
    before = {row.data_hash for row in there_before}
    linked: dict[str, DataRow] = {}
    left = list(items)
    for _ in range(_LOST_ANSWERS):
        outcome = yield from as_far_as_possible(left, call, size=MOST_ITEMS)
        linked |= {row.data_hash: row for rows in outcome.results for row in rows}
        if not isinstance(outcome.error, OutcomeUnknownError):
            break
        rows = yield from datasets.list_data_rows(dataset)
        new = {row.data_hash: row for row in rows if row.data_hash not in before and row.data_hash not in linked}
        doubtful = set(outcome.unknown)
        made = {key: row for key, row in new.items() if row.backing_item_uuid in doubtful}
        linked |= made
        there = {row.backing_item_uuid for row in made.values()}
        left = [item for item in (*outcome.unknown, *outcome.not_done) if item not in there]
    outcome.checked()
    expected = set(items) - {row.backing_item_uuid for row in there_before}
    if len(linked) < len(expected):  # a repeated request skipped what the first one had linked
        rows = yield from datasets.list_data_rows(dataset)
        ours = (row for row in rows if row.data_hash not in before and row.backing_item_uuid in expected)
        linked |= {row.data_hash: row for row in ours}
    return list(linked.values())


def _id(created: CreatedDataset) -> str:
    return created.dataset_uuid


def create_dataset_once(title: str, *, if_exists: str, **arguments: Any) -> Flow[Created]:
    """Create a dataset, or reuse one with the same title; see `get_or_create` and `datasets.create_dataset`."""

    def differs(there: DatasetRecord) -> list[str]:
        # Encord may leave the folder out of the record, so a missing folder is not reported as a difference.
        unwanted_folder = there.backing_folder_uuid and not arguments.get("create_backing_folder", True)
        folder = ["it has a backing folder, but none was requested"] if unwanted_folder else []
        return folder + another_description(arguments.get("description"), there.description)

    def find(title: str) -> Flow[Sequence[Existing]]:
        found = yield from datasets.list_datasets(Filter(title_eq=title))
        return existing(title, found, id_of=lambda record: record.dataset_hash, differs=differs)

    def create(title: str) -> Call[CreatedDataset]:
        return datasets.create_dataset(title, **arguments)

    return (yield from get_or_create("dataset", title, find=find, create=create, id_of=_id, if_exists=if_exists))
