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
from airflow_provider_encord.client.api.workflow import choose_pathway
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.client.flows.workflow_actions import TasksInStage, still_in_stage
from airflow_provider_encord.client.resources.workflow import WorkflowStage
from airflow_provider_encord.client.web_app import label_editor_url
from airflow_provider_encord.counts import require_sum
from airflow_provider_encord.progress import ProgressLogger
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
        self._way_out: Pathway | None = None
        if spec.on_error is not None:
            self._way_out = choose_pathway(stage.record, spec.on_error, argument="on_error")
        self.counts: collections.Counter[str] = collections.Counter()
        self.failures: list[AgentLine] = []

    def run(self, function: AgentFunction, reader: InputReader) -> dict[str, int]:
        """Handle the tasks.

        :return: The numbers of tasks by outcome, which add up to ``tasks``; ``labels_saved`` and ``cached`` are numbers
            of tasks, too.
        :raises EncordError: Encord cannot be reached, or refuses. What was committed stays.
        """
        self._settle()
        chosen = choose(self._stage, self._spec.selection)
        log.info("Stage %s: %d tasks to handle.", self._stage.title, len(chosen.tasks))
        self._record([self._gone(uuid) for uuid in chosen.gone])
        self.counts[SKIPPED] += len(chosen.gone)
        if chosen.tasks:
            reader.read_shared()
        self._progress = ProgressLogger("tasks", len(chosen.tasks), log=log.info)
        committer = Committer(self._client, self._stage, reader, self._about_to_move, self._way_out)
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
        named = " ".join(f"Task {line.id} ({line.source}): {_sentence(str(line.error))}" for line in self.failures)
        return (
            f"{self.counts[FAILED]} tasks failed and stay in stage {self._stage.title!r} ({counts}). The results of "
            f"the others are committed; a retry handles only what is left. {named}"
        )

    def _settle(self) -> None:
        """Report the tasks that an earlier attempt may have moved, if they have left the stage.

        Encord moves all tasks of a request or none. So they were moved if none is left, and those that are where their
        pathway leads.
        """
        lines = [line for line in self._report.in_doubt if line.stage_id == self._stage.uuid]
        if not lines:
            return
        there = self._among(self._stage.uuid, lines)
        gone = [line for line in lines if str(line.id) not in there]
        moved = self._arrived(gone) if there else {str(line.id) for line in gone}
        unknown = "it left the stage while an earlier attempt was about to move it"
        self._record(
            [
                line
                if str(line.id) in moved
                else msgspec.structs.replace(line, outcome=SKIPPED, error=unknown, pathway=None)
                for line in gone
            ]
        )
        log.info("An earlier attempt ended before it could report %d tasks; %d were moved.", len(lines), len(moved))

    def _arrived(self, lines: Sequence[AgentLine]) -> set[str]:
        """The tasks that are in the stage to which their pathway leads."""
        ways = {pathway.title: pathway.destination_uuid for pathway in self._stage.pathways}
        by_stage: dict[str, list[AgentLine]] = collections.defaultdict(list)
        for line in lines:
            to = ways.get(str(line.pathway))
            if to is not None:
                by_stage[to].append(line)
        return set().union(*(self._among(to, some) for to, some in by_stage.items()))

    def _among(self, stage: str, lines: Sequence[AgentLine]) -> set[str]:
        """The tasks that are in a stage now."""
        uuids = [str(line.id) for line in lines]
        data = {str(line.id): line.data_hash for line in lines if line.data_hash}
        tasks = TasksInStage(project=self._stage.project, stage=stage, uuids=uuids, data_hashes=data)
        return self._client.run(still_in_stage(tasks, uuids))

    def _about_to_move(self, tasks: Sequence[Committed]) -> None:
        self._report.sending([self._line(task, task.outcome_if_moved) for task in tasks])

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
            self._record([self._line(task, task.outcome) for task in done])
        log.info("Committed %d tasks: %s.", len(done), ", ".join(f"{n} {name}" for name, n in self._so_far()))
        self._progress.add(len(done))

    def _so_far(self) -> list[tuple[str, int]]:
        return [(name, self.counts[name]) for name in OUTCOMES if self.counts[name]]

    def _record(self, lines: Sequence[AgentLine]) -> None:
        failed = [line for line in lines if line.outcome == FAILED and line.pathway is None]
        self.failures += failed[: max(0, _NAMED - len(self.failures))]
        self._report.take(lines)

    def _line(self, done: Committed, outcome: str) -> AgentLine:
        task = done.answer.prepared.task
        return AgentLine(
            schema_version=SCHEMA_VERSION,
            operation=OPERATION,
            source=task.data_title,
            id=task.uuid,
            outcome=OUTCOMES[outcome],
            error=done.error,
            data_hash=task.data_hash,
            stage_id=self._stage.uuid,
            pathway=done.pathway.title if done.pathway else None,
            labels_saved=done.labels_saved,
            kept=done.kept,
            priority=done.result.priority,
            cached=done.answer.cached,
            url=self._address(task.data_hash, done),
        )

    def _address(self, data_hash: str, done: Committed) -> str | None:
        """Where the task is in Encord's web app now."""
        stage_id = done.pathway.destination_uuid if done.pathway else self._stage.uuid
        if done.outcome == SKIPPED:
            stage_id = None
        return label_editor_url(self._client.settings.link_base, self._stage.project, data_hash, stage_id=stage_id)

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


def _sentence(text: str) -> str:
    """The text with a full stop."""
    return text if text.endswith(".") else f"{text}."
