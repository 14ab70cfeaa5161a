"""A label row that no JSON reader takes is named; the others are exported if it may be skipped (fault 4.2)."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from airflow_provider_encord.client.errors import UnexpectedResponseError
from airflow_provider_encord.exports.incremental import Chain
from airflow_provider_encord.exports.labels import ExportSpec, export_labels
from airflow_provider_encord.exports.listing_file import read_rows
from airflow_provider_encord.exports.manifest import MANIFEST, Layout, Manifest, read_manifest
from airflow_provider_encord.exports.partitions import export_partition, plan_partitions
from airflow_provider_encord.exports.plan import directory_of, has_skipped, read_plan
from airflow_provider_encord.exports.reading import ReadOptions
from airflow_provider_encord.exports.verify import verify_content, verify_files
from tests.exports.bench import QUESTION, Encord, Unit, lines, units
from tests.exports.documents import STRUCTURE

RUN = "2026-11-23T00:00:00+00:00"
UNREADABLE = {
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "half of a surrogate pair": b'"\\ud83d"',
    "5,000 levels": b"[" * 5000 + b"]" * 5000,
    "bytes that are not UTF-8": b'"\xff"',
}
OUT_OF_RANGE = b"1e999"


def _units(contents: dict[int, bytes], count: int = 20) -> list[Unit]:
    made = units(count)
    for number, content in contents.items():
        one = made[number]
        row = b'{"label_hash": "%s", "data_hash": "%s", "data_units": {}, "x": %s}'
        made[number] = Unit(
            one.data_hash, one.label_hash, row % ((one.label_hash or "").encode(), one.data_hash.encode(), content)
        )
    return made


class Answering(Encord):
    """Encord, whose answers the transport judges as it does those of a server."""

    def send(self, call: Any) -> Any:
        if call.operation == "project.get_ontology":
            return call.read(json.dumps({"ontologyUuid": str(uuid.UUID(int=1)), "editorOntology": STRUCTURE}).encode())
        try:
            return super().send(call)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise UnexpectedResponseError(f"It is not JSON: {error}", rows=call.rows) from None


def _export(directory: Path, rows: list[Unit], *, skip: bool, format_: str = "jsonl", **more: Any) -> Manifest:
    spec = ExportSpec(selection=QUESTION, layout=Layout(format=format_, max_shard_bytes=300), logical_date=RUN, **more)
    reading = ReadOptions(batch_size=7, skip_unreadable=skip)
    return export_labels(Answering(rows).client(), spec, directory, reading=reading)


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_the_row_is_named_and_the_failure_is_permanent(tmp_path, content):
    rows = _units({13: content})
    with pytest.raises(UnexpectedResponseError, match=rf"Label row {rows[13].label_hash} \(data") as raised:
        _export(tmp_path, rows, skip=False)
    assert "on_error='skip'" in str(raised.value)
    assert not raised.value.retryable
    assert not (tmp_path / MANIFEST).exists()


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_the_others_are_exported_and_the_counts_add_up(tmp_path, content):
    rows = _units({0: content, 7: content, 8: content, 19: content})
    manifest = _export(tmp_path, rows, skip=True)
    assert [row.label_hash for row in manifest.failed] == [rows[number].label_hash for number in (0, 7, 8, 19)]
    assert (manifest.counts.exported, manifest.counts.failed, manifest.counts.with_labels) == (16, 4, 20)
    assert len(lines(tmp_path, manifest)) == 16
    assert [*verify_files(tmp_path, manifest)] == []
    assert read_manifest(tmp_path) == manifest


@pytest.mark.parametrize("format_", ["parquet", "jsonl"])
def test_a_number_that_a_format_cannot_take_names_its_row(tmp_path, format_):
    """``1e999`` is JSON: JSON Lines pass it on, and a table cannot hold it."""
    rows = _units({4: OUT_OF_RANGE})
    if format_ == "jsonl":
        assert _export(tmp_path, rows, skip=False).counts.exported == 20
        return
    pytest.importorskip("pyarrow")
    with pytest.raises(UnexpectedResponseError, match=rows[4].label_hash or ""):
        _export(tmp_path / "fail", rows, skip=False, format_=format_)
    manifest = _export(tmp_path / "skip", rows, skip=True, format_=format_)
    assert [row.label_hash for row in manifest.failed] == [rows[4].label_hash]
    assert manifest.counts.exported == 19


def _image_row(change: Callable[[dict[str, Any], dict[str, Any]], Any]) -> list[Unit]:
    """20 rows with a box on an image each, the fifth of which is changed."""
    made: list[Unit] = []
    for number, one in enumerate(units(20)):
        drawn = {"objectHash": "o", "featureHash": "f-bounding_box", "shape": "bounding_box", "confidence": 0.5}
        drawn["boundingBox"] = {"x": 0.1, "y": 0.1, "w": 0.5, "h": 0.5}
        labels = {"objects": [drawn], "classifications": []}
        unit = {"data_hash": one.data_hash, "data_title": "a.png", "width": 8, "height": 8, "labels": labels}
        row = {"label_hash": one.label_hash, "data_hash": one.data_hash, "data_type": "image"}
        row |= {"object_answers": {}, "classification_answers": {}, "data_units": {one.data_hash: unit}}
        if number == 4:
            change(row, unit)
        made.append(dataclasses.replace(one, row=json.dumps(row).encode()))
    return made


ODD: dict[str, tuple[str, Callable[[dict[str, Any], dict[str, Any]], Any]]] = {
    "confidence": ("both", lambda _, unit: unit["labels"]["objects"][0].update(confidence=10**400)),
    "width": ("parquet", lambda _, unit: unit.update(width=10**30)),
    "sequence": ("parquet", lambda _, unit: unit.update(data_sequence=10**30)),
    "title": ("coco.json", lambda _, unit: unit.update(data_title=5)),
    "answer": ("both", lambda row, _: row.update(object_answers={"o": "x"})),
    "answers": ("both", lambda row, _: row.update(object_answers=["o"])),
    "actions": ("both", lambda row, _: row.update(object_actions=["o"])),
    "units": ("both", lambda row, unit: row.update(data_units=[unit])),
    "labels": ("both", lambda _, unit: unit.update(labels=[1])),
    "spaces": ("both", lambda row, _: row.update(spaces=[1])),
    "classification": ("parquet", lambda row, _: row.update(classification_answers={"c": "x"})),
    "classifications": ("both", lambda row, _: row.update(classification_answers=5)),
    "frames": ("parquet", lambda row, _: row.update(data_type="video", classification_answers={"c": EVER})),
    "late": ("parquet", lambda row, _: row.update(data_type="video", classification_answers={"c": LONG, "d": "x"})),
}
LONG = {"featureHash": "c", "range": [[0, 12_000]]}
EVER = {"featureHash": "c", "range": [[0, 10**18]]}


@pytest.mark.parametrize("format_", ["parquet", "coco.json"])
@pytest.mark.parametrize(("formats", "change"), ODD.values(), ids=ODD)
def test_a_row_of_another_form_is_named_or_left_out_whole(tmp_path, format_, formats, change):
    pytest.importorskip({"parquet": "pyarrow", "coco.json": "pycocotools"}[format_])
    rows = _image_row(change)
    if formats not in ("both", format_):
        assert _export(tmp_path, rows, skip=False, format_=format_).counts.exported == 20
        return
    with pytest.raises(
        UnexpectedResponseError, match=rf"{rows[4].label_hash} .* has content that this format does not support"
    ):
        _export(tmp_path / "fail", rows, skip=False, format_=format_)
    manifest = _export(tmp_path / "skip", rows, skip=True, format_=format_)
    assert [row.label_hash for row in manifest.failed] == [rows[4].label_hash]
    assert manifest.counts.exported == 19
    contents = [(tmp_path / "skip" / shard.name).read_bytes() for shard in manifest.shards]
    assert not any((rows[4].label_hash or "").encode() in content for content in contents)


def test_a_row_of_more_records_than_are_kept_is_in_the_file_once(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = _image_row(lambda row, _: row.update(data_type="video", classification_answers={"c": LONG}))
    manifest = _export(tmp_path, rows, skip=False, format_="parquet")
    tables = [parquet.read_table(tmp_path / shard.name) for shard in manifest.shards]
    assert sum(table.num_rows for table in tables) == 20 + 12_001


def test_a_whole_export_with_failed_rows_is_made_again_if_none_may_be_skipped(tmp_path):
    rows = _units({4: b"NaN"})
    first = _export(tmp_path, rows, skip=True)
    assert _export(tmp_path, rows, skip=True) == first
    with pytest.raises(UnexpectedResponseError):
        _export(tmp_path, rows, skip=False)
    assert _export(tmp_path, units(20), skip=False).counts.failed == 0


def test_a_part_whose_rows_were_skipped_fails_if_none_may_be_skipped(tmp_path):
    rows = _units({4: b"NaN"})
    spec = ExportSpec(selection=QUESTION, layout=Layout(max_shard_bytes=300), logical_date=RUN)
    parts = plan_partitions(Answering(rows).client(), spec, tmp_path, rows_per_partition=10, most=9)
    skipping, failing = ReadOptions(skip_unreadable=True), ReadOptions()
    assert len(export_partition(Answering(rows).client(), parts[0], tmp_path, skipping)[0].failed) == 1
    with pytest.raises(UnexpectedResponseError, match="was skipped by an earlier attempt"):
        export_partition(Answering(rows).client(), parts[0], tmp_path, failing)
    manifest = export_partition(Answering(rows).client(), parts[1], tmp_path, failing)[1]
    assert manifest is not None
    assert manifest.counts.failed == 1
    with pytest.raises(UnexpectedResponseError, match="overwrite=True"):
        export_partition(Answering(rows).client(), parts[0], tmp_path, failing)


class Killed(BaseException):
    """As SIGKILL: nothing handles it."""


def _kill_after_skipping(directory: Path, rows: list[Unit]) -> None:
    spec = ExportSpec(selection=QUESTION, layout=Layout(max_shard_bytes=300), logical_date=RUN)
    server = Answering(rows, fails_at=6, failure=Killed())
    with pytest.raises(Killed):
        export_labels(server.client(), spec, directory, reading=ReadOptions(batch_size=2, skip_unreadable=True))
    plan = read_plan(directory_of(directory))
    assert plan is not None
    assert has_skipped(directory_of(directory), plan)


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_export_that_skipped_rows_and_was_killed_is_made_again_if_none_may_be_skipped(tmp_path, overwrite):
    """It was continued, and failed for a row that had been corrected in Encord, also with ``overwrite=True``."""
    rows = _units({1: b"NaN"})
    _kill_after_skipping(tmp_path, rows)
    with pytest.raises(UnexpectedResponseError, match=rf"Label row {rows[1].label_hash} \(data .* cannot be exported"):
        _export(tmp_path, rows, skip=False, overwrite=overwrite)
    manifest = _export(tmp_path, units(20), skip=False, overwrite=overwrite)
    assert (manifest.counts.failed, manifest.counts.exported) == (0, 20)
    assert {path.name for path in tmp_path.iterdir()} == {MANIFEST, *manifest.file_names}


def test_an_export_that_skipped_rows_and_was_killed_is_continued_if_rows_may_be_skipped(tmp_path):
    _kill_after_skipping(tmp_path, _units({1: b"NaN"}))
    plan = read_plan(directory_of(tmp_path))
    manifest = _export(tmp_path, units(20), skip=True, overwrite=True)
    assert manifest.plan_id == (plan and plan.id)
    assert manifest.counts.failed == 1


def test_an_export_in_parts_that_skipped_rows_is_planned_again_with_overwrite(tmp_path):
    rows = _units({4: b"NaN"})
    spec = ExportSpec(selection=QUESTION, layout=Layout(max_shard_bytes=300), logical_date=RUN)
    parts = plan_partitions(Answering(rows).client(), spec, tmp_path, rows_per_partition=10, most=9)
    export_partition(Answering(rows).client(), parts[0], tmp_path, ReadOptions(skip_unreadable=True))
    with pytest.raises(UnexpectedResponseError, match="overwrite=True"):
        export_partition(Answering(units(20)).client(), parts[0], tmp_path, ReadOptions())
    assert plan_partitions(Answering(rows).client(), spec, tmp_path, rows_per_partition=10, most=9) == parts
    again = msgspec.structs.replace(spec, overwrite=True)
    parts = plan_partitions(Answering(units(20)).client(), again, tmp_path, rows_per_partition=10, most=9)
    ended = [export_partition(Answering(units(20)).client(), part, tmp_path, ReadOptions())[1] for part in parts]
    assert ended[-1] is not None
    assert (ended[-1].counts.failed, ended[-1].counts.exported) == (0, 20)


def test_a_part_that_is_run_again_after_the_end_counts_its_own_rows(tmp_path):
    """It reported that nothing had failed, or was gone."""
    rows = _units({4: b"NaN", 12: b"NaN", 13: b"NaN"})
    gone = [row for row in rows if row is not rows[15]]
    spec = ExportSpec(selection=QUESTION, layout=Layout(max_shard_bytes=300), logical_date=RUN)
    parts = plan_partitions(Answering(rows).client(), spec, tmp_path, rows_per_partition=10, most=9)

    def run() -> list[tuple[int, int, int]]:
        reading = ReadOptions(skip_unreadable=True)
        ended = [export_partition(Answering(gone).client(), part, tmp_path, reading)[0] for part in parts]
        return [(sum(shard.rows for shard in one.shards), len(one.not_found), len(one.failed)) for one in ended]

    assert run() == [(9, 0, 1), (7, 1, 2)]
    assert run() == [(9, 0, 1), (7, 1, 2)]


def test_an_export_that_another_attempt_finished_with_skipped_rows_fails_if_none_may_be_skipped(tmp_path):
    class Meanwhile(Answering):
        def send(self, call: Any) -> Any:
            answer = super().send(call)
            if self.reads and not done:
                done.append(_export(tmp_path, rows, skip=True))
            return answer

    done: list[Manifest] = []
    rows = _units({19: b"NaN"})
    spec = ExportSpec(selection=QUESTION, layout=Layout(max_shard_bytes=300), logical_date=RUN)
    with pytest.raises(UnexpectedResponseError, match=rows[19].label_hash or ""):
        export_labels(Meanwhile(rows).client(), spec, tmp_path, reading=ReadOptions(batch_size=2, max_concurrency=1))
    assert done[0].counts.failed == 1


def test_a_row_that_could_not_be_read_is_read_by_the_next_export_of_the_chain(tmp_path):
    chain = Chain(directory=tmp_path, lookback_seconds=1.0)
    _export(tmp_path / "1", _units({4: b"NaN"}), skip=True, history=chain)
    rows = units(20)
    client = Encord(rows).client()
    spec = ExportSpec(
        selection=QUESTION, layout=Layout(max_shard_bytes=300), logical_date="2026-11-24T00:00:00+00:00", history=chain
    )
    manifest = export_labels(client, spec, tmp_path / "2")
    assert rows[4].label_hash in {json.loads(line)["label_hash"] for line in lines(tmp_path / "2", manifest)}


def test_a_row_that_could_not_be_read_and_then_left_is_among_the_rows_that_left(tmp_path):
    chain = Chain(directory=tmp_path, lookback_seconds=1.0)
    for day, present in enumerate((units(20), _units({4: b"NaN"}), [*units(4), *units(20)[5:]]), start=1):
        spec = ExportSpec(
            selection=QUESTION,
            layout=Layout(max_shard_bytes=300),
            logical_date=f"2026-11-2{day}T00:00:00+00:00",
            history=chain,
        )
        client, reading = Answering(present).client(), ReadOptions(batch_size=7, skip_unreadable=True)
        manifest = export_labels(client, spec, tmp_path / str(day), reading=reading)
        assert manifest.counts.failed == (1 if day == 2 else 0)
    assert manifest.removed is not None
    assert [row.label_hash for row, _ in read_rows(tmp_path / "3", manifest.removed)] == [units(20)[4].label_hash]


ODD_LINES = {
    "not JSON": b"odd",
    "no object": b"[]",
    "a number out of range": b'{"label_hash": 1e999}',
    "nested": b'{"x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "half of a surrogate pair": b'{"label_hash": "\\ud83d", "data_hash": "d"}',
    "not UTF-8": b'{"label_hash": "\xff", "data_hash": "d"}',
    "nothing": b"",
}


@pytest.mark.parametrize("line", ODD_LINES.values(), ids=ODD_LINES)
def test_an_odd_line_of_an_exported_file_is_named(tmp_path, line):
    """Fault 4.4: verify raised what the JSON library raises."""
    manifest = _export(tmp_path, units(4), skip=False)
    shard = manifest.shards[0]
    held = (tmp_path / shard.name).read_bytes().split(b"\n")
    held[0] = line
    (tmp_path / shard.name).write_bytes(b"\n".join(held))
    content = (tmp_path / shard.name).read_bytes()
    changed = msgspec.structs.replace(shard, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    damaged = msgspec.structs.replace(
        manifest, shards=[changed, *manifest.shards[1:]], bytes=manifest.bytes - shard.bytes + len(content)
    )
    assert [str(mismatch) for mismatch in verify_files(tmp_path, damaged)] == [
        f"{shard.name}, line 1: it is not a label row"
    ]
    found = [*verify_content(Answering(units(4)).client(), tmp_path, damaged, ReadOptions())]
    assert [one.error for one in found] == ["its labels differ from the export"]


def test_rows_that_cannot_be_decoded_are_equal_if_their_bytes_are(tmp_path):
    rows = _units({4: OUT_OF_RANGE})
    manifest = _export(tmp_path, rows, skip=False)
    assert [*verify_content(Answering(rows).client(), tmp_path, manifest, ReadOptions())] == []


def test_a_row_that_cannot_be_read_any_more_is_a_mismatch_that_names_it(tmp_path):
    manifest = _export(tmp_path, units(20), skip=False)
    rows = _units({4: b"NaN"})
    found = [*verify_content(Answering(rows).client(), tmp_path, manifest, ReadOptions())]
    assert len(found) == 1
    assert rows[4].label_hash in found[0].source
    assert "it cannot be read" in found[0].error


@pytest.mark.parametrize(
    "name", ["exported", "not_found", "failed", "unchanged", "with_labels", "without_labels", "removed"]
)
def test_a_manifest_whose_counts_do_not_add_up_is_a_mismatch(tmp_path, name):
    manifest = _export(tmp_path, _units({4: b"NaN"}), skip=True)
    assert [*manifest.problems()] == []
    counts = msgspec.structs.replace(manifest.counts, **{name: getattr(manifest.counts, name) + 1})
    wrong = msgspec.structs.replace(manifest, counts=counts)
    assert [*wrong.problems()]
    assert {mismatch.source for mismatch in verify_files(tmp_path, wrong)} == {MANIFEST}
