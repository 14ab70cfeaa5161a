"""Collections and filter presets of a project, and interpolated objects, with the newest SDK."""

from typing import Any

import pytest

from tests.sdk.conftest import Account
from tests.sdk.environments import SSH_SDK
from tests.wire.server import Server

pytestmark = pytest.mark.sdk


@pytest.fixture(scope="module")
def toured(owner: Account, server: Server) -> Any:
    wanted = {"owner": owner.email, "title": "Seeded", "rows": 3, "created": 1.0}
    project = server.control("POST", "projects", wanted)["project_hash"]
    return owner.run(SSH_SDK, "tour_project_collections", project=project)


def test_frames_are_listed_by_data_unit_page_by_page(toured: Any) -> None:
    assert len(toured["rows"]) == 3
    assert toured["listed_frames"] == [[row, [0]] for row in toured["rows"]]


def test_frames_and_labels_that_are_not_there_fail(toured: Any) -> None:
    assert toured["failed_frames"] == [0, [1000]]
    assert toured["failed_labels"] == toured["failed_to_remove"] == ["nothing"]


def test_labels_are_listed_with_their_ids_and_removed(toured: Any) -> None:
    label_row, label = toured["wanted"]
    assert toured["listed_labels"] == [[label_row, [label]]]
    assert toured["after"] == 0


def test_a_preset_without_filters_adds_and_removes_every_label(toured: Any) -> None:
    assert toured["with_preset"] > 1
    assert toured["without_preset"] == 0


def test_presets_keep_their_filters_and_are_deleted(toured: Any) -> None:
    found, sent = toured["definition"]
    assert found == sent
    assert toured["presets"] == ["Everything"]


def test_collections_are_listed_with_their_type_and_deleted(toured: Any) -> None:
    assert toured["collections"] == [["Frames", "FRAME"], ["Hard labels", "LABEL"]]
    assert toured["deleted"]["raised"] == "AuthorisationError"


def test_boxes_move_evenly_between_key_frames(toured: Any) -> None:
    assert toured["between"] == {"1": 0.1, "2": 0.2, "3": 0.3}
