"""The plan of an export. It is written before the first row is read, so that a retry exports the same rows.

``plan-<plan>.json`` contains the selection, and ``listing-<plan>.jsonl.gz`` the rows in order. A part of the plan is a
range of the rows to read. ``part-<plan>-<number>-<attempt>.json`` contains the progress of an attempt at a part, and is
replaced after each shard. An attempt that finishes writes ``part-<plan>-<number>-<attempt>.finished.json``, so the file
names show which parts are finished. When all parts are finished, the manifest replaces these files.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.exports.directory import ExportDirectory
from airflow_provider_encord.exports.file_names import file_name, plan_file
from airflow_provider_encord.exports.listing import ListedRow, RowSelection
from airflow_provider_encord.exports.listing_file import read_rows
from airflow_provider_encord.exports.manifest import (
    ChainRecord,
    FailedRow,
    FileRecord,
    Layout,
    Manifest,
    ManifestError,
    PreviousExport,
    Shard,
    decode_manifest,
)
from airflow_provider_encord.storage_paths import StoragePath

Directory: TypeAlias = ExportDirectory[Manifest]
PART = "part"
_FINISHED = "finished.json"


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a part, counted from 0. The end is not included."""

    start: int
    stop: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of an export. For the other fields, see `Manifest` and `directory.Claim`.

    :param id: Id of this plan. Each plan has a new id, even for the same selection.
    :param to_read: Number of rows to read.
    :param structure: Structure of the ontology, for formats that need it. All parts use the same structure.
    :param parts: The parts in order. Together they contain all rows to read.
    """

    kind: Literal["encord export plan"]
    id: str
    replaces: Sequence[str]
    fingerprint: str
    selection: RowSelection
    layout: Layout
    logical_date: str | None
    listed: int
    with_labels: int
    listed_at: str
    clock: str
    watermark: str | None
    listing: FileRecord
    previous: PreviousExport | None
    history: ChainRecord | None
    removed: FileRecord | None
    to_read: int
    structure: dict[str, Any] = {}
    parts: Sequence[Range]


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of a part.

    :param plan_id: Id of the plan.
    :param next_row: The first row that is not in a finished shard, counted from the start of the part.
    :param finished: Whether all rows are in finished shards.
    """

    plan_id: str
    next_row: int = 0
    finished: bool = False
    shards: Sequence[Shard] = ()
    not_found: Sequence[ListedRow] = ()
    failed: Sequence[FailedRow] = ()


_PLAN = msgspec.json.Decoder(Plan)
_PROGRESS = msgspec.json.Decoder(Progress)


def ranges(rows: int, parts: int) -> list[Range]:
    """Split rows into parts of nearly the same size. No part is empty, unless there are no rows."""
    parts = max(1, min(parts, rows))
    edges = [rows * number // parts for number in range(parts + 1)]
    return [Range(start=start, stop=stop) for start, stop in itertools.pairwise(edges)]


def directory_of(path: StoragePath) -> Directory:
    """The directory of an export of label rows."""
    return ExportDirectory(path, decode_manifest)


def write_plan(directory: Directory, plan: Plan) -> None:
    """Write the plan. The files that it refers to must exist already."""
    directory.write(plan.id, plan_file(plan.id), [msgspec.json.encode(plan), b"\n"])


def read_plan(directory: Directory) -> Plan | None:
    """The plan that owns the directory; None without an owner, or if the plan was not written completely.

    :raises InvalidArgumentError: ``plan.json`` is not the plan of an export.
    """
    claim = directory.claim()
    if claim is None:
        return None
    try:
        return _PLAN.decode(directory.content(plan_file(claim.id)) or b"")
    except NOT_JSON:
        return None


def write_progress(directory: Directory, number: int, try_: str, progress: Progress) -> None:
    """Record the progress of an attempt at a part."""
    name = file_name(PART, progress.plan_id, f"{number:05d}", try_, suffix=_FINISHED if progress.finished else "json")
    directory.write(progress.plan_id, name, [msgspec.json.encode(progress), b"\n"])


def read_progress(directory: Directory, plan: Plan, number: int) -> Progress:
    """The progress of a part: of a finished attempt, else of the attempt with the most rows."""
    return read_all_progress(directory, plan, number).get(number, Progress(plan_id=plan.id))


def read_all_progress(directory: Directory, plan: Plan, number: int | None = None) -> dict[int, Progress]:
    """The progress of all parts that were started, by number.

    An attempt counts only if all its shards exist and have the right size, because somebody may have removed one.

    :param number: Only this part.
    """
    found: dict[int, Progress] = {}
    for part, progress in _tries(directory, plan.id, number):
        best = found.get(part)
        is_better = best is None or (progress.finished, progress.next_row) > (best.finished, best.next_row)
        if is_better and _has_its_shards(directory, progress):
            found[part] = progress
    return found


def _has_its_shards(directory: Directory, progress: Progress) -> bool:
    return all(directory.size(shard.name) == shard.bytes for shard in progress.shards)


def finished_parts(directory: Directory, plan: Plan) -> set[int]:
    """The numbers of the finished parts. This reads only file names."""
    names = directory.file_names(plan.id, PART)
    return {_number(name) for name in names if name.endswith(f".{_FINISHED}")}


def named_shards(directory: Directory, plan: str) -> set[str]:
    """The names of shards that the manifest may list: those of finished attempts with all shards.

    :param plan: Id of the plan.
    """
    finished = (progress for _, progress in _tries(directory, plan, None) if progress.finished)
    return {shard.name for attempt in finished if _has_its_shards(directory, attempt) for shard in attempt.shards}


def has_skipped(directory: Directory, plan: Plan) -> bool:
    """Whether an attempt at any part skipped rows that it could not read."""
    return any(progress.failed for _, progress in _tries(directory, plan.id, None))


def rows_to_read(directory: Directory, plan: Plan, part: Range, skip: int) -> list[ListedRow]:
    """The rows of a part, without the first `skip`.

    :raises FinishedError: Another process has finished the plan and removed the listing.
    :raises ReplacedError: Another export owns the directory and has removed the listing.
    :raises ManifestError: The listing is missing or damaged.
    """
    start = part.start + skip
    chosen: Iterator[ListedRow] = (row for row, wanted in read_rows(directory.path, plan.listing) if wanted)
    try:
        return list(itertools.islice(chosen, start, part.stop))
    except ManifestError:
        directory.require_owner(plan.id)
        raise


def is_usable(directory: Directory, plan: Plan) -> bool:
    """Whether the files that the plan refers to exist and are complete."""
    try:
        for record in (plan.listing, plan.removed):
            for _ in read_rows(directory.path, record) if record else ():
                pass
    except ManifestError:
        return False
    return True


def _tries(directory: Directory, plan: str, number: int | None) -> Iterator[tuple[int, Progress]]:
    for name in directory.file_names(plan, PART):
        part = _number(name)
        if number is not None and part != number:
            continue
        try:
            progress = _PROGRESS.decode(directory.content(name) or b"")
        except NOT_JSON:
            continue
        if progress.plan_id == plan:
            yield part, progress


def _number(name: str) -> int:
    """The number of the part in a file name."""
    return int(name.split("-")[2])
