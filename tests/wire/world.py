"""A server where things of every kind exist, and the way there from the ids of the recordings.

Recorded ids follow a plan (`aaaaaaaa-...` is a project, and so on). Each recording gets a world of its own, because
some operations want a row that is not there yet and others one that is. Everything is made through Encord's own API,
signed by hand, but for what Encord has no API for: users, people's labels, templates.
"""

import json
from collections.abc import Iterable
from typing import Any

from tests.wire.preparations import PREPARATIONS
from tests.wire.preparations.organisation import make_group_and_tag
from tests.wire.server import User
from tests.wire.vectors import Vector

PROJECT, DATASET, ONTOLOGY, FOLDER = "aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd"
INTEGRATION, DATA_UNIT, LABEL_ROW, TEMPLATE = "ffffffff", "12121212", "34343434", "abcdabcd"
RECORDED_API_KEY = "test-only-api-key-0123456789"

PROJECT_SCOPES = ["label.read", "label.write", "model.inference", "model.train", "label_logs.read", "algo.library"]
DATASET_SCOPES = ["dataset.read", "dataset.write"]

TEMPLATE_BODY = {
    "title": "One stage",
    "stages": [
        {"stageType": "ANNOTATION", "title": "Annotate", "next": "Complete"},
        {"stageType": "DONE", "title": "Complete"},
    ],
}

FRESH_ROWS = {"label_rows.create"}
"""Operations whose data units must have no label row yet."""

OTHER_KINDS = {
    *("video", "img_group", "audio", "dicom", "nifti", "pdf", "plain_text", "time_series", "scene", "group"),
}
"""Data types beside images that can be seeded."""

SPARE_DATASETS = {"project.add_datasets"}
"""Operations whose datasets must not be attached yet."""


class World:
    """What one recording needs; `ids` leads from recorded text to real text (ids and the API key)."""

    def __init__(self, user: User, recording: Vector) -> None:
        self.user, self.recording = user, recording
        seeded = self._seed("Seed", rows=6)
        spare = self._seed("Spare", rows=1)
        mirror = user.v2(
            "POST", "/v2/public/datasets", {"title": "Mirror", "createBackingFolder": True, "legacyCall": False}
        )
        ontology = self._make_ontology()
        spares = recording.operation in SPARE_DATASETS
        datasets = [seeded["dataset_hash"], mirror["datasetUuid"]]
        self.project = self._make_project(datasets[:1] if spares else datasets, ontology)
        labelled, self.fresh = seeded["data_hashes"][:3], seeded["data_hashes"][3:]
        label_hashes = self._label(labelled)
        self._api_keys = self._make_api_keys(seeded["dataset_hash"])
        self.ids = {
            **_planned(PROJECT, [self.project, seeded["project_hash"]]),
            **_planned(DATASET, [spare["dataset_hash"], datasets[1]] if spares else datasets),
            **_planned(ONTOLOGY, [ontology]),
            **_planned(FOLDER, [mirror["backingFolderUuid"]]),
            **_planned(TEMPLATE, [user.server.control("POST", "templates", TEMPLATE_BODY)["uuid"]]),
            **_planned(DATA_UNIT, self.fresh if recording.operation in FRESH_ROWS else labelled),
            **_planned(LABEL_ROW, label_hashes),
        }
        make_group_and_tag(self)
        if prepare := PREPARATIONS.get(recording.operation):
            prepare(self)

    def _seed(self, title: str, rows: int) -> Any:
        kind = kind_for(self.recording)
        wanted = {"owner": self.user.email, "title": title, "rows": rows, "created": 0, "kind": kind}
        return self.user.server.control("POST", "projects", wanted)

    def _make_ontology(self) -> str:
        wanted = {"title": "World ontology", "description": "d", "editor": ontology_for(self.recording)}
        return str(self.user.v2("POST", "/v2/public/ontologies", wanted)["ontologyUuid"])

    def _make_project(self, datasets: list[str], ontology: str) -> str:
        wanted = {
            "title": "World",
            "description": "d",
            "dataset_hashes": datasets,
            "workflow_type": "manual",
            "ontology_hash": ontology,
        }
        return str(self.user.v1("project", "POST", None, wanted))

    def _label(self, data_hashes: list[str]) -> list[str]:
        """Start rows and let someone label them; label hashes in the order of the data."""
        how = {"multi_request": True, "get_signed_url": False, "branch_name": None}
        rows = self.user.v1("labelrow", "PUT", data_hashes, how, project=self.project)
        wanted = {"project_hash": self.project, "data_hashes": data_hashes, "objects_per_row": 2, "advance": "none"}
        self.user.server.control("POST", "annotate", wanted)
        found = {row["data_hash"]: row["label_hash"] for row in rows}
        return [found[data_hash] for data_hash in data_hashes]

    def _make_api_keys(self, dataset: str) -> dict[str, str]:
        """A key of every scope for the project and one for the dataset; which of them is used is decided later."""
        wanted = {"title": "key", "scopes": PROJECT_SCOPES}
        of_project = self.user.v1("projectapikey", "POST", self.project, wanted)
        self._api_keys = {self.project: of_project}
        self.add_key_of_dataset(dataset)
        return self._api_keys

    def add_key_of_dataset(self, dataset: str) -> None:
        """A key of every scope for another dataset."""
        wanted = {"dataset_hash": dataset, "title": "key", "scopes": DATASET_SCOPES}
        self._api_keys[dataset] = self.user.v1("datasetapikey", "POST", None, wanted)["api_key"]

    def use_api_key_of(self, recorded_resource: str) -> None:
        """Let the recorded API key stand for the one of this project or dataset."""
        self.ids[RECORDED_API_KEY] = self._api_keys[self.ids[recorded_resource]]

    def add_integration(self, title: str, directory: str) -> None:
        wanted = {"integration": title, "url": "s3://bucket/prefix", "directory": directory}
        integration = self.user.server.control("POST", "buckets", wanted)["integrationUuid"]
        self.ids |= _planned(INTEGRATION, [integration])


def kind_for(recording: Vector) -> str:
    """The kind of data that a recording is about: that of the first data unit in its answers, else an image."""
    for document in _documents(recording):
        for key, value in _leaves(document):
            if key in {"data_type", "dataType"} and str(value).lower() in OTHER_KINDS:
                return "html" if "text/html" in json.dumps(document) and value == "plain_text" else str(value).lower()
            if key in {"data_type", "image_hash"}:
                return "image"
            if key == "video":
                return "video"
    return "image"


def _documents(recording: Vector) -> Iterable[Any]:
    """The answers, and the label rows that were saved."""
    yield from _saved_rows(recording)
    for exchange in recording.exchanges:
        yield exchange.response.get("json")


def _leaves(value: Any) -> Iterable[tuple[str, Any]]:
    """Every key of a document with its value, in document order, if there is a value."""
    if isinstance(value, dict):
        for key, one in value.items():
            if one is not None:
                yield key, one
            yield from _leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one)


def _planned(prefix: str, real: list[str]) -> dict[str, str]:
    return {f"{prefix}-0000-4000-8000-{number:012d}": one for number, one in enumerate(real, start=1)}


def ontology_for(recording: Vector) -> dict[str, Any]:
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
            if "featureHash" in answer:  # of a sound, a text or a time series
                features[object_hash] = feature = answer["featureHash"]
                new = _object(feature, answer["name"], answer["shape"], str(len(objects) + 1))
                objects.setdefault(feature, new)
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


def _saved_rows(recording: Vector) -> Iterable[dict[str, Any]]:
    for exchange in recording.exchanges:
        query = exchange.request.get("json")
        if isinstance(query, dict) and (query.get("query_type"), query.get("query_method")) == ("labelrow", "POST"):
            payload = query["values"]["payload"]
            yield from payload["labels"] if payload.get("multi_request") else [payload]


def _frame_objects(row: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for unit in (*row["data_units"].values(), *row.get("spaces", {}).values()):
        labels = unit["labels"]
        frames = [labels] if "objects" in labels else labels.values()
        for frame in frames:
            yield from frame["objects"]
