"""Update the client metadata of storage items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.assets import folder_uri
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.counts import require_sum
from airflow_provider_encord.defaults import METADATA_MODES
from airflow_provider_encord.links import folder_url
from airflow_provider_encord.operators.arguments import (
    blank_to_none,
    parse_bool,
    parse_choice,
    storage_path,
    text_or_mapping,
)
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.literals import check_literals, one_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_encord.client.resources.storage import StorageFolder
    from airflow_provider_encord.item_metadata.update import Wanted

_NAMED = 5  # items that a message names


class EncordUpdateMetadataOperator(EncordBaseOperator):
    """Update the client metadata of the items in a folder. Items that already have the metadata are not changed.

    Safe to repeat: a second run finds no differences and changes nothing. Encord can only replace the whole metadata of
    an item. So the task reads items again right before it changes them, 100 at a time; only a key that somebody adds
    between this read and the change can be lost. If an item is deleted while the task runs, it counts as not found.
    Needs an SSH key. Encord API: ``storage/folders/{id}/items`` GET, ``storage/items/get-bulk`` POST,
    ``storage/items/patch-bulk`` PATCH (v2).

    :param folder_id: Id of the storage folder (templated).
    :param metadata: The metadata of the items (templated): a dictionary from the id or name of an item to a dictionary;
        or the path or URI of a ``.json``, ``.jsonl`` or ``.csv`` file, as in `EncordUploadFilesOperator`. If several
        items have the same name, all of them are updated. Dates, UUIDs and decimals are converted to JSON.
    :param mode: ``"merge"`` (default) keeps the other keys of an item; ``"replace"`` removes them (templated).
    :param preview: Only log what would be changed (templated). Default: False. An empty string is an error.
    :return: ``{"folder_id", "items", "updated", "unchanged", "failed", "not_found"}``. ``items`` is the number of
        items. ``updated`` (with `preview`: items that would be updated), ``unchanged`` and ``failed`` add up to it.
        ``not_found`` is the number of names or ids without an item. The asset event of the folder contains the same
        values.
    :raises AirflowFailException: An argument is wrong, the folder has none of the items, some items could not be
        changed, or Encord rejects the request. The message says how many items failed.
    """

    template_fields: Sequence[str] = ("folder_id", "metadata", "mode", "preview", "encord_conn_id")

    def __init__(
        self,
        *,
        folder_id: str,
        metadata: Mapping[str, Mapping[str, Any]] | str,
        mode: str = "merge",
        preview: bool | str = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.folder_id = folder_id
        self.metadata = metadata
        self.mode = mode
        self.preview = preview
        check_literals(
            mode=(mode, one_of(*METADATA_MODES)),
            preview=(preview, parse_bool),
        )

    def _execute(self, context: Context) -> dict[str, Any]:
        """Update the items whose metadata differs."""
        from airflow_provider_encord.item_metadata.update import MODES, Outcome, update_items

        mode = parse_choice(self.mode, "mode", MODES)
        preview = parse_bool(self.preview, "preview")
        wanted = self._wanted()
        folder = self.client.folder(blank_to_none(self.folder_id) or "")
        self.push_link(context, folder_url, folder.id)
        differing, items = self._differing(folder, wanted, mode)
        outcome = Outcome(changed=differing) if preview else self.client.run(update_items(differing, wanted, mode))
        unchanged = items - len(differing) + len(outcome.unchanged)
        meant, updated, failed = items - len(outcome.gone), len(outcome.changed), len(outcome.failed)
        require_sum("The update", meant, updated=updated, unchanged=unchanged, failed=failed)
        not_found = len(wanted.missing) + len(outcome.gone)
        counts = {"items": meant, "updated": updated, "unchanged": unchanged, "failed": failed, "not_found": not_found}
        result = {"folder_id": folder.id, **counts}
        verb = "would be updated" if preview else "updated"
        self.log.info("%d items: %d %s, %d have the metadata already.", meant, updated, verb, unchanged)
        if not preview:
            self.record_asset_event(context, folder_uri(self.client.settings.base_url, folder.id), result)
        if outcome.failed:
            first = "\n".join(f"- {reason}" for reason in list(dict.fromkeys(outcome.failed.values()))[:_NAMED])
            raise AirflowFailException(f"{len(outcome.failed)} of {items} items could not be changed:\n{first}")
        return result

    def _differing(self, folder: StorageFolder, wanted: Wanted, mode: str) -> tuple[list[str], int]:
        """The ids of the items whose metadata differs, and the number of items that `metadata` names.

        :raises InvalidArgumentError: The folder has none of these items.
        """
        from airflow_provider_encord.client.api.storage_items import ItemFilter
        from airflow_provider_encord.item_metadata.update import needs_update

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
            self.log.warning("The folder has no items with these names or ids: %s.", _some(missing))
        if not items:
            raise InvalidArgumentError(
                f"metadata: folder {folder.id} has none of these items: {_some(missing)}. Nothing was changed. Check "
                "folder_id, and that `metadata` has the names or ids of storage items as keys."
            )
        return differing, items

    def _wanted(self) -> Wanted:
        from airflow_provider_encord.item_metadata.by_name import read_table
        from airflow_provider_encord.item_metadata.update import Wanted

        metadata = text_or_mapping(self.metadata, "metadata")
        if not metadata:
            raise InvalidArgumentError("metadata: it is empty; check the rendered template.")
        return Wanted(read_table(metadata, lambda uri: storage_path(uri, "metadata"), "metadata"))


def _some(names: Sequence[str]) -> str:
    listed = ", ".join(repr(name[:80]) for name in names[:_NAMED])
    return listed + (f" (and {len(names) - _NAMED} more)" if len(names) > _NAMED else "")
