"""A dataset, under either kind of credential."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.api import (
    data_rows,
    datasets,
    keys,
)
from airflow_provider_encord.client.api.core.listing import Time
from airflow_provider_encord.client.api.data_rows import DuplicatesBehavior, EditedDataRow
from airflow_provider_encord.client.api.datasets import DataRow, DatasetRecord
from airflow_provider_encord.client.client_protocol import ClientProtocol
from airflow_provider_encord.client.flows import members
from airflow_provider_encord.client.flows.datasets import link_items, remove_data_rows
from airflow_provider_encord.client.flows.upload_target import UploadTarget
from airflow_provider_encord.client.flows.uploads import LocalFile, Uploaded, upload
from airflow_provider_encord.client.identifiers import require_id
from airflow_provider_encord.client.resources.members import HasGroups, HasUsers
from airflow_provider_encord.defaults import PARALLEL_UPLOADS


class Dataset(HasUsers, HasGroups):
    """Handle on one dataset. Creating the handle sends no request.

    :param client: Sends the requests of the methods.
    :param id: The dataset's id.
    """

    member_calls = members.OF_DATASET

    def __init__(self, client: ClientProtocol, id: str):  # noqa: A002 - the word for it
        self._client = client
        self.id = require_id(id, "dataset_id")

    def __repr__(self) -> str:
        return f"Dataset({self.id!r})"

    def get(self) -> DatasetRecord:
        """Read the dataset's record."""
        return self._client.send(datasets.get_dataset(self.id))

    def data_rows(
        self,
        *,
        title_eq: str | None = None,
        title_like: str | None = None,
        created_before: Time | None = None,
        created_after: Time | None = None,
        data_types: Sequence[str] | None = None,
        data_hashes: Sequence[str] | None = None,
        fetch_client_metadata: bool = False,
    ) -> list[DataRow]:
        """The data rows of the dataset that meet all conditions.

        :param title_like: SQL LIKE pattern for the title.
        :param data_types: ``"IMAGE"``, ``"VIDEO"``, ..., in upper case.
        :param fetch_client_metadata: Include the client metadata.
        """
        return self._client.send(
            datasets.list_data_rows(
                self.id,
                title_eq=title_eq,
                title_like=title_like,
                created_before=created_before,
                created_after=created_after,
                data_types=data_types,
                data_hashes=data_hashes,
                fetch_client_metadata=fetch_client_metadata,
            )
        )

    def data_row(
        self, data_hash: str, *, signed_url: bool = False, images_data: bool = False, client_metadata: bool = False
    ) -> DataRow:
        """Read one data row.

        :param signed_url: Include a signed URL of the file. It is a secret, because for a limited time it needs no
            credential.
        :param images_data: Include the images of a group.
        :param client_metadata: Include the client metadata.
        """
        return self._client.send(
            data_rows.get_data_row(
                self.id, data_hash, signed_url=signed_url, images_data=images_data, client_metadata=client_metadata
            )
        )

    def edit_data_row(
        self, data_hash: str, *, data_title: str | None = None, client_metadata: Mapping[str, Any] | None = None
    ) -> EditedDataRow:
        """Change the title or the client metadata of a data row. Encord recommends to edit its storage item instead."""
        return self._client.send(
            data_rows.edit_data_row(self.id, data_hash, data_title=data_title, client_metadata=client_metadata)
        )

    def rename_data_row(self, data_hash: str, title: str) -> None:
        """Give a data row another title."""
        self._client.send(data_rows.rename_data_row(self.id, data_hash, title))

    def remove_data_rows(self, data_hashes: Sequence[str]) -> None:
        """Remove data rows, with the labels on them; hashes of other datasets are ignored. Safe to repeat."""
        self._client.run(remove_data_rows(self.id, data_hashes))

    def link_items(self, items: Sequence[str], *, duplicates_behavior: DuplicatesBehavior = "SKIP") -> list[DataRow]:
        """Link storage items to the dataset; see `link_items`."""
        return self._client.run(link_items(self.id, items, duplicates_behavior=duplicates_behavior))

    def upload(
        self,
        units: Sequence[LocalFile],
        *,
        timeout: float,
        folder_id: str | None = None,
        parallel: int = PARALLEL_UPLOADS,
    ) -> Uploaded:
        """Upload files, image groups and DICOM series; see `flows.uploads.upload`.

        :param timeout: Seconds to wait for the job.
        :param folder_id: Id of the storage folder for the items; required unless this is a mirror dataset.
        :param parallel: How many files may be sent at once.
        """
        folder = None if folder_id is None else require_id(folder_id, "folder_id")
        target = UploadTarget(
            dataset=self.id, folder=folder, credential=self._client.credential.kind, parallel=parallel
        )
        return self._client.run(upload(target, units, timeout=timeout))

    def create_api_key(self, title: str, scopes: Sequence[str]) -> keys.ApiKeyRecord:
        """Create an API key for this dataset; the record holds the secret."""
        return self._client.send(keys.create_dataset_api_key(self.id, title=title, scopes=scopes))
