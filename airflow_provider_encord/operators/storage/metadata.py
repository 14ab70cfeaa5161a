"""Update the client metadata of storage items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.assets import folder_uri
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

    knows_project = False
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
        from airflow_provider_encord.item_metadata.folder_update import update_folder, wanted_metadata

        mode = parse_choice(self.mode, "mode", METADATA_MODES)
        preview = parse_bool(self.preview, "preview")
        metadata = text_or_mapping(self.metadata, "metadata")
        wanted = wanted_metadata(metadata, lambda uri: storage_path(uri, "metadata"))
        folder = self.client.folder(blank_to_none(self.folder_id) or "")
        self.push_link(context, folder_url, folder.id)
        done = update_folder(self.client, folder, wanted, mode, preview=preview)
        result = {"folder_id": folder.id, **done.counts}
        if not preview:
            self.record_asset_event(context, folder_uri(self.client.settings.base_url, folder.id), result)
        if done.failures is not None:
            raise AirflowFailException(done.failures)
        return result
