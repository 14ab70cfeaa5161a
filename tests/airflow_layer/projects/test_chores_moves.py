"""Removals and metadata in Airflow's everyday moves: nothing by an empty switch, nothing lost, nothing twice."""

from __future__ import annotations

import datetime
import decimal
import json
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, Asset

from airflow_provider_encord.assets import dataset_uri, folder_uri, project_uri
from airflow_provider_encord.attempts import Checkpoint, fingerprint
from airflow_provider_encord.client.api.storage_folders import folder_patch
from airflow_provider_encord.client.flows.storage import edit_items
from airflow_provider_encord.operators.datasets import (
    EncordAddDatasetUsersOperator,
    EncordCreateDatasetOperator,
    EncordRemoveDataRowsOperator,
)
from airflow_provider_encord.operators.projects import (
    EncordAddProjectUsersOperator,
    EncordAttachDatasetsOperator,
    EncordCopyProjectOperator,
    EncordCreateProjectOperator,
    EncordDetachDatasetsOperator,
    EncordSetProjectStatusOperator,
)
from airflow_provider_encord.operators.storage import (
    EncordCreateFolderOperator,
    EncordUpdateMetadataOperator,
)
from tests.airflow_layer.bench import Account
from tests.airflow_layer.outlet_events import OutletEvents
from tests.airflow_layer.projects.test_daily_chores import Folder, changes, folder, run
from tests.airflow_layer.storage.test_jobs import Store

__all__ = ["folder"]


class TestEmptySwitches:
    @pytest.mark.parametrize("empty", [None, "", " ", "None", "none"])
    def test_an_empty_switch_removes_and_changes_nothing(self, account: Account, folder: Folder, empty: Any) -> None:
        """Fault 11.1."""
        seeded = account.project(rows=3)
        removal = {"dataset_id": seeded["dataset_id"], "data_hashes": seeded["data_hashes"]}
        account.emulator.clear_journal()
        for operator, arguments in (
            (EncordRemoveDataRowsOperator, removal),
            (EncordUpdateMetadataOperator, {"folder_id": folder.id, "metadata": {"a.png": {"x": 1}}}),
        ):
            with pytest.raises(AirflowFailException, match="preview: it is empty"):
                run(operator, preview=empty, **arguments)
        assert changes(account) == []

    @pytest.mark.parametrize("operator", [EncordRemoveDataRowsOperator, EncordUpdateMetadataOperator])
    def test_airflow_s_own_dry_run_is_not_hidden(self, operator: Any) -> None:
        """Fault 6.4."""
        assert callable(operator.dry_run)
        made = operator(
            task_id="task",
            **(
                {"data_hashes": [str(uuid.UUID(int=1))]}
                if "Remove" in operator.__name__
                else {"folder_id": "x", "metadata": {}}
            ),
        )
        made.dry_run()


class TestRemovals:
    def test_a_selection_of_which_nothing_is_there_is_refused(self, account: Account) -> None:
        """Fault 11.2: hashes of another dataset, or ids of storage items."""
        mine, other = account.project(rows=2), account.project(rows=2)
        with account.client() as client:
            items = [row.backing_item_uuid for row in client.dataset(mine["dataset_id"]).data_rows()]
        for wrong in (other["data_hashes"], items):
            with pytest.raises(AirflowFailException, match="has none of the 2 data units"):
                run(EncordRemoveDataRowsOperator, dataset_id=mine["dataset_id"], data_hashes=wrong)
        with account.client() as client:
            assert len(client.dataset(mine["dataset_id"]).data_rows()) == 2

    def test_a_retry_after_a_kill_counts_what_the_attempt_before_removed(self, account: Account) -> None:
        seeded, store = account.project(rows=3), Store()
        arguments = {"dataset_id": seeded["dataset_id"], "data_hashes": seeded["data_hashes"]}

        class Killed(BaseException):
            """The worker dies."""

        operator = EncordRemoveDataRowsOperator(task_id="task", **arguments)
        store.delete = lambda key: (_ for _ in ()).throw(Killed())  # type: ignore[method-assign]
        with pytest.raises(Killed):
            operator.execute({"task_state_store": store})
        del store.delete
        again = EncordRemoveDataRowsOperator(task_id="task", **arguments).execute({"task_state_store": store})
        assert (again["removed"], again["not_found"], store.kept) == (3, 0, {})

    def test_a_retry_counts_all_rows_that_it_removes_itself(self, account: Account) -> None:
        """Review of 0.1, ingest 16: the count of an earlier attempt held, although more rows were there by now."""
        seeded, store = account.project(rows=3), Store()
        dataset, wanted = seeded["dataset_id"], seeded["data_hashes"]
        Checkpoint(store, "encord_removal", fingerprint(dataset=dataset, rows=wanted), int).save(1)
        result = EncordRemoveDataRowsOperator(task_id="task", dataset_id=dataset, data_hashes=wanted).execute(
            {"task_state_store": store}
        )
        assert (result["selected"], result["removed"], result["not_found"]) == (3, 3, 0)


class TestMetadata:
    def test_names_of_which_none_fits_are_refused(self, folder: Folder) -> None:
        """Fault 11.2."""
        with pytest.raises(AirflowFailException, match=r"has none of these items: 'x\.png'"):
            run(EncordUpdateMetadataOperator, folder_id=folder.id, metadata={"x.png": {"a": 1}})

    def test_a_key_that_a_person_adds_after_the_listing_is_kept(self, folder: Folder) -> None:
        """Fault 14.1: the item is read again right before it is changed."""
        item = folder.items()["a.png"].uuid
        match = {"path": "items/get-bulk"}
        folder.account.emulator.faults([{"match": match, "when": {"nth": 1}, "do": {"delay_s": 2}}])
        update = threading.Thread(
            target=lambda: run(EncordUpdateMetadataOperator, folder_id=folder.id, metadata={"a.png": {"ours": 1}})
        )
        update.start()
        with folder.account.client() as client:
            while not any("/items" in entry["path"] for entry in folder.account.emulator.journal()):
                threading.Event().wait(0.01)
            client.run(edit_items({item: folder_patch(client_metadata={"theirs": 2})}))
        update.join()
        assert folder.metadata()["a.png"] == {"theirs": 2, "ours": 1}

    @pytest.mark.parametrize(("before", "after"), [(1, True), (0, False), (True, 1), ([0], [False])])
    def test_a_number_and_a_truth_value_differ(self, folder: Folder, before: Any, after: Any) -> None:
        """Fault 14.1."""
        for value in (before, after):
            assert (
                run(EncordUpdateMetadataOperator, folder_id=folder.id, metadata={"a.png": {"x": value}})["updated"] == 1
            )
        assert json.dumps(folder.metadata()["a.png"]["x"]) == json.dumps(after)

    def test_values_of_python_are_sent_once(self, folder: Folder) -> None:
        """Fault 14.1."""
        value = {
            "at": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
            "id": uuid.UUID(int=3),
            "n": decimal.Decimal("1.5"),
            "t": (1, 2),
            7: "seven",
        }
        for changed in (1, 0):
            result = run(EncordUpdateMetadataOperator, folder_id=folder.id, metadata={"a.png": value})
            assert result["updated"] == changed

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), {None: 1}, "\ud83d", object()])
    def test_values_without_a_form_in_json_are_refused_before_anything_is_sent(
        self, folder: Folder, value: Any
    ) -> None:
        """Faults 4.4 and 14.1."""
        with pytest.raises(AirflowFailException, match=r"metadata of 'a\.png'"):
            run(EncordUpdateMetadataOperator, folder_id=folder.id, metadata={"a.png": {"x": value}})
        assert folder.account.emulator.journal() == []

    def test_an_item_is_found_by_its_id_in_capitals_and_by_a_decomposed_name(
        self, account: Account, folder: Folder
    ) -> None:
        """Fault 14.1."""
        items = folder.items()
        with account.client() as client:
            client.run(edit_items({items["b.png"].uuid: folder_patch(name="Cafe\u0301.png")}))
        wanted = {items["a.png"].uuid.upper(): {"x": 1}, "Caf\u00e9.png": {"x": 2}}
        result = run(EncordUpdateMetadataOperator, folder_id=folder.id, metadata=wanted)
        assert (result["updated"], result["not_found"]) == (2, 0)

    def test_an_item_that_is_named_by_id_and_by_name_must_agree(self, folder: Folder) -> None:
        """Fault 14.1."""
        item = folder.items()["a.png"].uuid
        same, other = {item: {"x": 1}, "a.png": {"x": 1}}, {item: {"x": 1}, "a.png": {"x": 2}}
        assert run(EncordUpdateMetadataOperator, folder_id=folder.id, metadata=same)["updated"] == 1
        with pytest.raises(AirflowFailException, match="there by its id and by its name"):
            run(EncordUpdateMetadataOperator, folder_id=folder.id, metadata=other)

    @pytest.mark.parametrize("stored", ["null", "[]", '"x"', "{"])
    def test_what_encord_holds_is_no_raw_error(self, folder: Folder, stored: str) -> None:
        """Fault 14.1: whatever the metadata of an item is."""
        items = folder.items()
        records = [
            {
                "uuid": item.uuid,
                "parent": item.parent,
                "itemType": item.item_type,
                "name": item.name,
                "clientMetadata": stored if item.name == "a.png" else "{}",
            }
            for item in items.values()
        ]
        answer = {"status": 200, "json": {"results": records, "nextPageToken": None}}
        path = f"storage/folders/{folder.id}/items|get-bulk"
        folder.account.emulator.faults([{"match": {"path": path}, "do": answer}])
        wanted = {"a.png": {"x": 1}}
        if stored == "null":
            assert run(EncordUpdateMetadataOperator, folder_id=folder.id, metadata=wanted)["updated"] == 1
        else:
            with pytest.raises(AirflowFailException, match="is not a JSON object, so it cannot be merged"):
                run(EncordUpdateMetadataOperator, folder_id=folder.id, metadata=wanted)
        assert run(EncordUpdateMetadataOperator, folder_id=folder.id, metadata=wanted, mode="replace")["updated"] == 1

    def test_an_item_that_is_deleted_meanwhile_does_not_stop_the_others(self, account: Account, folder: Folder) -> None:
        """Fault 14.5."""
        item = folder.items()["b.png"].uuid
        match = {"path": "items/get-bulk"}
        account.emulator.faults([{"match": match, "when": {"nth": 1}, "do": {"delay_s": 2}}])
        results: list[Any] = []
        wanted = {name: {"x": 1} for name in ("a.png", "b.png", "c.png")}
        update = threading.Thread(
            target=lambda: results.append(run(EncordUpdateMetadataOperator, folder_id=folder.id, metadata=wanted))
        )
        update.start()
        with account.client() as client:
            while not any("/items" in entry["path"] for entry in account.emulator.journal()):
                threading.Event().wait(0.01)
            client.folder(folder.id).delete_items([item])
        update.join()
        assert [results[0][name] for name in ("items", "updated", "not_found")] == [2, 2, 1]
        assert folder.metadata() == {"a.png": {"x": 1}, "c.png": {"x": 1}}

    def test_a_change_that_is_forbidden_is_tried_once_and_not_halved(self, folder: Folder) -> None:
        """Review of 0.1, ingest 12: Encord says 403 of an item that is deleted, too, but all of these can be read."""
        path = "items/patch-bulk"
        folder.account.emulator.faults([{"match": {"path": path}, "do": {"status": 403}}])
        folder.account.emulator.clear_journal()
        wanted = {name: {"x": 1} for name in ("a.png", "b.png", "c.png")}
        with pytest.raises(AirflowFailException, match=r"3 of 3 items could not be changed:\n- [^\n]*\Z"):
            run(EncordUpdateMetadataOperator, folder_id=folder.id, metadata=wanted)
        assert [path in entry["path"] for entry in folder.account.emulator.journal()].count(True) == 1
        assert set(map(str, folder.metadata().values())) == {"{}"}


class TestFolders:
    def test_the_folder_of_a_dataset_is_not_taken_for_one_of_its_title(self, account: Account) -> None:
        """Fault 14.4, in both orders."""
        run(EncordCreateDatasetOperator, title="Street")
        first = run(EncordCreateFolderOperator, title="Street")
        assert run(EncordCreateFolderOperator, title="Street") == first
        own = run(EncordCreateFolderOperator, title="Road")
        run(EncordCreateDatasetOperator, title="Road")
        assert run(EncordCreateFolderOperator, title="Road") == own


def test_addresses_that_differ_in_case_are_one_user(account: Account) -> None:
    """Fault 14.3."""
    seeded, other = account.project(), Account(account.emulator)
    emails = [other.email, other.email.upper()]
    for operator, resource in (
        (EncordAddProjectUsersOperator, {"project_id": seeded["project_id"]}),
        (EncordAddDatasetUsersOperator, {"dataset_id": seeded["dataset_id"]}),
    ):
        assert run(operator, user_emails=emails, role="admin", **resource)["users"] == 1


def test_every_operator_that_changes_something_shows_ids_and_counts_also_of_nothing(
    account: Account, folder: Folder, tmp_path: Path
) -> None:
    """Fault 15.2."""
    seeded, other, url = account.project(), Account(account.emulator), account.emulator.url
    project, dataset = seeded["project_id"], seeded["dataset_id"]
    of_project, of_dataset = project_uri(url, project), dataset_uri(url, dataset)
    more = run(EncordCreateDatasetOperator, title="More")
    cases: list[tuple[Any, dict[str, Any], str, dict[str, Any]]] = [
        (EncordAttachDatasetsOperator, {"project_id": project, "dataset_ids": [more]}, of_project, {"attached": 1}),
        (EncordAttachDatasetsOperator, {"project_id": project, "dataset_ids": [more]}, of_project, {"attached": 0}),
        (EncordDetachDatasetsOperator, {"project_id": project, "dataset_ids": [more]}, of_project, {"detached": 1}),
        (
            EncordAddProjectUsersOperator,
            {"project_id": project, "user_emails": other.email, "role": "admin"},
            of_project,
            {"users": 1},
        ),
        (
            EncordAddDatasetUsersOperator,
            {"dataset_id": dataset, "user_emails": other.email, "role": "user"},
            of_dataset,
            {"users": 1},
        ),
        (EncordSetProjectStatusOperator, {"project_id": project, "status": "paused"}, of_project, {"status": "paused"}),
        (
            EncordSetProjectStatusOperator,
            {"project_id": project, "status": "paused"},
            of_project,
            {"previous_status": "paused"},
        ),
        (
            EncordUpdateMetadataOperator,
            {"folder_id": folder.id, "metadata": {"a.png": {}}},
            folder_uri(url, folder.id),
            {"updated": 0, "unchanged": 1},
        ),
        (EncordCreateDatasetOperator, {"title": "More"}, dataset_uri(url, more), {"dataset_id": more, "created": 0}),
        (
            EncordCreateFolderOperator,
            {"title": "Images"},
            folder_uri(url, folder.id),
            {"folder_id": folder.id, "created": 0},
        ),
    ]
    with account.client() as client:
        title = client.project(project).get().title
    cases.append((EncordCreateProjectOperator, {"title": title}, of_project, {"project_id": project, "created": 0}))
    copy = run(EncordCopyProjectOperator, project_id=project, title="Copy")
    cases.append(
        (EncordCopyProjectOperator, {"project_id": project, "title": "Copy"}, project_uri(url, copy), {"created": 0})
    )
    for operator, arguments, uri, expected in cases:
        events, outlet = OutletEvents(), Asset(uri=uri)
        operator(task_id="task", outlets=[outlet], **arguments).execute({"outlet_events": events})
        assert expected.items() <= events[outlet].extra.items(), operator
