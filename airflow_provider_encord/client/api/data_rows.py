"""Data rows: read, edit, rename and remove them, link storage items, re-encode videos. All operations are v1.

Encord calls the data ``video`` in removals and renames, whatever its kind. A re-encoding job is identified by a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from airflow_provider_encord.client.api.core.reading import accepted, made, several, single, v1_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.api.datasets import DataRow, dataset_resource
from airflow_provider_encord.client.call import SSH_OR_API_KEY, Call, Envelope, named
from airflow_provider_encord.client.errors import RefusedError

DuplicatesBehavior = Literal["SKIP", "FAIL", "DUPLICATE"]

SUBMITTED = "SUBMITTED"
DONE = "DONE"
ERROR = "ERROR"


class EditedDataRow(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that an edit changed, and the row after the edit."""

    updated_fields: list[str] = []
    data_row: DataRow | None = None


class ReEncodedVideo(msgspec.Struct, frozen=True, kw_only=True):
    """A re-encoded video. The URL is a secret: anyone who has it can read the video."""

    data_hash: str
    signed_url: str | None = None
    bucket_path: str | None = None

    def __repr__(self) -> str:
        return f"ReEncodedVideo(data_hash={self.data_hash!r}, bucket_path={self.bucket_path!r})"


class ReEncoding(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a re-encoding job.

    :param status: ``SUBMITTED``, ``DONE`` or ``ERROR``.
    """

    status: str
    result: list[ReEncodedVideo] | None = None

    @property
    def ended(self) -> bool:
        """Whether the job has ended. An unknown status counts as not ended."""
        return self.status in (DONE, ERROR)


class _Success(msgspec.Struct, frozen=True, kw_only=True):
    success: bool


_ROW = single(v1_reader(DataRow))
_ROWS = several(v1_reader(list[DataRow]))
_EDITED = made(v1_reader(EditedDataRow))
_SUCCESS = made(v1_reader(_Success))
_JOB_NUMBER = made(v1_reader(int))
_RE_ENCODING = single(v1_reader(ReEncoding))


def _renamed(answer: bytes) -> None:
    if not _SUCCESS(answer).success:
        raise RefusedError("Encord accepted the request but does not report success, and gives no reason.")


@operation("dataset.data_row.get", "v1")
def get_data_row(
    dataset: str,
    data_hash: str,
    *,
    signed_url: bool = False,
    images_data: bool = False,
    images_signed_urls: bool = False,
    client_metadata: bool = False,
) -> Call[DataRow]:
    """Read one data row.

    :param signed_url: Include a signed URL of the file. It is a secret, because for a limited time it needs no
        credential.
    :param images_data: Include the images of a group.
    :param images_signed_urls: Include signed URLs of these images.
    """
    options = {"fetch_signed_urls": images_signed_urls} if images_data or images_signed_urls else None
    more = {"signed_url": signed_url, "images_data_fetch_options": options, "client_metadata": client_metadata}
    request = Envelope("datarow", "GET", dataset_resource(dataset), uid=data_hash, payload={"additional_data": more})
    return Call(request=request, credentials=SSH_OR_API_KEY, read=_ROW)


@operation("dataset.data_row.edit", "v1")
def edit_data_row(
    dataset: str, data_hash: str, *, data_title: str | None = None, client_metadata: Mapping[str, Any] | None = None
) -> Call[EditedDataRow]:
    """Change the title or client metadata of a data row. Encord recommends to edit its storage item instead."""
    payload: dict[str, Any] = {} if data_title is None else {"data_title": data_title}
    if client_metadata is not None:
        payload["client_metadata"] = dict(client_metadata)
    if not payload:
        raise ValueError("data_title, client_metadata: both are missing. Pass at least one of them.")
    request = Envelope("datarow", "POST", dataset_resource(dataset), uid=data_hash, payload=payload)
    return Call(request=request, credentials=SSH_OR_API_KEY, changes=True, read=_EDITED)


@operation("dataset.update_data_item", "v1")
def rename_data_row(dataset: str, data_hash: str, title: str) -> Call[None]:
    """Rename a data row. Encord recommends to rename its storage item instead."""
    payload = [{"video_hash": data_hash, "title": title}]
    request = Envelope("video", "POST", dataset_resource(dataset), uid=dataset, payload=payload)
    return Call(request=request, credentials=SSH_OR_API_KEY, changes=True, read=_renamed)


@operation("dataset.delete_data", "v1")
def remove_data_rows(dataset: str, data_hashes: Sequence[str]) -> Call[None]:
    """Remove data rows of any kind, with their labels. Hashes that are not in the dataset are ignored."""
    request = Envelope("video", "DELETE", dataset_resource(dataset), uid=list(data_hashes))
    return Call(request=request, credentials=SSH_OR_API_KEY, changes=True, read=accepted)


@operation("dataset.link_items", "v1")
def link_items(
    dataset: str, items: Sequence[str], *, duplicates_behavior: DuplicatesBehavior = "SKIP"
) -> Call[list[DataRow]]:
    """Link storage items to a dataset.

    :param items: Ids of the items.
    :param duplicates_behavior: What to do with items that are in the dataset already: ``SKIP`` them; ``FAIL``, which
        links no item at all; or ``DUPLICATE`` them. Only ``DUPLICATE`` is not safe to repeat.
    :return: The data rows that Encord returns.
    """
    payload = {"item_uuids": list(items), "duplicates_behavior": duplicates_behavior}
    request = Envelope("datasetlinkitems", "POST", dataset_resource(dataset), uid=dataset, payload=payload)
    return Call(
        request=request,
        credentials=SSH_OR_API_KEY,
        changes=True,
        repeatable=duplicates_behavior == "SKIP",
        read=_ROWS,
        others=named("Storage items", items),
    )


@operation("dataset.re_encode_data", "v1")
def start_re_encoding(dataset: str, data_hashes: Sequence[str]) -> Call[int]:
    """Start a job that re-encodes videos. The result is the job's number."""
    payload = {"data_hash": list(data_hashes)}
    request = Envelope("reencodevideotask", "PUT", dataset_resource(dataset), payload=payload)
    return Call(request=request, credentials=SSH_OR_API_KEY, changes=True, repeatable=False, read=_JOB_NUMBER)


@operation("dataset.re_encode_data_status", "v1")
def get_re_encoding(dataset: str, job: int) -> Call[ReEncoding]:
    """The state of a re-encoding job.

    :param job: The job's number.
    """
    request = Envelope("reencodevideotask", "GET", dataset_resource(dataset), uid=job)
    return Call(request=request, credentials=SSH_OR_API_KEY, read=_RE_ENCODING)
