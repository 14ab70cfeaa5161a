"""What assets and OpenLineage are given of an export: events with counts, and where the files are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_encord.assets import labels_uri
from airflow_provider_encord.operators.labels import (
    EncordExportLabelsOperator,
    EncordExportLabelsPartitionOperator,
    EncordPartitionLabelsOperator,
    EncordVerifyExportOperator,
)
from airflow_provider_encord.operators.labels.lineage import _place
from tests.airflow_layer.label_exports import MONDAY, Exports, context
from tests.airflow_layer.outlet_events import OutletEvents


def test_the_labels_asset_hears_of_counts_watermark_and_manifest(exports: Exports) -> None:
    from airflow.providers.common.compat.sdk import Asset

    asset, events = Asset(uri=labels_uri(exports.emulator.url, exports.project)), OutletEvents()
    operator = EncordExportLabelsOperator(
        task_id="export", project_id=exports.project, destination=str(exports.directory / "x"), outlets=[asset]
    )
    result = operator.execute(context(outlet_events=events))
    assert {name: events[asset].extra[name] for name in result} == result
    assert events[asset].extra["watermark"]
    assert events[asset].extra["logical_date"] == MONDAY.isoformat()


def test_a_night_without_changes_makes_no_event_of_an_alias_and_says_so_to_the_asset(exports: Exports) -> None:
    """Fault 8.6."""
    from airflow.providers.common.compat.sdk import Asset, AssetAlias

    alias, asset = AssetAlias("labels"), Asset(uri=labels_uri(exports.emulator.url, exports.project))

    def night(day: int) -> OutletEvents:
        outlets = OutletEvents()
        operator = EncordExportLabelsOperator(
            task_id="export",
            project_id=exports.project,
            destination=str(exports.directory / f"day-{day}"),
            incremental=True,
            lookback_seconds=0.001,
            outlets=[alias, asset],
        )
        operator.execute(context(day, outlet_events=outlets))
        return outlets

    first = night(1)
    assert [uri for uri, _ in first[alias].added] == [asset.uri]
    second = night(2)
    assert (second[alias].added if alias in second else []) == []
    assert (second[asset].extra["rows"], second[asset].extra["removed"], second[asset].extra["unchanged"]) == (0, 0, 40)


def test_an_outlet_of_another_host_is_warned_of_with_both_uris(exports: Exports, logged: Callable[[], str]) -> None:
    """Fault 8.6."""
    from airflow.providers.common.compat.sdk import Asset

    ours = labels_uri(exports.emulator.url, exports.project)
    theirs = labels_uri("api.encord.com", exports.project)
    operator = EncordExportLabelsOperator(
        task_id="export",
        project_id=exports.project,
        destination=str(exports.directory / "x"),
        outlets=[Asset(uri=theirs), Asset(uri=labels_uri("api.encord.com", exports.project, "other"))],
    )
    operator.execute(context(outlet_events=OutletEvents()))
    (warning,) = (line for line in logged().splitlines() if "has no counts" in line)
    assert theirs in warning
    assert ours in warning


def test_of_an_export_in_parts_the_event_comes_from_the_task_that_verifies(exports: Exports) -> None:
    """Fault 15.1."""
    from airflow.providers.common.compat.sdk import Asset, AssetAlias

    asset, alias = Asset(uri=labels_uri(exports.emulator.url, exports.project)), AssetAlias("labels")
    partition = EncordPartitionLabelsOperator(
        task_id="partition",
        project_id=exports.project,
        destination=str(exports.directory / "day-0"),
        rows_per_partition=15,
    )
    parts = partition.execute(context())
    added = []
    for part in parts:
        outlets = OutletEvents()
        operator = EncordExportLabelsPartitionOperator(task_id="export", partition=part, outlets=[alias])
        operator.execute(context(outlet_events=outlets))
        added += outlets[alias].added if alias in outlets else []
    assert len(added) == 1, "only the part that ends the export makes an event of an alias"
    events = OutletEvents()
    verify = EncordVerifyExportOperator(task_id="verify", manifest=str(exports.directory / "day-0"), outlets=[asset])
    verify.execute(context(outlet_events=events))
    assert (events[asset].extra["rows"], events[asset].extra["logical_date"]) == (40, MONDAY.isoformat())
    assert events[asset].extra["manifest"].endswith("day-0/manifest.json")


def test_a_part_that_is_not_the_last_warns_of_its_outlets(exports: Exports, logged: Callable[[], str]) -> None:
    """Fault 15.1."""
    from airflow.providers.common.compat.sdk import Asset

    asset = Asset(uri=labels_uri(exports.emulator.url, exports.project))
    partition = EncordPartitionLabelsOperator(
        task_id="partition", project_id=exports.project, destination=str(exports.directory / "x"), rows_per_partition=15
    )
    part = partition.execute(context())[0]
    operator = EncordExportLabelsPartitionOperator(task_id="export", partition=part, outlets=[asset])
    operator.execute(context(outlet_events=OutletEvents()))
    assert "the outlets to the task that runs after the export" in logged()


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
    assert any("labels-" in file for file in collector.files)
    assert [one for one in collector.files if one.endswith(".unfinished")] == []


def test_lineage_goes_from_the_labels_to_the_files_with_their_counts(exports: Exports) -> None:
    pytest.importorskip("airflow.providers.openlineage.extractors")
    operator = EncordExportLabelsOperator(
        task_id="export", project_id=exports.project, destination=str(exports.directory / "x")
    )
    result = operator.execute(context())
    lineage = operator.get_openlineage_facets_on_complete(None)
    (labels,), (files,) = lineage.inputs, lineage.outputs
    assert f"{labels.namespace}/{labels.name}" == labels_uri(exports.emulator.url, exports.project)
    assert (files.namespace, files.name) == ("file", f"{exports.directory}/x")
    counts = files.outputFacets["outputStatistics"]
    assert (counts.rowCount, counts.size, counts.fileCount) == (40, result["bytes"], result["shards"])
