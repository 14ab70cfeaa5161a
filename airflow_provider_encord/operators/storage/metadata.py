"""Bring the client metadata of storage items up to date."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.assets import folder_uri
from airflow_provider_encord.links import folder_url
from airflow_provider_encord.operators.arguments import flag, given, storage_path, text_or_mapping
from airflow_provider_encord.operators.base import EncordBaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

MODES = ("merge", "replace")
_NAMED = 5  # items that a message names


class EncordUpdateMetadataOperator(EncordBaseOperator):
    """Bring the client metadata of the items in a folder up to date: read, compare, change only what differs, in bulk.

    Safe to repeat: a second run finds nothing that differs, and sends nothing that changes. Needs an SSH key. Encord
    API: ``storage/folders/{id}/items`` GET, ``storage/items/patch-bulk`` PATCH (v2).

    :param folder: Id of the storage folder (templated).
    :param metadata: What the items are to have (templated): a dictionary, id or name of the item to a dictionary; or
        the path or URI of a ``.json``, ``.jsonl`` or ``.csv`` file, as with `EncordUploadFilesOperator`. A name that
        several items have means all of them.
    :param mode: ``"merge"`` (default) keeps keys that are not named; ``"replace"`` removes them (templated).
    :param dry_run: Only say what would be changed (templated). Default: False.
    :return: ``{"folder", "items", "changed", "unchanged", "missing"}``: numbers of items that were meant, that were
        changed (with `dry_run`, would be) or had it already, and of names that no item has. The asset event of the
        folder gets the same.
    :raises AirflowFailException: An argument is wrong, or Encord refuses; the message says what is done.
    """

    template_fields: Sequence[str] = ("folder", "metadata", "mode", "dry_run", "encord_conn_id")

    def __init__(
        self,
        *,
        folder: str,
        metadata: Mapping[str, Mapping[str, Any]] | str,
        mode: str = "merge",
        dry_run: bool | str = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.folder = folder
        self.metadata = metadata
        self.mode = mode
        self.dry_run = dry_run  # type: ignore[assignment,method-assign]  # Airflow's method, for its CLI

    def act(self, context: Context) -> dict[str, Any]:
        """Compare and change."""
        from airflow_provider_encord.client.api.storage_folders import folder_patch
        from airflow_provider_encord.client.api.storage_items import ItemFilter
        from airflow_provider_encord.client.errors import InvalidRequestError
        from airflow_provider_encord.client.resources.storage import edit_items

        if self.mode not in MODES:
            raise InvalidRequestError(f"mode: {self.mode!r} is neither 'merge' nor 'replace'.")
        dry_run = flag(self.dry_run, "dry_run")
        wanted = self._wanted()
        folder = self.client.folder(given(self.folder) or "")
        self.show(context, folder_url, folder.id)
        patches: dict[str, dict[str, Any]] = {}
        found: set[str] = set()
        meant = 0
        for item in folder.items(ItemFilter(client_metadata=True, page_size=1000)):
            name = next((one for one in (item.uuid, item.name) if one in wanted), None)
            if name is None:
                continue
            found.add(name)
            meant += 1
            there = json.loads(item.client_metadata) if item.client_metadata else {}
            after = {**there, **wanted[name]} if self.mode == "merge" else dict(wanted[name])
            if after != there:
                patches[item.uuid] = folder_patch(client_metadata=after)
        missing = [name for name in wanted if name not in found]
        if missing:
            self.log.warning("No item of the folder is named %s.", _some(missing))
        if patches and not dry_run:
            self.client.run(edit_items(patches))
        told = {
            "folder": folder.id,
            "items": meant,
            "changed": len(patches),
            "unchanged": meant - len(patches),
            "missing": len(missing),
        }
        self.log.info(
            "%d items: %d %s, %d have it already.",
            meant,
            len(patches),
            "would be changed" if dry_run else "changed",
            told["unchanged"],
        )
        if patches and not dry_run:
            self.tell_assets(context, folder_uri(self.client.settings.base_url, folder.id), told)
        return told

    def _wanted(self) -> Mapping[str, Mapping[str, Any]]:
        from airflow_provider_encord.client.errors import InvalidRequestError
        from airflow_provider_encord.ingest.client_metadata import read_table

        metadata = text_or_mapping(self.metadata, "metadata")
        if not metadata:
            raise InvalidRequestError("metadata: it is empty; a template may have rendered to nothing.")
        return read_table(metadata, lambda uri: storage_path(uri, "metadata"), "metadata")


def _some(names: Sequence[str]) -> str:
    listed = ", ".join(repr(name[:80]) for name in names[:_NAMED])
    return listed + (f" (and {len(names) - _NAMED} more)" if len(names) > _NAMED else "")
