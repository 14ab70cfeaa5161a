"""Two processes with one directory in an object store. Its file systems answer from what they listed last, as that of
S3 does, so each process must ask the store itself for what the other one did.
"""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider_encord.exports.directory import FinishedError
from airflow_provider_encord.exports.labels import ExportSpec, join
from airflow_provider_encord.exports.manifest import MANIFEST, Layout
from airflow_provider_encord.exports.partitions import export_partition, plan_partitions
from airflow_provider_encord.exports.plan import Plan, directory_of, read_plan
from airflow_provider_encord.exports.reading import ReadOptions
from tests.exports.bench import QUESTION, Encord, units
from tests.object_stores import Objects, attach_store

READING = ReadOptions(max_concurrency=1)


@pytest.fixture
def paths() -> list[ObjectStoragePath]:
    """The same directory, in the file systems of two processes."""
    objects = Objects()
    for protocol in ("one", "other"):
        attach_store(objects, protocol)
    return [ObjectStoragePath(f"{protocol}://bucket/export") for protocol in ("one", "other")]


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
    assert sorted(one.path.fs.ls("bucket/export", detail=False)) == sorted(other.path.fs.ls("bucket/export", False))
