"""Rows of a file in an object store are read as those of a file on a disk, from an opened file of its kind."""

from __future__ import annotations

from typing import Any

import fsspec
import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath
from airflow.sdk.io import attach
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.spec import AbstractBufferedFile

from airflow_provider_encord.item_metadata.by_name import read_table
from airflow_provider_encord.registration.cloud import manifest_entries
from airflow_provider_encord.sources import rows


class _Buffered(AbstractBufferedFile):  # type: ignore[misc]  # fsspec has no types
    """What the file systems of S3, Google Cloud Storage and Azure open."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        content: bytes = self.fs.cat_file(self.path)
        return content[start:end]


class _Store(MemoryFileSystem):  # type: ignore[misc]
    protocol = "buffered"
    store: dict[str, Any] = {}  # noqa: RUF012 - as in its base
    pseudo_dirs = [""]  # noqa: RUF012

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        return _Buffered(self, path, mode) if mode == "rb" else super()._open(path, mode, **options)


@pytest.fixture
def root() -> ObjectStoragePath:
    fsspec.register_implementation("buffered", _Store, clobber=True)
    attach(protocol="buffered", fs=_Store())
    return ObjectStoragePath("buffered://bucket/in")


CONTENTS = {
    "lines.jsonl": "".join(f'{{"url": "s3://b/{number}.png"}}\n' for number in range(5000)),
    "no newline at the end.jsonl": '{"url": "s3://b/a.png"}\n\n{"url": "s3://b/b.png"}',
    "long.jsonl": '{"url": "s3://b/a.png", "title": "%s"}\n' % ("x" * 299) * 600,
    "windows.csv": "url,title\r\ns3://b/a.png,a\r\ns3://b/b.png,b\r\n",
    "quoted.csv": 'url,title\ns3://b/a.png,"a\nb"\n',
    "empty.jsonl": "",
}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_manifest_is_the_same_as_on_the_disk_and_can_be_continued(
    name: str, root: ObjectStoragePath, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_text(CONTENTS[name], newline="")
    (root / name).write_bytes(CONTENTS[name].encode())
    monkeypatch.setattr(rows, "_BLOCK", 1000)
    stored, here = list(manifest_entries(root / name)), list(manifest_entries(tmp_path / name))
    assert stored == here
    for number in (len(here) // 3, len(here) - 1):
        if number > 0:
            assert list(manifest_entries(root / name, start=here[number - 1][1])) == here[number:]


def test_metadata_is_read_from_an_object_store(root: ObjectStoragePath) -> None:
    (root / "metadata.csv").write_bytes(b"title,weather\na.png,rain\nb.png,sun\n")
    read = read_table(f"{root}/metadata.csv", lambda uri: ObjectStoragePath(uri), "client_metadata")
    assert read == {"a.png": {"weather": "rain"}, "b.png": {"weather": "sun"}}
