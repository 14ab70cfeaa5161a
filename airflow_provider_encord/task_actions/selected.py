"""Tasks that are written to files, for other tasks to act on: samples, and parts of a stage.

A file belongs to one Airflow task of one DAG run, and is not made again by a retry or a clear. So the tasks that read
it always get the same tasks, also after some of them have left the stage.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.attempts import Owner, fingerprint
from airflow_provider_encord.client.api.projects import Stage
from airflow_provider_encord.client.api.workflow import find_stage
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.reports import SCHEMA_VERSION, UNCHANGED, ReportLine
from airflow_provider_encord.task_actions.lines import SELECTION
from airflow_provider_encord.task_actions.selection import ChosenTask, TaskSelection, choose_tasks, with_source


class SelectedLine(ReportLine, frozen=True, kw_only=True):
    """A line about a selected task.

    ``source`` is the title of the stage, ``id`` the id of the task, and ``outcome`` always `UNCHANGED`. A sample
    without tasks has one line without ids.

    :param task_instance: The Airflow task that selected it: ``dag_id/run_id/task_id/map_index``.
    :param stratum: The group of a stratified sample to which the task belongs.
    :param about: Hash of the arguments.
    """

    project_id: str
    stage_id: str
    data_hash: str | None
    data_title: str
    assignee: str | None = None
    stratum: str | None = None
    task_instance: str
    about: str


class TaskQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which tasks to select.

    :param stage: Title or id.
    :param selection: Fields of `TaskSelection`.
    :param source: Path object of a file that names the tasks.
    """

    project_id: str
    stage: str
    selection: Mapping[str, Any]
    source: Any = None
    source_classes: Sequence[str] | None = None

    def about(self, **more: Any) -> str:
        """A hash of the query and of other arguments."""
        return fingerprint(
            project=self.project_id,
            stage=self.stage,
            selection=self.selection,
            source=str(self.source),
            classes=self.source_classes,
            **more,
        )

    def run(self, client: EncordClient) -> tuple[Stage, list[ChosenTask]]:
        """Find the stage, and the tasks."""
        stage = client.run(find_stage(self.project_id, self.stage))
        wanted = with_source(TaskSelection(**self.selection), self.source, self.source_classes)
        now = datetime.datetime.now(datetime.UTC)
        choice = client.run(choose_tasks(self.project_id, stage, wanted, now, subtasks=False))
        return stage, choice.tasks


def selected_line(
    project: str, stage: Stage, task: ChosenTask | None, owner: Owner, about: str, stratum: str | None = None
) -> SelectedLine:
    """The line of a selected task; None for a sample without tasks."""
    return SelectedLine(
        schema_version=SCHEMA_VERSION,
        operation=SELECTION,
        source=stage.title,
        id=task.id if task else None,
        outcome=UNCHANGED,
        error=None,
        project_id=project,
        stage_id=stage.uuid,
        data_hash=task.data_hash if task else None,
        data_title=task.data_title if task else "",
        assignee=task.assignee if task else None,
        stratum=stratum,
        task_instance=owner.task,
        about=about,
    )
