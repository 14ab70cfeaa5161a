"""Running a function on the tasks of an agent stage: choose tasks, read inputs, call, commit in groups."""

from __future__ import annotations

import collections
import logging
from collections.abc import Iterator, Sequence

import msgspec

from airflow_provider_encord.agents.calling import AgentFunction
from airflow_provider_encord.agents.choosing import Selection, choose, require_agent_stage
from airflow_provider_encord.agents.committing import Committed, Committer
from airflow_provider_encord.agents.inputs import InputReader, Prepared
from airflow_provider_encord.agents.report import OPERATION, OUTCOMES, AgentLine, AgentReport
from airflow_provider_encord.agents.results import Answer
from airflow_provider_encord.agents.running import as_coroutines, in_threads, in_turn
from airflow_provider_encord.client.api.projects import Pathway
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.client.resources.workflow import WorkflowStage
from airflow_provider_encord.counts import require_sum
from airflow_provider_encord.reports import FAILED, SCHEMA_VERSION, SKIPPED

log = logging.getLogger(__name__)

_COROUTINES = 8  # at once
_NAMED = 20  # of the tasks that failed, in the message
LABELS_SAVED, CACHED = "labels_saved", "cached"


class AgentSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How to run an agent.

    :param on_error: The pathway of tasks that failed; None leaves them in the stage.
    :param commit_every: After how many tasks results are committed.
    :param max_concurrency: How many calls of the function run at once; None for the default of its kind.
    """

    selection: Selection
    on_error: str | None = None
    commit_every: int
    max_concurrency: int | None = None


class AgentRun:
    """One run of an agent on a stage.

    :param stage: The stage.
    :raises InvalidArgumentError: It is not an agent stage, or the pathway of `on_error` does not exist.
    """

    def __init__(self, client: EncordClient, stage: WorkflowStage, spec: AgentSpec, report: AgentReport):
        require_agent_stage(stage)
        self._client, self._stage, self._spec, self._report = client, stage, spec, report
        self._way_out: Pathway | None = stage.pathway(spec.on_error) if spec.on_error is not None else None
        self.counts: collections.Counter[str] = collections.Counter()
        self.failures: list[AgentLine] = []

    def run(self, function: AgentFunction, reader: InputReader) -> dict[str, int]:
        """Handle the tasks.

        :return: The numbers of tasks by outcome, which add up to ``tasks``; ``labels_saved`` and ``cached`` are numbers
            of tasks, too.
        :raises EncordError: Encord cannot be reached, or refuses. What was committed stays.
        """
        chosen = choose(self._stage, self._spec.selection)
        log.info("Stage %s: %d tasks to handle.", self._stage.title, len(chosen.tasks))
        self._record([self._gone(uuid) for uuid in chosen.gone])
        self.counts[SKIPPED] += len(chosen.gone)
        if chosen.tasks:
            reader.read_shared()
        committer = Committer(self._client, self._stage, reader, self._way_out)
        for window in chunks(chosen.tasks, max(self._spec.commit_every, self._limit(function))):
            self._report.check()
            self._handle(reader.read(list(window)), function, committer)
        total = len(chosen.tasks) + len(chosen.gone)
        outcomes = {outcome: self.counts[outcome] for outcome in OUTCOMES}
        require_sum("The agent", total, **outcomes)
        return {"tasks": total, **outcomes, LABELS_SAVED: self.counts[LABELS_SAVED], CACHED: self.counts[CACHED]}

    def failure(self) -> str:
        """The message about the tasks that failed, with the first of them by name."""
        counts = ", ".join(f"{self.counts[outcome]} {outcome}" for outcome in OUTCOMES if self.counts[outcome])
        named = " ".join(f"Task {line.id} ({line.source}): {line.error}." for line in self.failures)
        return (
            f"{self.counts[FAILED]} tasks failed and stay in stage {self._stage.title!r} ({counts}). The results of "
            f"the others are committed; a retry handles only what is left. {named}"
        )

    def _handle(self, prepared: Sequence[Prepared], function: AgentFunction, committer: Committer) -> None:
        """Call the function, and commit each time that enough answers are there."""
        waiting: list[Answer] = []
        for answer in self._answers(prepared, function):
            self._report.keep()
            waiting.append(answer)
            if len(waiting) >= self._spec.commit_every:
                self._commit(waiting, committer)
                waiting = []
        if waiting:
            self._commit(waiting, committer)

    def _answers(self, prepared: Sequence[Prepared], function: AgentFunction) -> Iterator[Answer]:
        limit = self._limit(function)
        if function.is_async:
            return as_coroutines(prepared, function.answer_async, limit)
        return in_threads(prepared, function.answer, limit) if limit > 1 else in_turn(prepared, function.answer)

    def _limit(self, function: AgentFunction) -> int:
        return self._spec.max_concurrency or (_COROUTINES if function.is_async else 1)

    def _commit(self, answers: Sequence[Answer], committer: Committer) -> None:
        self._report.check()
        tasks = [Committed(answer=answer) for answer in answers]
        try:
            committer.commit(tasks)
        finally:
            done = [task for task in tasks if task.outcome]
            for task in done:
                self.counts[task.outcome] += 1
                self.counts[LABELS_SAVED] += task.labels_saved
                self.counts[CACHED] += task.answer.cached
            self._record([self._line(task) for task in done])
        log.info("Committed %d tasks: %s.", len(done), ", ".join(f"{n} {name}" for name, n in self._so_far()))

    def _so_far(self) -> list[tuple[str, int]]:
        return [(name, self.counts[name]) for name in OUTCOMES if self.counts[name]]

    def _record(self, lines: Sequence[AgentLine]) -> None:
        failed = [line for line in lines if line.outcome == FAILED and line.pathway is None]
        self.failures += failed[: max(0, _NAMED - len(self.failures))]
        self._report.take(lines)

    def _line(self, done: Committed) -> AgentLine:
        task = done.answer.prepared.task
        return AgentLine(
            schema_version=SCHEMA_VERSION,
            operation=OPERATION,
            source=task.data_title,
            id=task.uuid,
            outcome=OUTCOMES[done.outcome],
            error=done.error,
            data_hash=task.data_hash,
            stage_id=self._stage.uuid,
            pathway=done.pathway.title if done.pathway else None,
            labels_saved=done.labels_saved,
            kept=done.kept,
            priority=done.result.priority,
            cached=done.answer.cached,
        )

    def _gone(self, uuid: str) -> AgentLine:
        return AgentLine(
            schema_version=SCHEMA_VERSION,
            operation=OPERATION,
            source=uuid,
            id=uuid,
            outcome=SKIPPED,
            error="it is not in the stage",
            data_hash=None,
            stage_id=self._stage.uuid,
        )
