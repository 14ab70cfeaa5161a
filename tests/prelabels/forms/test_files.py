"""Many small files are read in order, also from an object store."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.prelabels.forms.files import contents_of, files_of
from tests.object_stores import attach_memory


@pytest.fixture(params=["disk", "object store"])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    attach_memory()
    where = tmp_path if request.param == "disk" else ObjectStoragePath(f"memory://bucket/{uuid.uuid4()}")
    for number in range(30):
        path = where / f"{number % 3}" / f"{number:02d}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(str(number).encode())
    (where / "other.bin").write_bytes(b"x")
    return where


def test_files_are_named_by_their_place_below_the_source_and_read_in_order(directory: Any) -> None:
    files = files_of(directory, (".txt",), below=True)
    assert [name for name, _ in files] == sorted(f"{number % 3}/{number:02d}.txt" for number in range(30))
    assert [content.decode() for content in contents_of(path for _, path in files)] == [
        str(int(name[2:4])) for name, _ in files
    ]
    with pytest.raises(InvalidArgumentError, match=r"contains no file with a suffix of \.txt"):
        files_of(directory, (".txt",))


def test_a_file_that_is_missing_is_named(directory: Any) -> None:
    paths = [directory / "0" / "00.txt", directory / "nowhere.txt", directory / "0" / "03.txt"]
    contents = contents_of(paths)
    with pytest.raises(InvalidArgumentError, match=r"source: .*nowhere\.txt cannot be used"):
        list(contents)


def test_reading_can_end_early(directory: Any) -> None:
    contents = contents_of(path for _, path in files_of(directory, (".txt",), below=True))
    assert next(contents) == b"0"
    contents.close()
