"""The outcome of planned changes: the state that Encord shows now decides what is left to do."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence

import msgspec

from airflow_provider_encord.client.api.labels import LabelRowMetadata
from airflow_provider_encord.client.api.projects import Stage
from airflow_provider_encord.client.api.workflow import TaskFilter, all_tasks
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.client.flows.workflow_actions import DATA_HASHES_PER_LISTING
from airflow_provider_encord.task_actions.lines import (
    ADD_ISSUE,
    ASSIGN,
    LEAVING,
    PRIORITIZE,
    RELEASE,
    TaskLine,
)
from airflow_provider_encord.task_actions.sending import rows_of


class TaskState(msgspec.Struct, frozen=True, kw_only=True):
    """What a task is now.

    :param stage_id: The stage that it is in; None if its data unit is no longer in the project.
    :param listed: Whether the stage lists it. A completed sub-task is not listed.
    :param row: The label row of its data unit.
    """

    stage_id: str | None
    listed: bool = False
    assignee: str | None = None
    row: LabelRowMetadata | None = None


NOWHERE = TaskState(stage_id=None)


def present_states(project: str, lines: Sequence[TaskLine]) -> Flow[dict[str, TaskState]]:
    """Look up what the tasks of some lines are now, by task id."""
    rows = yield from rows_of(project, [line.data_hash for line in lines if line.data_hash])
    of_stage: dict[str, list[str]] = collections.defaultdict(list)
    for row in rows.values():
        if row.workflow_graph_node is not None:
            of_stage[row.workflow_graph_node.uuid].append(row.data_hash)
    assignees: dict[str, str | None] = {}
    for stage_id, data_hashes in of_stage.items():
        for part in chunks(data_hashes, DATA_HASHES_PER_LISTING):
            tasks = yield from all_tasks(project, stage_id, TaskFilter(data_hashes=part))
            assignees |= {task.uuid: task.assignee for task in tasks}
            assignees |= {
                subtask.uuid: subtask.assignee
                for task in tasks
                for subtask in task.subtasks or ()
                if subtask.status != "COMPLETED"
            }
    found: dict[str, TaskState] = {}
    for line in lines:
        there = rows.get(line.data_hash or "")
        node = there.workflow_graph_node if there else None
        found[str(line.id)] = TaskState(
            stage_id=node.uuid if node else None,
            listed=line.id in assignees,
            assignee=assignees.get(str(line.id)),
            row=there,
        )
    return found


def is_achieved(line: TaskLine, state: TaskState) -> bool:
    """Whether the task is what the line wants it to be."""
    if line.action in LEAVING:
        return line.new_stage_id is not None and state.stage_id == line.new_stage_id
    if line.action == PRIORITIZE:
        return state.row is not None and state.row.priority == line.new_priority
    if line.action == ADD_ISSUE or not state.listed or state.stage_id != line.stage_id:
        return False
    return state.assignee is None if line.action == RELEASE else _same(state.assignee, line.new_assignee)


def hindrance(line: TaskLine, state: TaskState, stages: Iterable[Stage]) -> str | None:
    """Why the change can no longer be made; None if it can.

    :param stages: The stages of the workflow, for their titles.
    """
    if state.stage_id is None:
        return "Its data unit is no longer in the project."
    if line.stage_id is None:
        return None  # the stage does not matter
    if state.stage_id != line.stage_id:
        title = next((stage.title for stage in stages if stage.uuid == state.stage_id), state.stage_id)
        return f"It is now in the stage {title!r}."
    if not state.listed and line.action != ADD_ISSUE:
        return "The stage no longer lists it: the sub-task is completed, or the task was made again."
    return None


def interference(line: TaskLine, state: TaskState) -> str | None:
    """What somebody else changed after the line was planned, so that the change would undo it; None without it."""
    known = (line.assignee, line.new_assignee)
    reassigned = line.action in (ASSIGN, RELEASE) and not _same(state.assignee, line.assignee)
    taken = line.action in LEAVING and state.assignee and not any(_same(state.assignee, person) for person in known)
    if reassigned or taken:
        return f"Somebody else changed its assignee to {state.assignee or 'no user'}."
    priority = state.row.priority if state.row else None
    if line.action == PRIORITIZE and line.priority is not None and priority != line.priority:
        return f"Somebody else changed its priority to {priority}."
    return None


def _same(one: str | None, other: str | None) -> bool:
    return (one or "").casefold() == (other or "").casefold()
