"""Stages, tasks, label reviews and issues, as the SDK handles them."""

from typing import Any

import pytest

from tests.sdk.conftest import Account
from tests.sdk.environments import API_KEY_SDK, SSH_SDK
from tests.wire.server import Server

pytestmark = pytest.mark.sdk

ANNOTATOR, REVIEWER = "annotator@tasks.example.com", "reviewer@tasks.example.com"

EVERY_STAGE = [
    {"stageType": "ANNOTATION", "title": "Annotate", "next": "Review"},
    {"stageType": "REVIEW", "title": "Review", "next": "Agent"},
    {
        "stageType": "AGENT",
        "title": "Agent",
        "next": "Complete",
        "pathways": [{"title": "to review", "to": "Review"}, {"title": "to archive", "to": "Archive"}],
    },
    {"stageType": "DONE", "title": "Complete"},
    {"stageType": "DONE", "title": "Archive"},
]
CONSENSUS = [
    {"stageType": "CONSENSUS_ANNOTATION", "title": "Annotate"},
    {"stageType": "CONSENSUS_REVIEW", "title": "Review"},
    {"stageType": "DONE", "title": "Complete"},
]


def make_project(server: Server, owner: Account, title: str, rows: int, stages: list[dict[str, Any]] | None) -> str:
    wanted = {"owner": owner.email, "title": title, "rows": rows, "created": 0}
    if stages is not None:
        wanted["template"] = server.control("POST", "templates", {"title": title, "stages": stages})["uuid"]
    return str(server.control("POST", "projects", wanted)["project_hash"])


@pytest.fixture(scope="module")
def worked(owner: Account, server: Server) -> dict[str, Any]:
    """Six images; pages of four, so that listings have several."""
    server.control("POST", "limits", {"page_size": 4})
    project = make_project(server, owner, "Tasks", 6, EVERY_STAGE)
    found: dict[str, Any] = owner.run(SSH_SDK, "work_on_tasks", project=project, annotator=ANNOTATOR, reviewer=REVIEWER)
    return found


def _titles(*numbers: int) -> list[str]:
    return [f"image-{number:06d}.png" for number in numbers]


def test_stages_are_of_the_classes_of_their_types(worked: dict[str, Any]) -> None:
    assert worked["stages"] == {
        "Annotate": ["ANNOTATION", "AnnotationStage"],
        "Review": ["REVIEW", "ReviewStage"],
        "Agent": ["AGENT", "AgentStage"],
        "Complete": ["DONE", "FinalStage"],
        "Archive": ["DONE", "FinalStage"],
    }
    assert worked["by_uuid"] == "Review"
    assert worked["pathways"] == [["to review", True], ["to archive", True]]


def test_a_new_task_is_unassigned_and_the_label_rows_say_the_same(worked: dict[str, Any]) -> None:
    assert worked["before"] == ["NEW", "main", None, ["Annotate", True, None, None]]
    assert worked["while_assigned"] == ["Annotate", True, ANNOTATOR, "owner@example.com"]


def test_tasks_are_assigned_in_bundles_released_and_found_by_filters(worked: dict[str, Any]) -> None:
    assert worked["assigned"] == worked["filtered"]["status"] == _titles(0, 1, 2)
    assert worked["filtered"]["statuses"] == 3
    assert worked["filtered"]["title"] == _titles(4)
    assert worked["filtered"]["data"] == _titles(1, 5)
    assert worked["filtered"]["nothing"] == []
    assert worked["released"] == ["RELEASED"]


def test_who_gets_a_task_in_the_next_stage_is_said_or_retained(worked: dict[str, Any]) -> None:
    assert worked["nobody_to_retain"]["raised"] == "InvalidArgumentsError"
    assert worked["submitted"] == dict(
        zip(_titles(0, 1, 2), [["ASSIGNED", ANNOTATOR], ["ASSIGNED", REVIEWER], ["NEW", None]], strict=True)
    )
    assert worked["by_reviewer"] == _titles(1)


def test_one_task_that_left_refuses_the_whole_bundle(worked: dict[str, Any]) -> None:
    assert worked["stale"]["raised"] == "InvalidArgumentsError"
    assert worked["nothing_done"] == 3


def test_approved_tasks_go_on_and_rejected_ones_go_back_reopened(worked: dict[str, Any]) -> None:
    assert worked["approved"] == ["Agent", True, None, "owner@example.com"]
    assert worked["rejected"] == {_titles(1)[0]: "REOPENED"}
    assert worked["sent_back"] == {_titles(2)[0]: ["REOPENED", ANNOTATOR]}


def test_an_agent_proceeds_by_name_and_by_uuid(worked: dict[str, Any]) -> None:
    assert worked["agent_task"] == ["NEW", "main", None, "owner@example.com"]
    assert worked["wrong_way"]["raised"] == "InvalidArgumentsError"
    assert worked["went"] == ["Review", "Archive"]


def test_tasks_move_anywhere_out_of_final_stages_too(worked: dict[str, Any]) -> None:
    assert worked["in_same_stage"]["raised"] == "InvalidArgumentsError"
    assert worked["finals"] == _titles(5)
    assert worked["reopened"] == [[_titles(5)[0], "REOPENED"]]
    assert worked["completed"][0] == "Complete"
    assert worked["counts"] == {"Annotate": 4, "Review": 1, "Agent": 0, "Complete": 1, "Archive": 0}


@pytest.fixture(scope="module")
def reviewed(owner: Account, server: Server) -> dict[str, Any]:
    project = make_project(server, owner, "Reviews", 1, None)
    wanted = {"project_hash": project, "objects_per_row": 2, "advance": "submit"}
    server.control("POST", "annotate", wanted)
    found: dict[str, Any] = owner.run(SSH_SDK, "review_labels", project=project)
    return found


def test_each_label_of_a_task_in_review_has_a_review(reviewed: dict[str, Any]) -> None:
    assert sorted(reviewed["at_first"]) == sorted(reviewed["labels"])
    assert sorted(reviewed["at_first"].values()) == [["NEW", "Classification"], ["NEW", "Object"], ["NEW", "Object"]]


def test_labels_are_judged_singly_and_the_rest_with_the_task(reviewed: dict[str, Any]) -> None:
    assert reviewed["one_by_one"] == ["APPROVED", "REJECTED", "REOPENED"]
    assert reviewed["mended"] == ["APPROVED", "RESOLVED", "RESOLVED"]
    assert reviewed["done"] == _titles(0)


def test_a_rejection_with_a_comment_is_an_issue_that_submitting_resolves(reviewed: dict[str, Any]) -> None:
    assert reviewed["about_label"] == [["AnnotationIssue", reviewed["rejected_label"], ["geometry"], "too loose"]]
    assert reviewed["resolved"] == [[False, True]]


def test_issues_are_pinned_to_what_they_are_about(reviewed: dict[str, Any]) -> None:
    assert reviewed["summary"][1:] == [
        ["FileIssue", "blurry", ["light", "quality"]],
        ["FrameIssue", "dark", []],
        ["CoordinateIssue", "here", ["geometry"]],
        ["SceneCoordinateIssue", "there", []],
        ["AnnotationIssue", "wrong colour", []],
    ]
    assert (reviewed["coordinate"], reviewed["ranges"]) == ([0.25, 0.75], [[0, 3]])
    assert reviewed["author"] == "owner@example.com"
    assert reviewed["issue_tags"] == ["geometry", "light", "quality"]


def test_issues_are_deleted_all_or_none(reviewed: dict[str, Any]) -> None:
    assert reviewed["with_a_stranger"]["raised"] == "ResourceNotFoundError"
    assert (reviewed["still"], reviewed["left"]) == (6, 4)


@pytest.fixture(scope="module")
def agreed(owner: Account, server: Server) -> dict[str, Any]:
    project = make_project(server, owner, "Consensus", 2, CONSENSUS)
    found: dict[str, Any] = owner.run(
        SSH_SDK, "reach_consensus", project=project, ann="ann@example.com", bob="bob@example.com"
    )
    return found


def test_each_annotator_has_a_sub_task_on_a_branch_of_his_own(agreed: dict[str, Any]) -> None:
    assert len(set(agreed["branches"])) == 2
    assert agreed["same_annotator"]["raised"] == "InvalidArgumentsError"
    assert agreed["of_ann"] == _titles(0)


def test_a_consensus_task_goes_on_when_the_last_sub_task_is_submitted(agreed: dict[str, Any]) -> None:
    assert agreed["after_first"] == [["COMPLETED", "ann@example.com"], ["ASSIGNED", "bob@example.com"]]
    assert agreed["twice"]["raised"] == "InvalidArgumentsError"
    assert agreed["in_review_too_early"] == 0
    assert agreed["same_uuid"]


def test_a_consensus_review_offers_what_each_annotator_did(agreed: dict[str, Any]) -> None:
    first, second = agreed["branches"]
    assert agreed["offered"] == [["ann@example.com", first, True], ["bob@example.com", second, None]]
    assert agreed["reopened"] == ["REOPENED", "REOPENED"]
    assert (agreed["done"], agreed["left"]) == (_titles(0, 1), 0)


def test_what_is_approved_of_a_consensus_becomes_the_main_branch(agreed: dict[str, Any]) -> None:
    assert agreed["before"] is None
    assert agreed["main_is_a_row_of_its_own"]


@pytest.fixture(scope="module")
def run_agent(owner: Account, server: Server) -> dict[str, Any]:
    stages = [
        {
            "stageType": "AGENT",
            "title": "Pre-label",
            "next": "Complete",
            "pathways": [{"title": "labelled", "to": "Annotate"}, {"title": "empty", "to": "Complete"}],
        },
        {"stageType": "ANNOTATION", "title": "Annotate", "next": "Complete"},
        {"stageType": "DONE", "title": "Complete"},
    ]
    project = make_project(server, owner, "Agent", 5, stages)
    found: dict[str, Any] = owner.run(SSH_SDK, "run_agent", project=project)
    return {**found, "project": project}


def test_an_agent_labels_saves_prioritises_and_proceeds_in_bundles(run_agent: dict[str, Any]) -> None:
    assert run_agent["worked_on"] == 5
    assert run_agent["labelled"] == {title: [1, 0.75] for title in _titles(0, 2, 4)}
    assert run_agent["empty"] == _titles(1, 3)
    assert run_agent["left"] == 0


def test_analytics_show_what_was_done_to_tasks_and_in_which_stage(run_agent: dict[str, Any]) -> None:
    assert run_agent["actions"] == [["submit", "owner@example.com", "Pre-label"]] * 5


def test_the_oldest_sdk_with_tasks_works_on_them_too(owner: Account, server: Server) -> None:
    project = make_project(server, owner, "Old tasks", 4, EVERY_STAGE)
    server.control("POST", "annotate", {"project_hash": project, "objects_per_row": 2, "advance": "none"})
    done = owner.run(API_KEY_SDK, "old_tasks", project=project, annotator=ANNOTATOR)

    assert (done["tasks"], done["assigned"], done["released"]) == (4, ["ASSIGNED", ANNOTATOR], "RELEASED")
    assert done["reviews"] == ["APPROVED", "REJECTED", "NEW"]
    assert done["reopened"] == "REOPENED"
    assert done["stages"] == {"Annotate": 2, "Review": 1, "Agent": 0, "Complete": 0, "Archive": 1}
