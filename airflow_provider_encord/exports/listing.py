"""Which label rows an export is about: asked once, kept small, always in the same order.

Listing a project answers with every data unit, also with those without labels. These have no
`label_hash`, and there is nothing to read: the vendor's recipe creates a row for each of them, which changes the
project. We count them.
"""

from __future__ import annotations

import datetime
import operator
import sys
from collections.abc import Iterable, Sequence

import msgspec

from airflow_provider_encord.client.api.labels import (
    MAIN_BRANCH,
    MOST_ROWS_PER_REQUEST,
    LabelRowFilter,
    LabelRowStamp,
    list_label_row_stamps,
)
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import UnexpectedResponseError
from airflow_provider_encord.client.resources.chunks import chunks
from airflow_provider_encord.client.times import by_encords_clock, parse_time

ENCORD = "encord"
WORKER = "worker"


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows of a branch are wanted; what is None does not restrict, and an empty list lets nothing through.

    :param edited_after: Last edited after this time, ISO 8601 with an offset. Rows without labels have no such time.
    :param edited_before: Last edited before this time.
    :param stage: Title of the workflow stage that the row is in.
    :param stage_title_like: An SQL LIKE pattern for that title.
    :param label_statuses: Annotation task statuses, for projects without a workflow.
    :param data_title: Title of the data unit.
    :param data_title_like: An SQL LIKE pattern for it.
    :param data_hashes: Only these data units.
    :param label_hashes: Only these label rows.
    :param shadow_data: Of `SHADOW_DATA`: whether benchmark data is wanted.
    """

    edited_after: str | None = None
    edited_before: str | None = None
    stage: str | None = None
    stage_title_like: str | None = None
    label_statuses: Sequence[str] | None = None
    data_title: str | None = None
    data_title_like: str | None = None
    data_hashes: Sequence[str] | None = None
    label_hashes: Sequence[str] | None = None
    shadow_data: str | None = None

    @property
    def nothing(self) -> bool:
        """Whether they let nothing through, whatever there is."""
        lists = (self.label_statuses, self.data_hashes, self.label_hashes)
        return any(wanted is not None and not wanted for wanted in lists)


class RowSelection(msgspec.Struct, frozen=True, kw_only=True):
    """What an export answers. Two exports of the same question may replace each other.

    :param project_id: The project's id.
    :param branch: The label branch; None for the rows of all branches.
    """

    project_id: str
    branch: str | None = MAIN_BRANCH
    filters: Filters = Filters()

    @property
    def restrictions(self) -> dict[str, object]:
        """What may keep rows out, by the name of the argument."""
        wanted: dict[str, object] = {name: getattr(self.filters, name) for name in self.filters.__struct_fields__}
        if self.branch != MAIN_BRANCH:
            wanted = {"branch": self.branch, **wanted}
        return {name: value for name, value in wanted.items() if value is not None}

    def wire_filter(self) -> LabelRowFilter:
        """As Encord is asked. What an export does not look at is not asked for."""
        return LabelRowFilter(
            branch_name=self.branch,
            include_all_label_branches=self.branch is None,
            edited_after=self.filters.edited_after,
            edited_before=self.filters.edited_before,
            workflow_graph_node_title_eq=self.filters.stage,
            workflow_graph_node_title_like=self.filters.stage_title_like,
            label_statuses=self.filters.label_statuses,
            data_title_eq=self.filters.data_title,
            data_title_like=self.filters.data_title_like,
            data_hashes=self.filters.data_hashes,
            label_hashes=self.filters.label_hashes,
            shadow_data_state=self.filters.shadow_data,
            include_workflow_graph_node=False,
        )


class ListedRow(msgspec.Struct, frozen=True, gc=False):
    """A row that has labels.

    :param last_edited_at: As Encord wrote it.
    """

    data_hash: str
    branch: str
    label_hash: str
    last_edited_at: str | None = None

    @property
    def sort_key(self) -> tuple[str, str, str]:
        """Where it stands in the order of the files."""
        return (self.data_hash, self.branch, self.label_hash)


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What is there.

    :param rows: Those that have labels, in the order of the files.
    :param listed: How many Encord listed.
    :param listed_at: When it was asked, by Encord's clock if that is known; ISO 8601, UTC.
    :param clock: Whose clock: `ENCORD` or `WORKER`.
    :param watermark: The latest `last_edited_at` of all that were listed, as Encord wrote it; None if none has one.
        It was taken before the first row was read, so a later edit is later than it.
    """

    rows: list[ListedRow]
    listed: int
    listed_at: str
    watermark: str | None
    clock: str = ENCORD

    @property
    def without_labels(self) -> int:
        """How many have no labels yet."""
        return self.listed - len(self.rows)


def list_rows(client: EncordClient, selection: RowSelection) -> Listing:
    """List the rows to export, with one request. Changes nothing.

    :raises EncordError: Encord refused, or was not reached.
    :raises UnexpectedResponseError: A row is listed twice.
    """
    now = datetime.datetime.now(datetime.UTC)
    if selection.filters.nothing:  # not asked: an empty list on the wire may mean "no filter"
        return listing_of([], now)
    stamps = client.send(list_label_row_stamps(selection.project_id, selection.wire_filter()))
    ahead = client.clock_ahead
    if ahead is None:
        return listing_of(stamps, now, WORKER)
    return listing_of(stamps, by_encords_clock(now, ahead))


def listing_of(stamps: Sequence[LabelRowStamp], now: datetime.datetime, clock: str = ENCORD) -> Listing:
    """The listing in what Encord answered, in whatever order.

    :param clock: Whose time `now` is.
    :raises UnexpectedResponseError: A row is listed twice.
    """
    rows = [
        ListedRow(stamp.data_hash, sys.intern(stamp.branch_name), stamp.label_hash, stamp.last_edited_at)
        for stamp in stamps
        if stamp.label_hash is not None
    ]
    rows.sort(key=operator.attrgetter("data_hash", "branch", "label_hash"))
    seen: set[str] = set()
    for row in rows:
        if row.label_hash in seen:
            raise UnexpectedResponseError(f"Encord lists the label row {row.label_hash} (data {row.data_hash}) twice.")
        seen.add(row.label_hash)
    watermark = _latest(stamp.last_edited_at for stamp in stamps)
    return Listing(rows=rows, listed=len(stamps), listed_at=now.isoformat(), watermark=watermark, clock=clock)


def _latest(times: Iterable[str | None]) -> str | None:
    """The latest time. One in no known form is passed over: an early watermark only makes readers ask for more."""
    latest, latest_text = None, None
    for text in set(times):
        try:
            moment = parse_time(text) if text else None
        except ValueError:
            continue
        if text and moment and (latest is None or moment > latest):
            latest, latest_text = moment, text
    return latest_text


def still_listed(client: EncordClient, project: str, rows: Sequence[ListedRow]) -> set[str]:
    """The label hashes of those rows that Encord lists now, whatever the filters of the export."""
    branches = {row.branch for row in rows}
    listed: set[str] = set()
    for part in chunks(rows, MOST_ROWS_PER_REQUEST):
        which = LabelRowFilter(
            label_hashes=[row.label_hash for row in part],
            branch_name=min(branches) if len(branches) == 1 else None,
            include_all_label_branches=len(branches) > 1,
            include_workflow_graph_node=False,
        )
        stamps = client.send(list_label_row_stamps(project, which))
        listed |= {stamp.label_hash for stamp in stamps if stamp.label_hash is not None}
    return listed
