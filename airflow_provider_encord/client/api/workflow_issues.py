"""Issues: comments on a data unit in a project, on one of its frames, points or annotations.

Issues belong to the data unit, not to the stage of its task. All types of issue use the record `Issue`; fields that a
type does not have are None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from airflow_provider_encord.client.api.core.reading import Page, ignored, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import Call, Request

MOST_ISSUES_PER_DELETION = 1000


class FrameRange(msgspec.Struct, frozen=True, kw_only=True):
    """The frames from `start` to `end`, inclusive."""

    start: int
    end: int


class Coordinate(msgspec.Struct, frozen=True, kw_only=True):
    """A point in a frame or, with `z`, in a scene."""

    x: float
    y: float
    z: float | None = None


class IssueComment(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One comment of an issue."""

    content: str
    author_email: str | None = None
    created_at: str | None = None


class IssueTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag of an issue; one of the project's issue tags."""

    name: str
    uuid: str


class IssueResolution(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The resolution or reopening of an issue.

    :param actor_email: E-mail address of the user; None if it was not done by a person.
    """

    is_resolved: bool
    created_at: str | None = None
    actor_email: str | None = None


class Issue(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A thread of comments.

    :param type: ``dataUnit``, ``frame``, ``frameCoordinate``, ``sceneCoordinate``, ``frameRange``, ``annotation``, or a
        newer value.
    :param frame_ranges: For type ``frameRange``, and for ``annotation`` if the issue is about some frames only.
    :param annotation_id: Hash of the object or classification, for type ``annotation``.
    :param space_id: Id of the space (the part of a data group or scene) that the issue is about.
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

    @property
    def is_open(self) -> bool:
        """Whether it is not resolved."""
        return not self.resolution_history or not self.resolution_history[-1].is_resolved


class OnDataUnit(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, tag_field="type", tag="dataUnit"
):
    """Attaches an issue to a whole data unit."""

    data_uuid: str
    space_id: str | None = None


class OnFrame(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, tag_field="type", tag="frame"
):
    """Attaches an issue to a frame."""

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
    """Attaches an issue to a point of a frame."""

    data_uuid: str
    frame_index: int
    x: float
    y: float
    space_id: str | None = None


class OnScenePoint(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="type", tag="sceneCoordinate"):
    """Attaches an issue to a point of a scene."""

    data_uuid: str
    frame_index: int
    x: float
    y: float
    z: float


class OnAnnotation(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, tag_field="type", tag="annotation"
):
    """Attaches an issue to an object or a classification, on some or all of its frames.

    :param annotation_id: Hash of the object or classification.
    """

    data_uuid: str
    annotation_id: str
    frame_ranges: list[FrameRange] | None = None
    space_id: str | None = None


Anchor: TypeAlias = OnDataUnit | OnFrame | OnPoint | OnScenePoint | OnAnnotation


class NewIssue(msgspec.Struct, frozen=True, kw_only=True):
    """An issue to add.

    :param anchor: What the issue is attached to, such as `OnFrame`; or the mapping that is sent.
    :param tags: Names of the project's issue tags.
    """

    anchor: Anchor | Mapping[str, Any]
    comment: str
    tags: Sequence[str] = ()


_ISSUES = v2_reader(Page[Issue])


@operation("workflow.task.issues.list", "v2")
def list_issues(project: str, data_hash: str, *, page: str | None = None) -> Call[Page[Issue]]:
    """List one page of the issues of a data unit."""
    request = Request("GET", f"projects/{project}/issues", {"dataUnitId": data_hash, "pageToken": page})
    return Call(request=request, read=_ISSUES)


@operation("workflow.task.issues.add", "v2")
def add_issues(project: str, issues: Sequence[NewIssue]) -> Call[None]:
    """Add issues. Not repeatable: each request adds new issues."""
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
    """Delete issues. If one cannot be deleted, none is deleted.

    So it is not repeatable: Encord would refuse the repeat.

    :param issues: Ids of at most 1000 issues of this project.
    """
    request = Request("POST", f"projects/{project}/issues/delete", json={"issueUuids": list(issues)})
    return Call(request=request, changes=True, repeatable=False, read=ignored)
