"""Label rows, listed, started, filled, saved, read back and moved by the newest SDK with an SSH key."""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.conftest import Account
from tests.sdk.environments import SSH_SDK
from tests.sdk.street import IMAGES, RICH, VIDEO, Street, make_street
from tests.wire.server import Server

pytestmark = pytest.mark.sdk

TITLES = sorted([*IMAGES, VIDEO])
NOW = datetime.datetime.now(datetime.UTC)
AN_HOUR_AGO = (NOW - datetime.timedelta(hours=1)).isoformat()
IN_AN_HOUR = (NOW + datetime.timedelta(hours=1)).isoformat()
GEOMETRIES = {
    "Car": {"boundingBox": {"h": 0.1, "w": 0.2, "x": 0.3, "y": 0.4}},
    "Lorry": {"rotatableBoundingBox": {"h": 0.1, "w": 0.2, "x": 0.3, "y": 0.4, "theta": 12.5}},
    "Lamp": {"point": {"0": {"x": 0.25, "y": 0.75}}},
    "Kerb": {"polyline": {"0": {"x": 0.1, "y": 0.1}, "1": {"x": 0.5, "y": 0.1}, "2": {"x": 0.3, "y": 0.6}}},
    "Lane": {"polygon": {"0": {"x": 0.1, "y": 0.1}, "1": {"x": 0.5, "y": 0.1}, "2": {"x": 0.3, "y": 0.6}}},
}


@pytest.fixture(scope="module")
def street(owner: Account, pictures: dict[str, Path]) -> Street:
    return make_street(owner, pictures, "Labels")


@pytest.fixture(scope="module")
def untouched(owner: Account, street: Street) -> dict[str, list[dict[str, Any]]]:
    """Listings from before any row was started."""
    filters: dict[str, dict[str, Any]] = {
        "all": {},
        "title": {"data_title_eq": VIDEO},
        "like": {"data_title_like": "%.jpg"},
        "stage": {"workflow_graph_node_title_eq": "Annotate"},
        "like stage": {"workflow_graph_node_title_like": "Anno%"},
        "other stage": {"workflow_graph_node_title_eq": "Complete"},
        "edited": {"edited_after": AN_HOUR_AGO},
        "without stage": {"include_workflow_graph_node": False},
    }
    return owner.run(SSH_SDK, "list_label_rows", project=street.project, filters=filters)


@pytest.fixture(scope="module")
def written(owner: Account, street: Street, untouched: Any) -> dict[str, dict[str, Any]]:
    """What `write_labels` saved, by title: label rows as the SDK wrote them."""
    return owner.run(SSH_SDK, "write_labels", project=street.project)


@pytest.fixture(scope="module")
def read(owner: Account, street: Street, written: Any) -> dict[str, dict[str, Any]]:
    """What another process then reads, by title."""
    return owner.run(SSH_SDK, "read_labels", project=street.project)


@pytest.fixture(scope="module")
def truth(server: Server, street: Street, written: Any) -> dict[str, dict[str, Any]]:
    """The label rows as the emulator stores them, by title."""
    return {row["data_title"]: row for row in server.control("GET", f"labels/{street.project}")}


def frame_objects(row: dict[str, Any], frame: str | None = None) -> list[dict[str, Any]]:
    (unit,) = row["data_units"].values()
    return unit["labels"]["objects"] if frame is None else unit["labels"][frame]["objects"]


@pytest.mark.parametrize(
    ("selection", "titles"),
    [
        ("all", TITLES),
        ("title", [VIDEO]),
        ("like", ["kerb 65x33.jpg", "lane 640x480.jpg"]),
        ("stage", TITLES),
        ("like stage", TITLES),
        ("other stage", []),
        ("edited", []),
        ("without stage", TITLES),
    ],
)
def test_rows_are_listed_under_filters_before_they_are_started(
    untouched: dict[str, list[dict[str, Any]]], selection: str, titles: list[str]
) -> None:
    assert [row["data_title"] for row in untouched[selection]] == titles


def test_a_fresh_row_has_no_label_hash_but_a_task_in_the_first_stage(
    untouched: dict[str, list[dict[str, Any]]], street: Street
) -> None:
    for row in untouched["all"]:
        assert row["label_hash"] is None
        assert row["last_edited_at"] is None
        assert (row["stage"], row["branch"], row["dataset_hash"]) == ("Annotate", "main", street.dataset)
        assert row["task_uuid"]
        assert row["backing_item_uuid"]
    assert [row["stage"] for row in untouched["without stage"]] == [None] * 4


def test_a_row_knows_the_size_of_its_data(untouched: dict[str, list[dict[str, Any]]]) -> None:
    sizes = {row["data_title"]: (row["width"], row["height"], row["frames"]) for row in untouched["all"]}
    assert sizes == {
        "crossing 64x48.png": (64, 48, 1),
        "kerb 65x33.jpg": (65, 33, 1),
        "lane 640x480.jpg": (640, 480, 1),
        VIDEO: (320, 240, 30),
    }


def test_every_object_that_was_saved_is_read_back_with_its_geometry(read: dict[str, Any]) -> None:
    objects = {one["name"]: one for one in read[RICH]["objects"]}
    assert objects.keys() == GEOMETRIES.keys()
    for name, geometry in GEOMETRIES.items():
        (expected,) = geometry.values()
        assert contains(objects[name]["frames"]["0"]["coordinates"], expected), objects[name]


def contains(found: Any, expected: Any) -> bool:
    """Whether a geometry is what was saved; the SDK adds forms of its own beside it."""
    if isinstance(expected, dict):
        inner = next((value for key, value in found.items() if key in {"polygon", "polyline"}), found)
        return all(key in inner and contains(inner[key], value) for key, value in expected.items())
    return bool(found == pytest.approx(expected))


def test_confidence_and_author_of_an_object_survive(read: dict[str, Any], owner: Account) -> None:
    car = next(one for one in read[RICH]["objects"] if one["name"] == "Car")
    annotation = car["frames"]["0"]
    assert (annotation["confidence"], annotation["manual"]) == (0.75, False)
    assert annotation["created_by"] == owner.email


def test_answers_of_an_object_survive_nested_ones_too(read: dict[str, Any]) -> None:
    car = next(one for one in read[RICH]["objects"] if one["name"] == "Car")
    assert car["answers"] == {"Colour": "Blue", "Which blue": "teal", "Plate": "B-XY 12", "Seats": 4.5}


def test_every_classification_is_read_back_once_with_its_answer(read: dict[str, Any]) -> None:
    found = sorted(
        (classification["name"], str(classification["answers"]), classification["frames"])
        for classification in read[RICH]["classifications"]
    )
    assert found == [
        ("Note", "{'Note': 'a wet street'}", [0]),
        ("Seen", "{'Seen': ['People', 'Signs']}", [0]),
        ("Weather", "{'Weather': 'Heavy rain'}", [0]),
    ]


def test_a_video_keeps_its_labels_frame_by_frame(read: dict[str, Any]) -> None:
    (car,) = read[VIDEO]["objects"]
    assert {frame: one["coordinates"]["h"] for frame, one in car["frames"].items()} == {
        "0": 0.1,
        "1": 0.1,
        "2": 0.2,
        "4": 0.1,
    }
    assert car["changing answers"] == {"Brake": [{"answer": "pressed", "ranges": [[1, 2]]}]}
    (note,) = read[VIDEO]["classifications"]
    assert (note["answers"], note["frames"]) == ({"Note": "driving"}, [1, 2, 3])


def test_rows_saved_in_a_bundle_are_all_there(read: dict[str, Any]) -> None:
    assert sorted(read) == TITLES
    for title in IMAGES[1:]:
        assert [classification["answers"] for classification in read[title]["classifications"]] == [{"Weather": "Dry"}]


def test_the_emulator_stores_what_the_sdk_sent(written: dict[str, Any], truth: dict[str, Any], owner: Account) -> None:
    assert truth.keys() == written.keys()
    sent = {one["objectHash"]: one for one in frame_objects(written[RICH])}
    kept = {one["objectHash"]: one for one in frame_objects(truth[RICH])}
    assert kept.keys() == sent.keys()
    for object_hash, one in kept.items():
        assert one == {**sent[object_hash], "createdBy": owner.email, "lastEditedBy": one.get("lastEditedBy")}
    assert truth[RICH]["object_answers"] == written[RICH]["object_answers"]


def test_a_saved_row_is_listed_by_label_hash_time_and_branch(
    owner: Account, street: Street, written: dict[str, Any]
) -> None:
    label_hash = written[RICH]["label_hash"]
    filters: dict[str, dict[str, Any]] = {
        "label hash": {"label_hashes": [label_hash]},
        "data hash": {"data_hashes": [written[VIDEO]["data_hash"]]},
        "edited after": {"edited_after": AN_HOUR_AGO},
        "edited before": {"edited_before": AN_HOUR_AGO},
        "edited before later": {"edited_before": IN_AN_HOUR},
        "main": {"branch_name": "main"},
        "other branch": {"branch_name": "model-v1"},
        "all branches": {"include_all_label_branches": True},
        "metadata": {"include_client_metadata": True, "include_images_data": True},
    }
    found = owner.run(SSH_SDK, "list_label_rows", project=street.project, filters=filters)

    titles = {selection: [row["data_title"] for row in rows] for selection, rows in found.items()}
    assert titles["label hash"] == [RICH]
    assert titles["data hash"] == [VIDEO]
    assert titles["edited before"] == []
    other_branch = {(row["branch"], row["label_hash"]) for row in found["other branch"]}
    assert (titles["other branch"], other_branch) == (TITLES, {("model-v1", None)})
    for selection in ("edited after", "edited before later", "main", "all branches", "metadata"):
        assert titles[selection] == TITLES, selection
    assert found["label hash"][0]["last_edited_at"] >= found["label hash"][0]["created_at"]


def test_reading_labels_changes_nothing(owner: Account, server: Server, street: Street, read: Any) -> None:
    before = server.control("GET", f"labels/{street.project}")
    server.control("DELETE", "journal")

    again = owner.run(SSH_SDK, "read_labels", project=street.project)

    assert again == read
    assert not [entry for entry in server.control("GET", "journal")["entries"] if entry["changes"]]
    assert server.control("GET", f"labels/{street.project}") == before


def test_reading_obeys_the_filters_on_features_and_signs_links_when_asked(
    owner: Account, street: Street, written: Any
) -> None:
    found = owner.run(SSH_SDK, "read_filtered_labels", project=street.project, title=RICH)

    assert len(found["everything"]["objects"]) == 5
    assert found["everything"]["data_link"] is None
    assert found["cars"] == {**found["everything"], "objects": ["Car"]}
    assert found["notes"] == {**found["everything"], "classifications": ["Note"]}
    assert (found["nothing"]["objects"], found["nothing"]["classifications"]) == ([], [])
    assert found["signed"]["data_link"].startswith("http://127.0.0.1:")


def test_a_save_leaves_exactly_what_was_in_it(owner: Account, pictures: dict[str, Path]) -> None:
    other = make_street(owner, pictures, "Edits")
    owner.run(SSH_SDK, "write_labels", project=other.project)

    owner.run(SSH_SDK, "edit_labels", project=other.project, title=RICH)

    row = owner.run(SSH_SDK, "read_labels", project=other.project)[RICH]
    car = next(one for one in row["objects"] if one["name"] == "Car")
    assert car["frames"]["0"]["coordinates"] == {"h": 0.5, "w": 0.5, "x": 0.25, "y": 0.25}
    assert len(row["objects"]) == 5
    assert row["classifications"] == []


def test_rows_complete_and_reopen(owner: Account, street: Street, written: Any) -> None:
    first, second = IMAGES[0], IMAGES[1]

    start, completed, reopened = owner.run(SSH_SDK, "move_rows", project=street.project, title=[first, second])

    assert set(start.values()) == {"Annotate"}
    assert completed == {**start, first: "Complete", second: "Complete"}
    assert reopened == {**completed, first: "Annotate"}


def test_labels_that_do_not_fit_are_refused_with_the_codes_that_the_sdk_knows(
    owner: Account, pictures: dict[str, Path], new_account: Callable[[str], Account]
) -> None:
    other = make_street(owner, pictures, "Refused")
    owner.run(SSH_SDK, "write_labels", project=other.project)

    outcome = owner.run(SSH_SDK, "bad_labels", project=other.project)

    raised = {what: one["raised"] for what, one in outcome.items()}
    assert raised["unknown feature"] == "FeatureDoesNotExistError"
    assert raised["no answer entry"] == "AnswerDictionaryError"
    assert raised["create twice"] == "ResourceExistsError"
    missing = {"ResourceNotFoundError", "AuthorisationError"}
    assert {raised[what] for what in raised if "unknown" in what and "feature" not in what} <= missing
    assert raised["known feature"] is None
