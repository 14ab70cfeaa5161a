"""Recorded requests of workflow stages and tasks."""

from __future__ import annotations

from tests.wire.subjects.reading import Key, Read

ARGUMENTS: dict[Key, Read] = {}

V1_SHAPES: dict[tuple[str, str], str] = {}

V2_SHAPES: list[tuple[str, str, str]] = []

NOT_YET: set[str] = {
    "workflow.task.approve",
    "workflow.task.assign",
    "workflow.task.issues.add",
    "workflow.task.issues.list",
    "workflow.task.label_review.approve",
    "workflow.task.label_review.reject",
    "workflow.task.label_review.reopen",
    "workflow.task.label_reviews.list",
    "workflow.task.move",
    "workflow.task.proceed",
    "workflow.task.reject",
    "workflow.task.release",
    "workflow.task.submit",
    "workflow.tasks.list",
}

NOT_SERVED_YET: set[Key] = {
    ("workflow.task.approve", "v2"),
    ("workflow.task.assign", "v2"),
    ("workflow.task.issues.add", "v2"),
    ("workflow.task.issues.list", "v2"),
    ("workflow.task.label_review.approve", "v2"),
    ("workflow.task.label_review.reject", "v2"),
    ("workflow.task.label_review.reopen", "v2"),
    ("workflow.task.label_reviews.list", "v2"),
    ("workflow.task.move", "v2"),
    ("workflow.task.proceed", "v2"),
    ("workflow.task.reject", "v2"),
    ("workflow.task.release", "v2"),
    ("workflow.task.submit", "v2"),
    ("workflow.tasks.list", "v2"),
}
