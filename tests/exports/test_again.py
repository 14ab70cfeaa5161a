"""An export that is asked for again: a whole one is not made again, a begun one is continued, nothing is mixed."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.file_names import PLAN
from airflow_provider_encord.exports.labels import ExportSpec, export_labels, plan_export
from airflow_provider_encord.exports.manifest import MANIFEST, Layout, Manifest, read_manifest
from airflow_provider_encord.exports.partitions import export_partition, partition_of, plan_partitions
from airflow_provider_encord.exports.plan import Plan, ranges
from airflow_provider_encord.exports.reading import ReadOptions
from tests.exports.bench import QUESTION, Encord, export, files, lines, names, units

MONDAY, TUESDAY = "2026-11-23T00:00:00+00:00", "2026-11-24T00:00:00+00:00"


class Killed(BaseException):
    """Not an error: nothing handles it, as nothing handles SIGKILL."""


def _export(directory: Path, server: Encord | None = None, run: str | None = MONDAY, **more: Any) -> Manifest:
    server = server or Encord(units(20))
    return export(
        server.client(),
        QUESTION,
        directory,
        logical_date=run,
        max_shard_bytes=500,
        batch_size=2,
        max_concurrency=1,
        **more,
    )


def test_a_whole_export_of_the_same_logical_date_is_not_made_again(tmp_path):
    first = _export(tmp_path)
    again = Encord(units(20))
    assert _export(tmp_path, again) == first
    assert again.asked == []


@pytest.mark.parametrize(
    "other", [{"run": TUESDAY}, {"run": None}, {"overwrite": True}, {"format": "jsonl.gz"}], ids=lambda one: str([*one])
)
def test_what_differs_from_a_whole_export_is_made_again(tmp_path, other):
    first = _export(tmp_path)
    again = Encord(units(20))
    assert _export(tmp_path, again, **other).plan_id != first.plan_id
    assert len(again.asked) > 1


@pytest.mark.parametrize("read", [*range(1, 11)])
def test_what_was_killed_is_continued_and_ends_with_the_same_files(tmp_path, read):
    _export(tmp_path / "undisturbed")
    with pytest.raises(Killed):
        _export(tmp_path / "killed", Encord(units(20), fails_at=read, failure=Killed()))
    whole_shards = len(files(tmp_path / "killed"))  # the open one was removed; a real kill leaves it
    again = Encord(units(20))
    manifest = _export(tmp_path / "killed", again)
    assert files(tmp_path / "killed") == files(tmp_path / "undisturbed")
    assert not [one for one in again.asked if one.query_type == "labelrowmetadata"], "the listing is kept to"
    kept = sum(shard.rows for shard in manifest.shards[:whole_shards])
    assert sum(again.reads) == 20 - kept, "rows in whole shards are not read again"
    assert manifest.counts.exported == 20


def test_rows_that_come_in_after_a_kill_wait_for_the_next_export(tmp_path):
    with pytest.raises(Killed):
        _export(tmp_path, Encord(units(20), fails_at=4, failure=Killed()))
    assert _export(tmp_path, Encord(units(30))).counts.exported == 20


def test_what_another_logical_date_began_is_not_continued(tmp_path):
    with pytest.raises(Killed):
        _export(tmp_path, Encord(units(20), fails_at=9, failure=Killed()))
    assert _export(tmp_path, Encord(units(30)), run=TUESDAY).counts.exported == 30
    assert names(tmp_path) == [shard.name for shard in read_manifest(tmp_path).shards]


def test_a_whole_export_leaves_no_plan(tmp_path):
    manifest = _export(tmp_path)
    assert manifest.listing
    assert {path.name for path in tmp_path.iterdir()} == {
        MANIFEST,
        manifest.listing.name,
        *(shard.name for shard in manifest.shards),
    }


def test_a_missing_row_is_reported_once_though_the_export_was_killed(tmp_path):
    rows = units(20)
    gone = frozenset({rows[1].label_hash or ""})
    with pytest.raises(Killed):
        _export(tmp_path, Encord(rows, gone=gone, fails_at=9, failure=Killed()))
    manifest = _export(tmp_path, Encord(rows, gone=gone))
    assert [row.label_hash for row in manifest.not_found] == [*gone]
    assert (manifest.counts.exported, manifest.counts.with_labels) == (19, 20)


@pytest.mark.parametrize(
    ("rows", "parts", "expected"),
    [
        (0, 1, [(0, 0)]),
        (5, 1, [(0, 5)]),
        (5, 2, [(0, 2), (2, 5)]),
        (3, 9, [(0, 1), (1, 2), (2, 3)]),
        (0, 9, [(0, 0)]),
    ],
)
def test_parts_are_of_nearly_the_same_size_and_together_all(rows, parts, expected):
    assert [(one.start, one.stop) for one in ranges(rows, parts)] == expected


class Mapped:
    """An export in parts, as mapped tasks do it."""

    def __init__(self, directory: Path, rows: int = 20, **more: Any):
        self.directory = directory
        self.spec = ExportSpec(selection=QUESTION, layout=Layout(max_shard_bytes=500), logical_date=MONDAY, **more)
        self.server = Encord(units(rows))

    def plan(self, rows_per_partition: int = 6, most: int = 1000) -> list[Any]:
        return plan_partitions(
            self.server.client(), self.spec, self.directory, rows_per_partition=rows_per_partition, most=most
        )

    def export(self, partition: Any, **server: Any) -> Any:
        client = Encord(self.server.units, **server).client()
        return export_partition(client, partition, self.directory, ReadOptions(batch_size=2, max_concurrency=1))


def test_the_task_that_finishes_last_joins_the_partitions_and_they_hold_what_one_task_would_export(tmp_path):
    whole = _export(tmp_path / "whole")
    mapped = Mapped(tmp_path / "parts")
    parts = mapped.plan()
    assert [part.rows for part in parts] == [5, 5, 5, 5]
    for number in (2, 0, 3):
        assert mapped.export(parts[number])[1] is None
        assert not (tmp_path / "parts" / MANIFEST).exists()
    manifest = mapped.export(parts[1])[1]
    assert manifest == read_manifest(tmp_path / "parts")
    assert lines(tmp_path / "parts", manifest) == lines(tmp_path / "whole", whole)
    assert manifest.counts == whole.counts
    assert not (tmp_path / "parts" / PLAN).exists()


def test_planning_again_hands_out_the_same_partitions(tmp_path):
    mapped = Mapped(tmp_path)
    parts = mapped.plan()
    mapped.server.units = units(40)
    assert mapped.plan() == parts
    for part in parts:
        mapped.export(part)
    assert mapped.plan() == parts


def test_a_partition_that_was_killed_is_continued(tmp_path):
    whole = _export(tmp_path / "whole")
    mapped = Mapped(tmp_path / "parts")
    parts = mapped.plan(rows_per_partition=10)
    with pytest.raises(Killed):
        mapped.export(parts[1], fails_at=4, failure=Killed())
    mapped.export(parts[1])
    manifest = mapped.export(parts[0])[1]
    assert lines(tmp_path / "parts", manifest) == lines(tmp_path / "whole", whole)


def test_a_partition_that_is_exported_again_after_the_end_reads_nothing(tmp_path):
    mapped = Mapped(tmp_path)
    parts = mapped.plan()
    result = [mapped.export(part) for part in parts]
    again = Encord(units(20))
    progress, manifest = export_partition(again.client(), parts[2], tmp_path, ReadOptions())
    assert (again.asked, manifest) == ([], result[-1][1])
    assert [*progress.shards] == [*result[2][0].shards]


def test_a_partition_of_an_export_that_was_replaced_is_refused(tmp_path):
    mapped = Mapped(tmp_path)
    parts = mapped.plan()
    _export(tmp_path, run=TUESDAY)
    with pytest.raises(InvalidArgumentError, match=r"partition: .* contains a different export"):
        mapped.export(parts[0])


def test_there_are_not_more_partitions_than_allowed(tmp_path):
    assert len(Mapped(tmp_path).plan(rows_per_partition=1, most=3)) == 3


def test_one_task_finishes_what_was_begun_in_parts(tmp_path):
    mapped = Mapped(tmp_path)
    mapped.export(mapped.plan()[2])
    manifest = export_labels(mapped.server.client(), mapped.spec, tmp_path)
    assert manifest.counts.exported == 20
    assert manifest.parts == 4


def test_what_is_no_partition_is_refused_with_the_way_to_get_one():
    with pytest.raises(InvalidArgumentError, match=r"partition: .*EncordPartitionLabelsOperator"):
        partition_of({"destination": "x"})


def test_compressed_shards_hold_the_same_lines(tmp_path):
    _export(tmp_path / "plain")
    _export(tmp_path / "gzip", format="jsonl.gz")
    zstandard = pytest.importorskip("zstandard")
    _export(tmp_path / "zst", format="jsonl.zst")
    content = b"".join(files(tmp_path / "plain").values())
    assert b"".join(map(gzip.decompress, files(tmp_path / "gzip").values())) == content
    unpack = zstandard.ZstdDecompressor().decompressobj
    assert b"".join(unpack().decompress(value) for value in files(tmp_path / "zst").values()) == content
    assert [*files(tmp_path / "gzip")] == [f"{name}.gz" for name in files(tmp_path / "plain")]


def test_a_plan_is_made_without_reading_content(tmp_path):
    server = Encord(units(20))
    plan = plan_export(server.client(), ExportSpec(selection=QUESTION, logical_date=MONDAY), tmp_path)
    assert isinstance(plan, Plan)
    assert (plan.to_read, server.reads, json.loads((tmp_path / PLAN).read_bytes())["id"]) == (20, [], plan.id)
