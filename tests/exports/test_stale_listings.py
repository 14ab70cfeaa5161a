"""Two processes with one directory in an object store. Its file systems answer from what they listed last, as that of
S3 does, so each process must ask the store itself for what the other one did.
"""

from __future__ import annotations

from typing import Any

import fsspec
import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath
from airflow.sdk.io import attach
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_encord.exports.directory import FinishedError
from airflow_provider_encord.exports.labels import ExportSpec, join
from airflow_provider_encord.exports.manifest import MANIFEST, Layout
from airflow_provider_encord.exports.partitions import export_partition, plan_partitions
from airflow_provider_encord.exports.plan import Plan, directory_of, read_plan
from airflow_provider_encord.exports.reading import ReadOptions
from tests.exports.bench import QUESTION, Encord, units

READING = ReadOptions(max_concurrency=1)


class _Store(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Keeps its listings as s3fs does: until it writes or removes something in that directory itself."""

    store: dict[str, Any] = {}  # noqa: RUF012 - as in its base: all instances have the same objects
    pseudo_dirs = [""]  # noqa: RUF012

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(str(path).partition("://")[2] if "://" in str(path) else path)  # type: ignore[no-any-return]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._listed: dict[str, list[dict[str, Any]]] = {}

    def ls(self, path: str, detail: bool = True, **options: Any) -> Any:
        path = self._strip_protocol(path)
        if path not in self._listed:
            self._listed[path] = super().ls(path, detail=True, **options)
        return self._listed[path] if detail else [one["name"] for one in self._listed[path]]

    def info(self, path: str, **options: Any) -> Any:
        path = self._strip_protocol(path)
        listed = self._listed.get(path.rpartition("/")[0])
        if listed is None:
            return super().info(path, **options)
        for one in listed:
            if one["name"] == path:
                return one
        raise FileNotFoundError(path)

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        path = self._strip_protocol(path)
        if mode == "rb":
            self.info(path)
        else:
            self.invalidate_cache(path)
        return super()._open(path, mode, **options)

    def rm_file(self, path: str) -> None:
        super().rm_file(path)
        self.invalidate_cache(path)

    def invalidate_cache(self, path: str | None = None) -> None:
        if path is None:
            self._listed.clear()
            return
        path = self._strip_protocol(path)
        self._listed.pop(path, None)
        self._listed.pop(path.rpartition("/")[0], None)


class _One(_Store):
    """The file system of one process. fsspec makes one instance of each class."""

    protocol = "one"


class _Other(_Store):
    protocol = "other"


@pytest.fixture
def paths() -> list[ObjectStoragePath]:
    """The same directory, in the file systems of two processes."""
    _Store.store.clear()
    made = []
    for kind in (_One, _Other):
        fsspec.register_implementation(kind.protocol, kind, clobber=True)
        kind().invalidate_cache()
        attach(protocol=kind.protocol, fs=kind())
        made.append(ObjectStoragePath(f"{kind.protocol}://bucket/export"))
    return made


def _plan(path: ObjectStoragePath) -> Plan:
    plan = read_plan(directory_of(path))
    assert plan is not None
    return plan


def test_the_process_that_joins_second_finds_the_manifest_of_the_first(paths: list[ObjectStoragePath]) -> None:
    one, other = paths
    encord = Encord(units(4)).client()
    first, second = plan_partitions(
        encord, ExportSpec(selection=QUESTION, layout=Layout()), one, rows_per_partition=2, most=10
    )
    plan, directory = _plan(one), directory_of(one)
    export_partition(encord, first, one, READING)
    directory.file_names(plan.id, "progress")  # what a join looks at first
    _, joined = export_partition(encord, second, other, READING)
    assert joined is not None
    with pytest.raises(FinishedError):
        directory.require_owner(plan.id)
    assert join(encord, plan, directory) == joined
    assert (other / MANIFEST).exists()


def test_a_plan_that_another_process_wrote_again_is_read_as_it_is_now(paths: list[ObjectStoragePath]) -> None:
    one, other = (directory_of(path) for path in paths)
    one.take("a" * 32, "fingerprint")
    one.require_ours()
    other.take("b" * 32, "a longer fingerprint than that of the first")
    assert one.owned_by("b" * 32)
    assert sorted(one.path.fs.ls("/bucket/export", detail=False)) == sorted(other.path.fs.ls("/bucket/export", False))
