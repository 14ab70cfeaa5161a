"""Objects of a bucket that wait to be registered, and the folder and the dataset that they go into."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from airflow_provider_encord.operators.storage import EncordRegisterCloudDataOperator
from tests.airflow_layer.bench import Account
from tests.sdk.media import png

START = {"method": "POST", "path": "/data-upload-jobs$"}


class Intake:
    """A bucket with objects, and a folder for them."""

    def __init__(self, account: Account, directory: Path):
        self.account, self.emulator = account, account.emulator
        self.bucket, self.manifests = directory / "bucket", directory / "manifests"
        self.bucket.mkdir()
        self.manifests.mkdir()
        self.url = f"s3://intake-{account.email.partition('@')[0]}"
        self.integration = account.emulator.bucket(
            integration=f"key of {self.url}", url=self.url, directory=str(self.bucket)
        )
        with account.client() as client:
            self.folder = client.create_folder("Registered").id
            self.dataset = client.create_dataset("Registered").id
        self.emulator.clear_journal()

    def objects(self, number: int) -> list[str]:
        names = [f"{one:03}.png" for one in range(number)]
        for one, name in enumerate(names):
            (self.bucket / name).write_bytes(png(4 + one % 9, 4))
        return names

    def manifest(self, names: list[str], **more: Any) -> str:
        path = self.manifests / "all.jsonl"
        path.write_text("".join(json.dumps({"url": f"{self.url}/{name}", **more}) + "\n" for name in names))
        return str(path)

    def operator(self, **arguments: Any) -> EncordRegisterCloudDataOperator:
        """By default, it registers in the folder."""
        arguments = {"folder_id": self.folder, "integration": self.integration, **arguments}
        return EncordRegisterCloudDataOperator(task_id="register", **arguments)

    def deferrable(self, **arguments: Any) -> EncordRegisterCloudDataOperator:
        """One that waits in the triggerer."""
        return self.operator(deferrable=True, poll_interval=5, **arguments)

    def register(self, context: dict[str, Any] | None = None, **arguments: Any) -> dict[str, Any]:
        result: dict[str, Any] = self.operator(**arguments).execute(context or {})
        return result

    def names(self, folder: str | None = None) -> list[str]:
        with self.account.client() as client:
            return sorted(item.name for item in client.folder(folder or self.folder).items())

    def starts(self) -> int:
        entries = self.emulator.journal()
        return sum(entry["method"] == "POST" and entry["path"].endswith("/data-upload-jobs") for entry in entries)
