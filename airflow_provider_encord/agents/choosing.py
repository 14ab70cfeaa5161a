"""Which tasks of a stage a run handles."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from airflow_provider_encord.client.api.workflow import AGENT, Task
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.identifiers import require_ids
from airflow_provider_encord.client.resources.workflow import WorkflowStage


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which tasks to handle.

    :param batch_size: Maximum number of tasks from the stage; None for all. It does not limit `task_ids`.
    :param task_ids: Ids of the tasks. None takes tasks from the stage.
    :param shard: With `shards`, only the tasks of this shard, from 0.
    """

    batch_size: int | None
    task_ids: Sequence[str] | None = None
    shard: int | None = None
    shards: int | None = None

    def check(self) -> None:
        """:raises InvalidArgumentError: The values do not fit together."""
        if (self.shard is None) != (self.shards is None):
            raise InvalidArgumentError("shard, shards: pass both or none of them.")
        if self.shard is not None and self.shards is not None and self.shard >= self.shards:
            raise InvalidArgumentError(f"shard: {self.shard} is not a number from 0 to {self.shards - 1}.")
        if self.task_ids is not None and self.shards is not None:
            raise InvalidArgumentError("task_ids, shards: pass only one of them. `task_ids` is a batch already.")


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """The tasks to handle.

    :param gone: Ids of tasks that are not in the stage any more.
    """

    tasks: list[Task]
    gone: list[str]


def in_shard(data_hash: str, shard: int, shards: int) -> bool:
    """Whether a data unit belongs to a shard. The same for all workers and attempts."""
    return int(data_hash.replace("-", ""), 16) % shards == shard


def require_agent_stage(stage: WorkflowStage) -> None:
    """:raises InvalidArgumentError: It is not an agent stage."""
    if stage.stage_type != AGENT:
        raise InvalidArgumentError(
            f"stage: {stage.title!r} is of type {stage.stage_type}. Pass a stage of type {AGENT}, whose tasks move "
            "along pathways."
        )


def choose(stage: WorkflowStage, selection: Selection) -> Chosen:
    """Read the stage, and choose the tasks.

    :raises InvalidArgumentError: The values of the selection do not fit together.
    """
    selection.check()
    if selection.task_ids is not None:
        return _named(stage, require_ids(selection.task_ids, "task_ids"))
    tasks: list[Task] = []
    for task in stage.tasks():
        if len(tasks) == selection.batch_size:
            break
        if selection.shards is None or in_shard(task.data_hash, selection.shard or 0, selection.shards):
            tasks.append(task)
    return Chosen(tasks=tasks, gone=[])


def _named(stage: WorkflowStage, ids: Sequence[str]) -> Chosen:
    """The tasks with these ids. Encord cannot search for tasks by id, so the stage is listed until all are found."""
    wanted = dict.fromkeys(ids)
    found: dict[str, Task] = {}
    for task in stage.tasks() if wanted else ():
        if task.uuid in wanted:
            found[task.uuid] = task
        if len(found) == len(wanted):
            break
    return Chosen(
        tasks=[found[id_] for id_ in wanted if id_ in found], gone=[id_ for id_ in wanted if id_ not in found]
    )
