"""An export that is killed before it gives a file its name is continued, and the file counts for nothing."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.export.manifest import Manifest
from airflow_provider_encord.export.partitions import export_partition, plan_partitions
from tests.export.bench import Encord, units
from tests.export.test_ownership import READING, ROWS, Killed, _export, _order, _require_whole

DATE = "2026-11-23T00:00:00+00:00"


def _in_parts(directory: Path) -> Manifest:
    client = Encord(units(ROWS)).client()
    parts = plan_partitions(client, _order(DATE), directory, rows_per_partition=ROWS // 2, most=2)
    ends = [export_partition(client, part, directory, READING)[1] for part in parts]
    assert ends[-1] is not None
    return ends[-1]


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
