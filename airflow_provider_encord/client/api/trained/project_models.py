"""The models that are attached to a project, and their predictions for its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.reading import Page, ignored, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.api.trained.models import ModelGroup, ModelIteration
from airflow_provider_encord.client.call import Call, Request


class FeatureOfModel(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The feature of an ontology that a feature of a model stands for.

    :param type: ``boundingBox``, ``polygon`` or ``classificationOption``.
    """

    feature_node_uuid: str
    name: str | None = None
    type: str | None = None
    color: str | None = None


class ProjectModel(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How a model is attached to a project.

    :param iteration_policy: ``manualSelection`` or ``useLatest``: which trainings are used.
    :param features_mapping: By feature of the model.
    """

    project_model_uuid: str
    model_uuid: str
    project_uuid: str | None = None
    iteration_policy: str | None = None
    features_mapping: dict[str, FeatureOfModel] = {}
    created_at: str | None = None


class ModelAttachment(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A model that is attached to a project, and the trainings that are used."""

    model_group: ModelGroup
    project_model: ProjectModel
    project_model_iterations: list[ModelIteration] = []


class PredictedClass(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A predicted classification of a frame."""

    classification_uuid: str
    confidence: float
    feature_id_parent: str | None = None
    feature_id_child: str | None = None
    name: str | None = None
    value: str | None = None


class PredictedObject(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A predicted object of a frame, with a box or a polygon, in shares of the image's size."""

    object_id: str
    confidence: float
    feature_id: str | None = None
    name: str | None = None
    value: str | None = None
    color: str | None = None
    bounding_box: dict[str, Any] | None = None
    polygon: list[dict[str, Any]] | None = None


class _Classes(msgspec.Struct, frozen=True, kw_only=True):
    result: dict[str, PredictedClass | None]


class _Objects(msgspec.Struct, frozen=True, kw_only=True):
    result: dict[str, list[PredictedObject]]


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """What to predict, and how. Pass either a data unit or the content of a file.

    :param data_uuid: Data hash of a data unit of the project.
    :param data_base64: Content of an image, in base64.
    :param frame_from: The first frame, and `frame_to` the last one; None for all frames.
    :param confidence: Leave out predictions with less confidence, 0 to 1.
    """

    data_uuid: str | None = None
    data_base64: str | None = None
    frame_from: int | None = None
    frame_to: int | None = None
    confidence: float = 0.6

    def body(self, **more: Any) -> dict[str, Any]:
        """The request."""
        wanted = {
            "confThresh": self.confidence,
            "dataUuid": self.data_uuid,
            "dataBase64": self.data_base64,
            "frameRangeFrom": self.frame_from,
            "frameRangeTo": self.frame_to,
            **more,
        }
        return {key: value for key, value in wanted.items() if value is not None}


_ATTACHMENT = v2_reader(ModelAttachment)
_ATTACHMENTS = v2_reader(Page[ModelAttachment])
_CLASSES = v2_reader(_Classes)
_OBJECTS = v2_reader(_Objects)


def _path(project: str, *more: str) -> str:
    return "/".join(["projects", project, "models-attachments", *more])


@operation("project.models.list", "v2")
def list_project_models(project: str, *, page: str | None = None) -> Call[Page[ModelAttachment]]:
    """List one page of the models that are attached to a project."""
    return Call(request=Request("GET", _path(project), {"pageToken": page}), read=_ATTACHMENTS)


@operation("project.models.attach", "v2")
def attach_model(
    project: str,
    model: str,
    *,
    features: Mapping[str, str],
    iteration_policy: str,
    trainings: Sequence[str] | None = None,
) -> Call[ModelAttachment]:
    """Attach a model to a project.

    :param features: The feature of the ontology for each feature of the model.
    :param iteration_policy: ``manualSelection``, with `trainings`, or ``useLatest``.
    """
    body = {**_settings(features, iteration_policy, trainings), "modelUuid": model}
    request = Request("POST", _path(project), json=body)
    return Call(request=request, changes=True, repeatable=False, read=_ATTACHMENT)


@operation("project.models.update", "v2")
def update_project_model(
    project: str,
    attachment: str,
    *,
    features: Mapping[str, str],
    iteration_policy: str,
    trainings: Sequence[str] | None = None,
) -> Call[ModelAttachment]:
    """Change how a model is attached to a project. The arguments are those of `attach_model`."""
    request = Request("PATCH", _path(project, attachment), json=_settings(features, iteration_policy, trainings))
    return Call(request=request, changes=True, read=_ATTACHMENT)


@operation("project.models.detach", "v2")
def detach_model(project: str, attachment: str) -> Call[None]:
    """Remove a model from a project; the model stays."""
    request = Request("DELETE", _path(project, attachment))
    return Call(request=request, changes=True, repeatable=False, read=ignored)


@operation("project.models.predict_classification", "v2")
def predict_classification(
    project: str, attachment: str, training: str, what: Prediction
) -> Call[dict[str, PredictedClass | None]]:
    """Predict a classification for each frame. Nothing is saved."""
    request = Request("POST", _predict(project, attachment, training, "classification"), json=what.body())
    return Call(request=request, read=lambda answer: _CLASSES(answer).result)


@operation("project.models.predict_objects", "v2")
def predict_objects(
    project: str, attachment: str, training: str, what: Prediction, *, overlap: float = 0.3, allocate: bool = False
) -> Call[dict[str, list[PredictedObject]]]:
    """Predict boxes for each frame. Nothing is saved.

    :param overlap: Two boxes that overlap more than this, 0 to 1, are one object.
    :param allocate: Follow objects from frame to frame.
    """
    body = what.body(allocationEnabled=allocate, iouThresh=overlap)
    request = Request("POST", _predict(project, attachment, training, "object-detection"), json=body)
    return Call(request=request, read=lambda answer: _OBJECTS(answer).result)


@operation("project.models.predict_segments", "v2")
def predict_segments(
    project: str,
    attachment: str,
    training: str,
    what: Prediction,
    *,
    overlap: float = 0.3,
    allocate: bool = False,
    simplification: float | None = None,
) -> Call[dict[str, list[PredictedObject]]]:
    """Predict polygons for each frame. Nothing is saved.

    :param overlap: See `predict_objects`, also for `allocate`.
    :param simplification: How much polygons are simplified (the threshold of the Ramer-Douglas-Peucker algorithm).
    """
    body = what.body(allocationEnabled=allocate, iouThresh=overlap, rdpThresh=simplification)
    request = Request("POST", _predict(project, attachment, training, "instance-segmentation"), json=body)
    return Call(request=request, read=lambda answer: _OBJECTS(answer).result)


def _predict(project: str, attachment: str, training: str, kind: str) -> str:
    return _path(project, attachment, "iterations", training, kind, "predict")


def _settings(features: Mapping[str, str], policy: str, trainings: Sequence[str] | None) -> dict[str, Any]:
    settings: dict[str, Any] = {"featuresMapping": dict(features), "iterationPolicy": policy}
    return settings if trainings is None else {**settings, "trainingUuids": list(trainings)}
