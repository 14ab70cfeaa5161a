"""Datasets: listed and created in both families, read in v1 only. A "mirror" dataset has a folder of its own."""

from __future__ import annotations

from typing import Any, Literal

from ..people import people
from ..requests import listing
from ..requests.exchange import Exchange
from ..requests.filters import Conditions, V1Filter, matching
from ..rows import data_rows
from ..state.store import Row
from ..storage import folders
from ..wire import times
from ..wire.identifiers import new_uuid
from ..wire.shapes import Strict, StrictCamel

_TYPES = ("CORD_STORAGE", "AWS_S3", "GCP_STR", "AZURE_STR", "S3_COMPATIBLE_STR")


class DatasetListing(StrictCamel, frozen=True):
    """As for projects, but ``descriptionEq`` and ``descriptionLike``."""

    title_eq: str | None = None
    title_like: str | None = None
    description_eq: str | None = None
    description_like: str | None = None
    created_before: str | None = None
    created_after: str | None = None
    edited_before: str | None = None
    edited_after: str | None = None
    include_org_access: bool = False


class DatasetBody(StrictCamel, frozen=True):
    title: str
    create_backing_folder: bool = True
    description: str | None = None
    legacy_call: bool = False


class DatasetRequest(Strict, frozen=True):
    title: str
    type: Literal[0, 1, 2, 3, 4]
    create_backing_folder: bool = True
    description: str | None = None


class DatasetListRequest(Strict, frozen=True):
    filter: V1Filter = V1Filter()
    enable_storage_api: bool = False


class DatasetQuestion(Strict, frozen=True):
    dataset_access_settings: data_rows.AccessSettings = data_rows.AccessSettings()


def dataset_type(storage_location: int) -> str:
    """The text form of a storage location."""
    return _TYPES[storage_location]


def list_all(exchange: Exchange) -> dict[str, Any]:
    query: DatasetListing = exchange.query
    conditions = Conditions()
    conditions.equal("datasets.title", query.title_eq)
    conditions.like("datasets.title", query.title_like)
    conditions.equal("datasets.description", query.description_eq)
    conditions.like("datasets.description", query.description_like)
    conditions.before("datasets.created_at", query.created_before, "createdBefore")
    conditions.after("datasets.created_at", query.created_after, "createdAfter")
    conditions.before("datasets.last_edited_at", query.edited_before, "editedBefore")
    conditions.after("datasets.last_edited_at", query.edited_after, "editedAfter")
    rows = listing.visible(exchange, "dataset", conditions, organisation=query.include_org_access)
    return {"result": [_v2(row) for row in rows]}


def list_v1(exchange: Exchange) -> list[dict[str, Any]]:
    """Exactly these keys: the SDKs that ask this way take no other."""
    request: DatasetListRequest = exchange.payload
    rows = listing.visible(exchange, "dataset", matching(request.filter, "datasets"))
    user_hash = people.user_hash(exchange.store, exchange.caller.email)
    return [{"user_role": row["role"], "dataset": _v1(row, user_hash)} for row in rows]


def create(exchange: Exchange) -> dict[str, Any]:
    body: DatasetBody = exchange.body
    row = insert(exchange, body.title, body.description or "", 0, folder=body.create_backing_folder)
    return {"datasetUuid": row["uuid"], "backingFolderUuid": row["backing_folder"]}


def create_v1(exchange: Exchange) -> dict[str, Any]:
    request: DatasetRequest = exchange.payload
    row = insert(exchange, request.title, request.description or "", request.type, folder=request.create_backing_folder)
    return {
        "title": row["title"],
        "type": row["storage_location"],
        "dataset_hash": row["uuid"],
        "user_hash": people.user_hash(exchange.store, exchange.caller.email),
        "backing_folder_uuid": row["backing_folder"],
    }


def get(exchange: Exchange) -> dict[str, Any]:
    question: DatasetQuestion | None = exchange.payload
    settings = (question or DatasetQuestion()).dataset_access_settings
    row = exchange.store.one("SELECT * FROM datasets WHERE uuid = ?", exchange.resource)
    assert row is not None  # noqa: S101 - the caller was let in
    return {
        "dataset_hash": row["uuid"],
        "title": row["title"],
        "description": row["description"],
        "dataset_type": dataset_type(row["storage_location"]),
        "backing_folder_uuid": row["backing_folder"],
        "data_rows": data_rows.of_dataset(exchange, settings) if settings.fetch_rows else [],
    }


def insert(exchange: Exchange, title: str, description: str, storage_location: int, *, folder: bool) -> Row:
    """A new dataset of the caller's, with a folder to mirror it if wanted."""
    uuid, now, store = new_uuid(), exchange.clock.stamp(), exchange.store
    backing = new_uuid() if folder else None
    if backing is not None:
        folders.insert_mirror(store, backing, uuid, title, description, exchange.caller.email, now)
    sql = "INSERT INTO datasets VALUES (?, ?, ?, ?, ?, ?, ?)"
    store.run(sql, uuid, title, description, storage_location, backing, now, now)
    store.run("INSERT INTO members VALUES ('dataset', ?, ?, 0)", uuid, exchange.caller.email)
    row = store.one("SELECT * FROM datasets WHERE uuid = ?", uuid)
    assert row is not None  # noqa: S101 - inserted just now
    return row


def _v2(row: Row) -> dict[str, Any]:
    return {
        "datasetUuid": row["uuid"],
        "title": row["title"],
        "description": row["description"],
        "createdAt": times.v2(row["created_at"]),
        "lastEditedAt": times.v2(row["last_edited_at"]),
        "userRole": None if row["role"] is None else ("admin", "user")[row["role"]],
        "storageLocation": row["storage_location"],
        "backingFolderUuid": row["backing_folder"],
    }


def _v1(row: Row, user_hash: str) -> dict[str, Any]:
    return {
        "dataset_hash": row["uuid"],
        "user_hash": user_hash,
        "title": row["title"],
        "description": row["description"],
        "type": row["storage_location"],
        "created_at": times.v1_project(row["created_at"]),
        "last_edited_at": times.v1_project(row["last_edited_at"]),
        "backing_folder_uuid": row["backing_folder"],
    }
