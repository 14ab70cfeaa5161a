"""Committing the results of several tasks, in the order labels, priorities, moves.

A worker that dies loses only what was not committed: saved labels and priorities are those that a retry would save
again, and a task that has moved is not in the stage any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from airflow_provider_encord.agents.inputs import InputReader
from airflow_provider_encord.agents.kinds import AgentResult
from airflow_provider_encord.agents.report import LEFT, MOVED, ROUTED
from airflow_provider_encord.agents.results import Answer
from airflow_provider_encord.agents.saving import LabelSaver
from airflow_provider_encord.client.api.projects import Pathway
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import (
    AuthenticationError,
    InvalidArgumentError,
    PermissionDeniedError,
    RefusedError,
)
from airflow_provider_encord.client.flows import workflow_actions
from airflow_provider_encord.client.flows.workflow_actions import tasks_in_stage
from airflow_provider_encord.client.resources.workflow import WorkflowStage
from airflow_provider_encord.reports import CONFLICT, FAILED, SKIPPED


class Committed(msgspec.Struct, kw_only=True):
    """A task and what was done with it.

    :param outcome: One of the keys of `report.OUTCOMES`; empty until it is decided.
    :param pathway: The pathway that the task takes.
    """

    answer: Answer
    outcome: str = ""
    error: str | None = None
    pathway: Pathway | None = None
    labels_saved: bool = False
    kept: int = 0

    @property
    def uuid(self) -> str:
        """Id of the task."""
        return self.answer.prepared.task.uuid

    @property
    def result(self) -> AgentResult:
        """The result of the function, or an empty one without a result."""
        return self.answer.result or AgentResult()

    @property
    def outcome_if_moved(self) -> str:
        """The outcome once the task has taken its pathway."""
        return MOVED if self.error is None else ROUTED

    def close(self, outcome: str, error: str | None = None) -> None:
        """Decide the outcome. The task does not move."""
        self.outcome, self.error, self.pathway = outcome, error or self.error, None

    def fail(self, error: str, way_out: Pathway | None) -> None:
        """Note an error. With a way out, the task will take it; otherwise it stays."""
        if way_out is None:
            self.close(FAILED, error)
        else:
            self.error, self.pathway = error, way_out

    @property
    def is_open(self) -> bool:
        """Whether the result is still to be carried out."""
        return not self.outcome and self.error is None


class Committer:
    """Commits results of tasks of one stage.

    :param about_to_move: Called with the tasks that take a pathway, right before they move.
    :param way_out: The pathway for tasks that failed; None leaves them in the stage.
    """

    def __init__(
        self,
        client: EncordClient,
        stage: WorkflowStage,
        reader: InputReader,
        about_to_move: Callable[[Sequence[Committed]], None],
        way_out: Pathway | None = None,
    ):
        self._client, self._stage, self._about_to_move, self._way_out = client, stage, about_to_move, way_out
        self._saver = LabelSaver(client, stage.project, reader)

    def commit(self, tasks: list[Committed]) -> None:
        """Save labels, then set priorities, then move tasks. Afterwards each task has an outcome.

        :raises EncordError: Encord cannot be reached, or does not accept the credential. What was done stays, and the
            tasks that it was done with have an outcome.
        """
        for task in tasks:
            self._decide(task)
        self._skip_gone(tasks)
        self._save(tasks)
        self._prioritise(tasks)
        self._move(tasks)

    def _decide(self, task: Committed) -> None:
        answer = task.answer
        if answer.prepared.gone:
            task.close(SKIPPED, "somebody took it out of the stage")
        elif answer.error is not None:
            task.fail(answer.error, self._way_out)
        elif answer.result is None:
            task.close(LEFT)
        elif answer.result.pathway is not None:
            try:
                task.pathway = self._stage.pathway(answer.result.pathway)
            except InvalidArgumentError as error:
                task.fail(error.message, self._way_out)

    def _skip_gone(self, tasks: list[Committed]) -> None:
        """Leave out the tasks that somebody, or the function, took out of the stage while the function ran."""
        asked = [task for task in tasks if (task.is_open and _writes(task.result)) or _may_have_moved(task)]
        if not asked:
            return
        named = tasks_in_stage(self._stage.project, self._stage.uuid, [task.answer.prepared.task for task in asked])
        there = self._client.run(workflow_actions.still_in_stage(named, named.uuids))
        for task in asked:
            if task.uuid not in there:
                task.close(SKIPPED, "it was taken out of the stage while the function ran; nothing was saved")

    def _save(self, tasks: list[Committed]) -> None:
        works = [task for task in tasks if task.is_open and task.result.labels is not None]
        if not works:
            return
        outcomes = self._saver.save([(task.answer.prepared, task.result.labels) for task in works])
        for task in works:
            saved = outcomes[task.uuid]
            task.labels_saved, task.kept = saved.saved, saved.kept
            if saved.conflict is not None:
                task.close(CONFLICT, saved.conflict)
            elif saved.error is not None:
                task.fail(saved.error, self._way_out)

    def _prioritise(self, tasks: list[Committed]) -> None:
        works = [task for task in tasks if task.is_open and task.result.priority is not None]
        if works:
            self._set_priorities(works)

    def _set_priorities(self, works: list[Committed]) -> None:
        """Set the priorities. If Encord refuses them, each one is set alone."""
        wanted = {task.answer.prepared.task.data_hash: float(task.result.priority or 0) for task in works}
        try:
            self._client.project(self._stage.project).rows.set_priorities(wanted)
        except (AuthenticationError, PermissionDeniedError):
            raise
        except RefusedError as error:
            if len(works) == 1:
                works[0].fail(f"Encord refused the priority: {error.message}", self._way_out)
                return
            for task in works:
                self._set_priorities([task])

    def _move(self, tasks: list[Committed]) -> None:
        """Let tasks take their pathways. Those without one stay."""
        moving = [task for task in tasks if not task.outcome and task.pathway is not None]
        if moving:
            self._about_to_move(moving)
            self._proceed(moving)
        for task in tasks:
            if not task.outcome:
                task.close(LEFT)

    def _proceed(self, moving: list[Committed]) -> None:
        """Move tasks. If Encord refuses a bundle, each task is moved alone."""
        named = tasks_in_stage(self._stage.project, self._stage.uuid, [task.answer.prepared.task for task in moving])
        ways = {task.uuid: task.pathway.uuid for task in moving if task.pathway is not None}
        done = self._client.run(workflow_actions.proceed(named, by_uuid=ways))
        by_uuid = {task.uuid: task for task in moving}
        for uuid in done.done:
            by_uuid[uuid].outcome = by_uuid[uuid].outcome_if_moved
        for uuid in done.already_left:
            by_uuid[uuid].close(SKIPPED, "somebody took it out of the stage")
        if done.error is None:
            return
        refused = isinstance(done.error, RefusedError)
        if not refused or isinstance(done.error, AuthenticationError | PermissionDeniedError):
            raise done.error
        rest = [by_uuid[uuid] for uuid in done.not_done]
        if len(rest) == 1:
            rest[0].close(FAILED, f"Encord refused to move it: {done.error.message}")
            return
        for task in rest:
            self._proceed([task])


def _writes(result: AgentResult) -> bool:
    return result.labels is not None or result.priority is not None


def _may_have_moved(task: Committed) -> bool:
    """Whether the function left a task that it could move by itself, because it got an object of Encord's SDK."""
    return task.outcome == LEFT and task.answer.prepared.sdk_task is not None
