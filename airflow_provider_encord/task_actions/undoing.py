"""From the report of a change to the plan that undoes it, as far as the workflow allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from airflow_provider_encord.reports import SKIPPED, UPDATED
from airflow_provider_encord.task_actions.lines import (
    ADD_ISSUE,
    APPROVE,
    ASSIGN,
    LEAVING,
    MOVE,
    PRIORITIZE,
    REJECT,
    RELEASE,
    SUBMIT,
    TaskLine,
)
from airflow_provider_encord.task_actions.present_state import TaskState

_STATUS = "The status of the task is not restored."
_NOTES = {
    SUBMIT: f"{_STATUS} Label reviews that the submission resolved stay resolved.",
    APPROVE: f"{_STATUS} Label reviews that were approved with the task stay approved.",
    REJECT: f"{_STATUS} Label reviews that were rejected with the task, and the comment, stay.",
    ADD_ISSUE: "Comments stay.",
    PRIORITIZE: None,
}


def undo_lines(lines: Iterable[TaskLine], states: dict[str, TaskState]) -> Iterator[TaskLine]:
    """Plan to make each task again what it was. Only tasks that were changed have a line.

    :param lines: Of the report. A line with ``preview`` was planned by a task that did not end, so its change may have
        been made or not.
    :param states: What the tasks are now.
    """
    for line in lines:
        state = states.get(str(line.id))
        if line.outcome == UPDATED and line.id and state is not None:
            yield _undone(line, state)


def _undone(line: TaskLine, state: TaskState) -> TaskLine:
    planned = msgspec.structs.replace(
        line,
        outcome=UPDATED,
        error=None,
        preview=True,
        task_instance=None,
        comment=None,
        pathway_id=None,
        retain_assignee=False,
        note=_NOTES.get(line.action, _STATUS),
    )
    if line.action == SUBMIT and line.parent_task_id:
        return msgspec.structs.replace(planned, outcome=SKIPPED, error="A submitted sub-task cannot be reopened.")
    if line.action in LEAVING:
        return _moved_back(planned, line, state)
    if line.action == ADD_ISSUE:
        return msgspec.structs.replace(planned, outcome=SKIPPED, error="Comments are not removed.")
    if line.action == PRIORITIZE:
        if line.priority is None:
            return msgspec.structs.replace(planned, outcome=SKIPPED, error="Its earlier priority is not known.")
        return msgspec.structs.replace(planned, stage_id=None, priority=line.new_priority, new_priority=line.priority)
    action = ASSIGN if line.assignee else RELEASE
    before = line.new_assignee if line.action == ASSIGN else None
    return msgspec.structs.replace(planned, action=action, assignee=before, new_assignee=line.assignee)


def _moved_back(planned: TaskLine, line: TaskLine, state: TaskState) -> TaskLine:
    """Move back from the stage to which the change brought the task; if that is not known, from where it is now."""
    origin = line.new_stage_id or (state.stage_id if state.stage_id != line.stage_id else None)
    return msgspec.structs.replace(
        planned,
        action=MOVE,
        stage_id=origin,
        new_stage_id=line.stage_id,
        assignee=line.new_assignee or (line.assignee if line.retain_assignee else None),
        new_assignee=line.assignee,
    )
