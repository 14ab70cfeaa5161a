"""What happens to a dataset in its life, with the newest SDK."""

from typing import Any

import pytest

from tests.sdk import media
from tests.sdk.conftest import Account
from tests.sdk.environments import SSH_SDK
from tests.wire.server import Server

pytestmark = pytest.mark.sdk


@pytest.fixture(scope="module")
def lived(owner: Account, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Any:
    files, bucket = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("bucket")
    for name in ("one.png", "two.png"):
        (files / name).write_bytes(media.png(64, 48))
    (files / "drive.mp4").write_bytes(media.mp4(320, 240, frames=10, frames_per_second=10))
    (bucket / "a.png").write_bytes(media.png(8, 8))
    where = {"integration": "aws", "url": "s3://bucket", "directory": str(bucket)}
    integration = server.control("POST", "buckets", where)["integrationUuid"]
    return owner.run(SSH_SDK, "tour_dataset", files=files, integration=integration)


def test_a_registration_is_whole_or_counts_what_failed(lived: Any) -> None:
    assert lived["refused"] == ["ERROR", 0, 1]
    assert lived["partly"] == ["DONE", 1, 1]


def test_files_of_each_kind_become_rows(lived: Any) -> None:
    assert lived["titles"] == ["Drive", "Pair", "a.png"]


def test_a_row_is_edited_and_read_again(lived: Any) -> None:
    assert lived["metadata"] == {"weather": "rain"}
    assert lived["signed"] is True


def test_a_video_is_encoded_again(lived: Any) -> None:
    assert lived["encoding"] in ("DONE", "SUBMITTED")


def test_groups_come_and_go_and_so_do_rows(lived: Any) -> None:
    assert lived["groups"] == [["Dataset team"], 0]
    assert lived["left"] == ["Drive"]
