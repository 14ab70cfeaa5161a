"""The history of projects, as Airflow's configuration asks for it: where it is, and what a task adds to it.

Nothing here may fail a task or a trigger: what cannot be written is logged as a warning, once, and is lost.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, conf

from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError
from airflow_provider_encord.object_storage import object_storage_path

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    from airflow_provider_encord.client.api.projects import ProjectRecord
    from airflow_provider_encord.client.transport.settings import Settings
    from airflow_provider_encord.history.records import Fact, Record, Task

log = logging.getLogger(__name__)

SECTION, HISTORY = "encord", "history"
_NAME = f"Option {HISTORY} of section [{SECTION}] in Airflow's configuration"


def history_option() -> str | None:
    """The option ``history`` as it is written; None if it is empty, so that no history is kept."""
    try:
        return str(conf.get(SECTION, HISTORY, fallback="") or "").strip() or None
    except AirflowException:
        return None


def history_path() -> ObjectStoragePath | None:
    """The directory of the history; None if none is kept.

    :raises InvalidArgumentError: The option is not an absolute path or URL, or cannot be used.
    """
    text = history_option()
    if text is None:
        return None
    if "://" not in text and not text.startswith("/"):
        raise InvalidArgumentError(
            f"{_NAME}: {text[:80]!r} is neither an absolute path nor a URL. Enter one such as "
            "s3://connection_id@bucket/encord-history, or leave it empty."
        )
    return object_storage_path(text if "://" in text else f"file://{text}", _NAME)


class TaskHistory:
    """What one task learns, until it is written as one small object for each project.

    Of several facts about the same thing in one hour, the last one is kept, so that a sensor that polls for days
    writes little.
    """

    def __init__(self) -> None:
        self._learned: dict[tuple[Any, ...], tuple[str, datetime.datetime, Fact]] = {}

    def remember(self, project_id: str, *facts: Fact | None, at: datetime.datetime | None = None) -> None:
        """Note facts. None is nothing.

        :param at: When they were true. Default: now.
        """
        moment = (at or datetime.datetime.now(datetime.UTC)).astimezone(datetime.UTC)
        for fact in facts:
            if fact is not None:
                self._learned[project_id, f"{moment:%Y%m%d%H}", *_subject(fact)] = project_id, moment, fact

    def remember_project(self, record: ProjectRecord, settings: Settings) -> None:
        """Note a project that was read.

        :param settings: Those of the connection.
        """
        from airflow_provider_encord.history.facts import project_fact

        self.remember(record.project_hash, project_fact(record, settings))

    def remember_event(
        self,
        project_id: str,
        event: str,
        result: Mapping[str, Any],
        *,
        outcome: str,
        uri: str | None,
        at: datetime.datetime | None,
    ) -> None:
        """Note what a task has done; see `EncordBaseOperator.remember_event`."""
        from airflow_provider_encord.history.facts import event_fact

        self.remember(project_id, event_fact(event, result, outcome=outcome, uri=uri), at=at)

    def directory(self) -> ObjectStoragePath | None:
        """The directory of the history; None if none is kept.

        :raises InvalidArgumentError: The option is not an absolute path or URL, or cannot be used.
        """
        return history_path()

    def write(self, instance: Any, *, once_an_hour: bool = False) -> None:
        """Write what was noted, and forget it. It never raises.

        :param instance: Airflow's task instance; None outside of Airflow.
        :param once_an_hour: What the same task instance writes again in the same hour replaces what it wrote.
        """
        learned, self._learned = list(self._learned.values()), {}
        text = history_option()
        if not learned or text is None:
            return
        try:
            _write(learned, _task_of(instance), once_an_hour=once_an_hour)
        except EncordError as error:
            log.warning("The history could not be written to %s; the task is not affected. %s", text, error)
        except Exception as error:  # noqa: BLE001 - the drivers of object stores can raise any error
            reason = type(error).__name__
            log.warning("The history could not be written to %s; the task is not affected. %s.", text, reason)


def _task_of(instance: Any) -> Task | None:
    from airflow_provider_encord.history.records import Task

    if instance is None:
        return None
    return Task(
        dag_id=str(instance.dag_id),
        run_id=str(instance.run_id),
        task_id=str(instance.task_id),
        map_index=getattr(instance, "map_index", -1),
    )


def _subject(fact: Fact) -> tuple[Any, ...]:
    """What a fact is about: a later one about the same replaces it."""
    stages = tuple(stage.stage_id for stage in getattr(fact, "stages", ()) if not getattr(fact, "whole", True))
    return type(fact).__name__, getattr(fact, "event", None), getattr(fact, "start", None), stages


def _write(learned: Sequence[tuple[str, datetime.datetime, Fact]], task: Task | None, *, once_an_hour: bool) -> None:
    """Write what was learned, and make few files of many if it is time to.

    :raises Exception: The directory cannot be used.
    """
    from airflow_provider_encord.history.compaction import compact, is_due
    from airflow_provider_encord.history.records import record_of
    from airflow_provider_encord.history.store import ProjectStore, digest, new_name

    root, now, writer = history_path(), datetime.datetime.now(datetime.UTC), None
    begun = now
    if once_an_hour and task is not None:
        begun = now.replace(minute=0, second=0, microsecond=0)
        writer = digest(f"{task.dag_id}/{task.run_id}/{task.task_id}/{task.map_index}".encode())
    by_project: dict[str, list[Record]] = {}
    for project_id, moment, fact in learned:
        by_project.setdefault(project_id, []).append(record_of(project_id, fact, moment, task))
    for project_id, records in by_project.items():
        store = ProjectStore(root, project_id)
        store.append(records, new_name(begun, writer))
        if is_due(store.names(), now.date().isoformat()):
            compact(store, now)
