"""Planning an export: list the rows once, and write down which rows to read."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from typing import Any

import msgspec

from airflow_provider_encord.attempts import fingerprint
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import (
    InvalidArgumentError,
    PermissionDeniedError,
    UnsupportedByCredentialError,
)
from airflow_provider_encord.exports import incremental as chains
from airflow_provider_encord.exports.directory import KIND, ReplacedError
from airflow_provider_encord.exports.formats import is_table, needs_structure, require_format
from airflow_provider_encord.exports.incremental import BrokenChainError, Chain
from airflow_provider_encord.exports.known_rows import require_known
from airflow_provider_encord.exports.listing import ListedRow, Listing, RowSelection, list_rows
from airflow_provider_encord.exports.listing_file import LISTING, REMOVED, write_rows
from airflow_provider_encord.exports.manifest import ChainRecord, Layout, Manifest, PreviousExport
from airflow_provider_encord.exports.plan import (
    Directory,
    Plan,
    directory_of,
    has_skipped,
    is_usable,
    ranges,
    read_plan,
    write_plan,
)
from airflow_provider_encord.exports.removed import why_removed
from airflow_provider_encord.storage_paths import StoragePath

log = logging.getLogger(__name__)

_MOST_TRIES = 3
_DIFFERENCES = {"project_id": "of another project", "branch": "of another branch", "filters": "with other filters"}


class ExportSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What to export.

    :param selection: Which rows to export.
    :param layout: How to write them to files.
    :param logical_date: The logical date, ISO 8601, UTC. A complete export with this date is not made again, and an
        unfinished one is continued. None always starts a new export.
    :param history: Export only the changes since the last export in this chain; None exports all rows.
    :param overwrite: Make the export again even if it is complete.
    """

    selection: RowSelection
    layout: Layout = Layout()
    logical_date: str | None = None
    history: Chain | None = None
    overwrite: bool = False

    def fingerprint(self, host: str) -> str:
        """A hash of everything that decides which rows are in which files.

        :param host: Host of the API.
        """
        chain = self.history
        history = chain and {
            "directory": str(chain.directory),
            "name": chain.name,
            "lookback_seconds": chain.lookback_seconds,
        }
        selection = msgspec.to_builtins(self.selection)
        if self.selection.filters.collection_id is None:  # exports of versions without this filter keep theirs
            del selection["filters"]["collection_id"]
        return fingerprint(
            host=host,
            selection=selection,
            layout=msgspec.to_builtins(self.layout),
            logical_date=self.logical_date,
            history=history,
        )

    def is_shared(self, directory: Directory, host: str) -> bool:
        """Whether the export in the directory is the same export, made by another attempt."""
        return self.logical_date is not None and directory.is_shared(self.fingerprint(host))


class _Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a plan that only incremental exports have.

    :param wanted: Label hashes of the rows to read; None for all.
    :param removed: The removed rows, with the reason; None if no export is continued.
    """

    history: ChainRecord | None = None
    previous: PreviousExport | None = None
    wanted: set[str] | None = None
    removed: list[tuple[ListedRow, str]] | None = None


def plan_export(
    client: EncordClient,
    spec: ExportSpec,
    destination: StoragePath,
    *,
    rows_per_part: int | None = None,
    most_parts: int = 1,
    accept_failed: bool = True,
) -> Plan | Manifest:
    """List the rows, and write down which ones to read.

    :param rows_per_part: Maximum number of rows in a part, unless there would be more than `most_parts`; None makes one
        part.
    :param accept_failed: Whether to accept an existing export (complete or unfinished) that could not read some rows.
    :return: The plan; or the manifest, if the export of this logical date is complete already.
    """
    require_format(spec.layout.format)
    directory, wanted = directory_of(destination), spec.fingerprint(client.settings.host)
    plan, there = _there(directory, spec.selection)
    same = there is not None and spec.logical_date is not None and there.fingerprint == wanted
    if there and same and not spec.overwrite and (accept_failed or not there.counts.failed):
        log.info("The export of %s in %s is complete; keeping it.", spec.logical_date, destination)
        return there
    same = plan is not None and spec.logical_date is not None and plan.fingerprint == wanted
    if plan and same and _can_be_continued(directory, plan, accept_failed):
        log.info("Continuing the unfinished export of %s in %s.", spec.logical_date, destination)
        return plan
    _require_own_directory(spec, there, destination)
    for _ in range(_MOST_TRIES - 1):
        try:
            return _new_plan(client, spec, directory, rows_per_part, most_parts, there, accept_failed)
        except ReplacedError:
            if not spec.is_shared(directory, client.settings.host):
                raise
    return _new_plan(client, spec, directory, rows_per_part, most_parts, there, accept_failed)


def _can_be_continued(directory: Directory, plan: Plan, accept_failed: bool) -> bool:
    return (accept_failed or not has_skipped(directory, plan)) and is_usable(directory, plan)


def _there(directory: Directory, selection: RowSelection) -> tuple[Plan | None, Manifest | None]:
    """The unfinished export in the directory, else the complete one.

    :raises InvalidArgumentError: The directory contains something else.
    """
    manifest = directory.require_ours()
    plan = read_plan(directory)
    if plan is not None:  # the export that it replaces is not complete any more
        return plan, None
    if manifest is not None and manifest.selection != selection:
        there = manifest.selection
        differing = [words for name, words in _DIFFERENCES.items() if getattr(there, name) != getattr(selection, name)]
        raise InvalidArgumentError(
            f"destination: {directory.path} contains an export {' and '.join(differing)} (project {there.project_id}, "
            f"branch {there.branch}). Use another directory, such as one for each run, or empty this one."
        )
    return None, manifest


def _new_plan(
    client: EncordClient,
    spec: ExportSpec,
    directory: Directory,
    rows_per_part: int | None,
    most_parts: int,
    there: Manifest | None,
    accept_failed: bool,
) -> Plan | Manifest:
    """Make a plan; or return the plan or manifest that another attempt has made while this one listed the rows."""
    listing = list_rows(client, spec.selection, with_stages=is_table(spec.layout.format))
    changes = _changes(client, spec, listing, directory.path)
    if changes.previous is None:  # in a chain, no rows can be correct, because all may have been removed
        require_known(client, spec.selection, listing)
    structure = _structure(client, spec)
    to_read = len(listing.rows) if changes.wanted is None else len(changes.wanted)
    _report(spec, listing, directory.path, to_read, changes)
    if spec.is_shared(directory, client.settings.host):
        plan, manifest = read_plan(directory), directory.manifest()
        if plan is not None and _can_be_continued(directory, plan, accept_failed):
            return plan
        is_new = manifest is not None and (there is None or manifest.plan_id != there.plan_id)
        if manifest is not None and is_new and (accept_failed or not manifest.counts.failed):
            return manifest
    id_, wanted = str(uuid.uuid4()), spec.fingerprint(client.settings.host)
    claim = directory.take(id_, wanted)
    plan = Plan(
        kind=KIND,
        id=id_,
        replaces=claim.replaces,
        fingerprint=wanted,
        selection=spec.selection,
        layout=spec.layout,
        logical_date=spec.logical_date,
        listed=listing.listed,
        with_labels=len(listing.rows),
        listed_at=listing.listed_at,
        clock=listing.clock,
        watermark=listing.watermark,
        listing=write_rows(directory, id_, LISTING, _with_whether_wanted(listing, changes.wanted)),
        previous=changes.previous,
        history=changes.history,
        removed=None if changes.removed is None else write_rows(directory, id_, REMOVED, changes.removed),
        to_read=to_read,
        structure=structure,
        parts=ranges(to_read, min(most_parts, -(-to_read // (rows_per_part or to_read or 1)))),
    )
    write_plan(directory, plan)
    return plan


def _with_whether_wanted(listing: Listing, wanted: set[str] | None) -> Iterator[tuple[ListedRow, bool]]:
    for row in listing.rows:
        yield row, wanted is None or row.label_hash in wanted


def _changes(client: EncordClient, spec: ExportSpec, listing: Listing, destination: StoragePath) -> _Changes:
    """The changes since the last export of the chain. If the chain is broken, all rows and the reason."""
    chain = spec.history
    if chain is None:
        return _Changes()
    try:
        link = chains.before(chain, spec.selection, spec.layout, destination)
        if link is None:
            return _Changes(history=ChainRecord(name=chain.name, restarted=None))
        since = chains.since_of(chain, link)
        found = chains.changes(listing.rows, link, since)
    except BrokenChainError as error:
        return _Changes(history=ChainRecord(name=chain.name, restarted=f"{error}."))
    left = list(why_removed(client, spec.selection, found.removed))
    return _Changes(
        history=ChainRecord(name=chain.name, restarted=None), previous=since, wanted=found.changed, removed=left
    )


def _require_own_directory(spec: ExportSpec, there: Manifest | None, destination: StoragePath) -> None:
    if spec.history and there and there.logical_date != spec.logical_date:
        raise InvalidArgumentError(
            f"destination: {destination} contains the export of {there.logical_date}. Each export of a history needs a "
            "separate directory: end the path with the date, such as {{ ds }}."
        )


def _report(spec: ExportSpec, listing: Listing, destination: StoragePath, to_read: int, changes: _Changes) -> None:
    log.info(
        "Exporting %d label rows of project %s, branch %s, to %s; skipping %d listed rows without labels.",
        to_read,
        spec.selection.project_id,
        spec.selection.branch or "(all)",
        destination,
        listing.without_labels,
    )
    if changes.previous:
        log.info(
            "%d rows have not changed since the export %s.", len(listing.rows) - to_read, changes.previous.manifest
        )
    elif changes.history and changes.history.restarted:
        log.warning("The history is broken, so this export contains all rows: %s", changes.history.restarted)
    elif spec.history:
        log.info("No earlier export of this history is in %s, so this one contains all rows.", spec.history.directory)
    restrictions = spec.selection.restrictions
    if restrictions and not listing.rows:  # no warning for a project without labels if no filter is set
        log.warning(
            "Nothing to export: %d data units match the filters, but none of them has labels. Check the filters, "
            "because Encord does not report values that do not exist: %s.",
            listing.listed,
            ", ".join(f"{name}={str(value)[:80]!r}" for name, value in restrictions.items()),
        )


def _structure(client: EncordClient, spec: ExportSpec) -> dict[str, Any]:
    if not needs_structure(spec.layout.format):
        return {}
    try:
        return client.project(spec.selection.project_id).ontology().editor_ontology
    except (UnsupportedByCredentialError, PermissionDeniedError) as error:
        if not is_table(spec.layout.format):
            raise
        log.warning("The ontology cannot be read, so options keep the names or values from the label rows: %s", error)
        return {}
