"""What an export is to do, by reference: written before the first row is read, so that a retry does just that.

``plan.json`` says the question, and beside it ``listing.jsonl.gz`` the rows, in order. A part of the plan is a range of
the rows to be read; ``part-00000.json`` says how far it came, and is written anew with each shard. When all parts are
finished, the manifest takes the place of these.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from airflow_provider_encord.export.listing import ListedRow, Question
from airflow_provider_encord.export.listing_file import read_rows
from airflow_provider_encord.export.manifest import FileRecord, Layout, Shard, Since
from airflow_provider_encord.storage_paths import StoragePath, storage_errors, write_whole

PLAN = "plan.json"
PART_NAME = re.compile(r"part-\d{5,}\.json")


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """A part: rows to be read, from the first to before the last, counted from 0."""

    start: int
    stop: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an export is to do. Fields of the same name are those of `Manifest`.

    :param id: Of this plan; another one for the same question has another.
    :param left_count: Rows that left since the export before.
    :param to_read: How many rows.
    :param structure: Of the ontology, for formats that need it: the same for all parts.
    :param parts: In order; together they are all rows to be read.
    """

    id: str
    question: Question
    layout: Layout
    run: str | None
    listed: int
    with_labels: int
    listed_at: str
    watermark: str | None
    listing: FileRecord
    since: Since | None
    left: FileRecord | None
    to_read: int
    structure: dict[str, Any] = {}
    parts: Sequence[Range]

    def answers(self, question: Question, layout: Layout, run: str | None) -> bool:
        """Whether to go on with it, for this question and logical date."""
        return run is not None and (self.question, self.layout, self.run) == (question, layout, run)


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a part came.

    :param plan: Id of the plan.
    :param next_row: The first row, counted from the start of the part, that is in no finished shard.
    :param finished: Whether all rows are.
    """

    plan: str
    next_row: int = 0
    finished: bool = False
    shards: Sequence[Shard] = ()
    missing: Sequence[ListedRow] = ()


_PLAN = msgspec.json.Decoder(Plan)
_PROGRESS = msgspec.json.Decoder(Progress)
S = TypeVar("S")


def ranges(rows: int, parts: int) -> list[Range]:
    """Cut rows into so many parts of nearly the same size, but none of no row, unless there are none at all."""
    parts = max(1, min(parts, rows))
    edges = [rows * number // parts for number in range(parts + 1)]
    return [Range(start=start, stop=stop) for start, stop in itertools.pairwise(edges)]


def part_name(number: int) -> str:
    """The file that says how far a part came."""
    return f"part-{number:05d}.json"


def write_plan(directory: StoragePath, plan: Plan) -> None:
    """Write the plan, after the files that it names."""
    write_whole(directory / PLAN, [msgspec.json.encode(plan), b"\n"])


def read_plan(directory: StoragePath) -> Plan | None:
    """The plan of an export that is not finished; None if there is none that this version can read."""
    return _read(directory / PLAN, _PLAN)


def write_progress(directory: StoragePath, number: int, progress: Progress) -> None:
    """Say how far a part came."""
    write_whole(directory / part_name(number), [msgspec.json.encode(progress), b"\n"])


def read_progress(directory: StoragePath, number: int, plan: Plan) -> Progress:
    """How far a part of the plan came; what another plan left does not count."""
    progress = _read(directory / part_name(number), _PROGRESS)
    return progress if progress and progress.plan == plan.id else Progress(plan=plan.id)


def rows_to_read(directory: StoragePath, plan: Plan, part: Range, skip: int) -> list[ListedRow]:
    """The rows of a part, without the first `skip`."""
    start = part.start + skip
    chosen: Iterator[ListedRow] = (row for row, wanted in read_rows(directory, plan.listing) if wanted)
    return [row for number, row in enumerate(chosen) if start <= number < part.stop]


def _read(path: StoragePath, decoder: msgspec.json.Decoder[S]) -> S | None:
    with storage_errors("destination", path.parent):
        try:
            return decoder.decode(path.read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):
            return None
