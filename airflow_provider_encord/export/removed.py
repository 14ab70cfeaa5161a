"""Why rows of the previous export are not listed any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from airflow_provider_encord.client.api.labels import MOST_ROWS_PER_REQUEST
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.resources.chunks import chunks
from airflow_provider_encord.export.listing import ListedRow, RowSelection, still_listed
from airflow_provider_encord.export.listing_file import FILTER, GONE


def why_left(
    client: EncordClient, question: RowSelection, left: Sequence[ListedRow]
) -> Iterator[tuple[ListedRow, str]]:
    """Each row, with `FILTER` if Encord lists it when it is asked for without the filters, else with `GONE`."""
    for part in chunks(left, MOST_ROWS_PER_REQUEST):
        there = still_listed(client, question.project, part)
        for row in part:
            yield row, FILTER if row.label_hash in there else GONE
