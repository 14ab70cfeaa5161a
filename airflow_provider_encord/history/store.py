"""The files of the history of one project, in ``<history>/<project id>/``.

============================================  =============================================================
name                                          content
============================================  =============================================================
``new-<time>-<writer>.jsonl``                 what one task learned; each writer has names of its own
``month-<yyyy-mm>-<digest>.jsonl``            the records of a month; its name is made of its content
``summary-<digest>.json``                     the months, day by day; its name is made of the months' names
``outline-<digest>.json``                     of the summary, what the page of all projects needs
============================================  =============================================================

Object stores have no locks and cannot append. So a file is never changed: it appears whole, and is removed only when
another one has its records. Two files may have the same record, and a reader uses it once. Whatever else is in the
directory is left alone.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator
from typing import Any

from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.client.identifiers import is_id, require_id
from airflow_provider_encord.fresh_listings import content_now, entries_now, names_below_now
from airflow_provider_encord.history.records import Record, UnreadableRecordError, decode, encode
from airflow_provider_encord.storage_paths import storage_errors, write_whole

OPTION = "[encord] history"
"""The name of the path in messages."""
_NEW = re.compile(r"new-(\d{4}-\d\d-\d\d)T[0-9-]*Z-[0-9a-f]+\.jsonl")
_MONTH = re.compile(r"month-(\d{4}-\d\d)-[0-9a-f]{16}\.jsonl")
_SUMMARY = re.compile(r"summary-[0-9a-f]{16}\.json")
_OUTLINE = re.compile(r"outline-[0-9a-f]{16}\.json")
_PATTERNS = {"new": _NEW, "month": _MONTH, "summary": _SUMMARY, "outline": _OUTLINE}
_LONGEST_LINE = 2**20
_NAMED = 20


@dataclasses.dataclass
class Problems:
    """What of a history cannot be used.

    :param wrong: Number of lines that are not records.
    :param newer: Number of records of a newer version of this package.
    :param files: Number of files that cannot be read.
    :param examples: The first of them, in words.
    """

    wrong: int = 0
    newer: int = 0
    files: int = 0
    examples: list[str] = dataclasses.field(default_factory=list)

    @property
    def total(self) -> int:
        """All of them."""
        return self.wrong + self.newer + self.files

    def example(self, text: str) -> None:
        """Keep it, if there are few."""
        if len(self.examples) < _NAMED:
            self.examples.append(text)

    def add(self, other: Problems) -> None:
        """Add those of another part of the history."""
        self.wrong, self.newer, self.files = (
            self.wrong + other.wrong,
            self.newer + other.newer,
            self.files + other.files,
        )
        self.examples = [*self.examples, *other.examples][:_NAMED]


@dataclasses.dataclass(frozen=True)
class Names:
    """The names of the files of a project, each kind sorted."""

    new: tuple[str, ...] = ()
    months: tuple[str, ...] = ()
    summaries: tuple[str, ...] = ()
    outlines: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: Iterable[str]) -> Names:
        """Sort the names in a directory by their kind. Others are left out."""
        found: dict[str, list[str]] = {"new": [], "month": [], "summary": [], "outline": []}
        for name in sorted(names):
            kind = name.partition("-")[0]
            if kind in found and _PATTERNS[kind].fullmatch(name):
                found[kind].append(name)
        new, months, summaries, outlines = map(tuple, found.values())
        return cls(new=new, months=months, summaries=summaries, outlines=outlines)


@dataclasses.dataclass
class Content:
    """What a file has.

    :param whole: Whether every line could be read, so that another file can take the place of this one.
    """

    records: list[Record]
    problems: Problems
    whole: bool


def new_name(moment: datetime.datetime, writer: str | None = None) -> str:
    """The name of what one task writes.

    :param writer: Hexadecimal digits that no other writer has; None for random ones.
    """
    time = moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H-%M-%S-%fZ")
    return f"new-{time}-{writer or secrets.token_hex(6)}.jsonl"


def day_of_new(name: str) -> str:
    """The day (UTC) in the name of what a task wrote."""
    found = _NEW.fullmatch(name)
    return found.group(1) if found else ""


def month_name(month: str, content: bytes) -> str:
    """The name of the file of a month: equal content has an equal name."""
    return f"month-{month}-{digest(content)}.jsonl"


def month_of(name: str) -> str:
    """The month in the name of its file."""
    found = _MONTH.fullmatch(name)
    return found.group(1) if found else ""


def digest(content: bytes) -> str:
    """Digits that stand for a content."""
    return hashlib.sha256(content).hexdigest()[:16]


class ProjectStore:
    """The directory of a project.

    :param root: Path object of the history.
    """

    def __init__(self, root: Any, project_id: str):
        self.project_id = require_id(project_id, "project_id")
        self.directory = root / self.project_id

    def names(self) -> Names:
        """List the directory.

        :raises EncordError: It cannot be listed.
        """
        with storage_errors(OPTION, self.directory):
            return Names.of(path.name for path in entries_now(self.directory))

    def append(self, records: Iterable[Record], name: str) -> None:
        """Write what one task learned, as one object.

        :raises EncordError: It cannot be written.
        """
        self.write(name, encode(records))

    def write(self, name: str, content: bytes) -> None:
        """Write a file.

        :raises EncordError: It cannot be written.
        """
        path = self.directory / name
        with storage_errors(OPTION, path):
            write_whole(path, [content])

    def read(self, name: str) -> bytes | None:
        """Read a file; None if it is not there any more.

        :raises EncordError: It cannot be read.
        """
        return content_now(self.directory / name, OPTION)

    def remove(self, name: str) -> None:
        """Remove a file whose records are in another one.

        :raises EncordError: It cannot be removed.
        """
        path = self.directory / name
        with storage_errors(OPTION, path):
            try:
                path.unlink()
            except FileNotFoundError:  # another process has done it
                return

    def records(self, name: str) -> Content | None:
        """Read the records of a file; None if it is not there any more."""
        try:
            content = self.read(name)
        except EncordError as error:
            problems = Problems(files=1)
            problems.example(f"{name}: {error}")
            return Content([], problems, whole=False)
        return None if content is None else self._decoded(name, content)

    def _decoded(self, name: str, content: bytes) -> Content:
        found = Content([], Problems(), whole=True)
        for number, line in enumerate(content.splitlines(), 1):
            try:
                if len(line) > _LONGEST_LINE:
                    raise UnreadableRecordError("it is too long for a record")
                found.records.append(decode(line, self.project_id))
            except UnreadableRecordError as error:
                found.whole = False
                found.problems.newer += int(error.newer)
                found.problems.wrong += int(not error.newer)
                found.problems.example(f"{name}, line {number}: {error}")
        return found


def once(records: Iterable[Record]) -> list[Record]:
    """The records in their order, each once."""
    found = {record.id: record for record in sorted(records, key=lambda record: record.order)}
    return sorted(found.values(), key=lambda record: record.order)


def every_project(root: Any) -> Iterator[tuple[str, Names]]:
    """The ids of the projects that have a history, sorted, each with the names of its files.

    An object store is asked for all of them at once.

    :raises EncordError: The directory cannot be listed.
    """
    with storage_errors(OPTION, root):
        found = names_below_now(root)
    for name, files in sorted(found.items()):
        if is_id(name) and require_id(name, "project_id") == name:
            yield name, Names.of(files)
