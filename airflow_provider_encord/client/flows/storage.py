"""Storage: reading and editing many items, and creating a folder just once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.api import storage_folders, storage_items
from airflow_provider_encord.client.api.core.listing import every_page
from airflow_provider_encord.client.api.storage_folders import FolderFilter, StorageFolderRecord
from airflow_provider_encord.client.api.storage_items import StorageItemRecord
from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.flows.chunks import in_parts
from airflow_provider_encord.client.flows.creation import Created, Existing, another_description, get_or_create


def read_items(items: Sequence[str], *, sign_urls: bool = False) -> Flow[list[StorageItemRecord]]:
    """Read items by id, in the order of `items`. Large numbers are read in several requests."""
    parts = yield from in_parts(
        items,
        lambda some: storage_items.get_items(some, sign_urls=sign_urls),
        size=storage_items.MOST_ITEMS_PER_EDIT,
    )
    return [item for part in parts for item in part]


def edit_items(patches: Mapping[str, Mapping[str, Any]]) -> Flow[None]:
    """Change items in any folders. Large numbers are sent in several requests.

    :param patches: Changes made by `storage_folders.folder_patch`, by item id.
    """
    yield from in_parts(
        list(patches),
        lambda some: storage_items.edit_items({item: patches[item] for item in some}),
        size=storage_items.MOST_ITEMS_PER_EDIT,
    )


def create_folder_once(
    name: str, *, if_exists: str, parent: str | None = None, description: str | None = None, **arguments: Any
) -> Flow[Created]:
    """Create a folder, or reuse one with the same name and parent; see `get_or_create`.

    The backing folder of a dataset with this name is not reused.
    """

    def find(name: str) -> Flow[Sequence[Existing]]:
        which = FolderFilter(search=name)
        listing = (
            (lambda page: storage_folders.list_folders(which, page=page))
            if parent is None
            else (lambda page: storage_folders.list_subfolders(parent, which, page=page))
        )
        found = yield from every_page(listing)
        return [
            Existing(
                id=match.uuid,
                differs=another_description(description, match.description or ""),
                created_at=match.created_at,
            )
            for match in found
            if match.name == name and match.parent == parent and not match.synced_dataset_hash
        ]

    def create(name: str) -> Call[StorageFolderRecord]:
        return storage_folders.create_folder(name, parent=parent, description=description, **arguments)

    return (
        yield from get_or_create(
            "folder", name, find=find, create=create, id_of=lambda made: made.uuid, if_exists=if_exists
        )
    )
