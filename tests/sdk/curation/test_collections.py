"""Collections and filter presets of the data view, with the newest SDK."""

from typing import Any

import pytest

from tests.sdk import media
from tests.sdk.conftest import Account
from tests.sdk.environments import SSH_SDK

pytestmark = pytest.mark.sdk


@pytest.fixture(scope="module")
def toured(owner: Account, tmp_path_factory: pytest.TempPathFactory) -> Any:
    files = tmp_path_factory.mktemp("files")
    (files / "kerb.jpg").write_bytes(media.jpeg(65, 33))
    return owner.run(SSH_SDK, "tour_collections", files=files)


def test_a_collection_is_made_for_a_folder_at_the_root_and_listed_by_it(toured: Any) -> None:
    assert toured["found"] == ["Dusk", "after 19:00", True]
    assert (toured["of_folder"], toured["everywhere"]) == (["Dusk"], ["Dusk", "Noon"])
    assert toured["inside_a_folder"]["raised"] is not None


def test_items_below_its_folder_are_added_and_removed_and_others_are_reported(toured: Any) -> None:
    assert toured["inside"] == [["a", {"k": 1}], ["b", {"k": 1}]]
    assert toured["failed_to_add"] == toured["failed_to_remove"] == [True]


def test_titles_that_several_items_have_add_nothing(toured: Any) -> None:
    assert toured["by_title"] == [3, 1, ["twice"], ["nothing"]]
    assert toured["after_titles"] == ["a", "b"]


def test_a_preset_without_filters_adds_and_removes_everything(toured: Any) -> None:
    assert toured["with_preset"] == ["a", "b", "twice", "twice"]
    assert toured["without_preset"] == 0


def test_a_preset_keeps_its_filters_as_they_are(toured: Any) -> None:
    assert (toured["renamed"], toured["definition"]) == ("Everything", toured["dark"])
    assert (toured["listed"], toured["by_id"]) == (["Everything", "Dark"], ["Dark"])


def test_what_is_deleted_is_not_found(toured: Any) -> None:
    assert toured["deleted_preset"]["raised"] == toured["deleted_collection"]["raised"] == "AuthorisationError"
