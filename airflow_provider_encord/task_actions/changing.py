"""Changing tasks, so that it can be repeated, interrupted and undone.

Encord has no transactions and no idempotency keys, and people work in the same stages. So what a task is now is written
down before anything is sent, and what Encord shows decides what is left to do: a task that is in the stage was not
moved yet, and a task that is not there was moved by an earlier attempt, or by somebody else.
"""

from __future__ import annotations

import collections
import datetime
import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import msgspec

from airflow_provider_encord.client.api import workflow_actions
from airflow_provider_encord.client.api.labels import LabelRowMetadata
from airflow_provider_encord.client.api.projects import Stage
from airflow_provider_encord.client.api.workflow import AGENT, CONSENSUS_ANNOTATION, FINAL, choose_stage, stages_of
from airflow_provider_encord.client.call import Call
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.client.flows.workflow_actions import TasksInStage, TasksOutcome, act_on
from airflow_provider_encord.progress import ProgressLogger
from airflow_provider_encord.reports import FAILED, SKIPPED, UNCHANGED, UPDATED
from airflow_provider_encord.task_actions.issues import add_comments
from airflow_provider_encord.task_actions.lines import (
    ADD_ISSUE,
    ASSIGN,
    LEAVING,
    MOVE,
    PRIORITIZE,
    REJECT,
    RELEASE,
    REOPEN,
    TaskLine,
    key_of,
    with_outcome,
)
from airflow_provider_encord.task_actions.planning import ON_SUBTASKS, Change, Place, plan_lines, require_possible
from airflow_provider_encord.task_actions.present_state import (
    NOWHERE,
    TaskState,
    hindrance,
    interference,
    is_achieved,
    present_states,
)
from airflow_provider_encord.task_actions.report import TaskReport
from airflow_provider_encord.task_actions.selection import TaskSelection, choose_tasks
from airflow_provider_encord.task_actions.sending import SentOutcome, batches, rows_of, send
from airflow_provider_encord.task_actions.strata import groups_of

log = logging.getLogger(__name__)
_LEFT = "It had left the stage before the change was made."
_WITHOUT_ASSIGNEE = (AGENT, CONSENSUS_ANNOTATION, FINAL)


class TaskChanger:
    """Changes the tasks of a project, and reports each task.

    :param report: Where plan and outcomes are written.
    :param batch_size: How many tasks are changed in one request, at most.
    """

    def __init__(self, client: EncordClient, project_id: str, report: TaskReport, *, batch_size: int):
        self._client, self._project, self._report, self._size = client, project_id, report, batch_size
        self.stages: list[Stage] = client.run(stages_of(project_id))

    def place(self, stage: str) -> Place:
        """Find a stage by title or id.

        :raises InvalidArgumentError: The workflow has no such stage; the message lists its stages.
        """
        found = choose_stage(self.stages, stage)
        return Place(project_id=self._project, stage=found, stages=self.stages)

    def planned(self, place: Place, change: Change, selection: TaskSelection) -> list[TaskLine]:
        """Choose tasks, and plan the change. Only reads.

        :return: One line for each task, with the expected outcome.
        """
        require_possible(place, change)
        now = datetime.datetime.now(datetime.UTC)
        subtasks = change.action in ON_SUBTASKS
        choice = self._client.run(choose_tasks(self._project, place.stage, selection, now, subtasks=subtasks))
        rows: Mapping[str, LabelRowMetadata] = {}
        if change.action in (PRIORITIZE, REOPEN):
            rows = self._client.run(rows_of(self._project, [task.data_hash for task in choice.tasks]))
        loads: collections.Counter[str] = collections.Counter()
        if change.action == ASSIGN and change.distribution == "least_tasks":
            everything = choose_tasks(self._project, place.stage, TaskSelection(), now, subtasks=subtasks)
            loads.update((task.assignee or "").casefold() for task in self._client.run(everything).tasks)
        groups: dict[str, str] = {}
        if change.distribution == "by_group":
            grouped = groups_of(self._client, self._project, choice.tasks, change.group_by, None)
            groups = {task.id: str(name) for name, tasks in grouped.items() for task in tasks}
        return plan_lines(place, change, choice, rows, loads, groups)

    def resumed(self) -> list[TaskLine]:
        """Continue with the plan of an earlier attempt. Only reads, and writes down what is known by now.

        What Encord shows decides. A task that has reached the wanted state was changed by the earlier attempt if that
        sent a request for it; else a user did the same, and the task is skipped.

        :return: The lines that are left to do, and those of tasks that need no change or can no longer be changed.
        """
        as_planned = [line for line in self._report.unsettled if line.outcome != UPDATED]  # nothing was to be sent
        unsettled = [line for line in self._report.unsettled if line.outcome == UPDATED and line.data_hash]
        states = self._client.run(present_states(self._project, unsettled))
        done, left = [], []
        for line in unsettled:
            state = states.get(str(line.id), NOWHERE)
            was_sent = key_of(line) in self._report.was_sent
            stage_id = _stage_reached(line, state)
            if was_sent and stage_id is not None:
                done.append(with_outcome(line, UPDATED, new_stage_id=stage_id if line.action in LEAVING else None))
                continue
            reason = _taken(line, state) or hindrance(line, state, self.stages) or interference(line, state)
            left.append(msgspec.structs.replace(line, outcome=SKIPPED, error=reason) if reason else _to_do(line))
        self._after(done)
        self._report.take(done)
        return [*as_planned, *left]

    def refreshed(self, lines: Sequence[TaskLine]) -> list[TaskLine]:
        """Compare the lines of a plan with what the tasks are now.

        :return: The lines, with the present assignees and priorities. Tasks that somebody else changed since the plan
            are skipped.
        """
        states = self._client.run(present_states(self._project, [line for line in lines if line.data_hash]))
        return [self._refreshed(line, states.get(str(line.id), NOWHERE)) for line in lines]

    def _refreshed(self, line: TaskLine, state: TaskState) -> TaskLine:
        if line.outcome not in (UPDATED, UNCHANGED):
            return line
        if is_achieved(line, state):
            return msgspec.structs.replace(line, outcome=UNCHANGED, error=None)
        reason = hindrance(line, state, self.stages) or interference(line, state)
        if reason is None and line.outcome == UNCHANGED:
            reason = "Somebody else changed it."
        if reason is not None:
            return msgspec.structs.replace(line, outcome=SKIPPED, error=reason)
        if line.action == PRIORITIZE:
            return msgspec.structs.replace(line, priority=state.row.priority if state.row else None)
        return msgspec.structs.replace(line, assignee=state.assignee)

    def carry_out(self, lines: Sequence[TaskLine], about: str | None) -> None:
        """Make the planned changes, and write down the outcome of each task.

        :param about: A `fingerprint` of the arguments, for the plan; None if an earlier attempt wrote the plan down.
        :raises EncordError: Encord cannot be reached, or refuses the change for all tasks. What was done before is in
            the report.
        """
        lines = self._without_repeated(lines)
        todo = [line for line in lines if line.outcome == UPDATED]
        if about is not None:
            self._report.plan(lines, about)
        self._report.take(with_outcome(line, line.outcome, line.error) for line in lines if line.outcome != UPDATED)
        progress, accepted = ProgressLogger("tasks", len(lines), log=log.info), False
        progress.go_on_from(len(lines) - len(todo))
        left = list(batches(todo, self._size))
        while left:
            batch = left.pop(0)
            part = self._still_free(batch)
            if not part:
                progress.add(len(batch))
                continue
            outcome = self._sent(part, accepted)
            reported = self._reported(part, outcome)
            self._after([line for line in reported if line.outcome == UPDATED])
            self._report.take(reported)
            accepted = accepted or bool(outcome.done)
            if outcome.error is not None:
                self._stop(outcome.error, part, outcome, left)
            progress.add(len(batch))

    def _still_free(self, part: list[TaskLine]) -> list[TaskLine]:
        """Leave out the tasks that somebody has taken or given back since the plan, and report them.

        Encord refuses to move a task that has left the stage, but it would take a task from anybody.
        """
        if part[0].action not in (ASSIGN, RELEASE):
            return part
        states = self._client.run(present_states(self._project, part))
        free, settled = [], []
        for line in part:
            state = states.get(str(line.id), NOWHERE)
            if is_achieved(line, state) and key_of(line) in self._report.was_sent:
                settled.append(with_outcome(line, UPDATED))
                continue
            reason = _taken(line, state) or hindrance(line, state, self.stages) or interference(line, state)
            if reason is None:
                free.append(line)
            else:
                settled.append(with_outcome(line, SKIPPED, reason))
        self._report.take(settled)
        return free

    def _without_repeated(self, lines: Sequence[TaskLine]) -> list[TaskLine]:
        """Leave out lines about missing tasks or data units whose task, or sub-task, is reported or planned."""
        about = [line for line in [*lines, *self._report.lines] if line.id and line.data_hash]
        known = {line.data_hash for line in about} | {line.parent_task_id for line in about}
        return [line for line in lines if (line.data_hash and line.id) or (line.id or line.data_hash) not in known]

    def _sent(self, part: list[TaskLine], accepted: bool) -> SentOutcome:
        self._report.sending(part)
        try:
            outcome = self._client.run(send(self._project, self.stages, part, accepted=accepted))
        except EncordError as error:
            in_doubt = [str(line.id) for line in part] if part[0].action == ADD_ISSUE else []
            outcome = SentOutcome(
                done=[],
                already_left=[],
                not_done=[str(line.id) for line in part],
                unknown=in_doubt,
                error=error,
            )
        if outcome.error is not None and not outcome.unknown:
            self._report.withdraw()
        return outcome

    def _reported(self, part: Sequence[TaskLine], outcome: SentOutcome) -> list[TaskLine]:
        by_id = {str(line.id): line for line in part}
        ours = [task for task in outcome.unchanged if key_of(by_id[task]) in self._report.was_sent]
        late = self._done_late([by_id[task] for task in outcome.already_left])
        done = [by_id[task] for task in [*outcome.done, *ours, *late]]
        unknown = [str(line.data_hash) for line in done if line.action in LEAVING and line.new_stage_id is None]
        now = self._stages_now(unknown)
        stages = {line.id: line.new_stage_id or now.get(str(line.data_hash)) for line in done}
        return [
            *(with_outcome(line, UPDATED, new_stage_id=stages[line.id]) for line in done),
            *(with_outcome(by_id[task], UNCHANGED) for task in outcome.unchanged if task not in ours),
            *(with_outcome(by_id[task], SKIPPED, _LEFT) for task in outcome.already_left if task not in late),
            *(with_outcome(by_id[task], FAILED, reason) for task, reason in outcome.refused.items()),
        ]

    def _done_late(self, lines: Sequence[TaskLine]) -> set[str]:
        """Tasks that left the stage because a request of an earlier attempt was carried out after all."""
        ours = [line for line in lines if key_of(line) in self._report.was_sent]
        if not ours:
            return set()
        states = self._client.run(present_states(self._project, ours))
        return {str(line.id) for line in ours if _stage_reached(line, states.get(str(line.id), NOWHERE)) is not None}

    def _stages_now(self, data_hashes: Sequence[str]) -> dict[str, str]:
        """The stages to which tasks came. Without an answer, an undo finds them by itself."""
        if not data_hashes:
            return {}
        try:
            rows = self._client.run(rows_of(self._project, data_hashes))
        except EncordError as error:
            log.warning("The stages to which %d tasks came could not be read: %s", len(data_hashes), error)
            return {}
        return {data: row.workflow_graph_node.uuid for data, row in rows.items() if row.workflow_graph_node}

    def _stop(
        self, error: EncordError, part: Sequence[TaskLine], outcome: TasksOutcome, left: Iterable[Sequence[TaskLine]]
    ) -> None:
        """Raise the error. If a retry cannot help, report the tasks that were certainly not changed because of it."""
        if not error.retryable:
            undone = set(outcome.not_done) - set(outcome.unknown)
            rest = [line for line in part if line.id in undone] + [line for other in left for line in other]
            self._report.take(with_outcome(line, FAILED, str(error)) for line in rest)
        raise error

    def _after(self, done: Sequence[TaskLine]) -> None:
        """What follows a change of the same tasks, before the change is reported: comments, and assignees."""
        rejected = [line for line in done if line.action == REJECT and line.comment]
        if rejected:
            self._client.run(add_comments(self._project, rejected))
        self._assign_moved([line for line in done if line.action == MOVE and line.new_assignee and line.data_hash])

    def _assign_moved(self, moved: Sequence[TaskLine]) -> None:
        """Assign tasks that an undo has moved back to the users who had them, unless another user took them since."""
        if not moved:
            return
        states = self._client.run(present_states(self._project, moved))
        of_stage: dict[str, dict[str, TaskLine]] = collections.defaultdict(dict)
        for line in moved:
            state = states.get(str(line.id), NOWHERE)
            if state.listed and state.stage_id == line.new_stage_id and state.assignee is None:
                of_stage[str(line.new_stage_id)][str(line.id)] = line
        for stage_id, wanted in of_stage.items():
            if self.place(stage_id).stage.stage_type in _WITHOUT_ASSIGNEE:
                continue
            tasks = TasksInStage(
                project=self._project,
                stage=stage_id,
                uuids=list(wanted),
                data_hashes={task: str(line.data_hash) for task, line in wanted.items()},
            )
            call = partial(_assign_call, self._project, stage_id, wanted)
            outcome = self._client.run(act_on(tasks, call, isolate=True))
            if outcome.error is not None:
                raise outcome.error
            for task, reason in outcome.refused.items():
                log.warning("The assignee of task %s could not be restored: %s", task, reason)


def _to_do(line: TaskLine) -> TaskLine:
    return msgspec.structs.replace(line, outcome=UPDATED, error=None)


def _taken(line: TaskLine, state: TaskState) -> str | None:
    """Whether somebody else has brought a task, for which nothing was sent, to the wanted state."""
    return "Somebody else did the same." if is_achieved(line, state) else None


def _stage_reached(line: TaskLine, state: TaskState) -> str | None:
    """The stage of a task on which the change was made, as far as its state shows it; None if it was not."""
    if is_achieved(line, state):
        return state.stage_id
    left = line.action in LEAVING and line.new_stage_id is None and state.stage_id != line.stage_id
    return state.stage_id if left else None


def _assign_call(project: str, stage: str, lines: Mapping[str, TaskLine], tasks: Sequence[str]) -> Call[None]:
    return workflow_actions.assign_tasks(project, stage, {task: str(lines[task].new_assignee) for task in tasks})
