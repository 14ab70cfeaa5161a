"""Data groups, scenes, and items whose files have moved, with the newest SDK."""

from typing import Any

import pytest

from tests.sdk import media
from tests.sdk.conftest import Account
from tests.sdk.environments import SSH_SDK
from tests.wire.server import Server

pytestmark = pytest.mark.sdk


@pytest.fixture(scope="module")
def integrations(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    found = {}
    for name in ("old", "new"):
        bucket = tmp_path_factory.mktemp(name)
        (bucket / "a.png").write_bytes(media.png(8, 8))
        where = {"integration": name, "url": f"s3://{name}", "directory": str(bucket)}
        found[name] = server.control("POST", "buckets", where)["integrationUuid"]
    return found


@pytest.fixture(scope="module")
def toured(owner: Account, integrations: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Any:
    files = tmp_path_factory.mktemp("files")
    (files / "kerb.jpg").write_bytes(media.jpeg(65, 33))
    return owner.run(SSH_SDK, "tour_composites", files=files, **integrations)


def test_a_data_group_has_its_items_and_its_layout(toured: Any) -> None:
    assert toured["carousel"] == ["group", ["left", "right"]]
    assert toured["grid"] == ["grid", {"site": "A"}]
    assert toured["keys"] == ["l", "r"]


def test_a_layout_that_names_an_unknown_key_is_refused(toured: Any) -> None:
    assert toured["unknown_key"]["raised"] is not None
    assert "layoutContents" in toured["unknown_key"]["message"]


def test_rotations_in_every_form_are_read_alike(toured: Any) -> None:
    quarter = [0, 1, 0, -1, 0, 0, 0, 0, 1]
    assert toured["rotations"] == {"quaternion": quarter, "angles": quarter, "matrix": quarter}
    assert toured["positions"] == [[1, 2, 3]] * 3


def test_the_files_of_a_scene_have_urls(toured: Any) -> None:
    assert toured["points"] == [["s3://old/0.pcd", True]]
    assert toured["series"] == ["s3://old/speed.csv"]


def test_an_item_follows_its_file_only_to_where_it_is(toured: Any, integrations: dict[str, str]) -> None:
    assert toured["not_there"]["raised"] is not None
    assert (toured["moved"], toured["integration"]) == ("s3://new/a.png", integrations["new"])
