"""Manifests of a listing: each object once, the same files for the same objects, and no other file lost."""

from __future__ import annotations

import json
import tempfile
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.attempts import Claim, Owner
from airflow_provider_encord.client.errors import InvalidArgumentError, UnavailableError
from airflow_provider_encord.registration.cloud import list_prefix, read_manifest
from airflow_provider_encord.registration.partition import partition_objects

URL = "https://example.com/in"


def _partition(
    source: Path, destination: Path, size: int = 2, *, most: int = 1000, task: str = "task", **more: Any
) -> list[str]:
    return partition_objects(
        source,
        destination,
        Owner(task),
        objects_per_manifest=size,
        most=most,
        **{"url_prefix": URL, "kind": None, **more},
    )


def _objects(directory: Path, names: Any) -> None:
    directory.mkdir(exist_ok=True)
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).touch()


_NAMES = st.sets(st.text("ab #%é1", min_size=1, max_size=5).map(lambda name: f"{name}.png"), min_size=1, max_size=12)


@given(_NAMES, st.integers(1, 5))
def test_manifests_hold_what_a_listing_holds_in_its_order(names: set[str], size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, destination = Path(folder) / "in", Path(folder) / "new" / "out"
        _objects(source, names)
        written = _partition(source, destination, size)
        read = [list(read_manifest(Path(one))) for one in written]
        assert all(len(some) == size for some in read[:-1])
        objects = [(one.url, one.kind, one.title) for some in read for one in some]  # type: ignore[union-attr]
        assert objects == [(one.url, one.kind, one.title) for one in list_prefix(source, URL)]
        assert sorted(path.name for path in destination.iterdir()) == [Path(one).name for one in written]


def test_the_same_objects_give_the_same_files_which_are_not_written_again(tmp_path: Path) -> None:
    _objects(tmp_path / "in", [f"{number}.png" for number in range(5)])
    first = _partition(tmp_path / "in", tmp_path / "out")
    times = [Path(one).stat().st_mtime_ns for one in first]
    assert _partition(tmp_path / "in", tmp_path / "out") == first
    assert [Path(one).stat().st_mtime_ns for one in first] == times
    assert len(first) == 3


def test_a_manifest_keeps_its_content_for_as_long_as_it_has_its_name(tmp_path: Path) -> None:
    _objects(tmp_path / "in", ["b.png", "c.png", "d.png"])
    first = _partition(tmp_path / "in", tmp_path / "one")
    _objects(tmp_path / "in", ["a.png"])
    second = _partition(tmp_path / "in", tmp_path / "two")
    assert {Path(one).name for one in first}.isdisjoint(Path(one).name for one in second)


def test_manifests_of_a_longer_earlier_run_are_removed(tmp_path: Path) -> None:
    _objects(tmp_path / "in", [f"{number}.png" for number in range(9)])
    assert len(_partition(tmp_path / "in", tmp_path / "out")) == 5
    for number in range(3, 9):
        (tmp_path / "in" / f"{number}.png").unlink()
    kept = _partition(tmp_path / "in", tmp_path / "out")
    assert sorted(str(path) for path in (tmp_path / "out").iterdir()) == kept
    assert len(kept) == 2


def test_a_damaged_manifest_of_an_earlier_run_is_written_again(tmp_path: Path) -> None:
    _objects(tmp_path / "in", ["a.png", "b.png"])
    (written,) = _partition(tmp_path / "in", tmp_path / "out")
    content = Path(written).read_bytes()
    Path(written).write_bytes(content[:10])
    assert _partition(tmp_path / "in", tmp_path / "out") == [written]
    assert Path(written).read_bytes() == content


@pytest.mark.parametrize("name", ["labels.csv", "objects-00000.jsonl", "objects-00009-0123456789abcdef.jsonl"])
def test_a_directory_with_another_file_is_refused_and_the_file_stays(tmp_path: Path, name: str) -> None:
    _objects(tmp_path / "in", ["a.png"])
    _objects(tmp_path / "out", [name])
    (tmp_path / "out" / name).write_text("mine")
    with pytest.raises(InvalidArgumentError, match=rf"^destination: .* contains other files \({name}\)"):
        _partition(tmp_path / "in", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name], "a manifest was written beside it"
    assert (tmp_path / "out" / name).read_text() == "mine"


def test_what_a_killed_attempt_was_writing_is_removed(tmp_path: Path) -> None:
    _objects(tmp_path / "in", ["a.png"])
    (written,) = _partition(tmp_path / "in", tmp_path / "out")
    (tmp_path / "out" / f"{Path(written).name}.0123abcd.unfinished").write_text("{")
    assert _partition(tmp_path / "in", tmp_path / "out") == [written]
    assert [str(path) for path in (tmp_path / "out").iterdir()] == [written]


def test_another_task_that_writes_there_now_is_waited_for(tmp_path: Path) -> None:
    _objects(tmp_path / "in", ["a.png"])
    claim = Claim(tmp_path / "out" / "claim.json", Owner("other"), "destination")
    claim.take()
    with pytest.raises(UnavailableError, match=r"^destination: .* in use by the task other"):
        _partition(tmp_path / "in", tmp_path / "out")
    claim.release()
    assert len(_partition(tmp_path / "in", tmp_path / "out")) == 1


def test_manifests_are_larger_where_there_would_be_too_many(tmp_path: Path) -> None:
    _objects(tmp_path / "in", [f"{number:02d}.png" for number in range(10)])
    written = _partition(tmp_path / "in", tmp_path / "out", 1, most=3)
    assert [len(Path(one).read_text().splitlines()) for one in written] == [4, 4, 2]


def test_the_kind_that_is_named_is_that_of_all_objects(tmp_path: Path) -> None:
    _objects(tmp_path / "in", ["a.bin", "b.png"])
    (written,) = _partition(tmp_path / "in", tmp_path / "out", kind="video")
    assert [json.loads(line)["kind"] for line in Path(written).read_text().splitlines()] == ["video", "video"]


def test_without_a_prefix_urls_are_those_of_the_source(tmp_path: Path) -> None:
    _objects(tmp_path / "in", ["a.png"])
    (written,) = _partition(tmp_path / "in", tmp_path / "out", url_prefix=None)
    assert urllib.parse.urlsplit(json.loads(Path(written).read_text())["url"]).path == str(tmp_path / "in" / "a.png")


def test_a_source_that_is_missing_empty_or_a_file_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "file").touch()
    for source in ("in", "file", "nowhere"):
        with pytest.raises(InvalidArgumentError, match=r"^source: "):
            _partition(tmp_path / source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_manifests_that_would_be_listed_as_objects_are_refused(tmp_path: Path) -> None:
    _objects(tmp_path / "in", ["a.png"])
    for destination in (tmp_path / "in", tmp_path / "in" / "out"):
        with pytest.raises(InvalidArgumentError, match=r"^destination: it is (the source itself|in the directory)"):
            _partition(tmp_path / "in", destination, kind="video")
    assert len(_partition(tmp_path / "in", tmp_path / "in" / "out")) == 1
    (tmp_path / "file").touch()
    with pytest.raises(InvalidArgumentError, match=r"^destination: .* is a file"):
        _partition(tmp_path / "in", tmp_path / "file")
