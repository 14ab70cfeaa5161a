"""Agents: functions that run on the tasks of agent stages. The work is in `airflow_provider_encord.agents`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_encord.assets import stage_uri
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.defaults import AGENT_BATCH_SIZE, AGENT_COMMIT_EVERY, MOST_TASKS_PER_COMMIT
from airflow_provider_encord.links import queue_url
from airflow_provider_encord.operators.arguments import (
    blank_to_none,
    parse_count,
    parse_ids,
    parse_positive_int,
    parse_text,
    parse_url,
    storage_path,
)
from airflow_provider_encord.operators.base import EncordBaseOperator, owner_of
from airflow_provider_encord.operators.literals import check_literals, up_to

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_encord.agents.execution import AgentExecution, StageResult

RAISE = "raise"
_MOST_CONCURRENCY = 1000


class AgentOperator(EncordBaseOperator):
    """Base of operators that run functions on the tasks of agent stages.

    :param project_id: Id of the project (templated).
    :param stage: Title or id of the agent stage (templated).
    :param batch_size: Maximum number of tasks of one run (templated). It does not limit `task_ids`.
    :param task_ids: Ids of the tasks to handle, such as a batch of `events.task_batches` (templated). Default: tasks
        of the stage. Tasks that have left the stage are counted as skipped.
    :param shard: Handle only the tasks of this shard, from 0, so that mapped task instances share a stage (templated).
    :param shards: Number of shards (templated). A task belongs to a shard by its data hash, at every attempt.
    :param on_error: ``"raise"`` (default) leaves tasks that failed in the stage and fails the task instance. Or the
        title or id of a pathway that such tasks take (templated).
    :param commit_every: After how many tasks results are committed, from 1 to 500 (templated). Default: 10.
    :param max_concurrency: How many calls of the function run at once (templated). Default: 8 for a coroutine function
        (``async def``), else 1. Other functions run in threads if it is more than 1.
    :param report: Path or URI of a JSON Lines file with one line for each task (templated). The schema ``report`` of
        `airflow_provider_encord.schemas` lists the fields. Lines of earlier attempts are kept. Only one task instance
        at a time may write it. Default: no report.
    :param cache: Path or URI of a directory for results of the function (templated). A result is stored before it is
        sent to Encord, and used as long as the labels of the task do not change, so that a retry does not call a paid
        model again. Results that are None are not stored. Default: no cache.
    :param cache_version: Change it to ignore stored results, such as the version of a model (templated).
    """

    template_fields: Sequence[str] = (
        "project_id",
        "stage",
        "batch_size",
        "task_ids",
        "shard",
        "shards",
        "on_error",
        "commit_every",
        "max_concurrency",
        "report",
        "cache",
        "cache_version",
        *EncordBaseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        project_id: str | None = None,
        stage: str | None = None,
        batch_size: int | str | None = AGENT_BATCH_SIZE,
        task_ids: Sequence[str] | str | None = None,
        shard: int | str | None = None,
        shards: int | str | None = None,
        on_error: str = RAISE,
        commit_every: int | str = AGENT_COMMIT_EVERY,
        max_concurrency: int | str | None = None,
        report: str | None = None,
        cache: str | None = None,
        cache_version: str | int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.project_id = project_id
        self.stage = stage
        self.batch_size = batch_size
        self.task_ids = task_ids
        self._has_batch = task_ids is not None
        self.shard = shard
        self.shards = shards
        self.on_error = on_error
        self.commit_every = commit_every
        self.max_concurrency = max_concurrency
        self.report = report
        self.cache = cache
        self.cache_version = cache_version
        check_literals(
            batch_size=(batch_size, parse_positive_int),
            shard=(shard, parse_count),
            shards=(shards, parse_positive_int),
            commit_every=(commit_every, up_to(MOST_TASKS_PER_COMMIT)),
            max_concurrency=(max_concurrency, up_to(_MOST_CONCURRENCY)),
            report=(report, parse_url),
            cache=(cache, parse_url),
        )

    def execution(self, context: Context, project_id: str, of_call: Mapping[str, Any]) -> AgentExecution:
        """Return what runs agents of a project as the arguments say.

        :param of_call: Arguments that replace those of the operator.
        """
        from airflow_provider_encord.agents.execution import agent_execution

        return agent_execution(
            self.client,
            self.hook.get_sdk_client,
            project_id,
            owner_of(context),
            selection=self._selection(of_call),
            spec=self._spec(),
            report=storage_path(self.report, "report") if blank_to_none(self.report) else None,
            cache=storage_path(self.cache, "cache") if blank_to_none(self.cache) else None,
            cache_version=parse_text(self.cache_version, "cache_version"),
        )

    def announced(self, context: Context, project_id: str, done: StageResult, report: str | None) -> dict[str, Any]:
        """Return the result of a stage, after adding it to the asset event of the stage."""
        result = {"project_id": project_id, **done.as_json(), "report": report}
        changed = any(done.counts[name] for name in ("moved", "routed", "labels_saved"))
        uri = stage_uri(self.client.settings.base_url, project_id, done.stage.uuid)
        self.record_asset_event(context, uri, result, changed=changed)
        self.remember_event(project_id, "agent", result, uri=report)
        return result

    def _spec(self) -> dict[str, Any]:
        way_out = parse_text(self.on_error, "on_error") or RAISE
        wanted = blank_to_none(self.max_concurrency)
        at_once = None if wanted is None else parse_positive_int(wanted, "max_concurrency", most=_MOST_CONCURRENCY)
        return {
            "on_error": None if way_out == RAISE else way_out,
            "commit_every": parse_positive_int(self.commit_every, "commit_every", most=MOST_TASKS_PER_COMMIT),
            "max_concurrency": at_once,
        }

    def _selection(self, of_call: Mapping[str, Any]) -> dict[str, Any]:
        shard = blank_to_none(of_call.get("shard", self.shard))
        shards = blank_to_none(of_call.get("shards", self.shards))
        return {
            "batch_size": None if self.batch_size is None else parse_positive_int(self.batch_size, "batch_size"),
            "task_ids": self._batch(of_call),
            "shard": None if shard is None else parse_count(shard, "shard"),
            "shards": None if shards is None else parse_positive_int(shards, "shards"),
        }

    def _batch(self, of_call: Mapping[str, Any]) -> list[str] | None:
        """The ids of the tasks; None if none were asked for. An empty template must not mean the whole stage."""
        if not self._has_batch and "task_ids" not in of_call:
            return None
        ids = parse_ids(of_call.get("task_ids", self.task_ids), "task_ids")
        if ids is None:
            raise InvalidArgumentError(
                "task_ids: it is empty (check the rendered template, or the task that returns it). Leave `task_ids` "
                "out to handle tasks of the stage."
            )
        return ids


class EncordAgentRunnerOperator(AgentOperator):
    """Run the functions of an existing runner of the library encord-agents, which stays unchanged.

    The functions that are registered with ``@runner.stage(...)`` run as with ``@task.encord_agent``, with what they ask
    for: ``AgentTask``, ``AgentStage``, ``LabelRowV2``, ``StorageItem``, ``Project`` and ``Depends``. The runner itself
    is not called: a task that fails does not cost the others, it is counted and reported, and the task instance fails.
    Where the code calls ``get_user_client`` of encord-agents, also when it makes the runner, it gets a client of the
    Airflow connection; environment variables with a key are not needed.

    Safe to repeat: each attempt reads the stages again and handles only tasks that are still there. Airflow's retries
    replace the ``num_retries`` of the runner. Labels are saved when the function returns them in a
    ``TaskAgentReturnStruct``; then labels that somebody edited meanwhile are not overwritten. Needs the extra
    ``agents`` and an SSH key. Encord API: ``workflow/stages/.../tasks`` and ``.../actions`` (v2), ``labelrow`` (v1).
    The other arguments are those of `AgentOperator`.

    :param runner: Where the ``Runner`` or ``QueueRunner`` is (templated): a module and a name
        (``"my_package.agents:runner"``), or the path of a script, with the name if the script makes several
        (``"/data/agents/prelabel.py"``, ``"/data/agents/prelabel.py:runner"``). The code runs in the task, not when the
        DAG is parsed, and not as ``__main__``. Or the runner itself.
    :param project_id: Id of the project (templated). Default: the project of the runner.
    :param stage: Title or id of the only stage to run (templated). Default: all stages of the runner, in its order.
    :param batch_size: Maximum number of tasks of each stage in one run (templated). Default: no maximum.
    :return: ``{"project_id", "stages", "tasks", "moved", "left", "routed", "skipped", "conflict", "failed",
        "labels_saved", "cached", "report"}``: sums, and in ``stages`` the numbers of each stage.
    :raises AirflowFailException: The runner cannot be loaded, it has no function for the stage, a stage does not exist,
        or Encord rejects the credential.
    :raises AirflowException: Tasks failed. A retry handles what is left.
    """

    template_fields: Sequence[str] = ("runner", *AgentOperator.template_fields)
    shallow_copy_attrs: Sequence[str] = ("_runner",)

    def __init__(self, *, runner: str | os.PathLike[str] | Any, batch_size: int | str | None = None, **kwargs: Any):
        super().__init__(batch_size=batch_size, **kwargs)
        is_runner = any(kind.__module__.partition(".")[0] == "encord_agents" for kind in type(runner).__mro__)
        self.runner = None if is_runner else os.fspath(runner) if isinstance(runner, os.PathLike) else runner
        self._runner = runner if is_runner else None  # not templated: Airflow would call it

    def _execute(self, context: Context) -> dict[str, Any]:
        from airflow_provider_encord.agents.runners import loaded_runner

        with loaded_runner(self._runner or self._path(), self.hook.get_sdk_client) as runner:
            project = self.client.project(runner.project_id(parse_text(self.project_id, "project_id")))
            self.push_link(context, queue_url, project.id)
            agents = runner.agents(project, parse_text(self.stage, "stage"))
            execution = self.execution(context, project.id, {})
            results = execution.run(agents)
        failures = [result.failure for result in results if result.failure is not None]
        if failures:
            raise AirflowException(" ".join(failures))
        for result in results:
            self.announced(context, project.id, result, execution.report)
        return {
            "project_id": project.id,
            "stages": [result.as_json() for result in results],
            **execution.total(results),
            "report": execution.report,
        }

    def _path(self) -> str:
        path = parse_text(self.runner, "runner")
        if path is None:
            raise InvalidArgumentError("runner: it is empty. Pass a module and a name, or the path of a script.")
        return path
