"""An account on an emulator with data in it, and runs of the smoke command against it."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.api import folder_uploads
from airflow_provider_encord.client.api.core.data_items import IMAGE, Scene, data_items
from airflow_provider_encord.client.api.curation import (
    filter_presets,
    project_collections,
    project_presets,
)
from airflow_provider_encord.client.api.trained import models
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import ApiKey, Credential, SshKey
from airflow_provider_encord.client.flows.uploads import LocalFile
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.smoke.findings import Finding
from airflow_provider_encord.smoke.run import read_and_check
from airflow_provider_encord.smoke.summary import Run
from encord_emulator.process import Emulator
from tests.airflow_layer.bench import Account
from tests.client.network import plain_network
from tests.sdk import media

__all__ = ["plain_network"]

ROWS = 5
PROJECT_TITLE = "Zebra crossings of Wroclaw"
EMAIL = "waltraud.secret@customer.example"


@pytest.fixture(autouse=True)
def _plain_network(plain_network: None) -> None:
    """`plain_network` for every test here."""


@dataclasses.dataclass(frozen=True)
class World:
    """An emulator with an account that has two projects, and API keys of one of them and of its dataset."""

    emulator: Emulator
    account: Account
    project: str
    dataset: str
    of_project: ApiKey
    of_dataset: ApiKey

    @property
    def ssh(self) -> SshKey:
        return SshKey.parse(self.account.private_key)

    def run(self, *credentials: Credential, url: str | None = None, **selection: Any) -> Run:
        """Read all that these credentials can read; by default with the SSH key."""
        return run_with(url or self.emulator.url, *(credentials or (self.ssh,)), **selection)


def run_with(url: str, *credentials: Credential, **selection: Any) -> Run:
    """Read all that these credentials can read at this URL."""
    settings = Settings(base_url=url)
    clients = {str(number): EncordClient(credential, settings) for number, credential in enumerate(credentials)}
    try:
        return read_and_check(clients, **selection, sleep=lambda seconds: None)
    finally:
        for client in clients.values():
            client.close()


@pytest.fixture(scope="session")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Emulator.start() as emulator:
        account = Account(emulator, email=EMAIL, role="ADMIN")
        made = account.project(title=PROJECT_TITLE, rows=ROWS, created=0.5)
        account.project(title="Another", rows=2, created=1.0)
        project, dataset = made["project_id"], made["dataset_id"]
        of_project = ApiKey(account.api_key(project), project)
        of_dataset = ApiKey(account.api_key(dataset, "dataset"), dataset)
        _submit_one_row(emulator, project)
        _add_group_of_users_and_of_images(account)
        _add_collection_and_preset_of_project(account, project)
        _train_a_model(account, project)
        _add_synced_folder(account, tmp_path_factory.mktemp("bucket"))
        yield World(emulator, account, project, dataset, of_project, of_dataset)


def _submit_one_row(emulator: Emulator, project: str) -> None:
    """Send one row with labels to the review stage, so that there are label reviews to read."""
    with_labels = next(row["data_hash"] for row in emulator.labels(project))
    emulator.annotate(project, data_hashes=[with_labels], advance="submit")


def _add_group_of_users_and_of_images(account: Account) -> None:
    content = media.png(8, 8)
    images = [
        LocalFile(title=f"{number}.png", kind=IMAGE, size=len(content), open=lambda: io.BytesIO(content))
        for number in (1, 2)
    ]
    with account.client() as client:
        client.organisation.group(client.organisation.create_group("Painters").group_hash).add_users([EMAIL])
        unit = LocalFile(kind=IMAGE, parts=images, title="two images")
        folder = client.create_folder("Groups of images").id
        client.folder(folder).upload([unit], timeout=60)
        scene = Scene(title="drive", scene={"lidar": {"type": "point_cloud", "events": [{"uri": "s3://b/0.pcd"}]}})
        job = client.send(folder_uploads.start_folder_upload(folder, items=data_items([scene])))
        client.send(folder_uploads.poll_folder_upload(folder, job, timeout_seconds=30))
        collection = client.collection(client.create_collection(folder, "Pairs").id)
        collection.add_items([item.uuid for item in client.folder(folder).items()])
        client.send(filter_presets.create_preset("All", {"local_filters": {}, "global_filters": {"filters": []}}))


def _add_collection_and_preset_of_project(account: Account, project: str) -> None:
    with account.client() as client:
        first = next(row.data_hash for row in client.project(project).label_rows())
        collection = client.send(project_collections.create_project_collection(project, "Hard"))
        place = project_collections.PlaceOfLabel(data_uuid=first, frame=0)
        client.send(project_collections.add_collected(project, collection, [place]))
        client.send(project_presets.create_project_preset(project, "All", project_presets.PresetDefinition()))


def _train_a_model(account: Account, project: str) -> None:
    with account.client() as client:
        label = next(row.label_hash for row in client.project(project).label_rows() if row.label_hash)
        made = client.send(models.create_model("Cars", architecture="fasterRcnn", features=["car"]))
        model = made.model_group.model_uuid
        how = {"features": {project: {}}, "batch_size": 1, "epochs": 1}
        training = client.send(models.start_training(model, labels=[label], **how))
        client.send(models.poll_training(model, training, timeout_seconds=30))


def _add_synced_folder(account: Account, directory: Path) -> None:
    integration = account.emulator.bucket(integration="smoke", url="s3://smoke", directory=str(directory))
    with account.client() as client:
        client.create_folder("A mirror", integration=integration, remote_url="s3://smoke/")


@pytest.fixture
def world(_world: World) -> Iterator[World]:
    """The world of all tests here, with an empty journal and without faults."""
    _world.emulator.clear_journal()
    yield _world
    _world.emulator.clear_faults()


def outcomes(run: Run) -> dict[str, Finding]:
    return {checked.fact.id: checked.finding for checked in run.checked}


def line(report: str, name: str) -> str:
    """The line of a fact or an operation."""
    (found,) = [line for line in report.splitlines() if name in line]
    return found
