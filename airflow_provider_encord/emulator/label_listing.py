"""The metadata of label rows: one row for every data unit of a project, whether or not its labels were created yet.

Data types are upper case here and times ISO, unlike in the label rows themselves. A hundred thousand rows are listed in
one answer (the operation has no paging), so they are encoded a thousand at a time.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from .data_rows import link, raw
from .exchange import Exchange
from .filters import Conditions
from .objects import METADATA
from .refusals import Reason, RefusalError
from .shapes import Strict
from .store import Row, Store

MAIN = "main"
_CHUNK = 1000
_FROM = """
FROM tasks JOIN data_units AS unit USING (data_hash) JOIN datasets ON unit.dataset = datasets.uuid
JOIN stages ON stages.project = tasks.project AND stages.uuid = tasks.stage
{join} label_rows AS label
ON label.project = tasks.project AND label.data_hash = tasks.data_hash AND label.branch {branch}
WHERE tasks.project = ? AND {conditions} ORDER BY unit.position
"""
_COLUMNS = """
label.label_hash, label.created_at, label.last_edited_at, coalesce(label.branch, ?) AS branch, label.is_valid,
coalesce(label.label_status, 'NOT_LABELLED') AS label_status, tasks.data_hash, unit.dataset,
datasets.title AS dataset_title, unit.title, upper(unit.data_type) AS data_type, unit.file_link, unit.frames, unit.fps,
unit.duration, unit.width, unit.height, unit.file_type, unit.item_uuid, unit.client_metadata, unit.images,
tasks.uuid AS task, tasks.priority, tasks.assignee, tasks.last_actioned_by, stages.uuid AS stage,
stages.title AS stage_title
"""


class MetadataQuestion(Strict, frozen=True):
    edited_before: str | None = None
    edited_after: str | None = None
    label_statuses: list[str] | None = None
    shadow_data_state: Literal["ALL_DATA", "SHADOW_DATA", "NOT_SHADOW_DATA"] | None = None
    include_uninitialised_labels: bool = False
    data_hashes: list[str] | None = None
    label_hashes: list[str] | None = None
    data_title_eq: str | None = None
    data_title_like: str | None = None
    workflow_graph_node_title_eq: str | None = None
    workflow_graph_node_title_like: str | None = None
    include_client_metadata: bool = False
    include_images_data: bool = False
    include_children: bool = False
    include_workflow_graph_node: bool = True
    include_all_label_branches: bool = False
    branch_name: str | None = None
    client_metadata_as_signed_url: bool = False


def list_metadata(exchange: Exchange) -> msgspec.Raw:
    question: MetadataQuestion = exchange.payload or MetadataQuestion()
    if question.include_all_label_branches and question.branch_name is not None:
        raise RefusalError(Reason.INVALID, "branch_name: not together with include_all_label_branches")
    parts = _encoded(exchange, question, "=", question.branch_name or MAIN)
    if question.include_all_label_branches:
        parts += _encoded(exchange, question, "!=", MAIN)
    return msgspec.Raw(b"[" + b",".join(parts) + b"]")


def brief(store: Store, project: str) -> list[dict[str, Any]]:
    """The label rows as the v1 project shows them."""
    sql = f"SELECT {_COLUMNS} {_FROM.format(join='LEFT JOIN', branch='= ?', conditions='1')}"
    return [
        {
            "label_hash": row["label_hash"],
            "data_hash": row["data_hash"],
            "dataset_hash": row["dataset"],
            "dataset_title": row["dataset_title"],
            "data_title": row["title"],
            "data_type": row["data_type"],
            "label_status": row["label_status"],
            "annotation_task_status": None,
        }
        for row in store.all(sql, MAIN, MAIN, project)
    ]


def _encoded(exchange: Exchange, question: MetadataQuestion, comparison: str, branch: str) -> list[bytes]:
    """The rows whose branch compares so with ``branch``, as pieces of a JSON list."""
    conditions = _conditions(question)
    uninitialised = question.include_uninitialised_labels and comparison == "="
    source = _FROM.format(
        join="LEFT JOIN" if uninitialised else "JOIN", branch=f"{comparison} ?", conditions=conditions.sql
    )
    values = (branch, branch, exchange.resource, *conditions.values)
    chunks = exchange.store.chunks(_CHUNK, f"SELECT {_COLUMNS} {source}", *values)
    return [msgspec.json.encode([_view(exchange, question, row) for row in rows])[1:-1] for rows in chunks]


def _conditions(question: MetadataQuestion) -> Conditions:
    conditions = Conditions()
    conditions.before("label.last_edited_at", question.edited_before, "edited_before")
    conditions.after("label.last_edited_at", question.edited_after, "edited_after")
    if question.label_statuses is not None or question.shadow_data_state == "SHADOW_DATA":
        # Both speak of projects without a workflow, and of shadow data: no row here is either.
        conditions.add("0")
    conditions.among("tasks.data_hash", question.data_hashes)
    conditions.among("label.label_hash", question.label_hashes)
    conditions.equal("unit.title", question.data_title_eq)
    conditions.like("unit.title", question.data_title_like)
    conditions.equal("stages.title", question.workflow_graph_node_title_eq)
    conditions.like("stages.title", question.workflow_graph_node_title_like)
    return conditions


def _view(exchange: Exchange, question: MetadataQuestion, row: Row) -> dict[str, Any]:
    view = {
        "label_hash": row["label_hash"],
        "created_at": row["created_at"],
        "last_edited_at": row["last_edited_at"],
        "branch_name": row["branch"],
        "data_hash": row["data_hash"],
        "dataset_hash": row["dataset"],
        "dataset_title": row["dataset_title"],
        "data_title": row["title"],
        "data_type": row["data_type"],
        "data_link": row["file_link"],
        "label_status": row["label_status"],
        "annotation_task_status": None,
        "workflow_graph_node": None,
        "is_shadow_data": False,
        "number_of_frames": row["frames"],
        "duration": row["duration"],
        "frames_per_second": row["fps"],
        "height": row["height"],
        "width": row["width"],
        "audio_sample_rate": None,
        "audio_codec": None,
        "audio_bit_depth": None,
        "audio_num_channels": None,
        "spaces": {},
        "group_hash": None,
        "task_uuid": row["task"],
        "priority": row["priority"],
        "client_metadata": None,
        "images_data": None,
        "file_type": row["file_type"],
        "is_valid": row["is_valid"] != 0,
        "backing_item_uuid": row["item_uuid"],
        "assigned_user_email": row["assignee"],
        "last_actioned_by_user_email": row["last_actioned_by"],
    }
    if question.include_workflow_graph_node:
        view["workflow_graph_node"] = {"uuid": row["stage"], "title": row["stage_title"]}
    if question.include_images_data:
        view["images_data"] = raw(row["images"])
    if question.include_client_metadata and question.client_metadata_as_signed_url:
        view["client_metadata_signed_url"] = link(exchange, METADATA + row["data_hash"])
    elif question.include_client_metadata:
        view["client_metadata"] = raw(row["client_metadata"])
    return view
