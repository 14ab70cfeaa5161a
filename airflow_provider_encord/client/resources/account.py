"""The methods of a client: handles on resources, listings, and the creation of resources.

The client inherits from this class and adds how a call is sent.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from airflow_provider_encord.client.api import (
    datasets,
    ontologies,
    projects,
    storage_folders,
    storage_items,
)
from airflow_provider_encord.client.api.core.listing import NO_FILTER, Filter
from airflow_provider_encord.client.api.curation.collections import CollectionRecord
from airflow_provider_encord.client.api.datasets import DatasetRecord
from airflow_provider_encord.client.api.ontologies import OntologyRecord
from airflow_provider_encord.client.api.organisation import CloudIntegration
from airflow_provider_encord.client.api.projects import ProjectRecord
from airflow_provider_encord.client.api.storage_folders import EVERY_FOLDER, FolderFilter, StorageFolderRecord
from airflow_provider_encord.client.api.storage_items import ItemFilter, StorageItemRecord
from airflow_provider_encord.client.call import Resource
from airflow_provider_encord.client.client_protocol import ClientProtocol
from airflow_provider_encord.client.errors import InvalidArgumentError, UnsupportedByCredentialError
from airflow_provider_encord.client.flows import api_versions
from airflow_provider_encord.client.flows.collections import all_collections, create_collection_once
from airflow_provider_encord.client.flows.creation import REUSE, Created
from airflow_provider_encord.client.flows.datasets import create_dataset_once
from airflow_provider_encord.client.flows.ontologies import create_ontology_once
from airflow_provider_encord.client.flows.pages import each
from airflow_provider_encord.client.flows.projects import create_project_once
from airflow_provider_encord.client.flows.storage import create_folder_once, edit_items, read_items
from airflow_provider_encord.client.identifiers import require_id, require_ids
from airflow_provider_encord.client.resources.collections import Collection
from airflow_provider_encord.client.resources.datasets import Dataset
from airflow_provider_encord.client.resources.ontologies import Ontology
from airflow_provider_encord.client.resources.organisation import Organisation
from airflow_provider_encord.client.resources.projects import Project
from airflow_provider_encord.client.resources.storage import StorageFolder


class Account(ClientProtocol, Protocol):
    """The resources that one credential can see."""

    @property
    @abstractmethod
    def key_resource(self) -> Resource | None:
        """The project or dataset that an API key belongs to; None with an SSH key."""

    def project(self, id: str | None = None) -> Project:  # noqa: A002 - the word for it
        """Get a handle on a project. A request is sent only if `id` is None.

        :param id: The project's id; None for the project that the API key belongs to.
        :raises UnsupportedByCredentialError: The API key does not belong to a project.
        """
        return Project(self, self._own("project", id))

    def dataset(self, id: str | None = None) -> Dataset:  # noqa: A002 - the word for it
        """Get a handle on a dataset. A request is sent only if `id` is None.

        :param id: The dataset's id; None for the dataset that the API key belongs to.
        :raises UnsupportedByCredentialError: The API key does not belong to a dataset.
        """
        return Dataset(self, self._own("dataset", id))

    def folder(self, id: str) -> StorageFolder:  # noqa: A002 - the word for it
        """Get a handle on a storage folder; sends no request."""
        return StorageFolder(self, id)

    def folders(self, which: FolderFilter = EVERY_FOLDER, *, anywhere: bool = False) -> Iterator[StorageFolderRecord]:
        """The storage folders at the root, page by page. SSH keys only.

        :param anywhere: Include the folders inside other folders.
        """
        listing = storage_folders.search_folders if anywhere else storage_folders.list_folders
        return each(self, lambda page: listing(which, page=page))

    def find_items(self, which: ItemFilter) -> Iterator[StorageItemRecord]:
        """Search the storage items of all folders, page by page; slow. SSH keys only.

        :param which: The filter; it must have `search` or `item_types`.
        """
        if not which.search and not which.item_types:
            raise InvalidArgumentError("search, item_types: both are empty. Set at least one of them.")
        return each(self, lambda page: storage_items.search_items(which, page=page))

    def items(self, ids: Sequence[str], *, sign_urls: bool = False) -> list[StorageItemRecord]:
        """Storage items by id, in the order of `ids`. SSH keys only.

        :param sign_urls: Also return signed URLs of the files. They are secrets.
        """
        return self.run(read_items(require_ids(ids, "ids"), sign_urls=sign_urls))

    def edit_items(self, patches: Mapping[str, Mapping[str, Any]]) -> None:
        """Change many storage items at once. SSH keys only.

        :param patches: Changes made by `storage_folders.folder_patch`, by item id.
        """
        self.run(edit_items(patches))

    def create_folder(
        self,
        name: str,
        *,
        description: str | None = None,
        parent_folder_id: str | None = None,
        client_metadata: Mapping[str, Any] | None = None,
        integration: str | None = None,
        remote_url: str | None = None,
        if_exists: str = REUSE,
    ) -> Created:
        """Create a storage folder, or reuse one with the same name and parent. An existing folder is not changed.

        :param parent_folder_id: Id of the parent folder; None for the root.
        :param integration: Id of a cloud integration, for a folder that is synced with a bucket.
        :param remote_url: The bucket path to sync with, such as ``s3://bucket/path/``.
        :param if_exists: See `get_or_create`.
        """
        if (integration is None) != (remote_url is None):
            raise InvalidArgumentError(
                "integration, remote_url: one of them is missing; a cloud-synced folder needs both."
            )
        flow = create_folder_once(
            name,
            if_exists=if_exists,
            description=description,
            parent=None if parent_folder_id is None else require_id(parent_folder_id, "parent_folder_id"),
            client_metadata=client_metadata,
            integration=None if integration is None else require_id(integration, "integration"),
            remote_url=remote_url,
        )
        return self.run(flow)

    def collection(self, id: str) -> Collection:  # noqa: A002 - the word for it
        """Get a handle on a collection of storage items; sends no request."""
        return Collection(self, id)

    def collections(self, folder_id: str | None = None) -> list[CollectionRecord]:
        """The collections of storage items that the user can see. SSH keys only.

        :param folder_id: Only the collections of this top-level folder; None for those of all folders.
        """
        return self.run(all_collections(None if folder_id is None else require_id(folder_id, "folder_id")))

    def create_collection(self, folder_id: str, name: str, *, description: str = "", if_exists: str = REUSE) -> Created:
        """Create a collection of storage items, or reuse one with the same name and folder. SSH keys only.

        An existing collection is not changed.

        :param folder_id: Id of the top-level folder that its items are in, at any depth.
        :param if_exists: See `get_or_create`.
        """
        folder = require_id(folder_id, "folder_id")
        return self.run(create_collection_once(folder, name, description=description, if_exists=if_exists))

    def ontology(self, id: str) -> Ontology:  # noqa: A002 - the word for it
        """Get a handle on an ontology; sends no request."""
        return Ontology(self, id)

    def projects(self, which: Filter | None = None, *, tags: Sequence[str] = ()) -> list[ProjectRecord]:
        """The projects that the user can see.

        :param tags: Names of organisation tags. A project is listed if it has at least one of them.
        """
        return self.run(projects.all_projects(which or NO_FILTER, tags=tags))

    def iterate_projects(self, which: Filter | None = None, *, tags: Sequence[str] = ()) -> Iterator[ProjectRecord]:
        """Iterate over the same projects as `projects`, with only one page in memory at a time."""
        filters = which or NO_FILTER
        return each(self, lambda page: projects.list_projects(filters, tags=tags, page=page))

    def ontologies(self, which: Filter | None = None) -> list[OntologyRecord]:
        """The ontologies that the user can see, with their structures."""
        return self.run(ontologies.all_ontologies(which or NO_FILTER))

    def datasets(self, which: Filter | None = None) -> list[DatasetRecord]:
        """The datasets that the user can see."""
        return self.send(datasets.list_datasets(which or NO_FILTER))

    def cloud_integrations(self) -> list[CloudIntegration]:
        """The cloud integrations that this credential can use."""
        return self.run(api_versions.CLOUD_INTEGRATIONS.flow(self.credential.kind, self.key_resource))

    @property
    def organisation(self) -> Organisation:
        """The user's organisation: its users, groups and tags. SSH keys only."""
        return Organisation(self)

    def create_project(
        self,
        title: str,
        *,
        description: str = "",
        dataset_ids: Sequence[str] = (),
        ontology_id: str | None = None,
        workflow_template_id: str | None = None,
        benchmark_of: Sequence[str] = (),
        if_exists: str = REUSE,
    ) -> Created:
        """Create a project, or reuse one with the same title. An existing project is not changed.

        :param dataset_ids: Ids of the datasets to attach.
        :param ontology_id: Id of the ontology; None lets Encord create an empty one.
        :param workflow_template_id: Id of a template made in the web app; None for Encord's default workflow.
        :param benchmark_of: Ids of source projects. If given, the new project is a benchmark project.
        :param if_exists: See `get_or_create`.
        """
        flow = create_project_once(
            title,
            if_exists=if_exists,
            description=description,
            datasets=require_ids(dataset_ids, "dataset_ids"),
            ontology=None if ontology_id is None else require_id(ontology_id, "ontology_id"),
            workflow_template=None
            if workflow_template_id is None
            else require_id(workflow_template_id, "workflow_template_id"),
            benchmark_of=require_ids(benchmark_of, "benchmark_of"),
        )
        return self.run(flow)

    def create_dataset(
        self,
        title: str,
        *,
        description: str | None = None,
        create_backing_folder: bool = True,
        if_exists: str = REUSE,
    ) -> Created:
        """Create a dataset, or reuse one with the same title. An existing dataset is not changed.

        :param create_backing_folder: Create a mirror dataset, which has a storage folder with the same contents.
        :param if_exists: See `get_or_create`.
        """
        flow = create_dataset_once(
            title, if_exists=if_exists, description=description, create_backing_folder=create_backing_folder
        )
        return self.run(flow)

    def create_ontology(
        self,
        title: str,
        *,
        structure: Mapping[str, Any] | None = None,
        description: str = "",
        if_exists: str = REUSE,
    ) -> Created:
        """Create an ontology, or reuse one with the same title. An existing ontology is not changed.

        :param structure: See `complete_structure`.
        :param if_exists: See `get_or_create`.
        """
        return self.run(create_ontology_once(title, structure=structure, description=description, if_exists=if_exists))

    def _own(self, kind: str, id: str | None) -> str:  # noqa: A002 - the word for it
        if id is not None:
            return id
        own = self.key_resource
        if own is None:
            raise InvalidArgumentError(
                f"{kind}_id: it is missing. Pass it; it may be left out only with a connection whose API key belongs "
                f"to a {kind}."
            )
        if own.kind != kind or own.id is None:
            raise UnsupportedByCredentialError(
                f"The API key of this connection belongs to a {own.kind} ({own.id}), not to a {kind}. Use a "
                f"connection with an API key of a {kind}, or use a connection with an SSH key and pass {kind}_id."
            )
        return own.id
