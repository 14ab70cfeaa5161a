"""Incremental exports: they contain the changes since an earlier export, found by comparing the two listings.

The exports of a chain are in subdirectories of one directory, one for each logical date, each with its manifest and
listing. Nothing else is stored, and nothing in Airflow's database, so all Airflow versions and all backfills use the
same data.

A chain is identified by its row selection, its layout and its name (by default the name of the task). So several chains
may share a parent directory. Each export continues the export of its chain that was listed last, whatever its logical
date, and names it in `Manifest.previous`. So exports are replayed in the order of these links, beginning with an export
of all rows; see `links`. If a linked export is missing or damaged, the next export contains all rows, and its manifest
says why.

A filter by `last_edited_at` is not enough. It does not find rows that were removed. And Encord does not document
whether moving a row to another stage changes the time, so a row that starts to match a filter by a move could be
missed. So all rows are listed. A row is read if it was not listed before, if its time has changed, or if it was edited
so shortly before the earlier listing (`lookback_seconds`) that a later edit may have the same time. The time of the
listing is from Encord's clock, because the clock of a worker may be wrong. If Encord's responses have no date, the
newest edit in the listing is used instead.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeAlias

import msgspec

from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.exports.listing import WORKER, ListedRow, RowSelection
from airflow_provider_encord.exports.listing_file import read_rows
from airflow_provider_encord.exports.manifest import (
    MANIFEST,
    Layout,
    Manifest,
    ManifestError,
    NewerManifestError,
    PreviousExport,
    read_manifest,
)
from airflow_provider_encord.fresh_listings import forget_listing
from airflow_provider_encord.storage_paths import StoragePath, is_local, size_and_version, storage_errors

Link: TypeAlias = tuple[StoragePath, Manifest]
_ARGUMENT = "history_dir"


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """A chain of incremental exports.

    :param directory: Parent directory of the exports.
    :param lookback_seconds: Rows that were edited at most this many seconds before the earlier listing are read again.
    :param name: Distinguishes this chain from others with the same selection and layout in this directory.
    """

    directory: StoragePath
    lookback_seconds: float
    name: str = ""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The changes since an earlier export.

    :param changed: Label hashes of the rows to read.
    :param removed: Rows that were listed before and are not listed now.
    """

    changed: set[str]
    removed: list[ListedRow]


class BrokenChainError(Exception):
    """An export of the chain is missing or damaged, so the exports after it cannot be replayed."""


class NotInHistoryError(BrokenChainError):
    """The directory of the history does not contain the last export of the history."""


def before(chain: Chain, selection: RowSelection, layout: Layout, destination: StoragePath) -> Link | None:
    """The export to continue: the export of the chain that was listed last. None if the chain has no export.

    :param destination: Directory of the new export. An export in it is replaced, so it is not continued.
    :raises BrokenChainError: An export that the chain needs is missing.
    :raises NewerManifestError: A newer version of this provider has written to the chain.
    """
    found = _links(chain.directory, (chain.name, selection, layout))
    candidates = [link for link in found.values() if str(link[0]) != str(destination)]
    if not candidates:
        return None
    newest = max(candidates, key=_listed)
    return _path_to(newest, {manifest.plan_id: (place, manifest) for place, manifest in candidates})[-1]


def links(directory: StoragePath, manifest: Manifest) -> list[Link]:
    """The exports to replay, in order. The first one contains all rows.

    For each export, apply its rows, then its removals.

    :param directory: Parent directory of the exports.
    :param manifest: Manifest of the last export to replay.
    :raises NotInHistoryError: This last export is not in the directory.
    :raises BrokenChainError: Another export is missing, or a file of an export is.
    """
    if manifest.history is None:
        raise BrokenChainError("The export is not part of a history.")
    # Exports in the same directory that a newer version wrote are ignored.
    found = _links(directory, (manifest.history.name, manifest.selection, manifest.layout), skip_newer=True)
    own = found.get(manifest.plan_id)
    if own is None:
        raise NotInHistoryError(f"{directory} does not contain this export")
    return _path_to(own, found)


def _path_to(newest: Link, found: dict[str, Link]) -> list[Link]:
    path = [newest]
    while True:
        place, manifest = path[0]
        require_files(place, manifest)
        if manifest.previous is None:
            return path
        link = found.get(manifest.previous.plan_id)
        if link is None or link in path:
            raise BrokenChainError(
                f"{place / MANIFEST} continues {manifest.previous.manifest}, but that export is missing or was replaced"
            )
        path.insert(0, link)


def require_files(place: StoragePath, manifest: Manifest, argument: str = _ARGUMENT) -> None:
    """Check that the files of an export exist, and on a local disk that they have the right size.

    In an object store, objects are always complete.

    :param argument: Name of the argument, for error messages of the store.
    :raises BrokenChainError: A file is missing, or has another size.
    """
    with storage_errors(argument, place):
        forget_listing(place)
        there = {path.name: path for path in place.iterdir()}
        looked_at = [record for record in manifest.records if record.name in there] if is_local(place) else []
        sizes = {record.name: size_and_version(there[record.name])[0] for record in looked_at}
    for record in manifest.records:
        path, size = place / record.name, sizes.get(record.name, record.bytes)
        if record.name not in there:
            raise BrokenChainError(f"{path} is missing, but its manifest lists it")
        if size != record.bytes:
            raise BrokenChainError(f"{path} has {size} bytes, but its manifest says {record.bytes}")


def _links(
    directory: StoragePath, identity: tuple[str, RowSelection, Layout], *, skip_newer: bool = False
) -> dict[str, Link]:
    with storage_errors(_ARGUMENT, directory):
        found = sorted(_exports(directory, skip_newer), key=lambda link: link[0].name)
    return {
        manifest.plan_id: (place, manifest)
        for place, manifest in found
        if manifest.history is not None and (manifest.history.name, manifest.selection, manifest.layout) == identity
    }


def _listed(link: Link) -> datetime.datetime:
    return parse_time(link[1].listed_at)


def since_of(chain: Chain, link: Link) -> PreviousExport:
    """The record of this export in the manifest of the next one."""
    directory, manifest = link
    moments = [_listed(link)]
    if manifest.clock == WORKER and manifest.watermark:  # the worker's clock may be wrong
        moments.append(parse_time(manifest.watermark))
    return PreviousExport(
        manifest=str(directory / MANIFEST),
        plan_id=manifest.plan_id,
        logical_date=manifest.logical_date,
        watermark=manifest.watermark,
        edited_after=(min(moments) - datetime.timedelta(seconds=chain.lookback_seconds)).isoformat(),
    )


def changes(rows: Sequence[ListedRow], link: Link, since: PreviousExport) -> Changes:
    """Compare the current listing with the listing of an earlier export. Both have the same order.

    :param rows: The rows that are listed now.
    :param link: The export to continue.
    :raises BrokenChainError: The listing of that export is damaged.
    """
    directory, manifest = link
    unread = {row.label_hash for row in manifest.not_found} | {row.label_hash for row in manifest.failed}
    try:
        then = _Then(row for row, _ in read_rows(directory, manifest.listing))
        return _compare(rows, then, unread, _unsettled(parse_time(since.edited_after)))
    except ManifestError as error:
        raise BrokenChainError(error.message.rstrip(".")) from None


def _compare(
    rows: Sequence[ListedRow], then: _Then, unread: Collection[str], unsettled: Callable[[ListedRow], bool]
) -> Changes:
    """The rows that are new, have another time or stage, or could not be read before; and the removed rows.

    A row that could not be read before may be in an earlier export of the chain, so it can be among the removed rows.
    """
    changed: set[str] = set()
    left: list[ListedRow] = []
    for row in rows:
        left += then.before(row)
        old = then.take(row)
        known = old is not None and _is_same(old, row) and old.label_hash not in unread
        if not known or unsettled(row):
            changed.add(row.label_hash)
    left += then.rest()
    if left:  # a row that is listed under another key was not removed
        listed = {row.label_hash for row in rows}
        left = [row for row in left if row.label_hash not in listed]
    return Changes(changed=changed, removed=left)


def _is_same(old: ListedRow, row: ListedRow) -> bool:
    """Whether a row has the same time and, if the format of the exports has stages, the same stage."""
    return (old.last_edited_at, old.stage) == (row.last_edited_at, row.stage)


class _Then:
    """The rows of the earlier listing, read in order."""

    def __init__(self, rows: Iterator[ListedRow]):
        self._rows = rows
        self._next = next(rows, None)

    def before(self, row: ListedRow) -> Iterator[ListedRow]:
        while self._next is not None and self._next.sort_key < row.sort_key:
            yield self._advance()

    def take(self, row: ListedRow) -> ListedRow | None:
        if self._next is None or self._next.sort_key != row.sort_key:
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
    """Whether a row was edited so late that the earlier export may have an older version.

    Unknown time formats count.
    """
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


def _exports(chain: StoragePath, skip_newer: bool) -> Iterator[tuple[StoragePath, Manifest]]:
    forget_listing(chain)
    if not chain.exists():
        return
    for directory in chain.iterdir():
        if not directory.is_dir():
            continue
        try:
            yield directory, read_manifest(directory)
        except NewerManifestError:
            if not skip_newer:
                raise
        except ManifestError:  # an unfinished export, or something else
            continue
