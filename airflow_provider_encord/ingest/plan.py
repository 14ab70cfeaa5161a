"""What is still to be uploaded, given what is there; and in which parts.

A file is known by its title and its size: that is all that a dataset tells of it. So a retry needs no memory, on
whatever machine it runs, but a file that changed without changing its size counts as present. Files and rows are
compared as multisets: two files of one name and size are two data units.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence

from airflow_provider_encord.client.api.datasets import DataRow
from airflow_provider_encord.ingest.sources import SourceFile

BYTES_PER_JOB = 1 << 30  # bounds what is lost if a worker dies before it starts the job


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """Each file is in exactly one of the two.

    :param present: Files that are in the dataset, each with a row of its own.
    :param missing: Files that are to be uploaded, in their order.
    """

    present: list[tuple[SourceFile, DataRow]]
    missing: list[SourceFile]


def make_plan(files: Sequence[SourceFile], rows: Iterable[DataRow]) -> Plan:
    """Tell the files that are in a dataset from those that are not.

    A row whose size Encord does not tell stands for any size, after all rows that have one: rather no second copy. So
    does the row of a group: whether Encord counts the sizes of its files is not known.
    """
    exact: dict[tuple[str, int], collections.deque[DataRow]] = collections.defaultdict(collections.deque)
    unsized: dict[str, collections.deque[DataRow]] = collections.defaultdict(collections.deque)
    groups = {file.title for file in files if file.parts}
    for row in rows:
        told = row.file_size is not None and row.data_title not in groups
        (exact[row.data_title, row.file_size or 0] if told else unsized[row.data_title]).append(row)
    present, unmatched = _match(files, lambda file: exact.get((file.title, file.size)))
    more, missing = _match(unmatched, lambda file: unsized.get(file.title))
    return Plan(present + more, missing)


def _match(
    files: Sequence[SourceFile], rows_for: Callable[[SourceFile], collections.deque[DataRow] | None]
) -> tuple[list[tuple[SourceFile, DataRow]], list[SourceFile]]:
    matched, unmatched = [], []
    for file in files:
        if rows := rows_for(file):
            matched.append((file, rows.popleft()))
        else:
            unmatched.append(file)
    return matched, unmatched


def batches(
    files: Sequence[SourceFile], *, files_per_job: int, bytes_per_job: int = BYTES_PER_JOB
) -> Iterator[list[SourceFile]]:
    """Cut files into parts of one kind, for one job each; together they are the whole.

    :param files_per_job: At most so many files in a part, unless one group alone has more.
    :param bytes_per_job: At most so many bytes in a part of more than one file.
    """
    kinds = dict.fromkeys(file.kind for file in files)
    for kind in kinds:
        part: list[SourceFile] = []
        size = number = 0
        for file in files:
            if file.kind != kind:
                continue
            if part and (number + len(file.files) > files_per_job or size + file.size > bytes_per_job):
                yield part
                part, size, number = [], 0, 0
            part.append(file)
            size += file.size
            number += len(file.files)
        yield part
