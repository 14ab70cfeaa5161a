"""Which object of a bucket an address names."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider_encord.client.errors import RefusedError
from airflow_provider_encord.media.fetching import Buckets
from airflow_provider_encord.storage_paths import blocks_of
from tests.object_stores import attach_memory

KEYS = ("a.png", "deep/a.png", "deep//a.png", "/a.png", "//a.png", "deep/more///a.png")


@pytest.fixture
def bucket() -> Any:
    attach_memory()
    return ObjectStoragePath(f"memory://bucket-{uuid.uuid4()}/data")


def read(path: Any) -> bytes:
    return b"".join(blocks_of(path))


@pytest.mark.parametrize("slash", ["", "/"])
def test_each_key_names_its_own_object_also_with_empty_parts(bucket: Any, slash: str) -> None:
    for key in KEYS:
        bucket.fs.pipe_file(f"{bucket.path}/{key}", key.encode())
    buckets = Buckets({"s3://mine/": ObjectStoragePath(f"{bucket}{slash}")})
    for key in KEYS:
        assert read(buckets.path_of(f"s3://mine/{key}")) == key.encode()


@pytest.mark.parametrize(
    "key", ["../a.png", "deep/../../a.png", "deep//../a.png", "//../a.png", ".", "deep/", "//", ""]
)
@pytest.mark.parametrize("place", [lambda bucket, directory: bucket, lambda bucket, directory: directory])
def test_a_key_that_leads_upwards_or_names_no_object_is_refused(
    bucket: Any, tmp_path: Path, key: str, place: Callable[[Any, Path], Any]
) -> None:
    with pytest.raises(RefusedError, match="does not name a file below a directory"):
        Buckets({"s3://mine/": place(bucket, tmp_path)}).path_of(f"s3://mine/{key}")


def test_on_a_disk_a_key_with_empty_parts_is_refused_because_another_file_would_be_read(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.png").write_bytes(b"another")
    with pytest.raises(RefusedError, match="does not name a file below a directory"):
        Buckets({"s3://mine/": tmp_path}).path_of("s3://mine/deep//a.png")


def test_other_addresses_are_not_in_a_bucket(tmp_path: Path) -> None:
    assert Buckets({"s3://mine/": tmp_path}).path_of("s3://yours/a.png") is None
    assert Buckets({"s3://mine/": tmp_path}).path_of(None) is None
