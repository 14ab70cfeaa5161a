"""Models and their trainings. A model is its creator's [inferred]; a training ends well at the pace of other jobs.

The loss falls by half in every epoch, an epoch takes a minute, and the weights are a file that is not there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from ..requests import access, listing
from ..requests.exchange import Exchange
from ..requests.filters import Conditions
from ..rows import data_rows
from ..state.store import Row, Store
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import is_uuid, new_uuid
from ..wire.shapes import PositiveCount, StrictCamel

if TYPE_CHECKING:
    from ..state.jobs import Jobs

TABLE = "trainings"
_SECONDS_OF_EPOCH = 60
_KINDS = {"fasterRcnn": "objectDetection", "maskRcnn": "instanceSegmentation"}
"""What an architecture does; every other one classifies [inferred]."""
_ORDER = {"createdAt": "position", "title": "title"}


class ListQuery(StrictCamel, frozen=True):
    order_by: Literal["createdAt", "title"] = "createdAt"
    order_asc: bool = False
    query: str | None = None
    page_token: str | None = None


class PollQuery(StrictCamel, frozen=True):
    timeout_seconds: int = 0


class ModelBody(StrictCamel, frozen=True):
    features: list[str]
    model: str
    title: str
    description: str | None = None


class ModelChange(StrictCamel, frozen=True):
    title: str | None = None
    description: str | None = None


class TrainingBody(StrictCamel, frozen=True):
    batch_size: PositiveCount
    epochs: PositiveCount
    features_mapping: dict[str, dict[str, list[str]]]
    labels_uuids: list[str]
    pretrained_training_uuid: str | None = None
    pretrained_weights_type: str | None = None


def list_page(exchange: Exchange) -> dict[str, Any]:
    query: ListQuery = exchange.query
    conditions = Conditions()
    conditions.equal("owner", exchange.caller.email)
    if query.query is not None:
        conditions.add("instr(lower(title), lower(?)) > 0", query.query)
    start, size = listing.page_start(query.page_token), exchange.emulation.limits.page_size
    rows = exchange.store.all(
        f"SELECT * FROM models WHERE {conditions.sql}"  # noqa: S608 - see Conditions
        f" ORDER BY {_ORDER[query.order_by]} {'ASC' if query.order_asc else 'DESC'}, position LIMIT ? OFFSET ?",
        *(*conditions.values, size + 1, start),
    )
    return listing.page([_view(exchange.store, row) for row in rows], start, size)


def get(exchange: Exchange) -> dict[str, Any]:
    return _view(exchange.store, row_of(exchange, exchange.path["model"]))


def create(exchange: Exchange) -> dict[str, Any]:
    body: ModelBody = exchange.body
    if not body.title.strip() or not body.features:
        raise RefusalError(Reason.INVALID, "title, features: must not be empty")
    uuid = new_uuid()
    exchange.store.run(
        "INSERT INTO models VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
        *(uuid, exchange.caller.email, body.title, body.description or "", body.model, json.dumps(body.features)),
        exchange.clock.stamp(),
    )
    return _view(exchange.store, row_of(exchange, uuid))


def update(exchange: Exchange) -> dict[str, Any]:
    body: ModelChange = exchange.body
    uuid = row_of(exchange, exchange.path["model"])["uuid"]
    sql = "UPDATE models SET title = coalesce(?, title), description = coalesce(?, description) WHERE uuid = ?"
    exchange.store.run(sql, body.title, body.description, uuid)
    return get(exchange)


def delete(exchange: Exchange) -> None:
    """The model goes with its trainings, also from projects."""
    exchange.store.run("DELETE FROM models WHERE uuid = ?", row_of(exchange, exchange.path["model"])["uuid"])


def train(exchange: Exchange) -> str:
    """Begin a training; its id."""
    body: TrainingBody = exchange.body
    model, store = row_of(exchange, exchange.path["model"])["uuid"], exchange.store
    if not body.labels_uuids:
        raise RefusalError(Reason.INVALID, "labelsUuids: needs at least one label row")
    for label in body.labels_uuids:
        project = store.value("SELECT project FROM label_rows WHERE label_hash = ?", label)
        if project is None or not access.has_role(exchange, "project", project):
            raise RefusalError(Reason.NOT_FOUND, f"labelsUuids: there is no label row {label}")
    uuid = new_uuid()
    store.run(
        "INSERT INTO trainings VALUES (NULL, ?, ?, ?, ?, ?, 'PENDING', ?)",
        *(uuid, model, body.batch_size, body.epochs, json.dumps(body.labels_uuids), exchange.clock.stamp()),
    )
    exchange.emulation.jobs.start(uuid, TABLE)
    return uuid


async def poll(exchange: Exchange) -> dict[str, Any]:
    """How a training stands, as soon as it is over or the time is up."""
    query: PollQuery = exchange.query
    training = _training(exchange)["uuid"]
    await exchange.emulation.jobs.wait(training, query.timeout_seconds)
    row = _training(exchange)
    return {"status": row["status"].lower(), "result": iteration(row) if row["status"] == "DONE" else None}


def training_data(exchange: Exchange) -> dict[str, Any]:
    """The label rows that a training was given."""
    query: listing.PageQuery = exchange.query
    start, size = listing.page_start(query.page_token), exchange.emulation.limits.page_size
    rows = exchange.store.all(
        "SELECT label_hash, unit.data_hash, unit.title, unit.item_type, unit.dataset, datasets.title AS dataset_title,"
        " label_rows.project, projects.title AS project_title FROM json_each(?) AS wanted"
        " JOIN label_rows ON label_hash = wanted.value JOIN data_units AS unit ON unit.data_hash = label_rows.data_hash"
        " JOIN datasets ON datasets.uuid = unit.dataset JOIN projects ON projects.uuid = label_rows.project"
        " ORDER BY wanted.key LIMIT ? OFFSET ?",
        *(_training(exchange)["labels"], size + 1, start),
    )
    return listing.page([_trained_with(row) for row in rows], start, size)


def weights_link(exchange: Exchange) -> str | None:
    """A signed URL; what it leads to is not there."""
    return data_rows.link(exchange, f"weights/{_training(exchange)['uuid']}")


def delete_training(exchange: Exchange) -> None:
    training = _training(exchange)["uuid"]
    exchange.emulation.jobs.cancel(training)
    exchange.store.run("DELETE FROM trainings WHERE uuid = ?", training)


async def run(jobs: Jobs, training: str) -> None:
    """Let the epochs pass."""
    for _ in range(jobs.store.value("SELECT epochs FROM trainings WHERE uuid = ?", training) or 0):
        await jobs.pace()
    failed = jobs.is_to_fail()
    jobs.store.run("UPDATE trainings SET status = ? WHERE uuid = ?", "ERROR" if failed else "DONE", training)


def give_up(store: Store, training: str) -> None:
    """End a training that the emulator failed on."""
    store.run("UPDATE trainings SET status = 'ERROR' WHERE uuid = ?", training)


def row_of(exchange: Exchange, model: str) -> Row:
    """A model of the caller's.

    :raises RefusalError: There is no such model of the caller's.
    """
    if not is_uuid(model):
        raise RefusalError(Reason.MALFORMED, "model: this is not a UUID")
    sql = "SELECT * FROM models WHERE uuid = ? AND owner = ?"
    row = exchange.store.one(sql, model, exchange.caller.email)
    if row is None:
        raise RefusalError(Reason.NOT_FOUND, f"there is no model {model}")
    return row


def group(row: Row) -> dict[str, Any]:
    """A model without its trainings, as it is answered."""
    return {
        "createdAt": times.v2(row["created_at"]),
        "description": row["description"],
        "features": json.loads(row["features"]),
        "model": row["architecture"],
        "modelUuid": row["uuid"],
        "title": row["title"],
        "type": _KINDS.get(row["architecture"], "classification"),
    }


def iteration(row: Row) -> dict[str, Any]:
    """A training that has ended, as it is answered."""
    return {
        "batchSize": row["batch_size"],
        "createdAt": times.v2(row["created_at"]),
        "duration": row["epochs"] * _SECONDS_OF_EPOCH,
        "epochs": row["epochs"],
        "lossLog": {str(epoch): 0.5**epoch for epoch in range(row["epochs"])},
        "trainingUuid": row["uuid"],
    }


def iterations(store: Store, model: str) -> list[Row]:
    """The trainings of a model that ended well, oldest first."""
    return store.all("SELECT * FROM trainings WHERE model = ? AND status = 'DONE' ORDER BY position", model)


def _view(store: Store, row: Row) -> dict[str, Any]:
    return {"modelGroup": group(row), "modelIterations": [iteration(one) for one in iterations(store, row["uuid"])]}


def _training(exchange: Exchange) -> Row:
    model, training = row_of(exchange, exchange.path["model"])["uuid"], exchange.path["training"]
    row = exchange.store.one("SELECT * FROM trainings WHERE model = ? AND uuid = ?", model, training)
    if row is None:
        raise RefusalError(Reason.NOT_FOUND, f"the model has no training {training}")
    return row


def _trained_with(row: Row) -> dict[str, Any]:
    return {
        "dataUuid": row["data_hash"],
        "datasetTitle": row["dataset_title"],
        "datasetUuid": row["dataset"],
        "fileTitle": row["title"],
        "itemType": row["item_type"],
        "labelUuid": row["label_hash"],
        "projectTitle": row["project_title"],
        "projectUuid": row["project"],
    }
