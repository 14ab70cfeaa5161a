"""Labels that one SDK saved, read by the other.

The two put classifications in different places. A server that hands back what it was given loses them, or shows them
twice; Encord's own users mix versions every day.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.conftest import Account
from tests.sdk.environments import API_KEY_SDK, SSH_SDK
from tests.sdk.street import IMAGES, RICH, VIDEO, make_street

pytestmark = pytest.mark.sdk


def substance(rows: dict[str, Any]) -> dict[str, Any]:
    """What both SDKs must agree on: everything but authors and times."""
    found = {}
    for title, row in rows.items():
        objects = [
            {**one, "frames": {frame: seen["coordinates"] for frame, seen in one["frames"].items()}}
            for one in row["objects"]
        ]
        classifications = [
            {key: value for key, value in one.items() if key != "created_by"} for one in row["classifications"]
        ]
        found[title] = {"objects": _without_polygons(objects), "classifications": classifications}
    return found


def _without_polygons(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Only one of the SDKs shows polygons in their second form."""
    for one in objects:
        for frame, geometry in one["frames"].items():
            one["frames"][frame] = geometry.get("polygon", geometry)
    return objects


PAIRS = {"old by new": (API_KEY_SDK, SSH_SDK), "new by old": (SSH_SDK, API_KEY_SDK)}


@pytest.fixture(scope="module")
def histories(owner: Account, pictures: dict[str, Path]) -> dict[str, dict[str, Any]]:
    """Both pairs of writer and other, side by side: starting an SDK is what takes the time here."""
    with ThreadPoolExecutor(len(PAIRS)) as pool:
        started = {name: pool.submit(_history, owner, pictures, *pair) for name, pair in PAIRS.items()}
        return {name: history.result() for name, history in started.items()}


def _history(owner: Account, pictures: dict[str, Path], writer: str, other: str) -> dict[str, Any]:
    """One project, written by one SDK and read by both; then saved unchanged by the other and read by both again."""
    project = make_street(owner, pictures, f"Written by {writer}", numeric=False).project
    owner.run(writer, "write_labels", project=project)
    first = {version: owner.run(version, "read_labels", project=project) for version in (writer, other)}
    owner.run(other, "resave_labels", project=project)
    second = {version: owner.run(version, "read_labels", project=project) for version in (writer, other)}
    return {"writer": writer, "other": other, "first": first, "second": second}


@pytest.fixture(params=list(PAIRS))
def both(request: pytest.FixtureRequest, histories: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return histories[request.param]


def test_the_other_sdk_reads_what_was_written(both: dict[str, Any]) -> None:
    assert substance(both["first"][both["other"]]) == substance(both["first"][both["writer"]])


def test_each_object_and_each_classification_is_there_once(both: dict[str, Any]) -> None:
    for rows in both["first"].values():
        assert sorted(one["name"] for one in rows[RICH]["classifications"]) == ["Note", "Seen", "Weather"]
        assert len(rows[RICH]["objects"]) == 5
        assert [one["frames"] for one in rows[VIDEO]["classifications"]] == [[1, 2, 3]]
        assert [len(rows[title]["classifications"]) for title in IMAGES[1:]] == [1, 1]


def test_authors_survive(both: dict[str, Any], owner: Account) -> None:
    for rows in both["first"].values():
        assert {one["created_by"] for one in rows[RICH]["classifications"]} == {owner.email}


def test_saving_with_the_other_sdk_changes_nothing(both: dict[str, Any]) -> None:
    expected = substance(both["first"][both["writer"]])
    assert {version: substance(rows) for version, rows in both["second"].items()} == {
        both["writer"]: expected,
        both["other"]: expected,
    }
