"""Storage items, the files in folders: read, list, edit, move and delete them; re-encode videos.

Many items are edited with ``patch-bulk``, a single one with a request that names folder and item. Signed URLs are
secrets: anyone who has one can read the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.reading import Page, ignored, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.api.storage_folders import BY_NAME, DEFAULT_PAGE_SIZE
from airflow_provider_encord.client.call import Call, Request

MOST_ITEMS_PER_EDIT = 1000


class StorageItemRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """A storage item.

    :param parent: Id of the folder that contains the item.
    :param item_type: ``image``, ``video``, ``imageGroup``, ..., or a newer value.
    :param client_metadata: JSON text.
    :param signed_url: None unless it was requested; always None for groups, DICOM series and scenes. It is a secret.
    :param file_size: Size in bytes.
    :param duration: Duration in seconds.
    :param timeseries_settings: How Encord shows the channels of a time series; None without such settings.
    """

    uuid: str
    parent: str
    item_type: str
    name: str
    description: str | None = None
    client_metadata: str | None = None
    client_metadata_signed_url: str | None = None
    owner: str | None = None
    created_at: str | None = None
    last_edited_at: str | None = None
    is_tombstone: bool | None = None
    is_placeholder: bool | None = None
    backed_data_units_count: int | None = None
    storage_location: str | None = None
    integration_hash: str | None = None
    url: str | None = None
    signed_url: str | None = None
    file_size: int | None = None
    mime_type: str | None = None
    duration: float | None = None
    fps: float | None = None
    height: int | None = None
    width: int | None = None
    dicom_instance_uid: str | None = None
    dicom_study_uid: str | None = None
    dicom_series_uid: str | None = None
    frame_count: int | None = None
    audio_sample_rate: int | None = None
    audio_bit_depth: int | None = None
    audio_codec: str | None = None
    audio_num_channels: int | None = None
    timeseries_settings: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"StorageItemRecord({self.item_type} {self.name!r}, uuid={self.uuid!r})"


class GroupItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A group that contains an item."""

    uuid: str
    name: str
    item_type: str | None = None
    parent_uuid: str | None = None
    parent_name: str | None = None


class DatasetOfItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A dataset that contains an item, and the item's data units in it."""

    dataset_hash: str
    title: str
    backing_folder_uuid: str | None = None
    data_hashes: list[str] = []
    data_units_created_at: str | None = None


class ItemSummary(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where an item is used.

    :param used_in_datasets: Number of datasets that use the item, including those that the caller cannot see.
    """

    frame_in_groups: int = 0
    accessible_group_items: list[GroupItem] = []
    used_in_datasets: int = 0
    accessible_datasets: list[DatasetOfItem] = []
    group_layout: Any = None


class RemovedItems(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The numbers of items and folders that a deletion removed."""

    removed_items_count: int = 0
    removed_folders_count: int = 0


class ReEncoding(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The state of a re-encoding job.

    :param status: ``submitted``, ``done`` or ``error``.
    """

    status: str
    result: Any = None


class ItemFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which items to list, and which optional fields to include. Fields that are None do not filter.

    :param search: Part of the name.
    :param recursive: Include items in subfolders.
    :param in_dataset: True for only items that are in a dataset, False for only other items.
    :param item_types: Only these types; empty for all.
    :param sign_urls: Include signed URLs.
    :param client_metadata: Include the client metadata; None lets Encord choose.
    :param client_metadata_as_signed_url: Include a signed URL of the client metadata instead.
    """

    search: str | None = None
    recursive: bool | None = False
    in_dataset: bool | None = None
    item_types: Sequence[str] = ()
    include_organisation: bool | None = None
    order: str = BY_NAME
    descending: bool = False
    page_size: int = DEFAULT_PAGE_SIZE
    sign_urls: bool = False
    client_metadata: bool | None = True
    client_metadata_as_signed_url: bool | None = False

    def query(self, page: str | None) -> dict[str, Any]:
        """The query parameters."""
        return {
            "search": self.search,
            "isRecursive": self.recursive,
            "isInDataset": self.in_dataset,
            "itemTypes": list(self.item_types),
            "includeOrgAccess": self.include_organisation,
            "order": self.order,
            "desc": self.descending,
            "pageToken": page,
            "pageSize": self.page_size,
            "signUrls": self.sign_urls,
            "includeClientMetadata": self.client_metadata,
            "clientMetadataAsSignedUrl": self.client_metadata_as_signed_url,
        }


EVERY_ITEM = ItemFilter()


class _Items(msgspec.Struct, frozen=True, kw_only=True):
    results: list[StorageItemRecord]


_ITEM = v2_reader(StorageItemRecord)
_ITEMS = v2_reader(Page[StorageItemRecord])
_SOME_ITEMS = v2_reader(_Items)
_SUMMARY = v2_reader(ItemSummary)
_REMOVED = v2_reader(RemovedItems)
_JOB_ID = v2_reader(str)
_RE_ENCODING = v2_reader(ReEncoding)


def _in_folder(folder: str, *more: str) -> str:
    return "/".join(["storage/folders", folder, "items", *more])


@operation("storage.folder.items", "v2")
def list_items(
    folder: str, which: ItemFilter = EVERY_ITEM, *, page: str | None = None
) -> Call[Page[StorageItemRecord]]:
    """List one page of the items in a folder."""
    return Call(request=Request("GET", _in_folder(folder), which.query(page)), read=_ITEMS)


@operation("storage.items.search", "v2")
def search_items(which: ItemFilter, *, page: str | None = None) -> Call[Page[StorageItemRecord]]:
    """Search the items of all folders and list one page; slow. The filter must have `search` or `item_types`."""
    return Call(request=Request("GET", "storage/search/items", which.query(page)), read=_ITEMS)


@operation("storage.item.get", "v2")
def get_item(item: str, *, sign_url: bool = False) -> Call[StorageItemRecord]:
    """Read one item."""
    return Call(request=Request("GET", f"storage/items/{item}", {"signUrl": sign_url}), read=_ITEM)


@operation("storage.items.get_bulk", "v2")
def get_items(items: Sequence[str], *, sign_urls: bool = False) -> Call[list[StorageItemRecord]]:
    """Read several items, in the order of the request. It only reads, although it is a POST."""
    body = {"itemUuids": list(items), "signUrls": sign_urls}
    request = Request("POST", "storage/items/get-bulk", json=body)
    return Call(request=request, read=lambda answer: _SOME_ITEMS(answer).results)


@operation("storage.item.children", "v2")
def list_child_items(folder: str, item: str, *, sign_urls: bool = False) -> Call[list[StorageItemRecord]]:
    """List the items that an image group or DICOM series consists of."""
    request = Request("GET", _in_folder(folder, item, "child-items"), {"signUrls": sign_urls})
    return Call(request=request, read=lambda answer: _ITEMS(answer).results)


@operation("storage.item.summary", "v2")
def get_item_summary(folder: str, item: str) -> Call[ItemSummary]:
    """Read where an item is used."""
    request = Request("GET", _in_folder(folder, item, "summary"), {"includeGroupLayout": True})
    return Call(request=request, read=_SUMMARY)


@operation("storage.item.update", "v2")
def edit_item(folder: str, item: str, patch: Mapping[str, Any]) -> Call[StorageItemRecord]:
    """Change an item.

    :param patch: The changes, made by `storage_folders.folder_patch`.
    """
    request = Request("PATCH", _in_folder(folder, item), json=dict(patch))
    return Call(request=request, changes=True, repeatable=False, read=_ITEM)


@operation("storage.items.update_bulk", "v2")
def edit_items(patches: Mapping[str, Mapping[str, Any]]) -> Call[list[StorageItemRecord]]:
    """Change many items.

    :param patches: Changes made by `storage_folders.folder_patch`, by item id; at most `MOST_ITEMS_PER_EDIT`.
    """
    body = {"itemPatches": {item: dict(patch) for item, patch in patches.items()}}
    request = Request("PATCH", "storage/items/patch-bulk", json=body)
    return Call(request=request, changes=True, repeatable=False, read=lambda answer: _SOME_ITEMS(answer).results)


@operation("storage.folder.items.move", "v2")
def move_items(
    folder: str, items: Sequence[str], parent: str, *, allow_synced_dataset_move: bool = False
) -> Call[None]:
    """Move items into another folder.

    :param allow_synced_dataset_move: Allow moves into or out of the backing folder of a mirror dataset. This changes
        the rows of the dataset.
    """
    body = {
        "itemUuids": list(items),
        "newParentUuid": parent,
        "allowSyncedDatasetMove": allow_synced_dataset_move,
    }
    request = Request("POST", _in_folder(folder, "move"), json=body)
    return Call(request=request, changes=True, repeatable=False, read=ignored)


@operation("storage.folder.items.delete", "v2")
def delete_items(folder: str, items: Sequence[str], *, remove_unused_frames: bool = True) -> Call[RemovedItems]:
    """Delete items.

    :param remove_unused_frames: When a group is deleted, delete also its images that are not used elsewhere.
    """
    body = {"childUuids": list(items), "removeUnusedFrames": remove_unused_frames}
    request = Request("POST", _in_folder(folder, "delete"), json=body)
    return Call(request=request, changes=True, repeatable=False, read=_REMOVED)


@operation("storage.items.re_encode", "v2")
def re_encode_videos(items: Sequence[str], *, title: str, force_full: bool = False) -> Call[str]:
    """Start to re-encode videos. The result is the job's id.

    :param title: Title of the job.
    """
    body = {"storageItems": list(items), "processTitle": title, "forceFullReencoding": force_full}
    request = Request("POST", "storage/items/reencode", json=body)
    return Call(request=request, changes=True, repeatable=False, read=_JOB_ID)


@operation("storage.items.re_encode_status", "v2")
def get_re_encoding(job: str) -> Call[ReEncoding]:
    """Read the state of a re-encoding job."""
    return Call(request=Request("GET", f"storage/items/reencode/{job}"), read=_RE_ENCODING)
