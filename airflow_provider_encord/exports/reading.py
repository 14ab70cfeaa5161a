"""Reading label rows in bundles, several at the same time, in the order of the listing, with memory for these bundles.

Encord answers a bundle in any order, may leave rows out, and refuses a bundle that is too much, or (some servers)
one that names a row that is gone. So a refused bundle is halved until the row is alone: then it is known which row it
is, and whether it is gone or really refused. A row that an answer leaves out is gone only if Encord does not list it
any more; else it is asked for once more.

Rows differ a thousandfold in weight, an image with two boxes against an hour of video. The first bundles are small, and
each further one is made to weigh about `BYTES_PER_BUNDLE`.
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
from airflow_provider_encord.client.resources.chunks import chunks
from airflow_provider_encord.defaults import PARALLEL_READS, ROWS_PER_REQUEST
from airflow_provider_encord.exports.listing import ListedRow, still_listed
from airflow_provider_encord.exports.manifest import FailedRow

FIRST_ROWS = 2
GROWTH = 4
BYTES_PER_BUNDLE = 8 * 2**20
MOST_BYTES_OF_BUNDLE = 4 * BYTES_PER_BUNDLE  # a heavier answer of several rows is stopped, and half as many asked for

Read: TypeAlias = tuple[ListedRow, LabelRow | FailedRow | None]
"""A row of the listing, and its content; why that cannot be read; None if Encord did not give it back, as it was
deleted since."""


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How label rows are asked for.

    :param batch_size: How many at once, at most.
    :param max_concurrency: How many requests run at the same time.
    :param skip_unreadable: Leave out rows whose content cannot be read, and report them; else such a row is an error.
    """

    batch_size: int = ROWS_PER_REQUEST
    max_concurrency: int = PARALLEL_READS
    skip_unreadable: bool = False


class BundleSize:
    """How many rows to ask for next; several threads may ask.

    :param most_rows: Never more than these.
    :param most_bytes: What a bundle should weigh at most, going by the ones before.
    """

    def __init__(self, most_rows: int, most_bytes: int = BYTES_PER_BUNDLE):
        self._most_rows = most_rows
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self.rows = min(FIRST_ROWS, most_rows)

    def refused(self, rows: int, maximum: int | None) -> int:
        """So many rows were too much at once.

        :param maximum: How many Encord takes at once, if it said so; then this is never exceeded again. If it did not,
            they were too heavy, and the rows after them may be lighter.
        :return: How many to try instead.
        """
        with self._lock:
            if maximum is not None and maximum < rows:
                self._most_rows = max(1, min(maximum, self._most_rows))
            instead = min((rows + 1) // 2, self._most_rows)
            self.rows = min(self.rows, instead)
            return instead

    def read(self, rows: int, size: int) -> None:
        """So many rows came and weighed so many bytes. The next bundle has at most `GROWTH` times as many."""
        with self._lock:
            by_weight = self._most_bytes * rows // max(1, size)
            self.rows = max(1, min(by_weight, GROWTH * max(rows, self.rows), self._most_rows))


class Reader:
    """Reads what was listed. Never creates a row.

    :param project: Id of the project.
    """

    def __init__(self, client: EncordClient, project: str, reading: ReadOptions):
        self._client = client
        self._project = project
        self._size = BundleSize(reading.batch_size)
        self._parallel = reading.max_concurrency
        self._skip_unreadable = reading.skip_unreadable

    def rows(self, listed: Sequence[ListedRow]) -> Iterator[Read]:
        """All of them, in order. Of the bundles that were read, `max_concurrency` at most are in memory.

        :raises PayloadTooLargeError: A row alone is too much for a request; the message says which.
        :raises UnexpectedResponseError: Encord gave a row twice, or one that was not asked for; or a row cannot be
            read, which the message names, and `ReadOptions.skip_unreadable` is false.
        :raises EncordError: Encord refused, or was not reached.
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
            # A task that is killed raises here: what has not begun must not begin any more.
            pool.shutdown(cancel_futures=True)

    def _bundle(self, part: Sequence[ListedRow]) -> list[Read]:
        failed: dict[str, FailedRow] = {}
        bundle = in_order(part, self._read(part, failed))
        found = self._left_out([one for one, row in bundle if row is None], failed)
        bundle = [(one, row or found.get(one.label_hash)) for one, row in bundle]
        self._size.read(len(part), sum(len(row.content) for _, row in bundle if row))
        return [(one, failed.get(one.label_hash, row)) for one, row in bundle]

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
        """What a report says about a row that cannot be read.

        :raises UnexpectedResponseError: Such rows are not to be skipped; the message names the row.
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
        """Ask again for the rows that an answer leaves out although Encord lists them.

        Those that are left out again are added to `failed`.

        :return: Those that came, by label hash.
        :raises UnavailableError: Rows were left out again, and are not to be skipped.
        """
        absent = self._still_listed(missing, failed)
        again = in_order(absent, self._read(absent, failed)) if absent else []
        for row in self._still_listed([one for one, found in again if found is None], failed):
            error = f"Encord lists label row {row.label_hash} (data {row.data_hash}), and leaves it out of its answers."
            if not self._skip_unreadable:
                raise UnavailableError(f"{error} Nothing is lost. Run the task again, or set on_error='skip'.")
            failed[row.label_hash] = _failed(row, error)
        return {one.label_hash: found for one, found in again if found is not None}

    def _still_listed(self, missing: Sequence[ListedRow], failed: Mapping[str, FailedRow]) -> list[ListedRow]:
        """The rows that have no outcome although Encord lists them."""
        absent = [row for row in missing if row.label_hash not in failed]
        listed = still_listed(self._client, self._project, absent) if absent else set()
        return [row for row in absent if row.label_hash in listed]

    def _require_gone(self, row: ListedRow, error: RefusedError) -> None:
        """Ask whether the row that was refused is still listed; if it is, the refusal stands."""
        if still_listed(self._client, self._project, [row]):
            raise error


def _failed(row: ListedRow, error: str) -> FailedRow:
    return FailedRow(data_hash=row.data_hash, branch=row.branch, label_hash=row.label_hash, error=error)


def in_order(part: Sequence[ListedRow], rows: Sequence[LabelRow]) -> list[tuple[ListedRow, LabelRow | None]]:
    """Bring an answer into the order of the listing.

    :raises UnexpectedResponseError: A row came twice, or was not asked for.
    """
    by_hash: dict[str, LabelRow] = {}
    for row in rows:
        if row.label_hash in by_hash:
            raise UnexpectedResponseError(f"Encord gave the label row {row.label_hash} (data {row.data_hash}) twice.")
        by_hash[row.label_hash] = row
    found = [(item, by_hash.pop(item.label_hash, None)) for item in part]
    if by_hash:
        raise UnexpectedResponseError(f"Encord gave the label row {min(by_hash)}, which was not asked for.")
    return found


def _too_large(row: ListedRow, error: PayloadTooLargeError) -> PayloadTooLargeError:
    return PayloadTooLargeError(
        f"Label row {row.label_hash} (data {row.data_hash}) alone is too much for one request. Leave it out of the "
        f"export with the filters, or ask Encord to raise the limit. Encord said: {error.message}",
        maximum=error.maximum,
        operation=error.operation,
        trace_id=error.trace_id,
    )
