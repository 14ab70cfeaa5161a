"""Which tasks of a stage are to be announced now, and what to remember of those that were announced.

A task is announced when its stage has `batch_size` tasks that were not announced, or when such a task has waited for
`max_wait_seconds`. Tasks that are still in the stage `repeat_seconds` after they were announced are announced again:
the DAG run may have failed, or Airflow may have dropped the event (apache/airflow#56050).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import msgspec

from airflow_provider_encord.client.api.projects import Stage
from airflow_provider_encord.waits.conditions import remember
from airflow_provider_encord.waits.questions import TasksInStage
from airflow_provider_encord.watches.batches import (
    BATCH_SIZE_REACHED,
    MAX_WAIT_ELAPSED,
    REMAINING,
    TaskBatch,
    chunks,
    iso_time,
)

REMEMBERED_SECONDS = 2 * 24 * 3600.0
"""How long tasks that left the stage are remembered, at least. If one comes back later, it is a new task."""


class StageRules(msgspec.Struct, frozen=True, kw_only=True):
    """When tasks are announced.

    :param batch_size: As soon as so many tasks wait.
    :param max_wait_seconds: Or as soon as one task has waited for so long; None for no limit. The time counts from the
        poll that found the task.
    :param repeat_seconds: Announce tasks again that are still in the stage after so many seconds.
    """

    batch_size: int
    max_wait_seconds: float | None
    repeat_seconds: float


class Announcement(msgspec.Struct, array_like=True):
    """Tasks that were announced together.

    :param at: In seconds since 1970.
    :param repeat: How often they were announced before.
    """

    at: float
    repeat: int
    task_ids: list[str]


class StageMemory(msgspec.Struct):
    """What a watch remembers.

    :param first_seen: The tasks in the stage that were not announced: when each was first seen.
    :param announced: The announced tasks that are still in the stage.
    :param departed: The announced tasks that left it, with the time of the announcement.
    :param planned: Batches whose events may not be stored yet. After a restart they are announced again, with the same
        batch id.
    """

    first_seen: dict[str, float] = {}
    announced: list[Announcement] = []
    departed: list[Announcement] = []
    planned: list[TaskBatch] = []


class StageWatch:
    """Decides which tasks of a stage are announced.

    :param stage: The stage.
    :param memory: What was remembered. It is changed.
    :param series: See `TaskBatch`. It is used for tasks that are announced again.
    """

    def __init__(self, project_id: str, stage: Stage, rules: StageRules, memory: StageMemory, *, series: str = ""):
        self._project_id, self._stage, self._series = project_id, stage, series
        self._rules, self.memory = rules, memory

    @property
    def needs(self) -> None:
        """All tasks of the stage."""

    def planned(self, answer: TasksInStage) -> list[TaskBatch]:
        """Return the planned batches of which a task is still in the stage, and forget the other ones.

        :param answer: The tasks that are in the stage now.
        """
        present = set(answer.task_ids)
        self.memory.planned = [batch for batch in self.memory.planned if present & set(batch.task_ids or ())]
        return list(self.memory.planned)

    def due(self, answer: TasksInStage, now: float) -> list[TaskBatch]:
        """Return the batches that are to be announced now, and remember them as planned.

        :param answer: The tasks that are in the stage now.
        :param now: In seconds since 1970.
        """
        self._correct_times(now)
        self._note_departures(set(answer.task_ids), now)
        due = [*self._repeated(now), *self._new(answer.task_ids, now)]
        self.memory.planned += due
        return due

    def confirm(self, batches: Collection[TaskBatch]) -> None:
        """Forget planned batches: their events are stored."""
        self.memory.planned = [batch for batch in self.memory.planned if batch not in batches]

    def _correct_times(self, now: float) -> None:
        """Let nothing be in the future: the clock may have been ahead, and was corrected."""
        memory = self.memory
        memory.first_seen = {task: min(at, now) for task, at in memory.first_seen.items()}
        for group in memory.announced + memory.departed:
            group.at = min(group.at, now)

    def _note_departures(self, present: set[str], now: float) -> None:
        memory = self.memory
        departed = [_part(group, set(group.task_ids) - present) for group in memory.announced]
        memory.announced = _filled(_part(group, present) for group in memory.announced)
        # For longer than `repeats` looks back: it would take the same batch id for a repeat.
        remembered = max(REMEMBERED_SECONDS, 2 * self._rules.repeat_seconds)
        memory.departed = [group for group in memory.departed + _filled(departed) if group.at > now - remembered]

    def _repeated(self, now: float) -> Iterator[TaskBatch]:
        """Announce again what remains. Tasks that were announced equally often are announced together."""
        recent: list[Announcement] = []
        remaining: dict[int, list[str]] = {}
        for group in self.memory.announced:
            if now - group.at < self._rules.repeat_seconds:
                recent.append(group)
            else:
                remaining.setdefault(group.repeat, []).extend(group.task_ids)
        self.memory.announced = recent
        for repeat, task_ids in sorted(remaining.items()):
            yield from self._announced(task_ids, now, repeat + 1, REMAINING)

    def _new(self, task_ids: Collection[str], now: float) -> Iterator[TaskBatch]:
        memory = self.memory
        known = {task for group in memory.announced for task in group.task_ids}
        remember(memory.first_seen, [task for task in task_ids if task not in known], now)
        reason = self._reason(now)
        if reason is None:
            return
        repeats = {task: group.repeat + 1 for group in memory.departed for task in group.task_ids}
        waiting = sorted(memory.first_seen, key=lambda task: (memory.first_seen[task], task))
        memory.first_seen = {}
        for repeat in sorted({repeats.get(task, 0) for task in waiting}):
            yield from self._announced([t for t in waiting if repeats.get(t, 0) == repeat], now, repeat, reason)
        back = set(waiting)
        memory.departed = _filled(_part(group, set(group.task_ids) - back) for group in memory.departed)

    def _announced(self, task_ids: Sequence[str], now: float, repeat: int, reason: str) -> Iterator[TaskBatch]:
        for part in chunks(task_ids):
            group = Announcement(at=now, repeat=repeat, task_ids=list(part))
            self.memory.announced.append(group)
            yield self._batch(group, reason)

    def _reason(self, now: float) -> str | None:
        waiting, limit = self.memory.first_seen, self._rules.max_wait_seconds
        if len(waiting) >= self._rules.batch_size:
            return BATCH_SIZE_REACHED
        late = limit is not None and waiting and now - min(waiting.values()) >= limit
        return MAX_WAIT_ELAPSED if late else None

    def _batch(self, group: Announcement, reason: str) -> TaskBatch:
        return TaskBatch(
            project_id=self._project_id,
            stage_id=self._stage.uuid,
            stage=self._stage.title,
            reason=reason,
            announced_at=iso_time(group.at),
            task_ids=list(group.task_ids),
            tasks=len(group.task_ids),
            repeat_seconds=self._rules.repeat_seconds,
            repeat=group.repeat,
            series=self._series if group.repeat else "",
        )


def _part(group: Announcement, task_ids: set[str]) -> Announcement:
    """The part of an announcement with these tasks."""
    return Announcement(at=group.at, repeat=group.repeat, task_ids=[t for t in group.task_ids if t in task_ids])


def _filled(groups: Iterator[Announcement] | list[Announcement]) -> list[Announcement]:
    return [group for group in groups if group.task_ids]
