"""The kinds of work that a soak does: those of the cluster, and three more."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_provider_encord.exports.listing_file import ListingLine
from tests.cluster.workloads.base import Size, Work, require_each_once
from tests.cluster.workloads.labels import Exports, Prelabels
from tests.cluster.workloads.storage import Registrations, Uploads
from tests.cluster.workloads.workflow import Agents, Waits
from tests.cluster.world import BUCKET

SIZE = Size(rows=120, objects=300, files=24, prelabels=40, tasks=24)
"""Moderate, so that two cores do some of each kind at the same time."""
DAYS = 3


class Daily(Work):
    """A chain of incremental exports, while people label and remove data: applied in order, they give the labels."""

    dag, task = "daily", "export_changes"
    day = 0

    def prepare(self) -> dict[str, Any]:
        seeded = self.world.account.project(rows=self.size.rows, created=0.5, objects_per_row=2)
        self.project, self.dataset = seeded["project_id"], seeded["dataset_id"]
        return self._conf()

    def people_act(self, pick: int) -> None:
        """People label, and remove a data unit; not while the last day is exported, so that it ends with the truth."""
        if self.day >= DAYS - 1:
            return
        self.world.emulator.annotate(self.project, count=1 + pick % 9, objects_per_row=1, seed=pick)
        if pick % 3 == 0:
            with self.world.account.client() as client:
                dataset = client.dataset(self.dataset)
                dataset.remove_data_rows([dataset.data_rows()[pick % 7].data_hash])

    def goes_on(self) -> bool:
        """Start the next day, if there is one."""
        if self.day >= DAYS - 1:
            return False
        self.day += 1
        self.run = self.world.fleet.trigger(self.dag, self._conf())
        return True

    def check(self) -> int:
        held: dict[str, Any] = {}
        for day in range(self.day + 1):
            manifest = json.loads(self._object(f"{self._place(day)}/manifest.json"))
            for shard in manifest["shards"]:
                lines = self._object(f"{self._place(day)}/{shard['name']}").splitlines()
                held |= {row["label_hash"]: row for row in map(json.loads, lines)}
            if manifest["removed"]:
                held = self._without(held, f"{self._place(day)}/{manifest['removed']['name']}")
        if self.day < DAYS - 1:
            return len(held)  # people label still
        truth = {row["label_hash"]: row for row in self.world.emulator.labels(self.project) if row["label_hash"]}
        count = require_each_once("rows of the chain", list(held), truth)
        if any(_labels(held[key]) != _labels(row) for key, row in truth.items()):
            raise AssertionError("rows of the chain: some are not what Encord holds.")
        return count

    def _conf(self) -> dict[str, Any]:
        chain = self.world.uri(f"daily/{self.number}")
        return {"project": self.project, "chain": chain, "day": f"day-{self.day}"}

    def _place(self, day: int) -> str:
        return f"daily/{self.number}/day-{day}"

    def _object(self, key: str) -> bytes:
        content: bytes = self.world.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content

    def _without(self, held: dict[str, Any], key: str) -> dict[str, Any]:
        lines = gzip.decompress(self._object(key)).splitlines()
        gone = {line.label_hash for line in map(msgspec.json.Decoder(ListingLine).decode, lines)}
        return {label: row for label, row in held.items() if label not in gone}


class Media(Work):
    """Pulled media: each file of the dataset once, with its bytes."""

    dag, task = "media", "pull"

    def prepare(self) -> dict[str, Any]:
        self.dataset = self.world.account.project(rows=self.size.files)["dataset_id"]
        return {"dataset": self.dataset, "destination": self.world.uri(f"media/{self.number}")}

    def check(self) -> int:
        s3, place = self.world.s3, f"media/{self.number}"
        lines = s3.get_object(Bucket=BUCKET, Key=f"{place}/media.jsonl")["Body"].read().splitlines()
        report = [json.loads(line) for line in lines]
        with self.world.account.client() as client:
            units = [row.data_hash for row in client.dataset(self.dataset).data_rows()]
        count = require_each_once("pulled files", (line["unit"] for line in report), units)
        for line in report:
            size = s3.head_object(Bucket=BUCKET, Key=f"{place}/{line['path']}")["ContentLength"]
            if size != line["bytes"]:
                raise AssertionError(f"pulled files: {line['path']} has {size} bytes instead of {line['bytes']}.")
        return count


class Gates(Work):
    """A gate that measures each label row of an export."""

    dag, task = "gates", "gate"

    def prepare(self) -> dict[str, Any]:
        self.project = self.world.account.project(rows=self.size.files, created=1.0, objects_per_row=2)["project_id"]
        return {"project": self.project, "destination": self.world.uri(f"gates/{self.number}")}

    def check(self) -> int:
        found = self.world.fleet.result(self.run, "gate")
        if not found["passed"] or found["rows"] != self.size.files:
            raise AssertionError(f"measured rows: {found['rows']} of {self.size.files}, passed: {found['passed']}.")
        return int(found["rows"])


KINDS: Sequence[type[Work]] = (Exports, Uploads, Prelabels, Agents, Registrations, Waits, Daily, Media, Gates)
TWICE = (Uploads, Prelabels, Agents, Registrations, Media)
"""Kinds of which two runs may do the same work at once, with one report."""


def _labels(row: dict[str, Any]) -> Any:
    units = {key: unit["labels"] for key, unit in row["data_units"].items()}
    return units, row["object_answers"], row["classification_answers"]
