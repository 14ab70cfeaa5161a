"""Exports of the label rows whose data are in a collection."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.exports.listing_file import FILTERED_OUT
from airflow_provider_encord.exports.manifest import read_manifest
from airflow_provider_encord.operators.labels import (
    EncordExportLabelsPartitionOperator,
    EncordPartitionLabelsOperator,
)
from tests.airflow_layer.bench import Account
from tests.airflow_layer.label_exports import Exports, context


class Chosen:
    """A collection of the data of a project."""

    def __init__(self, exports: Exports):
        self._account = exports.account
        with self._account.client() as client:
            rows = list(client.project(exports.project).label_rows())
            self.items = {row.data_hash: str(row.backing_item_uuid) for row in rows}
            folder = client.items([*self.items.values()][:1])[0].parent
            self.id = client.create_collection(folder, "Chosen").id

    def add(self, *data_hashes: str) -> None:
        with self._account.client() as client:
            client.collection(self.id).add_items([self.items[one] for one in data_hashes])

    def remove(self, *data_hashes: str) -> None:
        with self._account.client() as client:
            client.collection(self.id).remove_items([self.items[one] for one in data_hashes])

    def delete(self) -> None:
        with self._account.client() as client:
            client.collection(self.id).delete()


@pytest.fixture
def chosen(exports: Exports) -> Chosen:
    return Chosen(exports)


def hashes(exports: Exports) -> list[str]:
    return [row["data_hash"] for row in exports.truth()]


def exported(exports: Exports, day: int = 0) -> list[str]:
    return [row["data_hash"] for row in exports.rows(day)]


def test_only_rows_of_the_collection_are_exported_and_page_by_page(exports: Exports, chosen: Chosen) -> None:
    wanted = hashes(exports)[::3]
    chosen.add(*wanted)
    exports.emulator.limits(page_size=5)
    exports.emulator.clear_journal()
    try:
        result = exports.export(collection_id=chosen.id)
    finally:
        exports.emulator.limits(page_size=100)
    assert result["rows"] == len(wanted)
    assert exported(exports) == wanted
    assert exports.verify()["mismatches"] == 0
    assert [entry for entry in exports.journal() if entry["changes"]] == []
    assert read_manifest(exports.directory / "day-0").filters.collection_id == chosen.id


def test_the_collection_and_other_filters_both_hold(exports: Exports, chosen: Chosen) -> None:
    every = hashes(exports)
    chosen.add(*every[:4])
    result = exports.export(collection_id=chosen.id.upper(), data_hashes=every[2:6])
    assert (result["rows"], exported(exports)) == (2, every[2:4])


def test_a_history_follows_the_collection(exports: Exports, chosen: Chosen) -> None:
    every = hashes(exports)
    chosen.add(*every[:4])
    assert exports.incremental(1, collection_id=chosen.id)["rows"] == 4
    chosen.remove(every[0])
    chosen.add(every[5])
    exports.emulator.annotate(exports.project, data_hashes=[every[1], every[7]])
    result = exports.incremental(2, collection_id=chosen.id)
    assert (result["rows"], result["unchanged"], result["removed"]) == (2, 2, 1)
    assert exported(exports, 2) == sorted([every[1], every[5]])
    assert exports.left(2) == {every[0]: FILTERED_OUT}


def test_the_plan_keeps_its_rows_when_the_collection_changes_or_is_deleted(exports: Exports, chosen: Chosen) -> None:
    every = hashes(exports)
    chosen.add(*every[:6])
    arguments = {"project_id": exports.project, "destination": str(exports.directory / "day-0")}
    parts = EncordPartitionLabelsOperator(
        task_id="plan", rows_per_partition=2, collection_id=chosen.id, **arguments
    ).execute(context())
    assert len(parts) == 3
    chosen.add(every[9])
    for part in parts[:2]:
        EncordExportLabelsPartitionOperator(task_id="part", partition=part).execute(context())
    chosen.delete()
    EncordExportLabelsPartitionOperator(task_id="part", partition=parts[2]).execute(context())
    assert exported(exports) == every[:6]


def test_an_empty_collection_selects_nothing(
    exports: Exports, chosen: Chosen, caplog: pytest.LogCaptureFixture
) -> None:
    assert exports.export(collection_id=chosen.id)["rows"] == 0
    assert "Nothing to export" in caplog.text


def test_a_collection_that_does_not_exist_is_named(exports: Exports, chosen: Chosen) -> None:
    chosen.add(hashes(exports)[0])
    assert exports.incremental(1, collection_id=chosen.id)["rows"] == 1
    chosen.delete()
    with pytest.raises(AirflowFailException, match=f"collection_id: the collection {chosen.id} does not exist"):
        exports.incremental(2, collection_id=chosen.id)
    assert not (exports.directory / "day-2").exists()


@pytest.mark.parametrize("wrong", ["Chosen", "None", ["a"]])
def test_what_is_no_id_is_refused_before_anything_is_asked(exports: Exports, wrong: object) -> None:
    with pytest.raises(AirflowFailException, match="collection_id"):
        exports.export(collection_id=wrong)
    assert exports.journal() == []


def test_an_api_key_is_refused_before_anything_is_asked(
    account: Account, exports: Exports, chosen: Chosen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ENCORD_API_KEY", account.api_key_connection(exports.project))
    exports.emulator.clear_journal()
    with pytest.raises(AirflowFailException, match="collection_id: an API key cannot read collections"):
        exports.export(collection_id=chosen.id, project_id=None, encord_conn_id="encord_api_key")
    assert exports.journal() == []


def test_manifests_and_plans_without_a_collection_are_as_they_were(exports: Exports, tmp_path: Path) -> None:
    """A manifest of an older version has no such filter, and is the same export."""
    exports.export()
    path = exports.directory / "day-0" / "manifest.json"
    written = path.read_text()
    content = json.loads(written)
    assert content["filters"].pop("collection_id") is None
    path.write_text(json.dumps(content))
    exports.emulator.clear_journal()
    assert exports.export()["rows"] == 40
    assert exports.journal(query_type="labelrow") == []
    path.write_text(written)
