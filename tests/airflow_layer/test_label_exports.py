"""Exports of labels as tasks do them: incremental, in partitions, frozen, and verified; reading changes nothing."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.assets import labels_uri
from airflow_provider_encord.export.listing_file import FILTER, GONE, read_rows
from airflow_provider_encord.export.manifest import read_manifest
from airflow_provider_encord.operators.labels import (
    EncordExportLabelsOperator,
    EncordPartitionLabelsOperator,
    EncordVerifyExportOperator,
)
from airflow_provider_encord.operators.labels.lineage import _place
from tests.airflow_layer.bench import Account

READS = {"query_type": "labelrow", "query_method": "GET"}
MONDAY = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)


class Exports:
    """Exports of one project, a directory for each day."""

    def __init__(self, account: Account, directory: Path, **project: Any):
        self.account, self.emulator, self.directory = account, account.emulator, directory
        self.project = account.project(**{"rows": 40, "created": 1.0, **project})["project_hash"]
        self.emulator.clear_journal()

    def export(self, day: int = 0, **arguments: Any) -> dict[str, Any]:
        arguments = {"project": self.project, "destination": str(self.directory / f"day-{day}"), **arguments}
        told: dict[str, Any] = EncordExportLabelsOperator(task_id="export", **arguments).execute(context(day))
        return told

    def incremental(self, day: int, **arguments: Any) -> dict[str, Any]:
        return self.export(day, incremental=True, overlap=0.001, **arguments)

    def verify(self, day: int = 0, **arguments: Any) -> dict[str, Any]:
        arguments = {"manifest": str(self.directory / f"day-{day}"), **arguments}
        told: dict[str, Any] = EncordVerifyExportOperator(task_id="verify", **arguments).execute(context(day))
        return told

    def rows(self, day: int = 0) -> list[dict[str, Any]]:
        directory = self.directory / f"day-{day}"
        shards = [directory / shard.name for shard in read_manifest(directory).shards]
        return [json.loads(line) for shard in shards for line in shard.read_text().splitlines()]

    def left(self, day: int) -> dict[str, Any]:
        directory = self.directory / f"day-{day}"
        left = read_manifest(directory).left
        return {row.data_hash: why for row, why in read_rows(directory, left)} if left else {}

    def truth(self) -> list[dict[str, Any]]:
        return self.emulator.labels(self.project)

    def journal(self, **match: str) -> list[dict[str, Any]]:
        entries = self.emulator.journal()
        return [one for one in entries if all(one[name] == value for name, value in match.items())]


def context(day: int = 0, **more: Any) -> Any:
    """What Airflow tells a task of its run, as far as operators look."""
    date = MONDAY + datetime.timedelta(days=day)
    return {"logical_date": date, "data_interval_end": date + datetime.timedelta(days=1), **more}


@pytest.fixture
def exports(account: Account, tmp_path: Path) -> Exports:
    return Exports(account, tmp_path)


def test_each_night_only_what_changed_is_read(exports: Exports) -> None:
    assert exports.incremental(1)["rows"] == 40
    edited = [row["data_hash"] for row in exports.truth()[3:8]]
    exports.emulator.annotate(exports.project, data_hashes=edited)
    exports.emulator.clear_journal()
    told = exports.incremental(2)
    assert (told["rows"], told["unchanged"], told["left"]) == (5, 35, 0)
    truth = {row["data_hash"]: row for row in exports.truth()}
    assert exports.rows(2) == [truth[one] for one in edited]
    assert [one for one in exports.journal() if one["changes"]] == []
    whole = {row["data_hash"]: row for row in (*exports.rows(1), *exports.rows(2))}
    assert whole == truth


def test_a_night_without_changes_gives_an_export_of_nothing(exports: Exports) -> None:
    exports.incremental(1)
    told = exports.incremental(2)
    assert (told["rows"], told["shards"], told["unchanged"]) == (0, 0, 40)
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
        told = exports.incremental(2, stage="Complete")
    assert before == {row["data_hash"]: row["last_edited_at"] for row in exports.truth()}, "a move edits nothing"
    assert [row["data_hash"] for row in exports.rows(2)] == [done[4]]
    assert exports.left(2) == {done[0]: FILTER}
    assert (told["rows"], told["left"], told["unchanged"]) == (1, 1, 2)


def test_data_that_is_taken_out_of_the_project_is_told(exports: Exports) -> None:
    exports.incremental(1)
    with exports.account.client() as client:
        project = client.project(exports.project)
        project.detach_datasets([one.dataset_hash for one in project.datasets()])
    assert exports.incremental(2)["left"] == 40
    assert {*exports.left(2).values()} == {GONE}


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
    arguments = {"project": exports.project, "destination": str(exports.directory / "day-0")}
    partition = EncordPartitionLabelsOperator(task_id="partition", rows_per_partition=15, **arguments)
    parts = partition.execute(context())
    assert [one["rows"] for one in parts] == [13, 13, 14]
    assert len(json.dumps(parts[0])) < 500
    told = [EncordExportLabelsOperator(task_id="export", partition=one).execute(context()) for one in reversed(parts)]
    assert [one["manifest"] is None for one in told] == [True, True, False]
    assert [one["rows"] for one in told] == [14, 13, 13]
    assert exports.rows() == exports.truth()
    assert len(exports.journal(query_type="labelrowmetadata")) == 1
    assert partition.execute(context()) == parts
    assert exports.verify()["rows"] == 40


def test_a_partition_takes_no_destination(exports: Exports) -> None:
    operator = EncordExportLabelsOperator(task_id="export", partition={"plan": "x"}, destination="/tmp/x")
    with pytest.raises(AirflowFailException, match="destination, partition"):
        operator.execute(context())


class Events:
    """The events of a task's outlets, as Airflow hands them to it."""

    def __init__(self) -> None:
        self.extra: dict[str, Any] = {}

    def __getitem__(self, outlet: Any) -> Events:
        return self


def test_the_labels_asset_hears_of_counts_watermark_and_manifest(exports: Exports) -> None:
    from airflow.providers.common.compat.sdk import Asset

    asset, events = Asset(uri=labels_uri(exports.emulator.url, exports.project)), Events()
    operator = EncordExportLabelsOperator(
        task_id="export", project=exports.project, destination=str(exports.directory / "x"), outlets=[asset]
    )
    told = operator.execute(context(outlet_events=events))
    assert {name: events.extra[name] for name in told} == told
    assert events.extra["watermark"]
    assert events.extra["run"] == MONDAY.isoformat()


class Outlets(dict[Any, Any]):
    """Events by outlet, as Airflow keeps them; of an alias those that were added."""

    def __missing__(self, outlet: Any) -> Any:
        self[outlet] = events = Events()
        events.added = []
        events.add = lambda asset, extra: events.added.append((asset.uri, extra))
        return events


def test_a_night_without_changes_makes_no_event_of_an_alias_and_says_so_to_the_asset(exports: Exports) -> None:
    """Fault 8.6."""
    from airflow.providers.common.compat.sdk import Asset, AssetAlias

    alias, asset = AssetAlias("labels"), Asset(uri=labels_uri(exports.emulator.url, exports.project))

    def night(day: int) -> Outlets:
        outlets = Outlets()
        operator = EncordExportLabelsOperator(
            task_id="export",
            project=exports.project,
            destination=str(exports.directory / f"day-{day}"),
            incremental=True,
            overlap=0.001,
            outlets=[alias, asset],
        )
        operator.execute(context(day, outlet_events=outlets))
        return outlets

    first = night(1)
    assert [uri for uri, _ in first[alias].added] == [asset.uri]
    second = night(2)
    assert (second[alias].added if alias in second else []) == []
    assert (second[asset].extra["rows"], second[asset].extra["left"], second[asset].extra["unchanged"]) == (0, 0, 40)


def test_an_outlet_of_another_host_is_warned_of_with_both_uris(exports: Exports, capsys: Any, caplog: Any) -> None:
    """Fault 8.6."""
    from airflow.providers.common.compat.sdk import Asset

    ours = labels_uri(exports.emulator.url, exports.project)
    theirs = labels_uri("api.encord.com", exports.project)
    operator = EncordExportLabelsOperator(
        task_id="export",
        project=exports.project,
        destination=str(exports.directory / "x"),
        outlets=[Asset(uri=theirs), Asset(uri=labels_uri("api.encord.com", exports.project, "other"))],
    )
    operator.execute(context(outlet_events=Outlets()))
    told = _logged(capsys, caplog)
    (warning,) = (line for line in told.splitlines() if "gets an event without counts" in line)
    assert theirs in warning
    assert ours in warning


def _logged(capsys: Any, caplog: Any) -> str:
    """What an operator logged: printed by Airflow 3 outside of a task, and a record in Airflow 2."""
    printed = capsys.readouterr()
    return str(printed.out + printed.err + caplog.text)


def test_of_an_export_in_parts_the_event_comes_from_the_task_that_verifies(exports: Exports) -> None:
    """Fault 15.1."""
    from airflow.providers.common.compat.sdk import Asset, AssetAlias

    asset, alias = Asset(uri=labels_uri(exports.emulator.url, exports.project)), AssetAlias("labels")
    partition = EncordPartitionLabelsOperator(
        task_id="partition",
        project=exports.project,
        destination=str(exports.directory / "day-0"),
        rows_per_partition=15,
    )
    parts = partition.execute(context())
    added = []
    for part in parts:
        outlets = Outlets()
        operator = EncordExportLabelsOperator(task_id="export", partition=part, outlets=[alias])
        operator.execute(context(outlet_events=outlets))
        added += outlets[alias].added if alias in outlets else []
    assert len(added) == 1, "only the part that ends the export makes an event of an alias"
    events = Events()
    verify = EncordVerifyExportOperator(task_id="verify", manifest=str(exports.directory / "day-0"), outlets=[asset])
    verify.execute(context(outlet_events=events))
    assert (events.extra["rows"], events.extra["run"]) == (40, MONDAY.isoformat())
    assert events.extra["manifest"].endswith("day-0/manifest.json")


def test_a_part_that_is_not_the_last_warns_of_its_outlets(exports: Exports, capsys: Any, caplog: Any) -> None:
    """Fault 15.1."""
    from airflow.providers.common.compat.sdk import Asset

    asset = Asset(uri=labels_uri(exports.emulator.url, exports.project))
    partition = EncordPartitionLabelsOperator(
        task_id="partition", project=exports.project, destination=str(exports.directory / "x"), rows_per_partition=15
    )
    part = partition.execute(context())[0]
    operator = EncordExportLabelsOperator(task_id="export", partition=part, outlets=[asset])
    operator.execute(context(outlet_events=Outlets()))
    assert "them to the task that ends the export" in _logged(capsys, caplog)


@pytest.mark.parametrize(
    ("directory", "place"),
    [
        ("s3://connection@bucket/a#b/c?d", ("s3://bucket", "a#b/c?d")),
        ("file:///data/a#b", ("file", "/data/a#b")),
        ("gs://bucket/x", ("gs://bucket", "x")),
    ],
)
def test_the_place_of_files_is_not_cut_at_a_sign(directory: str, place: tuple[str, str]) -> None:
    """Fault 15.3."""
    assert _place(directory) == place


def test_a_failed_task_has_an_empty_lineage() -> None:
    """Fault 15.3: with None the provider logs that metadata is not valid."""
    extractors = pytest.importorskip("airflow.providers.openlineage.extractors")
    operator = EncordExportLabelsOperator(task_id="export", destination="/data/x")
    assert operator.get_openlineage_facets_on_complete(None) == extractors.OperatorLineage()


def test_without_the_openlineage_provider_nothing_raises() -> None:
    """Fault 15.3."""
    script = (
        "import sys; sys.modules['airflow.providers.openlineage.extractors'] = None;"
        "from airflow_provider_encord.operators.labels import EncordExportLabelsOperator as Export;"
        "print(Export(task_id='export', destination='/data/x').get_openlineage_facets_on_complete(None))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "None"


class Collector:
    """Stands in for what Airflow collects of the files that its paths open."""

    def __init__(self) -> None:
        self.files: list[str] = []

    def add_output_asset(self, *_: Any, uri: str = "", **__: Any) -> None:
        self.files.append(uri)

    add_input_asset = add_output_asset


def test_no_unfinished_file_is_reported_as_a_data_set(exports: Exports, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 15.3: Airflow's paths report each file that they open."""
    lineage, collector = pytest.importorskip("airflow.sdk.lineage"), Collector()
    monkeypatch.setattr(lineage, "get_hook_lineage_collector", lambda: collector)
    exports.export(destination=f"file://{exports.directory}/day-0")
    assert any("labels-" in one for one in collector.files)
    assert [one for one in collector.files if one.endswith(".unfinished")] == []


def test_lineage_goes_from_the_labels_to_the_files_with_their_counts(exports: Exports) -> None:
    pytest.importorskip("airflow.providers.openlineage.extractors")
    operator = EncordExportLabelsOperator(
        task_id="export", project=exports.project, destination=str(exports.directory / "x")
    )
    told = operator.execute(context())
    lineage = operator.get_openlineage_facets_on_complete(None)
    (labels,), (files,) = lineage.inputs, lineage.outputs
    assert f"{labels.namespace}/{labels.name}" == labels_uri(exports.emulator.url, exports.project)
    assert (files.namespace, files.name) == ("file", f"{exports.directory}/x")
    counts = files.outputFacets["outputStatistics"]
    assert (counts.rowCount, counts.size, counts.fileCount) == (40, told["bytes"], told["shards"])


def _shard(day: Path, number: int) -> Path:
    return day / read_manifest(day).shards[number].name


def _append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"{}\n")


def _swap(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"x"', b'"y"', 1))


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (lambda day: _shard(day, 1).unlink(), r"labels-\S+-00001-\S+\.jsonl: it is missing"),
        (lambda day: _append(_shard(day, 0)), r"labels-\S+-00000-\S+\.jsonl: it has \d+ bytes"),
        (lambda day: _swap(_shard(day, 2)), r"labels-\S+-00002-\S+\.jsonl: its content is another"),
        (lambda day: (day / "labels-00099.jsonl").touch(), r"labels-00099\.jsonl: the manifest does not name it"),
        (lambda day: (day / read_manifest(day).listing.name).unlink(), r"listing-\S+\.jsonl\.gz: it is missing"),
    ],
)
def test_verifying_names_each_file_that_is_not_as_the_manifest_says(exports: Exports, harm: Any, named: str) -> None:
    exports.export(shard_bytes=30_000)
    assert exports.verify() == {
        "manifest": f"file://{exports.directory}/day-0/manifest.json",
        "rows": 40,
        "mismatches": 0,
        "receipt": None,
    }
    harm(exports.directory / "day-0")
    with pytest.raises(AirflowFailException, match=named):
        exports.verify()
    receipt = exports.directory / "receipt.jsonl"
    assert exports.verify(on_error="report", receipt=str(receipt))["mismatches"] == 1
    assert len(receipt.read_text().splitlines()) == 1


def test_rows_that_a_manifest_counts_wrongly_are_named(exports: Exports) -> None:
    exports.export()
    path = exports.directory / "day-0" / "manifest.json"
    told = json.loads(path.read_bytes())
    told["counts"]["exported"] = 39
    path.write_text(json.dumps(told))
    with pytest.raises(AirflowFailException, match=r"manifest\.json: its files have 40 rows"):
        exports.verify()


@pytest.mark.parametrize("format_", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_verifying_against_encord_names_each_row_that_differs(exports: Exports, format_: str) -> None:
    exports.export(format=format_)
    for against in ("listing", "content"):
        assert exports.verify(against=against)["mismatches"] == 0
    edited = exports.truth()[7]
    exports.emulator.annotate(exports.project, data_hashes=[edited["data_hash"]])
    with pytest.raises(AirflowFailException, match=rf"{edited['label_hash']} .*: it was edited since"):
        exports.verify(against="listing")
    with pytest.raises(AirflowFailException, match=rf"{edited['label_hash']} .*: its labels are not those"):
        exports.verify(against="content")
    assert not [one for one in exports.journal() if one["changes"]]


def test_what_is_not_there_cannot_be_verified(exports: Exports) -> None:
    with pytest.raises(AirflowFailException, match=r"no whole export in .*day-0"):
        exports.verify()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "csv"}, "format: 'csv' is none of"),
        ({"incremental": "perhaps"}, "incremental: 'perhaps'"),
        ({"incremental": True, "edited_after": "2026-01-01"}, "edited_after, incremental"),
        ({"incremental": True, "overlap": -1}, "overlap: "),
        ({"all_branches": True, "branch": "b"}, "branch, all_branches"),
        ({"shadow_data": "SOME"}, "shadow_data: 'SOME' is none of"),
        ({"label_hashes": ["x"]}, "label_hashes: "),
        ({"parallel_reads": 11}, "parallel_reads: "),
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
