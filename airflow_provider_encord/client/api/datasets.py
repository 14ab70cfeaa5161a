"""Datasets: list, read and create them, and list their data rows.

v2 cannot read a single dataset, so v1 is used with both kinds of credential. The id is called ``datasetUuid`` in a
listing and ``dataset_hash`` in a read; the record calls it ``dataset_hash`` in both cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.listing import NO_FILTER, Filter, Time
from airflow_provider_encord.client.api.core.reading import Listing, several, single, v1_reader, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import SSH_OR_API_KEY, Call, Envelope, Request, Resource
from airflow_provider_encord.client.times import write_time


class DatasetRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset.

    :param backing_folder_uuid: Id of the storage folder with the same contents, if it is a mirror dataset.
    :param dataset_type: ``"CORD_STORAGE"``, ``"AWS_S3"``, ...; None in listings.
    :param user_role: ``"admin"`` or ``"user"``, in listings; None if the user is not a member.
    :param storage_location: 0 Encord, 1 AWS, 2 GCP, 3 Azure, 4 another S3.
    """

    dataset_hash: str
    title: str
    description: str | None = ""
    dataset_type: str | None = None
    backing_folder_uuid: str | None = None
    created_at: str | None = None
    last_edited_at: str | None = None
    user_role: str | None = None
    storage_location: int | None = None


class _DatasetInListing(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    dataset_uuid: str
    title: str
    description: str | None = ""
    created_at: str | None = None
    last_edited_at: str | None = None
    backing_folder_uuid: str | None = None
    user_role: str | None = None
    storage_location: int | None = None

    def record(self) -> DatasetRecord:
        return DatasetRecord(
            dataset_hash=self.dataset_uuid,
            title=self.title,
            description=self.description,
            backing_folder_uuid=self.backing_folder_uuid,
            created_at=self.created_at,
            last_edited_at=self.last_edited_at,
            user_role=self.user_role,
            storage_location=self.storage_location,
        )


class CreatedDataset(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A new dataset, as Encord returns it after the creation."""

    dataset_uuid: str
    backing_folder_uuid: str | None = None


class ImageInGroup(msgspec.Struct, frozen=True, kw_only=True):
    """An image of an image group. The signed URL is a secret."""

    image_hash: str
    title: str | None = None
    file_link: str | None = None
    file_type: str | None = None
    file_size: int | None = None
    storage_location: int | None = None
    created_at: str | None = None
    last_edited_at: str | None = None
    height: int | None = None
    width: int | None = None
    signed_url: str | None = None

    def __repr__(self) -> str:
        return f"ImageInGroup(image_hash={self.image_hash!r}, title={self.title!r})"


class DataRow(msgspec.Struct, frozen=True, kw_only=True):
    """One file, or group of files, in a dataset. The signed URL is a secret; it is None unless it was requested.

    :param data_type: ``"IMAGE"``, ``"VIDEO"``, ``"IMG_GROUP"``, ..., in upper case.
    :param file_size: Size in bytes.
    :param file_type: The media type.
    :param duration: Duration in seconds.
    :param storage_location: 0 Encord, 1 AWS, 2 GCP, 3 Azure, 4 another S3.
    :param client_metadata: None unless it was requested.
    :param images_data: The images of a group; None unless they were requested.
    """

    data_hash: str
    data_title: str
    data_type: str
    created_at: str | None = None
    last_edited_at: str | None = None
    width: int | None = None
    height: int | None = None
    file_size: int | None = None
    file_type: str | None = None
    frames_per_second: float | None = None
    duration: float | None = None
    backing_item_uuid: str | None = None
    file_link: str | None = None
    storage_location: int | None = None
    client_metadata: dict[str, Any] | None = None
    signed_url: str | None = None
    is_optimised_image_group: bool | None = None
    images_data: list[ImageInGroup] | None = None

    def __repr__(self) -> str:
        return f"DataRow(data_hash={self.data_hash!r}, data_title={self.data_title!r}, data_type={self.data_type!r})"


_DATASETS = v2_reader(Listing[_DatasetInListing])
_CREATED = v2_reader(CreatedDataset)
_DATASET = single(v1_reader(DatasetRecord))
_STORAGE_LOCATIONS = ("CORD_STORAGE", "AWS_S3", "GCP_STR", "AZURE_STR", "S3_COMPATIBLE_STR")
"""The dataset types of a read; the index is the number that a listing uses."""
_DATA_ROWS = several(v1_reader(list[DataRow]))


def dataset_resource(dataset: str) -> Resource:
    """A dataset as the resource of a v1 request."""
    return Resource("dataset", dataset)


def _access_settings(fetch_client_metadata: bool, fetch_rows: bool | None) -> dict[str, bool]:
    """The settings of a read. SDKs up to 0.1.190 do not know ``fetch_rows`` and leave it out."""
    settings = {"fetch_client_metadata": fetch_client_metadata}
    return settings if fetch_rows is None else settings | {"fetch_rows": fetch_rows}


@operation("datasets.list", "v2")
def list_datasets(which: Filter = NO_FILTER) -> Call[list[DatasetRecord]]:
    """List the datasets that the user can see; not paged."""
    request = Request("GET", "datasets/list", which.query(description="description", utc="Z"))
    return Call(request=request, read=lambda answer: [dataset.record() for dataset in _DATASETS(answer).result])


@operation("dataset.create", "v2")
def create_dataset(
    title: str, *, description: str | None = None, create_backing_folder: bool = True
) -> Call[CreatedDataset]:
    """Create a dataset.

    :param create_backing_folder: Create a mirror dataset, which has a storage folder with the same contents. Without
        it, each upload must name a folder.
    """
    body: dict[str, Any] = {"title": title}
    if description is not None:
        body["description"] = description
    body |= {"createBackingFolder": create_backing_folder, "legacyCall": False}
    return Call(request=Request("POST", "datasets", json=body), changes=True, repeatable=False, read=_CREATED)


@operation("dataset.get", "v1")
def get_dataset(
    dataset: str, *, fetch_client_metadata: bool = False, fetch_rows: bool | None = False
) -> Call[DatasetRecord]:
    """Read a dataset by its id.

    :param fetch_rows: Let Encord include all data rows, which the record leaves out. None does not send the setting.
    """
    payload = {"dataset_access_settings": _access_settings(fetch_client_metadata, fetch_rows)}
    request = Envelope("dataset", "GET", dataset_resource(dataset), payload=payload)
    return Call(request=request, credentials=SSH_OR_API_KEY, read=lambda answer: _with_location(_DATASET(answer)))


def _with_location(dataset: DatasetRecord) -> DatasetRecord:
    if dataset.dataset_type not in _STORAGE_LOCATIONS:
        return dataset
    return msgspec.structs.replace(dataset, storage_location=_STORAGE_LOCATIONS.index(dataset.dataset_type))


@operation("dataset.list_data_rows", "v1")
def list_data_rows(
    dataset: str,
    *,
    title_eq: str | None = None,
    title_like: str | None = None,
    created_before: Time | None = None,
    created_after: Time | None = None,
    data_types: Sequence[str] | None = None,
    data_hashes: Sequence[str] | None = None,
    fetch_client_metadata: bool = False,
    fetch_rows: bool | None = True,
) -> Call[list[DataRow]]:
    """List the data rows of a dataset; not paged.

    :param title_like: SQL LIKE pattern for the title.
    :param data_types: ``"IMAGE"``, ``"VIDEO"``, ..., in upper case.
    :param fetch_rows: The setting that the SDK sends; None does not send it.
    """
    payload = {
        "title_eq": title_eq,
        "title_like": title_like,
        "created_before": write_time(created_before),
        "created_after": write_time(created_after),
        "data_types": None if data_types is None else list(data_types),
        "data_hashes": None if data_hashes is None else list(data_hashes),
        "dataset_access_settings": _access_settings(fetch_client_metadata, fetch_rows),
    }
    request = Envelope("datarows", "GET", dataset_resource(dataset), payload=payload)
    return Call(request=request, credentials=SSH_OR_API_KEY, read=_DATA_ROWS)
