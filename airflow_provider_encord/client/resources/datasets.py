"""A dataset, under either kind of credential."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_encord.client.api import datasets, keys
from airflow_provider_encord.client.api.datasets import CreatedDataset, DataRow, DatasetRecord
from airflow_provider_encord.client.api.listing import Filter
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.resources import members
from airflow_provider_encord.client.resources.creation import Created, Existing, another_description, create_once
from airflow_provider_encord.client.resources.identifiers import require_id
from airflow_provider_encord.client.resources.members import HasGroups, HasUsers
from airflow_provider_encord.client.resources.sender import Sender


class Dataset(HasUsers, HasGroups):
    """Handle on one dataset. Making it sends nothing.

    :param client: Sends what the methods need.
    :param id: The dataset's id.
    """

    member_calls = members.OF_DATASET

    def __init__(self, client: Sender, id: str):  # noqa: A002 - the word for it
        self._client = client
        self.id = require_id(id, "dataset")

    def __repr__(self) -> str:
        return f"Dataset({self.id!r})"

    def get(self) -> DatasetRecord:
        """What Encord tells of the dataset."""
        return self._client.send(datasets.get_dataset(self.id))

    def data_rows(self, **filters: Any) -> list[DataRow]:
        """The data rows; filters as `datasets.list_data_rows` takes them."""
        return self._client.send(datasets.list_data_rows(self.id, **filters))

    def create_api_key(self, title: str, scopes: Sequence[str]) -> keys.ApiKeyRecord:
        """Create an API key for this dataset; the record holds the secret."""
        return self._client.send(keys.create_dataset_api_key(self.id, title=title, scopes=scopes))

    def api_keys(self) -> list[keys.ApiKeyRecord]:
        """The dataset's API keys, secrets included."""
        return self._client.send(keys.list_dataset_api_keys(self.id))


def _id(created: CreatedDataset) -> str:
    return created.dataset_uuid


def create_dataset_once(title: str, *, if_exists: str, **arguments: Any) -> Flow[Created]:
    """Create a dataset unless there is one of its title; see `create_once` and `datasets.create_dataset`."""

    def differs(there: DatasetRecord) -> list[str]:
        # Only what is told counts: Encord may leave the folder out where there is one.
        unwanted_folder = there.backing_folder_uuid and not arguments.get("create_backing_folder", True)
        folder = ["it has a backing folder, and none was asked for"] if unwanted_folder else []
        return folder + another_description(arguments.get("description"), there.description)

    def find() -> Flow[Sequence[Existing]]:
        same = yield from datasets.list_datasets(Filter(title_eq=title))
        return [Existing(id=one.dataset_hash, differs=differs(one)) for one in same if one.title == title]

    create = datasets.create_dataset(title, **arguments)
    return (yield from create_once("dataset", title, find=find, create=create, id_of=_id, if_exists=if_exists))
