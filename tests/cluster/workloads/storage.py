"""Data into Encord: objects that are registered, and files that are uploaded."""

from __future__ import annotations

import json
from typing import Any

from tests.cluster.workloads.base import PARTS, Work, require_each_once
from tests.sdk.media import png

URL = "s3://intake"


class Registrations(Work):
    """Registered objects: every object once in its folder."""

    dag, task = "registrations", "register"

    def prepare(self) -> dict[str, Any]:
        bucket = self.world.folder / "bucket" / str(self.number)
        bucket.mkdir(parents=True)
        self.names = [f"{number:06}.png" for number in range(self.size.objects)]
        (bucket / self.names[0]).write_bytes(png(8, 8))
        for name in self.names[1:]:
            (bucket / name).symlink_to(self.names[0])  # so that the disk is not what is tried
        url = f"{URL}-{self.number}"
        integration = self.world.emulator.bucket(f"bucket {self.number}", url, bucket)
        with self.world.account.client() as client:
            self.folder = client.create_folder(f"Registered {self.number}").id
        keys = [f"manifests/{self.number}/{part}.jsonl" for part in range(PARTS)]
        self.world.put(
            {
                key: "".join(f"{json.dumps({'url': f'{url}/{name}'})}\n" for name in self.names[part::PARTS]).encode()
                for part, key in enumerate(keys)
            }
        )
        return {
            "folder": str(self.folder),
            "integration": integration,
            "reports": self.world.uri("reports/registrations"),
            "manifests": [self.world.uri(key) for key in keys],
            "units_per_job": max(100, self.size.objects // PARTS // 4),
        }

    def check(self) -> int:
        with self.world.account.client() as client:
            found = [item.name for item in client.folder(self.folder).items()]
        return require_each_once("registered objects", found, self.names)


class Uploads(Work):
    """Uploaded files: every file once in its dataset."""

    dag, task = "uploads", "upload"

    def prepare(self) -> dict[str, Any]:
        self.names = [f"{self.number}-{number:05}.png" for number in range(self.size.files)]
        folders = [f"incoming/{self.number}/{part}" for part in range(PARTS)]
        self.world.put(
            {
                f"{folders[number % PARTS]}/{name}": png(4 + number % 60, 4 + number // 60)
                for number, name in enumerate(self.names)
            }
        )
        with self.world.account.client() as client:
            self.dataset = client.create_dataset(f"Uploaded {self.number}").id
        return {
            "dataset": str(self.dataset),
            "reports": self.world.uri("reports/uploads"),
            "sources": [self.world.uri(f"{folder}/*.png") for folder in folders],
        }

    def check(self) -> int:
        with self.world.account.client() as client:
            found = [row.data_title for row in client.dataset(self.dataset).data_rows()]
        return require_each_once("uploaded files", found, self.names)
