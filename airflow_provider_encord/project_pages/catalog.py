"""The histories as the pages show them: read again when their files have changed, and on each new day."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator
from typing import Any

import msgspec

from airflow_provider_encord.history.reading import ProjectHistory, read_outlines, read_project
from airflow_provider_encord.history.store import Names
from airflow_provider_encord.project_progress.progress import Glance, ProjectProgress, glance_of, progress_of


class Listed(msgspec.Struct, frozen=True):
    """A project on the page of all projects.

    :param dag_ids: The DAGs whose tasks wrote to its history, which decide who may see it.
    """

    dag_ids: list[str]
    glance: Glance


class Shown(msgspec.Struct, frozen=True):
    """A project on its own page."""

    dag_ids: list[str]
    progress: ProjectProgress


class Catalog:
    """All projects of a history.

    :param root: Path object of the history.
    """

    def __init__(self, root: Any):
        self._root = root
        self._kept: dict[str, tuple[tuple[datetime.date, Names], Listed]] = {}
        self._lock = threading.Lock()

    def all(self, now: datetime.datetime) -> Iterator[Listed]:
        """Every project, in the order of their ids. Files never change, so only new names are read.

        :raises EncordError: The directory of the history cannot be listed.
        """
        with self._lock:
            known, self._kept = self._kept, {}
            try:
                for project_id, key, history in self._read(now, known):
                    listed = known[project_id][1] if history is None else _listed(history, now)
                    self._kept[project_id] = key, listed
            except BaseException:
                self._kept = known
                raise
            found = [listed for _, listed in self._kept.values()]
        yield from found

    def _read(
        self, now: datetime.datetime, known: dict[str, tuple[tuple[datetime.date, Names], Listed]]
    ) -> Iterator[tuple[str, tuple[datetime.date, Names], ProjectHistory | None]]:
        """The histories; None for those that are known."""
        today = now.astimezone(datetime.UTC).date()

        def is_new(project_id: str, names: Names) -> bool:
            return project_id not in known or known[project_id][0] != (today, names)

        for project_id, names, history in read_outlines(self._root, today, is_new):
            if history is not None and history.problems.files:
                names = Names()  # a file that could not be read now may be read by the next request
            yield project_id, (today, names), history

    def one(self, project_id: str, now: datetime.datetime) -> Shown | None:
        """A project; None if the history has nothing about it.

        :param project_id: As a visitor wrote it.
        :raises InvalidArgumentError: It is not an id.
        :raises EncordError: The directory of the history cannot be listed.
        """
        history = read_project(self._root, project_id)
        if history.days.last_at is None and not history.problems.total:
            return None
        return Shown(history.days.dag_ids, progress_of(history, now))


def _listed(history: ProjectHistory, now: datetime.datetime) -> Listed:
    return Listed(history.days.dag_ids, glance_of(history, now))
