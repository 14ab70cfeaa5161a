"""Links of items in Airflow's everyday moves: every item is linked once, whatever happens to an attempt."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.operators.datasets import EncordLinkItemsOperator
from airflow_provider_encord.operators.storage import EncordUploadFilesOperator
from tests.airflow_layer.bench import Account
from tests.airflow_layer.projects.test_daily_chores import Folder, changes, folder, run
from tests.airflow_layer.storage.test_jobs import Store
from tests.sdk.media import png

__all__ = ["folder"]

LINK = {"query_type": "datasetlinkitems"}


def _link_and_die(account: Account, store: Store, arguments: dict[str, Any]) -> None:
    """An attempt whose link arrives and whose answer is lost, and that dies when it looks what was linked."""
    account.emulator.faults(
        [
            {"match": LINK, "when": {"nth": 1}, "do": {"cut": "after"}},
            {"match": {"query_type": "datarows"}, "when": {"nth": 3}, "do": {"status": 403}},
        ]
    )
    with pytest.raises(AirflowException):
        EncordLinkItemsOperator(task_id="task", **arguments).execute({"task_state_store": store})
    account.emulator.clear_faults()


class TestLinks:
    @pytest.mark.parametrize("behavior", ["SKIP", "FAIL", "DUPLICATE"])
    @pytest.mark.parametrize("cut", ["before", "after"])
    def test_a_lost_answer_links_every_item_once(
        self, account: Account, folder: Folder, behavior: str, cut: str
    ) -> None:
        """Fault 14.2."""
        with account.client() as client:
            dataset = client.create_dataset("Linked").id
        account.emulator.faults([{"match": LINK, "when": {"nth": 1}, "do": {"cut": cut}}])
        result = run(EncordLinkItemsOperator, dataset_id=dataset, folder_id=folder.id, duplicates_behavior=behavior)
        assert result == {"dataset_id": dataset, "items": 3, "created": 3, "unchanged": 0}
        assert any(entry["fault"] for entry in account.emulator.journal())
        with account.client() as client:
            assert sorted(row.data_title for row in client.dataset(dataset).data_rows()) == ["a.png", "b.png", "c.png"]

    def test_a_collection_is_linked(self, account: Account, folder: Folder) -> None:
        with account.client() as client:
            dataset = client.create_dataset("Linked").id
            collection = client.create_collection(folder.id, "Chosen").id
            chosen = [item.uuid for item in client.folder(folder.id).items()][:2]
            client.collection(collection).add_items(chosen)
        result = run(EncordLinkItemsOperator, dataset_id=dataset, collection_id=collection)
        assert result == {"dataset_id": dataset, "items": 2, "created": 2, "unchanged": 0}
        with account.client() as client:
            assert {row.backing_item_uuid for row in client.dataset(dataset).data_rows()} == {*chosen}

    def test_an_empty_collection_is_refused(self, account: Account, folder: Folder) -> None:
        with account.client() as client:
            dataset = client.create_dataset("Linked").id
            collection = client.create_collection(folder.id, "Empty").id
        with pytest.raises(AirflowException, match=r"collection_id: collection .* has no items"):
            run(EncordLinkItemsOperator, dataset_id=dataset, collection_id=collection)

    @pytest.mark.parametrize("behavior", ["FAIL", "DUPLICATE"])
    def test_a_retry_after_a_kill_links_nothing_twice(self, account: Account, folder: Folder, behavior: str) -> None:
        """Fault 14.2, on Airflow 3.3."""
        with account.client() as client:
            dataset = client.create_dataset("Linked").id
        store = Store()
        arguments = {"dataset_id": dataset, "folder_id": folder.id, "duplicates_behavior": behavior}
        _link_and_die(account, store, arguments)
        result = EncordLinkItemsOperator(task_id="task", **arguments).execute({"task_state_store": store})
        assert (result["created"], store.kept) == (3, {})
        with account.client() as client:
            assert len(client.dataset(dataset).data_rows()) == 3

    @pytest.mark.parametrize("behavior", ["FAIL", "DUPLICATE"])
    def test_a_retry_knows_the_rows_that_were_there_and_not_the_time(
        self, account: Account, folder: Folder, behavior: str
    ) -> None:
        """Review of 0.1, ingest 15: rows that were made in one moment with older ones were taken for those."""
        account.emulator.clock(now=datetime.datetime.now(datetime.UTC).isoformat())  # it stands still
        try:
            with account.client() as client:
                dataset = client.create_dataset("Linked").id
            store, items = Store(), folder.items()
            first, rest = items["a.png"].uuid, [items["b.png"].uuid, items["c.png"].uuid]
            run(EncordLinkItemsOperator, dataset_id=dataset, item_ids=first)
            linked = [*rest, first] if behavior == "DUPLICATE" else rest
            arguments = {"dataset_id": dataset, "item_ids": linked, "duplicates_behavior": behavior}
            _link_and_die(account, store, arguments)
            result = EncordLinkItemsOperator(task_id="task", **arguments).execute({"task_state_store": store})
            assert (result["created"], store.kept) == (len(linked), {})
            with account.client() as client:
                assert len(client.dataset(dataset).data_rows()) == len(linked) + 1
        finally:
            account.emulator.clock(now=None)

    @pytest.mark.parametrize("behavior", ["FAIL", "DUPLICATE"])
    def test_a_retry_after_its_folder_gained_an_item_links_every_item_once(
        self, account: Account, folder: Folder, tmp_path: Path, behavior: str
    ) -> None:
        """Review of 0.1, ingest 15: what the task remembered was about the items that the folder had then."""
        with account.client() as client:
            dataset = client.create_dataset("Linked").id
        store = Store()
        arguments = {"dataset_id": dataset, "folder_id": folder.id, "duplicates_behavior": behavior}
        _link_and_die(account, store, arguments)
        (tmp_path / "d.png").write_bytes(png(9, 9))
        run(EncordUploadFilesOperator, source=str(tmp_path / "d.png"), folder_id=folder.id)
        result = EncordLinkItemsOperator(task_id="task", **arguments).execute({"task_state_store": store})
        assert (result["items"], result["created"], store.kept) == (4, 4, {})
        with account.client() as client:
            rows = sorted(row.data_title for row in client.dataset(dataset).data_rows())
        assert rows == ["a.png", "b.png", "c.png", "d.png"]

    def test_duplicates_that_are_to_fail_are_named_before_anything_is_linked(
        self, account: Account, folder: Folder
    ) -> None:
        with account.client() as client:
            dataset = client.create_dataset("Linked").id
        first = folder.items()["a.png"].uuid
        run(EncordLinkItemsOperator, dataset_id=dataset, item_ids=first)
        account.emulator.clear_journal()
        with pytest.raises(
            AirflowFailException, match=f"1 of 3 items are already in dataset .*{first}.* Nothing was linked"
        ):
            run(EncordLinkItemsOperator, dataset_id=dataset, folder_id=folder.id, duplicates_behavior="FAIL")
        assert changes(account) == []

    def test_items_that_are_neither_linked_nor_there_are_no_success(self, account: Account, folder: Folder) -> None:
        """What Encord did not link was counted as there before."""
        with account.client() as client:
            dataset = client.create_dataset("Linked").id
        account.emulator.faults([{"match": LINK, "do": {"status": 200, "json": {"status": 200, "response": []}}}])
        with pytest.raises(
            AirflowFailException, match=r"The link has an outcome for 0 created \+ 0 unchanged = 0 of 3 units"
        ):
            run(EncordLinkItemsOperator, dataset_id=dataset, folder_id=folder.id)
