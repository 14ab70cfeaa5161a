"""The issues of one data unit in a project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from airflow_provider_encord.client.api import workflow_issues as api
from airflow_provider_encord.client.api.core.listing import every_page
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
from airflow_provider_encord.client.client_protocol import ClientProtocol
from airflow_provider_encord.client.errors import InvalidArgumentError, OutcomeUnknownError, RefusedError
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.client.flows.pages import each
from airflow_provider_encord.client.identifiers import require_id


class DataUnitIssues:
    """Handle on the issues of one data unit. Iterate over it to read the issues, page by page.

    Adding is not safe to repeat: Encord does not detect that two issues have the same text.

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
        """Add an issue about the whole data unit.

        :param tags: Names of the project's issue tags.
        :param space: Id of the space (the part of a data group or scene) that the issue is about.
        """
        self._add(OnDataUnit(data_uuid=self.data_hash, space_id=space), comment, tags)

    def add_to_frame(self, frame: int, comment: str, *, tags: Sequence[str] = (), space: str | None = None) -> None:
        """Add an issue about a frame."""
        self._add(OnFrame(data_uuid=self.data_hash, frame_index=frame, space_id=space), comment, tags)

    def add_at(
        self, frame: int, x: float, y: float, comment: str, *, tags: Sequence[str] = (), space: str | None = None
    ) -> None:
        """Add an issue at a point of a frame."""
        anchor = OnPoint(data_uuid=self.data_hash, frame_index=frame, x=x, y=y, space_id=space)
        self._add(anchor, comment, tags)

    def add_in_scene(self, frame: int, x: float, y: float, z: float, comment: str, *, tags: Sequence[str] = ()) -> None:
        """Add an issue at a point of a scene."""
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
        """Add an issue about an object or a classification.

        :param annotation: Hash of the object or classification.
        :param frames: Frame ranges that the issue is about, each as first and last frame (inclusive); None for all
            frames.
        """
        ranges = None if frames is None else [_frame_range(first, last) for first, last in frames]
        if ranges == []:
            raise InvalidArgumentError("frames: it is empty. Pass at least one range, or leave it out for all frames.")
        anchor = OnAnnotation(data_uuid=self.data_hash, annotation_id=annotation, frame_ranges=ranges, space_id=space)
        self._add(anchor, comment, tags)

    def delete(self, issues: Iterable[Issue | str]) -> list[str]:
        """Delete issues; safe to repeat. Issues that are deleted already are skipped.

        Up to 1000 issues go into one request, and Encord deletes all of them or none. If you may not delete one of
        them, the others stay, too.

        :return: Ids of the issues that this call deleted.
        """
        ids = [require_id(issue if isinstance(issue, str) else issue.uuid, "issues") for issue in issues]
        return self._client.run(self._delete(list(dict.fromkeys(ids))))

    def _add(self, anchor: Anchor, comment: str, tags: Sequence[str]) -> None:
        if not comment.strip():
            raise InvalidArgumentError("comment: it is empty. Pass the text of the issue.")
        self._client.send(api.add_issues(self._project, [NewIssue(anchor=anchor, comment=comment, tags=tags)]))

    def _delete(self, issues: list[str]) -> Flow[list[str]]:
        deleted: list[str] = []
        for part in chunks(issues, MOST_ISSUES_PER_DELETION):
            deleted += yield from self._delete_part(list(part))
        return deleted

    def _delete_part(self, part: list[str]) -> Flow[list[str]]:
        """Encord deletes all or none, so a refused request is repeated without the issues that no longer exist.

        After a lost response, the issues that still exist show whether the request was carried out.
        """
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
            f"frames: ({first}, {last}) is not a range. The first frame must be 0 or more, and not after the last one."
        )
    return FrameRange(start=first, end=last)
