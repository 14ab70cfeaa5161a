"""Label reviews: in a review stage, each object and each classification of a task has its own review.

Approving or rejecting the task approves or rejects all label reviews that are still open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.reading import Page, ignored, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.api.workflow import stage_path
from airflow_provider_encord.client.call import Call, Request


class LabelReview(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The review of one label.

    :param status: ``NEW``, ``APPROVED``, ``REJECTED``, ``RESOLVED``, ``REOPENED``, or a newer value.
    :param label_type: ``"Object"`` or ``"Classification"``.
    :param label_id: Hash of the object or classification.
    """

    review_uuid: str
    status: str
    label_type: str
    label_id: str


_REVIEWS = v2_reader(Page[LabelReview])


def _reviews_path(project: str, stage: str, task: str) -> str:
    return f"{stage_path(project, stage)}/tasks/{task}/reviews"


@operation("workflow.task.label_reviews.list", "v2")
def list_label_reviews(project: str, stage: str, task: str, *, page: str | None = None) -> Call[Page[LabelReview]]:
    """List one page of the label reviews of a task in a review stage."""
    request = Request("GET", _reviews_path(project, stage, task), {"pageToken": page})
    return Call(request=request, read=_REVIEWS)


def _act(project: str, stage: str, task: str, reviews: Sequence[str], *, repeatable: bool, **rest: Any) -> Call[None]:
    body = [{"reviewUuid": review, **rest} for review in reviews]
    request = Request("POST", f"{_reviews_path(project, stage, task)}/actions", json=body)
    return Call(request=request, changes=True, repeatable=repeatable, read=ignored)


@operation("workflow.task.label_review.approve", "v2")
def approve_label_reviews(project: str, stage: str, task: str, reviews: Sequence[str]) -> Call[None]:
    """Approve labels of a task.

    :param reviews: Ids of label reviews of this task.
    """
    return _act(project, stage, task, reviews, repeatable=True, action="APPROVE")


@operation("workflow.task.label_review.reject", "v2")
def reject_label_reviews(
    project: str,
    stage: str,
    task: str,
    reviews: Sequence[str],
    *,
    comment: str | None = None,
    tags: Sequence[str] | None = None,
) -> Call[None]:
    """Reject labels of a task. Not repeatable: a repeat would add the comment a second time.

    :param comment: Describes what is wrong. Encord adds it as an issue to each label.
    :param tags: Names of the project's issue tags for these issues.
    """
    given = {"comment": comment, "commentTags": list(tags) if tags is not None else None}
    rest = {name: value for name, value in given.items() if value is not None}
    return _act(project, stage, task, reviews, repeatable=False, action="REJECT", **rest)


@operation("workflow.task.label_review.reopen", "v2")
def reopen_label_reviews(project: str, stage: str, task: str, reviews: Sequence[str]) -> Call[None]:
    """Reopen label reviews that were approved or rejected."""
    return _act(project, stage, task, reviews, repeatable=True, action="REOPEN")
