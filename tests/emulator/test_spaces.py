"""Label rows of data groups and scenes: their spaces in lists and rows, seeded and saved; the settings of scenes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from encord_emulator.fixtures.kinds import Kind
from encord_emulator.process import Emulator
from tests.emulator.callers import Person

READ = {"multi_request": True, "get_signed_url": False}


def rows_of(emulator: Emulator, owner: Person, kind: Kind) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
    """A new project of two labelled rows: its id, the rows as listed and as read, in one order."""
    made = emulator.project(owner=owner.email, title=kind, rows=2, created=1, kind=kind, seed=5)
    project = made["project_id"]
    listed = owner.get("labelrowmetadata", "GET", None, {}, project=project)
    read = owner.get("labelrow", "GET", [row["label_hash"] for row in listed], READ, project=project)
    by_hash = {row["label_hash"]: row for row in read}
    return project, listed, [by_hash[row["label_hash"]] for row in listed]


def without_labels(spaces: dict[str, Any]) -> dict[str, Any]:
    return {name: {key: value for key, value in space.items() if key != "labels"} for name, space in spaces.items()}


@pytest.mark.parametrize(("kind", "count"), [("group", 10), ("scene", 3)])
def test_a_list_and_the_rows_have_the_same_spaces(
    encord_emulator: Emulator, owner: Person, kind: Kind, count: int
) -> None:
    _, listed, read = rows_of(encord_emulator, owner, kind)
    for shown, row in zip(listed, read, strict=True):
        assert len(shown["spaces"]) == count
        assert without_labels(row["spaces"]) == without_labels(shown["spaces"])


def test_a_seeded_group_has_objects_on_its_members(encord_emulator: Emulator, owner: Person) -> None:
    _, _, read = rows_of(encord_emulator, owner, "group")
    for row in read:
        frames = [frame for space in row["spaces"].values() for frame in space["labels"].values()]
        drawn = {one["objectHash"] for frame in frames for one in frame["objects"]}
        assert drawn == row["object_answers"].keys()
        (unit,) = row["data_units"].values()
        assert [child["data_hash"] for child in unit["metadata"]["children"]] == [*row["spaces"]]


def test_labels_in_spaces_are_kept_signed_and_read_by_feature(encord_emulator: Emulator, owner: Person) -> None:
    project, _, (row, _) = rows_of(encord_emulator, owner, "group")
    sent = copy.deepcopy(row)
    for space in sent["spaces"].values():
        del space["child_info"]  # the SDK does not send it
        for frame in space["labels"].values():
            for one in frame["objects"]:
                one["createdBy"] = None
    owner.get("labelrow", "POST", row["label_hash"], sent, project=project)
    (read,) = owner.get("labelrow", "GET", [row["label_hash"]], READ, project=project)
    assert without_labels(read["spaces"]) == without_labels(row["spaces"])
    drawn = [one for space in read["spaces"].values() for frame in space["labels"].values() for one in frame["objects"]]
    assert drawn
    assert {one["createdBy"] for one in drawn} == {owner.email}
    question = {**READ, "include_object_feature_hashes": []}
    (nothing,) = owner.get("labelrow", "GET", [row["label_hash"]], question, project=project)
    assert nothing["object_answers"] == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nowhere": {"labels": {}}}, "spaces: 'nowhere' is not a space of this label row"),
        ({"root": {"space_type": "image", "labels": {}}}, "spaces: 'root' is not a space of this label row"),
        ({"x": []}, "spaces: 'x' must be an object"),
    ],
)
def test_spaces_that_the_row_does_not_have_are_refused(
    encord_emulator: Emulator, owner: Person, change: dict[str, Any], message: str
) -> None:
    project, _, (row, _) = rows_of(encord_emulator, owner, "group")
    answer = owner.ask("labelrow", "POST", row["label_hash"], {**row, "spaces": change}, project=project)
    assert answer.code == "CORRUPTED_LABEL_ERROR"
    assert message in str(answer.json)


def test_the_settings_of_a_scene_change_and_go_back_to_the_default(encord_emulator: Emulator, owner: Person) -> None:
    _, listed, _ = rows_of(encord_emulator, owner, "scene")
    item = listed[0]["backing_item_uuid"]
    folder = owner.rest("GET", f"storage/items/{item}").json["parent"]
    place = f"storage/folders/{folder}/items/{item}"
    before = owner.rest("GET", f"scene/{item}").json
    assert (before["viewSettings"], before["layout"]) == (None, None)
    layout = {"tiles": {"main": {"type": "3d"}}}
    owner.rest("PATCH", place, {"sceneViewSettings": {"pointRadius": 2.0}, "sceneLayout": layout})
    after = owner.rest("GET", f"scene/{item}").json
    assert (after["viewSettings"], after["layout"]) == ({"pointRadius": 2.0}, layout)
    assert after["streams"].keys() == before["streams"].keys()
    owner.rest("PATCH", place, {"sceneViewSettings": None})
    again = owner.rest("GET", f"scene/{item}").json
    assert (again["viewSettings"], again["layout"]) == (None, layout)


def test_a_kind_without_frames_takes_no_number_of_them(encord_emulator: Emulator, owner: Person) -> None:
    with pytest.raises(Exception, match="frames must be exactly 1 for data of the kind audio"):
        encord_emulator.project(owner=owner.email, title="Sounds", rows=1, kind="audio", frames=2)
