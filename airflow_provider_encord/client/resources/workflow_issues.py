"""The issues of one data unit in a project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from airflow_provider_encord.client.api import workflow_issues as api
from airflow_provider_encord.client.api.listing import every_page
from airflow_provider_encord.client.api.workflow_issues import (
    MOST_ISSUES_PER_DELETION,
    Anchor,
    FrameRange,
    Issue,
    NewIssue,
    OnAnnotation,
    OnDataUnit,
    OnFrame,
    OnPoint,
    OnScenePoint,
)
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.errors import InvalidArgumentError, OutcomeUnknownError, RefusedError
from airflow_provider_encord.client.resources.chunks import chunks
from airflow_provider_encord.client.resources.client_protocol import ClientProtocol
from airflow_provider_encord.client.resources.identifiers import require_id
from airflow_provider_encord.client.resources.pages import each


class DataUnitIssues:
    """Handle on the issues of one data unit; iterate over it to read them, page by page.

    Adding is not safe to repeat: Encord has no way to tell an issue from another of the same words.

    :param data_hash: Id of the data unit.
    """

    def __init__(self, client: ClientProtocol, project: str, data_hash: str):
        self._client, self._project = client, project
        self.data_hash = require_id(data_hash, "data_hash")

    def __repr__(self) -> str:
        return f"DataUnitIssues({self.data_hash!r})"

    def __iter__(self) -> Iterator[Issue]:
        return each(self._client, lambda page: api.list_issues(self._project, self.data_hash, page=page))

    def add(self, comment: str, *, tags: Sequence[str] = (), space: str | None = None) -> None:
        """Add one about the data unit as a whole.

        :param tags: Names of the project's issue tags.
        :param space: Which part of a data group or scene it is about.
        """
        self._add(OnDataUnit(data_uuid=self.data_hash, space_id=space), comment, tags)

    def add_to_frame(self, frame: int, comment: str, *, tags: Sequence[str] = (), space: str | None = None) -> None:
        """Add one about a frame."""
        self._add(OnFrame(data_uuid=self.data_hash, frame_index=frame, space_id=space), comment, tags)

    def add_at(
        self, frame: int, x: float, y: float, comment: str, *, tags: Sequence[str] = (), space: str | None = None
    ) -> None:
        """Add one at a point of a frame."""
        anchor = OnPoint(data_uuid=self.data_hash, frame_index=frame, x=x, y=y, space_id=space)
        self._add(anchor, comment, tags)

    def add_in_scene(self, frame: int, x: float, y: float, z: float, comment: str, *, tags: Sequence[str] = ()) -> None:
        """Add one at a point of a scene."""
        self._add(OnScenePoint(data_uuid=self.data_hash, frame_index=frame, x=x, y=y, z=z), comment, tags)

    def add_to_annotation(
        self,
        annotation: str,
        comment: str,
        *,
        tags: Sequence[str] = (),
        frames: Sequence[tuple[int, int]] | None = None,
        space: str | None = None,
    ) -> None:
        """Add one about an object or a classification.

        :param annotation: Its object hash or classification hash.
        :param frames: First and last frame, both included, of each range that it is about; None for all frames.
        """
        ranges = None if frames is None else [_frame_range(first, last) for first, last in frames]
        if ranges == []:
            raise InvalidArgumentError("frames: it is empty; leave it out for all frames.")
        anchor = OnAnnotation(data_uuid=self.data_hash, annotation_id=annotation, frame_ranges=ranges, space_id=space)
        self._add(anchor, comment, tags)

    def delete(self, issues: Iterable[Issue | str]) -> list[str]:
        """Delete issues; safe to repeat, what is gone already is left out.

        Of each 1000 all or none are deleted: one that may not be deleted keeps the others.

        :return: Ids of those that were deleted now.
        """
        ids = [require_id(issue if isinstance(issue, str) else issue.uuid, "issues") for issue in issues]
        return self._client.run(self._delete(list(dict.fromkeys(ids))))

    def _add(self, anchor: Anchor, comment: str, tags: Sequence[str]) -> None:
        if not comment.strip():
            raise InvalidArgumentError("comment: it is empty; an issue needs one.")
        self._client.send(api.add_issues(self._project, [NewIssue(anchor=anchor, comment=comment, tags=tags)]))

    def _delete(self, issues: list[str]) -> Flow[list[str]]:
        deleted: list[str] = []
        for part in chunks(issues, MOST_ISSUES_PER_DELETION):
            deleted += yield from self._delete_part(list(part))
        return deleted

    def _delete_part(self, part: list[str]) -> Flow[list[str]]:
        """Encord deletes all or none, so issues that are gone are left out. After a lost answer, those left count."""
        try:
            yield from api.delete_issues(self._project, part)
        except (OutcomeUnknownError, RefusedError) as error:
            listed = yield from every_page(lambda page: api.list_issues(self._project, self.data_hash, page=page))
            there = {row.uuid for row in listed}
            remaining = [item for item in part if item in there]
            if not remaining:
                return part if isinstance(error, OutcomeUnknownError) else []
            if len(remaining) == len(part):
                raise
            yield from api.delete_issues(self._project, remaining)
            return remaining
        return part


def _frame_range(first: int, last: int) -> FrameRange:
    if not 0 <= first <= last:
        raise InvalidArgumentError(
            f"frames: ({first}, {last}) is not a range; the first must be 0 or more, the last not less."
        )
    return FrameRange(start=first, end=last)
