"""Exports, their partition, imports, snapshots, and analytics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from airflow_provider_encord.operators.analytics import EncordExportAnalyticsOperator
from airflow_provider_encord.operators.labels import (
    EncordExportLabelsOperator,
    EncordExportLabelsPartitionOperator,
    EncordImportLabelsOperator,
    EncordPartitionLabelsOperator,
    EncordSnapshotLabelsOperator,
)
from tests.airflow_layer.bench import Account
from tests.moves.scenario import NOWHERE, Scenario

BEFORE_ALL = "2026-01-15T00:00:00+00:00"  # before the logical date of every run here
BOX = {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}


def collection_of(account: Account, project: str, data_hashes: list[str]) -> tuple[str, list[str]]:
    """A new collection of the items of some data units; its id, and the data units."""
    with account.client() as client:
        rows = [row for row in client.project(project).label_rows() if row.data_hash in data_hashes]
        items = [str(row.backing_item_uuid) for row in rows]
        folder = client.items(items[:1])[0].parent
        collection = client.create_collection(folder, "Chosen").id
        client.collection(collection).add_items(items)
    return collection, data_hashes


class ExportLabels(Scenario):
    names = ("project_id", "destination", "batch_size")
    operator = EncordExportLabelsOperator

    def prepare(self) -> None:
        seeded = self.account.project(rows=8, created=0.5, objects_per_row=2)
        self.project, self.data_hashes = seeded["project_id"], seeded["data_hashes"]
        self.destination = self.directory / "export"
        self.listed: set[str] | None = None

    def arguments(self) -> dict[str, Any]:
        return {"project_id": self.project, "destination": str(self.destination), "batch_size": 2}

    def begun(self) -> None:
        """An export that has begun keeps to its listing; rows that are labelled later are the next one's."""
        self.listed = set(self.goal())

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "stage": "Nowhere"}

    def truth(self) -> Any:
        """The objects in the files that the manifest names, by data unit."""
        manifest = json.loads((self.destination / "manifest.json").read_text())
        lines = [
            json.loads(line)
            for shard in manifest["shards"]
            for line in (self.destination / shard["name"]).read_text().splitlines()
        ]
        assert len(lines) == manifest["counts"]["exported"], manifest["counts"]
        return {line["data_hash"]: _hashes(line) for line in lines}

    def goal(self) -> Any:
        rows = self.emulator.labels(self.project)
        labels = {row["data_hash"]: _hashes(row) for row in rows if row["label_hash"]}
        return {label: labels[label] for label in labels if self.listed is None or label in self.listed}

    def gain(self) -> None:
        """Somebody labels on."""
        self.emulator.annotate(self.project, count=3, objects_per_row=1, seed=7)


class ExportCollection(ExportLabels):
    """Only the data of a collection, which does not change. It is read, with its items, before the rows are listed."""

    broken_at = 4
    names = ("project_id", "collection_id", "destination", "batch_size")

    def prepare(self) -> None:
        super().prepare()
        self.collection, self.chosen = collection_of(self.account, self.project, self.data_hashes[::2])

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "collection_id": self.collection}

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "collection_id": NOWHERE}

    def goal(self) -> Any:
        return {label: content for label, content in super().goal().items() if label in self.chosen}


class ExportLabelsPartition(ExportLabels):
    """The one partition of a planned export: so its end is that of the export."""

    names = ("partition",)
    operator = EncordExportLabelsPartitionOperator

    def prepare(self) -> None:
        super().prepare()
        (self.partition,) = EncordPartitionLabelsOperator(
            task_id="plan", project_id=self.project, destination=str(self.destination)
        ).execute({})
        self.begun()

    def arguments(self) -> dict[str, Any]:
        return {"partition": self.partition}

    def wrong(self) -> dict[str, Any]:
        return {"partition": {**self.partition, "plan_id": NOWHERE}}


class PartitionLabels(Scenario):
    """The plan of mapped exports."""

    names = ("project_id", "destination", "rows_per_partition")
    operator = EncordPartitionLabelsOperator
    broken_at = 1

    def prepare(self) -> None:
        seeded = self.account.project(rows=8, created=1.0, objects_per_row=2)
        self.project = seeded["project_id"]
        self.destination = self.directory / "export"

    def arguments(self) -> dict[str, Any]:
        return {"project_id": self.project, "destination": str(self.destination), "rows_per_partition": 3}

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "stage": "Nowhere"}

    def truth(self) -> Any:
        plan = json.loads((self.destination / "plan.json").read_text())
        return bool(plan)

    def goal(self) -> Any:
        return True

    def gain(self) -> None:
        self.emulator.annotate(self.project, count=3, objects_per_row=1, seed=7)


class ImportLabels(Scenario):
    names = ("project_id", "source", "report")
    operator = EncordImportLabelsOperator

    def prepare(self) -> None:
        seeded = self.account.project(rows=5, created=0.0)
        self.project, self.data_hashes = seeded["project_id"], sorted(seeded["data_hashes"])
        self.imported = list(self.data_hashes[:4])
        self.width = BOX["w"]
        self.by_people: dict[str, set[str]] = {}

    def arguments(self) -> dict[str, Any]:
        path: Path = self.directory / "labels.jsonl"
        box = {**BOX, "w": self.width}
        lines = [
            {"data_hash": one, "objects": [{"feature": "Car", "id": "car", "boundingBox": box}]}
            for one in self.imported
        ]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return {"project_id": self.project, "source": str(path), "report": str(self.directory / "report.jsonl")}

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "project_id": NOWHERE}

    def truth(self) -> Any:
        rows = {row["data_hash"]: row for row in self.emulator.labels(self.project) if row["label_hash"]}
        return {
            "theirs": {one: _hashes(rows[one]) == hashes for one, hashes in self.by_people.items()},
            "ours": {one: _widths(rows.get(one)) for one in self.imported if one not in self.by_people},
        }

    def goal(self) -> Any:
        return {
            "theirs": dict.fromkeys(self.by_people, True),
            "ours": {one: [self.width] for one in self.imported if one not in self.by_people},
        }

    def gain(self) -> None:
        """Somebody corrects a row; the model says something else by now, and about one more data unit."""
        mine = self.imported[0]
        self.emulator.annotate(self.project, data_hashes=[mine], objects_per_row=2, seed=5)
        rows = {row["data_hash"]: row for row in self.emulator.labels(self.project) if row["label_hash"]}
        self.by_people[mine] = _hashes(rows[mine])
        self.width = 0.5
        self.imported = list(self.data_hashes)

    def lose(self) -> None:
        """The model says nothing about a data unit any more; what it said before stays."""
        del self.imported[-1]


class ImportCoco(ImportLabels):
    """The same labels as COCO, on images of a thousand pixels."""

    names = ("project_id", "source", "report", "format", "class_map", "score_threshold", "match_by")

    def arguments(self) -> dict[str, Any]:
        path: Path = self.directory / "coco.json"
        box = [1000 * value for value in (BOX["x"], BOX["y"], self.width, BOX["h"])]
        images = [{"id": one, "file_name": f"{one}.png", "width": 1000, "height": 1000} for one in self.imported]
        cars = [{"id": n, "image_id": one, "category_id": 1, "bbox": box} for n, one in enumerate(self.imported)]
        annotations = [{**car, "score": score} for car in cars for score in (0.9, 0.1)]
        categories = [{"id": 1, "name": "automobile"}]
        path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
        return {
            "project_id": self.project,
            "source": str(path),
            "report": str(self.directory / "report.jsonl"),
            "format": "coco",
            "class_map": {"automobile": "Car"},
            "score_threshold": 0.5,
            "match_by": "data_hash",
        }


class SnapshotLabels(Scenario):
    operator = EncordSnapshotLabelsOperator
    names = ("project_id", "snapshot_branch", "max_lateness_seconds", "report")

    def prepare(self) -> None:
        self.emulator.clock(now=BEFORE_ALL)
        try:
            seeded = self.account.project(rows=6, created=0.5, objects_per_row=2)
        finally:
            self.emulator.clock(now=None)
        self.project = seeded["project_id"]
        self.frozen = sorted(row["data_hash"] for row in self.emulator.labels(self.project) if row["label_hash"])

    def arguments(self) -> dict[str, Any]:
        report = str(self.directory / "report.jsonl")
        return {"project_id": self.project, "snapshot_branch": "frozen", "max_lateness_seconds": 3e8, "report": report}

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "source_branch": "nowhere"}

    def truth(self) -> Any:
        return sorted(row["data_hash"] for row in self.emulator.labels(self.project) if row["branch_name"] == "frozen")

    def goal(self) -> Any:
        return self.frozen

    def gain(self) -> None:
        """Somebody labels on."""
        self.emulator.annotate(self.project, count=2, objects_per_row=1, seed=7)


class ExportAnalytics(Scenario):
    operator = EncordExportAnalyticsOperator
    names = ("project_id", "destination", "record_types", "start", "end")
    broken_at = 2

    def prepare(self) -> None:
        self.project = self.account.project(rows=6, created=0.0)["project_id"]
        self.emulator.clock(now="2026-02-02T10:00:00+00:00")
        try:
            self.actions = self.emulator.annotate(self.project, count=4, advance="submit")
        finally:
            self.emulator.clock(now=None)
        self.destination = self.directory / "analytics"

    def arguments(self) -> dict[str, Any]:
        return {
            "project_id": self.project,
            "destination": str(self.destination),
            "record_types": ["task_actions"],
            "start": "2026-02-02T00:00:00+00:00",
            "end": "2026-02-03T00:00:00+00:00",
        }

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "actions": ["submitt"]}

    def truth(self) -> Any:
        manifest = json.loads((self.destination / "manifest.json").read_text())
        lines = [
            json.loads(line)
            for file in manifest["files"]
            for line in (self.destination / file["name"]).read_text().splitlines()
        ]
        return len([one for one in lines if one["action_type"] == "submit"])

    def goal(self) -> Any:
        return self.actions

    def gain(self) -> None:
        """Somebody goes on, long after the interval."""
        self.emulator.annotate(self.project, count=2, advance="submit", seed=7)


def _hashes(row: dict[str, Any]) -> set[str]:
    return {one["objectHash"] for one in _objects(row)}


def _widths(row: dict[str, Any] | None) -> list[float]:
    return [one["boundingBox"]["w"] for one in _objects(row or {}) if "boundingBox" in one]


def _objects(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for unit in row.get("data_units", {}).values() for one in unit["labels"]["objects"]]
