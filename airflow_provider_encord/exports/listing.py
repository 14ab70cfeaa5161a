"""The listing of an export: the label rows to export, requested once, stored compactly, always in the same order.

Encord lists all data units of a project, including those without labels. These have no `label_hash` and nothing to
read. The vendor's example code creates a label row for each of them, which changes the project. Here, they are only
counted.
"""

from __future__ import annotations

import datetime
import operator
import sys
from collections.abc import Iterable, Sequence

import msgspec

from airflow_provider_encord.client.api.label_row_stamps import (
    LabelRowStamp,
    list_label_row_item_stamps,
    list_label_row_stamps,
)
from airflow_provider_encord.client.api.labels import MAIN_BRANCH, MOST_ROWS_PER_REQUEST, LabelRowFilter
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import UnexpectedResponseError
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.client.times import by_encords_clock, parse_time
from airflow_provider_encord.exports import collection_items

ENCORD = "encord"
WORKER = "worker"


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows of a branch to export. Fields that are None do not filter; an empty list matches nothing.

    :param edited_after: Last edited after this time, ISO 8601 with an offset. Rows without labels have no such time.
    :param edited_before: Last edited before this time.
    :param stage: Title of the workflow stage that the row is in.
    :param stage_title_like: SQL LIKE pattern for the title of the stage.
    :param label_statuses: Annotation task statuses, for projects without a workflow.
    :param data_title: Title of the data unit.
    :param data_title_like: SQL LIKE pattern for the title of the data unit.
    :param data_hashes: Only these data units.
    :param label_hashes: Only these label rows.
    :param shadow_data: One of `SHADOW_DATA`: whether to export benchmark data.
    :param collection_id: Only data units whose storage item is in this collection.
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
    collection_id: str | None = None

    @property
    def nothing(self) -> bool:
        """Whether the filters cannot match any row."""
        lists = (self.label_statuses, self.data_hashes, self.label_hashes)
        return any(wanted is not None and not wanted for wanted in lists)


class RowSelection(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows an export contains. Exports with the same selection may replace each other.

    :param project_id: The project's id.
    :param branch: The label branch; None for the rows of all branches.
    """

    project_id: str
    branch: str | None = MAIN_BRANCH
    filters: Filters = Filters()

    @property
    def restrictions(self) -> dict[str, object]:
        """The filters that are set, by the name of the argument."""
        wanted: dict[str, object] = {name: getattr(self.filters, name) for name in self.filters.__struct_fields__}
        if self.branch != MAIN_BRANCH:
            wanted = {"branch": self.branch, **wanted}
        return {name: value for name, value in wanted.items() if value is not None}

    def wire_filter(self, *, with_stages: bool = False) -> LabelRowFilter:
        """The filter to send to Encord. Fields that the export does not need are not requested.

        :param with_stages: Whether to request the workflow stage of each row.
        """
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
            include_workflow_graph_node=with_stages,
        )


class ListedRow(msgspec.Struct, frozen=True, gc=False):
    """A row that has labels.

    :param last_edited_at: When the row was last edited, in Encord's format.
    :param stage: Title of the workflow stage that it was in; None unless the format of the export has it.
    """

    data_hash: str
    branch: str
    label_hash: str
    last_edited_at: str | None = None
    stage: str | None = None

    @property
    def sort_key(self) -> tuple[str, str, str]:
        """The sort key of the row in the files."""
        return (self.data_hash, self.branch, self.label_hash)


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that Encord listed.

    :param rows: The rows that have labels, in the order of the files.
    :param listed: Number of all rows that Encord listed.
    :param listed_at: When the rows were requested, by Encord's clock if it is known; ISO 8601, UTC.
    :param clock: The clock of `listed_at`: `ENCORD` or `WORKER`.
    :param watermark: The latest `last_edited_at` of all listed rows, in Encord's format; None without any. It is from
        before the first row was read, so all later edits have a later time.
    """

    rows: list[ListedRow]
    listed: int
    listed_at: str
    watermark: str | None
    clock: str = ENCORD

    @property
    def without_labels(self) -> int:
        """The number of listed rows that have no labels yet."""
        return self.listed - len(self.rows)


def list_rows(client: EncordClient, selection: RowSelection, *, with_stages: bool = False) -> Listing:
    """List the rows to export, with one request; for those of a collection, also its items. Changes nothing.

    :param with_stages: Whether to list the workflow stage of each row.
    :raises InvalidArgumentError: The collection does not exist.
    :raises EncordError: Encord refused the request, or cannot be reached.
    :raises UnexpectedResponseError: A row is listed twice.
    """
    now = datetime.datetime.now(datetime.UTC)
    if selection.filters.nothing:  # no request: in a request, an empty list may mean "no filter"
        return listing_of([], now)
    stamps = _stamps(client, selection, with_stages)
    ahead = client.clock_ahead
    if ahead is None:
        return listing_of(stamps, now, WORKER)
    return listing_of(stamps, by_encords_clock(now, ahead))


def _stamps(client: EncordClient, selection: RowSelection, with_stages: bool) -> Sequence[LabelRowStamp]:
    which = selection.wire_filter(with_stages=with_stages)
    if selection.filters.collection_id is None:
        return client.send(list_label_row_stamps(selection.project_id, which))
    items = collection_items.items_of(client, selection.filters.collection_id)
    if not items:
        return []
    stamps = client.send(list_label_row_item_stamps(selection.project_id, which))
    return collection_items.rows_of(stamps, items)


def listing_of(stamps: Sequence[LabelRowStamp], now: datetime.datetime, clock: str = ENCORD) -> Listing:
    """Make the listing from Encord's response, which may be in any order.

    :param clock: The clock of `now`: `ENCORD` or `WORKER`.
    :raises UnexpectedResponseError: A row is listed twice.
    """
    rows = [
        ListedRow(
            stamp.data_hash,
            sys.intern(stamp.branch_name),
            stamp.label_hash,
            stamp.last_edited_at,
            None if stamp.workflow_graph_node is None else stamp.workflow_graph_node.title,
        )
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
    """The latest time. Unknown formats are ignored: with an earlier watermark, readers only request more rows."""
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
    """The label hashes of those rows that Encord lists now, without the filters of the export."""
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
