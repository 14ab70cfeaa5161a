"""Labels that one SDK saved, read by the other.

The two put classifications in different places. A server that hands back what it was given loses them, or shows them
twice; Encord's own users mix versions every day.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.sdk.conftest import Account
from tests.sdk.environments import API_KEY_SDK, SSH_SDK
from tests.sdk.street import IMAGES, RICH, VIDEO, make_street
from tests.sdk.substance import substance

pytestmark = pytest.mark.sdk


PAIRS = {"old by new": (API_KEY_SDK, SSH_SDK), "new by old": (SSH_SDK, API_KEY_SDK)}


@pytest.fixture(scope="module", params=PAIRS.values(), ids=list(PAIRS))
def both(request: pytest.FixtureRequest, owner: Account, pictures: dict[str, Path]) -> dict[str, Any]:
    """One project, written by one SDK and read by both; then saved unchanged by the other and read by both again."""
    writer, other = request.param
    project = make_street(owner, pictures, f"Written by {writer}", numeric=False).project
    owner.run(writer, "write_labels", project=project)
    first = {version: owner.run(version, "read_labels", project=project) for version in (writer, other)}
    owner.run(other, "resave_labels", project=project)
    second = {version: owner.run(version, "read_labels", project=project) for version in (writer, other)}
    return {"writer": writer, "other": other, "first": first, "second": second}


def test_the_other_sdk_reads_what_was_written(both: dict[str, Any]) -> None:
    assert substance(both["first"][both["other"]]) == substance(both["first"][both["writer"]])


def test_each_object_and_each_classification_is_there_once(both: dict[str, Any]) -> None:
    for rows in both["first"].values():
        assert sorted(one["name"] for one in rows[RICH]["classifications"]) == ["Note", "Seen", "Weather"]
        assert len(rows[RICH]["objects"]) == 5
        assert [classification["frames"] for classification in rows[VIDEO]["classifications"]] == [[1, 2, 3]]
        assert [len(rows[title]["classifications"]) for title in IMAGES[1:]] == [1, 1]


def test_authors_survive(both: dict[str, Any], owner: Account) -> None:
    for rows in both["first"].values():
        assert {classification["created_by"] for classification in rows[RICH]["classifications"]} == {owner.email}


def test_saving_with_the_other_sdk_changes_nothing(both: dict[str, Any]) -> None:
    expected = substance(both["first"][both["writer"]])
    assert {version: substance(rows) for version, rows in both["second"].items()} == {
        both["writer"]: expected,
        both["other"]: expected,
    }
