"""`exports.read` gives each row of an export or a history once, in its latest state, or names what is damaged."""

from __future__ import annotations

import dataclasses
import json
import random
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_encord import exports
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.incremental import Chain
from airflow_provider_encord.exports.manifest import Manifest
from tests.exports.bench import QUESTION, Encord, Unit, export, names, unit, units
from tests.exports.test_chain import DAYS


def _incremental(history: Path, day: int, present: list[Unit], *, name: str = "", **server: Any) -> Manifest:
    return export(
        Encord(present, **server).client(),
        QUESTION,
        history / f"day-{day}",
        logical_date=f"2026-11-{day:02d}T00:00:00+00:00",
        history=Chain(directory=history, lookback_seconds=10.0, name=name),
    )


def _versioned(versions: dict[int, str]) -> list[Unit]:
    return [
        unit(one, {"n": one, "v": version}, last_edited_at=f"2026-01-0{'abc'.index(version) + 1}T00:00:00+00:00")
        for one, version in versions.items()
    ]


def _read(place: Any, **more: Any) -> dict[int, str]:
    rows = [row["content"] for row in exports.read(place, **more)]
    assert len({row["n"] for row in rows}) == len(rows), "a row is read twice"
    return {row["n"]: row["v"] for row in rows}


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_the_rows_of_an_export_are_read_in_order_whatever_its_compression(tmp_path, suffix):
    made = export(Encord(units(25)).client(), QUESTION, tmp_path, format=suffix, max_shard_bytes=400)
    assert len(made.shards) > 3
    assert [row["content"]["note"] for row in exports.read(tmp_path)] == [f"row {n}" for n in range(1, 26)]


@pytest.mark.parametrize(
    "named", [lambda path: path, str, lambda path: f"file://{path}"], ids=["path", "text", "file URI"]
)
@pytest.mark.parametrize("inner", ["", "manifest.json"])
def test_a_manifest_or_its_directory_is_named_by_path_text_or_uri(tmp_path, named, inner):
    made = export(Encord(units(2)).client(), QUESTION, tmp_path)
    place = named(tmp_path / inner)
    assert len(list(exports.read(place))) == 2
    assert exports.read_manifest(place) == made


@settings(deadline=None, max_examples=40)
@given(DAYS, st.randoms())
def test_the_history_up_to_any_export_gives_the_rows_of_that_time(tmp_path_factory, days, chance):
    history = tmp_path_factory.mktemp("history")
    for day, versions in enumerate(days, start=1):
        _incremental(history, day, _versioned(versions))
    day = chance.randrange(len(days)) + 1
    assert _read(history / f"day-{day}", history=True) == days[day - 1]


def test_a_row_that_was_deleted_while_the_newest_export_ran_is_left_out(tmp_path):
    _incremental(tmp_path, 1, _versioned({1: "a", 2: "a"}))
    later = _versioned({1: "b", 2: "b"})
    assert _incremental(tmp_path, 2, later, gone=frozenset({later[0].label_hash or ""})).counts.not_found == 1
    assert _read(tmp_path / "day-2", history=True) == {2: "b"}


def test_a_row_that_is_listed_under_another_key_is_not_lost(tmp_path):
    before = _versioned({1: "a", 2: "a"})
    _incremental(tmp_path, 1, before)
    moved = dataclasses.replace(before[0], data_hash=before[1].data_hash, branch="other")
    second = _incremental(tmp_path, 2, [before[1], moved])
    assert (second.counts.exported, second.counts.removed) == (1, 0)
    assert _read(tmp_path / "day-2", history=True) == {1: "a", 2: "a"}


def test_a_history_is_found_from_inside_of_it(tmp_path, monkeypatch):
    for day in (1, 2):
        _incremental(tmp_path, day, _versioned({1: "ab"[day - 1]}))
    monkeypatch.chdir(tmp_path / "day-2")
    for path in (".", "manifest.json", Path("manifest.json")):
        assert _read(path, history=True) == {1: "b"}


@pytest.mark.parametrize("where", ["elsewhere", "nowhere"])
def test_a_history_dir_without_the_export_is_named(tmp_path, where):
    _incremental(tmp_path / "history", 1, _versioned({1: "a"}))
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(InvalidArgumentError, match=rf"^history_dir: .*{where} does not contain this export\. Pass the"):
        exports.read(tmp_path / "history" / "day-1", history=True, history_dir=tmp_path / where)


def test_what_a_newer_version_wrote_beside_a_history_does_not_matter(tmp_path):
    _incremental(tmp_path, 1, _versioned({1: "a"}))
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "manifest.json").write_text('{"schema_version": "2.0"}')
    try:
        assert _read(tmp_path / "day-1", history=True) == {1: "a"}
    finally:
        (tmp_path / "newer" / "manifest.json").unlink()  # no schema of ours


def test_a_number_that_no_float_holds_is_read(tmp_path):
    row = unit(1)
    assert row.row is not None
    export(
        Encord([dataclasses.replace(row, row=row.row.rstrip()[:-1] + b', "n": 1e999}')]).client(), QUESTION, tmp_path
    )
    assert [read["n"] for read in exports.read(tmp_path)] == [float("inf")]


def test_the_exports_of_a_history_may_stand_elsewhere_than_beside_the_export(tmp_path):
    history = tmp_path / "history"
    for day, versions in ((1, {1: "a", 2: "a"}), (2, {2: "a", 3: "a"})):
        _incremental(history, day, _versioned(versions))
    (tmp_path / "other").mkdir()
    copied = tmp_path / "other" / "copy"
    (history / "day-2").rename(copied)
    with pytest.raises(exports.ManifestError, match=r"day-1/manifest\.json, but that export is missing"):
        exports.read(copied, history=True)
    copied.rename(history / "moved")
    assert _read(history / "moved", history=True, history_dir=history) == {2: "a", 3: "a"}


@pytest.mark.parametrize("harm", ["missing", "short", "flipped", "line", "not json"])
@pytest.mark.parametrize("history", [False, True])
def test_a_damaged_or_missing_file_is_named_with_the_fix(tmp_path, harm, history):
    made = _incremental(tmp_path, 1, units(3))
    shard = tmp_path / "day-1" / made.shards[0].name
    content = shard.read_bytes()
    harmed = {
        "short": content[:-1],
        "flipped": content.replace(b"row 2", b"row 9"),
        "line": content.replace(b"\n", b" ", 1),
        "not json": b"?" + content[1:],
    }
    if harm == "missing":
        shard.unlink()
    else:
        shard.write_bytes(harmed[harm])
    with pytest.raises(exports.ManifestError, match="Run the export task again") as raised:
        list(exports.read(tmp_path / "day-1", history=history))
    assert str(shard) in raised.value.message


def test_a_removed_export_of_the_history_is_named_before_any_row_is_read(tmp_path):
    for day in (1, 2):
        _incremental(tmp_path, day, units(day))
    for path in (tmp_path / "day-1").iterdir():
        path.unlink()
    with pytest.raises(exports.ManifestError, match=r"day-1.* is missing or was replaced\. Run the export task again"):
        exports.read(tmp_path / "day-2", history=True)


def test_what_is_no_finished_export_is_refused(tmp_path):
    with pytest.raises(exports.ManifestError, match="There is no complete export in"):
        exports.read(tmp_path)
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(exports.ManifestError, match=r"is not finished: it has plan\.json and no manifest\.json\. Wait"):
        exports.read_manifest(tmp_path)


def test_a_manifest_whose_numbers_do_not_add_up_is_refused(tmp_path):
    export(Encord(units(3)).client(), QUESTION, tmp_path)
    path = tmp_path / "manifest.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "counts": {**content["counts"], "exported": 2}}))
    with pytest.raises(exports.ManifestError, match=r"manifest\.json is damaged: "):
        exports.read(tmp_path)


@pytest.mark.parametrize("other", ["parquet", "coco.json"])
def test_another_format_is_refused_and_the_message_says_how_to_read_it(tmp_path, other):
    path = tmp_path / "manifest.json"
    export(Encord(units(3)).client(), QUESTION, tmp_path)
    path.write_text(path.read_text().replace('"format": "jsonl"', f'"format": "{other}"'))
    with pytest.raises(InvalidArgumentError, match=rf"^manifest: .* the format {other}, .* pyarrow for parquet"):
        exports.read(tmp_path)


def test_arguments_that_contradict_each_other_are_refused(tmp_path):
    export(Encord(units(1)).client(), QUESTION, tmp_path)
    with pytest.raises(InvalidArgumentError, match=r"^history: .* is not incremental"):
        exports.read(tmp_path, history=True)
    with pytest.raises(InvalidArgumentError, match=r"^history_dir: .* history=True"):
        exports.read(tmp_path, history_dir=tmp_path)
    for wrong in ("", None, 3):
        with pytest.raises(InvalidArgumentError, match=r"^manifest: .* is not a path"):
            exports.read(wrong)  # type: ignore[arg-type]


def test_memory_does_not_grow_with_the_rows_of_a_history(tmp_path):
    text = "".join(random.Random(1).choices("abcdef", k=20_000))
    rows = [unit(n, {"n": n, "text": text}, last_edited_at="2026-01-01T00:00:00+00:00") for n in range(1, 401)]
    _incremental(tmp_path, 1, rows)
    _incremental(tmp_path, 2, [unit(n, {"n": n, "text": text}) for n in range(1, 401)])
    size = sum((tmp_path / "day-2" / name).stat().st_size for name in names(tmp_path / "day-2"))
    tracemalloc.start()
    try:
        assert sum(1 for _ in exports.read(tmp_path / "day-2", history=True)) == 400
        assert tracemalloc.get_traced_memory()[1] < size / 2
    finally:
        tracemalloc.stop()


def test_reading_a_local_export_imports_nothing_of_airflow(tmp_path):
    export(Encord(units(3)).client(), QUESTION, tmp_path)
    program = (
        "import sys; from airflow_provider_encord import exports; print(sum(1 for _ in exports.read(sys.argv[1])));"
        "print([one for one in sys.modules if one.split('.')[0] == 'airflow'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split("\n")[:2] == ["3", "[]"]
