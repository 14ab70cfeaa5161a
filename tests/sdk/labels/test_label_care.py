"""What users do with many label rows, and what they read of people's work, by the newest SDK."""

from collections import Counter
from typing import Any

import pytest

from tests.sdk.conftest import Account
from tests.sdk.environments import SSH_SDK
from tests.wire.server import Server

pytestmark = pytest.mark.sdk

ROWS = 5
ANNOTATOR = "annotator@example.com"


@pytest.fixture(scope="module")
def project(owner: Account, server: Server) -> dict[str, Any]:
    """Five rows; four of them labelled, two of those submitted."""
    wanted = {"owner": owner.email, "title": "Looked after", "rows": ROWS, "created": 0}
    made: dict[str, Any] = server.control("POST", "projects", wanted)
    work = {"project_hash": made["project_hash"], "objects_per_row": 2, "seed": 3}
    server.control("POST", "annotate", {**work, "data_hashes": made["data_hashes"][:2], "advance": "none"})
    server.control("POST", "annotate", {**work, "data_hashes": made["data_hashes"][2:4], "advance": "submit"})
    return made


@pytest.fixture(scope="module")
def found(owner: Account, server: Server, project: dict[str, Any]) -> Any:
    """Everything, by pages of two."""
    server.control("POST", "limits", {"page_size": 2})
    return owner.run(SSH_SDK, "look_after_labels", project=project["project_hash"])


def test_priorities_are_kept_by_data_unit(found: Any) -> None:
    assert sorted(found["priorities"].values()) == [number / ROWS for number in range(ROWS)]


def test_labels_that_fit_have_no_errors(found: Any) -> None:
    assert [errors or [] for errors in found["errors"]] == [[]] * 4


def test_classifications_are_those_of_the_label_rows(found: Any, server: Server, project: dict[str, Any]) -> None:
    stored = server.control("GET", f"labels/{project['project_hash']}")
    on_main = {
        row["label_hash"]: sorted(row["classification_answers"]) for row in stored if row["branch_name"] == "main"
    }
    assert {entry["label"]: entry["answers"] for entry in found["classified"]} == on_main
    assert any(on_main.values())


def test_a_copy_leaves_alone_what_the_branch_has_unless_it_is_to_overwrite(found: Any) -> None:
    assert found["copied"] == [4, 0, 1]
    assert found["branches"] == ["main", "model-v1"]
    assert len(found["on_branch"]) == 4


def test_work_is_logged_in_each_of_the_logs(found: Any) -> None:
    labels = Counter(action for action, email, _ in found["label_logs"] if email == ANNOTATOR)
    assert labels == {"CLICK_SAVE": 4, "SUBMIT_TASK": 2}
    editor = Counter((action, category) for action, category, email in found["editor_logs"] if email == ANNOTATOR)
    assert editor == {("save", "editor"): 4, ("submit_task", "task"): 2}
    assert Counter(map(tuple, found["task_actions"])) == {("submit", ANNOTATOR): 2}


def test_time_adds_up_to_the_same_in_both_analytics(found: Any) -> None:
    assert sum(seconds for _, seconds, _ in found["time_spent"]) == sum(seconds for _, seconds in found["timers"]) > 0
