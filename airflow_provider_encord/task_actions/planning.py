"""From chosen tasks to the lines of a plan: what each task is now, and what it becomes."""

from __future__ import annotations

import collections
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.labels import LabelRowMetadata
from airflow_provider_encord.client.api.projects import Stage
from airflow_provider_encord.client.api.workflow import ANNOTATION, CONSENSUS_ANNOTATION, choose_pathway, choose_stage
from airflow_provider_encord.client.api.workflow_actions import ACTIONS
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.identifiers import require_emails
from airflow_provider_encord.reports import SCHEMA_VERSION, SKIPPED, UNCHANGED, UPDATED
from airflow_provider_encord.task_actions.lines import (
    ADD_ISSUE,
    APPROVE,
    ASSIGN,
    MOVE,
    OPERATION,
    PRIORITIZE,
    PROCEED,
    RELEASE,
    REOPEN,
    SUBMIT,
    TaskLine,
)
from airflow_provider_encord.task_actions.selection import Choice, ChosenTask

METADATA_KEY = re.compile(r"client_metadata\..+")
ON_SUBTASKS = frozenset({SUBMIT, ASSIGN, RELEASE})
"""In a consensus annotation stage, these actions apply to the sub-tasks of the annotators."""
_LABEL_REVIEWS = "The label reviews that were {} with the task stay so."


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What to do to tasks.

    :param action: An action of `lines`.
    :param to_stage: For `MOVE`: title or id of the destination.
    :param pathway: For `PROCEED`: title or id.
    :param assignees: For `ASSIGN`: one or more users. For actions after which a task is in another stage: at most one,
        who gets it there.
    :param distribution: For `ASSIGN` to several users; see `defaults.DISTRIBUTIONS`.
    :param group_by: For ``distribution="by_group"``; see `strata.groups_of`.
    :param overwrite: For `ASSIGN`: whether tasks are taken from other users.
    :param retain_assignee: Whether the present assignees keep the tasks in the next stage.
    :param priority: For `PRIORITIZE`: from 0 to 1.
    :param comment: For `ADD_ISSUE` and `REJECT`.
    :param issue_tags: Names of issue tags of the project.
    """

    action: str
    to_stage: str | None = None
    pathway: str | None = None
    assignees: Sequence[str] = ()
    distribution: str = "round_robin"
    group_by: str | None = None
    overwrite: bool = False
    retain_assignee: bool = False
    priority: float | None = None
    comment: str | None = None
    issue_tags: list[str] | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "assignees", require_emails(self.assignees, "assignee"))
        if self.group_by is not None and self.group_by != "dataset_id" and not METADATA_KEY.fullmatch(self.group_by):
            raise InvalidArgumentError(
                f"group_by: {self.group_by[:80]!r} is neither dataset_id nor client_metadata.<key>."
            )


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A stage, with the other stages of its workflow."""

    project_id: str
    stage: Stage
    stages: Sequence[Stage]


def require_possible(place: Place, change: Change) -> None:
    """Check that the stage supports the action, before its tasks are listed.

    :raises InvalidArgumentError: It does not, or a stage or pathway does not exist.
    """
    _destination(place, change)
    needed = {REOPEN: "move", PRIORITIZE: None, ADD_ISSUE: None}.get(change.action, change.action)
    possible = ACTIONS.get(place.stage.stage_type)
    if needed is not None and possible is not None and needed not in possible:
        raise InvalidArgumentError(
            f"stage: {place.stage.title!r} is of type {place.stage.stage_type}, whose tasks do not support the action "
            f"{change.action!r}. They support: {', '.join(sorted(possible))}."
        )


def plan_lines(
    place: Place,
    change: Change,
    choice: Choice,
    rows: Mapping[str, LabelRowMetadata],
    loads: Mapping[str, int],
    groups: Mapping[str, str],
) -> list[TaskLine]:
    """Plan the change of each task.

    :param rows: The label rows by data hash, for actions that need them (`PRIORITIZE`, `REOPEN`).
    :param loads: How many tasks of the stage each user has now, for ``distribution="least_tasks"``.
    :param groups: The group of each task by its id, for ``distribution="by_group"``.
    :return: One line for each task, with the expected outcome.
    """
    destination, pathway = _destination(place, change)
    assignees = _distribute(change, choice.tasks, loads, groups) if change.action == ASSIGN else {}
    lines = list(_missing(place, change, choice))
    for task in choice.tasks:
        line = msgspec.structs.replace(
            _line(place, change),
            id=task.id,
            data_hash=task.data_hash,
            data_title=task.data_title,
            parent_task_id=task.parent_task_id,
            assignee=task.assignee,
            new_stage_id=destination,
            retain_assignee=change.retain_assignee,
            pathway_id=pathway,
            comment=change.comment,
            issue_tags=change.issue_tags,
        )
        lines.append(_refined(line, change, rows.get(task.data_hash), assignees))
    return lines


def _line(place: Place, change: Change) -> TaskLine:
    return TaskLine(
        schema_version=SCHEMA_VERSION,
        operation=OPERATION,
        source=place.stage.title,
        id=None,
        outcome=UPDATED,
        error=None,
        action=change.action,
        project_id=place.project_id,
        preview=True,
        stage_id=place.stage.uuid,
    )


def _refined(
    line: TaskLine, change: Change, row: LabelRowMetadata | None, assignees: Mapping[str, str | None]
) -> TaskLine:
    """Add what is special about the action, and the outcome if there is nothing to do."""
    match change.action:
        case "assign":
            return _assigned(line, change, assignees.get(str(line.id)))
        case "release":
            return line if line.assignee else _as(line, UNCHANGED, note="It had no assignee.")
        case "prioritize":
            priority = row.priority if row else None
            planned = _as(line, UPDATED, priority=priority, new_priority=change.priority)
            return _as(planned, UNCHANGED) if priority == change.priority else planned
        case "reopen":
            if row is None or row.label_hash is None:
                reason = "Encord has no label row for it, so it cannot be reopened. Use EncordMoveTasksOperator."
                return _as(line, SKIPPED, error=reason)
            return _as(line, UNCHANGED) if line.stage_id == line.new_stage_id else line
        case "approve" | "reject":
            note = _LABEL_REVIEWS.format("approved" if change.action == APPROVE else "rejected")
            return _as(line, UPDATED, new_assignee=_next(change), note=note)
        case _:
            return _as(line, UPDATED, new_assignee=_next(change))


def _assigned(line: TaskLine, change: Change, assignee: str | None) -> TaskLine:
    if assignee is None:
        return _as(line, SKIPPED, error="All users of `assignee` have another sub-task of this task.")
    present = (line.assignee or "").casefold()
    if present == assignee.casefold() and present in {person.casefold() for person in change.assignees}:
        return _as(line, UNCHANGED, new_assignee=line.assignee)
    if present and not change.overwrite:
        reason = f"It is assigned to {line.assignee}. To reassign it, pass if_assigned='overwrite'."
        return _as(line, SKIPPED, error=reason)
    return _as(line, UPDATED, new_assignee=assignee)


def _distribute(
    change: Change, tasks: Sequence[ChosenTask], loads: Mapping[str, int], groups: Mapping[str, str]
) -> dict[str, str | None]:
    """Choose the assignee of each task. The same tasks get the same assignees."""
    chosen: dict[str, str | None] = {}
    people = list(change.assignees)
    load = collections.Counter({person: loads.get(person.casefold(), 0) for person in people})
    names = {person.casefold(): person for person in people}
    holders: dict[str, dict[str, str]] = collections.defaultdict(dict)  # by parent task: who has which sub-task
    for task in tasks:
        if task.parent_task_id and task.assignee:
            holders[task.parent_task_id][task.id] = task.assignee.casefold()
    turn = 0
    for task in tasks:
        if task.assignee and not change.overwrite:
            chosen[task.id] = task.assignee
            continue
        siblings = holders[task.parent_task_id] if task.parent_task_id else {}
        busy = {holder for subtask, holder in siblings.items() if subtask != task.id}
        present = names.get((task.assignee or "").casefold())
        if present is not None:
            load[present] -= 1
        if task.parent_task_id and present is not None and present.casefold() not in busy:
            person: str | None = present  # a sub-task that one of the users has stays with this user
        else:
            order = _order(change, people, turn, load, groups.get(task.id, ""))
            person = next((someone for someone in order if someone.casefold() not in busy), None)
        chosen[task.id] = person
        if person is not None:
            turn += 1
            load[person] += 1
            siblings[task.id] = person.casefold()
    return chosen


def _order(change: Change, people: list[str], turn: int, load: Mapping[str, int], group: str) -> list[str]:
    """The users in the order in which they are considered for a task."""
    if change.distribution == "by_group":
        return _order_of_group(group, people)
    if change.distribution == "least_tasks":
        return sorted(people, key=lambda person: (load[person], people.index(person)))
    return people[turn % len(people) :] + people[: turn % len(people)]


def _order_of_group(group: str, people: Sequence[str]) -> list[str]:
    """The users in the order in which a group prefers them.

    It depends on the group and the users only, so a group has the same user in every run. If a user is added or
    removed, only the groups of this user change theirs.
    """
    return sorted(people, key=lambda person: hashlib.sha256(f"{group}|{person.casefold()}".encode()).hexdigest())


def _missing(place: Place, change: Change, choice: Choice) -> Iterator[TaskLine]:
    error = f"It is not in the stage {place.stage.title!r}, or does not match the other conditions."
    line = _as(_line(place, change), SKIPPED, error=error)
    yield from (msgspec.structs.replace(line, id=task_id) for task_id in choice.missing_ids)
    yield from (msgspec.structs.replace(line, data_hash=data_hash) for data_hash in choice.missing_data)


def _destination(place: Place, change: Change) -> tuple[str | None, str | None]:
    """The ids of the destination stage, as far as it is known, and of the pathway."""
    if change.action == MOVE:
        destination = choose_stage(place.stages, change.to_stage or "", argument="to_stage").uuid
        if destination == place.stage.uuid:
            raise InvalidArgumentError(f"to_stage: the tasks are in the stage {place.stage.title!r} already.")
        return destination, None
    if change.action == REOPEN:
        first = [stage for stage in place.stages if stage.stage_type in (ANNOTATION, CONSENSUS_ANNOTATION)]
        if not first:
            raise InvalidArgumentError("stage: the workflow has no annotation stage, so no task can be reopened.")
        return first[0].uuid, None
    if change.action == PROCEED:
        pathway = choose_pathway(place.stage, change.pathway or "")
        listed = {stage.uuid for stage in place.stages}
        # A router is not listed, and keeps no tasks. To which stages it sends them shows only afterwards.
        return pathway.destination_uuid if pathway.destination_uuid in listed else None, pathway.uuid
    return None, None


def _next(change: Change) -> str | None:
    return change.assignees[0] if change.assignees else None


def _as(line: TaskLine, outcome: Any, **fields: Any) -> TaskLine:
    return msgspec.structs.replace(line, outcome=outcome, **fields)
