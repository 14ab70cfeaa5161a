"""The metadata of label rows: one row for every data unit of a project, whether or not its labels were created yet.

Data types are upper case here and times ISO, unlike in the label rows themselves. A hundred thousand rows are listed in
one answer (the operation has no paging), so they are encoded a thousand at a time, and read in an order that needs no
sorting (CROSS JOIN forbids SQLite to choose another), unless only a few are asked for.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Literal

import msgspec

from ..requests.exchange import Exchange
from ..requests.filters import Conditions
from ..state.objects import METADATA
from ..state.store import Row, Store
from ..wire.errors import Reason, RefusalError
from ..wire.shapes import Strict
from . import spaces
from .data_rows import link, raw

MAIN = "main"
_CHUNK = 1000
_FROM = """
FROM project_datasets AS attached {walk} data_units AS unit ON unit.dataset = attached.dataset
{walk} tasks ON tasks.project = attached.project AND tasks.data_hash = unit.data_hash
JOIN datasets ON unit.dataset = datasets.uuid
JOIN stages ON stages.project = tasks.project AND stages.uuid = tasks.stage
{join} label_rows AS label
ON label.project = tasks.project AND label.data_hash = tasks.data_hash AND label.branch {branch}
WHERE attached.project = ? AND {conditions} ORDER BY attached.dataset, unit.position
"""
_SHOWN = {
    "label_hash": "label.label_hash",
    "created_at": "label.created_at",
    "last_edited_at": "label.last_edited_at",
    "branch_name": "coalesce(label.branch, ?)",
    "data_hash": "tasks.data_hash",
    "dataset_hash": "unit.dataset",
    "dataset_title": "datasets.title",
    "data_title": "unit.title",
    "data_type": "upper(unit.data_type)",
    "data_link": "unit.file_link",
    "label_status": "coalesce(label.label_status, 'NOT_LABELLED')",
    "annotation_task_status": "NULL",
    "workflow_graph_node": "NULL",
    "is_shadow_data": "0",
    "number_of_frames": "unit.frames",
    "duration": "unit.duration",
    "frames_per_second": "unit.fps",
    "height": "unit.height",
    "width": "unit.width",
    "audio_sample_rate": "NULL",
    "audio_codec": "NULL",
    "audio_bit_depth": "NULL",
    "audio_num_channels": "NULL",
    "spaces": "NULL",
    "group_hash": "NULL",
    "task_uuid": "tasks.uuid",
    "priority": "tasks.priority",
    "client_metadata": "NULL",
    "images_data": "NULL",
    "file_type": "unit.file_type",
    "is_valid": "coalesce(label.is_valid, 1)",
    "backing_item_uuid": "unit.item_uuid",
    "assigned_user_email": "tasks.assignee",
    "last_actioned_by_user_email": "tasks.last_actioned_by",
}
"""Every key of a row, in the order in which they go out, and the column behind it."""
_View: Any = msgspec.defstruct(
    "_View", [*((key, Any) for key in _SHOWN), ("client_metadata_signed_url", Any, msgspec.UNSET)], gc=False
)
"""A row as it goes out; the last field only where it is asked for."""
_COLUMNS = (
    ", ".join(f"{column} AS {key}" for key, column in _SHOWN.items())
    + ", stages.uuid AS stage, stages.title AS stage_title, unit.images, unit.client_metadata AS metadata"
    + ", CASE WHEN unit.data_type = 'scene' OR unit.data_type = 'group' THEN unit.settings END AS settings"
    + ", CASE WHEN unit.data_type = 'time_series' AND instr(label.answers, '\"root\":') > 0"
    + " THEN label.answers END AS with_root"
)
_BRIEF = (
    "label_hash",
    "data_hash",
    "dataset_hash",
    "dataset_title",
    "data_title",
    "data_type",
    "label_status",
    "annotation_task_status",
)


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
    sql = f"SELECT {_COLUMNS} {_FROM.format(walk='CROSS JOIN', join='LEFT JOIN', branch='= ?', conditions='1')}"
    return [{key: row[key] for key in _BRIEF} for row in store.all(sql, MAIN, MAIN, project)]


def main_rows(exchange: Exchange, project: str, data_hashes: list[str]) -> list[dict[str, Any]]:
    """The rows of some data units of a project, on the main branch, as a listing shows them."""
    question = MetadataQuestion(include_uninitialised_labels=True, data_hashes=data_hashes)
    parts = _encoded(dataclasses.replace(exchange, resource=project), question, "=", MAIN)
    return [row for part in parts for row in json.loads(b"[" + part + b"]")]


def _encoded(exchange: Exchange, question: MetadataQuestion, comparison: str, branch: str) -> list[bytes]:
    """The rows whose branch compares so with ``branch``, as pieces of a JSON list."""
    conditions = _conditions(question)
    uninitialised = question.include_uninitialised_labels and comparison == "="
    few = question.data_hashes is not None or question.label_hashes is not None
    source = _FROM.format(
        walk="JOIN" if few else "CROSS JOIN",
        join="LEFT JOIN" if uninitialised else "JOIN",
        branch=f"{comparison} ?",
        conditions=conditions.sql,
    )
    values = (branch, branch, exchange.resource, *conditions.values)
    chunks = exchange.store.chunks(_CHUNK, f"SELECT {_COLUMNS} {source}", *values)
    return [msgspec.json.encode([_view(exchange, question, row) for row in rows])[1:-1] for rows in chunks]


def _images(text: str | None) -> list[dict[str, Any]] | None:
    """The images of a group; exactly these keys, for the vendor's SDK takes no other here."""
    if text is None:
        return None
    return [
        {"index": index, **{key: image[key] for key in ("title", "file_type", "height", "width", "image_hash")}}
        for index, image in enumerate(json.loads(text))
    ]


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


def _view(exchange: Exchange, question: MetadataQuestion, row: Row) -> Any:
    # By position, and not as a dictionary: a row has almost forty columns, and a column by name costs a search.
    *shown, stage, stage_title, images, metadata, settings, with_root = row
    view = _View(*shown)
    view.is_shadow_data, view.is_valid = False, view.is_valid != 0
    view.spaces = _spaces(exchange.store, view, settings, with_root)
    if question.include_workflow_graph_node:
        view.workflow_graph_node = {"uuid": stage, "title": stage_title}
    if question.include_images_data:
        view.images_data = _images(images)
    if question.include_client_metadata and question.client_metadata_as_signed_url:
        view.client_metadata_signed_url = link(exchange, METADATA + view.data_hash)
    elif question.include_client_metadata:
        view.client_metadata = raw(metadata)
    return view


def _spaces(store: Store, view: Any, settings: str | None, with_root: str | None) -> dict[str, Any]:
    """The spaces of a row, which the vendor's SDK takes from the list; labels are in the label row only."""
    if with_root is not None:
        saved: dict[str, Any] = json.loads("{" + with_root + "}")["spaces"]
        return {name: {**space, "labels": {}} for name, space in saved.items()}
    if settings is None:
        return {}
    return spaces.of_unit(
        store,
        {"data_type": view.data_type.lower(), "settings": settings, "item_uuid": view.backing_item_uuid},
    )
