"""A server where things of every kind exist, and the way there from the ids of the recordings.

Recorded ids follow a plan (`aaaaaaaa-...` is a project, and so on). Each recording gets a world of its own, because
some operations want a row that is not there yet and others one that is. Everything is made through Encord's own API,
signed by hand, but for what Encord has no API for: users, people's labels, templates.
"""

from collections.abc import Iterable
from typing import Any

from tests.wire.recordings import Recording
from tests.wire.server import User

PROJECT, DATASET, ONTOLOGY, FOLDER = "aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd"
INTEGRATION, DATA_UNIT, LABEL_ROW, TEMPLATE = "ffffffff", "12121212", "34343434", "abcdabcd"
RECORDED_API_KEY = "test-only-api-key-0123456789"

PROJECT_SCOPES = ["label.read", "label.write", "model.inference", "model.train", "label_logs.read", "algo.library"]
DATASET_SCOPES = ["dataset.read", "dataset.write"]

FRESH_ROWS = {"label_rows.create"}
"""Operations whose data units must have no label row yet."""

SPARE_DATASETS = {"project.add_datasets"}
"""Operations whose datasets must not be attached yet."""


class World:
    """What one recording needs; `ids` leads from recorded text to real text (ids and the API key)."""

    def __init__(self, user: User, recording: Recording) -> None:
        self.user, self.recording = user, recording
        server = user.server
        seeded = server.control("POST", "projects", {"owner": user.email, "title": "Seed", "rows": 6, "created": 0})
        spare = server.control("POST", "projects", {"owner": user.email, "title": "Spare", "rows": 1, "created": 0})
        template = server.control(
            "POST",
            "templates",
            {"title": "One stage", "stages": [{"stageType": "ANNOTATION", "title": "Annotate", "next": "Complete"},
                                              {"stageType": "DONE", "title": "Complete"}]},
        )  # fmt: skip
        mirror = user.v2(
            "POST", "/v2/public/datasets", {"title": "Mirror", "createBackingFolder": True, "legacyCall": False}
        )
        self.ontology = user.v2(
            "POST",
            "/v2/public/ontologies",
            {"title": "World ontology", "description": "d", "editor": ontology_for(recording)},
        )["ontologyUuid"]
        self.project = user.v1(
            "project",
            "POST",
            None,
            {
                "title": "World",
                "description": "d",
                "dataset_hashes": [seeded["dataset_hash"]],
                "workflow_type": "manual",
                "ontology_hash": self.ontology,
            },
        )
        self.dataset = seeded["dataset_hash"]
        labelled, fresh = seeded["data_hashes"][:3], seeded["data_hashes"][3:]
        rows = user.v1(
            "labelrow",
            "PUT",
            labelled,
            {"multi_request": True, "get_signed_url": False, "branch_name": None},
            project=self.project,
        )
        server.control(
            "POST",
            "annotate",
            {"project_hash": self.project, "data_hashes": labelled, "objects_per_row": 2, "advance": "none"},
        )
        label_hashes = {row["data_hash"]: row["label_hash"] for row in rows}
        spares = recording.operation in SPARE_DATASETS
        self.ids = {
            **_planned(PROJECT, [self.project, seeded["project_hash"]]),
            **_planned(DATASET, [spare["dataset_hash"] if spares else self.dataset, mirror["datasetUuid"]]),
            **_planned(ONTOLOGY, [self.ontology]),
            **_planned(FOLDER, [mirror["backingFolderUuid"]]),
            **_planned(TEMPLATE, [template["uuid"]]),
            **_planned(DATA_UNIT, fresh if recording.operation in FRESH_ROWS else labelled),
            **_planned(LABEL_ROW, [label_hashes[data] for data in labelled]),
        }

    def add_api_key(self, resource: str) -> None:
        """Make a key of every scope for the project or dataset, in place of the recorded one."""
        if resource == self.project:
            key = self.user.v1("projectapikey", "POST", resource, {"title": "key", "scopes": PROJECT_SCOPES})
        else:
            wanted = {"dataset_hash": resource, "title": "key", "scopes": DATASET_SCOPES}
            key = self.user.v1("datasetapikey", "POST", None, wanted)["api_key"]
        self.ids[RECORDED_API_KEY] = key

    def add_integration(self, title: str, directory: str) -> None:
        wanted = {"integration": title, "url": "s3://bucket/prefix", "directory": directory}
        integration = self.user.server.control("POST", "buckets", wanted)["integrationUuid"]
        self.ids |= _planned(INTEGRATION, [integration])


def _planned(prefix: str, real: list[str]) -> dict[str, str]:
    return {f"{prefix}-0000-4000-8000-{number:012d}": one for number, one in enumerate(real, start=1)}


def ontology_for(recording: Recording) -> dict[str, Any]:
    """An ontology that has every feature which the labels of a recording mention, and the one of all recordings."""
    objects = {"aabb0001": _object("aabb0001", "Car", "bounding_box", "1")}
    classifications: dict[str, dict[str, Any]] = {}
    for row in _saved_rows(recording):
        features = {}
        for instance in _frame_objects(row):
            features[instance["objectHash"]] = feature = instance["featureHash"]
            new = _object(feature, instance["name"], instance["shape"], str(len(objects) + 1))
            objects.setdefault(feature, new)
        for object_hash, answer in row["object_answers"].items():
            thing = objects[features[object_hash]]
            for attribute in answer["classifications"]:
                _add_attribute(thing, attribute)
        for answer in row["classification_answers"].values():
            for attribute in answer["classifications"]:
                feature = answer.get("featureHash") or f"of-{attribute['featureHash']}"
                new = {"id": str(len(classifications) + 1), "featureNodeHash": feature, "attributes": []}
                _add_attribute(classifications.setdefault(feature, new), attribute)
    return {"objects": [*objects.values()], "classifications": [*classifications.values()], "skeleton_templates": []}


def _object(feature: str, name: str, shape: str, number: str) -> dict[str, Any]:
    return {"id": number, "name": name, "color": "#D33115", "shape": shape, "featureNodeHash": feature}


def _add_attribute(owner: dict[str, Any], answered: dict[str, Any]) -> None:
    attributes = owner.setdefault("attributes", [])
    if any(known["featureNodeHash"] == answered["featureHash"] for known in attributes):
        return
    kinds = {str: "text", int: "numeric", float: "numeric", list: "checklist"}
    number = f"{owner['id']}.{len(attributes) + 1}"
    attribute = {
        "id": number,
        "name": answered["name"],
        "type": kinds[type(answered["answers"])],
        "featureNodeHash": answered["featureHash"],
        "required": False,
    }
    if attribute["type"] == "checklist":
        attribute["options"] = [
            {"id": f"{number}.{index}", "label": option["name"], "value": option["value"],
             "featureNodeHash": option["featureHash"]}
            for index, option in enumerate(answered["answers"], start=1)
        ]  # fmt: skip
    attributes.append(attribute)


def _saved_rows(recording: Recording) -> Iterable[dict[str, Any]]:
    for exchange in recording.exchanges:
        query = exchange["request"].get("json")
        if isinstance(query, dict) and (query.get("query_type"), query.get("query_method")) == ("labelrow", "POST"):
            payload = query["values"]["payload"]
            yield from payload["labels"] if payload.get("multi_request") else [payload]


def _frame_objects(row: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for unit in row["data_units"].values():
        labels = unit["labels"]
        frames = [labels] if "objects" in labels else labels.values()
        for frame in frames:
            yield from frame["objects"]
