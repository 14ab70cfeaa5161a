"""The target of an upload: a dataset or a storage folder, with the requests that each of them needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from airflow_provider_encord.client.api import folder_uploads, uploads
from airflow_provider_encord.client.api.core import data_items
from airflow_provider_encord.client.api.core.data_items import Kind, Unit
from airflow_provider_encord.client.api.uploads import MOST_URLS_PER_REQUEST, SignedUrl, UploadJob
from airflow_provider_encord.client.call import API_KEY, Call, Flow
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError, UnsupportedByCredentialError
from airflow_provider_encord.client.flows import api_versions
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.defaults import PARALLEL_UPLOADS


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
        only_with_ssh_key = self.credential != API_KEY and kind.upload_type is None
        if self.dataset and (only_with_ssh_key or kind == data_items.SCENE):
            raise UnsupportedByCredentialError(
                f"dataset_id: files of kind {kind.item_type} can only be uploaded into storage folders. Pass folder_id "
                "instead, and link the items with EncordLinkItemsOperator. (A mirror dataset adds the items of its "
                "folder automatically.)"
            )

    def urls(self, titles: Sequence[str], kind: Kind) -> Flow[list[SignedUrl | EncordError]]:
        """Upload URLs for files of one kind; one entry per title."""
        found: list[SignedUrl | EncordError] = []
        for some in chunks(titles, MOST_URLS_PER_REQUEST):
            if kind == data_items.SCENE:  # a folder has no URLs for them
                urls: Sequence[SignedUrl | EncordError] = yield from uploads.signed_urls(len(some), kind)
            elif self.dataset:
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
