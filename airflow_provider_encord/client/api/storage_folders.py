"""Storage folders: make, read, list, edit, move, delete them; let cloud-synced ones take in what their bucket holds.

Client metadata has three forms here: a creation sends JSON *text*, an edit sends an object, and reading gives text
(protocol, section 9). A synchronisation is started under one name and polled under another, with its status in lower
case. Edits are not sent again after a lost answer, as the vendor's SDK does not: who edits looks first what differs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.reading import Page, ignored, v2_reader
from airflow_provider_encord.client.api.registry import operation
from airflow_provider_encord.client.call import Call, Request
from airflow_provider_encord.client.errors import InvalidArgumentError

BY_NAME = "name"
BY_CREATION = "createdAt"
DEFAULT_PAGE_SIZE = 100
MOST_FOLDERS_PER_EDIT = 1000


class PathPart(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A folder on the way from the root to another."""

    uuid: str
    name: str
    parent_uuid: str | None = None
    synced_dataset_hash: str | None = None


class StorageFolderRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A storage folder.

    :param parent: Id of the folder that it is in; None at the root.
    :param client_metadata: JSON text, or None.
    :param user_role: ``"user"`` or ``"admin"``.
    :param synced_dataset_hash: The mirror dataset that it is kept in step with.
    :param folder_type: ``generic``, ``cloudLinked``, ``synthetic``, or one that is newer.
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
    """How much of what a folder holds.

    :param total_size: Bytes.
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
    """The state of a synchronisation.

    :param status: ``pending``, ``done``, ``error`` or ``cancelled``. One that is done may hide units that failed: look
        at `upload_jobs_units_error`.
    :param scan_pages_processing_done: Pages of the bucket's listing that were read; and so on.
    :param upload_jobs_units_done: Files that were taken in; and so on.
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
        """Whether nothing more will happen; a status that we do not know has not ended."""
        return self.status in ("done", "error", "cancelled")


class FolderFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which folders to list; what is None does not restrict.

    :param search: Part of the name.
    :param recursive: Also folders in folders.
    :param dataset_synced: Only those that are (or are not) kept in step with a mirror dataset.
    :param organisation_tag_names: Only those that have all of these tags of the organisation.
    :param include_organisation: Also what the organisation has; for its admins.
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
        """The parameters."""
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
    """Make a folder; with an integration and the URL of a place in its bucket, one that is synced with that.

    :param parent: Id of the folder to put it in; None for the root.
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
    """Client metadata as the JSON text that a creation sends; spaced as the vendor's SDK has it.

    :raises InvalidArgumentError: It holds a value that JSON does not have.
    """
    try:
        return json.dumps(dict(metadata), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"client_metadata: it cannot be written as JSON: {error}.") from None


@operation("storage.folder.get", "v2")
def get_folder(folder: str) -> Call[StorageFolderRecord]:
    """One folder; of one that is not there, Encord says that it is not allowed."""
    return Call(request=Request("GET", _path(folder)), read=_FOLDER)


@operation("storage.folders.list", "v2")
def list_folders(which: FolderFilter = EVERY_FOLDER, *, page: str | None = None) -> Call[Page[StorageFolderRecord]]:
    """A page of the folders at the root."""
    return Call(request=Request("GET", "storage/folders", which.query(page)), read=_FOLDERS)


@operation("storage.folders.search", "v2")
def search_folders(which: FolderFilter = EVERY_FOLDER, *, page: str | None = None) -> Call[Page[StorageFolderRecord]]:
    """A page of the folders anywhere."""
    return Call(request=Request("GET", "storage/search/folders", which.query(page)), read=_FOLDERS)


@operation("storage.folder.subfolders", "v2")
def list_subfolders(
    folder: str, which: FolderFilter = EVERY_FOLDER, *, page: str | None = None
) -> Call[Page[StorageFolderRecord]]:
    """A page of the folders in a folder."""
    return Call(request=Request("GET", _path(folder, "folders"), which.query(page)), read=_FOLDERS)


@operation("storage.folder.update", "v2")
def edit_folder(folder: str, patch: Mapping[str, Any]) -> Call[StorageFolderRecord]:
    """Change what is given, from `folder_patch`."""
    request = Request("PATCH", _path(folder), json=dict(patch))
    return Call(request=request, changes=True, repeatable=False, read=_FOLDER)


def folder_patch(
    *, name: str | None = None, description: str | None = None, client_metadata: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What to change of a folder or an item; what is None stays."""
    metadata = None if client_metadata is None else dict(client_metadata)
    fields = {"name": name, "description": description, "clientMetadata": metadata}
    return {field: value for field, value in fields.items() if value is not None}


@operation("storage.folders.update_bulk", "v2")
def edit_folders(patches: Mapping[str, Mapping[str, Any]]) -> Call[list[StorageFolderRecord]]:
    """Change many folders.

    :param patches: Of `folder_patch` by folder id, at most `MOST_FOLDERS_PER_EDIT`.
    """
    body = {"folderPatches": {folder: dict(patch) for folder, patch in patches.items()}}
    request = Request("PATCH", "storage/folders/patch-bulk", json=body)
    return Call(request=request, changes=True, repeatable=False, read=lambda answer: _EDITED(answer).results)


@operation("storage.folders.move", "v2")
def move_folders(folders: Sequence[str], parent: str | None) -> Call[None]:
    """Put folders into another one.

    :param parent: Its id; None for the root.
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
    """How much of what a folder holds."""
    return Call(request=Request("GET", _path(folder, "summary")), read=_SUMMARY)


@operation("storage.cloud_sync start", "v2")
def start_sync(folder: str) -> Call[str]:
    """Start to take in what the bucket of a cloud-synced folder holds; the result is the job's id."""
    request = Request("POST", _path(folder, "cloud-synced-folder-syncs"))
    return Call(request=request, changes=True, repeatable=False, read=_SYNC_ID)


@operation("storage.cloud_sync result", "v2")
def poll_sync(folder: str, job: str, *, timeout_seconds: int = 0) -> Call[FolderSync]:
    """The state of a synchronisation.

    :param timeout_seconds: How long Encord may hold the request; 0 looks once.
    """
    path = _path(folder, "cloud-linked-folder-syncs", job, "long-polling")
    request = Request("GET", path, {"timeoutSeconds": timeout_seconds})
    return Call(request=request, hold_seconds=timeout_seconds, read=_SYNC)
