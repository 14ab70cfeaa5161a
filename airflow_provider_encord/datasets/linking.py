"""Linking storage items to a dataset, so that a retry continues where the previous attempt stopped."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_encord.attempts import Checkpoint, Store, fingerprint
from airflow_provider_encord.client.api.data_rows import DuplicatesBehavior
from airflow_provider_encord.client.api.datasets import DataRow
from airflow_provider_encord.client.api.storage_items import ItemFilter
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import ConflictError, InvalidArgumentError
from airflow_provider_encord.client.identifiers import require_ids
from airflow_provider_encord.client.resources.datasets import Dataset
from airflow_provider_encord.counts import require_sum

_KEY = "encord_link"


def link_items(
    client: EncordClient,
    dataset: Dataset,
    *,
    item_ids: Sequence[str],
    folder_id: str | None,
    collection_id: str | None = None,
    behavior: DuplicatesBehavior,
    store: Store | None,
) -> dict[str, int]:
    """Link items to a dataset.

    :param item_ids: Ids of the items; empty if there is a folder.
    :param folder_id: Id of the folder whose items are linked; None if there is another source.
    :param collection_id: Id of the collection whose items are linked; None if there is another source.
    :param behavior: What to do with items that are already in the dataset.
    :param store: Airflow's task state store; None without one.
    :return: The number of items, and how many of them were linked by this task, and before it.
    :raises ConflictError: The behavior is ``FAIL``, and items are already in the dataset.
    """
    items = _items(client, item_ids, folder_id, collection_id)
    source = {"folder": folder_id} if collection_id is None else {"collection": collection_id}
    about = fingerprint(dataset=dataset.id, items=sorted(item_ids), behavior=behavior, **source)
    before: Checkpoint[dict[str, list[str]]] = Checkpoint(store, _KEY, about, dict[str, list[str]])
    left = list(items) if behavior == "SKIP" else _not_linked_by_us(dataset, items, behavior, before)
    rows = dataset.link_items(left, duplicates_behavior=behavior) if left else []
    linked = len(items) - len(left) + len(rows)
    unchanged = 0 if linked == len(items) else _there_before(dataset, left, rows)
    require_sum("The link", len(items), created=linked, unchanged=unchanged)
    before.forget()
    return {"items": len(items), "created": linked, "unchanged": unchanged}


def _items(
    client: EncordClient, item_ids: Sequence[str], folder_id: str | None, collection_id: str | None
) -> list[str]:
    if bool(item_ids) + (folder_id is not None) + (collection_id is not None) != 1:
        raise InvalidArgumentError("Pass exactly one of `item_ids`, `folder_id` and `collection_id`.")
    if collection_id is not None:
        items = [item.uuid for item in client.collection(collection_id).items(client_metadata=False)]
        if not items:
            raise InvalidArgumentError(f"collection_id: collection {collection_id} has no items. Check the id.")
        return items
    if folder_id is None:
        return require_ids(item_ids, "item_ids")
    which = ItemFilter(client_metadata=False, page_size=1000)
    found = [item.uuid for item in client.folder(folder_id).items(which) if not item.is_placeholder]
    if not found:
        raise InvalidArgumentError(f"folder_id: folder {folder_id} has no items. Check the id.")
    return found


def _there_before(dataset: Dataset, items: Sequence[str], new: Sequence[DataRow]) -> int:
    """Count the items that had a data row before this task."""
    rows_before = {row.backing_item_uuid for row in dataset.data_rows()} - {row.backing_item_uuid for row in new}
    return len(rows_before.intersection(items))


def _not_linked_by_us(
    dataset: Dataset, items: Sequence[str], behavior: str, stored: Checkpoint[dict[str, list[str]]]
) -> list[str]:
    """Return the items that no earlier attempt of this task linked.

    :param stored: The data rows that each item had before this task linked it.
    :raises ConflictError: The behavior is ``FAIL``, and some items were in the dataset before this task.
    """
    rows: dict[str, list[str]] = {item: [] for item in items}
    for row in dataset.data_rows():
        if row.backing_item_uuid in rows:
            rows[row.backing_item_uuid].append(row.data_hash)
    before = stored.load() or {}
    if new := {item: hashes for item, hashes in rows.items() if item not in before}:
        before |= new
        stored.save(before)
    there = {item for item in rows if before[item]}
    ours = {item for item, hashes in rows.items() if set(hashes) - set(before[item])}
    if behavior == "FAIL" and (twice := [item for item in items if item in there]):
        stored.forget()
        raise ConflictError(
            f"item_ids: {len(twice)} of {len(items)} items are already in dataset {dataset.id}, such as "
            f"{twice[0]}. Nothing was linked, because duplicates_behavior is 'FAIL'. Remove these items from "
            "item_ids, or set duplicates_behavior='SKIP'."
        )
    return [item for item in items if item not in ours]
