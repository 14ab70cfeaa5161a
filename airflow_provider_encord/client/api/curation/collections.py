"""Collections of storage items. The app shows them in its data view, which is called Index.

A collection contains items below one top-level folder. There is no operation that reads a single collection: a listing
is filtered by its id. Items that match a filter preset are added and removed in the background, and Encord does not
report when that ends.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from airflow_provider_encord.client.api.core.reading import Page, ignored, only, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.api.storage_items import StorageItemRecord
from airflow_provider_encord.client.call import Call, Request


class CollectionRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A collection.

    :param top_level_folder_uuid: Id of the folder that contains all its items, at any depth.
    """

    uuid: str
    name: str
    top_level_folder_uuid: str | None = None
    description: str | None = None
    created_at: str | None = None
    last_edited_at: str | None = None


class ItemOfCollection(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An item of a collection. All fields except `uuid` are None if the caller cannot see the item."""

    uuid: str
    name: str | None = None
    item_type: str | None = None
    parent: str | None = None


class FailedItems(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The ids of the items that Encord did not add or remove."""

    failed_items: list[str] = []


class AddedTitles(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The result of adding items by title.

    :param requested: Number of titles: matched, ambiguous and unmatched ones.
    :param ambiguous_titles: Titles of several items. None of these items was added.
    :param failed_items: Ids of items whose title matched, but that Encord did not add.
    """

    requested: int
    matched_titles: int
    items_added: int
    ambiguous_titles: list[str] = []
    unmatched_titles: list[str] = []
    failed_items: list[str] = []


_COLLECTIONS = v2_reader(Page[CollectionRecord])
_ITEMS = v2_reader(Page[StorageItemRecord])
_ALL_ITEMS = v2_reader(Page[ItemOfCollection])
_FAILED = v2_reader(FailedItems)
_ADDED = v2_reader(AddedTitles)
_ID = v2_reader(str)


@operation("collections.list", "v2")
def list_collections(
    *, folder: str | None = None, ids: Sequence[str] = (), page: str | None = None, page_size: int | None = None
) -> Call[Page[CollectionRecord]]:
    """List one page of the collections that the user can see.

    :param folder: Id of a top-level folder; None for all folders.
    :param ids: Only these collections; empty for all.
    """
    query = {"topLevelFolderUuid": folder, "uuids": list(ids), "pageToken": page, "pageSize": page_size}
    return Call(request=Request("GET", "index/collections", query), read=_COLLECTIONS)


@operation("collections.get", "v2")
def get_collection(collection: str) -> Call[CollectionRecord]:
    """Read a collection by its id."""
    return Call(request=Request("GET", "index/collections", {"uuids": [collection]}), read=only(_COLLECTIONS))


@operation("collections.create", "v2")
def create_collection(folder: str, name: str, *, description: str = "") -> Call[str]:
    """Create a collection. The response is its id.

    :param folder: Id of the top-level folder that its items are in.
    """
    body = {"name": name, "description": description}
    request = Request("POST", "index/collections", {"topLevelFolderUuid": folder}, json=body)
    return Call(request=request, changes=True, repeatable=False, read=_ID)


@operation("collections.update", "v2")
def update_collection(collection: str, *, name: str | None = None, description: str | None = None) -> Call[None]:
    """Change a collection. None leaves the value unchanged."""
    wanted = {"name": name, "description": description}
    body = {key: value for key, value in wanted.items() if value is not None}
    return Call(request=Request("PATCH", f"index/collections/{collection}", json=body), changes=True, read=ignored)


@operation("collections.delete", "v2")
def delete_collection(collection: str) -> Call[None]:
    """Delete a collection; its items stay in their folders."""
    request = Request("DELETE", f"index/collections/{collection}")
    return Call(request=request, changes=True, repeatable=False, read=ignored)


@operation("collections.items.list", "v2")
def list_collection_items(
    collection: str, *, client_metadata: bool | None = None, page: str | None = None, page_size: int | None = None
) -> Call[Page[StorageItemRecord]]:
    """List one page of the items that the user can see.

    :param client_metadata: Include the client metadata; None lets Encord choose.
    """
    query = {"includeClientMetadata": client_metadata, "pageToken": page, "pageSize": page_size}
    return Call(request=Request("GET", f"index/collections/{collection}/accessible-items", query), read=_ITEMS)


@operation("collections.items.list_all", "v2")
def list_all_collection_items(
    collection: str, *, page: str | None = None, page_size: int | None = None
) -> Call[Page[ItemOfCollection]]:
    """List one page of all items, including those that the user cannot see."""
    query = {"pageToken": page, "pageSize": page_size}
    return Call(request=Request("GET", f"index/collections/{collection}/all-items", query), read=_ALL_ITEMS)


@operation("collections.items.add", "v2")
def add_collection_items(collection: str, items: Sequence[str]) -> Call[FailedItems]:
    """Add items by id. The response contains the items that were not added."""
    return _change(collection, "add-items", items)


@operation("collections.items.remove", "v2")
def remove_collection_items(collection: str, items: Sequence[str]) -> Call[FailedItems]:
    """Remove items by id; they stay in their folders. The response contains the items that were not removed."""
    return _change(collection, "remove-items", items)


@operation("collections.items.add_by_title", "v2")
def add_collection_titles(collection: str, titles: Sequence[str]) -> Call[AddedTitles]:
    """Add items by title. Their number and length is limited; see `flows.collections`."""
    request = Request("POST", f"index/collections/{collection}/add-data-title-items", json={"dataTitles": list(titles)})
    return Call(request=request, changes=True, read=_ADDED)


@operation("collections.items.add_preset", "v2")
def add_preset_items(collection: str, preset: str) -> Call[None]:
    """Start adding the items that match a filter preset."""
    request = Request("POST", f"index/collections/{collection}/add-preset-items", json={"presetUuid": preset})
    return Call(request=request, changes=True, read=ignored)


@operation("collections.items.remove_preset", "v2")
def remove_preset_items(collection: str, preset: str) -> Call[None]:
    """Start removing the items that match a filter preset."""
    request = Request("POST", f"index/collections/{collection}/remove-preset-items", json={"presetUuid": preset})
    return Call(request=request, changes=True, read=ignored)


def _change(collection: str, action: str, items: Sequence[str]) -> Call[FailedItems]:
    request = Request("POST", f"index/collections/{collection}/{action}", json={"itemUuids": list(items)})
    return Call(request=request, changes=True, read=_FAILED)
