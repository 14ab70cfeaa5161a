"""Other operations on label rows: move, prioritise, validate, copy to a branch, read classifications and data links.

They take different kinds of id: priorities and data links take data hashes, the others take label hashes (protocol,
section 9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.reading import accepted, ignored, single, v1_reader, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.api.labels import MAIN_BRANCH
from airflow_provider_encord.client.call import SSH_OR_API_KEY, Call, Envelope, Request, Resource

COMPLETE = "complete"
REOPEN = "reopen"

MOST_ROWS_PER_CLASSIFICATIONS_REQUEST = 500  # Encord's limit is 1000; the vendor's SDK requests 500
MOST_ROWS_PER_BRANCH_COPY = 50  # the number that the vendor's SDK sends
MOST_PRIORITIES_PER_REQUEST = 1000

LABEL_STATUSES = (
    "NOT_LABELLED",
    "LABEL_IN_PROGRESS",
    "LABELLED",
    "REVIEW_IN_PROGRESS",
    "REVIEWED",
    "REVIEWED_TWICE",
)
"""The label statuses of projects without a workflow."""


class ValidationState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether the labels of a row match the ontology.

    :param version: Version of the labels that were checked.
    :param errors: Encord's messages about labels that do not match.
    """

    label_hash: str
    is_valid: bool
    errors: list[str] = []
    branch_name: str = MAIN_BRANCH
    version: int | None = None


class RowClassifications(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The classification answers of one label row.

    :param classification_answers: Answers by classification hash, in the format of a label row; frames are in
        ``range``.
    """

    label_uuid: str
    data_uuid: str
    classification_answers: dict[str, dict[str, Any]] = {}
    data_title: str | None = None
    branch_name: str = MAIN_BRANCH
    export_uuid: str | None = None
    exported_at: str | None = None


class _Classifications(msgspec.Struct, frozen=True, kw_only=True):
    labels: list[RowClassifications]


class _Copied(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    copied_count: int


class DataLinks(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses of the files of a data unit. With signed URLs, they are secrets.

    :param video: Encord's record of a video; None for other kinds.
    :param images: One entry per image; None for videos.
    """

    data_hash: str
    video: dict[str, Any] | None = None
    images: list[dict[str, Any]] | None = None

    def __repr__(self) -> str:
        return f"DataLinks(data_hash={self.data_hash!r})"


_VALIDATION_STATE = v2_reader(ValidationState)
_CLASSIFICATIONS = v2_reader(_Classifications)
_COPIED = v2_reader(_Copied)
_DATA_LINKS = single(v1_reader(DataLinks))


def _project(project: str) -> Resource:
    return Resource("project", project)


def _move(project: str, label_hashes: Sequence[str], action: str) -> Call[None]:
    request = Envelope(
        "labelworkflowgraphnode", "POST", _project(project), uid=list(label_hashes), payload={"action": action}
    )
    return Call(request=request, credentials=SSH_OR_API_KEY, changes=True, repeatable=True, read=accepted)


@operation("label_rows.workflow_complete", "v1")
def complete_label_rows(project: str, label_hashes: Sequence[str]) -> Call[None]:
    """Send label rows to the final stage of the workflow. Rows that are there already stay there.

    :param label_hashes: At most `labels.MOST_ROWS_PER_REQUEST`.
    """
    return _move(project, label_hashes, COMPLETE)


@operation("label_rows.workflow_reopen", "v1")
def reopen_label_rows(project: str, label_hashes: Sequence[str]) -> Call[None]:
    """Send label rows back to the first annotation stage from any stage."""
    return _move(project, label_hashes, REOPEN)


@operation("label_rows.set_priority", "v2")
def set_priorities(project: str, priorities: Mapping[str, float]) -> Call[None]:
    """Set the priority with which tasks are handed out.

    :param priorities: From 0 (last) to 1 (first), by data hash.
    """
    body = {"priorities": [[data_hash, priority] for data_hash, priority in priorities.items()]}
    request = Request("POST", f"projects/{project}/priorities", json=body)
    return Call(request=request, changes=True, repeatable=True, read=ignored)


@operation("label_rows.validation_state", "v2")
def get_validation_state(project: str, label_hash: str) -> Call[ValidationState]:
    """Check whether the labels of a row match the ontology."""
    return Call(
        request=Request("GET", f"projects/{project}/labels/{label_hash}/validation-state"), read=_VALIDATION_STATE
    )


@operation("label_rows.classifications", "v2")
def get_classifications(
    project: str, label_hashes: Sequence[str], *, branch: str = MAIN_BRANCH
) -> Call[list[RowClassifications]]:
    """Read the classification answers of label rows, without their objects. It only reads, although it is a POST.

    :param label_hashes: At most `MOST_ROWS_PER_CLASSIFICATIONS_REQUEST`.
    """
    body = {"labelUuids": list(label_hashes), "branchName": branch}
    request = Request("POST", f"projects/{project}/label-rows/classifications", json=body)
    return Call(request=request, read=lambda answer: _CLASSIFICATIONS(answer).labels)


@operation("label_rows.copy_branch", "v2")
def copy_labels_to_branch(
    project: str, label_hashes: Sequence[str], *, target: str, source: str = MAIN_BRANCH, overwrite: bool = False
) -> Call[int]:
    """Copy the labels of rows to another branch, which is created if needed. The result is the number of copied rows.

    :param label_hashes: Rows of the source branch, at most `MOST_ROWS_PER_BRANCH_COPY`.
    :param overwrite: Replace labels that the target branch already has. False leaves these rows unchanged.
    """
    body = {
        "sourceBranchName": source,
        "targetBranchName": target,
        "overwrite": overwrite,
        "labelUuids": list(label_hashes),
    }
    request = Request("POST", f"projects/{project}/labels/copy-branch", json=body)
    return Call(request=request, changes=True, repeatable=True, read=lambda answer: _COPIED(answer).copied_count)


@operation("project.get_data", "v1")
def get_data_links(project: str, data_hash: str, *, get_signed_url: bool = False) -> Call[DataLinks]:
    """Read the addresses of the files of a data unit."""
    uid = {"data_hash": data_hash, "get_signed_url": get_signed_url}
    request = Envelope("datasetdata", "GET", _project(project), uid=uid)
    return Call(request=request, credentials=SSH_OR_API_KEY, read=_DATA_LINKS)


@operation("label_rows.set_status", "v1")
def set_label_status(project: str, label_hash: str, status: str) -> Call[None]:
    """Set the label status of a row, in a project without a workflow. The newest SDK no longer sends it.

    :param status: One of `LABEL_STATUSES`.
    """
    request = Envelope("labelstatus", "POST", _project(project), uid=label_hash, payload={"label_status": status})
    return Call(request=request, credentials=SSH_OR_API_KEY, changes=True, repeatable=True, read=accepted)


@operation("label_rows.submit_for_review", "v1")
def submit_label_row_for_review(project: str, label_hash: str) -> Call[None]:
    """Submit a row for review, in a project without a workflow. The newest SDK no longer sends it."""
    request = Envelope("review", "PUT", _project(project), uid=label_hash)
    return Call(request=request, credentials=SSH_OR_API_KEY, changes=True, repeatable=False, read=accepted)
