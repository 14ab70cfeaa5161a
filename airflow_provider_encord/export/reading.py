"""Reading label rows bundle by bundle, in the order of the listing, with memory for one bundle at a time.

Encord answers a bundle in its own order, may leave rows out, and refuses a bundle that is too much, or (some servers)
one that names a row that is gone. So a refused bundle is halved until the row is alone: then it is known which row it
is, and whether it is gone or really refused.

Rows differ a thousandfold in weight, an image with two boxes against an hour of video. The first bundle is small, and
each further one is made to weigh about `BYTES_PER_BUNDLE`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from airflow_provider_encord.client.api.labels import LabelRow, LabelRowFilter, get_label_rows
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import (
    NotFoundError,
    PermissionDeniedError,
    RefusedError,
    TooLargeError,
    UnexpectedAnswerError,
)
from airflow_provider_encord.client.resources.chunks import chunks
from airflow_provider_encord.export.listing import ListedRow, Question

FIRST_ROWS = 5
BYTES_PER_BUNDLE = 16 * 2**20


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the listing, read.

    :param rows: In the order of the listing.
    :param missing: Those that Encord did not give back, deleted since they were listed.
    """

    rows: list[LabelRow]
    missing: list[ListedRow]


class BundleSize:
    """How many rows to ask for next.

    :param most_rows: Never more than these.
    :param most_bytes: What a bundle should weigh at most, going by the one before.
    """

    def __init__(self, most_rows: int, most_bytes: int = BYTES_PER_BUNDLE):
        self._most_rows = most_rows
        self._most_bytes = most_bytes
        self.rows = min(FIRST_ROWS, most_rows)

    def refused(self, rows: int, maximum: int | None) -> int:
        """So many rows were too much at once.

        :param maximum: How many Encord takes at once, if it said so; then this is never exceeded again. If it did not,
            they were too heavy, and the rows after them may be lighter.
        :return: How many to try instead.
        """
        if maximum is not None and maximum < rows:
            self._most_rows = max(1, min(maximum, self._most_rows))
        instead = min((rows + 1) // 2, self._most_rows)
        self.rows = min(self.rows, instead)
        return instead

    def read(self, rows: int, size: int) -> None:
        """So many rows came and weighed so many bytes. The next bundle has at most twice as many."""
        by_weight = self._most_bytes * rows // max(1, size)
        self.rows = max(1, min(by_weight, 2 * self.rows, self._most_rows))


class Reader:
    """Reads what was listed. Never creates a row.

    :param rows_per_request: How many rows to ask for at most.
    """

    def __init__(self, client: EncordClient, question: Question, *, rows_per_request: int):
        self._client = client
        self._question = question
        self._size = BundleSize(rows_per_request)

    def bundles(self, listed: Sequence[ListedRow]) -> Iterator[Bundle]:
        """All of them, in order.

        :raises TooLargeError: A row alone is too much for a request; the message says which.
        :raises UnexpectedAnswerError: Encord gave a row twice, or one that was not asked for.
        :raises EncordError: Encord refused, or was not reached.
        """
        start = 0
        while start < len(listed):
            part = listed[start : start + self._size.rows]
            bundle = in_order(part, self._read(part))
            self._size.read(len(part), sum(len(row.content) for row in bundle.rows))
            start += len(part)
            yield bundle

    def _read(self, part: Sequence[ListedRow]) -> list[LabelRow]:
        try:
            return self._client.send(get_label_rows(self._question.project, [row.label_hash for row in part]))
        except TooLargeError as error:
            if len(part) == 1:
                raise _too_large(part[0], error) from None
            return self._read_parts(part, self._size.refused(len(part), error.maximum))
        except (NotFoundError, PermissionDeniedError) as error:
            if len(part) > 1:
                return self._read_parts(part, (len(part) + 1) // 2)
            self._require_gone(part[0], error)
            return []

    def _read_parts(self, part: Sequence[ListedRow], size: int) -> list[LabelRow]:
        return [row for smaller in chunks(part, size) for row in self._read(smaller)]

    def _require_gone(self, row: ListedRow, error: RefusedError) -> None:
        """Ask whether the row that was refused is still listed; if it is, the refusal stands."""
        project = self._client.project(self._question.project)
        if project.label_rows(LabelRowFilter(label_hashes=[row.label_hash], branch_name=row.branch)):
            raise error


def in_order(part: Sequence[ListedRow], rows: Sequence[LabelRow]) -> Bundle:
    """Bring an answer into the order of the listing.

    :raises UnexpectedAnswerError: A row came twice, or was not asked for.
    """
    by_hash: dict[str, LabelRow] = {}
    for row in rows:
        if row.label_hash in by_hash:
            raise UnexpectedAnswerError(f"Encord gave the label row {row.label_hash} (data {row.data_hash}) twice.")
        by_hash[row.label_hash] = row
    found = [(one, by_hash.pop(one.label_hash, None)) for one in part]
    if by_hash:
        raise UnexpectedAnswerError(f"Encord gave the label row {min(by_hash)}, which was not asked for.")
    return Bundle(
        rows=[row for _, row in found if row is not None], missing=[listed for listed, row in found if row is None]
    )


def _too_large(row: ListedRow, error: TooLargeError) -> TooLargeError:
    return TooLargeError(
        f"Label row {row.label_hash} (data {row.data_hash}) alone is too much for one request. Leave it out of the "
        f"export with the filters, or ask Encord to raise the limit. Encord said: {error.message}",
        maximum=error.maximum,
        operation=error.operation,
        trace_id=error.trace_id,
    )
