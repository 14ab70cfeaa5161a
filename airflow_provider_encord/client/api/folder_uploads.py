"""Uploads into a storage folder: signed URLs, the job that creates items from the files, its state and cancellation.

The same operations as in `uploads`, but in v2 and for SSH keys only. The start of a job takes ``integrationHash`` (in
`uploads`: ``integrationId``) and returns only the job's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.data_items import Kind
from airflow_provider_encord.client.api.core.reading import Page, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.api.uploads import RegisteredFile, SignedUrl, UnitError, UploadJob, one_form
from airflow_provider_encord.client.call import Call, Request


class _Item(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    item_uuid: str
    name: str


class _UnitError(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    object_urls: list[str] = []
    error: str = ""
    subtask_uuid: str | None = None
    action_description: str = ""


class _Job(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    status: str
    items_with_names: list[_Item] = []
    errors: list[str] = []
    unit_errors: list[_UnitError] = []
    units_pending_count: int = 0
    units_done_count: int = 0
    units_error_count: int = 0
    units_cancelled_count: int = 0
    file_name: str | None = None

    def record(self) -> UploadJob:
        made = [
            RegisteredFile(data_hash=None, title=item.name, backing_item_uuid=item.item_uuid)
            for item in self.items_with_names
        ]
        errors = [
            UnitError(
                object_urls=error.object_urls,
                error=error.error,
                subtask_uuid=error.subtask_uuid,
                action_description=error.action_description,
            )
            for error in self.unit_errors
        ]
        return UploadJob(
            status=self.status,
            data_hashes_with_titles=made,
            errors=self.errors,
            data_unit_errors=errors,
            units_pending_count=self.units_pending_count,
            units_done_count=self.units_done_count,
            units_error_count=self.units_error_count,
            units_cancelled_count=self.units_cancelled_count,
            file_name=self.file_name,
        )


class CancelledUnits(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The outcome of a job that was cancelled."""

    units_cancelled_count: int


_SIGNED_URLS = v2_reader(Page[SignedUrl])
_JOB_ID = v2_reader(str)
_JOB = v2_reader(_Job)
_CANCELLED = v2_reader(CancelledUnits)


@operation("storage.upload_signed_urls", "v2")
def folder_signed_urls(
    folder: str, count: int, kind: Kind, *, frames_subfolder: str | None = None
) -> Call[list[SignedUrl]]:
    """Get upload URLs for files of one kind, each with a placeholder in the folder.

    :param count: At most `uploads.MOST_URLS_PER_REQUEST`.
    :param frames_subfolder: Name of a subfolder for the frames of an image group.
    """
    body: dict[str, Any] = {"itemType": kind.item_type, "count": count}
    if frames_subfolder is not None:
        body["framesSubfolderName"] = frames_subfolder
    request = Request("POST", f"storage/folders/{folder}/upload-signed-urls", json=body)
    # Repeatable: a placeholder without an uploaded file never becomes an item.
    return Call(request=request, changes=True, read=lambda answer: _SIGNED_URLS(answer).results)


@operation("storage.add_private_data start", "v2")
def start_folder_upload(
    folder: str,
    *,
    items: Mapping[str, Any] | None = None,
    files: Mapping[str, Any] | None = None,
    integration: str | None = None,
    ignore_errors: bool = False,
    file_name: str | None = None,
) -> Call[str]:
    """Start the job that creates items from files, uploaded or in the user's own bucket. The result is the job's id.

    :param items: The files as `data_items` returns them. Pass either `items` or `files`.
    :param files: Encord's upload JSON, which is sent unchanged.
    :param integration: Id of the cloud integration that can read the bucket; None for uploaded files.
    :param ignore_errors: Create items from the valid units. False creates no items if one unit fails.
    :param file_name: Name of the file that `files` came from.
    """
    body = one_form("externalFiles", files, items) | {"ignoreErrors": ignore_errors}
    if integration is not None:
        body["integrationHash"] = integration
    if file_name is not None:
        body["fileName"] = file_name
    request = Request("POST", f"storage/folders/{folder}/data-upload-jobs", json=body)
    return Call(request=request, changes=True, repeatable=False, read=_JOB_ID)


@operation("storage.add_private_data result", "v2")
def poll_folder_upload(folder: str, job: str, *, timeout_seconds: int = 0) -> Call[UploadJob]:
    """The state of a job, in the same record as `uploads.poll_upload`. Its files have no data hash.

    :param timeout_seconds: Seconds that Encord may hold the request while the job runs, at most `uploads.LONGEST_HOLD`;
        0 for an immediate response.
    """
    path = f"storage/folders/{folder}/data-upload-jobs/{job}"
    request = Request("GET", path, {"timeoutSeconds": timeout_seconds})
    return Call(request=request, hold_seconds=timeout_seconds, read=lambda answer: _JOB(answer).record())


@operation("storage.upload_job.cancel", "v2")
def cancel_folder_upload(folder: str, job: str) -> Call[CancelledUnits]:
    """Cancel the units that a job has not processed yet.

    Has no effect on a job that has ended, so it is safe to repeat.
    """
    request = Request("POST", f"storage/folders/{folder}/data-upload-jobs/{job}/cancel")
    return Call(request=request, changes=True, read=_CANCELLED)
