"""Models that are attached to a project, by its administrators [inferred], and what they predict.

A prediction is made up: in every frame one thing of the first feature, in the middle, with a confidence of 0.9.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from ..requests import access, listing
from ..requests.exchange import Exchange
from ..state.store import Row, Store
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import Count, Share, StrictCamel
from . import models

_CONFIDENCE = 0.9
_SHAPES = {"bounding_box": "boundingBox", "polygon": "polygon"}
_BOX = {"h": 0.5, "w": 0.5, "x": 0.25, "y": 0.25}
_POLYGON = [{"x": 0.25, "y": 0.25}, {"x": 0.75, "y": 0.25}, {"x": 0.75, "y": 0.75}, {"x": 0.25, "y": 0.75}]


class AttachmentChange(StrictCamel, frozen=True):
    features_mapping: dict[str, str]
    iteration_policy: Literal["manualSelection", "useLatest"]
    training_uuids: list[str] | None = None


class AttachmentBody(StrictCamel, frozen=True):
    features_mapping: dict[str, str]
    iteration_policy: Literal["manualSelection", "useLatest"]
    model_uuid: str
    training_uuids: list[str] | None = None


class PredictBody(StrictCamel, frozen=True):
    conf_thresh: Share
    data_uuid: str | None = None
    data_base64: str | None = None
    frame_range_from: Count | None = None
    frame_range_to: Count | None = None
    allocation_enabled: bool = False
    iou_thresh: Share | None = None
    rdp_thresh: Share | None = None


def list_page(exchange: Exchange) -> dict[str, Any]:
    query: listing.PageQuery = exchange.query
    start, size = listing.page_start(query.page_token), exchange.emulation.limits.page_size
    sql = "SELECT * FROM model_attachments WHERE project = ? ORDER BY position LIMIT ? OFFSET ?"
    rows = exchange.store.all(sql, exchange.path["project"], size + 1, start)
    return listing.page([_view(exchange.store, row) for row in rows], start, size)


def attach(exchange: Exchange) -> dict[str, Any]:
    body: AttachmentBody = exchange.body
    project = exchange.path["project"]
    access.require_manager(exchange, "project", project)
    model = models.row_of(exchange, body.model_uuid)["uuid"]
    uuid = exchange.path["attachment"] = new_uuid()
    exchange.store.run(
        "INSERT INTO model_attachments VALUES (NULL, ?, ?, ?, ?, '{}', '[]', ?)",
        *(uuid, project, model, body.iteration_policy, exchange.clock.stamp()),
    )
    return _set(exchange, body.features_mapping, body.iteration_policy, body.training_uuids)


def update(exchange: Exchange) -> dict[str, Any]:
    body: AttachmentChange = exchange.body
    access.require_manager(exchange, "project", exchange.path["project"])
    return _set(exchange, body.features_mapping, body.iteration_policy, body.training_uuids)


def detach(exchange: Exchange) -> None:
    access.require_manager(exchange, "project", exchange.path["project"])
    exchange.store.run("DELETE FROM model_attachments WHERE uuid = ?", _row(exchange)["uuid"])


def predict_classes(exchange: Exchange) -> dict[str, Any]:
    return _predict(exchange, _class)


def predict_boxes(exchange: Exchange) -> dict[str, Any]:
    return _predict(exchange, lambda *about: [{**_object(*about), "boundingBox": _BOX}])


def predict_polygons(exchange: Exchange) -> dict[str, Any]:
    return _predict(exchange, lambda *about: [{**_object(*about), "polygon": _POLYGON}])


def _predict(exchange: Exchange, thing: Any) -> dict[str, Any]:
    body: PredictBody = exchange.body
    row = _row(exchange)
    trainings = {training["uuid"] for training in models.iterations(exchange.store, row["model"])}
    if exchange.path["training"] not in trainings:
        raise RefusalError(Reason.NOT_FOUND, f"the model has no training {exchange.path['training']}")
    frames = range(body.frame_range_from or 0, _last_frame(exchange, body) + 1)
    feature, name = next(iter(_features(exchange.store, row).values())), next(iter(json.loads(row["features"])))
    sure = body.conf_thresh <= _CONFIDENCE
    nothing: list[Any] | None = None if thing is _class else []
    return {"result": {str(frame): thing(exchange, feature, name) if sure else nothing for frame in frames}}


def _last_frame(exchange: Exchange, body: PredictBody) -> int:
    if (body.data_uuid is None) == (body.data_base64 is None):
        raise RefusalError(Reason.INVALID, "dataUuid, dataBase64: exactly one of them is needed")
    if body.data_uuid is None:
        return 0
    sql = (
        "SELECT frames FROM tasks JOIN data_units ON data_units.data_hash = tasks.data_hash"
        " WHERE project = ? AND tasks.data_hash = ?"
    )
    frames = exchange.store.value(sql, exchange.path["project"], body.data_uuid)
    if frames is None:
        raise RefusalError(Reason.NOT_FOUND, f"data unit {body.data_uuid} is not in this project")
    last: int = frames - 1
    return last if body.frame_range_to is None else min(last, body.frame_range_to)


def _signed(exchange: Exchange) -> dict[str, Any]:
    return {
        "confidence": _CONFIDENCE,
        "createdAt": times.v2(exchange.clock.stamp()),
        "createdBy": exchange.caller.email,
        "manualAnnotation": False,
    }


def _class(exchange: Exchange, feature: dict[str, Any], name: str) -> dict[str, Any]:
    identifier = feature["featureNodeUuid"]
    return {
        **_signed(exchange),
        "classificationUuid": new_uuid(),
        "featureIdChild": identifier,
        "featureIdParent": identifier,
        "name": feature["name"],
        "value": name,
    }


def _object(exchange: Exchange, feature: dict[str, Any], name: str) -> dict[str, Any]:
    return {
        **_signed(exchange),
        "color": feature["color"] or "#D33115",
        "featureId": feature["featureNodeUuid"],
        "name": feature["name"],
        "objectId": new_uuid()[:8],
        "value": name,
    }


def _set(exchange: Exchange, features: dict[str, str], policy: str, trainings: list[str] | None) -> dict[str, Any]:
    row, store = _row(exchange), exchange.store
    known = _ontology_features(store, row["project"])
    for feature in features.values():
        if feature not in known:
            raise RefusalError(Reason.INVALID, f"featuresMapping: the ontology has no feature {feature}")
    if not features:
        raise RefusalError(Reason.INVALID, "featuresMapping: must not be empty")
    made = {training["uuid"] for training in models.iterations(store, row["model"])}
    if missing := sorted(set(trainings or ()) - made):
        raise RefusalError(Reason.NOT_FOUND, f"trainingUuids: the model has no training {missing[0]}")
    store.run(
        "UPDATE model_attachments SET features = ?, policy = ?, trainings = ? WHERE uuid = ?",
        *(json.dumps(features), policy, json.dumps(trainings or []), row["uuid"]),
    )
    return _view(store, _row(exchange))


def _row(exchange: Exchange) -> Row:
    project, attachment = exchange.path["project"], exchange.path["attachment"]
    row = exchange.store.one("SELECT * FROM model_attachments WHERE project = ? AND uuid = ?", project, attachment)
    if row is None:
        raise RefusalError(Reason.NOT_FOUND, f"the project has no model {attachment}")
    return row


def _features(store: Store, row: Row) -> dict[str, dict[str, Any]]:
    """By feature of the model, the feature of the ontology."""
    known = _ontology_features(store, row["project"])
    return {name: known[feature] for name, feature in json.loads(row["features"]).items() if feature in known}


def _ontology_features(store: Store, project: str) -> dict[str, dict[str, Any]]:
    """Objects and options of classifications, by their feature hash."""
    sql = "SELECT editor FROM ontologies JOIN projects ON ontology = ontologies.uuid WHERE projects.uuid = ?"
    editor = json.loads(store.value(sql, project))
    found = {
        thing["featureNodeHash"]: _feature(thing, thing["name"], _SHAPES.get(thing["shape"], "boundingBox"))
        for thing in editor.get("objects", [])
    }
    for classification in editor.get("classifications", []):
        for attribute in classification.get("attributes", []):
            for option in attribute.get("options", []):
                found[option["featureNodeHash"]] = _feature(option, option["label"], "classificationOption")
    return found


def _feature(thing: dict[str, Any], name: str, kind: str) -> dict[str, Any]:
    return {"featureNodeUuid": thing["featureNodeHash"], "name": name, "type": kind, "color": thing.get("color")}


def _view(store: Store, row: Row) -> dict[str, Any]:
    model = store.one("SELECT * FROM models WHERE uuid = ?", row["model"])
    assert model is not None  # noqa: S101 - an attachment goes with its model
    every = models.iterations(store, row["model"])
    chosen = json.loads(row["trainings"])
    used = every[-1:] if row["policy"] == "useLatest" else [one for one in every if one["uuid"] in chosen]
    return {
        "modelGroup": models.group(model),
        "projectModel": {
            "createdAt": times.v2(row["created_at"]),
            "iterationPolicy": row["policy"],
            "modelUuid": row["model"],
            "projectModelUuid": row["uuid"],
            "projectUuid": row["project"],
            "featuresMapping": _features(store, row),
        },
        "projectModelIterations": [models.iteration(one) for one in used],
    }
