"""Projects that the emulator's controls make, with labels by its annotator, are projects like any other to the SDKs."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.sdk.conftest import Account
from tests.sdk.environments import API_KEY_SDK, SSH_SDK, VERSIONS
from tests.sdk.substance import substance
from tests.wire.server import Server

pytestmark = pytest.mark.sdk

ROWS, OBJECTS = 4, 2
KINDS = {"image": 1, "video": 5, "img_group": 3}
"""Kinds of data, with the frames of each."""


@pytest.fixture(scope="module")
def projects(owner: Account, server: Server) -> dict[str, str]:
    """A project of each kind of data, with labels on every row."""
    wanted = {"owner": owner.email, "rows": ROWS, "created": 1, "objects_per_row": OBJECTS, "seed": 7}
    return {
        kind: server.control("POST", "projects", {**wanted, "title": kind, "kind": kind, "frames": frames})[
            "project_hash"
        ]
        for kind, frames in KINDS.items()
    }


@pytest.fixture(scope="module")
def read(owner: Account, projects: dict[str, str]) -> dict[tuple[str, str], Any]:
    """What each SDK reads of each project, by version and kind."""
    return {
        (version, kind): owner.run(version, "read_labels", project=project)
        for version in VERSIONS
        for kind, project in projects.items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_both_sdks_read_the_same_labels(read: dict[tuple[str, str], Any], kind: str) -> None:
    new, old = read[SSH_SDK, kind], read[API_KEY_SDK, kind]
    assert len(new) == ROWS
    assert substance(new) == substance(old)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sdk_finds_every_object_that_the_emulator_stores(
    read: dict[tuple[str, str], Any], server: Server, projects: dict[str, str], kind: str
) -> None:
    stored = server.control("GET", f"labels/{projects[kind]}")
    expected = {row["label_hash"]: sorted(row["object_answers"]) for row in stored}
    found = {row["label_hash"]: [one["hash"] for one in row["objects"]] for row in read[SSH_SDK, kind].values()}
    assert found == expected
    assert all(len(objects) >= OBJECTS for objects in expected.values())


def test_image_groups_list_their_images_when_asked(owner: Account, projects: dict[str, str]) -> None:
    asked = {"plain": {}, "with images": {"include_images_data": True}}

    listed = owner.run(SSH_SDK, "list_label_rows", project=projects["img_group"], filters=asked)

    assert {row["images"] for row in listed["plain"]} == {None}
    assert [len(row["images"]) for row in listed["with images"]] == [KINDS["img_group"]] * ROWS
    assert all(width and height for row in listed["with images"] for _, width, height in row["images"])


def test_what_people_label_later_reaches_the_sdk_and_moves_on(
    owner: Account, server: Server, new_account: Callable[[str], Account]
) -> None:
    seeded = server.control("POST", "projects", {"owner": owner.email, "title": "Fresh", "rows": 3, "created": 0})
    project = seeded["project_hash"]
    done = server.control("POST", "annotate", {"project_hash": project, "count": 2, "advance": "complete"})

    rows = owner.run(SSH_SDK, "read_labels", project=project)
    listed = owner.run(SSH_SDK, "list_label_rows", project=project, filters={"all": {}})["all"]

    assert done == {"annotated": 2}
    assert len(rows) == 2
    assert sorted(row["stage"] for row in listed) == ["Annotate", "Complete", "Complete"]


OTHERS = ("audio", "dicom", "nifti", "pdf", "plain_text", "html", "time_series", "scene", "group")
"""Kinds of data that only the newest SDK reads whole."""


@pytest.mark.parametrize("kind", OTHERS)
def test_the_newest_sdk_reads_and_saves_every_other_kind_of_data(owner: Account, server: Server, kind: str) -> None:
    wanted = {"owner": owner.email, "title": f"Some {kind}", "rows": 2, "created": 1, "kind": kind, "seed": 3}
    project = server.control("POST", "projects", wanted)["project_hash"]
    stored = {row["data_title"]: sorted(row["object_answers"]) for row in server.control("GET", f"labels/{project}")}
    draw = "yes" if kind == "group" else "no"

    found = owner.run(SSH_SDK, "labels/label_spaces", project=project, draw=draw)

    before, after = found["before"], found["after"]
    assert all(len(objects) == OBJECTS for objects in stored.values())
    assert {title: sorted({*row["objects"], *row["on_spaces"]}) for title, row in before.items()} == stored
    assert {row["type"] for row in before.values()} == {"plain_text" if kind == "html" else kind}
    assert [row["classes"] for row in before.values()] == [row["classes"] for row in after.values()]
    expected = sum(len(objects) for objects in stored.values()) + len(found["drawn"])
    assert sum(len({*row["objects"], *row["on_spaces"]}) for row in after.values()) == expected
    if kind == "group":
        assert len(before["group-000000"]["spaces"]) == 10
        assert {*found["drawn"]} <= {one for row in after.values() for one in row["on_spaces"]}
