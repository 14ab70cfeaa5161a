"""A report is read, and replaced, by the operation that wrote it only, and never if a newer version wrote it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports import verify
from airflow_provider_encord.prelabels import report as import_report
from airflow_provider_encord.registration import lines as registration_lines
from airflow_provider_encord.registration.report import RegistrationReport
from airflow_provider_encord.snapshots import memory as snapshot_memory
from airflow_provider_encord.storage_paths import plain
from airflow_provider_encord.uploads import report as upload_report
from tests.docs.schemas import REPORTS

COMMON = {"schema_version": "1.0", "source": "s", "id": "i", "outcome": "created", "error": None}
OWN: dict[str, dict[str, Any]] = {
    upload_report.OPERATION: {
        "title": "a.png",
        "size": 1,
        "sha256": None,
        "kind": "image",
        "dataset_id": None,
        "item_id": None,
    },
    import_report.OPERATION: {"data_hash": "d"},
    registration_lines.OPERATION: {"urls": ["s3://b/a"], "title": "a"},
}
READ: dict[str, Callable[[Path], object]] = {
    upload_report.OPERATION: upload_report.earlier_lines,
    import_report.OPERATION: lambda path: import_report.ImportReport(plain(path)),
    registration_lines.OPERATION: lambda path: RegistrationReport(path).require_ours(),
    verify.OPERATION: lambda path: verify.require_report_place(path, path.parent / "export"),
}


OTHERS = [(operation, other) for operation, other in itertools.product(READ, REPORTS) if operation != other]


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "report.jsonl"
    (tmp_path / "report.jsonl").unlink()  # a made-up file, with fields of several operations, has no schema


def write(path: Path, operation: str, **changes: Any) -> None:
    every = {name: value for fields in OWN.values() for name, value in fields.items()}
    path.write_text(json.dumps({**every, **COMMON, "operation": operation, **changes}) + "\n")


@pytest.mark.parametrize("operation", READ)
def test_a_report_of_ones_own_may_be_replaced(operation: str, path: Path) -> None:
    write(path, operation)
    READ[operation](path)


@pytest.mark.parametrize(
    ("operation", "other"), [pair for pair in itertools.product(READ, REPORTS) if len({*pair}) == 2]
)
def test_a_report_of_another_operation_is_refused(operation: str, other: str, path: Path) -> None:
    write(path, other)
    before = path.read_bytes()
    with pytest.raises(InvalidArgumentError, match="report: "):
        READ[operation](path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("operation", READ)
def test_a_report_of_a_newer_version_is_refused(operation: str, path: Path) -> None:
    write(path, operation, schema_version="2.0")
    with pytest.raises(InvalidArgumentError, match=r"schema_version '2\.0'.*Upgrade"):
        READ[operation](path)


def test_a_snapshot_is_not_taken_up_from_another_report(path: Path) -> None:
    write(path, upload_report.OPERATION)
    with pytest.raises(InvalidArgumentError, match="is not the report of this snapshot"):
        snapshot_memory.Memory("about", report=plain(path)).load()
