"""Why rows of the previous export are not listed any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from airflow_provider_encord.client.api.labels import MOST_ROWS_PER_REQUEST
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.exports.listing import ListedRow, RowSelection, still_listed
from airflow_provider_encord.exports.listing_file import DELETED, FILTERED_OUT


def why_removed(
    client: EncordClient, selection: RowSelection, removed: Sequence[ListedRow]
) -> Iterator[tuple[ListedRow, str]]:
    """Each row with its reason: `FILTERED_OUT` if Encord lists it without the filters, else `DELETED`."""
    for part in chunks(removed, MOST_ROWS_PER_REQUEST):
        there = still_listed(client, selection.project_id, part)
        for row in part:
            yield row, FILTERED_OUT if row.label_hash in there else DELETED
