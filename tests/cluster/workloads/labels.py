"""Labels out of a project, and into one."""

from __future__ import annotations

import json
from typing import Any

from tests.cluster.workloads.base import PARTS, Work, require_each_once
from tests.cluster.world import BUCKET

BOX = {"h": 0.5, "w": 0.5, "x": 0.25, "y": 0.25}


def boxes(row: dict[str, Any]) -> list[str]:
    """The bounding boxes of a label row, as text, each as often as it is there."""
    frames = [frame for unit in row["data_units"].values() for frame in [unit["labels"]]]
    return [json.dumps(one["boundingBox"], sort_keys=True) for frame in frames for one in frame.get("objects", [])]


class Exports(Work):
    """The nightly export: every label row of a project once in its files, and as Encord holds it."""

    dag, task = "exports", "export"
    batch_size, parts = 5, PARTS

    def prepare(self) -> dict[str, Any]:
        self.project = self.world.account.project(rows=self.size.rows, created=1.0, objects_per_row=3)["project_id"]
        return {
            "project": self.project,
            "exports": self.world.uri("exports"),
            "rows_per_partition": self.size.rows // self.parts,
            "batch_size": self.batch_size,
        }

    def check(self) -> int:
        prefix = f"exports/{self.run}/"
        s3 = self.world.s3
        manifest = json.loads(s3.get_object(Bucket=BUCKET, Key=f"{prefix}manifest.json")["Body"].read())
        rows = []
        for shard in manifest["shards"]:
            content = s3.get_object(Bucket=BUCKET, Key=prefix + shard["name"])["Body"].read()
            rows += [json.loads(line) for line in content.splitlines()]
        truth = self.world.emulator.labels(self.project)
        count = require_each_once(
            "exported rows", (row["data_hash"] for row in rows), (row["data_hash"] for row in truth)
        )
        if sorted(rows, key=lambda row: str(row["data_hash"])) != truth:
            raise AssertionError("exported rows: some are not what Encord holds.")
        if count != self.size.rows:
            raise AssertionError(f"exported rows: {count} of {self.size.rows}.")
        return count


class Prelabels(Work):
    """Pre-labels: every row has its box, once."""

    dag, task = "prelabels", "import_labels"

    def prepare(self) -> dict[str, Any]:
        self.project = self.world.account.project(rows=self.size.prelabels)["project_id"]
        with self.world.account.client() as client:
            self.hashes = sorted(row.data_hash for row in client.project(self.project).label_rows())
        keys = [f"prelabels/{self.number}/{part}.jsonl" for part in range(PARTS)]
        feature = {"feature": "Car", "boundingBox": BOX}
        self.world.put(
            {
                key: "".join(
                    json.dumps({"data_hash": one, "objects": [feature]}) + "\n" for one in self.hashes[part::PARTS]
                ).encode()
                for part, key in enumerate(keys)
            }
        )
        sources = [self.world.uri(key) for key in keys]
        return {"project": self.project, "reports": self.world.uri("reports/prelabels"), "sources": sources}

    def check(self) -> int:
        rows = self.world.emulator.labels(self.project)
        found = [(row["data_hash"], box) for row in rows for box in boxes(row)]
        return require_each_once("pre-labels", found, [(one, json.dumps(BOX, sort_keys=True)) for one in self.hashes])
