"""Updating the client metadata of storage items, while people may edit it, too.

Encord replaces the whole metadata of an item. A key that somebody adds between the read and the update would be lost.
So items are read again right before the update, in small batches. If an item was deleted meanwhile, Encord refuses its
whole batch; the batch is then split until only that item is left out. If all items of a refused batch exist, the user
may not change them, and the update fails immediately.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.storage_folders import folder_patch
from airflow_provider_encord.client.api.storage_items import StorageItemRecord, edit_items, get_items
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.errors import (
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
)
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.client.identifiers import is_id
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.defaults import METADATA_MODES
from airflow_provider_encord.plain_json import plain_json, same_json
from airflow_provider_encord.progress import ProgressLogger
from airflow_provider_encord.sources.files import composed

MERGE, REPLACE = MODES = METADATA_MODES
ITEMS_PER_BATCH = 100
"""How many items are read and updated together; few, so that the time between read and update is short."""


class Wanted:
    """The new metadata of items, by id or name.

    :param table: Metadata by id (upper or lower case) or by name (in any Unicode form).
    :raises InvalidArgumentError: A value is not supported in JSON, or a name is there twice with different metadata.
    """

    def __init__(self, table: Mapping[str, Mapping[str, Any]]):
        self._names: dict[str, str] = {}
        self._values: dict[str, dict[str, Any]] = {}
        for name, value in table.items():
            key = _key(str(name))
            plain = plain_json(value, f"metadata of {str(name)[:80]!r}")
            if key in self._values and not same_json(self._values[key], plain):
                raise InvalidArgumentError(
                    f"metadata: {str(name)[:80]!r} and {self._names[key][:80]!r} are the same name, but their "
                    "metadata differs. Keep one."
                )
            self._names[key], self._values[key] = str(name), plain
        self._found: set[str] = set()

    def of(self, item: StorageItemRecord) -> dict[str, Any] | None:
        """The new metadata of an item; None if the table does not contain the item.

        :raises InvalidArgumentError: The table contains its id and its name, with different metadata.
        """
        keys = [key for key in (_key(item.uuid), _key(item.name)) if key in self._values]
        if not keys:
            return None
        self._found.update(keys)
        if any(not same_json(self._values[keys[0]], self._values[key]) for key in keys):
            raise InvalidArgumentError(
                f"metadata: the item {item.uuid} is there by its id and by its name {item.name[:80]!r}, with different "
                "metadata. Keep one."
            )
        return self._values[keys[0]]

    @property
    def missing(self) -> list[str]:
        """The names for which no item was found so far."""
        return [self._names[key] for key in self._values if key not in self._found]


@dataclasses.dataclass
class Outcome:
    """Ids of items by outcome.

    :param gone: Items that were deleted while the task ran.
    :param failed: Items that failed, with the reason.
    """

    changed: list[str] = dataclasses.field(default_factory=list)
    unchanged: list[str] = dataclasses.field(default_factory=list)
    gone: list[str] = dataclasses.field(default_factory=list)
    failed: dict[str, str] = dataclasses.field(default_factory=dict)


def metadata_after(item: StorageItemRecord, wanted: Mapping[str, Any], mode: str) -> dict[str, Any] | None:
    """The metadata of an item after the update; None if it does not change.

    :raises InvalidArgumentError: The present metadata is not a JSON object, so it cannot be merged.
    """
    there = _stored(item, mode)
    after = {**(there or {}), **wanted} if mode == MERGE else dict(wanted)
    return None if there is not None and same_json(after, there) else after


def needs_update(item: StorageItemRecord, wanted: Mapping[str, Any], mode: str) -> bool:
    """Whether an item must be read again and updated. Also true if the update is going to fail."""
    try:
        return metadata_after(item, wanted, mode) is not None
    except InvalidArgumentError:
        return True


def update_items(items: Sequence[str], wanted: Wanted, mode: str) -> Flow[Outcome]:
    """Read items again, and update those that differ.

    :param items: Ids of the items.
    :raises EncordError: Encord cannot be reached, or refuses all items.
    """
    outcome, progress = Outcome(), ProgressLogger("items", len(items))
    for some in chunks(items, ITEMS_PER_BATCH):
        yield from _update(some, wanted, mode, outcome)
        progress.add(len(some))
    return outcome


def _update(items: Sequence[str], wanted: Wanted, mode: str, outcome: Outcome) -> Flow[None]:
    try:
        records = yield from get_items(items)
        patches = dict(_patches(items, records, wanted, mode, outcome))
        if patches:
            yield from edit_items(patches)
    except (NotFoundError, PermissionDeniedError) as error:
        if (yield from _are_there(items)):
            outcome.failed |= dict.fromkeys(items, str(error))
        elif len(items) == 1:
            outcome.gone += items
        else:
            half = len(items) // 2
            for part in (items[:half], items[half:]):
                yield from _update(part, wanted, mode, outcome)
        return
    there = {record.uuid for record in records}
    outcome.changed += patches
    outcome.gone += [item for item in items if item not in there]
    outcome.unchanged += [
        item for item in items if item in there and item not in patches and item not in outcome.failed
    ]


def _are_there(items: Sequence[str]) -> Flow[bool]:
    """Whether all items can be read.

    Encord responds with 403 for items that may not be changed and for deleted items. Deleted items cannot be read
    either.
    """
    try:
        found = yield from get_items(items)
    except (NotFoundError, PermissionDeniedError):
        return False
    return len(found) == len(items)


def _patches(
    items: Sequence[str], records: Iterable[StorageItemRecord], wanted: Wanted, mode: str, outcome: Outcome
) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in records:
        value = wanted.of(item) if item.uuid in items else None
        if value is None:
            continue  # renamed meanwhile, so the table does not contain it any more
        try:
            after = metadata_after(item, value, mode)
        except InvalidArgumentError as error:
            outcome.failed[item.uuid] = str(error)
            continue
        if after is not None:
            yield item.uuid, folder_patch(client_metadata=after)


def _stored(item: StorageItemRecord, mode: str) -> dict[str, Any] | None:
    """The present metadata of an item; None if it is not an object and will be replaced."""
    try:
        there = msgspec.json.decode(item.client_metadata) if item.client_metadata else {}
    except NOT_JSON:
        there = item.client_metadata
    if there is None:
        return {}
    if isinstance(there, dict):
        return there
    if mode == REPLACE:
        return None
    raise InvalidArgumentError(
        f"The metadata of item {item.uuid} ({item.name[:80]!r}) is not a JSON object, so it cannot be merged. Use "
        "mode='replace' for this item."
    )


def _key(name: str) -> str:
    return name.strip().lower() if is_id(name) else composed(name)
