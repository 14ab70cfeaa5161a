"""Creations, attachments, users, status, links and removals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow_provider_encord.operators.datasets import (
    EncordAddDatasetUsersOperator,
    EncordCreateDatasetOperator,
    EncordLinkItemsOperator,
    EncordRemoveDataRowsOperator,
)
from airflow_provider_encord.operators.ontologies import EncordCreateOntologyOperator
from airflow_provider_encord.operators.projects import (
    EncordAddProjectUsersOperator,
    EncordAttachDatasetsOperator,
    EncordCopyProjectOperator,
    EncordCreateProjectOperator,
    EncordDetachDatasetsOperator,
    EncordSetProjectStatusOperator,
)
from airflow_provider_encord.operators.storage import EncordCreateFolderOperator, EncordUploadFilesOperator
from tests.airflow_layer.bench import Account
from tests.moves.scenario import NOWHERE, Scenario
from tests.sdk.media import png


class _Creation(Scenario):
    names = ("title",)
    kind = ""

    def prepare(self) -> None:
        """Nothing is there."""

    def arguments(self) -> dict[str, Any]:
        return {"title": "Street"}

    def wrong(self) -> dict[str, Any]:
        return {"title": " "}

    def truth(self) -> Any:
        return self.account.titles(self.kind).count("Street")

    def goal(self) -> Any:
        return 1


class CreateProject(_Creation):
    operator = EncordCreateProjectOperator
    kind = "project"

    def wrong(self) -> dict[str, Any]:
        return {"title": "Street", "dataset_ids": [NOWHERE]}


class CreateDataset(_Creation):
    operator = EncordCreateDatasetOperator
    kind = "dataset"


class CreateOntology(_Creation):
    operator = EncordCreateOntologyOperator
    kind = "ontology"

    def wrong(self) -> dict[str, Any]:
        return {"title": "Street", "structure": {"objects": [{"name": "Car", "shape": "hologram"}]}}


class CreateFolder(_Creation):
    operator = EncordCreateFolderOperator

    def wrong(self) -> dict[str, Any]:
        return {"title": "Street", "parent_folder_id": NOWHERE}

    def truth(self) -> Any:
        with self.account.client() as client:
            return [folder.name for folder in client.folders()].count("Street")


class CopyProject(_Creation):
    names = ("title", "project_id")
    operator = EncordCopyProjectOperator
    kind = "project"

    def prepare(self) -> None:
        self.project = self.account.project(title="Original")["project_id"]

    def arguments(self) -> dict[str, Any]:
        return {"title": "Street", "project_id": self.project}

    def wrong(self) -> dict[str, Any]:
        return {"title": "Street", "project_id": NOWHERE}


class AttachDatasets(Scenario):
    names = ("project_id", "dataset_ids")
    operator = EncordAttachDatasetsOperator

    def prepare(self) -> None:
        self.project = self.account.project()["project_id"]
        with self.account.client() as client:
            self.datasets = [client.create_dataset(f"More {number}").id for number in range(3)]

    def arguments(self) -> dict[str, Any]:
        return {"project_id": self.project, "dataset_ids": self.datasets}

    def wrong(self) -> dict[str, Any]:
        return {"project_id": self.project, "dataset_ids": [NOWHERE]}

    def truth(self) -> Any:
        with self.account.client() as client:
            return set(self.datasets) <= {dataset.dataset_hash for dataset in client.project(self.project).datasets()}

    def goal(self) -> Any:
        return True

    def gain(self) -> None:
        """Somebody detaches one."""
        with self.account.client() as client:
            client.project(self.project).detach_datasets(self.datasets[:1])


class DetachDatasets(AttachDatasets):
    operator = EncordDetachDatasetsOperator

    def prepare(self) -> None:
        super().prepare()
        self.gain()

    def wrong(self) -> dict[str, Any]:
        return {"project_id": NOWHERE, "dataset_ids": self.datasets}

    def truth(self) -> Any:
        with self.account.client() as client:
            return set(self.datasets) & {dataset.dataset_hash for dataset in client.project(self.project).datasets()}

    def goal(self) -> Any:
        return set()

    def gain(self) -> None:
        """Somebody attaches them again."""
        with self.account.client() as client:
            client.project(self.project).attach_datasets(self.datasets)


class AddProjectUsers(Scenario):
    names = ("project_id", "user_emails", "role")
    operator = EncordAddProjectUsersOperator
    broken_at = 1
    resource = "project"

    def prepare(self) -> None:
        seeded = self.account.project()
        self.id = seeded[f"{self.resource}_id"]
        self.users = [Account(self.emulator).email for _ in range(2)]

    def arguments(self) -> dict[str, Any]:
        return {f"{self.resource}_id": self.id, "user_emails": self.users, "role": "admin"}

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "role": "king"}

    def truth(self) -> Any:
        with self.account.client() as client:
            handle = client.project(self.id) if self.resource == "project" else client.dataset(self.id)
            return sorted(user.user_email for user in handle.users() if user.user_email in self.users)

    def goal(self) -> Any:
        return sorted(self.users)

    def gain(self) -> None:
        """Somebody takes a user out."""
        with self.account.client() as client:
            handle = client.project(self.id) if self.resource == "project" else client.dataset(self.id)
            handle.remove_users(self.users[:1])


class AddDatasetUsers(AddProjectUsers):
    names = ("dataset_id", "user_emails", "role")
    operator = EncordAddDatasetUsersOperator
    resource = "dataset"


class SetProjectStatus(Scenario):
    names = ("project_id", "status")
    operator = EncordSetProjectStatusOperator

    def prepare(self) -> None:
        self.project = self.account.project()["project_id"]

    def arguments(self) -> dict[str, Any]:
        return {"project_id": self.project, "status": "paused"}

    def wrong(self) -> dict[str, Any]:
        return {"project_id": self.project, "status": "sleeping"}

    def truth(self) -> Any:
        with self.account.client() as client:
            return client.project(self.project).status()

    def goal(self) -> Any:
        return "paused"

    def gain(self) -> None:
        """Somebody sets another one."""
        with self.account.client() as client:
            client.project(self.project).set_status("inProgress")


def stored_images(scenario: Scenario, names: list[str], folder: str) -> None:
    """Put images into a storage folder."""
    directory = scenario.directory / f"for {folder}"
    directory.mkdir(exist_ok=True)
    for name in names:
        path: Path = directory / name
        path.write_bytes(png(4 + len(list(directory.iterdir())), 4))
    upload = EncordUploadFilesOperator(
        task_id="upload", source=[str(directory / name) for name in names], folder_id=folder
    )
    upload.execute({})


class LinkItems(Scenario):
    names = ("dataset_id", "folder_id", "duplicates_behavior")
    operator = EncordLinkItemsOperator
    behavior = "SKIP"

    def prepare(self) -> None:
        with self.account.client() as client:
            self.folder = client.create_folder("Images").id
            self.dataset = client.create_dataset("Linked").id
        self.names = ["a.png", "b.png", "c.png"]
        stored_images(self, self.names, self.folder)

    def arguments(self) -> dict[str, Any]:
        return {"dataset_id": self.dataset, "folder_id": self.folder, "duplicates_behavior": self.behavior}

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "folder_id": NOWHERE}

    def truth(self) -> Any:
        with self.account.client() as client:
            return sorted(row.data_title for row in client.dataset(self.dataset).data_rows())

    def goal(self) -> Any:
        return sorted(self.names)

    def gain(self) -> None:
        stored_images(self, ["z.png"], self.folder)
        self.names.append("z.png")

    def lose(self) -> None:
        """Somebody deletes an item, and with it its data row."""
        with self.account.client() as client:
            folder = client.folder(self.folder)
            folder.delete_items([next(item.uuid for item in folder.items() if item.name == "a.png")])
        self.names.remove("a.png")


class RemoveDataRows(Scenario):
    names = ("dataset_id", "data_hashes")
    operator = EncordRemoveDataRowsOperator
    ends_with_its_state = True

    def prepare(self) -> None:
        seeded = self.account.project(rows=6)
        self.dataset, self.all = seeded["dataset_id"], sorted(seeded["data_hashes"])
        self.chosen, self.removed_by_hand = self.all[:3], 0

    def arguments(self) -> dict[str, Any]:
        return {"dataset_id": self.dataset, "data_hashes": self.chosen}

    def wrong(self) -> dict[str, Any]:
        return {**self.arguments(), "data_hashes": [NOWHERE]}

    def truth(self) -> Any:
        with self.account.client() as client:
            return sorted(row.data_hash for row in client.dataset(self.dataset).data_rows())

    def goal(self) -> Any:
        return [one for one in self.all if one not in self.chosen]

    def gain(self) -> None:
        """The selection grows."""
        self.chosen = self.all[:4]

    def lose(self) -> None:
        """Somebody removes one of them."""
        with self.account.client() as client:
            client.dataset(self.dataset).remove_data_rows(self.chosen[:1])
