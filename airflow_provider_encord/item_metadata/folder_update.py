"""Updating the client metadata of the items of a folder, as a task does it."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.api.storage_items import ItemFilter
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.resources.storage import StorageFolder
from airflow_provider_encord.counts import require_sum
from airflow_provider_encord.item_metadata.by_name import read_table
from airflow_provider_encord.item_metadata.update import Outcome, Wanted, needs_update, update_items

log = logging.getLogger(__name__)

_NAMED = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class FolderUpdate:
    """What was updated.

    :param counts: The numbers of items, by outcome.
    :param failures: A message about the items that could not be changed; None if there are none.
    """

    counts: Mapping[str, int]
    failures: str | None


def wanted_metadata(metadata: Mapping[str, Any] | str | None, open_uri: Callable[[str], Any]) -> Wanted:
    """Read the metadata of items by name or id.

    :param metadata: A dictionary, or the path or URI of a file.
    :param open_uri: Makes a path object of a path or URI.
    :raises InvalidArgumentError: It is empty, or cannot be read.
    """
    if not metadata:
        raise InvalidArgumentError("metadata: it is empty; check the rendered template.")
    return Wanted(read_table(metadata, open_uri, "metadata"))


def update_folder(
    client: EncordClient, folder: StorageFolder, wanted: Wanted, mode: str, *, preview: bool
) -> FolderUpdate:
    """Update the items whose metadata differs.

    :param mode: One of `update.MODES`.
    :param preview: Only log what would be updated.
    :raises InvalidArgumentError: The folder has none of the items.
    """
    differing, items = _differing(folder, wanted, mode)
    outcome = Outcome(changed=differing) if preview else client.run(update_items(differing, wanted, mode))
    unchanged = items - len(differing) + len(outcome.unchanged)
    meant, updated, failed = items - len(outcome.gone), len(outcome.changed), len(outcome.failed)
    require_sum("The update", meant, updated=updated, unchanged=unchanged, failed=failed)
    not_found = len(wanted.missing) + len(outcome.gone)
    verb = "would be updated" if preview else "updated"
    log.info("%d items: %d %s, %d have the metadata already.", meant, updated, verb, unchanged)
    failures = None
    if outcome.failed:
        first = "\n".join(f"- {reason}" for reason in list(dict.fromkeys(outcome.failed.values()))[:_NAMED])
        failures = f"{len(outcome.failed)} of {items} items could not be changed:\n{first}"
    return FolderUpdate(
        counts={"items": meant, "updated": updated, "unchanged": unchanged, "failed": failed, "not_found": not_found},
        failures=failures,
    )


def _differing(folder: StorageFolder, wanted: Wanted, mode: str) -> tuple[list[str], int]:
    """The ids of the items whose metadata differs, and the number of items that the metadata names.

    :raises InvalidArgumentError: The folder has none of these items.
    """
    differing: list[str] = []
    items = 0
    for item in folder.items(ItemFilter(client_metadata=True, page_size=1000)):
        value = wanted.of(item)
        if value is None:
            continue
        items += 1
        if needs_update(item, value, mode):
            differing.append(item.uuid)
    missing = wanted.missing
    if missing:
        log.warning("The folder has no items with these names or ids: %s.", _some(missing))
    if not items:
        raise InvalidArgumentError(
            f"metadata: folder {folder.id} has none of these items: {_some(missing)}. Nothing was changed. Check "
            "folder_id, and that `metadata` has the names or ids of storage items as keys."
        )
    return differing, items


def _some(names: Sequence[str]) -> str:
    listed = ", ".join(repr(name[:80]) for name in names[:_NAMED])
    return listed + (f" (and {len(names) - _NAMED} more)" if len(names) > _NAMED else "")
