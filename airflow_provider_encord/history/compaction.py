"""Making few files of many: what tasks wrote on past days becomes one file for each month, a summary of all
and an outline.

It may run anywhere, at any time, twice, or in two processes at once, and may be killed between any two steps. Because:
a file of a month is named by its content, so two processes that read the same write the same; a file is removed only
after one that has all its records was written; and a record that is in two files is used once. A file with a line that
this version cannot read stays as it is.
"""

from __future__ import annotations

import dataclasses
import datetime
import logging
from collections import defaultdict
from collections.abc import Sequence

from airflow_provider_encord.history.daily import Summary, encode_summary, summary_name, summary_of
from airflow_provider_encord.history.outline import encode_outline, outline_name
from airflow_provider_encord.history.records import Record, encode
from airflow_provider_encord.history.store import (
    Names,
    ProjectStore,
    day_of_new,
    month_name,
    month_of,
    once,
)

log = logging.getLogger(__name__)

MOST_PAST_FILES = 8
"""So many files of past days may stay until a task makes one of them."""


@dataclasses.dataclass(frozen=True)
class Compacted:
    """What came of it.

    :param merged: Number of files whose records are in another one now.
    :param kept: Number of files with lines that this version cannot read; they stay.
    """

    merged: int
    kept: int


def is_due(names: Names, today: str) -> bool:
    """Whether there are many files of past days, or an earlier version has written a summary and no outline.

    Without a summary, one more try may be as useless as the last one: a month has a line that cannot be read.

    :param today: The current day (UTC).
    """
    if summary_name(names.months) in names.summaries and outline_name(names.months) not in names.outlines:
        return True
    return sum(day_of_new(name) < today for name in names.new) > MOST_PAST_FILES


def compact(store: ProjectStore, now: datetime.datetime) -> Compacted:
    """Merge the files of past days into months, and write the summary.

    :raises EncordError: A file cannot be written or removed. Nothing is lost; a later call does the rest.
    """
    names, today = store.names(), now.astimezone(datetime.UTC).date().isoformat()
    past = [name for name in names.new if day_of_new(name) < today]
    found, merged, kept = _read(store, past)
    touched = {record.day[:7] for record in found}
    for name in names.months:
        if month_of(name) in touched or _is_shared(name, names.months):
            more, whole, left = _read(store, [name])
            found, merged, kept = found + more, merged + whole, kept + left
    written = _write_months(store, found)
    gone = [name for name in merged if name not in written]
    for name in gone:
        store.remove(name)
    _write_summary(store, now)
    return Compacted(merged=len(gone), kept=len(kept))


def _is_shared(name: str, months: Sequence[str]) -> bool:
    """Whether two processes each wrote a file of this month."""
    return sum(month_of(other) == month_of(name) for other in months) > 1


def _read(store: ProjectStore, names: Sequence[str]) -> tuple[list[Record], list[str], list[str]]:
    """The records of files; the files that were read whole, and those that stay."""
    records: list[Record] = []
    whole, kept = [], []
    for name in names:
        content = store.records(name)
        if content is None:
            continue
        if content.whole:
            records += content.records
            whole.append(name)
        else:
            kept.append(name)
    return records, whole, kept


def _write_months(store: ProjectStore, records: Sequence[Record]) -> set[str]:
    months = defaultdict(list)
    for record in records:
        months[record.day[:7]].append(record)
    written = set()
    for month, of_month in sorted(months.items()):
        content = encode(once(of_month))
        name = month_name(month, content)
        store.write(name, content)
        written.add(name)
    return written


def _write_summary(store: ProjectStore, now: datetime.datetime) -> None:
    """Write the summary and the outline of the months that are there now, and remove those of others."""
    names = store.names()
    records, whole, kept = _read(store, names.months)
    summary, outline = summary_name(whole), outline_name(whole)
    if kept or len(whole) != len(names.months):
        summary = outline = ""  # they would hide what cannot be read
    elif summary not in names.summaries or outline not in names.outlines:
        project = summary_of(once(records))
        store.write(summary, encode_summary(Summary(months=whole, project=project)))
        store.write(outline, encode_outline(whole, project, now.astimezone(datetime.UTC).date()))
    for other in (*names.summaries, *names.outlines):
        if other not in (summary, outline):
            store.remove(other)
