"""Which files are asked for: the storage items of a list, a folder, a collection, a dataset, or an export of
labels.

Only ids and titles are kept, and they are read in pages or batches. Signed URLs are requested later, right before the
files are downloaded, because they expire.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from airflow_provider_encord.client.api.labels import LabelRowFilter
from airflow_provider_encord.client.api.storage_items import ItemFilter
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.client.identifiers import require_ids
from airflow_provider_encord.exports import read_manifest
from airflow_provider_encord.exports.arguments import naming
from airflow_provider_encord.exports.file_names import MANIFEST
from airflow_provider_encord.exports.listing_file import read_rows
from airflow_provider_encord.storage_paths import StoragePath

_ITEMS_PER_PAGE = 1000
_ROWS_PER_REQUEST = 1000


class Reference(msgspec.Struct, frozen=True, gc=False):
    """A storage item that is asked for.

    :param item_id: Its id; None if it could not be found.
    :param data_hash: The data unit that it is in a dataset; None if only the item is known.
    :param dataset_id: That dataset; None if only the item is known.
    :param title: Title of the data unit, or name of the item; empty if it is not known yet.
    """

    item_id: str | None
    data_hash: str | None = None
    dataset_id: str | None = None
    title: str = ""

    def is_in(self, part: int, parts: int) -> bool:
        """Whether it is in a part of all files. An item is always in the same part."""
        name = self.item_id or self.data_hash or ""
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % parts == part


class References:
    """The items that are asked for, in turn.

    :param total: How many there are. It is known when the first one has been taken, if at all: listings that come page
        by page have no total.
    """

    def __init__(self, items: Iterable[Reference] = (), total: int | None = None):
        self.items, self.total = items, total

    def __iter__(self) -> Iterator[Reference]:
        return iter(self.items)


def items_of_list(ids: Sequence[str]) -> References:
    """The items with these ids, each once.

    :raises InvalidArgumentError: An id is not a UUID.
    """
    wanted = dict.fromkeys(require_ids(ids, "item_ids"))
    return References((Reference(item) for item in wanted), len(wanted))


def items_of_folder(client: EncordClient, folder_id: str, *, recursive: bool) -> References:
    """The items of a folder, page by page.

    :param recursive: Also those in folders inside of it.
    """

    def read() -> Iterator[Reference]:
        which = ItemFilter(recursive=recursive, client_metadata=False, page_size=_ITEMS_PER_PAGE)
        for item in client.folder(folder_id).items(which):
            yield Reference(item.uuid, title=item.name)

    return References(read())


def items_of_collection(client: EncordClient, collection_id: str) -> References:
    """The items of a collection that the user can see, page by page."""

    def read() -> Iterator[Reference]:
        for item in client.collection(collection_id).items(client_metadata=False):
            yield Reference(item.uuid, title=item.name)

    return References(read())


def items_of_dataset(client: EncordClient, dataset_id: str) -> References:
    """The items of a dataset."""
    found = References()

    def read() -> Iterator[Reference]:
        dataset = client.dataset(dataset_id)
        rows = dataset.data_rows()
        found.total = len(rows)
        for row in rows:
            yield Reference(row.backing_item_uuid, row.data_hash, dataset.id, row.data_title)

    found.items = read()
    return found


def items_of_labels(client: EncordClient, manifest_path: StoragePath) -> References:
    """The items of all label rows that an export has listed, also of those that an incremental export left out.

    When they are read, it raises `ManifestError` if there is no complete export.
    """
    found = References()

    def read() -> Iterator[Reference]:
        with naming("labels"):
            manifest = read_manifest(manifest_path)  # type: ignore[arg-type] # a path of any kind
        directory = manifest_path.parent if manifest_path.name == MANIFEST else manifest_path
        if manifest.selection.branch is not None:  # else a data unit may have several rows
            found.total = manifest.listing.rows
        rows = (row.data_hash for row, _ in read_rows(directory, manifest.listing))
        for some in _distinct_chunks(rows):
            yield from _of_data_hashes(client, manifest.project_id, some)

    found.items = read()
    return found


def _of_data_hashes(client: EncordClient, project_id: str, data_hashes: Sequence[str]) -> Iterator[Reference]:
    which = LabelRowFilter(data_hashes=data_hashes, include_workflow_graph_node=False)
    found = {row.data_hash: row for row in client.project(project_id).label_rows(which)}
    for data_hash in data_hashes:
        row = found.get(data_hash)
        if row is None:
            yield Reference(None, data_hash)
        else:
            yield Reference(row.backing_item_uuid, data_hash, row.dataset_hash, row.data_title)


def _distinct_chunks(data_hashes: Iterable[str]) -> Iterator[Sequence[str]]:
    """Chunks without repetitions. Rows of the same data unit on several branches follow each other in a listing."""
    waiting: list[str] = []
    last = None
    for data_hash in data_hashes:
        if data_hash != last:
            waiting.append(data_hash)
            last = data_hash
        if len(waiting) == _ROWS_PER_REQUEST:
            yield from chunks(waiting, _ROWS_PER_REQUEST)
            waiting = []
    yield from chunks(waiting, _ROWS_PER_REQUEST)
