"""Projects: listed and read in both families, created in v1, and the datasets attached to them.

A data unit of an attached dataset has a task, and so a row in the label metadata, from the moment it is there.
"""

from __future__ import annotations

import json
from typing import Any, Literal

import msgspec

from ..datasets.datasets import dataset_type
from ..requests import access, listing
from ..requests.exchange import Exchange
from ..requests.filters import Listing, V1FilterPayload, matching
from ..rows import label_rows as label_listing
from ..state.store import Row, Store
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import is_uuid, new_uuid
from ..wire.shapes import Strict, StrictCamel
from ..workflow import workflow
from . import ontologies


class ProjectListing(Listing, frozen=True):
    tags_anyof: list[str] | None = None
    page_token: str | None = None


class ProjectQuestion(Strict, frozen=True):
    include_labels_metadata: bool = True


class ProjectRequest(Strict, frozen=True):
    title: str
    description: str = ""
    dataset_hashes: list[str] = msgspec.field(default_factory=list)
    workflow_type: Literal["manual", "benchmark"] = "manual"
    ontology_hash: str | None = None
    workflow_template_id: str | None = None
    source_projects: list[str] | None = None


class EditorRequest(Strict, frozen=True):
    editor: dict[str, Any]


class DatasetHashes(Strict, frozen=True):
    dataset_hashes: list[str]


class StatusBody(StrictCamel, frozen=True):
    status: Literal["notStarted", "inProgress", "inReview", "paused", "completed", "cancelled", "archived"]


class BranchQuery(StrictCamel, frozen=True):
    limit: int | None = None
    page_token: str | None = None


def get(exchange: Exchange) -> dict[str, Any]:
    uuid = exchange.path["project"]
    row = exchange.store.one("SELECT * FROM projects WHERE uuid = ?", uuid)
    assert row is not None  # noqa: S101 - the caller is a member of it
    return _v2(exchange.store, row, access.role_in(exchange, "project", uuid))


def list_page(exchange: Exchange) -> dict[str, Any]:
    query: ProjectListing = exchange.query
    conditions = matching(query, "projects")
    if query.tags_anyof is not None:
        conditions.add(
            "projects.uuid IN (SELECT project FROM project_tags JOIN organisation_tags ON tag = uuid"
            " WHERE name IN (SELECT value FROM json_each(?)))",
            json.dumps(query.tags_anyof),
        )
    start, size = listing.page_start(query.page_token), exchange.emulation.limits.page_size
    organisation = query.include_org_access
    rows = listing.visible(exchange, "project", conditions, organisation=organisation, limit=size + 1, offset=start)
    return listing.page([_v2(exchange.store, row, row["role"]) for row in rows], start, size)


def list_v1(exchange: Exchange) -> list[dict[str, Any]]:
    """Exactly these keys, and times of exactly this form: the vendor's SDK takes no other."""
    request: V1FilterPayload = exchange.payload
    rows = listing.visible(exchange, "project", matching(request.filter, "projects"))
    return [{"user_role": row["role"], "project": _head_v1(row)} for row in rows]


def get_v1(exchange: Exchange) -> dict[str, Any]:
    question: ProjectQuestion | None = exchange.payload
    store, uuid = exchange.store, exchange.resource
    row = store.one("SELECT * FROM projects WHERE uuid = ?", uuid)
    assert row is not None  # noqa: S101 - the caller was let in
    with_labels = question is None or question.include_labels_metadata
    return {
        **_head_v1(row),
        "editor_ontology": _structure(store, row["ontology"]),
        "ontology_hash": row["ontology"],
        "datasets": [
            {
                "dataset_hash": dataset["uuid"],
                "title": dataset["title"],
                "description": dataset["description"],
                "dataset_type": dataset_type(dataset["storage_location"]),
            }
            for dataset in _datasets(store, uuid)
        ],
        "label_rows": label_listing.brief(store, uuid) if with_labels else None,
        "source_projects": _source_projects(row),
        "workflow_manager_uuid": row["workflow_manager"],
    }


def create(exchange: Exchange) -> str:
    """A new project of the caller's; its UUID. An ontology that is not named is made, empty."""
    request: ProjectRequest = exchange.payload
    if request.workflow_type == "benchmark" and not request.source_projects:
        raise RefusalError(Reason.INVALID, "source_projects: a benchmark project needs them")
    for source in request.source_projects or []:
        access.role_in(exchange, "project", source)
    for dataset in request.dataset_hashes:
        access.role_in(exchange, "dataset", dataset)
    if request.ontology_hash:
        ontology = request.ontology_hash
        access.role_in(exchange, "ontology", ontology)
    else:
        ontology = ontologies.insert(exchange, f"{request.title} ontology", "", ontologies.EMPTY)
    stages = template_stages(exchange.store, request.workflow_template_id)
    uuid = insert(exchange, request, ontology, stages)
    attach(exchange, uuid, request.dataset_hashes)
    return uuid


def insert(exchange: Exchange, request: ProjectRequest, ontology: str, stages: list[dict[str, Any]]) -> str:
    """A project without data yet; its UUID."""
    uuid, now, creator = new_uuid(), exchange.clock.stamp(), exchange.caller.email
    sources = json.dumps(request.source_projects) if request.source_projects is not None else None
    exchange.store.run(
        "INSERT INTO projects VALUES (?, ?, ?, 'notStarted', ?, ?, ?, ?, ?, ?)",
        *(uuid, request.title, request.description, ontology, creator, sources, new_uuid(), now, now),
    )
    exchange.store.run("INSERT INTO members VALUES ('project', ?, ?, 0)", uuid, creator)
    workflow.install(exchange.store, uuid, stages)
    return uuid


def attach(exchange: Exchange, project: str, datasets: list[str]) -> None:
    """Attach datasets, and open a task for each of their data units."""
    store, now = exchange.store, exchange.clock.stamp()
    for dataset in dict.fromkeys(datasets):
        position = store.value("SELECT coalesce(max(position), 0) + 1 FROM project_datasets WHERE project = ?", project)
        store.run("INSERT OR IGNORE INTO project_datasets VALUES (?, ?, ?)", project, dataset, position)
        units = store.column("SELECT data_hash FROM data_units WHERE dataset = ? ORDER BY position", dataset)
        workflow.open_tasks(store, project, units, now)


def list_datasets(exchange: Exchange) -> dict[str, Any]:
    rows = _datasets(exchange.store, exchange.path["project"])
    return listing.whole(
        [{"datasetHash": row["uuid"], "title": row["title"], "description": row["description"]} for row in rows]
    )


def attach_datasets(exchange: Exchange) -> bool:
    request: DatasetHashes = exchange.payload
    access.require_manager(exchange, "project", exchange.resource)
    for dataset in request.dataset_hashes:
        access.role_in(exchange, "dataset", dataset)
    attach(exchange, exchange.resource, request.dataset_hashes)
    _touch(exchange)
    return True


def detach_datasets(exchange: Exchange) -> bool:
    """Take datasets out, with the tasks and label rows of their data. One that is not attached is an error."""
    access.require_manager(exchange, "project", exchange.resource)
    store, project = exchange.store, exchange.resource
    for dataset in dict.fromkeys(exchange.uid):
        if not is_uuid(dataset):
            raise RefusalError(Reason.MALFORMED, "uid: this is not a UUID")
        if not store.run("DELETE FROM project_datasets WHERE project = ? AND dataset = ?", project, dataset):
            raise RefusalError(Reason.NOT_FOUND, f"dataset {dataset} is not attached to this project")
        for table in ("tasks", "label_rows"):
            store.run(
                f"DELETE FROM {table} WHERE project = ? AND data_hash IN"  # noqa: S608 - a constant
                " (SELECT data_hash FROM data_units WHERE dataset = ?)",
                project,
                dataset,
            )
    _touch(exchange)
    return True


def replace_structure(exchange: Exchange) -> bool:
    """Another structure for the project's ontology (old SDKs add objects and classifications this way)."""
    request: EditorRequest = exchange.payload
    access.require_manager(exchange, "project", exchange.resource)
    ontology = exchange.store.value("SELECT ontology FROM projects WHERE uuid = ?", exchange.resource)
    ontologies.replace_structure(exchange, ontology, request.editor)
    return True


def set_status(exchange: Exchange) -> None:
    body: StatusBody = exchange.body
    project = exchange.path["project"]
    access.require_manager(exchange, "project", project)
    sql = "UPDATE projects SET status = ?, last_edited_at = ? WHERE uuid = ?"
    exchange.store.run(sql, body.status, exchange.clock.stamp(), project)


def list_branches(exchange: Exchange) -> dict[str, Any]:
    """The branches that label rows are on, and the main one, which is always there and first."""
    query: BranchQuery = exchange.query
    if query.limit is not None and query.limit < 1:
        raise RefusalError(Reason.MALFORMED, "limit: must be 1 or more")
    start, page_size = listing.page_start(query.page_token), exchange.emulation.limits.page_size
    size = min(page_size, query.limit or page_size)
    branches = exchange.store.column(
        "SELECT branch FROM (SELECT ? AS branch UNION SELECT branch FROM label_rows WHERE project = ?)"
        " ORDER BY branch != ?, branch LIMIT ? OFFSET ?",
        *(label_listing.MAIN, exchange.path["project"], label_listing.MAIN, size + 1, start),
    )
    return listing.page([{"name": branch} for branch in branches], start, size)


def _touch(exchange: Exchange) -> None:
    sql = "UPDATE projects SET last_edited_at = ? WHERE uuid = ?"
    exchange.store.run(sql, exchange.clock.stamp(), exchange.resource)


def template_stages(store: Store, template: str | None) -> list[dict[str, Any]]:
    """The stages of a template, or the default ones.

    :raises RefusalError: There is no such template.
    """
    if not template:
        return workflow.default_stages()
    text = store.value("SELECT stages FROM templates WHERE uuid = ?", template)
    if text is None:
        raise RefusalError(Reason.NOT_FOUND, f"workflow_template_id: there is no workflow template {template}")
    stages: list[dict[str, Any]] = json.loads(text)
    return stages


def _datasets(store: Store, project: str) -> list[Row]:
    return store.all(
        "SELECT datasets.* FROM project_datasets JOIN datasets ON dataset = uuid WHERE project = ? ORDER BY position",
        project,
    )


def _structure(store: Store, ontology: str) -> msgspec.Raw:
    return msgspec.Raw(store.value("SELECT editor FROM ontologies WHERE uuid = ?", ontology).encode())


def _source_projects(row: Row) -> Any:
    return json.loads(row["source_projects"]) if row["source_projects"] is not None else None


def _head_v1(row: Row) -> dict[str, Any]:
    return {
        "project_hash": row["uuid"],
        "title": row["title"],
        "description": row["description"],
        "created_at": times.v1_project(row["created_at"]),
        "last_edited_at": times.v1_project(row["last_edited_at"]),
    }


def _v2(store: Store, row: Row, role: int | None) -> dict[str, Any]:
    return {
        "projectHash": row["uuid"],
        "projectType": "workflow",
        "status": row["status"],
        "title": row["title"],
        "description": row["description"],
        "createdAt": times.v2(row["created_at"]),
        "lastEditedAt": times.v2(row["last_edited_at"]),
        "creatorEmail": row["creator"],
        "ontologyHash": row["ontology"],
        "editorOntology": _structure(store, row["ontology"]),
        "userRole": role,
        "sourceProjects": _source_projects(row),
        "workflowManagerUuid": row["workflow_manager"],
        "workflow": {"stages": workflow.shown_stages(store, row["uuid"])},
    }
