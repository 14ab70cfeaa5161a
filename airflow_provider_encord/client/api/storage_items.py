"""Storage items: the files in folders. Read, list, edit, move, delete them; re-encode videos.

The wire calls editing of many ``patch-bulk`` and of one by folder and item. What is listed with signed URLs holds
secrets: anyone who has such a URL can read the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.reading import Page, ignored, v2_reader
from airflow_provider_encord.client.api.registry import operation
from airflow_provider_encord.client.api.storage_folders import BY_NAME, DEFAULT_PAGE_SIZE
from airflow_provider_encord.client.call import Call, Request

MOST_ITEMS_PER_EDIT = 1000


class StorageItemRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """A storage item.

    :param parent: Id of the folder that it is in.
    :param item_type: ``image``, ``video``, ``imageGroup``, ..., or one that is newer.
    :param client_metadata: JSON text.
    :param signed_url: Only where it was asked for; None for groups, DICOM series and scenes. It is a secret.
    :param file_size: Bytes.
    :param duration: Seconds.
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

    def __repr__(self) -> str:
        return f"StorageItemRecord({self.item_type} {self.name!r}, uuid={self.uuid!r})"


class GroupItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A group that an item is part of."""

    uuid: str
    name: str
    item_type: str | None = None
    parent_uuid: str | None = None
    parent_name: str | None = None


class DatasetOfItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A dataset that an item is in, and the data units that it is there."""

    dataset_hash: str
    title: str
    backing_folder_uuid: str | None = None
    data_hashes: list[str] = []
    data_units_created_at: str | None = None


class ItemSummary(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where an item is used.

    :param used_in_datasets: How many there are, also of those that the caller cannot see.
    """

    frame_in_groups: int = 0
    accessible_group_items: list[GroupItem] = []
    used_in_datasets: int = 0
    accessible_datasets: list[DatasetOfItem] = []
    group_layout: Any = None


class RemovedItems(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How much a deletion removed."""

    removed_items_count: int = 0
    removed_folders_count: int = 0


class ReEncoding(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The state of a re-encoding.

    :param status: ``submitted``, ``done`` or ``error``.
    """

    status: str
    result: Any = None


class ItemFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which items to list, and what to tell of each; what is None does not restrict.

    :param search: Part of the name.
    :param recursive: Also items in folders of the folder.
    :param in_dataset: Only those that are (or are not) in a dataset.
    :param item_types: Only these types; none for all.
    :param sign_urls: Tell signed URLs.
    :param client_metadata: Tell the client metadata; None leaves the choice to Encord.
    :param client_metadata_as_signed_url: Tell a URL of the metadata instead.
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
        """The parameters."""
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
    """A page of the items in a folder."""
    return Call(request=Request("GET", _in_folder(folder), which.query(page)), read=_ITEMS)


@operation("storage.items.search", "v2")
def search_items(which: ItemFilter, *, page: str | None = None) -> Call[Page[StorageItemRecord]]:
    """A page of the items anywhere; slow. `search` or `item_types` is needed."""
    return Call(request=Request("GET", "storage/search/items", which.query(page)), read=_ITEMS)


@operation("storage.item.get", "v2")
def get_item(item: str, *, sign_url: bool = False) -> Call[StorageItemRecord]:
    """One item."""
    return Call(request=Request("GET", f"storage/items/{item}", {"signUrl": sign_url}), read=_ITEM)


@operation("storage.items.get_bulk", "v2")
def get_items(items: Sequence[str], *, sign_urls: bool = False) -> Call[list[StorageItemRecord]]:
    """Many items, in the order of the request; a read, though it is posted."""
    body = {"itemUuids": list(items), "signUrls": sign_urls}
    request = Request("POST", "storage/items/get-bulk", json=body)
    return Call(request=request, read=lambda answer: _SOME_ITEMS(answer).results)


@operation("storage.item.children", "v2")
def list_child_items(folder: str, item: str, *, sign_urls: bool = False) -> Call[list[StorageItemRecord]]:
    """The items that a group or series is made of."""
    request = Request("GET", _in_folder(folder, item, "child-items"), {"signUrls": sign_urls})
    return Call(request=request, read=lambda answer: _ITEMS(answer).results)


@operation("storage.item.summary", "v2")
def get_item_summary(folder: str, item: str) -> Call[ItemSummary]:
    """Where an item is used."""
    request = Request("GET", _in_folder(folder, item, "summary"), {"includeGroupLayout": True})
    return Call(request=request, read=_SUMMARY)


@operation("storage.item.update", "v2")
def edit_item(folder: str, item: str, patch: Mapping[str, Any]) -> Call[StorageItemRecord]:
    """Change what is given, from `storage_folders.folder_patch`."""
    request = Request("PATCH", _in_folder(folder, item), json=dict(patch))
    return Call(request=request, changes=True, repeatable=False, read=_ITEM)


@operation("storage.items.update_bulk", "v2")
def edit_items(patches: Mapping[str, Mapping[str, Any]]) -> Call[list[StorageItemRecord]]:
    """Change many items.

    :param patches: Of `storage_folders.folder_patch` by item id, at most `MOST_ITEMS_PER_EDIT`.
    """
    body = {"itemPatches": {item: dict(patch) for item, patch in patches.items()}}
    request = Request("PATCH", "storage/items/patch-bulk", json=body)
    return Call(request=request, changes=True, repeatable=False, read=lambda answer: _SOME_ITEMS(answer).results)


@operation("storage.folder.items.move", "v2")
def move_items(
    folder: str, items: Sequence[str], parent: str, *, allow_synced_dataset_move: bool = False
) -> Call[None]:
    """Put items into another folder.

    :param allow_synced_dataset_move: Also out of or into a folder that is kept in step with a mirror dataset, whose
        rows then change.
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

    :param remove_unused_frames: Of groups, also the images that are in nothing else.
    """
    body = {"childUuids": list(items), "removeUnusedFrames": remove_unused_frames}
    request = Request("POST", _in_folder(folder, "delete"), json=body)
    return Call(request=request, changes=True, repeatable=False, read=_REMOVED)


@operation("storage.items.re_encode", "v2")
def re_encode_videos(items: Sequence[str], *, title: str, force_full: bool = False) -> Call[str]:
    """Re-encode videos; the result is the job's id.

    :param title: Of the process.
    """
    body = {"storageItems": list(items), "processTitle": title, "forceFullReencoding": force_full}
    request = Request("POST", "storage/items/reencode", json=body)
    return Call(request=request, changes=True, repeatable=False, read=_JOB_ID)


@operation("storage.items.re_encode_status", "v2")
def get_re_encoding(job: str) -> Call[ReEncoding]:
    """The state of a re-encoding."""
    return Call(request=Request("GET", f"storage/items/reencode/{job}"), read=_RE_ENCODING)
