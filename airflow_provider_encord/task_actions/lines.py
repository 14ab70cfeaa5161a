"""The lines of plans and reports about workflow tasks: what a task was, what it becomes, and what happened.

One format serves three purposes. Before anything is sent, the lines are the plan, and the state in them is what an undo
needs. With the outcomes, they are the report. A plan that was only previewed can be carried out later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.reports import FAILED, SKIPPED, UNCHANGED, UPDATED, LineReader, ReportLine
from airflow_provider_encord.sources.rows import json_lines
from airflow_provider_encord.storage_paths import StoragePath

OPERATION = "change_tasks"
SELECTION = "select_tasks"
"""The operation of files that only name tasks; see `selected`."""

MOVE = "move"
REOPEN = "reopen"
ASSIGN = "assign"
RELEASE = "release"
PRIORITIZE = "prioritize"
SUBMIT = "submit"
APPROVE = "approve"
REJECT = "reject"
PROCEED = "proceed"
ADD_ISSUE = "add_issue"
LEAVING = frozenset({MOVE, REOPEN, SUBMIT, APPROVE, REJECT, PROCEED})
"""The actions after which a task is in another stage."""


class TaskLine(ReportLine, frozen=True, kw_only=True):
    """A line about one task, or one sub-task of a consensus stage.

    ``source`` is the title of the stage that the task was in. ``id`` is the id of the task. ``outcome`` is `UPDATED`,
    `UNCHANGED` (the task was so already), `SKIPPED` (it had left the stage, or belongs to somebody else) or `FAILED`.

    :param action: One of the actions of this module.
    :param preview: Whether nothing was sent yet; ``outcome`` is then the expected one.
    :param task_instance: The Airflow task that made the change: ``dag_id/run_id/task_id/map_index``.
    :param data_hash: None for a task id that is not in the stage.
    :param parent_task_id: For a sub-task, the id of its task.
    :param stage_id: The stage that the task was in.
    :param assignee: Who had the task; None for no assignee, and in stages without assignees.
    :param priority: The priority before; None unless the action changes it.
    :param new_stage_id: The stage to which the action brings the task; None if it stays, or if it is not known yet.
    :param new_assignee: Who gets the task: after the action or, if it leaves the stage, in the next stage.
    :param retain_assignee: Whether the present assignee keeps the task in the next stage.
    :param pathway_id: For `PROCEED`.
    :param comment: For `ADD_ISSUE` and `REJECT`: added to the data unit as an issue.
    :param issue_tags: Names of issue tags of the project, for the issue.
    :param url: Address of the task in Encord's web app; None if it is not known.
    :param note: What an undo cannot restore, or why the outcome is so.
    """

    action: str
    project_id: str
    preview: bool = False
    task_instance: str | None = None
    data_hash: str | None = None
    data_title: str = ""
    parent_task_id: str | None = None
    stage_id: str | None = None
    assignee: str | None = None
    priority: float | None = None
    new_stage_id: str | None = None
    new_assignee: str | None = None
    new_priority: float | None = None
    retain_assignee: bool = False
    pathway_id: str | None = None
    comment: str | None = None
    issue_tags: list[str] | None = None
    url: str | None = None
    note: str | None = None


_LINE = LineReader(TaskLine, OPERATION)


def read_lines(file: StoragePath, argument: str) -> Iterator[TaskLine]:
    """Read the lines of a plan or a report.

    :param argument: Name of the operator argument for the file, for error messages.
    :raises InvalidArgumentError: A line is of another kind, or the file is damaged.
    """
    for row in json_lines(file, argument):
        try:
            yield _LINE.convert(row.fields, f"{argument}: {file}")
        except msgspec.ValidationError:
            raise InvalidArgumentError(
                f"{argument}: {file}, {row.where}: it is not a line about tasks. Pass the report of an operator that "
                "changes tasks."
            ) from None


def latest(lines: Iterable[TaskLine]) -> dict[str, TaskLine]:
    """One line for each task: what it was before the first change, and what the last one made of it.

    An outcome that changed nothing does not replace one that did. A line about a data unit without a task is left out
    if there is a line about its task.
    """
    found: dict[str, TaskLine] = {}
    for line in lines:
        key = key_of(line)
        found[key] = _merged(found[key], line) if key in found else line
    with_task = {line.data_hash for line in found.values() if line.id} - {None}
    return {key: line for key, line in found.items() if line.id or line.data_hash not in with_task}


def with_changes(lines: Iterable[TaskLine]) -> list[TaskLine]:
    """The lines of a report: those of `latest` and, if the last change of a task failed, that of the earlier one."""
    listed = list(lines)
    changed = changes(listed)
    found: list[TaskLine] = []
    for key, line in latest(listed).items():
        if line.outcome == FAILED and key in changed:
            found.append(changed[key])
        found.append(line)
    return found


def changes(lines: Iterable[TaskLine]) -> dict[str, TaskLine]:
    """The tasks that were changed, by task, whatever came after; for an undo."""
    return latest(line for line in lines if line.outcome == UPDATED)


def key_of(line: TaskLine) -> str:
    """What identifies the task of a line: its id, or the data hash for which no task was found."""
    return line.id or f"data {line.data_hash}"


def stage_of(line: TaskLine) -> str | None:
    """The stage in which the task is now, as far as the line says."""
    if line.preview or line.outcome == UNCHANGED:
        return line.stage_id
    if line.outcome != UPDATED:
        return None
    return line.new_stage_id or (None if line.action in LEAVING else line.stage_id)


def _merged(before: TaskLine, line: TaskLine) -> TaskLine:
    if before.preview or before.outcome != UPDATED:
        return line
    if line.outcome in (UNCHANGED, SKIPPED):
        return before
    if line.outcome != UPDATED:
        return line
    return msgspec.structs.replace(
        line,
        source=before.source,
        stage_id=before.stage_id,
        assignee=before.assignee,
        priority=before.priority if before.priority is not None else line.priority,
    )


def with_outcome(line: TaskLine, outcome: Any, error: str | None = None, **fields: Any) -> TaskLine:
    """The line of the report for a line of the plan."""
    return msgspec.structs.replace(line, preview=False, outcome=outcome, error=error, **fields)


def counts(lines: Mapping[str, TaskLine] | Iterable[TaskLine]) -> dict[str, int]:
    """The number of tasks with each outcome; ``tasks`` is their sum."""
    listed = list(lines.values() if isinstance(lines, Mapping) else lines)
    outcomes: tuple[str, ...] = (UPDATED, UNCHANGED, SKIPPED, FAILED)
    found = {outcome: sum(line.outcome == outcome for line in listed) for outcome in outcomes}
    return {"tasks": len(listed), **found}
