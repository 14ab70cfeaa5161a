"""A tour through storage with the newest SDK: folders, files of several kinds, links, registered and synced data."""

import wave
from pathlib import Path
from typing import Any

import pytest

from tests.sdk import media
from tests.sdk.conftest import Account
from tests.sdk.environments import SSH_SDK
from tests.wire.server import Server

pytestmark = pytest.mark.sdk


@pytest.fixture(scope="module")
def toured(owner: Account, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Any:
    files, bucket = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("bucket")
    (files / "kerb.jpg").write_bytes(media.jpeg(65, 33))
    (files / "drive.mp4").write_bytes(media.mp4(64, 48, 10, 10))
    (files / "notes.txt").write_text("mind the kerb")
    for name in ("one.png", "two.png"):
        (files / name).write_bytes(media.png(64, 48))
    _sound(files / "horn.wav")
    for name in ("a.png", "b.png"):
        (bucket / name).write_bytes(media.png(8, 8))
    where = {"integration": "aws", "url": "s3://bucket", "directory": str(bucket)}
    integration = server.control("POST", "buckets", where)["integrationUuid"]
    return owner.run(SSH_SDK, "tour_storage", files=files, integration=integration)


def _sound(path: Path) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))


def test_a_folder_in_a_folder_is_edited(toured: Any) -> None:
    assert toured["inner"] == ["Kerbs", {"site": "B"}]
    assert toured["folders"] == ["Street"]


def test_files_of_each_kind_become_items_that_know_what_they_are(toured: Any) -> None:
    assert toured["items"] == ["audio", "image", "image", "image", "imageGroup", "plainText"]
    assert toured["picture"] == [65, 33, "image/jpeg"]
    assert toured["sound"] == 8000
    assert toured["children"] == ["one.png", "two.png"]
    assert toured["summary"] == [4, 1]


def test_a_signed_url_gives_the_bytes_of_the_file(toured: Any) -> None:
    assert toured["size"] == len(media.jpeg(65, 33))


def test_an_item_is_renamed_linked_moved_and_found(toured: Any) -> None:
    assert toured["renamed"] == ["kerb stone.jpg", {"k": 2}]
    assert toured["linked"] == ["kerb stone.jpg"]
    assert toured["in_datasets"] == ["Linked"]
    assert toured["inner_items"] == ["Notes"]
    assert toured["found"] == ["kerb stone.jpg"]


def test_a_folder_has_groups_moves_is_found_and_goes(toured: Any) -> None:
    assert toured["groups"] == [[["Storage team", "user"]], 0]
    assert toured["below"] == ["Kerbs", "Spare"]
    assert toured["anywhere"] == ["Spare"]


def test_many_items_come_in_the_order_of_the_question(toured: Any) -> None:
    assert toured["many"] == ["horn.wav", "kerb stone.jpg"]


def test_a_deleted_group_takes_along_the_images_that_nothing_else_uses(toured: Any) -> None:
    assert "imageGroup" not in toured["left"]
    assert "imageSequence" not in toured["left"]


def test_registered_data_counts_what_is_missing(toured: Any) -> None:
    assert toured["registered"] == ["DONE", 1, 1]


def test_a_synced_folder_takes_in_what_the_bucket_holds(toured: Any) -> None:
    assert toured["sync"] == ["done", 2]
    assert toured["synced_items"] == ["a.png", "b.png"]


def test_a_synced_folder_has_a_configuration_and_no_other_has(toured: Any) -> None:
    assert toured["before_ingestion"] is None
    assert toured["ingestion"] == [".meta.json", True]
    assert toured["not_synced"]["raised"] is not None


def test_a_video_is_encoded_again(toured: Any) -> None:
    assert toured["encoding"] in {"submitted", "done"}


def test_folders_and_items_are_changed_in_bundles(toured: Any) -> None:
    assert toured["descriptions"] == ["in a bundle", "in it, too", "many at once", "many at once"]
