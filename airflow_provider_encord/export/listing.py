"""Which label rows an export is about: asked once, kept small, always in the same order.

Listing a project answers with every data unit, also with those that nobody has labelled yet. These have no
`label_hash`, and there is nothing to read: the vendor's recipe creates a row for each of them, which changes the
project. We count them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from airflow_provider_encord.client.api.labels import MAIN_BRANCH, LabelRowFilter, LabelRowMetadata
from airflow_provider_encord.client.errors import UnexpectedAnswerError
from airflow_provider_encord.client.resources.projects import Project
from airflow_provider_encord.client.times import parse_time


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows of a branch are wanted; what is None does not restrict, and an empty list lets nothing through.

    :param edited_after: Last edited after this time, ISO 8601 with an offset. Rows without labels have no such time.
    :param edited_before: Last edited before this time.
    :param stage: Title of the workflow stage that the row is in.
    :param label_statuses: Annotation task statuses, for projects without a workflow.
    :param data_title_like: An SQL LIKE pattern for the title of the data unit.
    :param data_hashes: Only these data units.
    """

    edited_after: str | None = None
    edited_before: str | None = None
    stage: str | None = None
    label_statuses: Sequence[str] | None = None
    data_title_like: str | None = None
    data_hashes: Sequence[str] | None = None

    @property
    def nothing(self) -> bool:
        """Whether they let nothing through, whatever there is."""
        return any(wanted is not None and not wanted for wanted in (self.label_statuses, self.data_hashes))


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What an export answers. Two exports of the same question may replace each other.

    :param project: The project's id.
    :param branch: The label branch.
    """

    project: str
    branch: str = MAIN_BRANCH
    filters: Filters = Filters()

    @property
    def restrictions(self) -> dict[str, object]:
        """What may keep rows out, by the name of the argument."""
        wanted: dict[str, object] = {name: getattr(self.filters, name) for name in self.filters.__struct_fields__}
        if self.branch != MAIN_BRANCH:
            wanted = {"branch": self.branch, **wanted}
        return {name: value for name, value in wanted.items() if value is not None}

    def wire_filter(self) -> LabelRowFilter:
        """As Encord is asked."""
        return LabelRowFilter(
            branch_name=self.branch,
            edited_after=self.filters.edited_after,
            edited_before=self.filters.edited_before,
            workflow_graph_node_title_eq=self.filters.stage,
            label_statuses=self.filters.label_statuses,
            data_title_like=self.filters.data_title_like,
            data_hashes=self.filters.data_hashes,
        )


class ListedRow(msgspec.Struct, frozen=True, order=True, gc=False):
    """A row that has labels; compared in the order of the files."""

    data_hash: str
    branch: str
    label_hash: str


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be read.

    :param rows: Those that have labels, in the order of the files.
    :param listed: How many Encord listed.
    :param watermark: The latest `last_edited_at` of all that were listed, as Encord wrote it; None if none has one.
        It was taken before the first row was read, so a later edit is later than it.
    """

    rows: list[ListedRow]
    listed: int
    watermark: str | None

    @property
    def without_labels(self) -> int:
        """How many nobody has labelled yet."""
        return self.listed - len(self.rows)


def list_rows(project: Project, question: Question) -> Listing:
    """Ask Encord, once, what there is to export. Changes nothing.

    :raises EncordError: Encord refused, or was not reached.
    :raises UnexpectedAnswerError: A row is listed twice.
    """
    if question.filters.nothing:  # not asked: an empty list on the wire may mean "no filter"
        return listing_of([])
    return listing_of(project.label_rows(question.wire_filter()))


def listing_of(metadata: Sequence[LabelRowMetadata]) -> Listing:
    """The listing in what Encord answered, in whatever order.

    :raises UnexpectedAnswerError: A row is listed twice.
    """
    rows = sorted(
        ListedRow(one.data_hash, one.branch_name, one.label_hash) for one in metadata if one.label_hash is not None
    )
    seen: set[str] = set()
    for row in rows:
        if row.label_hash in seen:
            raise UnexpectedAnswerError(f"Encord lists the label row {row.label_hash} (data {row.data_hash}) twice.")
        seen.add(row.label_hash)
    return Listing(rows=rows, listed=len(metadata), watermark=_latest(one.last_edited_at for one in metadata))


def _latest(times: Iterable[str | None]) -> str | None:
    """The latest time. One in no known form is passed over: an early watermark only makes readers ask for more."""
    latest, latest_text = None, None
    for text in times:
        try:
            moment = parse_time(text) if text else None
        except ValueError:
            continue
        if moment and (latest is None or moment > latest):
            latest, latest_text = moment, text
    return latest_text
