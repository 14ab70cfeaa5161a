"""Issues: threads of comments on a data unit of a project, pinned to what they are about.

A label that is rejected with a comment has an issue, too, which is resolved when the label is approved or submitted
again, and open again when its review is [inferred]. Tags are those of the project; one that it does not have yet is
linked to it [inferred]. Whether a frame or an annotation exists is not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ..requests import listing
from ..requests.exchange import Exchange
from ..state.store import Row, Store
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import is_uuid, new_uuid
from ..wire.shapes import Strict, StrictCamel
from . import stage_access

MOST_DELETIONS = 1000


class FrameRange(Strict, frozen=True):
    start: int
    end: int


class DataUnitAnchor(StrictCamel, frozen=True, tag_field="type", tag="dataUnit"):
    data_uuid: str
    space_id: str | None = None


class FrameAnchor(StrictCamel, frozen=True, tag_field="type", tag="frame"):
    data_uuid: str
    frame_index: int
    space_id: str | None = None


class FrameCoordinateAnchor(StrictCamel, frozen=True, tag_field="type", tag="frameCoordinate"):
    data_uuid: str
    frame_index: int
    x: float
    y: float
    space_id: str | None = None


class SceneCoordinateAnchor(StrictCamel, frozen=True, tag_field="type", tag="sceneCoordinate"):
    data_uuid: str
    frame_index: int
    x: float
    y: float
    z: float


class AnnotationAnchor(StrictCamel, frozen=True, tag_field="type", tag="annotation"):
    data_uuid: str
    annotation_id: str
    frame_ranges: list[FrameRange] | None = None
    space_id: str | None = None


Anchor = DataUnitAnchor | FrameAnchor | FrameCoordinateAnchor | SceneCoordinateAnchor | AnnotationAnchor


class NewIssue(StrictCamel, frozen=True):
    anchor: Anchor
    comment: str
    issue_tags: list[str]


class NewIssues(StrictCamel, frozen=True):
    issues: list[NewIssue]


class IssueListing(StrictCamel, frozen=True):
    data_unit_id: str
    page_token: str | None = None


class Deletion(StrictCamel, frozen=True):
    issue_uuids: list[str]


def list_page(exchange: Exchange) -> dict[str, Any]:
    query: IssueListing = exchange.query
    store, project = exchange.store, exchange.path["project"]
    _require_data_unit(store, project, query.data_unit_id)
    start, size = listing.page_start(query.page_token), exchange.emulation.limits.page_size
    sql = "SELECT * FROM issues WHERE project = ? AND data_hash = ? ORDER BY position LIMIT ? OFFSET ?"
    rows = store.all(sql, project, query.data_unit_id, size + 1, start)
    return listing.page([_view(row) for row in rows], start, size)


def add(exchange: Exchange) -> None:
    """Add issues; a single bad one refuses all of them."""
    body: NewIssues = exchange.body
    stage_access.require_role(exchange, stage_access.WORKERS, "add issues")
    for issue in body.issues:
        _require_data_unit(exchange.store, exchange.path["project"], issue.anchor.data_uuid)
        _check(issue)
        _insert(exchange, issue.anchor, issue.comment, issue.issue_tags, review=None)


def delete(exchange: Exchange) -> None:
    """Delete issues: an administrator any, others their own, but not those of rejected labels. All or none."""
    body: Deletion = exchange.body
    stage_access.require_at_most(len(body.issue_uuids), MOST_DELETIONS, "issueUuids")
    store, wanted = exchange.store, json.dumps(body.issue_uuids)
    sql = "SELECT uuid, author, type FROM issues WHERE project = ? AND uuid IN (SELECT value FROM json_each(?))"
    found = store.all(sql, exchange.path["project"], wanted)
    missing = set(body.issue_uuids) - {row["uuid"] for row in found}
    if missing:
        raise RefusalError(Reason.NOT_FOUND, f"issueUuids: {len(missing)} of these issues are not in this project")
    own = all(row["author"] == exchange.caller.email and row["type"] != "annotation" for row in found)
    if not own:
        stage_access.require_role(exchange, {0}, "delete these issues")
    store.run("DELETE FROM issues WHERE uuid IN (SELECT value FROM json_each(?))", wanted)


def comment_on_label(exchange: Exchange, review: Row, comment: str, tags: Sequence[str]) -> None:
    """The issue of a label that was rejected."""
    data_hash = exchange.store.value("SELECT data_hash FROM tasks WHERE uuid = ?", review["task"])
    anchor = AnnotationAnchor(data_uuid=data_hash, annotation_id=review["label_id"])
    _insert(exchange, anchor, comment, tags, review=review["uuid"])


def settle(store: Store, reviews: Sequence[str], *, resolved: bool, actor: str, now: str) -> None:
    """Note that the issues of label reviews are resolved now, or open again; those that are so already stay."""
    sql = "SELECT uuid, resolutions FROM issues WHERE review IN (SELECT value FROM json_each(?))"
    for issue in store.all(sql, json.dumps(list(reviews))):
        history = json.loads(issue["resolutions"])
        if history[-1]["isResolved"] != resolved:
            history.append(_resolution(resolved, now, actor))
            store.run("UPDATE issues SET resolutions = ? WHERE uuid = ?", json.dumps(history), issue["uuid"])


def _resolution(resolved: bool, now: str, actor: str | None) -> dict[str, Any]:
    return {"isResolved": resolved, "createdAt": times.v2(now), "actorEmail": actor}


def _require_data_unit(store: Store, project: str, data_hash: str) -> None:
    if not is_uuid(data_hash):
        raise RefusalError(Reason.MALFORMED, "data unit: this is not a UUID")
    if store.one("SELECT 1 FROM tasks WHERE project = ? AND data_hash = ?", project, data_hash) is None:
        raise RefusalError(Reason.NOT_FOUND, f"data unit {data_hash} is not in this project")


def _check(issue: NewIssue) -> None:
    anchor = issue.anchor
    if getattr(anchor, "frame_index", 0) < 0:
        raise RefusalError(Reason.INVALID, "frameIndex: must be 0 or more")
    ranges: Iterable[FrameRange] | None = getattr(anchor, "frame_ranges", None)
    if ranges is not None and (not ranges or any(not 0 <= frames.start <= frames.end for frames in ranges)):
        raise RefusalError(Reason.INVALID, "frameRanges: must not be empty, and each must have 0 <= start <= end")


def _insert(exchange: Exchange, anchor: Anchor, comment: str, tags: Sequence[str], *, review: str | None) -> None:
    store, project = exchange.store, exchange.path["project"]
    author, now = exchange.caller.email, exchange.clock.stamp()
    place = msgspec.to_builtins(anchor)
    kind, data_hash = place.pop("type"), place.pop("dataUuid")
    if "x" in place:
        place["coordinate"] = {axis: place.pop(axis) for axis in ("x", "y", "z") if axis in place}
    comments = [{"content": comment, "authorEmail": author, "createdAt": times.v2(now)}]
    store.run(
        "INSERT INTO issues VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(new_uuid(), project, data_hash, author, review, kind, json.dumps(place), json.dumps(comments)),
        *(json.dumps(_tags(store, project, tags)), json.dumps([_resolution(False, now, None)])),
    )


def _tags(store: Store, project: str, names: Sequence[str]) -> list[dict[str, str]]:
    tags = []
    for name in dict.fromkeys(names):
        if not name.strip():
            raise RefusalError(Reason.INVALID, "issueTags: a name must not be empty")
        store.run("INSERT OR IGNORE INTO issue_tags VALUES (?, ?, ?)", new_uuid(), project, name)
        uuid = store.value("SELECT uuid FROM issue_tags WHERE project = ? AND name = ?", project, name)
        tags.append({"name": name, "uuid": uuid})
    return tags


def _view(row: Row) -> dict[str, Any]:
    return {
        "type": row["type"],
        "uuid": row["uuid"],
        "dataUuid": row["data_hash"],
        "comments": json.loads(row["comments"]),
        "tags": json.loads(row["tags"]),
        "resolutionHistory": json.loads(row["resolutions"]),
        **json.loads(row["place"]),
    }
