"""Running one or several agents of a project: what their operators call."""

from __future__ import annotations

import collections
import contextlib
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.agents.agent import AgentRun, AgentSpec
from airflow_provider_encord.agents.cache import ResultCache
from airflow_provider_encord.agents.calling import AgentFunction
from airflow_provider_encord.agents.choosing import Selection
from airflow_provider_encord.agents.dependencies import Dependencies, client_for_encord_agents
from airflow_provider_encord.agents.inputs import InputReader
from airflow_provider_encord.agents.parameters import Parameters, named
from airflow_provider_encord.agents.report import AgentReport
from airflow_provider_encord.agents.sdk_objects import RowArguments, SdkObjects
from airflow_provider_encord.attempts import Owner
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.resources.workflow import WorkflowStage
from airflow_provider_encord.reports import FAILED
from airflow_provider_encord.storage_paths import StoragePath

_OF_AIRFLOW = re.compile(r"^unusual_prefix_[0-9a-f]+_")  # Airflow names the modules of DAGs by their path


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A function, and the stage whose tasks it handles.

    :param stage: Title or id of the stage.
    :param arguments: The values of parameters that are the same for all tasks, by name.
    :param rows: How label rows of Encord's SDK are read.
    :param saves_edits: Whether labels that the function got and edited are saved although it does not return them.
    """

    stage: str
    function: Callable[..., Any]
    parameters: Parameters
    arguments: Mapping[str, Any] = {}
    rows: RowArguments | None = None
    saves_edits: bool = True

    @property
    def name(self) -> str:
        """The name of the function, which is the same in all processes."""
        function = named(self.function)
        return f"{_OF_AIRFLOW.sub('', function.__module__)}.{function.__qualname__}"


class AgentOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to run agents.

    :param report: Path of the report; None writes none.
    :param cache: Path of the directory of stored results; None stores none.
    :param cache_version: Part of what a stored result depends on.
    """

    spec: AgentSpec
    report: StoragePath | None = None
    cache: StoragePath | None = None
    cache_version: str | None = None


class StageResult(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in a stage.

    :param counts: Numbers of tasks, as `AgentRun.run` returns them.
    :param failure: The message about tasks that failed; None if none did.
    """

    stage: WorkflowStage
    counts: dict[str, int]
    failure: str | None

    def as_json(self) -> dict[str, Any]:
        """The result for an XCom."""
        return {"stage_id": self.stage.uuid, "stage": self.stage.title, **self.counts}


class AgentExecution:
    """Runs agents of a project, one after the other.

    :param sdk_client: Makes a client of Encord's SDK; called when a function needs it.
    :param owner: The task that writes the report.
    """

    def __init__(
        self,
        client: EncordClient,
        sdk_client: Callable[[], Any],
        project_id: str,
        options: AgentOptions,
        owner: Owner,
    ):
        self._client, self._project_id, self._options, self._owner = client, project_id, options, owner
        self._sdk_client = functools.cache(sdk_client)  # reading a connection can be a request

    @property
    def report(self) -> str | None:
        """The path of the report, as text."""
        return None if self._options.report is None else str(self._options.report)

    def run(self, agents: Sequence[Agent]) -> list[StageResult]:
        """Run the agents. All stages and functions are checked before the first task.

        :raises InvalidArgumentError: A stage, a pathway or a parameter does not exist.
        :raises EncordError: Encord cannot be reached, or refuses. What was committed stays.
        """
        project = self._client.project(self._project_id)
        stages = [project.stage(agent.stage) for agent in agents]
        report = AgentReport(self._options.report, self._owner)
        try:
            runs = [AgentRun(self._client, stage, self._options.spec, report) for stage in stages]
            with contextlib.ExitStack() as stack:
                if any(agent.parameters.depends or not agent.saves_edits for agent in agents):
                    stack.enter_context(client_for_encord_agents(self._sdk_client))
                functions = [self._function(agent, stage) for agent, stage in zip(agents, stages, strict=True)]
                results = [
                    _result(stage, run, run.run(function, reader))
                    for stage, run, (function, reader) in zip(stages, runs, functions, strict=True)
                ]
            report.finish()
        finally:
            report.release()
        return results

    @staticmethod
    def total(results: Sequence[StageResult]) -> dict[str, int]:
        """The sums of the numbers of several stages."""
        sums: collections.Counter[str] = collections.Counter()
        for result in results:
            sums.update(result.counts)
        return dict(sums)

    def _function(self, agent: Agent, stage: WorkflowStage) -> tuple[AgentFunction, InputReader]:
        sdk = SdkObjects(self._sdk_client, self._project_id, stage.uuid, agent.rows)
        dependencies = Dependencies(agent.function, sdk) if agent.parameters.depends else None
        inputs = agent.parameters.inputs | (dependencies.inputs if dependencies else frozenset())
        contents = self._options.cache is not None
        reader = InputReader(self._client, self._project_id, inputs, contents=contents, sdk=sdk)
        function = AgentFunction(
            agent.function,
            agent.parameters,
            agent.arguments,
            reader=reader,
            client=self._client,
            cache=self._cache(agent, stage, reader),
            dependencies=dependencies,
            saves_edits=agent.saves_edits,
        )
        return function, reader

    def _cache(self, agent: Agent, stage: WorkflowStage, reader: InputReader) -> ResultCache | None:
        if self._options.cache is None:
            return None
        about = {
            "function": agent.name,
            "cache_version": self._options.cache_version,
            "arguments": dict(agent.arguments),
            "project_id": self._project_id,
            "stage_id": stage.uuid,
        }
        return ResultCache(self._options.cache, about, reader)


def _result(stage: WorkflowStage, run: AgentRun, counts: dict[str, int]) -> StageResult:
    return StageResult(stage=stage, counts=counts, failure=run.failure() if counts[FAILED] else None)


def agent_execution(
    client: EncordClient,
    sdk_client: Callable[[], Any],
    project_id: str,
    owner: Owner,
    *,
    selection: Mapping[str, Any],
    spec: Mapping[str, Any],
    **options: Any,
) -> AgentExecution:
    """Make an execution from the arguments of an operator.

    :param selection: The fields of `Selection`.
    :param spec: The other fields of `AgentSpec`.
    :param options: The other fields of `AgentOptions`.
    """
    made = AgentOptions(spec=AgentSpec(selection=Selection(**selection), **spec), **options)
    return AgentExecution(client, sdk_client, project_id, made, owner)
