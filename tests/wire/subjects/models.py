"""Recorded requests of models, their trainings, and the models of a project."""

from __future__ import annotations

import re
from typing import Any

from airflow_provider_encord.client.api.trained.project_models import Prediction
from tests.wire.subjects.reading import UUID, Arguments, Key, Read, flag, given, listed_below, parameter


def _ids(request: dict[str, Any]) -> list[str]:
    """The UUIDs in the path: model and training; or project, attachment and training."""
    return re.findall(UUID, request["path"])


def _in_path(request: dict[str, Any]) -> Arguments:
    return given(*_ids(request))


def _listed(request: dict[str, Any]) -> Arguments:
    return given(
        search=parameter(request, "query"),
        order=parameter(request, "orderBy"),
        ascending=flag(request, "orderAsc"),
        page=parameter(request, "pageToken"),
    )


def _create(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(
        body["title"], architecture=body["model"], features=body["features"], description=body.get("description")
    )


def _train(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    return given(
        *_ids(request),
        labels=body["labelsUuids"],
        features=body["featuresMapping"],
        batch_size=body["batchSize"],
        epochs=body["epochs"],
        pretrained_training=body.get("pretrainedTrainingUuid"),
        pretrained_weights=body.get("pretrainedWeightsType"),
    )


def _poll(request: dict[str, Any]) -> Arguments:
    return given(*_ids(request), timeout_seconds=int(parameter(request, "timeoutSeconds") or 0))


def _settings(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "features": body["featuresMapping"],
        "iteration_policy": body["iterationPolicy"],
        "trainings": body.get("trainingUuids"),
    }


def _attach(request: dict[str, Any]) -> Arguments:
    return given(*_ids(request), request["json"]["modelUuid"], **_settings(request["json"]))


def _update(request: dict[str, Any]) -> Arguments:
    return given(*_ids(request), **_settings(request["json"]))


def _prediction(body: dict[str, Any]) -> Prediction:
    return Prediction(
        data_uuid=body.get("dataUuid"),
        data_base64=body.get("dataBase64"),
        frame_from=body.get("frameRangeFrom"),
        frame_to=body.get("frameRangeTo"),
        confidence=body["confThresh"],
    )


def _predict_objects(request: dict[str, Any]) -> Arguments:
    body = request["json"]
    how = {"overlap": body["iouThresh"], "allocate": body["allocationEnabled"]}
    return given(*_ids(request), _prediction(body), **how)


def _predict_segments(request: dict[str, Any]) -> Arguments:
    positional, named = _predict_objects(request)
    return given(*positional, **named, simplification=request["json"].get("rdpThresh"))


ARGUMENTS: dict[Key, Read] = {
    ("ml_models.list", "v2"): _listed,
    ("ml_models.get", "v2"): _in_path,
    ("ml_models.create", "v2"): _create,
    ("ml_models.update", "v2"): lambda request: given(*_ids(request), **request["json"]),
    ("ml_models.delete", "v2"): _in_path,
    ("ml_models.trainings.create", "v2"): _train,
    ("ml_models.trainings.result", "v2"): _poll,
    ("ml_models.training_data", "v2"): lambda request: given(*_ids(request), page=parameter(request, "pageToken")),
    ("ml_models.trainings.weights_link", "v2"): _in_path,
    ("ml_models.trainings.delete", "v2"): _in_path,
    ("project.models.list", "v2"): listed_below,
    ("project.models.attach", "v2"): _attach,
    ("project.models.update", "v2"): _update,
    ("project.models.detach", "v2"): _in_path,
    ("project.models.predict_classification", "v2"): lambda request: given(
        *_ids(request), _prediction(request["json"])
    ),
    ("project.models.predict_objects", "v2"): _predict_objects,
    ("project.models.predict_segments", "v2"): _predict_segments,
}

V1_SHAPES: dict[tuple[str, str], str] = {}

_MODEL = f"ml-models/{UUID}"
_TRAINING = f"{_MODEL}/iterations/{UUID}"
_ATTACHMENTS = f"projects/{UUID}/models-attachments"
_PREDICT = f"{_ATTACHMENTS}/{UUID}/iterations/{UUID}"

V2_SHAPES: list[tuple[str, str, str]] = [
    ("GET", "ml-models", "ml_models.list"),
    ("POST", "ml-models", "ml_models.create"),
    ("GET", _MODEL, "ml_models.get"),
    ("PATCH", _MODEL, "ml_models.update"),
    ("DELETE", _MODEL, "ml_models.delete"),
    ("POST", f"{_MODEL}/trainings", "ml_models.trainings.create"),
    ("GET", f"{_TRAINING}/training", "ml_models.trainings.result"),
    ("GET", f"{_TRAINING}/training-data", "ml_models.training_data"),
    ("GET", f"{_TRAINING}/weights-link", "ml_models.trainings.weights_link"),
    ("DELETE", _TRAINING, "ml_models.trainings.delete"),
    ("GET", _ATTACHMENTS, "project.models.list"),
    ("POST", _ATTACHMENTS, "project.models.attach"),
    ("PATCH", f"{_ATTACHMENTS}/{UUID}", "project.models.update"),
    ("DELETE", f"{_ATTACHMENTS}/{UUID}", "project.models.detach"),
    ("POST", f"{_PREDICT}/classification/predict", "project.models.predict_classification"),
    ("POST", f"{_PREDICT}/object-detection/predict", "project.models.predict_objects"),
    ("POST", f"{_PREDICT}/instance-segmentation/predict", "project.models.predict_segments"),
]

NOT_YET: set[str] = set()

NOT_SERVED_YET: set[Key] = set()
