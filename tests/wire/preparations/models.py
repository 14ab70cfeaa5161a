"""What recordings of models need: two of them, the first trained with two label rows and attached to the project."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_ID = "{}-0000-4000-8000-{:012d}"
MODEL, TRAINING, ATTACHMENT, LABEL_ROW, DATA_UNIT = "15151515", "16161616", "17171717", "34343434", "12121212"


def _make_models(world: Any) -> None:
    """Two models; only they are there."""
    for model in world.user.v2("GET", "/v2/public/ml-models")["results"]:
        world.user.v2("DELETE", f"/v2/public/ml-models/{model['modelGroup']['modelUuid']}")
    for number in (2, 1):
        wanted = {"features": ["car", "person"], "model": "fasterRcnn", "title": f"Cars {number}", "description": "d"}
        made = world.user.v2("POST", "/v2/public/ml-models", wanted)
        world.ids[_ID.format(MODEL, number)] = made["modelGroup"]["modelUuid"]


def _train(world: Any) -> None:
    """Both models, so that whichever a listing begins with has a training."""
    _make_models(world)
    for number in (2, 1):
        wanted = {
            "batchSize": 8,
            "epochs": 10,
            "featuresMapping": {world.project: {"aabb0001": ["car"]}},
            "labelsUuids": [world.ids[_ID.format(LABEL_ROW, row)] for row in (1, 2)],
        }
        path = f"/v2/public/ml-models/{world.ids[_ID.format(MODEL, number)]}"
        training = world.user.v2("POST", f"{path}/trainings", wanted)
        world.ids[_ID.format(TRAINING, 1)] = training
        world.user.v2("GET", f"{path}/iterations/{training}/training?timeoutSeconds=30")


def _attach(world: Any) -> None:
    _train(world)
    wanted = {
        "featuresMapping": {"car": "aabb0001"},
        "iterationPolicy": "useLatest",
        "modelUuid": world.ids[_ID.format(MODEL, 1)],
    }
    made = world.user.v2("POST", f"/v2/public/projects/{world.project}/models-attachments", wanted)
    world.ids[_ID.format(ATTACHMENT, 1)] = made["projectModel"]["projectModelUuid"]


def _attach_where_films_are(world: Any) -> None:
    """The project of the recording has a video, so that there is more than one frame."""
    films = world.user.server.control(
        "POST",
        "projects",
        {"owner": world.user.email, "title": "Films", "rows": 1, "created": 0, "kind": "video"},
    )
    wanted = {
        "title": "With films",
        "description": "d",
        "dataset_hashes": [films["dataset_hash"]],
        "workflow_type": "manual",
        "ontology_hash": world.ids[_ID.format("cccccccc", 1)],
    }
    _train(world)
    world.project = world.ids[_ID.format("aaaaaaaa", 1)] = world.user.v1("project", "POST", None, wanted)
    world.ids[_ID.format(DATA_UNIT, 1)] = films["data_hashes"][0]
    attached = {
        "featuresMapping": {"car": "aabb0001"},
        "iterationPolicy": "useLatest",
        "modelUuid": world.ids[_ID.format(MODEL, 1)],
    }
    made = world.user.v2("POST", f"/v2/public/projects/{world.project}/models-attachments", attached)
    world.ids[_ID.format(ATTACHMENT, 1)] = made["projectModel"]["projectModelUuid"]


PREPARATIONS: dict[str, Callable[[Any], None]] = {
    "ml_models.trainings.create": _make_models,
    **dict.fromkeys(
        (
            *("ml_models.list", "ml_models.get", "ml_models.update", "ml_models.delete", "ml_models.training_data"),
            *("ml_models.trainings.result", "ml_models.trainings.weights_link", "ml_models.trainings.delete"),
            "project.models.attach",
        ),
        _train,
    ),
    **dict.fromkeys(("project.models.list", "project.models.update", "project.models.detach"), _attach),
    **dict.fromkeys(
        (
            *("project.models.predict_classification", "project.models.predict_objects"),
            "project.models.predict_segments",
        ),
        _attach_where_films_are,
    ),
}
