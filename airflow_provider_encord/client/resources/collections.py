"""Collections of storage items. SSH keys only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from airflow_provider_encord.client.api.curation import collections
from airflow_provider_encord.client.api.curation.collections import AddedTitles, CollectionRecord, ItemOfCollection
from airflow_provider_encord.client.api.storage_items import StorageItemRecord
from airflow_provider_encord.client.client_protocol import ClientProtocol
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.flows import collections as flows
from airflow_provider_encord.client.flows.organisation import remove
from airflow_provider_encord.client.flows.pages import each
from airflow_provider_encord.client.identifiers import require_id, require_ids


class Collection:
    """Handle on one collection. Creating the handle sends no request.

    :param client: Sends the requests of the methods.
    :param id: The collection's id.
    """

    def __init__(self, client: ClientProtocol, id: str):  # noqa: A002 - the word for it
        self._client = client
        self.id = require_id(id, "collection")

    def __repr__(self) -> str:
        return f"Collection({self.id!r})"

    def get(self) -> CollectionRecord:
        """Read the collection's record.

        :raises NotFoundError: The collection does not exist, or the user cannot see it.
        """
        return self._client.send(collections.get_collection(self.id))

    def update(self, *, name: str | None = None, description: str | None = None) -> None:
        """Change the name or the description. None leaves the value unchanged."""
        if name is None and description is None:
            raise InvalidArgumentError("name, description: both are missing. Pass at least one of them.")
        self._client.send(collections.update_collection(self.id, name=name, description=description))

    def delete(self) -> None:
        """Delete the collection; its items stay in their folders."""
        gone = collections.delete_collection(self.id)
        everything = flows.all_collections
        self._client.run(remove(gone, lambda: everything(None), lambda record: record.uuid == self.id))

    def items(self, *, client_metadata: bool | None = None) -> Iterator[StorageItemRecord]:
        """Iterate over the items that the user can see, one page in memory at a time.

        :param client_metadata: Include the client metadata; None lets Encord choose.
        """
        return each(
            self._client,
            lambda page: collections.list_collection_items(self.id, client_metadata=client_metadata, page=page),
        )

    def all_items(self) -> Iterator[ItemOfCollection]:
        """Iterate over all items, one page in memory at a time. Items that the user cannot see have only an id."""
        return each(self._client, lambda page: collections.list_all_collection_items(self.id, page=page))

    def add_items(self, item_ids: Sequence[str] | str) -> list[str]:
        """Add storage items; safe to repeat.

        :return: The ids of the items that Encord did not add.
        """
        wanted = require_ids(item_ids, "item_ids")
        return self._client.run(
            flows.change_items(wanted, lambda some: collections.add_collection_items(self.id, some))
        )

    def remove_items(self, item_ids: Sequence[str] | str) -> list[str]:
        """Remove storage items from the collection; they stay in their folders.

        :return: The ids of the items that Encord did not remove.
        """
        wanted = require_ids(item_ids, "item_ids")
        return self._client.run(
            flows.change_items(wanted, lambda some: collections.remove_collection_items(self.id, some))
        )

    def add_titles(self, titles: Sequence[str]) -> AddedTitles:
        """Add the storage items with these titles; safe to repeat. A title that several items have adds no item.

        :return: How many items were added, and which titles matched no item or several.
        """
        if isinstance(titles, str):
            raise InvalidArgumentError("titles: it is a single text. Pass a list of titles.")
        return self._client.run(flows.add_titles(self.id, titles))

    def add_preset(self, preset_id: str) -> None:
        """Start adding the items that match a filter preset. Encord does not report when it is done."""
        self._client.send(collections.add_preset_items(self.id, require_id(preset_id, "preset_id")))

    def remove_preset(self, preset_id: str) -> None:
        """Start removing the items that match a filter preset. Encord does not report when it is done."""
        self._client.send(collections.remove_preset_items(self.id, require_id(preset_id, "preset_id")))
