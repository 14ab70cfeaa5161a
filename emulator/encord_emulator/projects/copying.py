"""Copying a project: what the options say goes along, the rest begins afresh. Its ontology is shared, not copied.

What the vendor does not document is [inferred]: a copy without a title is called after its original; its tasks begin in
the first stage; a label's review status follows from where its task is: done ``APPROVED``, in review ``PENDING``, sent
back ``REJECTED``, anywhere else ``NOT_SELECTED_FOR_REVIEW``. There are no models here to copy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from ..datasets import datasets
from ..requests import access
from ..requests.exchange import Exchange
from ..state.store import Row, Store
from ..storage import linking
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid, new_uuids
from ..wire.shapes import Strict
from ..workflow import workflow
from . import projects

Option = Literal["labels", "datasets", "models", "collaborators"]
LabelStatus = Literal["APPROVED", "PENDING", "REJECTED", "DELETED", "NOT_SELECTED_FOR_REVIEW"]

ROWS_AT_ONCE = 1000
_STATUS = """CASE WHEN stage_type = 'DONE' THEN 'APPROVED' WHEN stage_type LIKE '%REVIEW' THEN 'PENDING'
 WHEN tasks.status = 'REOPENED' THEN 'REJECTED' ELSE 'NOT_SELECTED_FOR_REVIEW' END"""


class LabelsWanted(Strict, frozen=True):
    datasets_to_data_hashes_map: dict[str, list[str]] = msgspec.field(default_factory=dict)
    accepted_label_hashes: list[str] | None = None
    accepted_label_statuses: list[LabelStatus] | None = None
    create_new_dataset: bool | None = None


class Titles(Strict, frozen=True):
    project_title: str | None = None
    project_description: str | None = None
    dataset_title: str | None = None
    dataset_description: str | None = None


class CopyRequest(Strict, frozen=True):
    """What SDKs send; those of 2022 only the options."""

    copy_project_options: list[Option] = msgspec.field(default_factory=list)
    copy_labels_options: LabelsWanted = LabelsWanted()
    project_copy_metadata: Titles = Titles()


def copy(exchange: Exchange) -> str:
    """Copy a project for the caller; the UUID of the copy."""
    request: CopyRequest = exchange.payload
    store, project = exchange.store, exchange.resource
    if exchange.uid != project:
        raise RefusalError(Reason.INVALID, "uid: must be the project that the request is about")
    access.require_manager(exchange, "project", project)
    original = store.one("SELECT * FROM projects WHERE uuid = ?", project)
    assert original is not None  # noqa: S101 - the caller manages it
    attached = store.column("SELECT dataset FROM project_datasets WHERE project = ? ORDER BY position", project)
    only = _only(request, attached)
    copied = _insert(exchange, original, request.project_copy_metadata)
    new_hashes: dict[str, str] = {}
    if "datasets" in request.copy_project_options:
        projects.attach(exchange, copied, attached)
        units = _units(store, attached, only)
        new_hashes = {unit["data_hash"]: unit["data_hash"] for unit in units}
    elif request.copy_labels_options.create_new_dataset:
        new_hashes = _clone(exchange, copied, original, attached, request, only)
    if "collaborators" in request.copy_project_options:
        _copy_collaborators(store, project, copied)
    if "labels" in request.copy_project_options:
        _copy_labels(store, project, copied, new_hashes, request.copy_labels_options)
    return copied


def _insert(exchange: Exchange, original: Row, titles: Titles) -> str:
    title = titles.project_title if titles.project_title is not None else f"Copy of {original['title']}"
    described = titles.project_description
    request = projects.ProjectRequest(
        title=title,
        description=original["description"] if described is None else described,
        source_projects=json.loads(original["source_projects"]) if original["source_projects"] else None,
    )
    stages = _stages(exchange.store, original["uuid"])
    return projects.insert(exchange, request, original["ontology"], stages)


def _stages(store: Store, project: str) -> list[dict[str, Any]]:
    """The stages of a project with UUIDs of their own, which point at each other as the old ones did."""
    rows = workflow.stages_of(store, project)
    renewed = dict(zip((row["uuid"] for row in rows), new_uuids(len(rows)), strict=True))
    annotators = dict(
        map(tuple, store.all("SELECT stage, annotators FROM consensus_stages WHERE project = ?", project))
    )
    return [
        {
            "uuid": renewed[row["uuid"]],
            "title": row["title"],
            "stageType": row["stage_type"],
            "pathways": _pathways(row["pathways"], renewed),
            "next": renewed.get(row["next_stage"]),
            "reject_to": renewed.get(row["reject_to"]),
            "annotators": annotators.get(row["uuid"]),
        }
        for row in rows
    ]


def _pathways(text: str | None, renewed: Mapping[str, str]) -> list[dict[str, Any]] | None:
    if text is None:
        return None
    ways: list[dict[str, Any]] = json.loads(text)
    return [{**way, "uuid": new_uuid(), "destinationUuid": renewed.get(way["destinationUuid"])} for way in ways]


def _only(request: CopyRequest, attached: Sequence[str]) -> dict[str, list[str]] | None:
    """The data hashes to keep by dataset; ``None`` for all."""
    chosen = request.copy_labels_options.datasets_to_data_hashes_map
    foreign = [dataset for dataset in chosen if dataset not in attached]
    if foreign:
        raise RefusalError(
            Reason.NOT_FOUND, f"datasets_to_data_hashes_map: dataset {foreign[0]} is not attached to this project"
        )
    return chosen or None


def _units(store: Store, attached: Sequence[str], only: Mapping[str, Sequence[str]] | None) -> list[Row]:
    sql = "SELECT data_hash, title, item_uuid FROM data_units WHERE dataset = ? ORDER BY position"
    return [
        unit
        for dataset in (attached if only is None else only)
        for unit in store.all(sql, dataset)
        if only is None or unit["data_hash"] in only[dataset]
    ]


def _clone(
    exchange: Exchange,
    copied: str,
    original: Row,
    attached: Sequence[str],
    request: CopyRequest,
    only: Mapping[str, Sequence[str]] | None,
) -> dict[str, str]:
    """Put the chosen data into a dataset of its own; new data hashes by old ones. The files are shared."""
    titles, store, now = request.project_copy_metadata, exchange.store, exchange.clock.stamp()
    title = titles.dataset_title if titles.dataset_title is not None else f"Dataset of {original['title']} (copy)"
    dataset = datasets.insert(exchange, title, titles.dataset_description or "", 0, folder=False)["uuid"]
    units = _units(store, attached, only)
    hashes = new_uuids(len(units))
    rows = zip(hashes, units, strict=True)
    linking.insert(store, ((uuid, dataset, unit["title"], unit["item_uuid"], now, now) for uuid, unit in rows))
    projects.attach(exchange, copied, [dataset])
    return {unit["data_hash"]: uuid for unit, uuid in zip(units, hashes, strict=True)}


def _copy_collaborators(store: Store, project: str, copied: str) -> None:
    """Everyone with the role he has; the caller stays administrator of his copy."""
    for table, columns in (("members", "email, role"), ("resource_groups", "group_hash, role")):
        store.run(
            f"INSERT OR IGNORE INTO {table} (kind, resource, {columns})"  # noqa: S608 - constants
            f" SELECT kind, ?, {columns} FROM {table} WHERE kind = 'project' AND resource = ?",
            copied,
            project,
        )


def _copy_labels(store: Store, project: str, copied: str, new_hashes: Mapping[str, str], wanted: LabelsWanted) -> None:
    """The label rows of the data that goes along, as far as they are wanted; some at a time.

    Of every branch but those of the sub-tasks of a consensus, which begins afresh.
    """
    hashes = None if wanted.accepted_label_hashes is None else set(wanted.accepted_label_hashes)
    statuses = wanted.accepted_label_statuses
    rows = store.chunks(
        ROWS_AT_ONCE,
        f"SELECT label_rows.*, {_STATUS} AS review_status FROM label_rows"  # noqa: S608 - a constant
        " JOIN tasks USING (project, data_hash)"
        " JOIN stages ON stages.project = tasks.project AND stages.uuid = tasks.stage WHERE label_rows.project = ?"
        " AND branch NOT IN (SELECT branch FROM subtasks WHERE task = tasks.uuid)",
        project,
    )
    for some in rows:
        chosen = [
            _copied_row(dict(row), copied, new_hashes[row["data_hash"]])
            for row in some
            if row["data_hash"] in new_hashes
            and (hashes is None or row["label_hash"] in hashes)
            and (statuses is None or row["review_status"] in statuses)
        ]
        if chosen:
            columns, marks = ", ".join(chosen[0]), ", ".join("?" * len(chosen[0]))
            sql = f"INSERT INTO label_rows ({columns}) VALUES ({marks})"  # noqa: S608 - names of columns
            store.many(sql, (tuple(row.values()) for row in chosen))


def _copied_row(row: dict[str, Any], copied: str, data_hash: str) -> dict[str, Any]:
    """A copy of a label row: whatever columns it has, but for its identity and where its data is named."""
    old = row["data_hash"]
    del row["review_status"]
    if old != data_hash:
        row = {name: value.replace(old, data_hash) if isinstance(value, str) else value for name, value in row.items()}
    return {**row, "label_hash": new_uuid(), "project": copied}
