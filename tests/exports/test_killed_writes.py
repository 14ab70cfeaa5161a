"""What a killed export left is continued as far as it is whole: files that have no name yet, or that somebody removed,
count for nothing."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.errors import UnavailableError
from airflow_provider_encord.exports.file_names import PLAN
from airflow_provider_encord.exports.manifest import Manifest
from airflow_provider_encord.exports.partitions import Partition, export_partition, plan_partitions
from tests.exports.bench import Encord, units
from tests.exports.test_ownership import READING, ROWS, Killed, _export, _order, _require_whole

DATE = "2026-11-23T00:00:00+00:00"


def _in_parts(directory: Path) -> Manifest:
    ends = [_part(directory, part) for part in _parts(directory)]
    assert ends[-1] is not None
    return ends[-1]


def _parts(directory: Path) -> list[Partition]:
    client = Encord(units(ROWS)).client()
    return plan_partitions(client, _order(DATE), directory, rows_per_partition=ROWS // 2, most=2)


def _part(directory: Path, part: Partition) -> Manifest | None:
    return export_partition(Encord(units(ROWS)).client(), part, directory, READING)[1]


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("export", [lambda directory: _export(directory, DATE), _in_parts], ids=["whole", "in parts"])
def test_an_export_that_is_killed_before_any_rename_is_completed_by_the_next(
    tmp_path: Path, export: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed: list[str] = []

    def rename_or_die(path: Path, target: Any) -> Path:
        renamed.append(path.name)
        if len(renamed) > most:
            raise Killed
        return rename(path, target)

    def unlink_if_alive(path: Path, **options: Any) -> None:
        if len(renamed) > most:
            raise Killed
        unlink(path, **options)

    rename, unlink = Path.rename, Path.unlink
    for most in range(100):
        directory = tmp_path / str(most)
        renamed.clear()
        with monkeypatch.context() as patch, contextlib.suppress(Killed):
            patch.setattr(Path, "rename", rename_or_die)
            patch.setattr(Path, "unlink", unlink_if_alive)
            export(directory)
        _require_whole(directory, export(directory))
        if len(renamed) <= most:
            assert most > 5, renamed
            return
    pytest.fail("it renames without end")


def test_an_export_that_is_killed_before_it_replaces_a_whole_one_leaves_that_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had announced itself, and its announcement remained."""

    def rename_or_die(path: Path, target: Any) -> Path:
        if Path(target).name == PLAN:
            raise Killed
        return rename(path, target)

    rename, whole = Path.rename, _export(tmp_path, DATE)
    monkeypatch.setattr(Path, "rename", rename_or_die)
    with pytest.raises(Killed):
        _export(tmp_path, "2026-11-24T00:00:00+00:00")
    monkeypatch.setattr(Path, "rename", rename)
    assert [*tmp_path.glob("plan-*.json")]
    assert _export(tmp_path, DATE) == whole
    _require_whole(tmp_path, whole)


@pytest.mark.parametrize("harm", [Path.unlink, _cut])
@pytest.mark.parametrize("number", [0, 1])
def test_a_shard_of_a_killed_export_that_was_removed_or_cut_is_made_again(
    tmp_path: Path, number: int, harm: Any
) -> None:
    with contextlib.suppress(Killed):
        _export(tmp_path, DATE, Encord(units(ROWS), fails_at=8, failure=Killed()))
    shards = sorted(tmp_path.glob("labels-*"))
    assert len(shards) > 2
    harm(shards[number])
    _require_whole(tmp_path, _export(tmp_path, DATE))


@pytest.mark.parametrize("harm", [Path.unlink, _cut])
def test_a_part_whose_shard_was_removed_or_cut_is_named_and_can_be_run_again(tmp_path: Path, harm: Any) -> None:
    first, second = _parts(tmp_path)
    assert _part(tmp_path, first) is None
    harm(min(tmp_path.glob("labels-*")))
    with pytest.raises(
        UnavailableError, match=r"files of part 0 .* are missing or truncated.*Run the task of that part again"
    ):
        _part(tmp_path, second)
    manifest = _part(tmp_path, first)
    assert manifest is not None
    _require_whole(tmp_path, manifest)
