"""Deciding which files must be uploaded, and in which parts.

Rows that a report contains are compared by content (`uploads.evidence`). For all other rows, Encord returns only title
and size, and they are matched by these. If there are more files than rows with the same title and size, it is not known
which of the files are uploaded already, so these files are ambiguous.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence

from airflow_provider_encord.client.api.core.data_items import SCENE
from airflow_provider_encord.client.api.datasets import DataRow
from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.defaults import MATCH_FILES_BY
from airflow_provider_encord.sources.files import SourceFile, composed
from airflow_provider_encord.uploads.evidence import Evidence

BYTES_PER_JOB = 1 << 30  # limits the loss if a worker dies before it starts the job

TITLE_AND_SIZE, CHECKSUM, TITLE = MATCH_BY = MATCH_FILES_BY
REPORT = "report"


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """The result of the comparison. Each file is in exactly one of the four lists.

    :param present: Files that are in the dataset, each with its row and how it was recognised: `REPORT`, `CHECKSUM`,
        `TITLE_AND_SIZE` or `TITLE`.
    :param missing: Files to upload, in order.
    :param ambiguous: Files of which some are in the dataset, but it is not known which.
    :param unreadable: Files that must be compared by content but cannot be read, each with its error.
    """

    present: list[tuple[SourceFile, DataRow, str]]
    missing: list[SourceFile]
    ambiguous: list[SourceFile]
    unreadable: list[tuple[SourceFile, EncordError]]


def make_plan(
    files: Sequence[SourceFile],
    rows: Iterable[DataRow],
    *,
    evidence: Evidence | None = None,
    match_by: str = TITLE_AND_SIZE,
) -> Plan:
    """Compare files with the rows of a dataset.

    :param evidence: The evidence from earlier reports.
    :param match_by: How to recognise files that no report contains: `TITLE_AND_SIZE`, `TITLE`, or `CHECKSUM`.
        `CHECKSUM` never matches by name, and reads each file that a report contains.
    """
    evidence = evidence or Evidence()
    there = {row.data_hash: row for row in rows}
    known = _ByEvidence(there, evidence, read=match_by == CHECKSUM)
    unmatched = known.match(files)
    # If a report contains the source, its content has changed or its row was removed, so its name is no evidence.
    unknown = [file for file in unmatched if match_by != CHECKSUM and not evidence.keys_of(file.uri)]
    named, unnamed = _by_name(unknown, [row for key, row in there.items() if not evidence.knows(key)], match_by)
    lacking = {_key(file, match_by) for file in unnamed}
    uncertain = {_key(file, match_by) for file, _ in named} & lacking
    certain = [(file, row, match_by) for file, row in named if _key(file, match_by) not in uncertain]
    ambiguous = [file for file in unknown if _key(file, match_by) in uncertain]
    settled = {*ambiguous, *(file for file, _, _ in certain)}
    missing = [file for file in unmatched if file not in settled]
    return Plan(known.present + certain, missing, ambiguous, known.unreadable)


def match_new_rows(files: Sequence[SourceFile], rows: Iterable[DataRow]) -> list[tuple[SourceFile, DataRow]]:
    """Match files that were just sent with new rows. Files with the same title are interchangeable."""
    return _by_title_and_size(files, rows)[0]


class _ByEvidence:
    """Matches files with the rows whose content is known.

    :param there: Rows by id. Matched rows are removed from it.
    :param read: Compare checksums in any case.
    """

    def __init__(self, there: dict[str, DataRow], evidence: Evidence, *, read: bool):
        self._there, self._evidence, self._read = there, evidence, read
        self.present: list[tuple[SourceFile, DataRow, str]] = []
        self.unreadable: list[tuple[SourceFile, EncordError]] = []

    def match(self, files: Sequence[SourceFile]) -> list[SourceFile]:
        """Match the files, and return those that are left."""
        by_source = CHECKSUM if self._read else REPORT
        left = [file for file in files if not self._take(file, self._of_source(file), by_source, read=self._read)]
        known: dict[tuple[str, int | None], list[str]] = collections.defaultdict(list)
        for key, row in self._there.items():
            if self._evidence.knows(key):
                known[composed(row.data_title), row.file_size].append(key)
        renamed = []
        for file in left:
            title = composed(file.title)
            if not self._take(file, [*known[title, file.size], *known[title, None]], CHECKSUM, read=True):
                renamed.append(file)
        return self._match_contents(renamed)

    def _match_contents(self, files: Sequence[SourceFile]) -> list[SourceFile]:
        """Match renamed files: by content only, with rows whose source does not exist any more.

        Returns the files that are left.
        """
        rows: dict[tuple[int, str, str], list[str]] = collections.defaultdict(list)
        for key in self._there:
            if self._evidence.knows(key):
                rows[self._evidence.content_of(key)].append(key)
        shapes = {content[:2] for content in rows}
        left = []
        for file in files:
            if (file.size, file.item_type) not in shapes:  # then the file does not have to be read
                left.append(file)
                continue
            try:
                keys = rows[file.size, file.item_type, self._evidence.checksum(file)]
            except EncordError as error:
                self.unreadable.append((file, error))
                continue
            gone = next((key for key in keys if not self._evidence.source_exists(key)), None)
            if gone is None:
                left.append(file)
                continue
            keys.remove(gone)
            self.present.append((file, self._there.pop(gone), CHECKSUM))
        return left

    def _of_source(self, file: SourceFile) -> Sequence[str]:
        return self._evidence.keys_of(file.uri)

    def _take(self, file: SourceFile, keys: Sequence[str], matched_by: str, *, read: bool) -> bool:
        """Match a file with one of these rows, and return whether it is decided."""
        for key in keys:
            if key not in self._there:
                continue
            try:
                unchanged = self._evidence.is_unchanged(file, key, read=read)
            except EncordError as error:
                self.unreadable.append((file, error))
                return True
            if unchanged:
                self.present.append((file, self._there.pop(key), matched_by))
                return True
        return False


def _key(file: SourceFile, match_by: str) -> tuple[str, int]:
    return (composed(file.title), file.size if match_by == TITLE_AND_SIZE else 0)


def _by_name(
    files: Sequence[SourceFile], rows: Sequence[DataRow], match_by: str
) -> tuple[list[tuple[SourceFile, DataRow]], list[SourceFile]]:
    return (_by_title if match_by == TITLE else _by_title_and_size)(files, rows)


def _by_title(
    files: Sequence[SourceFile], rows: Iterable[DataRow]
) -> tuple[list[tuple[SourceFile, DataRow]], list[SourceFile]]:
    by_title: dict[str, collections.deque[DataRow]] = collections.defaultdict(collections.deque)
    for row in rows:
        by_title[composed(row.data_title)].append(row)
    return _match(files, lambda file: by_title.get(composed(file.title)))


def _by_title_and_size(
    files: Sequence[SourceFile], rows: Iterable[DataRow]
) -> tuple[list[tuple[SourceFile, DataRow]], list[SourceFile]]:
    """Match by title and size. Rows without a size are matched last, and match any size.

    So a file may be missing, but is never uploaded twice. The rows of groups and scenes also match any size, because it
    is not known whether Encord adds up the sizes of their files.
    """
    exact: dict[tuple[str, int], collections.deque[DataRow]] = collections.defaultdict(collections.deque)
    unsized: dict[str, collections.deque[DataRow]] = collections.defaultdict(collections.deque)
    groups = {composed(file.title) for file in files if file.parts or file.kind == SCENE}
    for row in rows:
        title = composed(row.data_title)
        sized = row.file_size is not None and title not in groups
        (exact[title, row.file_size or 0] if sized else unsized[title]).append(row)
    present, unmatched = _match(files, lambda file: exact.get((composed(file.title), file.size)))
    more, missing = _match(unmatched, lambda file: unsized.get(composed(file.title)))
    return present + more, missing


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
    """Split files into parts of one kind, with one job per part.

    The result of a job identifies its files by title, so no title occurs twice in a part.

    :param files_per_job: Maximum number of files in a part, unless a single group has more.
    :param bytes_per_job: Maximum number of bytes in a part with more than one file.
    """
    kinds = dict.fromkeys(file.kind for file in files)
    for kind in kinds:
        part: list[SourceFile] = []
        titles: set[str] = set()
        size = number = 0
        for file in _first_occurrences_first([file for file in files if file.kind == kind]):
            full = number + len(file.files) > files_per_job or size + file.size > bytes_per_job
            if part and (full or file.title in titles):
                yield part
                part, titles, size, number = [], set(), 0, 0
            part.append(file)
            titles.add(file.title)
            size += file.size
            number += len(file.files)
        yield part


def _first_occurrences_first(files: Sequence[SourceFile]) -> list[SourceFile]:
    """Order the files so that second files with a title come after all first ones, and so on. So parts stay large."""
    occurrences: collections.Counter[str] = collections.Counter()
    rounds: list[list[SourceFile]] = []
    for file in files:
        number = occurrences[file.title]
        occurrences[file.title] += 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(file)
    return [file for one_round in rounds for file in one_round]
