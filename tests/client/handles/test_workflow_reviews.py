"""Label reviews and issues through the handles, against the emulator; lost answers among them."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from airflow_provider_encord.client.api import workflow_issues
from airflow_provider_encord.client.errors import InvalidArgumentError, NotFoundError, OutcomeUnknownError
from tests.client.emulated import world
from tests.client.emulated_workflow import Board, board, fault, make

__all__ = ["board", "make", "world"]


@pytest.fixture
def reviewed(make: Callable[..., Board]) -> Board:
    """Two tasks in review, with three labels each."""
    board = make(2, created=1.0)
    board.moved_to("Review")
    return board


def test_labels_are_judged_singly(reviewed):
    task = reviewed.tasks("Review")[0]
    reviews = reviewed.stage("Review").reviews(task)
    listed = list(reviews)
    assert [(one.status, one.label_type) for one in listed] == [
        ("NEW", "Object"),
        ("NEW", "Object"),
        ("NEW", "Classification"),
    ]
    reviews.approve(listed[:1])
    reviews.reject(listed[1:], comment="loose", tags=["geometry"])
    reviews.reopen(listed[2].review_uuid)
    assert [review.status for review in reviews] == ["APPROVED", "REJECTED", "REOPENED"]
    issues = list(reviewed.project.issues(task.data_hash))
    assert [(issue.type, issue.annotation_id, issue.comments[0].content) for issue in issues] == [
        ("annotation", listed[1].label_id, "loose"),
        ("annotation", listed[2].label_id, "loose"),
    ]
    assert [tag.name for tag in issues[0].tags] == ["geometry"]
    with pytest.raises(InvalidArgumentError, match="'Annotate' is of type ANNOTATION"):
        reviewed.stage("Annotate").reviews(task)


def test_a_rejection_whose_answer_is_lost_comments_once(reviewed):
    task = reviewed.tasks("Review")[0]
    reviews = reviewed.stage("Review").reviews(task)
    fault(reviewed, {"path": ".*/reviews/actions"}, {"cut": "after"})
    reviews.reject(next(iter(reviews)), comment="loose")
    assert len(list(reviewed.project.issues(task.data_hash))) == 1
    fault(reviewed, {"path": ".*/reviews/actions"}, {"cut": "before"})
    with pytest.raises(OutcomeUnknownError):
        reviews.reject(list(reviews)[1], comment="loose")


def test_issues_are_added_to_whatever_they_are_about_and_deleted_safely(board):
    issues = board.project.issues(board.data[0])
    issues.add("blurry", tags=["quality"])
    issues.add_to_frame(0, "dark", space="left")
    issues.add_at(0, 0.5, 0.25, "here")
    issues.add_in_scene(0, 1.0, 2.0, 3.0, "there")
    issues.add_to_annotation("abcdefgh", "loose", frames=[(0, 2), (5, 5)])
    listed = list(issues)
    assert [one.type for one in listed] == ["dataUnit", "frame", "frameCoordinate", "sceneCoordinate", "annotation"]
    assert (listed[1].frame_index, listed[1].space_id) == (0, "left")
    assert listed[2].coordinate == workflow_issues.Coordinate(x=0.5, y=0.25)
    assert listed[3].coordinate == workflow_issues.Coordinate(x=1.0, y=2.0, z=3.0)
    assert [(one.start, one.end) for one in listed[4].frame_ranges] == [(0, 2), (5, 5)]
    assert [one.is_resolved for one in listed[0].resolution_history] == [False]
    gone = [one.uuid for one in listed[:2]]
    assert issues.delete(gone) == gone
    assert issues.delete(gone) == []
    assert issues.delete([*gone, listed[2]]) == [listed[2].uuid]
    fault(board, {"path": ".*/issues/delete"}, {"cut": "after"})
    assert issues.delete([listed[3]]) == [listed[3].uuid]
    assert [issue.uuid for issue in issues] == [listed[4].uuid]


@pytest.mark.parametrize(
    ("add", "field"),
    [
        (lambda issues: issues.add(" "), "comment"),
        (lambda issues: issues.add_to_annotation("a", "c", frames=[]), "frames"),
        (lambda issues: issues.add_to_annotation("a", "c", frames=[(2, 1)]), "frames"),
    ],
)
def test_an_issue_that_cannot_be_is_refused_before_it_is_sent(board, add, field):
    def refused() -> None:
        with pytest.raises(InvalidArgumentError, match=f"{field}:"):
            add(board.project.issues(board.data[0]))

    assert board.world.journal(refused) == []


def test_a_task_in_no_stage_of_ours_is_not_found(board):
    with pytest.raises(NotFoundError):
        list(board.stage("Review").reviews(str(uuid.uuid4())))
