"""Rows of the table: datasets."""

from __future__ import annotations

from ..datasets import datasets, reencoding
from ..datasets import row_changes as data_row_changes
from ..requests.operations import Operation
from ..rows import data_rows
from .rows import CHANGES, DATA_EITHER, DATA_READ, DATA_WRITE, DATASET, READS, USER, v1, v2

# fmt: off
OPERATIONS: tuple[Operation, ...] = (
    v2(READS, "datasets.list", "GET datasets/list", datasets.list_all, datasets.DatasetListing),
    v1(READS, "datasets.list (v1)", "datasetwithuserrole GET", datasets.list_v1, USER,
        payload=datasets.DatasetListRequest),
    v2(CHANGES, "dataset.create", "POST datasets", datasets.create, body=datasets.DatasetBody),
    v1(CHANGES, "dataset.create (v1)", "dataset POST", datasets.create_v1, USER, payload=datasets.DatasetRequest),
    v1(READS, "dataset.get", "dataset GET", datasets.get, DATASET,
        payload=datasets.DatasetQuestion | None, key=DATA_READ),
    v1(READS, "dataset.list_data_rows", "datarows GET", data_rows.list_rows, DATASET,
        payload=data_rows.DataRowsQuestion, key=DATA_READ),
    v1(READS, "dataset.data_row.get", "datarow GET", data_rows.get, DATASET,
        uid=str, payload=data_rows.DataRowQuestion | None, key=DATA_READ),
    v1(CHANGES, "dataset.data_row.edit", "datarow POST", data_row_changes.edit, DATASET,
        uid=str, payload=data_row_changes.DataRowEdit, key=DATA_WRITE),
    v1(CHANGES, "dataset.update_data_item", "video POST", data_row_changes.rename, DATASET,
        uid=str, payload=list[data_row_changes.Title], key=DATA_WRITE),
    v1(CHANGES, "dataset.link_items", "datasetlinkitems POST", data_row_changes.link_items, DATASET,
        uid=str, payload=data_row_changes.LinkRequest, key=DATA_WRITE),
    v1(CHANGES, "dataset.re_encode_data", "reencodevideotask PUT", reencoding.start_v1, DATASET,
        payload=reencoding.DataHashes, key=DATA_WRITE),
    v1(READS, "dataset.re_encode_data_status", "reencodevideotask GET", reencoding.poll_v1, DATASET,
        uid=int, key=DATA_EITHER),
    v1(CHANGES, "dataset.delete_data", "video DELETE", data_row_changes.delete, DATASET, uid=list[str], key=DATA_WRITE),
)
# fmt: on
