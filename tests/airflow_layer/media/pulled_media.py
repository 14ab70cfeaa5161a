"""A project on the emulator whose files are pulled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from airflow_provider_encord.operators.media import EncordPullMediaOperator
from tests.airflow_layer.bench import Account
from tests.airflow_layer.label_exports import Exports

OBJECTS = "/object-store/"


class Media:
    """A project with an export of its labels, and a directory for its files."""

    def __init__(self, account: Account, directory: Path, **project: Any):
        self.account, self.emulator, self.directory = account, account.emulator, directory
        self.exports = Exports(account, directory / "labels", **{"rows": 6, **project})
        self.exports.export()
        self.emulator.clear_journal()
        self.target = directory / "media"

    def pull(self, **arguments: Any) -> dict[str, Any]:
        source = (
            {} if {"dataset_id", "folder_id", "collection_id", "item_ids"} & {*arguments} else {"labels": self.labels}
        )
        arguments = {"destination": str(self.target), **source, **arguments}
        result: dict[str, Any] = EncordPullMediaOperator(task_id="pull", **arguments).execute({})
        return result

    @property
    def labels(self) -> str:
        return str(self.directory / "labels" / "day-0")

    def lines(self, name: str = "media.jsonl") -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.target / name).read_text().splitlines()]

    def files(self) -> dict[str, bytes]:
        found = (path for path in self.target.rglob("*") if path.is_file() and not path.name.startswith("media"))
        return {str(path.relative_to(self.target)): path.read_bytes() for path in found}

    def downloads(self) -> list[str]:
        return [entry["path"] for entry in self.emulator.journal() if entry["path"].startswith(OBJECTS)]
