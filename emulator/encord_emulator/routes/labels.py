"""Rows of the table: label rows."""

from __future__ import annotations

from typing import Any

from ..labels import actions as label_actions
from ..labels import interpolation, labels
from ..requests.operations import Operation
from ..rows import data_rows
from ..rows import label_rows as label_listing
from ..workflow import workflow
from .rows import ALGORITHMS, CHANGES, LABEL_READ, LABEL_WRITE, ONE_OR_MANY, PROJECT, READS, v1, v2

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
    v2(CHANGES, "label_rows.set_priority", "POST projects/{project}/priorities", label_actions.set_priorities,
        body=label_actions.PrioritiesBody),
    v2(READS, "label_rows.validation_state", "GET projects/{project}/labels/{label}/validation-state",
        label_actions.validation_state),
    v2(READS, "label_rows.classifications", "POST projects/{project}/label-rows/classifications",
        label_actions.classifications, body=label_actions.ClassificationsBody),
    v2(CHANGES, "label_rows.copy_branch", "POST projects/{project}/labels/copy-branch", label_actions.copy_branch,
        body=label_actions.CopyBody),
    v1(CHANGES, "label_rows.set_status", "labelstatus POST", label_actions.set_status, PROJECT,
        uid=str, payload=label_actions.StatusPayload, key=LABEL_WRITE),
    v1(READS, "label_rows.interpolate", "labelingalgorithm POST", interpolation.interpolate, PROJECT,
        uid=str, payload=interpolation.Request, key=ALGORITHMS),
    v1(CHANGES, "label_rows.submit_for_review", "review PUT", label_actions.submit_for_review, PROJECT,
        uid=str, key=LABEL_WRITE),
)
# fmt: on
