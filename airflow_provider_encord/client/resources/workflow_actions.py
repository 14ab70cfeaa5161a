"""Acting on many tasks: cut to what one request takes, safe to do twice, and an error reports what succeeded before it.

Encord does a request's actions all or not at all: one task that has left the stage refuses the other 999. So a refusal,
like a lost answer, is a reason to look at which of the tasks are still in the stage, to take those that are not for
done, and to go on with the rest. Only a refusal after which nothing turns out to be gone is a refusal of the action.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from airflow_provider_encord.client.api import workflow, workflow_actions
from airflow_provider_encord.client.api.listing import PageTokens
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
from airflow_provider_encord.client.resources.chunks import chunks
from airflow_provider_encord.client.resources.outcomes import BulkOutcome

MOST_LOST_ANSWERS = 3  # in a row, for the same tasks, each after retries of its own
DATA_HASHES_PER_LISTING = 100  # they go into the query, and servers limit how long an address may be


class TasksOutcome(BulkOutcome[str], frozen=True, kw_only=True):
    """The outcome of the tasks that were acted on.

    :param done: Ids of the tasks that the action was done to. If an answer was lost and all that it was about are
        gone, they are taken for done, though somebody else may have been faster.
    :param already_left: Ids of those that were not in the stage: done before, by us or somebody else, or moved away.
    :param not_done: Ids of those that the action was not done to, because of `error`.
    :param error: Why it stopped; None if it went to the end.
    """

    already_left: list[str]

    def summary(self) -> str:
        """As for any outcome, and how many had left."""
        return (
            f" Of the tasks asked for, {len(self.done)} were done before this, {len(self.already_left)} had left the "
            f"stage, and {len(self.not_done)} are not done; doing it again leaves out what has left."
        )


class TasksInStage(msgspec.Struct, frozen=True, kw_only=True):
    """Some tasks of a stage, to be acted on.

    :param data_hashes: Their data units by id of the task, as far as they are known: Encord cannot find tasks by
        their id, so without an entry here the whole stage is read when something goes wrong.
    """

    project: str
    stage: str
    uuids: list[str]
    data_hashes: Mapping[str, str] = {}


def still_in_stage(tasks: TasksInStage, uuids: Sequence[str]) -> Flow[set[str]]:
    """Which of these tasks, or sub-tasks that are not completed, are in the stage now."""
    known = [tasks.data_hashes[uuid] for uuid in uuids if uuid in tasks.data_hashes]
    if len(known) < len(uuids):
        return (yield from _found(tasks, uuids, workflow.EVERY_TASK))
    found: set[str] = set()
    for data in chunks(list(dict.fromkeys(known)), DATA_HASHES_PER_LISTING):
        found |= yield from _found(tasks, uuids, TaskFilter(data_hashes=data))
    return found


def _found(tasks: TasksInStage, uuids: Iterable[str], which: TaskFilter) -> Flow[set[str]]:
    """Page by page, until all are found."""
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
) -> Flow[TasksOutcome]:
    """Do something to tasks; what fails is in the outcome and is not raised.

    :param call: Makes the call for some of them.
    :param size: How many one request takes; halved where that is too much.
    """
    progress = _Progress(tasks, call)
    parts = list(chunks(tasks.uuids, size))
    for number, part in enumerate(parts):
        try:
            yield from progress.act(list(part))
        except EncordError as error:
            settled = {*progress.done, *progress.already_left}
            left_over = [one for later in parts[number:] for one in later if one not in settled]
            return progress.outcome(left_over, error)
    return progress.outcome([], None)


class _Progress:
    """What was done so far, and how to do more."""

    def __init__(self, tasks: TasksInStage, call: Callable[[Sequence[str]], Call[None]]) -> None:
        self._tasks, self._call = tasks, call
        self.done: list[str] = []
        self.already_left: list[str] = []

    def outcome(self, not_done: list[str], error: EncordError | None) -> TasksOutcome:
        return TasksOutcome(done=self.done, already_left=self.already_left, not_done=not_done, error=error)

    def act(self, part: list[str]) -> Flow[None]:
        """Until all of a part is done or gone; raises what cannot be helped by looking."""
        lost = 0
        while part:
            try:
                yield from self._call(part)
            except PayloadTooLargeError:
                if len(part) == 1:
                    raise
                half = (len(part) + 1) // 2
                yield from self.act(part[:half])
                yield from self.act(part[half:])
                return
            except OutcomeUnknownError:
                lost += 1
                remaining = yield from self._remaining(part)
                # All or nothing: if the request was carried out, nothing remains; else others took what is gone.
                (self.already_left if remaining else self.done).extend(item for item in part if item not in remaining)
                if remaining and lost == MOST_LOST_ANSWERS:
                    raise
                part = remaining
            except (AuthenticationError, PermissionDeniedError):
                raise
            except RefusedError:
                remaining = yield from self._remaining(part)
                if len(remaining) == len(part):
                    raise
                self.already_left.extend(item for item in part if item not in remaining)
                part = remaining
            else:
                self.done.extend(part)
                return

    def _remaining(self, part: Sequence[str]) -> Flow[list[str]]:
        there = yield from still_in_stage(self._tasks, part)
        return [item for item in part if item in there]


def tasks_in_stage(project: str, stage: str, tasks: Iterable[Task | Subtask | str]) -> TasksInStage:
    """Tasks as a user names them: as they were listed, or by id. Doubles are dropped, the order is kept."""
    given = {task if isinstance(task, str) else task.uuid: task for task in tasks}
    known = {uuid: one.data_hash for uuid, one in given.items() if not isinstance(one, str)}
    return TasksInStage(project=project, stage=stage, uuids=list(given), data_hashes=known)


def submit(tasks: TasksInStage, *, assignee: str | None = None, retain_assignee: bool = False) -> Flow[TasksOutcome]:
    """As `workflow_actions.submit_tasks`, for any number of tasks."""
    return act_on(
        tasks,
        lambda some: workflow_actions.submit_tasks(
            tasks.project, tasks.stage, some, assignee=assignee, retain_assignee=retain_assignee
        ),
    )


def approve(
    tasks: TasksInStage, *, consensus: bool, assignee: str | None = None, retain_assignee: bool = False
) -> Flow[TasksOutcome]:
    """As `workflow_actions.approve_tasks`, for any number of tasks."""
    return act_on(
        tasks,
        lambda some: workflow_actions.approve_tasks(
            tasks.project,
            tasks.stage,
            some,
            consensus=consensus,
            assignee=assignee,
            retain_assignee=retain_assignee,
        ),
    )


def reject(
    tasks: TasksInStage, *, consensus: bool, assignee: str | None = None, retain_assignee: bool = False
) -> Flow[TasksOutcome]:
    """As `workflow_actions.reject_tasks`, for any number of tasks."""
    return act_on(
        tasks,
        lambda some: workflow_actions.reject_tasks(
            tasks.project,
            tasks.stage,
            some,
            consensus=consensus,
            assignee=assignee,
            retain_assignee=retain_assignee,
        ),
    )


def assign(tasks: TasksInStage, assignees: Mapping[str, str]) -> Flow[TasksOutcome]:
    """As `workflow_actions.assign_tasks`, for any number of tasks."""
    return act_on(
        tasks,
        lambda some: workflow_actions.assign_tasks(
            tasks.project, tasks.stage, {item: assignees[item] for item in some}
        ),
    )


def release(tasks: TasksInStage) -> Flow[TasksOutcome]:
    """As `workflow_actions.release_tasks`, for any number of tasks."""
    return act_on(tasks, lambda some: workflow_actions.release_tasks(tasks.project, tasks.stage, some))


def proceed(tasks: TasksInStage, *, by_uuid: Mapping[str, str]) -> Flow[TasksOutcome]:
    """As `workflow_actions.proceed_tasks`, for any number of tasks.

    :param by_uuid: The id of the pathway for each of the tasks.
    """
    return act_on(
        tasks,
        lambda some: workflow_actions.proceed_tasks(
            tasks.project, tasks.stage, by_uuid={item: by_uuid[item] for item in some}
        ),
    )


def move(tasks: TasksInStage, destination: str) -> Flow[TasksOutcome]:
    """As `workflow.move_tasks`, for any number of tasks, up to 500 in a request."""
    return act_on(
        tasks,
        lambda some: workflow.move_tasks(tasks.project, tasks.stage, some, destination),
        size=workflow.MOST_MOVES_PER_REQUEST,
    )
