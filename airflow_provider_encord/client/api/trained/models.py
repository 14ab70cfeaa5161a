"""Models: their training iterations, what they were trained with, and their weights.

A link to weights is a secret: anyone who has it can download them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.reading import Page, ignored, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import Call, Request


class ModelGroup(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a model is.

    :param model: The architecture, such as ``fasterRcnn``.
    :param type: ``objectDetection``, ``instanceSegmentation`` or ``classification``.
    """

    model_uuid: str
    title: str
    description: str | None = None
    model: str | None = None
    type: str | None = None
    features: list[str] = []
    created_at: str | None = None


class ModelIteration(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A training of a model that has ended.

    :param duration: Seconds.
    :param loss_log: The loss by epoch.
    """

    training_uuid: str
    batch_size: int | None = None
    epochs: int | None = None
    duration: int | None = None
    loss_log: dict[str, Any] = {}
    created_at: str | None = None


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A model and its training iterations."""

    model_group: ModelGroup
    model_iterations: list[ModelIteration] = []


class TrainingState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a training.

    :param status: ``pending``, ``done`` or ``error``.
    """

    status: str
    result: ModelIteration | None = None


class TrainingData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A label row that a model was trained with."""

    data_uuid: str
    label_uuid: str
    dataset_uuid: str | None = None
    dataset_title: str | None = None
    project_uuid: str | None = None
    project_title: str | None = None
    file_title: str | None = None
    item_type: str | None = None


_MODEL = v2_reader(ModelRecord)
_MODELS = v2_reader(Page[ModelRecord])
_TRAINING = v2_reader(TrainingState)
_DATA = v2_reader(Page[TrainingData])
_TEXT = v2_reader(str)


def _iteration(model: str, training: str, *more: str) -> str:
    return "/".join(["ml-models", model, "iterations", training, *more])


@operation("ml_models.list", "v2")
def list_models(
    *, search: str | None = None, order: str = "createdAt", ascending: bool = False, page: str | None = None
) -> Call[Page[ModelRecord]]:
    """List one page of the models that the user can see.

    :param order: ``createdAt`` or ``title``.
    """
    query = {"orderBy": order, "orderAsc": ascending, "query": search, "pageToken": page}
    return Call(request=Request("GET", "ml-models", query), read=_MODELS)


@operation("ml_models.get", "v2")
def get_model(model: str) -> Call[ModelRecord]:
    """Read a model by its id."""
    return Call(request=Request("GET", f"ml-models/{model}"), read=_MODEL)


@operation("ml_models.create", "v2")
def create_model(
    title: str, *, architecture: str, features: Sequence[str], description: str | None = None
) -> Call[ModelRecord]:
    """Create a model without a training.

    :param architecture: Encord's name of the architecture, such as ``fasterRcnn``.
    :param features: Names of what the model recognises.
    """
    wanted = {"features": list(features), "model": architecture, "title": title, "description": description}
    body = {key: value for key, value in wanted.items() if value is not None}
    return Call(request=Request("POST", "ml-models", json=body), changes=True, repeatable=False, read=_MODEL)


@operation("ml_models.update", "v2")
def update_model(model: str, *, title: str | None = None, description: str | None = None) -> Call[ModelRecord]:
    """Change a model. None leaves the value unchanged."""
    wanted = {"title": title, "description": description}
    body = {key: value for key, value in wanted.items() if value is not None}
    return Call(request=Request("PATCH", f"ml-models/{model}", json=body), changes=True, read=_MODEL)


@operation("ml_models.delete", "v2")
def delete_model(model: str) -> Call[None]:
    """Delete a model and its trainings."""
    request = Request("DELETE", f"ml-models/{model}")
    return Call(request=request, changes=True, repeatable=False, read=ignored)


@operation("ml_models.trainings.create", "v2")
def start_training(
    model: str,
    *,
    labels: Sequence[str],
    features: Mapping[str, Mapping[str, Sequence[str]]],
    batch_size: int,
    epochs: int,
    pretrained_training: str | None = None,
    pretrained_weights: str | None = None,
) -> Call[str]:
    """Start a training. The response is its id.

    :param labels: Label hashes to train with.
    :param features: By project, which features of the model each feature of the ontology stands for.
    :param pretrained_training: Id of a training to start from.
    :param pretrained_weights: Encord's name of weights to start from.
    """
    mapping = {
        project: {feature: list(names) for feature, names in of_project.items()}
        for project, of_project in features.items()
    }
    pretrained = {"pretrainedTrainingUuid": pretrained_training, "pretrainedWeightsType": pretrained_weights}
    body = {
        "batchSize": batch_size,
        "epochs": epochs,
        "featuresMapping": mapping,
        "labelsUuids": list(labels),
        **{key: value for key, value in pretrained.items() if value is not None},
    }
    request = Request("POST", f"ml-models/{model}/trainings", json=body)
    return Call(request=request, changes=True, repeatable=False, read=_TEXT)


@operation("ml_models.trainings.result", "v2")
def poll_training(model: str, training: str, *, timeout_seconds: int = 0) -> Call[TrainingState]:
    """Read the state of a training.

    :param timeout_seconds: Seconds that Encord may hold the request while the training runs, at most 60.
    """
    request = Request("GET", _iteration(model, training, "training"), {"timeoutSeconds": timeout_seconds})
    return Call(request=request, hold_seconds=timeout_seconds, read=_TRAINING)


@operation("ml_models.training_data", "v2")
def list_training_data(model: str, training: str, *, page: str | None = None) -> Call[Page[TrainingData]]:
    """List one page of the label rows that a model was trained with."""
    request = Request("GET", _iteration(model, training, "training-data"), {"pageToken": page})
    return Call(request=request, read=_DATA)


@operation("ml_models.trainings.weights_link", "v2")
def get_weights_link(model: str, training: str) -> Call[str]:
    """Get a link to the weights of a training. It is a secret."""
    return Call(request=Request("GET", _iteration(model, training, "weights-link")), read=_TEXT)


@operation("ml_models.trainings.delete", "v2")
def delete_training(model: str, training: str) -> Call[None]:
    """Delete a training of a model."""
    request = Request("DELETE", _iteration(model, training))
    return Call(request=request, changes=True, repeatable=False, read=ignored)
