"""Reading many label rows, also if one of them is unreadable."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from airflow_provider_encord.client.api import labels
from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.errors import UnexpectedResponseError
from airflow_provider_encord.client.flows.chunks import as_far_as_possible


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RowsRead:
    """The requested label rows, as far as they can be read.

    :param rows: The readable rows, not in the order of the request. Deleted rows are missing.
    :param unreadable: For each unreadable row, the error by label hash. The error's ``rows`` names the same row.
    """

    rows: list[LabelRow]
    unreadable: dict[str, UnexpectedResponseError]


def read_rows(project: str, label_hashes: Sequence[str], *, size: int = labels.MOST_ROWS_PER_REQUEST) -> Flow[RowsRead]:
    """Read label rows, and report each unreadable row (``NaN``, half of a surrogate pair, ...) separately.

    One unreadable row makes the whole response unreadable. So the request is halved until that row is found; all other
    rows are read.

    :param size: How many rows to request at once.
    :raises EncordError: Encord refused a request, or cannot be reached.
    """
    read = RowsRead(rows=[], unreadable={})
    waiting: Sequence[str] = label_hashes
    while waiting:
        outcome = yield from as_far_as_possible(waiting, lambda some: labels.get_label_rows(project, some), size=size)
        read.rows.extend(row for rows in outcome.results for row in rows)
        error = outcome.error
        if error is not None:
            if not isinstance(error, UnexpectedResponseError) or len(error.rows) != 1:
                raise error
            read.unreadable[error.rows[0]] = error
        waiting = outcome.not_done[1:]
    return read
