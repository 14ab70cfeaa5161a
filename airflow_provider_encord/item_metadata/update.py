"""Bringing the client metadata of storage items up to date, while people may edit it too.

Encord takes the metadata of an item as a whole. So what is merged is read again right before it is sent, in small
batches: a key that somebody adds in between would be lost. An item that is deleted meanwhile makes Encord refuse its
whole batch; the batch is cut until only that item is left out. A batch whose items are all there and may not be changed
fails at once.
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
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.client.resources.chunks import chunks
from airflow_provider_encord.client.resources.identifiers import is_id
from airflow_provider_encord.defaults import METADATA_MODES
from airflow_provider_encord.plain_json import plain_json, same_json
from airflow_provider_encord.sources.files import composed

MERGE, REPLACE = MODES = METADATA_MODES
ITEMS_PER_BATCH = 100
"""Items that are read and then changed together. They are few, so that little time passes in between."""


class Wanted:
    """The metadata that items are to have, by id or name.

    :param table: Metadata by id or name. Ids may be in upper or lower case, names may have composed or decomposed
        characters.
    :raises InvalidArgumentError: A value has no form in JSON, or one name is given twice with different metadata.
    """

    def __init__(self, table: Mapping[str, Mapping[str, Any]]):
        self._names: dict[str, str] = {}
        self._values: dict[str, dict[str, Any]] = {}
        for name, value in table.items():
            key = _key(str(name))
            plain = plain_json(value, f"metadata of {str(name)[:80]!r}")
            if key in self._values and not same_json(self._values[key], plain):
                raise InvalidArgumentError(
                    f"metadata: {str(name)[:80]!r} and {self._names[key][:80]!r} mean the same and differ. Keep one."
                )
            self._names[key], self._values[key] = str(name), plain
        self._found: set[str] = set()

    def of(self, item: StorageItemRecord) -> dict[str, Any] | None:
        """What an item is to have; None if it is not named.

        :raises InvalidArgumentError: It is named by its id and by its name, with different metadata.
        """
        keys = [key for key in (_key(item.uuid), _key(item.name)) if key in self._values]
        if not keys:
            return None
        self._found.update(keys)
        if any(not same_json(self._values[keys[0]], self._values[key]) for key in keys):
            raise InvalidArgumentError(
                f"metadata: the item {item.uuid} is named by its id and by its name {item.name[:80]!r}, with different "
                "metadata. Keep one."
            )
        return self._values[keys[0]]

    @property
    def missing(self) -> list[str]:
        """The names that no item had so far."""
        return [self._names[key] for key in self._values if key not in self._found]


@dataclasses.dataclass
class Outcome:
    """Ids of items by what happened to them.

    :param gone: Deleted while the task ran.
    :param failed: With the reason.
    """

    changed: list[str] = dataclasses.field(default_factory=list)
    unchanged: list[str] = dataclasses.field(default_factory=list)
    gone: list[str] = dataclasses.field(default_factory=list)
    failed: dict[str, str] = dataclasses.field(default_factory=dict)


def metadata_after(item: StorageItemRecord, wanted: Mapping[str, Any], mode: str) -> dict[str, Any] | None:
    """The metadata that an item is to have; None if it has it already.

    :raises InvalidArgumentError: What is there is no object, so nothing can be merged into it.
    """
    there = _stored(item, mode)
    after = {**(there or {}), **wanted} if mode == MERGE else dict(wanted)
    return None if there is not None and same_json(after, there) else after


def needs_update(item: StorageItemRecord, wanted: Mapping[str, Any], mode: str) -> bool:
    """Whether an item has to be read again and changed; also if it cannot be, which shows then."""
    try:
        return metadata_after(item, wanted, mode) is not None
    except InvalidArgumentError:
        return True


def update_items(items: Sequence[str], wanted: Wanted, mode: str) -> Flow[Outcome]:
    """Read items again, and change what differs.

    :param items: Their ids.
    :raises EncordError: Encord is not reached, or refuses all.
    """
    outcome = Outcome()
    for some in chunks(items, ITEMS_PER_BATCH):
        yield from _update(some, wanted, mode, outcome)
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
    """Whether all items can be read. Encord says 403 of items that may not be changed, and of those that are deleted;
    the latter cannot be read either.
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
            continue  # renamed meanwhile: it is not meant any more
        try:
            after = metadata_after(item, value, mode)
        except InvalidArgumentError as error:
            outcome.failed[item.uuid] = str(error)
            continue
        if after is not None:
            yield item.uuid, folder_patch(client_metadata=after)


def _stored(item: StorageItemRecord, mode: str) -> dict[str, Any] | None:
    """The metadata that an item has; None if it is not an object and is to be replaced."""
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
        f"The metadata of item {item.uuid} ({item.name[:80]!r}) is not a JSON object, so nothing can be merged into "
        "it. Use mode='replace' for this item."
    )


def _key(name: str) -> str:
    return name.strip().lower() if is_id(name) else composed(name)
