"""Issues: comments on a data unit in a project, pinned to what they are about.

They belong to the data unit, not to the stage that its task is in. Whatever a comment is pinned to comes as one
`Issue` with the fields that its type has; the others are None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from airflow_provider_encord.client.api.reading import Page, ignored, v2_reader
from airflow_provider_encord.client.api.registry import operation
from airflow_provider_encord.client.call import Call, Request

MOST_ISSUES_PER_DELETION = 1000


class FrameRange(msgspec.Struct, frozen=True, kw_only=True):
    """Frames from `start` to `end`, both included."""

    start: int
    end: int


class Coordinate(msgspec.Struct, frozen=True, kw_only=True):
    """A point in a frame or, with `z`, in a scene."""

    x: float
    y: float
    z: float | None = None


class IssueComment(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One comment of the thread."""

    content: str
    author_email: str | None = None
    created_at: str | None = None


class IssueTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag of the project that is on an issue."""

    name: str
    uuid: str


class IssueResolution(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """When an issue was resolved or opened again.

    :param actor_email: None if it was no person.
    """

    is_resolved: bool
    created_at: str | None = None
    actor_email: str | None = None


class Issue(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A thread of comments.

    :param type: ``dataUnit``, ``frame``, ``frameCoordinate``, ``sceneCoordinate``, ``frameRange``, ``annotation``;
        text, so that a new one breaks nothing.
    :param frame_ranges: Of ``frameRange``; of ``annotation`` where it is about some frames only.
    :param annotation_id: The object hash or classification hash, of ``annotation``.
    :param space_id: Which part of a data group or scene it is in.
    """

    type: str
    uuid: str
    data_uuid: str
    comments: list[IssueComment] = []
    tags: list[IssueTag] = []
    resolution_history: list[IssueResolution] = []
    frame_index: int | None = None
    coordinate: Coordinate | None = None
    frame_ranges: list[FrameRange] | None = None
    annotation_id: str | None = None
    space_id: str | None = None


class OnDataUnit(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, tag_field="type", tag="dataUnit"
):
    """Pins an issue to a data unit as a whole."""

    data_uuid: str
    space_id: str | None = None


class OnFrame(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, tag_field="type", tag="frame"
):
    """Pins an issue to a frame."""

    data_uuid: str
    frame_index: int
    space_id: str | None = None


class OnPoint(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    omit_defaults=True,
    tag_field="type",
    tag="frameCoordinate",
):
    """Pins an issue to a point of a frame."""

    data_uuid: str
    frame_index: int
    x: float
    y: float
    space_id: str | None = None


class OnScenePoint(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="type", tag="sceneCoordinate"):
    """Pins an issue to a point of a scene."""

    data_uuid: str
    frame_index: int
    x: float
    y: float
    z: float


class OnAnnotation(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, tag_field="type", tag="annotation"
):
    """Pins an issue to an object or a classification, on some frames or on all that it is on.

    :param annotation_id: The object hash or classification hash.
    """

    data_uuid: str
    annotation_id: str
    frame_ranges: list[FrameRange] | None = None
    space_id: str | None = None


Anchor: TypeAlias = OnDataUnit | OnFrame | OnPoint | OnScenePoint | OnAnnotation


class NewIssue(msgspec.Struct, frozen=True, kw_only=True):
    """An issue to add.

    :param anchor: What it is pinned to; also as the mapping that goes over the wire.
    :param tags: Names of the project's issue tags.
    """

    anchor: Anchor | Mapping[str, Any]
    comment: str
    tags: Sequence[str] = ()


_ISSUES = v2_reader(Page[Issue])


@operation("workflow.task.issues.list", "v2")
def list_issues(project: str, data_hash: str, *, page: str | None = None) -> Call[Page[Issue]]:
    """One page of the issues of a data unit."""
    request = Request("GET", f"projects/{project}/issues", {"dataUnitId": data_hash, "pageToken": page})
    return Call(request=request, read=_ISSUES)


@operation("workflow.task.issues.add", "v2")
def add_issues(project: str, issues: Sequence[NewIssue]) -> Call[None]:
    """Add issues. Not safe to repeat: each request adds others."""
    body = {
        "issues": [
            {"anchor": msgspec.to_builtins(issue.anchor), "comment": issue.comment, "issueTags": list(issue.tags)}
            for issue in issues
        ]
    }
    request = Request("POST", f"projects/{project}/issues", json=body)
    return Call(request=request, changes=True, repeatable=False, read=ignored)


@operation("workflow.task.issues.delete", "v2")
def delete_issues(project: str, issues: Sequence[str]) -> Call[None]:
    """Delete issues, all of them or, if one cannot be deleted, none; so a repeat would be refused.

    :param issues: Ids of at most 1000 issues of this project.
    """
    request = Request("POST", f"projects/{project}/issues/delete", json={"issueUuids": list(issues)})
    return Call(request=request, changes=True, repeatable=False, read=ignored)
