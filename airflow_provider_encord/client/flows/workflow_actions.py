"""Actions on many tasks, split into requests. They are safe to repeat, and an error reports what was done before it.

Encord carries out either all actions of a request or none. If one task of 1000 has left the stage, Encord refuses the
whole request. So after a refusal or a lost response, we list which of the tasks are still in the stage, count the
others as done or as already left, and continue with the rest. If all tasks are still in the stage after a refusal,
Encord refuses the action itself, and the error is raised. With `isolate`, the request is halved instead until the tasks
are found for which Encord refuses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from airflow_provider_encord.client.api import workflow, workflow_actions
from airflow_provider_encord.client.api.core.listing import PageTokens
from airflow_provider_encord.client.api.workflow import Subtask, Task, TaskFilter
from airflow_provider_encord.client.api.workflow_actions import MOST_ACTIONS_PER_REQUEST
from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.errors import (
    AuthenticationError,
    EncordError,
    OutcomeUnknownError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RefusedError,
)
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.client.flows.outcomes import BulkOutcome

MOST_LOST_ANSWERS = 3  # in a row, for the same tasks; the transport has retried each of them
DATA_HASHES_PER_LISTING = 100  # they become part of the URL, and servers limit its length
MOST_REFUSALS = 20
"""If so many tasks are refused and none is accepted, Encord refuses the action itself."""


class TasksOutcome(BulkOutcome[str], frozen=True, kw_only=True):
    """The outcome of an action on tasks.

    :param done: Ids of the tasks for which the action was done. If a response was lost and all tasks of its request
        have left the stage, they count as done, although somebody else may have done it.
    :param already_left: Ids of the tasks that were no longer in the stage, because somebody acted on them or moved
        them.
    :param not_done: Ids of the tasks for which the action was not done, because of `error`.
    :param error: The error that stopped the action; None if it was completed.
    :param refused: Why Encord refuses the action for a task, by task id; only with `isolate`.
    :param unknown: Those of `not_done` whose request may have been carried out.
    """

    already_left: list[str]
    unknown: list[str] = msgspec.field(default_factory=list)
    refused: Mapping[str, str] = msgspec.field(default_factory=dict)

    def summary(self) -> str:
        """How much was done, with the number of tasks that had left the stage."""
        return (
            f" Tasks that were done before this error: {len(self.done)}. No longer in the stage: "
            f"{len(self.already_left)}. Not done: {len(self.not_done)}. A repeat skips tasks that have left the stage."
        )


class TasksInStage(msgspec.Struct, frozen=True, kw_only=True):
    """The tasks of a stage to act on.

    :param data_hashes: Data hashes by task id, as far as known. Encord cannot search for tasks by id, so if one is
        missing here, the whole stage must be listed after an error.
    """

    project: str
    stage: str
    uuids: list[str]
    data_hashes: Mapping[str, str] = {}


def still_in_stage(tasks: TasksInStage, uuids: Sequence[str]) -> Flow[set[str]]:
    """Find which of these tasks are in the stage now. Sub-tasks count unless they are completed."""
    known = [tasks.data_hashes[uuid] for uuid in uuids if uuid in tasks.data_hashes]
    if len(known) < len(uuids):
        return (yield from _found(tasks, uuids, workflow.EVERY_TASK))
    found: set[str] = set()
    for data in chunks(list(dict.fromkeys(known)), DATA_HASHES_PER_LISTING):
        found |= yield from _found(tasks, uuids, TaskFilter(data_hashes=data))
    return found


def _found(tasks: TasksInStage, uuids: Iterable[str], which: TaskFilter) -> Flow[set[str]]:
    """Read the listing page by page until all tasks are found."""
    wanted, found = set(uuids), set[str]()
    token, trail = None, PageTokens()
    while True:
        call = workflow.list_tasks(tasks.project, tasks.stage, which, page=token)
        page = yield from call
        found |= wanted.intersection(_present(page.results))
        token = trail.follow(call, page)
        if token is None or found == wanted:
            return found


def _present(listed: Iterable[Task]) -> Iterable[str]:
    for task in listed:
        yield task.uuid
        for subtask in task.subtasks or ():
            if subtask.status != "COMPLETED":
                yield subtask.uuid


def act_on(
    tasks: TasksInStage,
    call: Callable[[Sequence[str]], Call[None]],
    *,
    size: int = MOST_ACTIONS_PER_REQUEST,
    isolate: bool = False,
    accepted: bool = False,
) -> Flow[TasksOutcome]:
    """Carry out an action on tasks. An error is returned in the outcome and not raised.

    :param call: Makes the call for some of the tasks.
    :param size: How many tasks to send in one request. A request that is too large is halved.
    :param isolate: Whether a task for which Encord refuses the action is left out, so that the others are done.
    :param accepted: Whether Encord has accepted the action for other tasks. If not, many refusals stop it.
    """
    return act_while_present(
        tasks.uuids,
        call,
        lambda some: still_in_stage(tasks, some),
        size=size,
        isolate=isolate,
        accepted=accepted,
    )


def act_while_present(
    ids: Sequence[str],
    call: Callable[[Sequence[str]], Call[None]],
    present: Callable[[Sequence[str]], Flow[set[str]]],
    *,
    size: int,
    isolate: bool,
    accepted: bool = False,
) -> Flow[TasksOutcome]:
    """Do the same as `act_on`, for items of any kind.

    :param present: Finds which of the items the action still applies to.
    """
    progress = _Progress(call, present, isolate=isolate, accepted=accepted)
    parts = list(chunks(ids, size))
    for number, part in enumerate(parts):
        try:
            yield from progress.act(list(part))
        except EncordError as error:
            settled = {*progress.done, *progress.already_left, *progress.refused}
            left_over = [uuid for later in parts[number:] for uuid in later if uuid not in settled]
            return progress.outcome(left_over, error)
    return progress.outcome([], None)


class _Progress:
    """The tasks done so far, and the method that does more of them."""

    def __init__(
        self,
        call: Callable[[Sequence[str]], Call[None]],
        present: Callable[[Sequence[str]], Flow[set[str]]],
        *,
        isolate: bool,
        accepted: bool,
    ) -> None:
        self._call, self._present, self._isolate, self._accepted = call, present, isolate, accepted
        self._in_doubt: list[str] = []
        self.done: list[str] = []
        self.already_left: list[str] = []
        self.refused: dict[str, str] = {}

    def outcome(self, not_done: list[str], error: EncordError | None) -> TasksOutcome:
        return TasksOutcome(
            done=self.done,
            already_left=self.already_left,
            refused=self.refused,
            not_done=not_done,
            unknown=[item for item in not_done if item in self._in_doubt],
            error=error,
        )

    def act(self, part: list[str]) -> Flow[None]:
        """Repeat the call until all tasks of a part are done or have left the stage; raise all other errors."""
        lost = 0
        while part:
            try:
                yield from self._call(part)
            except PayloadTooLargeError:
                if len(part) == 1:
                    raise
                yield from self._halves(part)
                return
            except OutcomeUnknownError:
                lost += 1
                self._in_doubt = part
                remaining = yield from self._remaining(part)
                self._in_doubt = []
                # All or nothing: if any task remains, the request was not carried out, and others acted on the missing
                # tasks.
                (self.already_left if remaining else self.done).extend(item for item in part if item not in remaining)
                if remaining and lost == MOST_LOST_ANSWERS:
                    raise
                part = remaining
            except AuthenticationError:
                raise
            except RefusedError as error:
                if isinstance(error, PermissionDeniedError) and not self._isolate:
                    raise
                remaining = yield from self._remaining(part)
                if len(remaining) == len(part):
                    yield from self._isolated(part, error)
                    return
                # A request whose response was lost may have been carried out after we looked.
                left = self.done if lost else self.already_left
                left.extend(item for item in part if item not in remaining)
                part = remaining
            else:
                self.done.extend(part)
                return

    def _halves(self, part: list[str]) -> Flow[None]:
        half = (len(part) + 1) // 2
        yield from self.act(part[:half])
        yield from self.act(part[half:])

    def _isolated(self, part: list[str], error: RefusedError) -> Flow[None]:
        """Find the tasks of a part for which Encord refuses the action; all of them are in the stage."""
        if not self._isolate:
            raise error
        if len(part) > 1:
            yield from self._halves(part)
            return
        self.refused[part[0]] = str(error)
        if len(self.refused) >= MOST_REFUSALS and not self.done and not self._accepted:
            raise error

    def _remaining(self, part: Sequence[str]) -> Flow[list[str]]:
        there = yield from self._present(part)
        return [item for item in part if item in there]


def tasks_in_stage(project: str, stage: str, tasks: Iterable[Task | Subtask | str]) -> TasksInStage:
    """Convert tasks from a listing, or their ids. Duplicates are dropped; the order is kept."""
    given = {task if isinstance(task, str) else task.uuid: task for task in tasks}
    known = {uuid: task.data_hash for uuid, task in given.items() if not isinstance(task, str)}
    return TasksInStage(project=project, stage=stage, uuids=list(given), data_hashes=known)


def submit(tasks: TasksInStage, *, assignee: str | None = None, retain_assignee: bool = False) -> Flow[TasksOutcome]:
    """Do the same as `workflow_actions.submit_tasks`, for any number of tasks."""
    return act_on(
        tasks,
        lambda some: workflow_actions.submit_tasks(
            tasks.project, tasks.stage, some, assignee=assignee, retain_assignee=retain_assignee
        ),
    )


class Verdict(Protocol):
    """`workflow_actions.approve_tasks` or `workflow_actions.reject_tasks`."""

    def __call__(
        self,
        project: str,
        stage: str,
        tasks: Sequence[str],
        *,
        consensus: bool,
        assignee: str | None,
        retain_assignee: bool,
    ) -> Call[None]: ...


def review(
    tasks: TasksInStage,
    verdict: Verdict,
    *,
    consensus: bool,
    assignee: str | None = None,
    retain_assignee: bool = False,
) -> Flow[TasksOutcome]:
    """Approve or reject any number of tasks.

    :param verdict: Makes the call for some of the tasks; it has the same arguments.
    """
    return act_on(
        tasks,
        lambda some: verdict(
            tasks.project,
            tasks.stage,
            some,
            consensus=consensus,
            assignee=assignee,
            retain_assignee=retain_assignee,
        ),
    )


def assign(tasks: TasksInStage, assignees: Mapping[str, str]) -> Flow[TasksOutcome]:
    """Do the same as `workflow_actions.assign_tasks`, for any number of tasks."""
    return act_on(
        tasks,
        lambda some: workflow_actions.assign_tasks(
            tasks.project, tasks.stage, {item: assignees[item] for item in some}
        ),
    )


def release(tasks: TasksInStage) -> Flow[TasksOutcome]:
    """Do the same as `workflow_actions.release_tasks`, for any number of tasks."""
    return act_on(tasks, lambda some: workflow_actions.release_tasks(tasks.project, tasks.stage, some))


def proceed(tasks: TasksInStage, *, by_uuid: Mapping[str, str]) -> Flow[TasksOutcome]:
    """Do the same as `workflow_actions.proceed_tasks`, for any number of tasks.

    :param by_uuid: Pathway id by task id.
    """
    return act_on(
        tasks,
        lambda some: workflow_actions.proceed_tasks(
            tasks.project, tasks.stage, by_uuid={item: by_uuid[item] for item in some}
        ),
    )


def move(tasks: TasksInStage, destination: str) -> Flow[TasksOutcome]:
    """Do the same as `workflow.move_tasks`, for any number of tasks, with up to 500 per request."""
    return act_on(
        tasks,
        lambda some: workflow.move_tasks(tasks.project, tasks.stage, some, destination),
        size=workflow.MOST_MOVES_PER_REQUEST,
    )
