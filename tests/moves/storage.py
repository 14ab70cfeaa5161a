"""Uploads, registrations, syncs and metadata."""

from __future__ import annotations

import collections
import json
from abc import abstractmethod
from pathlib import Path
from typing import Any

from airflow_provider_encord.client.api.storage_folders import folder_patch
from airflow_provider_encord.client.flows.storage import edit_items
from airflow_provider_encord.operators.storage import (
    EncordPartitionObjectsOperator,
    EncordRegisterCloudDataOperator,
    EncordSetMetadataSchemaOperator,
    EncordSyncFolderOperator,
    EncordUpdateMetadataOperator,
    EncordUploadFilesOperator,
)
from tests.moves.projects_and_datasets import stored_images
from tests.moves.scenario import NOWHERE, Scenario
from tests.sdk.media import png


class _FromFiles(Scenario):
    """Files (or objects) that are to be in Encord, each once. What was brought in stays, also if its source is gone."""

    source: Path
    names: list[str]

    def put(self, *names: str) -> None:
        for name in names:
            path = self.source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png(4 + len(list(self.source.rglob("*.png"))), 4))
            self.names.append(name)

    @abstractmethod
    def there(self) -> list[str]:
        """The titles of what is in Encord."""

    def truth(self) -> Any:
        there = collections.Counter(self.there())
        titles = [name.rpartition("/")[2] for name in self.names]
        return {
            "lost": [title for title in titles if not there[title]],
            "doubled": [title for title, number in there.items() if number > 1],
        }

    def goal(self) -> Any:
        return {"lost": [], "doubled": []}

    def gain(self) -> None:
        self.put("0 first.png", "z last.png")

    def lose(self) -> None:
        (self.source / self.names[0]).unlink()
        del self.names[0]


class UploadFiles(_FromFiles):
    names = ("source", "dataset_id", "files_per_job", "report")
    operator = EncordUploadFilesOperator

    def prepare(self) -> None:
        self.source, self.names = self.directory / "in", []
        self.put(*(f"{number}.png" for number in range(5)))
        with self.account.client() as client:
            self.dataset = client.create_dataset("Intake").id

    def arguments(self) -> dict[str, Any]:
        report = str(self.directory / "report.jsonl")
        return {"source": str(self.source), "dataset_id": self.dataset, "files_per_job": 2, "report": report}

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "dataset_id": NOWHERE}

    def there(self) -> list[str]:
        with self.account.client() as client:
            return [row.data_title for row in client.dataset(self.dataset).data_rows()]


class RegisterManifest(_FromFiles):
    names = ("source", "folder_id", "integration", "units_per_job", "report")
    operator = EncordRegisterCloudDataOperator
    waits = True

    def prepare(self) -> None:
        self.source, self.names = self.directory / "bucket", []
        self.url = f"s3://moves-{self.account.email.partition('@')[0]}"
        self.put(*(f"{number}.png" for number in range(5)))
        self.integration = self.emulator.bucket(integration=self.url, url=self.url, directory=str(self.source))
        with self.account.client() as client:
            self.folder = client.create_folder("Registered").id

    def arguments(self) -> dict[str, Any]:
        manifest = self.directory / "manifest.jsonl"
        urls = [{"url": f"{self.url}/{name}"} for name in sorted(self.names)]
        manifest.write_text("".join(json.dumps(url) + "\n" for url in urls))
        return {**self._more(), "source": str(manifest)}

    def _more(self) -> dict[str, Any]:
        return {
            "folder_id": self.folder,
            "integration": self.integration,
            "units_per_job": 2,
            "report": str(self.directory / "report"),
        }

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "folder_id": NOWHERE}

    def there(self) -> list[str]:
        with self.account.client() as client:
            return [item.name for item in client.folder(self.folder).items()]


class RegisterListing(RegisterManifest):
    names = (*RegisterManifest.names, "url_prefix")

    def arguments(self) -> dict[str, Any]:
        return {**self._more(), "source": str(self.source), "url_prefix": self.url}


class PartitionObjects(_FromFiles):
    """Manifests of a listing; the files are its truth."""

    names = ("source", "destination", "url_prefix", "objects_per_manifest")
    operator = EncordPartitionObjectsOperator
    asks_encord = False

    def prepare(self) -> None:
        self.source, self.names = self.directory / "bucket", []
        self.put(*(f"{number:03d}.png" for number in range(60)))

    def arguments(self) -> dict[str, Any]:
        return {
            "source": str(self.source),
            "destination": str(self.directory / "export"),
            "url_prefix": "s3://bucket",
            "objects_per_manifest": 1,
        }

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "source": str(self.directory / "nowhere")}

    def there(self) -> list[str]:
        files = sorted((self.directory / "export").iterdir())
        return [json.loads(line)["title"] for file in files for line in file.read_text().splitlines()]

    def truth(self) -> Any:
        return self.there()

    def goal(self) -> Any:
        return sorted(self.names)


class SyncFolder(RegisterManifest):
    names = ("folder_id",)
    operator = EncordSyncFolderOperator
    broken_at = 1  # a poll that is refused for a while is waited for

    def prepare(self) -> None:
        super().prepare()
        with self.account.client() as client:
            made = client.create_folder("Synced", integration=self.integration, remote_url=f"{self.url}/")
            self.folder, self.other = made.id, self.folder

    def arguments(self) -> dict[str, Any]:
        return {"folder_id": self.folder}

    def wrong(self) -> dict[str, Any]:
        return {"folder_id": self.other}


class SetMetadataSchema(Scenario):
    """The schema of an organisation, of which other people have a key."""

    names = ("schema",)
    operator = EncordSetMetadataSchemaOperator
    broken_at = 1

    def prepare(self) -> None:
        self.theirs = {"theirs": {"ty": "boolean"}}
        self.emulator.authorize(self.account.public_key, email=self.account.email, role="ADMIN")
        with self.account.client() as client:
            client.organisation.save_metadata_schema(self.theirs)
        self.wanted: dict[str, dict[str, Any]] = {"site": {"ty": "enum", "values": ["a"]}, "note": {"ty": "text"}}

    def arguments(self) -> dict[str, Any]:
        return {"schema": self.wanted}

    def wrong(self) -> dict[str, Any]:
        return {"schema": {"site": {"ty": "nothing"}}}

    def truth(self) -> Any:
        with self.account.client() as client:
            return client.organisation.metadata_schema()

    def goal(self) -> Any:
        return {**self.theirs, **self.wanted}

    def gain(self) -> None:
        """Somebody adds a key, and one that we want is wanted differently."""
        self.theirs["more"] = {"ty": "uuid"}
        with self.account.client() as client:
            client.organisation.save_metadata_schema({**client.organisation.metadata_schema(), **self.theirs})
        self.wanted["site"] = {"ty": "enum", "values": ["a", "b"]}


class UpdateMetadata(Scenario):
    names = ("folder_id", "metadata")
    operator = EncordUpdateMetadataOperator

    def prepare(self) -> None:
        with self.account.client() as client:
            self.folder = client.create_folder("Images").id
        stored_images(self, ["a.png", "b.png", "c.png"], self.folder)
        self.wanted: dict[str, dict[str, Any]] = {name: {"site": 1} for name in ("a.png", "b.png", "c.png")}
        self.by_people: dict[str, dict[str, Any]] = {}

    def arguments(self) -> dict[str, Any]:
        return {"folder_id": self.folder, "metadata": self.wanted}

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "metadata": {"nowhere.png": {}}}

    def truth(self) -> Any:
        with self.account.client() as client:
            return {item.name: json.loads(item.client_metadata or "{}") for item in client.folder(self.folder).items()}

    def goal(self) -> Any:
        return {name: {**self.by_people.get(name, {}), **wanted} for name, wanted in self.wanted.items()}

    def gain(self) -> None:
        """Somebody adds a key of their own, and one that we want is wanted differently."""
        with self.account.client() as client:
            item = next(one for one in client.folder(self.folder).items() if one.name == "a.png")
            there = json.loads(item.client_metadata or "{}")
            client.run(edit_items({item.uuid: folder_patch(client_metadata={**there, "theirs": True})}))
        self.by_people["a.png"] = {"theirs": True}
        self.wanted["b.png"] = {"site": 2}

    def lose(self) -> None:
        """Somebody deletes an item."""
        with self.account.client() as client:
            folder = client.folder(self.folder)
            folder.delete_items([next(item.uuid for item in folder.items() if item.name == "c.png")])
        del self.wanted["c.png"]
