"""Exporting label rows: list once and note what is to be read, read it and write shards, and last the manifest.

Nothing of it changes anything at Encord. Content passes from the socket to the file unparsed, unless a format needs it.

The three steps are functions of their own, because several tasks may share them: one plans, many export a part each,
and whoever finishes last joins the parts. Each can be killed anywhere, and done again.
"""

from __future__ import annotations

import datetime
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from airflow_provider_encord import __version__
from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidRequestError
from airflow_provider_encord.export import chain as chains
from airflow_provider_encord.export.chain import Chain
from airflow_provider_encord.export.destination import OURS, prepare, remove_plan, require_own
from airflow_provider_encord.export.formats import Structure, needs_structure, require_format
from airflow_provider_encord.export.left import why_left
from airflow_provider_encord.export.listing import ListedRow, Listing, Question, list_rows
from airflow_provider_encord.export.listing_file import LEFT, LISTING, write_rows
from airflow_provider_encord.export.manifest import (
    LABELS,
    SCHEMA_VERSION,
    Counts,
    Layout,
    Manifest,
    ProjectReference,
    Since,
    write_manifest,
)
from airflow_provider_encord.export.plan import (
    Plan,
    Progress,
    ranges,
    read_plan,
    read_progress,
    rows_to_read,
    write_plan,
    write_progress,
)
from airflow_provider_encord.export.progress import Watcher
from airflow_provider_encord.export.reading import Reader, Reading
from airflow_provider_encord.export.shards import OpenShard, shard_name
from airflow_provider_encord.storage_paths import StoragePath, storage_errors

log = logging.getLogger(__name__)

DEFAULT_READING = Reading()


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted.

    :param question: Which rows.
    :param layout: In which files.
    :param run: The logical date, ISO 8601, UTC. A whole export of it is not made again, and one that was begun is gone
        on with. None makes every export anew.
    :param chain: Export only what changed since the export before in this chain; None for all.
    :param overwrite: Make it anew even if it is whole.
    """

    question: Question
    layout: Layout = Layout()
    run: str | None = None
    chain: Chain | None = None
    overwrite: bool = False


def export_labels(
    client: EncordClient,
    order: Order,
    destination: StoragePath,
    *,
    reading: Reading = DEFAULT_READING,
    clock: Callable[[], float] = time.monotonic,
) -> Manifest:
    """Export the label rows of a project that have labels.

    Until the manifest is there, there is no export. What a killed try left is gone on with, shard by shard.

    :param destination: A directory of its own; made if it is not there.
    :param clock: Seconds, for the rate and the intervals of log lines.
    :return: What was exported.
    :raises InvalidRequestError: The destination holds something else, or cannot be written.
    :raises EncordError: Encord refused, or was not reached. What was written so far has no manifest.
    """
    planned = plan_export(client, order, destination)
    if isinstance(planned, Manifest):
        return planned
    for number in range(len(planned.parts)):
        export_part(client, planned, number, destination, reading=reading, clock=clock)
    manifest = join(client, planned, destination)
    if manifest is None:
        raise InvalidRequestError(f"destination: another export in {destination} has replaced this one. Run it again.")
    return manifest


def plan_export(
    client: EncordClient,
    order: Order,
    destination: StoragePath,
    *,
    rows_per_part: int | None = None,
    most_parts: int = 1,
) -> Plan | Manifest:
    """List what there is, and note what to read.

    :param rows_per_part: Rows in a part, at most, unless that makes more than `most_parts`; None makes one part.
    :return: The plan; or the manifest, if the export of this logical date is whole already.
    """
    require_format(order.layout.format)
    there = require_own(destination, order.question)
    if (
        there
        and not order.overwrite
        and order.run is not None
        and (there.run, there.layout)
        == (
            order.run,
            order.layout,
        )
    ):
        log.info("The export of %s in %s is whole; it is not made again.", order.run, destination)
        return there
    plan = None if there else read_plan(destination)
    if plan and plan.answers(order.question, order.layout, order.run):
        log.info("Going on with the export of %s in %s.", order.run, destination)
        return plan
    _require_own_directory(order, there, destination)
    return _new_plan(client, order, destination, rows_per_part, most_parts)


def export_part(
    client: EncordClient,
    plan: Plan,
    number: int,
    destination: StoragePath,
    *,
    reading: Reading = DEFAULT_READING,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Export one part of a plan, from where an earlier try of it came to.

    :param number: Counted from 0.
    """
    progress = read_progress(destination, number, plan)
    if progress.finished:
        return progress
    rows = rows_to_read(destination, plan, plan.parts[number], progress.next_row)
    reader = Reader(client, plan.question.project, reading)
    watcher = Watcher(len(rows), clock)
    writing = _Part(plan, number, destination, progress, plan.structure)
    try:
        for listed, row in reader.rows(rows):
            writing.take(listed, row)
            watcher.read(len(row.content) if row else 0)
        progress = writing.finish()
    except BaseException:
        writing.abandon()
        raise
    watcher.finished(len(progress.shards))
    return progress


def join(client: EncordClient, plan: Plan, destination: StoragePath) -> Manifest | None:
    """Write the manifest, if all parts are finished.

    :return: None if one is not.
    """
    done = []
    for number in range(len(plan.parts)):
        done.append(read_progress(destination, number, plan))
        if not done[-1].finished:
            return None
    manifest = _manifest(client, plan, done)
    with storage_errors("destination", destination):
        write_manifest(destination, manifest)
    remove_plan(destination)
    if manifest.missing:
        log.warning(
            "%d label rows were listed but gone when they were to be read; the manifest names them, the first is %s.",
            len(manifest.missing),
            manifest.missing[0].label_hash,
        )
    return manifest


class _Part:
    """Writes the shards of a part, and notes after each how far it came."""

    def __init__(self, plan: Plan, number: int, destination: StoragePath, progress: Progress, structure: Structure):
        self._plan, self._number, self._destination = plan, number, destination
        self._structure = structure
        self._shards, self._missing = list(progress.shards), list(progress.missing)
        self._next_row = progress.next_row
        self._open: OpenShard | None = None

    def take(self, listed: ListedRow, row: LabelRow | None) -> None:
        if row is None:
            self._missing.append(listed)
        else:
            if self._open and not self._open.fits(row):
                self._close()
                self._note(finished=False)
            if self._open is None:
                self._open = OpenShard(self._destination, self._name(), self._plan.layout, self._structure)
            self._open.write(row)
        self._next_row += 1

    def finish(self) -> Progress:
        self._close()
        return self._note(finished=True)

    def abandon(self) -> None:
        if self._open:
            self._open.abandon()

    def _close(self) -> None:
        if self._open:
            shard, self._open = self._open, None
            self._shards.append(shard.finish())

    def _note(self, *, finished: bool) -> Progress:
        progress = Progress(
            plan=self._plan.id,
            next_row=self._next_row,
            finished=finished,
            shards=self._shards,
            missing=self._missing,
        )
        with storage_errors("destination", self._destination):
            write_progress(self._destination, self._number, progress)
        return progress

    def _name(self) -> str:
        part = self._number if len(self._plan.parts) > 1 else None
        return shard_name(len(self._shards), self._plan.layout.format, part)


def _new_plan(
    client: EncordClient, order: Order, destination: StoragePath, rows_per_part: int | None, most_parts: int
) -> Plan:
    question = order.question
    found = chains.before(order.chain, question, order.run) if order.chain else None
    listing = list_rows(client, question)
    since, changes, left = None, None, None
    if order.chain and found:
        since = chains.since_of(order.chain, *found)
        changes = chains.changes(listing.rows, *found, since)
        left = why_left(client, question, changes.left)
    structure = _structure(client, order)
    to_read = len(listing.rows) if changes is None else len(changes.changed)
    _tell(order, listing, destination, to_read, since)
    prepare(destination, OURS)
    wanted = None if changes is None else changes.changed
    plan = Plan(
        id=str(uuid.uuid4()),
        question=question,
        layout=order.layout,
        run=order.run,
        listed=listing.listed,
        with_labels=len(listing.rows),
        listed_at=listing.listed_at,
        watermark=listing.watermark,
        listing=write_rows(
            destination, LISTING, ((row, wanted is None or row.label_hash in wanted) for row in listing.rows)
        ),
        since=since,
        left=None if left is None else write_rows(destination, LEFT, left),
        to_read=to_read,
        structure=structure,
        parts=ranges(to_read, min(most_parts, -(-to_read // (rows_per_part or to_read or 1)))),
    )
    with storage_errors("destination", destination):
        write_plan(destination, plan)
    return plan


def _require_own_directory(order: Order, there: Manifest | None, destination: StoragePath) -> None:
    if order.chain and there and there.run != order.run:
        raise InvalidRequestError(
            f"destination: {destination} holds the export of {there.run}. Each export of a chain needs a directory of "
            "its own: end the path with the date, such as {{ ds }}."
        )


def _tell(order: Order, listing: Listing, destination: StoragePath, to_read: int, since: Since | None) -> None:
    log.info(
        "Exporting %d label rows of project %s, branch %s, to %s; %d listed without labels are left out.",
        to_read,
        order.question.project,
        order.question.branch or "of all",
        destination,
        listing.without_labels,
    )
    if since:
        log.info("%d did not change since the export in %s.", len(listing.rows) - to_read, since.manifest)
    elif order.chain:
        log.info("There is no earlier export in %s, so this one is of all rows.", order.chain.directory)
    restrictions = order.question.restrictions
    if restrictions and not listing.rows:  # a project without labels, asked for as a whole, is no reason to warn
        log.warning(
            "Nothing to export: of %d data units that these let through, none has labels: %s. Check that they are what "
            "you mean; Encord does not say whether there is such a name.",
            listing.listed,
            ", ".join(f"{name}={str(value)[:80]!r}" for name, value in restrictions.items()),
        )


def _structure(client: EncordClient, order: Order) -> dict[str, Any]:
    if not needs_structure(order.layout.format):
        return {}
    return client.project(order.question.project).ontology().editor_ontology


def _manifest(client: EncordClient, plan: Plan, done: Sequence[Progress]) -> Manifest:
    shards = [shard for progress in done for shard in progress.shards]
    missing = [row for progress in done for row in progress.missing]
    return Manifest(
        schema_version=SCHEMA_VERSION,
        what=LABELS,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        library_version=__version__,
        host=client.settings.host,
        project=ProjectReference(id=plan.question.project),
        branch=plan.question.branch,
        filters=plan.question.filters,
        counts=Counts(
            listed=plan.listed,
            with_labels=plan.with_labels,
            without_labels=plan.listed - plan.with_labels,
            exported=sum(shard.rows for shard in shards),
            missing=len(missing),
            unchanged=plan.with_labels - plan.to_read,
            left=plan.left.rows if plan.left else 0,
        ),
        bytes=sum(shard.bytes for shard in shards),
        shards=shards,
        missing=missing,
        watermark=plan.watermark,
        layout=plan.layout,
        plan=plan.id,
        parts=len(plan.parts),
        run=plan.run,
        listed_at=plan.listed_at,
        listing=plan.listing,
        since=plan.since,
        left=plan.left,
    )
