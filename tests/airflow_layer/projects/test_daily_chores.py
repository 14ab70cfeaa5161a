"""Folders, links, removals, metadata, users, copies and status: each safe to run twice, each sending what is needed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.operators.datasets import (
    EncordAddDatasetUsersOperator,
    EncordLinkItemsOperator,
    EncordRemoveDataRowsOperator,
)
from airflow_provider_encord.operators.projects import (
    EncordAddProjectUsersOperator,
    EncordCopyProjectOperator,
    EncordSetProjectStatusOperator,
)
from airflow_provider_encord.operators.storage import (
    EncordCreateFolderOperator,
    EncordUpdateMetadataOperator,
    EncordUploadFilesOperator,
)
from tests.airflow_layer.bench import Account, changes, run
from tests.sdk.media import png


class Folder:
    """A storage folder with three images."""

    def __init__(self, account: Account, directory: Path):
        self.account = account
        for number, name in enumerate("abc"):
            (directory / f"{name}.png").write_bytes(png(4 + number, 4))
        self.id = run(EncordCreateFolderOperator, title="Images")
        run(EncordUploadFilesOperator, source=str(directory), folder_id=self.id)
        account.emulator.clear_journal()

    def items(self) -> dict[str, Any]:
        with self.account.client() as client:
            return {item.name: item for item in client.folder(self.id).items()}

    def metadata(self) -> dict[str, Any]:
        return {name: json.loads(item.client_metadata or "{}") for name, item in self.items().items()}


@pytest.fixture
def folder(account: Account, tmp_path: Path) -> Folder:
    return Folder(account, tmp_path)


class TestFolders:
    def test_a_folder_is_made_once_where_it_belongs(self, account: Account) -> None:
        top = run(EncordCreateFolderOperator, title="Top", client_metadata='{"team": "a"}')
        assert run(EncordCreateFolderOperator, title="Top") == top
        inner = run(EncordCreateFolderOperator, title="Top", parent_folder_id=top)
        assert inner != top
        with pytest.raises(AirflowFailException, match="already"):
            run(EncordCreateFolderOperator, title="Top", if_exists="fail")
        with account.client() as client:
            assert client.folder(inner).get().parent == top

    def test_a_lost_answer_makes_no_second_folder(self, account: Account) -> None:
        match = {"method": "POST", "path": "storage/folders$"}
        account.emulator.faults([{"match": match, "when": {"nth": 1}, "do": {"cut": "after"}}])
        made = run(EncordCreateFolderOperator, title="Lost")
        with account.client() as client:
            assert [one.uuid for one in client.folders() if one.name == "Lost"] == [made]

    def test_a_synced_folder_names_its_integration_by_title(self, account: Account, tmp_path: Path) -> None:
        title = f"key of {account.email}"
        account.emulator.bucket(integration=title, url="s3://chores", directory=str(tmp_path))
        run(EncordCreateFolderOperator, title="Synced", integration=title, remote_url="s3://chores/")
        with pytest.raises(AirflowFailException, match="integration: no cloud integrations"):
            run(EncordCreateFolderOperator, title="Other", integration="misspelt", remote_url="s3://chores/")


class TestLinks:
    def test_items_of_a_folder_are_linked_once(self, account: Account, folder: Folder) -> None:
        with account.client() as client:
            dataset = client.create_dataset("Linked").id
        first = run(EncordLinkItemsOperator, dataset_id=dataset, folder_id=folder.id)
        assert first == {"dataset_id": dataset, "items": 3, "created": 3, "unchanged": 0}
        run(EncordLinkItemsOperator, dataset_id=dataset, item_ids=[item.uuid for item in folder.items().values()])
        with account.client() as client:
            assert len(client.dataset(dataset).data_rows()) == 3
            with pytest.raises(AirflowFailException):
                run(EncordLinkItemsOperator, dataset_id=dataset, folder_id=folder.id, duplicates_behavior="fail")

    @pytest.mark.parametrize(
        "arguments",
        [
            {},
            {"item_ids": []},
            {"item_ids": ["x"], "folder_id": "y"},
            {"item_ids": "z", "duplicates_behavior": "maybe"},
        ],
    )
    def test_what_is_no_selection_is_refused(self, account: Account, arguments: dict[str, Any]) -> None:
        with account.client() as client:
            dataset = client.create_dataset("Empty").id
        with pytest.raises(AirflowFailException, match=r"item_ids|duplicates_behavior"):
            run(EncordLinkItemsOperator, dataset_id=dataset, **arguments)


class TestRemovals:
    def test_rows_are_named_before_they_go_and_twice_is_fine(self, account: Account, logged: Callable[[], str]) -> None:
        seeded = account.project(rows=5)
        chosen = seeded["data_hashes"][:2]
        arguments = {"dataset_id": seeded["dataset_id"], "data_hashes": chosen}
        account.emulator.clear_journal()
        assert run(EncordRemoveDataRowsOperator, preview=True, **arguments)["removed"] == 0
        assert changes(account) == []
        assert run(EncordRemoveDataRowsOperator, **arguments) == {
            "dataset_id": seeded["dataset_id"],
            "selected": 2,
            "removed": 2,
            "not_found": 0,
        }
        account.emulator.clear_journal()
        with pytest.raises(AirflowFailException, match="has none of the 2 data units"):
            run(EncordRemoveDataRowsOperator, **arguments)
        assert changes(account) == []
        more = {**arguments, "data_hashes": [*chosen, seeded["data_hashes"][2]]}
        assert run(EncordRemoveDataRowsOperator, preview=True, **more)["not_found"] == 2
        with account.client() as client:
            assert len(client.dataset(seeded["dataset_id"]).data_rows()) == 3
        assert "Would remove 2 of 2 data rows" in logged()

    @pytest.mark.parametrize("nothing", ["", [], "[]"])
    def test_an_empty_selection_is_refused(self, account: Account, nothing: Any) -> None:
        with pytest.raises(AirflowFailException, match="data_hashes: it is empty"):
            run(EncordRemoveDataRowsOperator, dataset_id=account.project()["dataset_id"], data_hashes=nothing)


class TestMetadata:
    def test_only_what_differs_is_changed(self, folder: Folder) -> None:
        wanted = {"a.png": {"site": 1}, "b.png": {"site": 2}, "gone.png": {"site": 3}}
        result = run(EncordUpdateMetadataOperator, folder_id=folder.id, metadata=wanted)
        assert result == {"folder_id": folder.id, "items": 2, "updated": 2, "unchanged": 0, "failed": 0, "not_found": 1}
        folder.account.emulator.clear_journal()
        result = run(EncordUpdateMetadataOperator, folder_id=folder.id, metadata=wanted)
        assert (result["updated"], result["unchanged"], changes(folder.account)) == (0, 2, [])
        assert folder.metadata() == {"a.png": {"site": 1}, "b.png": {"site": 2}, "c.png": {}}

    def test_merging_keeps_other_keys_and_replacing_does_not(self, folder: Folder) -> None:
        item = folder.items()["a.png"].uuid
        for mode, key, expected in [
            ("merge", "x", {"x": 1}),
            ("merge", "y", {"x": 1, "y": 1}),
            ("replace", "z", {"z": 1}),
        ]:
            run(EncordUpdateMetadataOperator, folder_id=folder.id, metadata={item: {key: 1}}, mode=mode)
            assert folder.metadata()["a.png"] == expected

    def test_a_preview_changes_nothing(self, folder: Folder, tmp_path: Path) -> None:
        path = tmp_path / "metadata.csv"
        path.write_text("title,site\na.png,north\n")
        arguments = {"folder_id": folder.id, "metadata": str(path)}
        assert run(EncordUpdateMetadataOperator, preview="true", **arguments)["updated"] == 1
        assert changes(folder.account) == []
        run(EncordUpdateMetadataOperator, **arguments)
        assert folder.metadata()["a.png"] == {"site": "north"}

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"metadata": ""}, "metadata: it is empty"),
            ({"metadata": {"a.png": 3}}, "metadata: the metadata of 'a.png' is not a dictionary"),
            ({"metadata": {"a.png": {}}, "mode": "add"}, "mode: 'add'"),
            ({"metadata": "/gone.json"}, "metadata: /gone.json|metadata: file:///gone.json"),
        ],
    )
    def test_a_wrong_argument_is_named_by_name(self, folder: Folder, arguments: dict[str, Any], message: str) -> None:
        with pytest.raises(AirflowFailException, match=message):
            run(EncordUpdateMetadataOperator, folder_id=folder.id, **arguments)


class TestUsers:
    def test_users_are_added_and_who_is_there_keeps_the_role(self, account: Account) -> None:
        seeded, other = account.project(), Account(account.emulator)
        for operator, resource, roles in [
            (EncordAddProjectUsersOperator, {"project_id": seeded["project_id"]}, ("annotator", "reviewer")),
            (EncordAddDatasetUsersOperator, {"dataset_id": seeded["dataset_id"]}, ("user", "admin")),
        ]:
            first = run(operator, user_emails=[other.email], role=roles[0], **resource)
            assert first == {"users": 1, "role_unchanged": []}
            again = run(operator, user_emails=other.email, role=roles[1], **resource)
            assert again == {"users": 1, "role_unchanged": [other.email]}

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"user_emails": [], "role": "admin"}, "user_emails: it is empty"),
            ({"user_emails": "a@example.com", "role": "king"}, "role: 'king' is not one of"),
            ({"user_emails": "no-address", "role": "admin"}, "users?|emails"),
        ],
    )
    def test_a_wrong_argument_is_named_by_name(self, account: Account, arguments: Any, message: str) -> None:
        project = account.project()["project_id"]
        with pytest.raises(AirflowFailException, match=message):
            run(EncordAddProjectUsersOperator, project_id=project, **arguments)


class TestProjects:
    def test_a_copy_is_made_once_also_if_the_answer_is_lost(self, account: Account) -> None:
        seeded = account.project(title="Original", created=1.0)
        account.emulator.faults([{"match": {"query_type": "projectcopy"}, "when": {"nth": 1}, "do": {"cut": "after"}}])
        arguments = {"project_id": seeded["project_id"], "title": "Copy", "copy_datasets": True}
        copy = run(EncordCopyProjectOperator, **arguments)
        assert run(EncordCopyProjectOperator, **arguments) == copy != seeded["project_id"]
        assert account.titles("project").count("Copy") == 1
        with account.client() as client:
            assert [one.dataset_hash for one in client.project(copy).datasets()] == [seeded["dataset_id"]]

    def test_a_status_is_set_if_it_is_another(self, account: Account) -> None:
        project = account.project()["project_id"]
        first = run(EncordSetProjectStatusOperator, project_id=project, status="completed")
        assert (first["status"], first["previous_status"] != "completed") == ("completed", True)
        account.emulator.clear_journal()
        assert (
            run(EncordSetProjectStatusOperator, project_id=project, status="completed")["previous_status"]
            == "completed"
        )
        assert changes(account) == []
        with pytest.raises(AirflowFailException, match="status: 'done' is not one of"):
            run(EncordSetProjectStatusOperator, project_id=project, status="done")
