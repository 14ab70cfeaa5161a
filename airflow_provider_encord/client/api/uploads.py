"""Uploads into a dataset: signed upload URLs, the job that registers the uploaded files, and the state of the job.

The start of a job uses ``camelCase`` and the poll ``snake_case``, both inside a v1 envelope (protocol, section 9). The
URLs come from v2 with an SSH key, and from v1 with an API key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.data_items import IMAGE, VIDEO, Kind, UploadedFile, data_items
from airflow_provider_encord.client.api.core.reading import Page, made, several, single, v1_reader, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.api.datasets import dataset_resource
from airflow_provider_encord.client.call import SSH_OR_API_KEY, Call, Envelope, Request
from airflow_provider_encord.defaults import MOST_FILES_PER_JOB

__all__ = ["IMAGE", "VIDEO", "Kind", "UploadedFile", "data_items"]  # re-exported from `data_items`

MOST_URLS_PER_REQUEST = MOST_FILES_PER_JOB
LONGEST_HOLD = 60  # seconds that Encord may hold a poll (protocol, section 7.9)

PENDING = "PENDING"
DONE = "DONE"
ERROR = "ERROR"
CANCELLED = "CANCELLED"


class SignedUrl(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The upload URL of one file. The URL is a secret: anyone who has it can upload to it.

    :param object_key: Identifies the uploaded object in later requests.
    :param item_uuid: Placeholder of the file in a storage folder; None for v1.
    :param upload_headers: Headers to send with the bytes.
    """

    object_key: str
    signed_url: str
    item_uuid: str | None = None
    upload_headers: dict[str, str] | None = None

    def __repr__(self) -> str:
        return f"SignedUrl(object_key={self.object_key!r}, signed_url='***')"


class _SignedUrlV1(msgspec.Struct, frozen=True, kw_only=True):
    signed_url: str
    file_link: str
    title: str

    def __repr__(self) -> str:
        return "_SignedUrlV1(...)"

    def record(self) -> SignedUrl:
        return SignedUrl(object_key=self.file_link, signed_url=self.signed_url)


class _Started(msgspec.Struct, frozen=True, kw_only=True):
    process_hash: str


class RegisteredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a job registered.

    :param data_hash: Hash of the data unit; None for a storage folder, which has only items.
    """

    data_hash: str | None
    title: str
    backing_item_uuid: str | None = None


class UnitError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a unit of a job failed.

    :param object_urls: URLs of the unit's objects.
    """

    object_urls: list[str] = []
    error: str = ""
    subtask_uuid: str | None = None
    action_description: str = ""


class UploadJob(msgspec.Struct, frozen=True, kw_only=True):
    """The state of an upload job.

    :param status: ``PENDING``, ``DONE``, ``ERROR`` or ``CANCELLED``. If errors are ignored, a job with failed units is
        ``DONE``, too; see `units_error_count`.
    """

    status: str
    data_hashes_with_titles: list[RegisteredFile] = []
    errors: list[str] = []
    data_unit_errors: list[UnitError] = []
    units_pending_count: int = 0
    units_done_count: int = 0
    units_error_count: int = 0
    units_cancelled_count: int = 0
    file_name: str | None = None

    @property
    def ended(self) -> bool:
        """Whether the job has ended. An unknown status counts as not ended."""
        return self.status in (DONE, ERROR, CANCELLED)

    @property
    def failures(self) -> dict[str, str]:
        """The reasons why objects failed, by URL."""
        return {
            url: error.error or error.action_description or "Encord gives no reason"
            for error in self.data_unit_errors
            for url in error.object_urls
        }


_SIGNED_URLS = v2_reader(Page[SignedUrl])
_SIGNED_URL_V1 = single(v1_reader(_SignedUrlV1))
_SIGNED_URLS_V1 = several(v1_reader(list[_SignedUrlV1]))
_STARTED = made(v1_reader(_Started))
_JOB = single(v1_reader(UploadJob))


@operation("upload.signed_urls", "v2")
def signed_urls(count: int, kind: Kind) -> Call[list[SignedUrl]]:
    """Get upload URLs for files of one kind.

    :param count: At most `MOST_URLS_PER_REQUEST`.
    """
    if kind.upload_type is None:
        raise ValueError(
            f"kind: Encord has no dataset upload URLs for files of list {kind.list_name}. Upload them into a storage "
            "folder (folder_uploads.folder_signed_urls), and link the items to the dataset."
        )
    query = {"count": count, "uploadItemType": kind.upload_type}
    request = Request("GET", "presigned-urls", query)
    return Call(request=request, read=lambda answer: _SIGNED_URLS(answer).results)


@operation("upload.signed_urls", "v1")
def signed_urls_v1(dataset: str, titles: Sequence[str], kind: Kind) -> Call[list[SignedUrl]]:
    """Get upload URLs for files of one kind with an API key, in the order of the titles.

    :param titles: Titles of the files; only one unless `kind.many_urls` is true.
    """
    uid = list(titles) if kind.many_urls else titles[0]

    def read(answer: bytes) -> list[SignedUrl]:
        urls = _SIGNED_URLS_V1(answer) if kind.many_urls else [_SIGNED_URL_V1(answer)]
        return [url.record() for url in urls]

    request = Envelope(kind.url_query, "GET", dataset_resource(dataset), uid=uid)
    return Call(request=request, credentials=SSH_OR_API_KEY, read=read)


@operation("upload.start", "v1")
def start_upload(
    dataset: str, items: Mapping[str, Any], *, ignore_errors: bool = False, folder: str | None = None
) -> Call[str]:
    """Start the job that registers uploaded files. The result is the job's id. The job runs at Encord until it ends.

    :param items: The files as `data_items` returns them.
    :param ignore_errors: Register the valid units. False registers no units if one fails.
    :param folder: Id of the storage folder for the files; required unless the dataset is a mirror dataset.
    """
    payload: dict[str, Any] = {"dataItems": items, "ignoreErrors": ignore_errors}
    if folder:
        payload["folderUuid"] = folder
    return _start(dataset, payload)


@operation("dataset.add_private_data start", "v1")
def start_private_data(
    dataset: str,
    integration: str,
    *,
    files: Mapping[str, Any] | None = None,
    items: Mapping[str, Any] | None = None,
    ignore_errors: bool = False,
    folder: str | None = None,
    file_name: str | None = None,
) -> Call[str]:
    """Start the job that registers files that stay in the user's own bucket. The result is the job's id.

    :param integration: Id of the cloud integration that can read the bucket.
    :param files: Encord's upload JSON, which is sent unchanged. Pass either `files` or `items`.
    :param items: The files as `data_items` returns them.
    :param ignore_errors: Register the valid units. False registers no units if one fails.
    :param folder: Id of the storage folder for the items; required unless the dataset is a mirror dataset.
    :param file_name: Name of the file that `files` came from.
    """
    payload = one_form("files", files, items) | {"integrationId": integration, "ignoreErrors": ignore_errors}
    if folder:
        payload["folderUuid"] = folder
    if file_name is not None:
        payload["fileName"] = file_name
    return _start(dataset, payload)


def one_form(name: str, files: Mapping[str, Any] | None, items: Mapping[str, Any] | None) -> dict[str, Any]:
    """The files to register, in the form that was passed.

    :param name: Name of the upload JSON in this request.
    """
    if (files is None) == (items is None):
        raise ValueError("files, items: pass exactly one of them.")
    return {"dataItems": items} if files is None else {name: files}


def _start(dataset: str, payload: Mapping[str, Any]) -> Call[str]:
    request = Envelope("datasetdatalongpolling", "POST", dataset_resource(dataset), uid=dataset, payload=payload)
    return Call(
        request=request,
        credentials=SSH_OR_API_KEY,
        changes=True,
        repeatable=False,
        read=lambda answer: _STARTED(answer).process_hash,
    )


@operation("dataset.add_private_data result", "v1")
def poll_upload(dataset: str, job: str, *, timeout_seconds: int = 0) -> Call[UploadJob]:
    """The state of an upload job.

    :param timeout_seconds: Seconds that Encord may hold the request while the job runs, at most `LONGEST_HOLD`; 0 for
        an immediate response.
    """
    payload = {"process_hash": job, "timeout_seconds": timeout_seconds}
    request = Envelope("datasetdatalongpolling", "GET", dataset_resource(dataset), uid=dataset, payload=payload)
    return Call(request=request, credentials=SSH_OR_API_KEY, hold_seconds=timeout_seconds, read=_JOB)
