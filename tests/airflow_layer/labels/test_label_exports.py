"""Exports of labels as tasks do them: incremental, in partitions, frozen, and verified; reading changes nothing."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.exports.listing_file import DELETED, FILTERED_OUT
from airflow_provider_encord.exports.manifest import read_manifest
from airflow_provider_encord.operators.labels import (
    EncordExportLabelsPartitionOperator,
    EncordPartitionLabelsOperator,
)
from tests.airflow_layer.bench import Account
from tests.airflow_layer.label_exports import Exports, context


def test_each_night_only_what_changed_is_read(exports: Exports) -> None:
    assert exports.incremental(1)["rows"] == 40
    edited = [row["data_hash"] for row in exports.truth()[3:8]]
    exports.emulator.annotate(exports.project, data_hashes=edited)
    exports.emulator.clear_journal()
    result = exports.incremental(2)
    assert (result["rows"], result["unchanged"], result["removed"]) == (5, 35, 0)
    truth = {row["data_hash"]: row for row in exports.truth()}
    assert exports.rows(2) == [truth[one] for one in edited]
    assert [entry for entry in exports.journal() if entry["changes"]] == []
    whole = {row["data_hash"]: row for row in (*exports.rows(1), *exports.rows(2))}
    assert whole == truth


def test_a_night_without_changes_gives_an_export_of_nothing(exports: Exports) -> None:
    exports.incremental(1)
    result = exports.incremental(2)
    assert (result["rows"], result["shards"], result["unchanged"]) == (0, 0, 40)
    assert exports.verify(2)["mismatches"] == 0


def test_rows_that_change_stage_come_and_go_though_their_time_of_editing_stays(
    account: Account, tmp_path: Path
) -> None:
    exports = Exports(account, tmp_path, rows=8, created=0.0)
    exports.emulator.annotate(exports.project, count=6)
    with account.client() as client:
        rows = client.project(exports.project).rows
        hashes = {one.data_hash: one.label_hash for one in client.project(exports.project).label_rows()}
        done = [row["data_hash"] for row in exports.truth()]
        before = {row["data_hash"]: row["last_edited_at"] for row in exports.truth()}
        rows.complete([hashes[one] or "" for one in done[:3]])
        assert exports.incremental(1, stage="Complete")["rows"] == 3
        rows.reopen([hashes[done[0]] or ""])
        rows.complete([hashes[done[4]] or ""])
        result = exports.incremental(2, stage="Complete")
    assert before == {row["data_hash"]: row["last_edited_at"] for row in exports.truth()}, "a move edits nothing"
    assert [row["data_hash"] for row in exports.rows(2)] == [done[4]]
    assert exports.left(2) == {done[0]: FILTERED_OUT}
    assert (result["rows"], result["removed"], result["unchanged"]) == (1, 1, 2)


def test_data_that_is_taken_out_of_the_project_is_reported(exports: Exports) -> None:
    exports.incremental(1)
    with exports.account.client() as client:
        project = client.project(exports.project)
        project.detach_datasets([dataset.dataset_hash for dataset in project.datasets()])
    assert exports.incremental(2)["removed"] == 40
    assert {*exports.left(2).values()} == {DELETED}


def test_backfills_by_data_interval_are_of_what_was_edited_in_it(exports: Exports) -> None:
    edited = exports.truth()[0]["data_hash"]
    exports.emulator.clock(advance_s=2 * 24 * 3600)
    exports.emulator.annotate(exports.project, data_hashes=[edited])
    today = datetime.datetime.now(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    counts = []
    for day in range(-1, 4):
        start = today + datetime.timedelta(days=day)
        end = start + datetime.timedelta(days=1)
        counts.append(exports.export(day, edited_after=start, edited_before=str(end))["rows"])
    assert counts == [0, 39, 0, 1, 0]


def test_partitions_are_exported_by_mapped_tasks_and_joined(exports: Exports) -> None:
    arguments = {"project_id": exports.project, "destination": str(exports.directory / "day-0")}
    partition = EncordPartitionLabelsOperator(task_id="partition", rows_per_partition=15, **arguments)
    parts = partition.execute(context())
    assert [one["rows"] for one in parts] == [13, 13, 14]
    assert len(json.dumps(parts[0])) < 500
    result = [
        EncordExportLabelsPartitionOperator(task_id="export", partition=part).execute(context())
        for part in reversed(parts)
    ]
    assert [one["manifest"] is None for one in result] == [True, True, False]
    assert [one["rows"] for one in result] == [14, 13, 13]
    assert exports.rows() == exports.truth()
    assert len(exports.journal(query_type="labelrowmetadata")) == 1
    assert partition.execute(context()) == parts
    assert exports.verify()["rows"] == 40


@pytest.mark.parametrize("partition", ["", "None", {"plan_id": "x"}, "{}"])
def test_what_is_no_partition_is_refused(partition: Any) -> None:
    operator = EncordExportLabelsPartitionOperator(task_id="export", partition=partition)
    with pytest.raises(AirflowFailException, match=r"partition: "):
        operator.execute(context())


def _shard(day: Path, number: int) -> Path:
    return day / read_manifest(day).shards[number].name


def _append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"{}\n")


def _swap(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"x"', b'"y"', 1))


OF_ANOTHER_PLAN = "labels-0123abcd-00000-00000-89abcdef.jsonl"


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (lambda day: _shard(day, 1).unlink(), r"labels-\S+-00001-\S+\.jsonl: it is missing"),
        (lambda day: _append(_shard(day, 0)), r"labels-\S+-00000-\S+\.jsonl: it has \d+ bytes"),
        (lambda day: _swap(_shard(day, 2)), r"labels-\S+-00002-\S+\.jsonl: its content has changed"),
        (lambda day: (day / OF_ANOTHER_PLAN).touch(), f"{OF_ANOTHER_PLAN}: the manifest does not list it"),
        (lambda day: (day / read_manifest(day).listing.name).unlink(), r"listing-\S+\.jsonl\.gz: it is missing"),
    ],
)
def test_verifying_names_each_file_that_is_not_as_the_manifest_says(exports: Exports, harm: Any, named: str) -> None:
    exports.export(max_shard_bytes=30_000)
    assert exports.verify() == {
        "manifest": f"file://{exports.directory}/day-0/manifest.json",
        "rows": 40,
        "mismatches": 0,
        "report": None,
    }
    harm(exports.directory / "day-0")
    with pytest.raises(AirflowFailException, match=named):
        exports.verify()
    report = exports.directory / "report.jsonl"
    assert exports.verify(on_error="report", report=str(report))["mismatches"] == 1
    assert len(report.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    "content", ["my own\n", '{"source": "a", "error": "b", "mine": 1}\n', '{"a": 1}\n', "\n", "[" * 5000]
)
def test_verifying_replaces_no_file_that_is_not_its_own_report(exports: Exports, content: str) -> None:
    exports.export()
    own = exports.directory / "own.jsonl"
    own.write_text(content)
    with pytest.raises(AirflowFailException, match=r"report: .*own\.jsonl is not a report of a verification; line 1"):
        exports.verify(report=str(own))
    assert own.read_text() == content


@pytest.mark.parametrize("name", ["manifest.json", "plan.json", "labels-*", "listing-*", "new.jsonl"])
def test_verifying_writes_no_report_into_the_export(exports: Exports, name: str) -> None:
    exports.export()
    day = exports.directory / "day-0"
    (exports.directory / "link").symlink_to(day)
    before = {path.name: path.read_bytes() for path in day.iterdir()}
    name = next((one for one in before if Path(one).match(name)), name)
    for place in (day, exports.directory / "link"):
        with pytest.raises(AirflowFailException, match=r"report: .* is in the directory of the export"):
            exports.verify(report=str(place / name))
    assert {path.name: path.read_bytes() for path in day.iterdir()} == before


def test_verifying_replaces_its_earlier_report(exports: Exports) -> None:
    exports.export()
    report = exports.directory / "report.jsonl"
    shard = _shard(exports.directory / "day-0", 0)
    content = shard.read_bytes()
    shard.unlink()
    exports.verify(on_error="report", report=str(report))
    assert report.stat().st_size
    shard.write_bytes(content)
    for _ in range(2):  # over one with a line, and over an empty one
        exports.verify(report=str(report))
        assert not report.stat().st_size


def test_rows_that_a_manifest_counts_wrongly_are_named(exports: Exports) -> None:
    exports.export()
    path = exports.directory / "day-0" / "manifest.json"
    result = json.loads(path.read_bytes())
    result["counts"]["exported"] = 39
    path.write_text(json.dumps(result))
    with pytest.raises(AirflowFailException, match=r"manifest\.json: its files have 40 rows"):
        exports.verify()


@pytest.mark.parametrize("format_", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_verifying_against_encord_names_each_row_that_differs(exports: Exports, format_: str) -> None:
    exports.export(format=format_)
    for against in ("listing", "content"):
        assert exports.verify(check=against)["mismatches"] == 0
    edited = exports.truth()[7]
    exports.emulator.annotate(exports.project, data_hashes=[edited["data_hash"]])
    with pytest.raises(AirflowFailException, match=rf"{edited['label_hash']} .*: it was edited since"):
        exports.verify(check="listing")
    with pytest.raises(AirflowFailException, match=rf"{edited['label_hash']} .*: its labels differ"):
        exports.verify(check="content")
    assert not [entry for entry in exports.journal() if entry["changes"]]


def test_what_is_not_there_cannot_be_verified(exports: Exports) -> None:
    with pytest.raises(AirflowFailException, match=r"no complete export in .*day-0"):
        exports.verify()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "csv"}, "format: 'csv' is not one of"),
        ({"incremental": "perhaps"}, "incremental: 'perhaps'"),
        ({"incremental": True, "edited_after": "2026-01-01"}, "edited_after, incremental"),
        ({"incremental": True, "lookback_seconds": -1}, "lookback_seconds: "),
        ({"all_branches": True, "branch": "b"}, "branch, all_branches"),
        ({"shadow_data": "SOME"}, "shadow_data: 'SOME' is not one of"),
        ({"label_hashes": ["x"]}, "label_hashes: "),
        ({"max_concurrency": 11}, "max_concurrency: "),
    ],
)
def test_wrong_arguments_of_an_export_are_named_before_anything_is_sent(
    exports: Exports, arguments: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(AirflowFailException, match=message):
        exports.export(**arguments)
    assert exports.journal() == []


def test_rows_of_all_branches_are_exported_together(exports: Exports) -> None:
    with exports.account.client() as client:
        rows = client.project(exports.project)
        hashes = [one.label_hash or "" for one in rows.label_rows()][:4]
        rows.rows.copy_to_branch(hashes, target="second")
    exports.export(0, all_branches=True)
    assert [row["branch_name"] for row in exports.rows()].count("second") == 4
    assert len(exports.rows()) == 44
