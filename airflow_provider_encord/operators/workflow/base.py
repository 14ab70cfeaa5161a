"""The base of the operators that change tasks: which tasks, preview or plan, and the report."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.assets import project_uri
from airflow_provider_encord.defaults import MOST_TASKS_PER_REQUEST, TASKS_PER_REQUEST
from airflow_provider_encord.links import queue_url
from airflow_provider_encord.operators.arguments import (
    blank_to_none,
    json_mapping,
    literal_word,
    parse_bool,
    parse_ids,
    parse_positive_int,
    parse_seconds,
    parse_text,
    parse_texts,
    parse_url,
    storage_path,
)
from airflow_provider_encord.operators.base import EncordBaseOperator, owner_of
from airflow_provider_encord.operators.literals import check_literals, up_to

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

_CONDITIONS = (
    *("task_ids", "data_hashes", "user_emails", "dataset_ids", "data_title_contains", "statuses"),
    *("client_metadata", "min_age_seconds", "max_tasks", "source", "source_classes"),
)
"""The arguments that narrow the selection. An empty value would widen it to the whole stage, so it is an error."""


class TaskSelectionOperator(EncordBaseOperator):
    """Base of operators that select tasks of a workflow stage.

    Without a condition, all tasks of the stage are selected. With several, all must hold. A condition that a template
    renders to an empty string is an error, so that it never selects the whole stage; an empty list selects no tasks.

    :param project_id: Id of the project (templated).
    :param stage: Title or id of the stage (templated).
    :param task_ids: Only these tasks (templated).
    :param data_hashes: Only the tasks of these data units (templated).
    :param source: Only the tasks that a file names (templated): the path or URI of the report of another operator on
        tasks, of the report of an import, of the manifest of an export (``manifest.json``), or of another JSON Lines
        file with ``data_hash`` in each line. Not together with `task_ids` and `data_hashes`.
    :param source_classes: Of an export in `source`, only data units with at least one object or classification of these
        names, or this name (templated).
    :param user_emails: Only tasks that are assigned to these users (templated).
    :param dataset_ids: Only tasks of data units in these datasets (templated).
    :param data_title_contains: Only tasks of data units whose title contains this text (templated).
    :param statuses: Only tasks with these statuses, such as ``"NEW"``, ``"ASSIGNED"``, ``"RELEASED"``, ``"REOPENED"``,
        ``"SKIPPED"`` (templated). Which are possible depends on the type of the stage.
    :param client_metadata: Only tasks of data units whose client metadata has these values: a dictionary (templated).
        Takes one more request for each 1000 tasks.
    :param min_age_seconds: Only tasks that were last changed at least so many seconds ago (templated).
    :param max_tasks: At most this number of tasks, the oldest first (templated). Default: no maximum.
    """

    template_fields: Sequence[str] = ("project_id", "stage", *_CONDITIONS, *EncordBaseOperator.template_fields)

    def __init__(
        self,
        *,
        project_id: str,
        stage: str | None = None,
        task_ids: Sequence[str] | str | None = None,
        data_hashes: Sequence[str] | str | None = None,
        source: str | os.PathLike[str] | ObjectStoragePath | None = None,
        source_classes: Sequence[str] | str | None = None,
        user_emails: Sequence[str] | str | None = None,
        dataset_ids: Sequence[str] | str | None = None,
        data_title_contains: str | None = None,
        statuses: Sequence[str] | str | None = None,
        client_metadata: Mapping[str, Any] | str | None = None,
        min_age_seconds: float | str | None = None,
        max_tasks: int | str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.project_id = project_id
        self.stage = stage
        self.task_ids = task_ids
        self.data_hashes = data_hashes
        self.source = source
        self.source_classes = source_classes
        self.user_emails = user_emails
        self.dataset_ids = dataset_ids
        self.data_title_contains = data_title_contains
        self.statuses = statuses
        self.client_metadata = client_metadata
        self.min_age_seconds = min_age_seconds
        self.max_tasks = max_tasks
        self._conditions = [name for name in _CONDITIONS if getattr(self, name) is not None]
        check_literals(
            stage=(stage, literal_word),
            task_ids=(task_ids, parse_ids),
            data_hashes=(data_hashes, parse_ids),
            source=(source, parse_url),
            dataset_ids=(dataset_ids, parse_ids),
            min_age_seconds=(min_age_seconds, parse_seconds),
            max_tasks=(max_tasks, parse_positive_int),
        )

    def selection(self) -> dict[str, Any]:
        """The conditions of `task_actions.selection.TaskSelection`."""
        seconds, most = self.min_age_seconds, self.max_tasks
        return {
            "task_ids": parse_ids(self.task_ids, "task_ids"),
            "data_hashes": parse_ids(self.data_hashes, "data_hashes"),
            "user_emails": parse_texts(self.user_emails, "user_emails"),
            "dataset_ids": parse_ids(self.dataset_ids, "dataset_ids"),
            "data_title_contains": parse_text(self.data_title_contains, "data_title_contains"),
            "statuses": parse_texts(self.statuses, "statuses"),
            "client_metadata": json_mapping(self.client_metadata, "client_metadata"),
            "min_age_seconds": None if seconds is None else parse_seconds(seconds, "min_age_seconds"),
            "max_tasks": None if most is None else parse_positive_int(most, "max_tasks"),
        }

    def source_path(self) -> ObjectStoragePath | None:
        """The file that names the tasks."""
        return storage_path(self.source, "source") if self.source is not None else None

    def classes(self) -> list[str] | None:
        """The names of objects and classifications of which data units of an export must have one."""
        return parse_texts(self.source_classes, "source_classes")

    def require_selection(self) -> None:
        """Check that the tasks are selected in one way.

        :raises AirflowFailException: They are not, or a condition is empty.
        """
        given = self._given()
        if blank_to_none(self.stage) is None:
            raise AirflowFailException("stage: it is empty. Pass the title or the id of a stage.")
        if self.source is not None and {"task_ids", "data_hashes"} & set(given):
            raise AirflowFailException("source: it names the tasks. Do not pass `task_ids` or `data_hashes` with it.")
        if self.source_classes is not None and self.source is None:
            raise AirflowFailException("source_classes: pass the manifest of an export as `source`.")

    def _given(self) -> list[str]:
        """The conditions that were passed. Each still has a value after its template was rendered."""
        for name in self._conditions:
            _require_not_blank(getattr(self, name), name)
        return self._conditions


def _require_not_blank(value: Any, name: str) -> None:
    if blank_to_none(value) is None or value == {} or (isinstance(value, str) and value.strip() == "{}"):
        raise AirflowFailException(
            f"{name}: it is empty, which would select all tasks of the stage. Check the rendered template, or leave "
            "the argument out."
        )


class TasksOperator(TaskSelectionOperator):
    """Base of operators that change the tasks of a workflow stage.

    Before anything is sent, the task writes its plan beside the report: each task, and what it is now. A retry
    continues with this plan. A clear after the change selects again, and keeps the earlier lines. A task that has left
    the stage is skipped. If Encord refuses the change for some tasks, the others are changed, and the Airflow task
    fails with the reasons. If it refuses the change for 20 tasks and accepts none, it stops. Needs an SSH key.

    :param preview: Only write the report, with the expected outcomes (templated). Default: False. An empty string is an
        error.
    :param plan: The report of a task with ``preview=True`` (templated): change exactly the tasks in it, and skip those
        that somebody moved or took since. Not together with `stage`, a condition, or an argument about the change.
    :param report: Path or URI of a JSON Lines file to write, with one line for each task (templated). It is what
        `EncordRevertTasksOperator` needs. A report of another DAG run is not replaced, so use ``{{ run_id }}`` in the
        path. The schema ``report`` of `airflow_provider_encord.schemas` lists the fields.
    :param batch_size: How many tasks to change in one request, at most 1000; moves at most 500 (templated). Default:
        500.
    :return: ``{"project_id", "tasks", "updated", "unchanged", "skipped", "failed", "report"}``: the number of tasks
        with each outcome, which add up to ``tasks``, and the URI of the report. With `preview`, the expected numbers.
    :raises AirflowFailException: An argument is wrong, the stage does not exist or does not support the action, or
        Encord refuses it for some tasks. The message lists them.
    :raises AirflowException: Encord could not be reached; a retry continues with the remaining tasks.
    """

    template_fields: Sequence[str] = (
        "preview",
        "plan",
        "report",
        "batch_size",
        *TaskSelectionOperator.template_fields,
    )

    def __init__(
        self,
        *,
        report: str | os.PathLike[str] | ObjectStoragePath,
        preview: bool | str = False,
        plan: str | os.PathLike[str] | ObjectStoragePath | None = None,
        batch_size: int | str = TASKS_PER_REQUEST,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.report = report
        self.preview = preview
        self.plan = plan
        self._has_plan = plan is not None
        self.batch_size = batch_size
        check_literals(
            report=(report, parse_url),
            preview=(preview, parse_bool),
            plan=(plan, parse_url),
            batch_size=(batch_size, up_to(MOST_TASKS_PER_REQUEST)),
        )

    @abstractmethod
    def change(self) -> dict[str, Any]:
        """Return the fields of `task_actions.planning.Change`."""

    def _execute(self, context: Context) -> dict[str, Any]:
        """Change the tasks."""
        from airflow_provider_encord.task_actions.running import change_spec, change_tasks

        self.require_selection()
        path = storage_path(self.report, "report")
        project = self.client.project(blank_to_none(self.project_id)).id
        self.push_link(context, queue_url, project)
        preview = parse_bool(self.preview, "preview")
        spec = change_spec(
            project_id=project,
            change=self.change(),
            stage=parse_text(self.stage, "stage"),
            selection=self.selection(),
            source=self.source_path(),
            source_classes=self.classes(),
            plan=storage_path(self.plan, "plan") if self.plan is not None else None,
            preview=preview,
            batch_size=parse_positive_int(self.batch_size, "batch_size", most=MOST_TASKS_PER_REQUEST),
        )
        ended = change_tasks(self.client, spec, path, owner_of(context))
        found = ended.counts
        result = {"project_id": project, **found, "report": str(path)}
        self.log.info(
            "%d tasks: %d %s, %d unchanged, %d skipped.",
            found["tasks"],
            found["updated"],
            "would be changed" if preview else "changed",
            found["unchanged"],
            found["skipped"],
        )
        if not preview:
            uri = project_uri(self.client.settings.base_url, project)
            self.record_asset_event(context, uri, result, changed=ended.changed)
            self.remember_event(project, "tasks", result, uri=str(path))
        return result

    def require_selection(self) -> None:
        """Check that the tasks are selected in one way: by stage and conditions, or by a plan."""
        if not self._has_plan:
            super().require_selection()
            return
        _require_not_blank(self.plan, "plan")
        if self._given() or blank_to_none(self.stage) is not None:
            raise AirflowFailException("plan: it names the tasks. Do not pass `stage` or conditions together with it.")
