"""The histories as the pages show them: read again when their files have changed, and on each new day."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator
from typing import Any

import msgspec

from airflow_provider_encord.history.daily import ProjectDays
from airflow_provider_encord.history.reading import ProjectHistory, read_all, read_project
from airflow_provider_encord.history.store import Names
from airflow_provider_encord.project_progress.progress import ProjectProgress, progress_of

_MOST_KEPT = 2000
"""So many projects stay in memory."""


class Shown(msgspec.Struct, frozen=True):
    """A project, and what decides who may see it."""

    days: ProjectDays
    progress: ProjectProgress


class Catalog:
    """All projects of a history.

    :param root: Path object of the history.
    """

    def __init__(self, root: Any):
        self._root = root
        self._kept: dict[str, tuple[tuple[str, Names], Shown]] = {}
        self._lock = threading.Lock()

    def all(self, now: datetime.datetime) -> Iterator[Shown]:
        """Every project, in the order of their ids.

        :raises EncordError: The directory of the history cannot be listed.
        """
        for history in read_all(self._root):
            yield self._shown(history, now)

    def one(self, project_id: str, now: datetime.datetime) -> Shown | None:
        """A project; None if the history has nothing about it.

        :param project_id: As a visitor wrote it.
        :raises InvalidArgumentError: It is not an id.
        :raises EncordError: The directory of the history cannot be listed.
        """
        history = read_project(self._root, project_id)
        if history.days.last_at is None and not history.problems.total:
            return None
        return self._shown(history, now)

    def _shown(self, history: ProjectHistory, now: datetime.datetime) -> Shown:
        """The numbers of a project. To forecast takes longer than to read, so they stay until the history changes."""
        key = (now.date().isoformat(), history.names)
        with self._lock:
            kept = self._kept.get(history.project_id)
        if kept and kept[0] == key:
            return kept[1]
        shown = Shown(history.days, progress_of(history, now))
        with self._lock:
            while len(self._kept) >= _MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[history.project_id] = key, shown
        return shown
