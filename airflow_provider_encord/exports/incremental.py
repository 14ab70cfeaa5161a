"""Incremental exports: what changed since an earlier export, found by comparing what Encord lists now and listed then.

The exports of a chain stand side by side, one directory for each logical date, each with its manifest and its listing.
That is all that is kept: nothing in Airflow's database, so every Airflow line and every backfill sees the same.

A chain has an identity: one question, one layout and one name, by default that of the task. So several chains may
share a parent directory. Each export continues the one of its chain that was listed last, whatever its logical date,
and names it in `Manifest.previous`. The order of replay is therefore that of the links, from the newest export back to
one of all rows: see `links`. If a link is missing or damaged, the next export is of all rows, and its manifest says
why.

A filter for `last_edited_at` would not do. It does not name rows that left; and whether moving a row to another
stage changes that time is not documented, so a row that comes into a filter by a move might be missed. So everything is
listed, and read is what was not listed then, or has another time now, or was edited so shortly before that listing
(`lookback_seconds`) that a later edit may have the same time. The time of the listing is Encord's: the clock of a
worker may be wrong. If Encord's answers have no date, the newest edit that was listed bounds it.
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
from airflow_provider_encord.storage_paths import StoragePath, is_local, size_and_version, storage_errors

Link: TypeAlias = tuple[StoragePath, Manifest]
_ARGUMENT = "history_dir"


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """Where the exports of a chain are.

    :param directory: The exports are its subdirectories.
    :param lookback_seconds: Seconds.
    :param name: Distinguishes this chain from others of the same question and layout in this directory.
    """

    directory: StoragePath
    lookback_seconds: float
    name: str = ""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What changed.

    :param changed: Label hashes of the rows to read.
    :param removed: Rows that were listed then, and are not now.
    """

    changed: set[str]
    removed: list[ListedRow]


class BrokenChainError(Exception):
    """An export of the chain is missing or damaged, so the exports after it cannot be replayed."""


class NotInHistoryError(BrokenChainError):
    """The directory of a history does not contain the export that the history is to end with."""


def before(chain: Chain, selection: RowSelection, layout: Layout, destination: StoragePath) -> Link | None:
    """The export to continue: the one of the chain that was listed last. None if the chain has no export.

    :param destination: Of the new export. What is there now is replaced, so it is not continued.
    :raises BrokenChainError: A link that it builds on is not there.
    :raises NewerManifestError: A newer version of this library works on the chain.
    """
    found = _links(chain.directory, (chain.name, selection, layout))
    candidates = [link for link in found.values() if str(link[0]) != str(destination)]
    if not candidates:
        return None
    newest = max(candidates, key=_listed)
    return _path_to(newest, {str(manifest.plan_id): (place, manifest) for place, manifest in candidates})[-1]


def links(directory: StoragePath, manifest: Manifest) -> list[Link]:
    """The exports to replay, in order, the first of which is of all rows. Apply the rows of each, then what left.

    :param directory: Of the chain: the exports are its subdirectories.
    :param manifest: Of the export to end with.
    :raises NotInHistoryError: The export to end with is not there.
    :raises BrokenChainError: Another one is missing, or a file of one.
    """
    if manifest.history is None:
        raise BrokenChainError("The export is not part of a history.")
    # What a newer version wrote beside these exports does not matter to them.
    found = _links(directory, (manifest.history.name, manifest.selection, manifest.layout), skip_newer=True)
    own = found.get(str(manifest.plan_id))
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
        link = found.get(str(manifest.previous.plan_id))
        if link is None or link in path:
            raise BrokenChainError(
                f"{place / MANIFEST} continues {manifest.previous.manifest}, and that export is missing or was replaced"
            )
        path.insert(0, link)


def require_files(place: StoragePath, manifest: Manifest, argument: str = _ARGUMENT) -> None:
    """Check that the files of an export are there, and on a local disk that they have their sizes.

    An object store has whole objects only.

    :param argument: What errors of the store name.
    :raises BrokenChainError: One is missing, or has another size.
    """
    records = [record for record in (*manifest.shards, manifest.listing, manifest.removed) if record]
    with storage_errors(argument, place):
        there = {path.name: path for path in place.iterdir()}
        looked_at = [record for record in records if record.name in there] if is_local(place) else []
        sizes = {record.name: size_and_version(there[record.name])[0] for record in looked_at}
    for record in records:
        path, size = place / record.name, sizes.get(record.name, record.bytes)
        if record.name not in there:
            raise BrokenChainError(f"{path} is missing, which the manifest beside it names")
        if size != record.bytes:
            raise BrokenChainError(f"{path} has {size} bytes, and the manifest beside it says {record.bytes}")


def _links(
    directory: StoragePath, identity: tuple[str, RowSelection, Layout], *, skip_newer: bool = False
) -> dict[str, Link]:
    with storage_errors(_ARGUMENT, directory):
        found = sorted(_exports(directory, skip_newer), key=lambda link: link[0].name)
    return {
        str(manifest.plan_id): (place, manifest)
        for place, manifest in found
        if manifest.history is not None
        and manifest.listing is not None
        and manifest.listed_at is not None
        and (manifest.history.name, manifest.selection, manifest.layout) == identity
    }


def _listed(link: Link) -> datetime.datetime:
    return parse_time(link[1].listed_at or link[1].created_at)


def since_of(chain: Chain, link: Link) -> PreviousExport:
    """What the manifest of the next export says of this one."""
    directory, manifest = link
    moments = [_listed(link)]
    if manifest.clock == WORKER and manifest.watermark:  # whether that clock was right is not known
        moments.append(parse_time(manifest.watermark))
    return PreviousExport(
        manifest=str(directory / MANIFEST),
        plan_id=manifest.plan_id,
        logical_date=manifest.logical_date,
        watermark=manifest.watermark,
        edited_after=(min(moments) - datetime.timedelta(seconds=chain.lookback_seconds)).isoformat(),
    )


def changes(rows: Sequence[ListedRow], link: Link, since: PreviousExport) -> Changes:
    """Compare what is listed now with what was listed then; both are in the same order.

    :param rows: Listed now.
    :param link: The export to continue.
    :raises BrokenChainError: Its listing is damaged.
    """
    directory, manifest = link
    if manifest.listing is None:
        raise BrokenChainError(f"The export in {directory} has no listing")
    unread = {row.label_hash for row in manifest.not_found} | {row.label_hash for row in manifest.failed}
    try:
        then = _Then(row for row, _ in read_rows(directory, manifest.listing))
        return _compare(rows, then, unread, _unsettled(parse_time(since.edited_after)))
    except ManifestError as error:
        raise BrokenChainError(error.message.rstrip(".")) from None


def _compare(
    rows: Sequence[ListedRow], then: _Then, unread: Collection[str], unsettled: Callable[[ListedRow], bool]
) -> Changes:
    """What is new, has another time, or could not be read then; and what left.

    A row that could not be read then may be in an earlier export of the chain, so it is among those that leave.
    """
    changed: set[str] = set()
    left: list[ListedRow] = []
    for row in rows:
        left += then.before(row)
        old = then.take(row)
        known = old is not None and old.last_edited_at == row.last_edited_at and old.label_hash not in unread
        if not known or unsettled(row):
            changed.add(row.label_hash)
    left += then.rest()
    if left:  # a row that is listed under another key did not leave
        listed = {row.label_hash for row in rows}
        left = [row for row in left if row.label_hash not in listed]
    return Changes(changed=changed, removed=left)


class _Then:
    """The rows of a listing, taken in order."""

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


def _exports(chain: StoragePath, skip_newer: bool) -> Iterator[tuple[StoragePath, Manifest]]:
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
        except ManifestError:  # an export that is not finished, or something else
            continue
