"""Pulled media, and training sets of them."""

from __future__ import annotations

import io
import json
from typing import Any

from airflow_provider_encord.client.api.core.data_items import IMAGE
from airflow_provider_encord.client.flows.uploads import LocalFile
from airflow_provider_encord.operators.labels import EncordExportLabelsOperator
from airflow_provider_encord.operators.media import EncordPullMediaOperator
from airflow_provider_encord.operators.training import EncordBuildTrainingSetOperator
from tests.moves.scenario import NOWHERE, Scenario
from tests.sdk.media import png


class PullMedia(Scenario):
    """The files of a dataset."""

    names = ("dataset_id", "destination")
    operator = EncordPullMediaOperator
    broken_at = 2

    def prepare(self) -> None:
        seeded = self.account.project(rows=6)
        self.project, self.dataset = seeded["project_id"], seeded["dataset_id"]
        self.destination = self.directory / "media"

    def arguments(self) -> dict[str, Any]:
        return {"dataset_id": self.dataset, "destination": str(self.destination)}

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "dataset_id": NOWHERE}

    def truth(self) -> Any:
        """The data units in the report whose files are there, with the size that the report states."""
        lines = [json.loads(line) for line in (self.destination / "media.jsonl").read_text().splitlines()]
        sizes = {line["unit"]: (self.destination / line["path"]).stat().st_size for line in lines}
        assert sizes == {line["unit"]: line["bytes"] for line in lines}
        return set(sizes)

    def goal(self) -> Any:
        with self.account.client() as client:
            return {row.data_hash for row in client.dataset(self.dataset).data_rows()}

    def gain(self) -> None:
        """Somebody adds a picture to the dataset, and somebody else damages a pulled file."""
        with self.account.client() as client:
            content = png(7, 5)
            unit = LocalFile(title="new.png", kind=IMAGE, size=len(content), open=lambda: io.BytesIO(content))
            client.dataset(self.dataset).upload([unit], timeout=60)
        pulled = sorted(self.destination.glob("*.png"))
        if pulled:
            pulled[0].write_bytes(b"damaged")

    def lose(self) -> None:
        """Somebody removes a data unit."""
        with self.account.client() as client:
            dataset = client.dataset(self.dataset)
            dataset.remove_data_rows([dataset.data_rows()[0].data_hash])


class BuildTrainingSet(Scenario):
    """A training set of all labels."""

    names = ("labels", "media", "destination", "format")
    operator = EncordBuildTrainingSetOperator
    broken_at = 1

    def prepare(self) -> None:
        self.project = self.account.project(rows=6, created=1.0, objects_per_row=2)["project_id"]
        self.destination = self.directory / "set"
        self.labels = self.directory / "labels"
        self._read_again()

    def _read_again(self) -> None:
        labels = str(self.labels)
        EncordExportLabelsOperator(
            task_id="export", project_id=self.project, destination=labels, overwrite=True
        ).execute({})
        EncordPullMediaOperator(task_id="pull", labels=labels, destination=str(self.directory / "media")).execute({})

    def arguments(self) -> dict[str, Any]:
        return {
            "labels": str(self.labels),
            "media": str(self.directory / "media" / "media.jsonl"),
            "destination": str(self.destination),
            "format": "coco",
        }

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "labels": str(self.directory / "nowhere")}

    def truth(self) -> Any:
        """The numbers of the objects in the documents, by data unit; all images must be there."""
        found: dict[str, int] = {}
        for path in (self.destination / "annotations").iterdir():
            document = json.loads(path.read_text())
            split = path.stem.removeprefix("instances_")
            for image in document["images"]:
                assert (self.destination / "images" / split / image["file_name"]).exists()
                objects = [one for one in document["annotations"] if one["image_id"] == image["id"]]
                found[image["encord_data_hash"]] = len(objects)
        return found

    def goal(self) -> Any:
        """What the export has of boxes and polygons, as it was made."""
        rows = [json.loads(line) for path in self.labels.glob("labels-*.jsonl") for line in path.open()]
        return {
            row["data_hash"]: sum(
                one["shape"] in ("bounding_box", "polygon", "rotatable_bounding_box", "bitmask")
                for unit in row["data_units"].values()
                for one in unit["labels"]["objects"]
            )
            for row in rows
        }

    def gain(self) -> None:
        """Somebody labels on, and the labels are exported again."""
        self.emulator.annotate(self.project, count=3, objects_per_row=3, seed=7)
        self._read_again()
