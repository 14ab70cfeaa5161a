"""``@task.encord_agent``: a function that runs on the tasks of an agent stage.

This module only translates between Airflow and `airflow_provider_encord.agents`, which does the work.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowException, DecoratedOperator, task_decorator_factory

from airflow_provider_encord.agents.parameters import FunctionError, Parameters, parameters_of
from airflow_provider_encord.assets import stage_uri
from airflow_provider_encord.defaults import AGENT_BATCH_SIZE, AGENT_COMMIT_EVERY, MOST_TASKS_PER_COMMIT
from airflow_provider_encord.links import project_url
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
from airflow_provider_encord.operators.literals import InvalidLiteralError, check_literals, up_to

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_encord.agents.agent import AgentSpec
    from airflow_provider_encord.agents.cache import ResultCache
    from airflow_provider_encord.agents.calling import AgentFunction
    from airflow_provider_encord.agents.choosing import Selection
    from airflow_provider_encord.agents.inputs import InputReader

RAISE = "raise"
OF_THE_CALL = ("project_id", "stage", "stage_id", "task_ids", "shard", "shards")
"""Arguments that the call of the decorated function may set, so that ``expand`` and ``expand_kwargs`` can map them."""

_COROUTINES = 8
_MOST_CONCURRENCY = 1000
_OF_AIRFLOW = re.compile(r"^unusual_prefix_[0-9a-f]+_")  # Airflow names the modules of DAGs by their path


class EncordAgentDecoratedOperator(DecoratedOperator, EncordBaseOperator):
    """Run a function on the tasks of an agent stage. Use it as ``@task.encord_agent``.

    For each task that is in the stage, the function gets what its annotations ask for (see
    `airflow_provider_encord.agents`), and returns the pathway that the task takes, an `AgentResult` with labels or a
    priority, or None to leave the task. Results are committed in groups: labels are saved, then priorities are set,
    then the tasks move.

    Safe to repeat: each attempt reads the stage again and handles only tasks that are still there, with new inputs. A
    task that fails does not cost the others: their results are committed, and then the task instance fails and is
    retried for what is left. Labels that somebody edits while the function runs are not overwritten; such a task is
    reported as a conflict and left. Needs an SSH key. Encord API: ``workflow/stages/.../tasks`` and ``.../actions``
    (v2), ``labelrow`` (v1).

    :param project_id: Id of the project (templated).
    :param stage: Title or id of the agent stage (templated).
    :param batch_size: Maximum number of tasks of one run (templated). Default: 100. It does not limit `task_ids`.
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
    :param encord_conn_id: Id of the Airflow connection (templated).
    :return: ``{"project_id", "stage_id", "stage", "tasks", "moved", "left", "routed", "skipped", "conflict", "failed",
        "labels_saved", "cached", "report"}``. The numbers from ``moved`` to ``failed`` add up to ``tasks``; ``routed``
        are those that failed and took the pathway of `on_error`.
    :raises AirflowFailException: The stage or the pathway of `on_error` does not exist, or Encord rejects the
        credential.
    :raises AirflowException: Tasks failed. A retry handles what is left.
    """

    custom_operator_name = "@task.encord_agent"
    template_fields: Sequence[str] = (
        *DecoratedOperator.template_fields,
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
        "encord_conn_id",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"op_args": "py", "op_kwargs": "py"}

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        project_id: str | None = None,
        stage: str | None = None,
        batch_size: int | str = AGENT_BATCH_SIZE,
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
        if not kwargs.get("_airflow_mapped_validation_only"):
            _require_values(python_callable, op_args or (), op_kwargs or {})
        super().__init__(python_callable=python_callable, op_args=op_args, op_kwargs=op_kwargs, **kwargs)
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

    def _execute(self, context: Context) -> dict[str, Any]:
        from airflow_provider_encord.agents.agent import AgentRun
        from airflow_provider_encord.agents.inputs import InputReader
        from airflow_provider_encord.agents.report import AgentReport
        from airflow_provider_encord.agents.sdk_rows import SdkRows

        of_call, arguments = self._arguments()
        project = self.client.project(blank_to_none(of_call.get("project_id", self.project_id)))
        self.push_link(context, project_url, project.id)
        stage = project.stage(self._stage(of_call))
        spec = self._spec(of_call)
        parameters = parameters_of(self._function)
        reader = InputReader(
            self.client,
            project.id,
            parameters.inputs,
            contents=bool(blank_to_none(self.cache)),
            sdk=SdkRows(self.hook.get_sdk_client, project.id),
        )
        function = self._agent_function(parameters, arguments, reader, project.id)
        path = storage_path(self.report, "report") if blank_to_none(self.report) else None
        report = AgentReport(path, owner_of(context))
        try:
            run = AgentRun(self.client, stage, spec, report)
            counts = run.run(function, reader)
            report.finish()
        finally:
            report.release()
        result = {
            "project_id": project.id,
            "stage_id": stage.uuid,
            "stage": stage.title,
            **counts,
            "report": str(path) if path else None,
        }
        if counts["failed"]:
            raise AirflowException(run.failure())
        self.record_asset_event(context, stage_uri(self.client.settings.base_url, project.id, stage.uuid), result)
        return result

    @property
    def _function(self) -> Callable[..., Any]:
        """The user's function."""
        function: Callable[..., Any] = self.python_callable.__wrapped__  # type: ignore[attr-defined]
        return function

    def _arguments(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The arguments of the call: those of this operator, and those of the function, by name."""
        given = _named(self.python_callable, self.op_args, self.op_kwargs)
        of_call = {name: given[name] for name in OF_THE_CALL if name in given}
        others = parameters_of(self._function).others
        open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in others.values())
        return of_call, {
            name: value for name, value in given.items() if name in others or (open_ended and name not in OF_THE_CALL)
        }

    def _stage(self, of_call: Mapping[str, Any]) -> str:
        from airflow_provider_encord.client.errors import InvalidArgumentError

        stage = parse_text(of_call.get("stage_id", of_call.get("stage", self.stage)), "stage")
        if stage is None:
            raise InvalidArgumentError("stage: it is empty. Pass the title or id of an agent stage.")
        return stage

    def _spec(self, of_call: Mapping[str, Any]) -> AgentSpec:
        from airflow_provider_encord.agents.agent import AgentSpec

        way_out = parse_text(self.on_error, "on_error") or RAISE
        concurrency = blank_to_none(self.max_concurrency)
        if concurrency is None:
            concurrency = _COROUTINES if inspect.iscoroutinefunction(inspect.unwrap(self._function)) else 1
        return AgentSpec(
            selection=self._selection(of_call),
            on_error=None if way_out == RAISE else way_out,
            commit_every=parse_positive_int(self.commit_every, "commit_every", most=MOST_TASKS_PER_COMMIT),
            max_concurrency=parse_positive_int(concurrency, "max_concurrency", most=_MOST_CONCURRENCY),
        )

    def _selection(self, of_call: Mapping[str, Any]) -> Selection:
        from airflow_provider_encord.agents.choosing import Selection

        shard = blank_to_none(of_call.get("shard", self.shard))
        shards = blank_to_none(of_call.get("shards", self.shards))
        return Selection(
            batch_size=parse_positive_int(self.batch_size, "batch_size"),
            task_ids=self._batch(of_call),
            shard=None if shard is None else parse_count(shard, "shard"),
            shards=None if shards is None else parse_positive_int(shards, "shards"),
        )

    def _batch(self, of_call: Mapping[str, Any]) -> list[str] | None:
        """The ids of the tasks; None if none were asked for. An empty template must not mean the whole stage."""
        from airflow_provider_encord.client.errors import InvalidArgumentError

        if not self._has_batch and "task_ids" not in of_call:
            return None
        ids = parse_ids(of_call.get("task_ids", self.task_ids), "task_ids")
        if ids is None:
            raise InvalidArgumentError(
                "task_ids: it is empty (check the rendered template, or the task that returns it). Leave `task_ids` "
                "out to handle tasks of the stage."
            )
        return ids

    def _agent_function(
        self, parameters: Parameters, arguments: Mapping[str, Any], reader: InputReader, project_id: str
    ) -> AgentFunction:
        from airflow_provider_encord.agents.calling import AgentFunction

        return AgentFunction(
            self._function,
            parameters,
            arguments,
            reader=reader,
            settings=self.client.settings,
            cache=self._cache(arguments, reader, project_id),
        )

    def _cache(self, arguments: Mapping[str, Any], reader: InputReader, project_id: str) -> ResultCache | None:
        from airflow_provider_encord.agents.cache import ARGUMENT, ResultCache

        if not blank_to_none(self.cache):
            return None
        module = _OF_AIRFLOW.sub("", self._function.__module__)
        about = {
            "function": f"{module}.{self._function.__qualname__}",
            "cache_version": parse_text(self.cache_version, "cache_version"),
            "arguments": dict(arguments),
            "project_id": project_id,
        }
        return ResultCache(storage_path(self.cache, ARGUMENT), about, reader)


def encord_agent_task(python_callable: Callable[..., Any] | None = None, **kwargs: Any) -> Any:
    """Run a function on the tasks of an agent stage: ``@task.encord_agent(project_id=..., stage=...)``.

    :param python_callable: The function.
    :param kwargs: The arguments of `EncordAgentDecoratedOperator`, and of every Airflow task.
    :raises AirflowFailException: The function cannot be called with what is known of a task. Raised while the DAG is
        parsed.
    """
    decorate: Any = task_decorator_factory(
        python_callable=None,
        multiple_outputs=False,
        decorated_operator_class=EncordAgentDecoratedOperator,
        **kwargs,
    )
    if python_callable is not None:
        return decorate(_for_airflow(python_callable))
    return lambda function: decorate(_for_airflow(function))


def _for_airflow(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with the signature of its calls in a DAG: without what each task fills, with `OF_THE_CALL`."""

    @functools.wraps(function)
    def call(*arguments: Any, **more: Any) -> Any:
        return function(*arguments, **more)

    try:
        others = parameters_of(function).others
    except FunctionError as error:
        raise InvalidLiteralError(str(error)) from None
    own = [others[name] for name in others if others[name].kind is not inspect.Parameter.VAR_KEYWORD]
    last = [others[name] for name in others if others[name].kind is inspect.Parameter.VAR_KEYWORD]
    ours = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
        for name in OF_THE_CALL
        if name not in others
    ]
    call.__signature__ = inspect.Signature([*own, *ours, *last])  # type: ignore[attr-defined]
    call.__annotations__ = {}  # Airflow would read the type of the result from them
    return call


def _named(function: Callable[..., Any], args: Collection[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by the names of the parameters, also those that only ``**`` takes."""
    bound = inspect.signature(function).bind_partial(*args, **kwargs)
    named = dict(bound.arguments)
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            named |= named.pop(name, {})
    return named


def _require_values(function: Callable[..., Any], args: Collection[Any], kwargs: Mapping[str, Any]) -> None:
    """:raises InvalidLiteralError: A parameter of the function gets no value."""
    try:
        parameters_of(function.__wrapped__).require(_named(function, args, kwargs))  # type: ignore[attr-defined]
    except FunctionError as error:
        raise InvalidLiteralError(str(error)) from None
