"""Undo what another operator did to tasks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.assets import project_uri
from airflow_provider_encord.defaults import MOST_TASKS_PER_REQUEST, TASKS_PER_REQUEST
from airflow_provider_encord.links import queue_url
from airflow_provider_encord.operators.arguments import parse_bool, parse_positive_int, parse_url, storage_path
from airflow_provider_encord.operators.base import EncordBaseOperator, owner_of
from airflow_provider_encord.operators.literals import check_literals, up_to

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath


class EncordRevertTasksOperator(EncordBaseOperator):
    """Undo what another operator did to tasks, as far as the workflow allows.

    Tasks are moved back to the stage in which they were, and get back their assignee or priority. A task that somebody
    moved on or reassigned since is skipped: its line in the report says where it is now. Encord cannot restore the
    status of a task, label reviews that were approved, rejected or resolved with it, and comments; the field ``note``
    of the report says so. A task that is moved back has no assignee until it is assigned again right after the move.

    A revert has a report of the same kind, so it can be reverted, too. Safe to repeat. Needs an SSH key. Encord API:
    ``labelrow`` listing (v1), ``tasks`` GET, ``move-tasks``, ``actions`` and ``priorities`` POST (v2).

    While it runs, it claims the source, so that the task that wrote it, and other reverts of it, cannot begin. If that
    task still runs, the revert fails, and a retry can help: up to 15 minutes later, if the task's worker was killed.

    :param source: The report of an operator on tasks (templated). If that task did not end, what it left beside the
        report is read. The directory must be writable, except for a preview.
    :param report: Path or URI of a JSON Lines file to write, with one line for each task that was changed (templated).
    :param preview: Only write the report, with the expected outcomes (templated). Default: False. An empty string is an
        error.
    :param batch_size: How many tasks to change in one request, at most 1000; moves at most 500 (templated). Default:
        500.
    :return: ``{"project_id", "tasks", "updated", "unchanged", "skipped", "failed", "report"}``, as for the other
        operators on tasks. ``tasks`` is the number of tasks that the source says were changed; if there are none,
        ``project_id`` is None.
    :raises AirflowFailException: An argument is wrong, or Encord refuses the change for some tasks.
    :raises AirflowException: Encord could not be reached; a retry continues with the remaining tasks. Or the task that
        writes `source` still runs.
    """

    template_fields: Sequence[str] = (
        "source",
        "report",
        "preview",
        "batch_size",
        *EncordBaseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        source: str | os.PathLike[str] | ObjectStoragePath,
        report: str | os.PathLike[str] | ObjectStoragePath,
        preview: bool | str = False,
        batch_size: int | str = TASKS_PER_REQUEST,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.source = source
        self.report = report
        self.preview = preview
        self.batch_size = batch_size
        check_literals(
            source=(source, parse_url),
            report=(report, parse_url),
            preview=(preview, parse_bool),
            batch_size=(batch_size, up_to(MOST_TASKS_PER_REQUEST)),
        )

    def _execute(self, context: Context) -> dict[str, Any]:
        """Undo the change."""
        from airflow_provider_encord.task_actions.running import undo_tasks

        path, preview = storage_path(self.report, "report"), parse_bool(self.preview, "preview")
        project, ended = undo_tasks(
            self.client,
            storage_path(self.source, "source"),
            path,
            owner_of(context),
            batch_size=parse_positive_int(self.batch_size, "batch_size", most=MOST_TASKS_PER_REQUEST),
            preview=preview,
        )
        found = ended.counts
        result = {"project_id": project, **found, "report": str(path)}
        if found["skipped"]:
            self.log.warning("%d tasks were skipped; the report says why.", found["skipped"])
        if project is not None:
            self.push_link(context, queue_url, project)
        if project is not None and not preview:
            uri = project_uri(self.client.settings.base_url, project)
            self.record_asset_event(context, uri, result, changed=ended.changed)
        return result
