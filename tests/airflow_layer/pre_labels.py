"""A project without labels, and a model's pre-labels for it."""

from __future__ import annotations

import gzip
import json
import time
import uuid
from pathlib import Path
from typing import Any

from airflow_provider_encord.client.api.labels import LabelRowMetadata
from airflow_provider_encord.operators.labels import EncordImportLabelsOperator
from tests.airflow_layer.bench import Account

SAVES = {"query_type": "labelrow", "query_method": "POST"}
CREATES = {"query_type": "labelrow", "query_method": "PUT"}
BOX = {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}
CAR = {"feature": "Car", "boundingBox": BOX, "confidence": 0.75, "answers": {"Colour": "Red"}}
PERSON = {
    "feature": "Person",
    "polygon": {"0": {"x": 0.1, "y": 0.1}, "1": {"x": 0.5, "y": 0.1}, "2": {"x": 0.3, "y": 0.6}},
}
WEATHER = {"feature": "Weather", "answer": "Heavy snow"}


class Model:
    """A project without labels, and a model's pre-labels for it."""

    def __init__(self, account: Account, directory: Path, **project: Any):
        self.account, self.emulator, self.directory = account, account.emulator, directory
        self.project = account.project(**{"rows": 6, "created": 0.0, **project})["project_id"]
        with account.client() as client:
            rows = client.project(self.project).label_rows()
        self.titles = {row.data_hash: row.data_title for row in rows}
        self.data_hashes = sorted(self.titles)
        # A process that was killed may have left a request that the emulator is still busy with: look at our own only.
        self.credential = self._credential()
        self.emulator.clear_journal()

    def _credential(self) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            listings = [entry for entry in self.emulator.journal() if entry["query_type"] == "labelrowmetadata"]
            if listings:
                return str(listings[-1]["credential"])
        raise AssertionError("the emulator noted no listing")

    def use_shapes(self, **shapes: str) -> None:
        """Go on in a project with the same data, whose ontology has an object for each of the shapes, by name."""
        objects = [{"name": name, "shape": shape} for name, shape in shapes.items()]
        skeletons = [skeleton_template(name) for name, shape in shapes.items() if shape == "skeleton"]
        classifications = [
            {"attributes": [{"type": "radio", "name": "Weather", "options": [{"label": "Rain"}, {"label": "Clear"}]}]}
        ]
        structure = {"objects": objects, "classifications": classifications, "skeleton_templates": skeletons}
        with self.account.client() as client:
            datasets = [dataset.dataset_hash for dataset in client.project(self.project).datasets()]
            ontology = client.create_ontology(f"Shapes {uuid.uuid4()}", structure=structure).id
            title = f"Shapes {uuid.uuid4()}"
            self.project = client.create_project(title, dataset_ids=datasets, ontology_id=ontology).id
        self.emulator.clear_journal()

    def rows(self) -> list[LabelRowMetadata]:
        """The rows by title."""
        with self.account.client() as client:
            return sorted(client.project(self.project).label_rows(), key=lambda row: row.data_title)

    def write(self, *lines: Any, name: str = "labels.jsonl") -> str:
        path = self.directory / name
        content = "".join(json.dumps(line) + "\n" for line in lines).encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return str(path)

    def lines(self, **more: Any) -> list[dict[str, Any]]:
        about = {"objects": [CAR, PERSON], "classifications": [WEATHER]}
        return [{"data_hash": data_hash, **about, **more} for data_hash in self.data_hashes]

    def load(self, source: str | None = None, **arguments: Any) -> dict[str, Any]:
        if source is None and "python_callable" not in arguments:
            source = self.write(*self.lines())
        arguments = {"project_id": self.project, "source": source, **arguments}
        result: dict[str, Any] = EncordImportLabelsOperator(task_id="import", **arguments).execute({})
        return result

    def labels(self) -> dict[str, dict[str, Any]]:
        return {row["data_hash"]: row for row in self.emulator.labels(self.project) if row["branch_name"] == "main"}

    def changes(self) -> list[tuple[str, str]]:
        entries = [
            entry for entry in self.emulator.journal() if entry["changes"] and entry["credential"] == self.credential
        ]
        return [(one["query_type"] or one["path"].rpartition("/")[2], one["query_method"] or "") for one in entries]


def skeleton_template(name: str) -> dict[str, Any]:
    points = {str(n): {"x": 0.1, "y": 0.1, "name": f"Point {n}", "featureHash": f"point00{n}"} for n in range(3)}
    return {"template": {"name": name, "width": 1, "height": 1, "skeleton": points, "skeletonEdges": {}}}


def objects_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for unit in row["data_units"].values() for one in unit["labels"]["objects"]]


def saved(result: dict[str, Any]) -> int:
    """Rows that have the labels now and had not before."""
    return int(result["created"] + result["updated"])


def counts_of(result: dict[str, Any]) -> dict[str, int]:
    return {name: result[name] for name in ("created", "updated", "unchanged", "skipped", "failed") if result[name]}
