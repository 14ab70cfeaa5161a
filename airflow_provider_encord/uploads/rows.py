"""The rows of a dataset, or the items of a storage folder, that files of an upload are compared with.

Both are converted to `DataRow`, because only title, size and ids are needed. For a folder, the id of the item is used
as the data hash.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from airflow_provider_encord.client.api import storage_items
from airflow_provider_encord.client.api.datasets import DataRow, list_data_rows
from airflow_provider_encord.client.api.storage_folders import BY_CREATION, BY_NAME
from airflow_provider_encord.client.api.storage_items import ItemFilter, StorageItemRecord
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.flows.upload_target import UploadTarget
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.sources.files import SourceFile

_ITEMS_PER_PAGE = 1000


def rows_of_kinds(
    target: UploadTarget, files: Sequence[SourceFile], *, since: datetime.datetime | None = None
) -> Flow[list[DataRow]]:
    """The rows of the target that have the kinds of these files.

    :param since: Only rows that were created at this time or later.
    """
    if target.dataset:
        kinds = sorted({file.file_type for file in files})
        return (yield from list_data_rows(target.dataset, data_types=kinds, created_after=since))
    items = yield from _items(str(target.folder), sorted({file.item_type for file in files}), since)
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


def _items(folder: str, item_types: list[str], since: datetime.datetime | None) -> Flow[list[StorageItemRecord]]:
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
        answer = yield from storage_items.list_items(folder, which, page=page)
        new = [item for item in answer.results if since is None or not _is_older(item.created_at, since)]
        found += new
        page = answer.next_page_token
        if page is None or len(new) < len(answer.results):
            return found


def _is_older(created_at: str | None, since: datetime.datetime) -> bool:
    created = parse_time(created_at) if created_at else None
    return created is not None and created < since
