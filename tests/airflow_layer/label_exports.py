"""A project with labels, and its exports of some days."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

from airflow_provider_encord.exports.listing_file import read_rows
from airflow_provider_encord.exports.manifest import read_manifest
from airflow_provider_encord.operators.labels import (
    EncordExportLabelsOperator,
    EncordVerifyExportOperator,
)
from tests.airflow_layer.bench import Account

READS = {"query_type": "labelrow", "query_method": "GET"}
MONDAY = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)


class Exports:
    """Exports of one project, a directory for each day."""

    def __init__(self, account: Account, directory: Path, **project: Any):
        self.account, self.emulator, self.directory = account, account.emulator, directory
        self.project = account.project(**{"rows": 40, "created": 1.0, **project})["project_id"]
        self.emulator.clear_journal()

    def export(self, day: int = 0, **arguments: Any) -> dict[str, Any]:
        arguments = {"project_id": self.project, "destination": str(self.directory / f"day-{day}"), **arguments}
        result: dict[str, Any] = EncordExportLabelsOperator(task_id="export", **arguments).execute(context(day))
        return result

    def incremental(self, day: int, **arguments: Any) -> dict[str, Any]:
        return self.export(day, incremental=True, lookback_seconds=0.001, **arguments)

    def verify(self, day: int = 0, **arguments: Any) -> dict[str, Any]:
        arguments = {"manifest": str(self.directory / f"day-{day}"), **arguments}
        result: dict[str, Any] = EncordVerifyExportOperator(task_id="verify", **arguments).execute(context(day))
        return result

    def rows(self, day: int = 0) -> list[dict[str, Any]]:
        directory = self.directory / f"day-{day}"
        shards = [directory / shard.name for shard in read_manifest(directory).shards]
        return [json.loads(line) for shard in shards for line in shard.read_text().splitlines()]

    def left(self, day: int) -> dict[str, Any]:
        directory = self.directory / f"day-{day}"
        left = read_manifest(directory).removed
        return {row.data_hash: why for row, why in read_rows(directory, left)} if left else {}

    def truth(self) -> list[dict[str, Any]]:
        return self.emulator.labels(self.project)

    def journal(self, **match: str) -> list[dict[str, Any]]:
        entries = self.emulator.journal()
        return [entry for entry in entries if all(entry[name] == value for name, value in match.items())]


def context(day: int = 0, **more: Any) -> Any:
    """The part of the context that operators read: the logical date and the run."""
    date = MONDAY + datetime.timedelta(days=day)
    return {"logical_date": date, "data_interval_end": date + datetime.timedelta(days=1), **more}
