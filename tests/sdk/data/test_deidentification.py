"""De-identification of DICOM files, with the newest SDK."""

from pathlib import Path
from typing import Any

import pytest

from tests.sdk import media
from tests.sdk.conftest import Account
from tests.sdk.environments import SSH_SDK
from tests.wire.server import Server

pytestmark = pytest.mark.sdk

PATIENT = b"P1"


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    (folder / "a.dcm").write_bytes(media.dicom("1.2.3"))
    (folder / "odd.dcm").write_bytes(b"no DICOM file")
    return folder


@pytest.fixture(scope="module")
def result(owner: Account, server: Server, bucket: Path) -> Any:
    where = {"integration": "studies", "url": "s3://studies", "directory": str(bucket)}
    integration = server.control("POST", "buckets", where)["integrationUuid"]
    return owner.run(SSH_SDK, "deidentify", integration=integration)


def test_a_copy_lies_beside_its_file_and_says_nothing_about_the_patient(result: Any, bucket: Path) -> None:
    assert result["redacted"] == ["s3://studies/deid_1_a.dcm"]
    assert PATIENT in (bucket / "a.dcm").read_bytes()
    assert PATIENT not in (bucket / "deid_1_a.dcm").read_bytes()


def test_tags_are_kept_where_that_is_wanted_and_copies_go_into_another_folder(result: Any, bucket: Path) -> None:
    assert result["kept"] == ["s3://studies/kept/deid_1_a.dcm"]
    assert PATIENT in (bucket / "kept" / "deid_1_a.dcm").read_bytes()


def test_a_file_that_does_not_meet_every_condition_is_left_out(result: Any) -> None:
    assert result["left_out"] == []


def test_a_file_that_cannot_be_read_ends_the_job(result: Any) -> None:
    assert result["missing"]["raised"] == result["odd"]["raised"] == "ValueError"
