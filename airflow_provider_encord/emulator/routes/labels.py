"""Rows of the table: label rows."""

from __future__ import annotations

from typing import Any

from .. import data_rows, label_listing, labels, workflow
from ..operations import Operation
from .rows import CHANGES, LABEL_READ, LABEL_WRITE, ONE_OR_MANY, PROJECT, READS, v1

# fmt: off
OPERATIONS: tuple[Operation, ...] = (
    v1(READS, "label_rows.list", "labelrowmetadata GET", label_listing.list_metadata, PROJECT,
        payload=label_listing.MetadataQuestion | None, key=LABEL_READ),
    v1(READS, "label_rows.get", "labelrow GET", labels.read, PROJECT,
        uid=ONE_OR_MANY, payload=labels.ReadRequest | None, key=LABEL_READ),
    v1(CHANGES, "label_rows.create", "labelrow PUT", labels.create, PROJECT,
        uid=ONE_OR_MANY, payload=labels.CreateRequest | None, key=LABEL_WRITE),
    v1(CHANGES, "label_rows.save", "labelrow POST", labels.save, PROJECT,
        uid=ONE_OR_MANY, payload=dict[str, Any], key=LABEL_WRITE),
    v1(CHANGES, "label_rows.workflow_move", "labelworkflowgraphnode POST", workflow.move_rows, PROJECT,
        uid=list[str], payload=workflow.GraphNodeAction, key=LABEL_WRITE),
    v1(READS, "project.get_data", "datasetdata GET", data_rows.get_links, PROJECT,
        uid=data_rows.DataUid, key=LABEL_READ),
)
# fmt: on
