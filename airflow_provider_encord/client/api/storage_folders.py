"""Storage folders: create, read, list, edit, move and delete them, and sync cloud-synced folders with their bucket.

Client metadata has different forms: a creation sends JSON *text*, an edit sends an object, and a read returns text
(protocol, section 9). A sync has different names in the start and the poll, and its status is in lower case. Like in
the vendor's SDK, an edit is not repeated after a lost response; compare the folder with the wanted state first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.reading import Page, ignored, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import Call, Request
from airflow_provider_encord.client.errors import InvalidArgumentError

BY_NAME = "name"
BY_CREATION = "createdAt"
DEFAULT_PAGE_SIZE = 100
MOST_FOLDERS_PER_EDIT = 1000


class PathPart(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A folder on the path from the root to another folder."""

    uuid: str
    name: str
    parent_uuid: str | None = None
    synced_dataset_hash: str | None = None


class StorageFolderRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A storage folder.

    :param parent: Id of the parent folder; None at the root.
    :param client_metadata: JSON text, or None.
    :param user_role: ``"user"`` or ``"admin"``.
    :param synced_dataset_hash: Id of the mirror dataset with the same contents.
    :param folder_type: ``generic``, ``cloudLinked``, ``synthetic``, or a newer value.
    """

    uuid: str
    name: str
    parent: str | None = None
    description: str | None = None
    client_metadata: str | None = None
    owner: str | None = None
    created_at: str | None = None
    last_edited_at: str | None = None
    user_role: str | None = None
    synced_dataset_hash: str | None = None
    path_to_root: list[PathPart] = []
    folder_type: str | None = None
    integration_hash: str | None = None
    remote_url: str | None = None


class FolderSummary(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The number of folders and files in a folder, by type.

    :param total_size: Size in bytes.
    """

    files: int = 0
    folders: int = 0
    videos: int = 0
    images: int = 0
    image_groups: int = 0
    image_sequences: int = 0
    dicom_files: int = 0
    dicom_series: int = 0
    niftis: int = 0
    audios: int = 0
    pdfs: int = 0
    plain_texts: int = 0
    tombstones: int = 0
    upload_jobs: int = 0
    total_size: float = 0.0


class FolderSync(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The state of a sync job.

    :param status: ``pending``, ``done``, ``error`` or ``cancelled``. If the status is ``done``, files may still have
        failed; see `upload_jobs_units_error`.
    :param scan_pages_processing_done: Number of pages of the bucket's listing that were read. The other
        ``scan_pages_...`` fields count pages, too.
    :param upload_jobs_units_done: Number of files that were added. The other ``upload_jobs_units_...`` fields count
        files, too.
    """

    status: str
    scan_pages_processing_pending: int = 0
    scan_pages_processing_done: int = 0
    scan_pages_processing_error: int = 0
    scan_pages_processing_cancelled: int = 0
    upload_jobs_pending: int = 0
    upload_jobs_done: int = 0
    upload_jobs_error: int = 0
    upload_jobs_units_pending: int = 0
    upload_jobs_units_done: int = 0
    upload_jobs_units_error: int = 0
    upload_jobs_units_cancelled: int = 0

    @property
    def ended(self) -> bool:
        """Whether the job has ended. An unknown status counts as not ended."""
        return self.status in ("done", "error", "cancelled")


class FolderFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which folders to list. Fields that are None do not filter.

    :param search: Part of the name.
    :param recursive: Include folders inside folders.
    :param dataset_synced: True for only the backing folders of mirror datasets, False for only other folders.
    :param organisation_tag_names: Only folders that have all of these organisation tags.
    :param include_organisation: Include all folders of the organisation; for its admins.
    :param order: `BY_NAME` or `BY_CREATION`.
    """

    search: str | None = None
    recursive: bool = False
    dataset_synced: bool | None = None
    organisation_tag_names: Sequence[str] = ()
    include_organisation: bool | None = None
    order: str = BY_NAME
    descending: bool = False
    page_size: int = DEFAULT_PAGE_SIZE

    def query(self, page: str | None) -> dict[str, Any]:
        """The query parameters."""
        return {
            "search": self.search,
            "isRecursive": self.recursive,
            "datasetSynced": self.dataset_synced,
            "includeOrgAccess": self.include_organisation,
            "organisationTagNamesAllof": list(self.organisation_tag_names) or None,
            "order": self.order,
            "desc": self.descending,
            "pageToken": page,
            "pageSize": self.page_size,
        }


EVERY_FOLDER = FolderFilter()


class _Folders(msgspec.Struct, frozen=True, kw_only=True):
    results: list[StorageFolderRecord]


_FOLDER = v2_reader(StorageFolderRecord)
_FOLDERS = v2_reader(Page[StorageFolderRecord])
_EDITED = v2_reader(_Folders)
_SUMMARY = v2_reader(FolderSummary)
_SYNC_ID = v2_reader(str)
_SYNC = v2_reader(FolderSync)


def _path(folder: str, *more: str) -> str:
    return "/".join(["storage/folders", folder, *more])


@operation("storage.folder.create", "v2")
def create_folder(
    name: str,
    *,
    description: str | None = None,
    parent: str | None = None,
    client_metadata: Mapping[str, Any] | None = None,
    integration: str | None = None,
    remote_url: str | None = None,
) -> Call[StorageFolderRecord]:
    """Create a folder. With `integration` and `remote_url`, the folder is synced with a bucket.

    :param parent: Id of the parent folder; None for the root.
    :param remote_url: ``s3://bucket/path/``, ``gs://bucket/path/``, ``https://ACCOUNT.blob.core.windows.net/...``.
    """
    body: dict[str, Any] = {"name": name}
    if description is not None:
        body["description"] = description
    if parent is not None:
        body["parent"] = parent
    if client_metadata is not None:
        body["clientMetadata"] = as_text(client_metadata)
    if integration is not None:
        body["cloudSyncedFolderParams"] = {"integrationUuid": integration, "remoteUrl": remote_url}
    request = Request("POST", "storage/folders", json=body)
    return Call(request=request, changes=True, repeatable=False, read=_FOLDER)


def as_text(metadata: Mapping[str, Any]) -> str:
    """Client metadata as the JSON text that a creation sends, with the same spaces as in the vendor's SDK.

    :raises InvalidArgumentError: The metadata contains a value that JSON does not support.
    """
    try:
        return json.dumps(dict(metadata), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"client_metadata: it cannot be written as JSON: {error}.") from None


@operation("storage.folder.get", "v2")
def get_folder(folder: str) -> Call[StorageFolderRecord]:
    """Read a folder. If it does not exist, Encord responds that access is not allowed."""
    return Call(request=Request("GET", _path(folder)), read=_FOLDER)


@operation("storage.folders.list", "v2")
def list_folders(which: FolderFilter = EVERY_FOLDER, *, page: str | None = None) -> Call[Page[StorageFolderRecord]]:
    """List one page of the folders at the root."""
    return Call(request=Request("GET", "storage/folders", which.query(page)), read=_FOLDERS)


@operation("storage.folders.search", "v2")
def search_folders(which: FolderFilter = EVERY_FOLDER, *, page: str | None = None) -> Call[Page[StorageFolderRecord]]:
    """List one page of all folders."""
    return Call(request=Request("GET", "storage/search/folders", which.query(page)), read=_FOLDERS)


@operation("storage.folder.subfolders", "v2")
def list_subfolders(
    folder: str, which: FolderFilter = EVERY_FOLDER, *, page: str | None = None
) -> Call[Page[StorageFolderRecord]]:
    """List one page of the folders in a folder."""
    return Call(request=Request("GET", _path(folder, "folders"), which.query(page)), read=_FOLDERS)


@operation("storage.folder.update", "v2")
def edit_folder(folder: str, patch: Mapping[str, Any]) -> Call[StorageFolderRecord]:
    """Change a folder.

    :param patch: The changes, made by `folder_patch`.
    """
    request = Request("PATCH", _path(folder), json=dict(patch))
    return Call(request=request, changes=True, repeatable=False, read=_FOLDER)


def folder_patch(
    *, name: str | None = None, description: str | None = None, client_metadata: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The changes of a folder or an item. None leaves the value unchanged."""
    metadata = None if client_metadata is None else dict(client_metadata)
    fields = {"name": name, "description": description, "clientMetadata": metadata}
    return {field: value for field, value in fields.items() if value is not None}


@operation("storage.folders.update_bulk", "v2")
def edit_folders(patches: Mapping[str, Mapping[str, Any]]) -> Call[list[StorageFolderRecord]]:
    """Change many folders.

    :param patches: Changes made by `folder_patch`, by folder id; at most `MOST_FOLDERS_PER_EDIT`.
    """
    body = {"folderPatches": {folder: dict(patch) for folder, patch in patches.items()}}
    request = Request("PATCH", "storage/folders/patch-bulk", json=body)
    return Call(request=request, changes=True, repeatable=False, read=lambda answer: _EDITED(answer).results)


@operation("storage.folders.move", "v2")
def move_folders(folders: Sequence[str], parent: str | None) -> Call[None]:
    """Move folders into another folder.

    :param parent: Id of the new parent folder; None for the root.
    """
    body: dict[str, Any] = {"folderUuids": list(folders)}
    if parent is not None:
        body["newParentUuid"] = parent
    request = Request("POST", "storage/folders/move", json=body)
    return Call(request=request, changes=True, repeatable=True, read=ignored)


@operation("storage.folder.delete", "v2")
def delete_folder(folder: str) -> Call[None]:
    """Delete a folder."""
    return Call(request=Request("DELETE", _path(folder)), changes=True, repeatable=False, read=ignored)


@operation("storage.folder.summary", "v2")
def get_folder_summary(folder: str) -> Call[FolderSummary]:
    """Count the contents of a folder by type."""
    return Call(request=Request("GET", _path(folder, "summary")), read=_SUMMARY)


@operation("storage.cloud_sync start", "v2")
def start_sync(folder: str) -> Call[str]:
    """Start to sync a cloud-synced folder with its bucket. The result is the job's id."""
    request = Request("POST", _path(folder, "cloud-synced-folder-syncs"))
    return Call(request=request, changes=True, repeatable=False, read=_SYNC_ID)


@operation("storage.cloud_sync result", "v2")
def poll_sync(folder: str, job: str, *, timeout_seconds: int = 0) -> Call[FolderSync]:
    """The state of a sync job.

    :param timeout_seconds: Seconds that Encord may hold the request while the job runs; 0 for an immediate response.
    """
    path = _path(folder, "cloud-linked-folder-syncs", job, "long-polling")
    request = Request("GET", path, {"timeoutSeconds": timeout_seconds})
    return Call(request=request, hold_seconds=timeout_seconds, read=_SYNC)
