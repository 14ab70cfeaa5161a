"""Reading label rows in bundles, several at the same time, in the order of the listing, with limited memory.

Encord returns the rows of a bundle in any order and may leave rows out. It refuses a bundle that is too large, and some
servers refuse a bundle with a deleted row. So a refused bundle is halved until the row is found; then it is checked
whether this row was deleted or really refused. A row that a response leaves out counts as deleted only if Encord does
not list it any more; otherwise it is requested once more.

The sizes of rows differ by a factor of a thousand: an image with two boxes, or an hour of video. The first bundles are
small. The size of each further bundle is chosen so that it has about `BYTES_PER_BUNDLE`.
"""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec

from airflow_provider_encord.client.api.labels import LabelRow, get_label_rows
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import (
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RefusedError,
    UnavailableError,
    UnexpectedResponseError,
)
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.defaults import PARALLEL_READS, ROWS_PER_REQUEST
from airflow_provider_encord.exports.listing import ListedRow, still_listed
from airflow_provider_encord.exports.manifest import FailedRow

FIRST_ROWS = 2
GROWTH = 4
BYTES_PER_BUNDLE = 8 * 2**20
MOST_BYTES_OF_BUNDLE = 4 * BYTES_PER_BUNDLE  # a larger response is stopped, and half as many rows are requested

Read: TypeAlias = tuple[ListedRow, LabelRow | FailedRow | None]
"""A row of the listing with its content, or with the reason why it cannot be read, or with None if it was deleted."""


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to read label rows.

    :param batch_size: Maximum number of rows per request.
    :param max_concurrency: How many requests may run at the same time.
    :param skip_unreadable: Skip and report rows whose content cannot be read. False raises an error for the first one.
    """

    batch_size: int = ROWS_PER_REQUEST
    max_concurrency: int = PARALLEL_READS
    skip_unreadable: bool = False


class BundleSize:
    """The number of rows of the next bundle. Several threads may use it.

    :param most_rows: Maximum number of rows in a bundle.
    :param most_bytes: Maximum size of a bundle in bytes, estimated from the earlier bundles.
    """

    def __init__(self, most_rows: int, most_bytes: int = BYTES_PER_BUNDLE):
        self._most_rows = most_rows
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self.rows = min(FIRST_ROWS, most_rows)

    def refused(self, rows: int, maximum: int | None) -> int:
        """Record that a bundle was too large.

        :param rows: Number of rows in the bundle.
        :param maximum: Encord's maximum number of rows, if Encord names it; it is never exceeded again. None means that
            the rows have too many bytes, but the next ones may be smaller.
        :return: How many rows to try instead.
        """
        with self._lock:
            if maximum is not None and maximum < rows:
                self._most_rows = max(1, min(maximum, self._most_rows))
            instead = min((rows + 1) // 2, self._most_rows)
            self.rows = min(self.rows, instead)
            return instead

    def read(self, rows: int, size: int) -> None:
        """Record that a bundle was read. The next bundle has at most `GROWTH` times as many rows.

        :param rows: Number of rows in the bundle.
        :param size: Size of the bundle in bytes.
        """
        with self._lock:
            by_weight = self._most_bytes * rows // max(1, size)
            self.rows = max(1, min(by_weight, GROWTH * max(rows, self.rows), self._most_rows))


class Reader:
    """Reads the listed rows. Never creates a row.

    :param project: Id of the project.
    """

    def __init__(self, client: EncordClient, project: str, reading: ReadOptions):
        self._client = client
        self._project = project
        self._size = BundleSize(reading.batch_size)
        self._parallel = reading.max_concurrency
        self._skip_unreadable = reading.skip_unreadable

    def rows(self, listed: Sequence[ListedRow]) -> Iterator[Read]:
        """Iterate over all rows in order. At most `max_concurrency` bundles are in memory.

        :raises PayloadTooLargeError: A single row is too large for a request. The message names the row.
        :raises UnexpectedResponseError: Encord returned a row twice, or a row that was not requested; or a row cannot
            be read and `ReadOptions.skip_unreadable` is false. The message names the row.
        :raises EncordError: Encord refused a request, or cannot be reached.
        """
        pool = concurrent.futures.ThreadPoolExecutor(max_workers=self._parallel)
        pending: collections.deque[concurrent.futures.Future[list[Read]]] = collections.deque()
        start = 0
        try:
            while start < len(listed) or pending:
                while start < len(listed) and len(pending) < self._parallel:
                    part = listed[start : start + self._size.rows]
                    start += len(part)
                    pending.append(pool.submit(self._bundle, part))
                yield from pending.popleft().result()
        finally:
            # If the task is killed, it raises here. Bundles that have not started must not start any more.
            pool.shutdown(cancel_futures=True)

    def _bundle(self, part: Sequence[ListedRow]) -> list[Read]:
        failed: dict[str, FailedRow] = {}
        bundle = in_order(part, self._read(part, failed))
        found = self._left_out([listed for listed, row in bundle if row is None], failed)
        bundle = [(listed, row or found.get(listed.label_hash)) for listed, row in bundle]
        self._size.read(len(part), sum(len(row.content) for _, row in bundle if row))
        return [(listed, failed.get(listed.label_hash, row)) for listed, row in bundle]

    def _read(self, part: Sequence[ListedRow], failed: dict[str, FailedRow]) -> list[LabelRow]:
        """The rows that can be read; the others are added to `failed`."""
        try:
            call = get_label_rows(self._project, [row.label_hash for row in part])
            if len(part) > 1:
                call = dataclasses.replace(call, most_bytes=min(call.most_bytes, MOST_BYTES_OF_BUNDLE))
            return self._client.send(call)
        except PayloadTooLargeError as error:
            if len(part) == 1:
                raise _too_large(part[0], error) from None
            return self._read_parts(part, self._size.refused(len(part), error.maximum), failed)
        except UnexpectedResponseError as error:
            if not error.rows:
                raise
            if len(part) > 1:
                return self._read_parts(part, (len(part) + 1) // 2, failed)
            failed[part[0].label_hash] = self.failure(part[0], error)
            return []
        except (NotFoundError, PermissionDeniedError) as error:
            if len(part) > 1:
                return self._read_parts(part, (len(part) + 1) // 2, failed)
            self._require_gone(part[0], error)
            return []

    def _read_parts(self, part: Sequence[ListedRow], size: int, failed: dict[str, FailedRow]) -> list[LabelRow]:
        return [row for smaller in chunks(part, size) for row in self._read(smaller, failed)]

    def failure(self, row: ListedRow, error: UnexpectedResponseError) -> FailedRow:
        """The record of a row that cannot be read.

        :raises UnexpectedResponseError: Unreadable rows must not be skipped. The message names the row.
        """
        if self._skip_unreadable:
            return _failed(row, error.message)
        raise UnexpectedResponseError(
            f"Label row {row.label_hash} (data {row.data_hash}, branch {row.branch}) cannot be exported. Correct it in "
            f"Encord, leave it out with the filters, or set on_error='skip' to export the others. {error.message}",
            rows=[row.label_hash],
            operation=error.operation,
            trace_id=error.trace_id,
        )

    def _left_out(self, missing: Sequence[ListedRow], failed: dict[str, FailedRow]) -> dict[str, LabelRow]:
        """Request rows again that a response leaves out although Encord lists them.

        Rows that are left out again are added to `failed`.

        :return: The rows that were returned, by label hash.
        :raises UnavailableError: Rows were left out again, and must not be skipped.
        """
        absent = self._still_listed(missing, failed)
        again = in_order(absent, self._read(absent, failed)) if absent else []
        for row in self._still_listed([listed for listed, found in again if found is None], failed):
            error = f"Encord lists label row {row.label_hash} (data {row.data_hash}), but does not return its content."
            if not self._skip_unreadable:
                raise UnavailableError(
                    f"{error} Run the task again, or set on_error='skip'. The task continues this export."
                )
            failed[row.label_hash] = _failed(row, error)
        return {listed.label_hash: found for listed, found in again if found is not None}

    def _still_listed(self, missing: Sequence[ListedRow], failed: Mapping[str, FailedRow]) -> list[ListedRow]:
        """The rows that have no outcome yet although Encord lists them."""
        absent = [row for row in missing if row.label_hash not in failed]
        listed = still_listed(self._client, self._project, absent) if absent else set()
        return [row for row in absent if row.label_hash in listed]

    def _require_gone(self, row: ListedRow, error: RefusedError) -> None:
        """Check whether a refused row is still listed. If it is, raise the refusal."""
        if still_listed(self._client, self._project, [row]):
            raise error


def _failed(row: ListedRow, error: str) -> FailedRow:
    return FailedRow(data_hash=row.data_hash, branch=row.branch, label_hash=row.label_hash, error=error)


def in_order(part: Sequence[ListedRow], rows: Sequence[LabelRow]) -> list[tuple[ListedRow, LabelRow | None]]:
    """Sort the rows of a response in the order of the listing.

    :raises UnexpectedResponseError: A row was returned twice, or was not requested.
    """
    by_hash: dict[str, LabelRow] = {}
    for row in rows:
        if row.label_hash in by_hash:
            raise UnexpectedResponseError(
                f"Encord returned the label row {row.label_hash} (data {row.data_hash}) twice."
            )
        by_hash[row.label_hash] = row
    found = [(item, by_hash.pop(item.label_hash, None)) for item in part]
    if by_hash:
        raise UnexpectedResponseError(f"Encord returned the label row {min(by_hash)}, which was not requested.")
    return found


def _too_large(row: ListedRow, error: PayloadTooLargeError) -> PayloadTooLargeError:
    return PayloadTooLargeError(
        f"Label row {row.label_hash} (data {row.data_hash}) is too large for one request. Leave it out of the export "
        f"with the filters, or ask Encord to raise the limit. Encord's error: {error.message}",
        maximum=error.maximum,
        operation=error.operation,
        trace_id=error.trace_id,
    )
