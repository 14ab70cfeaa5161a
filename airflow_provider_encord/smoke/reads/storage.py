"""Reads about storage: a few folders, one folder in full, one item in full, one group of files."""

from __future__ import annotations

from airflow_provider_encord.client.api import (
    folder_config,
    members,
    storage_folders,
    storage_items,
)
from airflow_provider_encord.client.api.composites import scenes
from airflow_provider_encord.client.api.storage_folders import FolderFilter
from airflow_provider_encord.client.api.storage_items import ItemFilter, StorageItemRecord
from airflow_provider_encord.smoke.visit import Visit

_MOST_LISTED = 5
_TYPES_WITH_CHILDREN = ("imageGroup", "imageSequence", "dicomSeries", "group")
_FEW_FOLDERS = FolderFilter(page_size=_MOST_LISTED)


def read_storage(visit: Visit) -> None:
    """Read folders and items; what the datasets contain comes first."""
    listed = visit.ask(storage_folders.list_folders(_FEW_FOLDERS))
    visit.ask(storage_folders.search_folders(_FEW_FOLDERS))
    listed_folders = listed.value.results if listed.answered else []
    for synced in [folder.uuid for folder in listed_folders if folder.remote_url][:1]:
        visit.ask(folder_config.get_folder_config(synced), visit.alias("folder", synced))
    item = _item_of_datasets(visit)
    folders = [folder.uuid for folder in listed_folders]
    for folder in [item.parent] if item else folders[:1]:
        listed_items = _read_folder(visit, folder)
        if item is None and listed_items:
            item = _read_item(visit, listed_items[0].uuid)
    if item:
        about = visit.alias("item", item.uuid)
        visit.ask(storage_items.get_items([item.uuid]), about)
        visit.ask(storage_items.get_item_summary(item.parent, item.uuid), about)
    _read_group_of_files(visit)
    _read_scene(visit)


def _item_of_datasets(visit: Visit) -> StorageItemRecord | None:
    """The storage item of the first data row that names one."""
    for _, rows in visit.values("dataset.list_data_rows", "v1"):
        for row in rows:
            if row.backing_item_uuid:
                return _read_item(visit, row.backing_item_uuid)
    return None


def _read_item(visit: Visit, item: str) -> StorageItemRecord | None:
    reply = visit.ask(storage_items.get_item(item), visit.alias("item", item))
    return reply.value if reply.answered else None


def _read_folder(visit: Visit, folder: str) -> list[StorageItemRecord]:
    about = visit.alias("folder", folder)
    visit.ask(storage_folders.get_folder(folder), about)
    visit.ask(storage_folders.get_folder_summary(folder), about)
    visit.ask(storage_folders.list_subfolders(folder, _FEW_FOLDERS), about)
    visit.ask(members.list_folder_groups(folder), about)
    items = visit.ask(storage_items.list_items(folder, ItemFilter(page_size=_MOST_LISTED)), about)
    return list(items.value.results) if items.answered else []


def _read_group_of_files(visit: Visit) -> None:
    """Search one item that is made of other items, and list these."""
    found = visit.ask(storage_items.search_items(ItemFilter(item_types=_TYPES_WITH_CHILDREN, page_size=1)))
    for item in found.value.results[:1] if found.answered else ():
        visit.ask(storage_items.list_child_items(item.parent, item.uuid), visit.alias("item", item.uuid))


def _read_scene(visit: Visit) -> None:
    """Search one scene, and read it."""
    found = visit.ask(storage_items.search_items(ItemFilter(item_types=["scene"], page_size=1)))
    for item in found.value.results[:1] if found.answered else ():
        visit.ask(scenes.get_scene(item.uuid), visit.alias("item", item.uuid))
