"""A project with pictures and labels of every shape, its export and its media."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import uuid
from pathlib import Path
from typing import Any

from airflow_provider_encord.client.api.core.data_items import IMAGE
from airflow_provider_encord.client.flows.uploads import LocalFile
from airflow_provider_encord.operators.labels import EncordExportLabelsOperator, EncordImportLabelsOperator
from airflow_provider_encord.operators.media import EncordPullMediaOperator
from airflow_provider_encord.operators.training import EncordBuildTrainingSetOperator
from tests.airflow_layer.bench import Account
from tests.sdk.media import png

WIDTH, HEIGHT = 100, 80
STRUCTURE = {
    "objects": [
        {
            "name": "Car",
            "shape": "bounding_box",
            "attributes": [
                {"name": "Occluded", "type": "radio", "options": [{"label": "true"}, {"label": "false"}]},
                {"name": "Seats", "type": "numeric"},
                {"name": "Plate", "type": "text"},
            ],
        },
        {"name": "Van", "shape": "bounding_box"},
        {"name": "Road", "shape": "polygon"},
        {"name": "Sign", "shape": "rotatable_bounding_box"},
    ],
    "classifications": [
        {"attributes": [{"name": "Weather", "type": "radio", "options": [{"label": "Sun"}, {"label": "Rain / Fog"}]}]},
        {"attributes": [{"name": "Caption", "type": "text"}]},
    ],
}


class Pictures:
    """The project. Pictures have a car, every second one a van, every third a road and a turned sign, some nothing.

    :param captions: Whether every second picture has a caption.
    """

    def __init__(self, account: Account, directory: Path, pictures: int = 12, *, captions: bool = False):
        self.account, self.emulator, self.directory = account, account.emulator, directory
        self.captions = captions
        self.number = 0
        title = f"Pictures {uuid.uuid4()}"
        with account.client() as client:
            self.dataset = client.create_dataset(title).id
            ontology = client.create_ontology(title, structure=STRUCTURE).id
            template = account.emulator.template("plain", STAGES)["uuid"]
            self.project = client.create_project(
                title, dataset_ids=[self.dataset], ontology_id=ontology, workflow_template_id=template
            ).id
        self.add(pictures)

    def add(self, pictures: int, **metadata: Any) -> None:
        """More pictures, labelled."""
        names = [f"{self.number + more:04}.png" for more in range(pictures)]
        with self.account.client() as client:
            units = [
                LocalFile(
                    title=name,
                    kind=IMAGE,
                    size=len(content),
                    open=functools.partial(io.BytesIO, content),
                    media_type="image/png",
                )
                for name in names
                for content in [png(WIDTH, HEIGHT, (int(name[:4]) % 256, 9, 9))]
            ]
            client.dataset(self.dataset).upload(units, timeout=60)
        lines = [_labels(self.number + more, name) for more, name in enumerate(names)]
        if self.captions:
            for line in lines[::2]:
                line["classifications"].append({"feature": "Caption", "answer": f"Picture {line['title']}, “seen”"})
        source = self.directory / "labels.jsonl"
        source.write_text("".join(json.dumps(line) + "\n" for line in lines))
        EncordImportLabelsOperator(
            task_id="import", project_id=self.project, source=str(source), match_by="title"
        ).execute({})
        self.number += pictures

    def export(self, name: str = "labels") -> str:
        destination = str(self.directory / name)
        result = EncordExportLabelsOperator(
            task_id="export", project_id=self.project, destination=destination, overwrite=True
        ).execute({})
        return str(result["manifest"])

    def pull(self, labels: str) -> str:
        result = EncordPullMediaOperator(
            task_id="pull", labels=labels, destination=str(self.directory / "media")
        ).execute({})
        return str(result["report"])

    def inputs(self) -> dict[str, Any]:
        labels = self.export()
        return {"labels": labels, "media": self.pull(labels)}

    def build(self, name: str = "set", **arguments: Any) -> dict[str, Any]:
        inputs = {} if {"labels", "media"} <= {*arguments} else self.inputs()
        arguments = {"destination": str(self.directory / name), "format": "yolo-detect", **inputs, **arguments}
        result: dict[str, Any] = EncordBuildTrainingSetOperator(task_id="build", **arguments).execute({})
        return result


STAGES = [
    {"stageType": "ANNOTATION", "title": "Annotate", "next": "Complete"},
    {"stageType": "DONE", "title": "Complete"},
]


def _labels(number: int, name: str) -> dict[str, Any]:
    objects: list[dict[str, Any]] = [{"feature": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.25}}]
    occluded = {1: {"Occluded": "true"}, 2: {"Occluded": "false", "Seats": 4, "Plate": "B 1"}}.get(number % 3)
    if occluded:
        objects[0]["answers"] = occluded
    if number % 2 == 0:
        objects.append({"feature": "Van", "boundingBox": {"x": 0.5, "y": 0.5, "w": 0.02, "h": 0.2}})
    if number % 3 == 0:
        ring = [0.1, 0.1, 0.9, 0.1, 0.9, 0.9, 0.1, 0.9]
        hole = [0.4, 0.4, 0.4, 0.6, 0.6, 0.6, 0.6, 0.4]
        outline = {str(point): {"x": ring[2 * point], "y": ring[2 * point + 1]} for point in range(4)}
        objects.append({"feature": "Road", "polygon": outline, "polygons": [[ring, hole]]})
        box = {"x": 0.4, "y": 0.4, "w": 0.2, "h": 0.25, "theta": 90}
        objects.append({"feature": "Sign", "rotatableBoundingBox": box})
    if number % 7 == 6:
        objects = []
    weather = [{"feature": "Weather", "answer": "Rain / Fog" if number % 4 == 0 else "Sun"}]
    return {"title": name, "objects": objects, "classifications": weather if number % 5 else []}


def contents(directory: Path) -> dict[str, str]:
    """The SHA-256 of each file below a directory."""
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
