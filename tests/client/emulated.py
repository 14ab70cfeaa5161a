"""An emulator with a project, clients of each kind for it, and a way to call every operation."""

from __future__ import annotations

import dataclasses
import io
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_encord.client.api import (
    datasets,
    keys,
    labels,
    ontologies,
    organisation,
    projects,
    uploads,
)
from airflow_provider_encord.client.api.core.listing import Filter
from airflow_provider_encord.client.call import Call, Resource, Transfer
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import ApiKey, Credential, SshKey
from airflow_provider_encord.client.structure import complete_structure
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync import SyncTransport
from encord_emulator.process import Emulator
from tests.client.keys import new_key, openssh

OWNER = "owner@example.com"
ROWS = 4


@dataclasses.dataclass(frozen=True)
class World:
    """An emulator with a project, and clients of each kind.

    :param waits: Seconds that the clients would have waited between attempts.
    """

    emulator: Emulator
    user: EncordClient
    project_key: EncordClient
    dataset_key: EncordClient
    project: str
    dataset: str
    ontology: str
    data: list[str]
    waits: list[float]

    def journal(self, work: Callable[[], Any]) -> list[dict[str, Any]]:
        """What the emulator was asked while something was done."""
        self.emulator.clear_journal()
        work()
        return self.emulator.journal()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    ssh = SshKey.parse(openssh(new_key()))
    waits: list[float] = []
    skipped = [0.0]
    clients: list[EncordClient] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        skipped[0] += seconds

    with Emulator.start() as emulator:

        def client(credential: Credential) -> EncordClient:
            settings = Settings(base_url=emulator.url)
            transport = SyncTransport(credential, settings, sleep=sleep, clock=lambda: time.time() + skipped[0])
            clients.append(EncordClient(credential, settings, transport=transport))
            return clients[-1]

        emulator.authorize(ssh.openssh_public_key(), email=OWNER, role="ADMIN")
        made = emulator.project(owner=OWNER, title="Street", rows=ROWS, created=0.5)
        user = client(ssh)
        project, dataset = made["project_id"], made["dataset_id"]
        of_project = user.project(project).create_api_key("p", keys.PROJECT_SCOPES)
        of_dataset = user.dataset(dataset).create_api_key("d", keys.DATASET_SCOPES)
        yield World(
            emulator,
            user,
            client(ApiKey(of_project, project)),
            client(ApiKey(of_dataset.api_key, dataset)),
            project,
            dataset,
            made["ontology_id"],
            made["data_hashes"],
            waits,
        )
        for one in clients:
            one.close()


@dataclasses.dataclass(frozen=True)
class Asked:
    """An operation, how to call it, and who may."""

    key: tuple[str, str]
    make: Callable[[World], Call[Any]]
    by: tuple[str, ...] = ("user",)


def labelled(world: World) -> list[str]:
    rows = world.user.project(world.project).label_rows()
    return [row.label_hash for row in rows if row.label_hash]


def _unlabelled(world: World) -> list[str]:
    rows = world.user.project(world.project).label_rows()
    return [row.data_hash for row in rows if not row.label_hash][:1]


def _save(world: World) -> Call[Any]:
    (row,) = world.user.project(world.project).read_label_rows(labelled(world)[:1])
    return labels.save_label_rows(world.project, [row.label_hash], [row.content])


def _started(world: World) -> str:
    return world.dataset_key.send(uploads.start_upload(world.dataset, _items(world)))


def _items(world: World) -> dict[str, Any]:
    """An image that was sent to the object store."""
    (url,) = world.dataset_key.send(uploads.signed_urls_v1(world.dataset, ["cat.png"], uploads.IMAGE))
    send(world.dataset_key, url, picture())
    file = uploads.UploadedFile(kind=uploads.IMAGE, object_url=url.object_key, title="cat.png")
    return uploads.data_items([file])


def send(client: EncordClient, url: uploads.SignedUrl, content: bytes) -> None:
    headers = {"Content-Type": "image/png", **(url.upload_headers or {})}
    opened = Transfer(
        url=url.signed_url, open=lambda: io.BytesIO(content), size=len(content), headers=headers, title="cat.png"
    )
    client.run(iter(opened))


def picture() -> bytes:
    image = pytest.importorskip("PIL.Image").new("RGB", (8, 6), "red")
    image.save(buffer := io.BytesIO(), "PNG")
    return buffer.getvalue()


def new_dataset(world: World) -> str:
    return world.user.create_dataset(f"d-{uuid.uuid4()}").id


def _attached(world: World) -> str:
    other = new_dataset(world)
    world.user.project(world.project).attach_datasets([other])
    return other


BOTH_PROJECT = ("user", "project_key")
BOTH_DATASET = ("user", "dataset_key")

OPERATIONS = [
    Asked(("api_key.lookup", "v1"), lambda world: keys.get_key_resource(), ("project_key", "dataset_key")),
    Asked(
        ("api_key.project.create", "v1"),
        lambda world: keys.create_project_api_key(world.project, title="k", scopes=["label.read"]),
    ),
    Asked(("api_key.project.list", "v1"), lambda world: keys.list_project_api_keys(world.project)),
    Asked(
        ("api_key.dataset.create", "v1"),
        lambda world: keys.create_dataset_api_key(world.dataset, title="k", scopes=["dataset.read"]),
    ),
    Asked(("api_key.dataset.list", "v1"), lambda world: keys.list_dataset_api_keys(world.dataset)),
    Asked(
        ("projects.list", "v2"),
        lambda world: projects.list_projects(
            Filter(title_eq="Street", created_after="2020-01-01", description_like="%", include_organisation=True)
        ),
    ),
    Asked(("project.get", "v2"), lambda world: projects.get_project(world.project)),
    Asked(("project.get", "v1"), lambda world: projects.get_project_v1(world.project), BOTH_PROJECT),
    Asked(
        ("project.create", "v1"),
        lambda world: projects.create_project("new", datasets=[world.dataset], ontology=world.ontology),
    ),
    Asked(("project.list_datasets", "v2"), lambda world: projects.list_project_datasets(world.project)),
    Asked(
        ("project.list_datasets", "v1"), lambda world: projects.list_project_datasets_v1(world.project), BOTH_PROJECT
    ),
    Asked(("project.add_datasets", "v1"), lambda world: projects.attach_datasets(world.project, [new_dataset(world)])),
    Asked(("project.remove_datasets", "v1"), lambda world: projects.detach_datasets(world.project, [_attached(world)])),
    Asked(
        ("datasets.list", "v2"),
        lambda world: datasets.list_datasets(Filter(description_like="%", created_after="2020-01-01")),
    ),
    Asked(("dataset.create", "v2"), lambda world: datasets.create_dataset("new", description="d")),
    Asked(("dataset.get", "v1"), lambda world: datasets.get_dataset(world.dataset), BOTH_DATASET),
    Asked(
        ("dataset.list_data_rows", "v1"),
        lambda world: datasets.list_data_rows(world.dataset, data_hashes=world.data, data_types=["IMAGE"]),
        BOTH_DATASET,
    ),
    Asked(("ontology.list", "v2"), lambda world: ontologies.list_ontologies()),
    Asked(("ontology.get", "v2"), lambda world: ontologies.get_ontology(world.ontology)),
    Asked(
        ("ontology.create", "v2"),
        lambda world: ontologies.create_ontology(
            "new", structure=complete_structure({"objects": [{"name": "Car", "shape": "polygon"}]})
        ),
    ),
    Asked(("label_rows.list", "v1"), lambda world: labels.list_label_rows(world.project), BOTH_PROJECT),
    Asked(("label_rows.get", "v1"), lambda world: labels.get_label_rows(world.project, labelled(world)), BOTH_PROJECT),
    Asked(
        ("label_rows.create", "v1"),
        lambda world: labels.create_label_rows(world.project, _unlabelled(world)),
        BOTH_PROJECT,
    ),
    Asked(("label_rows.save", "v1"), _save, BOTH_PROJECT),
    Asked(("user.get_bearer_token", "v2"), lambda world: organisation.get_bearer_token()),
    Asked(("cloud_integrations.list", "v2"), lambda world: organisation.list_cloud_integrations()),
    Asked(
        ("cloud_integrations.list", "v1"),
        lambda world: organisation.list_cloud_integrations_v1(Resource("project", world.project)),
        BOTH_PROJECT,
    ),
    Asked(("upload.signed_urls", "v2"), lambda world: uploads.signed_urls(2, uploads.VIDEO)),
    Asked(
        ("upload.signed_urls", "v1"),
        lambda world: uploads.signed_urls_v1(world.dataset, ["a.png"], uploads.IMAGE),
        ("dataset_key",),
    ),
    Asked(("upload.start", "v1"), lambda world: uploads.start_upload(world.dataset, _items(world)), BOTH_DATASET),
    Asked(
        ("dataset.add_private_data result", "v1"),
        lambda world: uploads.poll_upload(world.dataset, _started(world)),
        BOTH_DATASET,
    ),
]
