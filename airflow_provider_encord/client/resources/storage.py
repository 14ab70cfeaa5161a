"""Storage folders and the items in them. SSH keys only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.api import storage_folders, storage_items
from airflow_provider_encord.client.api.storage_folders import (
    EVERY_FOLDER,
    FolderFilter,
    FolderSummary,
    FolderSync,
    StorageFolderRecord,
    folder_patch,
)
from airflow_provider_encord.client.api.storage_items import (
    EVERY_ITEM,
    ItemFilter,
    ItemSummary,
    RemovedItems,
    StorageItemRecord,
)
from airflow_provider_encord.client.client_protocol import ClientProtocol
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.flows import members
from airflow_provider_encord.client.flows.chunks import in_parts
from airflow_provider_encord.client.flows.pages import each
from airflow_provider_encord.client.flows.upload_target import UploadTarget
from airflow_provider_encord.client.flows.uploads import LocalFile, Uploaded, upload
from airflow_provider_encord.client.identifiers import require_id, require_ids
from airflow_provider_encord.client.resources.members import HasGroups
from airflow_provider_encord.defaults import PARALLEL_UPLOADS


class StorageFolder(HasGroups):
    """Handle on one storage folder. Creating the handle sends no request.

    :param id: The folder's id.
    """

    member_calls = members.OF_FOLDER

    def __init__(self, client: ClientProtocol, id: str):  # noqa: A002 - the word for it
        self._client = client
        self.id = require_id(id, "folder_id")

    def __repr__(self) -> str:
        return f"StorageFolder({self.id!r})"

    def get(self) -> StorageFolderRecord:
        """Read the folder's record."""
        return self._client.send(storage_folders.get_folder(self.id))

    def summary(self) -> FolderSummary:
        """Count the contents of the folder by type."""
        return self._client.send(storage_folders.get_folder_summary(self.id))

    def upload(self, units: Sequence[LocalFile], *, timeout: float, parallel: int = PARALLEL_UPLOADS) -> Uploaded:
        """Upload files, image groups and DICOM series; see `flows.uploads.upload`.

        :param timeout: Seconds to wait for the job.
        :param parallel: How many files may be sent at once.
        """
        target = UploadTarget(folder=self.id, credential=self._client.credential.kind, parallel=parallel)
        return self._client.run(upload(target, units, timeout=timeout))

    def folders(self, which: FolderFilter = EVERY_FOLDER) -> Iterator[StorageFolderRecord]:
        """Iterate over the folders in this folder, page by page."""
        return each(self._client, lambda page: storage_folders.list_subfolders(self.id, which, page=page))

    def edit(
        self,
        *,
        name: str | None = None,
        description: str | None = None,
        client_metadata: Mapping[str, Any] | None = None,
    ) -> StorageFolderRecord:
        """Change the folder. Arguments that are None leave their value unchanged.

        :param client_metadata: Replaces all present client metadata.
        """
        patch = folder_patch(name=name, description=description, client_metadata=client_metadata)
        if not patch:
            raise InvalidArgumentError(
                "name, description, client_metadata: all are missing. Pass at least one of them."
            )
        return self._client.send(storage_folders.edit_folder(self.id, patch))

    def move(self, parent: str | None) -> None:
        """Move the folder into another folder.

        :param parent: Id of the new parent folder; None for the root.
        """
        wanted = None if parent is None else require_id(parent, "parent_folder_id")
        self._client.send(storage_folders.move_folders([self.id], wanted))

    def delete(self) -> None:
        """Delete the folder."""
        self._client.send(storage_folders.delete_folder(self.id))

    def items(self, which: ItemFilter = EVERY_ITEM) -> Iterator[StorageItemRecord]:
        """Iterate over the items in the folder, page by page."""
        return each(self._client, lambda page: storage_items.list_items(self.id, which, page=page))

    def item(self, id: str) -> StorageItem:  # noqa: A002 - the word for it
        """Get a handle on an item in the folder; sends no request."""
        return StorageItem(self._client, self.id, id)

    def move_items(self, items: Sequence[str], parent: str, *, allow_synced_dataset_move: bool = False) -> None:
        """Move items into another folder. Large numbers are sent in several requests.

        :param allow_synced_dataset_move: See `storage_items.move_items`.
        """
        target = require_id(parent, "parent_folder_id")
        self._client.run(
            in_parts(
                require_ids(items, "item_ids"),
                lambda some: storage_items.move_items(
                    self.id, some, target, allow_synced_dataset_move=allow_synced_dataset_move
                ),
                size=storage_items.MOST_ITEMS_PER_EDIT,
            )
        )

    def delete_items(self, items: Sequence[str], *, remove_unused_frames: bool = True) -> RemovedItems:
        """Delete items. Large numbers are sent in several requests.

        :param remove_unused_frames: See `storage_items.delete_items`.
        """
        removed = self._client.run(
            in_parts(
                require_ids(items, "item_ids"),
                lambda some: storage_items.delete_items(self.id, some, remove_unused_frames=remove_unused_frames),
                size=storage_items.MOST_ITEMS_PER_EDIT,
            )
        )
        return RemovedItems(
            removed_items_count=sum(answer.removed_items_count for answer in removed),
            removed_folders_count=sum(answer.removed_folders_count for answer in removed),
        )

    def start_sync(self) -> str:
        """Start to sync a cloud-synced folder with its bucket.

        :return: The job's id, for `poll_sync`.
        """
        return self._client.send(storage_folders.start_sync(self.id))

    def poll_sync(self, job: str, *, timeout_seconds: int = 0) -> FolderSync:
        """The state of a sync job; see `storage_folders.poll_sync`."""
        return self._client.send(storage_folders.poll_sync(self.id, job, timeout_seconds=timeout_seconds))


class StorageItem:
    """Handle on one storage item. Creating the handle sends no request."""

    def __init__(self, client: ClientProtocol, folder: str, id: str):  # noqa: A002 - the word for it
        self._client, self._folder = client, folder
        self.id = require_id(id, "item")

    def __repr__(self) -> str:
        return f"StorageItem({self.id!r})"

    def get(self, *, sign_url: bool = False) -> StorageItemRecord:
        """Read the item's record.

        :param sign_url: Also return a signed URL of the file. It is a secret.
        """
        return self._client.send(storage_items.get_item(self.id, sign_url=sign_url))

    def summary(self) -> ItemSummary:
        """Where the item is used."""
        return self._client.send(storage_items.get_item_summary(self._folder, self.id))

    def children(self, *, sign_urls: bool = False) -> list[StorageItemRecord]:
        """The items that an image group or DICOM series consists of."""
        return self._client.send(storage_items.list_child_items(self._folder, self.id, sign_urls=sign_urls))

    def edit(
        self,
        *,
        name: str | None = None,
        description: str | None = None,
        client_metadata: Mapping[str, Any] | None = None,
    ) -> StorageItemRecord:
        """Change the item; see `StorageFolder.edit`."""
        patch = folder_patch(name=name, description=description, client_metadata=client_metadata)
        if not patch:
            raise InvalidArgumentError(
                "name, description, client_metadata: all are missing. Pass at least one of them."
            )
        return self._client.send(storage_items.edit_item(self._folder, self.id, patch))
