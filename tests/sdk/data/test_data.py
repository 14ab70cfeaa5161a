"""Real files, uploaded and listed by the newest SDK with an SSH key."""

import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.conftest import Account
from tests.sdk.environments import SSH_SDK
from tests.wire.server import Server

pytestmark = pytest.mark.sdk

LATER = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)).isoformat()

SIZES = {
    "crossing 64x48.png": (64, 48, "image/png"),
    "kerb 65x33.jpg": (65, 33, "image/jpeg"),
    "lane 640x480.jpg": (640, 480, "image/jpeg"),
}
VIDEO = "drive 320x240.mp4"

FILTERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "title": ({"title_eq": VIDEO}, [VIDEO]),
    "like": ({"title_like": "%.jpg"}, ["kerb 65x33.jpg", "lane 640x480.jpg"]),
    "images": ({"data_types": ["IMAGE"]}, sorted(SIZES)),
    "videos": ({"data_types": ["VIDEO"]}, [VIDEO]),
    "later": ({"created_after": LATER}, []),
    "before": ({"created_before": LATER}, sorted([*SIZES, VIDEO])),
}


@pytest.fixture(scope="module")
def mirror(owner: Account) -> dict[str, Any]:
    return owner.run(SSH_SDK, "create_dataset", title="Drive", description="one afternoon", mirror="yes")


@pytest.fixture(scope="module")
def uploaded(owner: Account, mirror: dict[str, Any], pictures: dict[str, Path]) -> dict[str, Any]:
    images = [str(pictures[name]) for name in SIZES]
    return owner.run(
        SSH_SDK, "upload_files", dataset=mirror["dataset_hash"], image=images, video=[str(pictures[VIDEO])]
    )


@pytest.fixture(scope="module")
def listed(owner: Account, mirror: dict[str, Any], uploaded: dict[str, Any]) -> dict[str, Any]:
    filters = {name: selection for name, (selection, _) in FILTERS.items()}
    filters["by hash"] = {"data_hashes": [uploaded["images"][1]["data_hash"]]}
    return owner.run(SSH_SDK, "list_data_rows", dataset=mirror["dataset_hash"], filters=filters)


def test_an_upload_gives_each_file_a_data_hash_and_its_name_as_title(uploaded: dict[str, Any]) -> None:
    assert [image["title"] for image in uploaded["images"]] == list(SIZES)
    assert [video["title"] for video in uploaded["videos"]] == [VIDEO]
    hashes = {one["data_hash"] for one in uploaded["images"] + uploaded["videos"]}
    assert len(hashes) == len(SIZES) + 1


def test_the_dataset_knows_type_and_dimensions_of_each_image(
    listed: dict[str, Any], uploaded: dict[str, Any], pictures: dict[str, Path]
) -> None:
    rows = {row["title"]: row for row in listed["rows"]}
    assert rows.keys() == {*SIZES, VIDEO}
    for image in uploaded["images"]:
        row = rows[image["title"]]
        assert row["uid"] == image["data_hash"]
        assert (row["width"], row["height"], row["file_type"]) == SIZES[image["title"]]
        assert row["file_size"] == pictures[image["title"]].stat().st_size
        assert row["type"] == "image"
        assert row["backing_item_uuid"]


def test_the_dataset_knows_length_and_dimensions_of_a_video(listed: dict[str, Any]) -> None:
    (row,) = (row for row in listed["rows"] if row["title"] == VIDEO)
    assert (row["type"], row["file_type"]) == ("video", "video/mp4")
    assert (row["width"], row["height"]) == (320, 240)
    assert (row["frames_per_second"], row["duration"]) == (10, 3)


@pytest.mark.parametrize("selection", FILTERS)
def test_a_listing_of_rows_obeys_its_filters(listed: dict[str, Any], selection: str) -> None:
    assert listed["listed"][selection] == FILTERS[selection][1]


def test_a_row_is_found_by_its_hash(listed: dict[str, Any], uploaded: dict[str, Any]) -> None:
    assert listed["listed"]["by hash"] == [uploaded["images"][1]["title"]]


def test_files_reach_a_plain_dataset_by_way_of_a_folder(
    owner: Account, mirror: dict[str, Any], pictures: dict[str, Path]
) -> None:
    plain = owner.run(SSH_SDK, "create_dataset", title="Plain")
    image = pictures["crossing 64x48.png"]
    done = owner.run(
        SSH_SDK,
        "upload_files",
        dataset=plain["dataset_hash"],
        image=[str(image)],
        folder=mirror["backing_folder_uuid"],
    )
    rows = owner.run(SSH_SDK, "list_data_rows", dataset=plain["dataset_hash"], filters={})["rows"]
    assert [row["uid"] for row in rows] == [done["images"][0]["data_hash"]]


def test_uploads_go_to_a_signed_address_without_credentials(server: Server, uploaded: dict[str, Any]) -> None:
    entries = server.control("GET", "journal")["entries"]
    puts = [entry for entry in entries if entry["method"] == "PUT" and not entry["path"].startswith("/v2/")]
    assert len(puts) >= len(SIZES) + 1
    assert {entry["credential"] for entry in puts} == {"none"}


def test_data_that_is_added_later_has_a_label_row_without_any_further_call(
    owner: Account, pictures: dict[str, Path]
) -> None:
    dataset = owner.run(SSH_SDK, "create_dataset", title="Growing", mirror="yes")["dataset_hash"]
    project = owner.run(SSH_SDK, "create_project", title="Growing", dataset=[dataset])
    assert project["label_rows"] == 0

    owner.run(SSH_SDK, "upload_files", dataset=dataset, image=[str(pictures["lane 640x480.jpg"])])

    rows = owner.run(SSH_SDK, "list_label_rows", project=project["project_hash"], filters={"all": {}})["all"]
    assert [(row["data_title"], row["stage"], row["label_hash"]) for row in rows] == [
        ("lane 640x480.jpg", "Annotate", None)
    ]
