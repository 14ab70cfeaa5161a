"""Models and their trainings, with the newest SDK."""

from pathlib import Path
from typing import Any

import pytest

from tests.sdk.conftest import Account
from tests.sdk.environments import SSH_SDK
from tests.wire.server import Server

pytestmark = pytest.mark.sdk


@pytest.fixture(scope="module")
def toured(owner: Account, server: Server, pictures: dict[str, Path]) -> Any:
    wanted = {"owner": owner.email, "title": "Seeded", "rows": 2, "created": 1.0}
    project = server.control("POST", "projects", wanted)["project_hash"]
    return owner.run(SSH_SDK, "tour_models", project=project, image=pictures["kerb 65x33.jpg"])


def test_a_model_is_made_renamed_and_found(toured: Any) -> None:
    assert toured["made"] == ["Cars", "objectDetection", 0]
    assert toured["renamed"] == ["Cars of the street", "d"]
    assert toured["listed"] == ["Cars of the street"]


def test_a_training_ends_and_says_what_it_was_given(toured: Any) -> None:
    assert toured["ended"] == [3, 3]
    assert toured["trained_with"] == toured["rows"]
    assert toured["link"].startswith("http")


def test_label_rows_that_are_not_there_start_no_training(toured: Any) -> None:
    assert toured["unknown_label"]["raised"] == "ResourceNotFoundError"


def test_the_policy_decides_which_trainings_a_project_uses(toured: Any) -> None:
    assert toured["policies"] == [["manualSelection", 0], ["useLatest", 1]]
    assert toured["attached"] == [True, 0]


def test_predictions_are_made_for_every_frame_that_is_sure_enough(toured: Any) -> None:
    assert toured["boxes"] == [[0, ["car"]]]
    assert toured["none"] == [[]]
    assert toured["polygons"] == [4]
    assert toured["classes"] == ["car"]


def test_what_is_deleted_is_not_found(toured: Any) -> None:
    assert toured["left"] == 0
    assert toured["deleted"]["raised"] == "ResourceNotFoundError"
