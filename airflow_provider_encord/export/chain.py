"""Incremental exports: what changed since the export before, found by comparing what Encord lists now and listed then.

The exports of a chain stand side by side, one directory for each logical date, each with its manifest and its listing.
That is all that is kept: nothing in Airflow's database, so every Airflow line and every backfill sees the same.

Surprise: a filter for `last_edited_at` would not do. It does not tell what left; and whether moving a row to another
stage moves that time is not documented, so a row that comes into a filter by a move might be missed. So everything is
listed, and read is what was not listed then, or has another time now, or was edited so shortly before that listing
(`overlap`) that a later edit may have the same time.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence

import msgspec

from airflow_provider_encord.client.errors import InvalidRequestError
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.export.listing import ListedRow, Question
from airflow_provider_encord.export.listing_file import read_rows
from airflow_provider_encord.export.manifest import (
    MANIFEST,
    Manifest,
    ManifestError,
    NewerManifestError,
    Since,
    read_manifest,
)
from airflow_provider_encord.storage_paths import StoragePath, storage_errors


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """Where the exports of a chain are.

    :param directory: The exports are its subdirectories.
    :param overlap: Seconds.
    """

    directory: StoragePath
    overlap: float


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What changed.

    :param changed: Label hashes of the rows to read.
    :param left: Rows that were listed then, and are not now.
    """

    changed: set[str]
    left: list[ListedRow]


def before(chain: Chain, question: Question, run: str | None) -> tuple[StoragePath, Manifest] | None:
    """The latest whole export of the question, of a logical date before `run`, with its directory; None if none is.

    :param run: None for after all.
    :raises NewerManifestError: A newer version of this library works on the chain.
    """
    best: tuple[str, StoragePath, Manifest] | None = None
    with storage_errors("chain", chain.directory):
        found = sorted(_exports(chain.directory), key=lambda pair: pair[0].name)
    for directory, manifest in found:
        if manifest.question != question or manifest.listing is None or manifest.listed_at is None:
            continue
        if run is not None and (manifest.run is None or _moment(manifest.run) >= _moment(run)):
            continue
        when = manifest.run or manifest.listed_at
        if best is None or _moment(when) >= _moment(best[0]):
            best = when, directory, manifest
    return best[1:] if best else None


def since_of(chain: Chain, directory: StoragePath, manifest: Manifest) -> Since:
    """What the manifest of the next export says of this one."""
    listed_at = _moment(manifest.listed_at or manifest.created_at)
    return Since(
        manifest=str(directory / MANIFEST),
        run=manifest.run,
        watermark=manifest.watermark,
        edited_after=(listed_at - datetime.timedelta(seconds=chain.overlap)).isoformat(),
    )


def changes(rows: Sequence[ListedRow], directory: StoragePath, manifest: Manifest, since: Since) -> Changes:
    """Compare what is listed now with what was listed then; both are in the same order.

    :param rows: Listed now.
    :param directory: Of the export before.
    """
    if manifest.listing is None:
        raise InvalidRequestError(f"chain: the export in {directory} has no listing; it cannot be gone on from.")
    unread = {row.label_hash for row in manifest.missing}
    then = _Then(row for row, _ in read_rows(directory, manifest.listing) if row.label_hash not in unread)
    unsettled = _unsettled(_moment(since.edited_after))
    changed: set[str] = set()
    left: list[ListedRow] = []
    for row in rows:
        left += then.before(row)
        old = then.take(row)
        if old is None or old.last_edited_at != row.last_edited_at or unsettled(row):
            changed.add(row.label_hash)
    left += then.rest()
    return Changes(changed=changed, left=left)


class _Then:
    """The rows of a listing, taken one by one in order."""

    def __init__(self, rows: Iterator[ListedRow]):
        self._rows = rows
        self._next = next(rows, None)

    def before(self, row: ListedRow) -> Iterator[ListedRow]:
        while self._next is not None and self._next.place < row.place:
            yield self._advance()

    def take(self, row: ListedRow) -> ListedRow | None:
        if self._next is None or self._next.place != row.place:
            return None
        return self._advance()

    def rest(self) -> Iterator[ListedRow]:
        while self._next is not None:
            yield self._advance()

    def _advance(self) -> ListedRow:
        row, self._next = self._next, next(self._rows, None)
        if row is None:
            raise StopIteration
        return row


def _unsettled(edited_after: datetime.datetime) -> Callable[[ListedRow], bool]:
    """Whether a row was edited so late that what was read then may have been older. A time in no known form counts."""
    known: dict[str, bool] = {}

    def is_unsettled(row: ListedRow) -> bool:
        text = row.last_edited_at
        if text is None:
            return True
        if text not in known:
            if len(known) > 1000:
                known.clear()
            known[text] = _after(text, edited_after)
        return known[text]

    return is_unsettled


def _after(text: str, moment: datetime.datetime) -> bool:
    try:
        return parse_time(text) > moment
    except ValueError:
        return True


def _exports(chain: StoragePath) -> Iterator[tuple[StoragePath, Manifest]]:
    if not chain.exists():
        return
    for directory in chain.iterdir():
        if not directory.is_dir():
            continue
        try:
            yield directory, read_manifest(directory)
        except NewerManifestError:
            raise
        except ManifestError:  # an export that is under way, or something else
            continue


def _moment(text: str) -> datetime.datetime:
    return parse_time(text)
