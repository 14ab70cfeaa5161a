"""The conditions of sensors. Each one is a value that can be stored, and that judges the answer of a poll.

A condition that names stages first has to read the project once, to find them: until then it is not `settled`, and its
question is the project.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec

from airflow_provider_encord.client.api.label_row_stamps import LabelRowStamp
from airflow_provider_encord.client.api.labels import StageName
from airflow_provider_encord.client.api.projects import ProjectRecord, Stage
from airflow_provider_encord.client.api.workflow import choose_stage, stages_in
from airflow_provider_encord.client.call import Flow, Now
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.times import answered_time, parse_time
from airflow_provider_encord.waits.questions import (
    EditedRowsQuestion,
    ProjectQuestion,
    Question,
    StagesOfRowsQuestion,
    TasksInStage,
    TasksQuestion,
    ask,
)

MOST_IDS = 100
"""The maximum number of ids in the result of a wait."""
MOST_CARRIED = 1000
"""The maximum number of tasks whose time is stored outside of the memory of a process."""

Memory: TypeAlias = dict[str, float]
"""When each task was first seen in its stage, in seconds since 1970, by task id."""
Found: TypeAlias = dict[str, Any]
"""The result of a wait, as small JSON."""
Notice: TypeAlias = Callable[[Question, Any], None]
"""Takes a question and its answer."""


class Poll(NamedTuple):
    """A poll that succeeded.

    :param answer: The answer to the question of the condition.
    :param memory: What the wait knows from earlier polls. A condition may update it.
    :param now: The current time in seconds since 1970.
    """

    answer: Any
    memory: Memory
    now: float


class TasksCondition(msgspec.Struct, frozen=True, kw_only=True, tag="tasks"):
    """A stage has so many tasks, or a task has been in it for so long.

    :param stage: Id or title of the stage; the id once it is settled.
    :param stage_title: None until it is settled.
    :param min_tasks: At least so many tasks. Together with `max_tasks`, both must hold.
    :param max_tasks: At most so many tasks.
    :param max_wait_seconds: Or: a task was first seen so many seconds ago and is still there.
    """

    project_id: str
    stage: str
    stage_title: str | None = None
    min_tasks: int | None = None
    max_tasks: int | None = None
    max_wait_seconds: float | None = None

    @property
    def settled(self) -> bool:
        """Whether the stage is known."""
        return self.stage_title is not None

    @property
    def question(self) -> Question:
        """What the next poll has to ask."""
        if not self.settled:
            return ProjectQuestion(project_id=self.project_id)
        return TasksQuestion(project_id=self.project_id, stage_id=self.stage)

    @property
    def needs(self) -> int | None:
        """How many tasks a poll has to list; None for all."""
        if self.max_wait_seconds is not None:
            return None
        return max(self.min_tasks or 0, 0 if self.max_tasks is None else self.max_tasks + 1)

    def settle(self, record: ProjectRecord) -> TasksCondition:
        """Find the stage.

        :raises InvalidArgumentError: The workflow has no such stage. The message lists its stages.
        """
        stage = choose_stage(stages_in(record), self.stage)
        return msgspec.structs.replace(self, stage=stage.uuid, stage_title=stage.title)

    def judge(self, poll: Poll) -> Found | None:
        """Return the result if the condition is met. Note the tasks that are in the stage now."""
        answer: TasksInStage = poll.answer
        if self.max_wait_seconds is not None and answer.all_listed:
            remember(poll.memory, answer.task_ids, poll.now)
        oldest = min(poll.memory.values(), default=None)
        reason = self._reason(answer, None if oldest is None else poll.now - oldest)
        if reason is None:
            return None
        return {
            "project_id": self.project_id,
            "stage_id": self.stage,
            "stage": self.stage_title,
            "reason": reason,
            "tasks": len(answer.task_ids),
            "all_listed": answer.all_listed,
            "task_ids": list(answer.task_ids[:MOST_IDS]),
            "oldest_first_seen": None if oldest is None else _iso(oldest),
        }

    def _reason(self, answer: TasksInStage, longest: float | None) -> str | None:
        count = len(answer.task_ids)
        wanted = [name for name in ("min_tasks", "max_tasks") if getattr(self, name) is not None]
        enough = self.min_tasks is None or count >= self.min_tasks
        few = self.max_tasks is None or (answer.all_listed and count <= self.max_tasks)
        if wanted and enough and few:
            return " and ".join(wanted)
        late = self.max_wait_seconds is not None and longest is not None and longest >= self.max_wait_seconds
        return "max_wait_seconds" if late else None

    def describe(self, answer: TasksInStage) -> str:
        """Describe the state for the log."""
        more = "" if answer.all_listed else "at least "
        return f"Stage {self.stage_title!r} has {more}{len(answer.task_ids)} tasks."


class ProgressCondition(msgspec.Struct, frozen=True, kw_only=True, tag="progress"):
    """A fraction of the label rows of a project is in one of the given stages.

    :param stages: Ids or titles of the stages; ids once it is settled.
    :param min_fraction: From 0 (exclusive) to 1.
    """

    project_id: str
    stages: Sequence[str]
    min_fraction: float = 1.0
    settled: bool = False

    @property
    def question(self) -> Question:
        """What the next poll has to ask."""
        kind = StagesOfRowsQuestion if self.settled else ProjectQuestion
        return kind(project_id=self.project_id)

    @property
    def needs(self) -> None:
        """Every answer is enough."""

    def settle(self, record: ProjectRecord) -> ProgressCondition:
        """Find the stages.

        :raises InvalidArgumentError: The workflow has no such stage. The message lists its stages.
        """
        known = stages_in(record)
        ids = [stage.uuid for name in self.stages for stage in _stages_named(known, name)]
        return msgspec.structs.replace(self, stages=ids, settled=True)

    def judge(self, poll: Poll) -> Found | None:
        """Return the result if the condition is met. A project without rows never meets it."""
        answer: Counter[StageName | None] = poll.answer
        there, total = self._count(answer), answer.total()
        fraction = there / total if total else 0.0
        if fraction < self.min_fraction:  # not their product: 0.55 * 100 is a little more than 55
            return None
        by_stage: Counter[str] = Counter()
        for node, count in answer.items():  # several stages may have one title
            by_stage[node.title if node else ""] += count
        return {
            "project_id": self.project_id,
            "stage_ids": list(self.stages),
            "rows": total,
            "rows_in_stages": there,
            "fraction": fraction,
            "rows_by_stage": dict(by_stage),
        }

    def _count(self, answer: Counter[StageName | None]) -> int:
        return sum(count for node, count in answer.items() if node and node.uuid in self.stages)

    def describe(self, answer: Counter[StageName | None]) -> str:
        """Describe the state for the log."""
        return f"{self._count(answer)} of {answer.total()} label rows are in the stages."


class StatusCondition(msgspec.Struct, frozen=True, kw_only=True, tag="status"):
    """A project has one of the given statuses."""

    project_id: str
    statuses: Sequence[str]

    settled = True

    @property
    def question(self) -> Question:
        """What the next poll has to ask."""
        return ProjectQuestion(project_id=self.project_id)

    @property
    def needs(self) -> None:
        """Every answer is enough."""

    def settle(self, _: ProjectRecord, /) -> StatusCondition:
        """Return the same condition."""
        return self

    def judge(self, poll: Poll) -> Found | None:
        """Return the result if the condition is met."""
        answer: ProjectRecord = poll.answer
        if answer.status not in self.statuses:
            return None
        return {"project_id": self.project_id, "title": answer.title, "status": answer.status}

    def describe(self, answer: ProjectRecord) -> str:
        """Describe the state for the log."""
        return f"The status of the project is {answer.status}."


class EditedRowsCondition(msgspec.Struct, frozen=True, kw_only=True, tag="edited_rows"):
    """So many label rows were edited after a time.

    :param edited_after: ISO 8601 with an offset.
    :param which: Other fields of the `LabelRowFilter`, as JSON types.
    :param known: Rows edited after that time that do not count, unless they are edited again: their edit times, in
        Encord's format, by label hash.
    """

    project_id: str
    edited_after: str
    min_rows: int = 1
    which: Mapping[str, Any] = {}
    known: Mapping[str, str | None] = {}

    settled = True

    @property
    def question(self) -> Question:
        """What the next poll has to ask."""
        return EditedRowsQuestion(project_id=self.project_id, which=self.which)

    @property
    def needs(self) -> str:
        """The time after which rows are listed."""
        return self.edited_after

    def settle(self, _: ProjectRecord, /) -> EditedRowsCondition:
        """Return the same condition."""
        return self

    def judge(self, poll: Poll) -> Found | None:
        """Return the result if the condition is met."""
        rows = self._edited(poll.answer)
        if len(rows) < self.min_rows:
            return None
        return {
            "project_id": self.project_id,
            "edited_after": self.edited_after,
            "rows": len(rows),
            "label_hashes": [row.label_hash for row in rows[:MOST_IDS]],
            "last_edited_at": max((_edited_at(row) for row in rows), default=parse_time(self.edited_after)).isoformat(),
        }

    def _edited(self, answer: Sequence[LabelRowStamp]) -> list[LabelRowStamp]:
        after = parse_time(self.edited_after)
        return [
            row
            for row in answer
            if row.label_hash
            and row.last_edited_at
            and _edited_at(row) > after
            and self.known.get(row.label_hash, "") != row.last_edited_at
        ]

    def describe(self, answer: Sequence[LabelRowStamp]) -> str:
        """Describe the state for the log."""
        return f"{len(self._edited(answer))} label rows were edited after {self.edited_after}."


Condition: TypeAlias = TasksCondition | ProgressCondition | StatusCondition | EditedRowsCondition


def look(
    condition: Condition, memory: Memory, notice: Notice | None = None
) -> Flow[tuple[Condition, Found | None, str]]:
    """Poll once. Settle the condition first, if necessary.

    :param memory: Updated by a condition that depends on earlier polls.
    :param notice: Gets each question with its answer.
    :return: The settled condition, the result if it is met, and a description of the state for the log.
    """
    if not condition.settled:
        record = yield from ask(condition.question, [])
        if notice is not None:
            notice(condition.question, record)
        condition = condition.settle(record)
    answer = yield from ask(condition.question, [condition.needs])
    if notice is not None:
        notice(condition.question, answer)
    poll = Poll(answer, memory, (yield from Now()))
    return condition, condition.judge(poll), condition.describe(answer)


def remember(memory: Memory, task_ids: Collection[str], now: float) -> None:
    """Note the tasks that are in the stage now, and forget those that have left it."""
    there = set(task_ids)
    for task in [task for task in memory if task not in there]:
        del memory[task]
    for task in there:
        memory.setdefault(task, now)


def carried(memory: Memory) -> Memory:
    """The part of a memory to store: the tasks that were seen first, at most `MOST_CARRIED`."""
    first = sorted(memory.items(), key=lambda item: (item[1], item[0]))[:MOST_CARRIED]
    return dict(first)


def to_dictionary(condition: Condition) -> dict[str, Any]:
    """Convert a condition to JSON types."""
    plain: dict[str, Any] = msgspec.to_builtins(condition)
    return plain


def from_dictionary(stored: Any) -> Condition:
    """Convert the result of `to_dictionary` back.

    :raises InvalidArgumentError: It is not a condition, for example because another version of this package stored it.
    """
    try:
        return msgspec.convert(stored, Condition)  # type: ignore[no-any-return]
    except msgspec.ValidationError as error:
        raise InvalidArgumentError(
            f"The stored condition cannot be read: {error}. Another version of airflow-provider-encord may have stored "
            "it. Clear the task."
        ) from None


def _stages_named(known: Sequence[Stage], name: str) -> list[Stage]:
    """The stages with this title, or the one with this id. Several stages may have one title."""
    return [stage for stage in known if stage.title == name.strip()] or [choose_stage(known, name)]


def _edited_at(row: LabelRowStamp) -> datetime.datetime:
    return answered_time(str(row.last_edited_at), "last_edited_at")


def _iso(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")
