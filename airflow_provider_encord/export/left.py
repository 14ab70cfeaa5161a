"""Why rows of the previous export are not listed any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from airflow_provider_encord.client.api.labels import (
    MOST_ROWS_PER_REQUEST,
    LabelRowFilter,
    list_label_row_stamps,
)
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.resources.chunks import chunks
from airflow_provider_encord.export.listing import ListedRow, Question
from airflow_provider_encord.export.listing_file import FILTER, GONE


def why_left(client: EncordClient, question: Question, left: Sequence[ListedRow]) -> Iterator[tuple[ListedRow, str]]:
    """Each row, with `FILTER` if Encord lists it when it is asked for without the filters, else with `GONE`."""
    for part in chunks(left, MOST_ROWS_PER_REQUEST):
        there = _listed(client, question, [row.label_hash for row in part])
        for row in part:
            yield row, FILTER if row.label_hash in there else GONE


def _listed(client: EncordClient, question: Question, label_hashes: Sequence[str]) -> set[str | None]:
    which = LabelRowFilter(
        label_hashes=label_hashes,
        branch_name=question.branch,
        include_all_label_branches=question.branch is None,
        include_workflow_graph_node=False,
    )
    return {row.label_hash for row in client.send(list_label_row_stamps(question.project, which))}
