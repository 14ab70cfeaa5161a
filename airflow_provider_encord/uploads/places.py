"""The target of an upload: a dataset or a storage folder, with the requests that each of them needs.

A dataset lists rows, and a folder lists items. Both are converted to `DataRow` here, because only title, size and ids
are needed. For a folder, the id of the item is used as the data hash.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence

from airflow_provider_encord.client.api import folder_uploads, storage_items, uploads
from airflow_provider_encord.client.api.core import data_items
from airflow_provider_encord.client.api.core.data_items import Kind, Unit
from airflow_provider_encord.client.api.datasets import DataRow, list_data_rows
from airflow_provider_encord.client.api.storage_folders import BY_CREATION, BY_NAME
from airflow_provider_encord.client.api.storage_items import ItemFilter, StorageItemRecord
from airflow_provider_encord.client.api.uploads import MOST_URLS_PER_REQUEST, SignedUrl, UploadJob
from airflow_provider_encord.client.call import API_KEY, Call, Flow
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError, UnsupportedByCredentialError
from airflow_provider_encord.client.flows import api_versions
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.defaults import PARALLEL_UPLOADS

_ITEMS_PER_PAGE = 1000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UploadTarget:
    """The target of an upload, and the kind of credential.

    :param dataset: Id of the dataset; None for a storage folder without a dataset.
    :param folder: Id of the storage folder. With a dataset, the folder for its files; None for the folder of a mirror
        dataset.
    :param credential: Kind of the client's credential.
    :param parallel: How many files may be sent at once.
    """

    credential: str
    dataset: str | None = None
    folder: str | None = None
    parallel: int = PARALLEL_UPLOADS

    def __post_init__(self) -> None:
        if not self.dataset and not self.folder:
            raise InvalidArgumentError("dataset_id, folder_id: pass the id of a dataset, of a storage folder, or both.")
        if not self.dataset and self.credential == API_KEY:
            raise UnsupportedByCredentialError(
                "folder_id: an API key cannot upload into a storage folder without a dataset. Pass dataset_id, too, or "
                "use a connection with an SSH key."
            )

    @property
    def id(self) -> str:
        """Id of the dataset, or else of the folder."""
        return self.dataset or str(self.folder)

    def require_kind(self, kind: Kind) -> None:
        """Check that files of this kind can be uploaded to the target.

        :raises UnsupportedByCredentialError: Encord accepts this kind only in folders.
        """
        if self.dataset and self.credential != API_KEY and kind.upload_type is None:
            raise UnsupportedByCredentialError(
                f"dataset_id: files of kind {kind.item_type} can only be uploaded into storage folders. Pass folder_id "
                "instead, and link the items with EncordLinkItemsOperator. (A mirror dataset adds the items of its "
                "folder automatically.)"
            )

    def urls(self, titles: Sequence[str], kind: Kind) -> Flow[list[SignedUrl | EncordError]]:
        """Upload URLs for files of one kind; one entry per title."""
        found: list[SignedUrl | EncordError] = []
        for some in chunks(titles, MOST_URLS_PER_REQUEST):
            if self.dataset:
                urls = yield from api_versions.UPLOAD_URLS.flow(
                    self.credential, self.dataset, some, kind, self.parallel
                )
            else:
                urls = yield from folder_uploads.folder_signed_urls(str(self.folder), len(some), kind)
            found += urls[: len(some)]
        return found

    def placeholder(self, url: SignedUrl) -> str | None:
        """The placeholder id for the job; None for a dataset: its jobs take no placeholders (protocol, section 7.9)."""
        return None if self.dataset else url.item_uuid

    def start(self, units: Sequence[Unit], *, skip_duplicate_urls: bool) -> Call[str]:
        """Start a job that creates data from the uploaded files. Bad files do not stop the others."""
        items = data_items.data_items(units, skip_duplicate_urls=skip_duplicate_urls)
        if self.dataset:
            return uploads.start_upload(self.dataset, items, ignore_errors=True, folder=self.folder)
        return folder_uploads.start_folder_upload(str(self.folder), items=items, ignore_errors=True)

    def poll(self, job: str, hold: int) -> Call[UploadJob]:
        """The state of a job."""
        if self.dataset:
            return uploads.poll_upload(self.dataset, job, timeout_seconds=hold)
        return folder_uploads.poll_folder_upload(str(self.folder), job, timeout_seconds=hold)

    def rows(
        self, file_types: Sequence[str], item_types: Sequence[str], *, since: datetime.datetime | None = None
    ) -> Flow[list[DataRow]]:
        """The existing rows or items of the target.

        :param file_types: Kinds to include, with the names that datasets use.
        :param item_types: Kinds to include, with the names that folders use.
        :param since: Only rows that were created at this time or later.
        """
        if self.dataset:
            return (yield from list_data_rows(self.dataset, data_types=list(file_types), created_after=since))
        items = yield from self._items(list(item_types), since)
        return [
            DataRow(
                data_hash=item.uuid,
                data_title=item.name,
                data_type=item.item_type,
                created_at=item.created_at,
                file_size=item.file_size,
                backing_item_uuid=item.uuid,
            )
            for item in items
            if not item.is_placeholder
        ]

    def _items(self, item_types: list[str], since: datetime.datetime | None) -> Flow[list[StorageItemRecord]]:
        """The items of the folder. With `since`, the newest items come first, and only the needed pages are read."""
        which = ItemFilter(
            item_types=item_types,
            page_size=_ITEMS_PER_PAGE,
            client_metadata=False,
            order=BY_NAME if since is None else BY_CREATION,
            descending=since is not None,
        )
        found: list[StorageItemRecord] = []
        page: str | None = None
        while True:
            answer = yield from storage_items.list_items(str(self.folder), which, page=page)
            new = [item for item in answer.results if since is None or not _is_older(item.created_at, since)]
            found += new
            page = answer.next_page_token
            if page is None or len(new) < len(answer.results):
                return found


def _is_older(created_at: str | None, since: datetime.datetime) -> bool:
    created = parse_time(created_at) if created_at else None
    return created is not None and created < since
