"""Reading the history: of one project, or of all projects fast. It reads files only, and sends nothing."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.history.daily import ProjectDays, decode_summary, summary_name, summary_of
from airflow_provider_encord.history.outline import outline_name, read_outline
from airflow_provider_encord.history.records import Record
from airflow_provider_encord.history.store import Names, Problems, ProjectStore, every_project, once
from airflow_provider_encord.storage_paths import is_local

_AT_ONCE = 16  # requests to an object store
_READINGS = 3


@dataclasses.dataclass
class ProjectHistory:
    """The history of a project, and what of it cannot be used.

    :param days: What is known, day by day.
    :param names: The files of it. Files never change, so the same names are the same history.
    """

    project_id: str
    days: ProjectDays
    problems: Problems
    names: Names = dataclasses.field(default_factory=Names)


def read_project(root: Any, project_id: str) -> ProjectHistory:
    """Read the history of a project. Takes its summary, if there is one, and what is newer.

    :param root: Path object of the history.
    :raises InvalidArgumentError: `project_id` is not an id.
    :raises EncordError: The directory cannot be listed.
    """
    store = ProjectStore(root, project_id)
    for _ in range(_READINGS - 1):
        with contextlib.suppress(_MergedError):
            return _read(store, store.names(), strict=True)
    return _read(store, store.names(), strict=False)


class _MergedError(Exception):
    """A file was merged into another one after the directory was listed."""


def _read(store: ProjectStore, names: Names, *, strict: bool) -> ProjectHistory:
    """Read files.

    :raises _MergedError: One is not there any more, and it is `strict`.
    """
    days = _summary(store, names)
    records, problems = _records(store, names.new if days else (*names.months, *names.new), strict=strict)
    if days is None:
        return ProjectHistory(store.project_id, summary_of(records), problems, names)
    for record in records:
        days.add(record)
    return ProjectHistory(store.project_id, days, problems, names)


def _records(store: ProjectStore, names: Iterable[str], *, strict: bool) -> tuple[list[Record], Problems]:
    """The records of files, each once, and what cannot be used.

    :raises _MergedError: A file is not there any more, and it is `strict`.
    """
    records, problems = [], Problems()
    for name in names:
        content = store.records(name)
        if content is not None:
            records += content.records
            problems.add(content.problems)
        elif strict:
            raise _MergedError
    return once(records), problems


def _summary(store: ProjectStore, names: Names) -> ProjectDays | None:
    """What the summary of exactly these months has; None if it has to be read from them."""
    name = summary_name(names.months)
    if name not in names.summaries:
        return None
    try:
        content = store.read(name)
        summary = None if content is None else decode_summary(content)
    except (EncordError, *NOT_JSON):
        return None  # it is only made of the months
    return summary.project if summary and sorted(summary.months) == list(names.months) else None


def read_outlines(
    root: Any, today: datetime.date, wanted: Callable[[str, Names], bool]
) -> Iterator[tuple[str, Names, ProjectHistory | None]]:
    """What the page of all projects needs of their histories, in the order of their ids.

    One that cannot be read is there, with the problem.

    :param root: Path object of the history.
    :param today: The current day (UTC).
    :param wanted: Whether a project with these files is read; if not, None takes its place.
    :raises EncordError: The directory of the history cannot be listed.
    """

    def read(project_id: str, names: Names) -> tuple[str, Names, ProjectHistory | None]:
        history = _outlined_or_explained(root, project_id, names, today) if wanted(project_id, names) else None
        return project_id, names, history

    projects = list(every_project(root))
    if is_local(root):
        yield from (read(*project) for project in projects)
        return
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        yield from threads.map(lambda project: read(*project), projects)


def _outlined_or_explained(root: Any, project_id: str, names: Names, today: datetime.date) -> ProjectHistory:
    try:
        return _outlined(ProjectStore(root, project_id), names, today) or read_project(root, project_id)
    except EncordError as error:
        problems = Problems(files=1)
        problems.example(str(error))
        return ProjectHistory(project_id, ProjectDays(), problems)


def _outlined(store: ProjectStore, names: Names, today: datetime.date) -> ProjectHistory | None:
    """The outline of exactly these months, and what is newer; None if all days have to be read."""
    name = outline_name(names.months)
    content = store.read(name) if name in names.outlines else None
    if content is None:
        return None
    try:
        records, problems = _records(store, names.new, strict=True)
        days = read_outline(content, names.months, records, today)
    except (_MergedError, *NOT_JSON):
        return None
    return None if days is None else ProjectHistory(store.project_id, days, problems, names)
