"""``@task.encord_agent``: a function that runs on the tasks of an agent stage.

This module only translates between Airflow and `airflow_provider_encord.agents`, which does the work.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowException, DecoratedOperator, task_decorator_factory

from airflow_provider_encord.agents.parameters import FunctionError, parameters_of
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.links import queue_url
from airflow_provider_encord.operators.agents import AgentOperator
from airflow_provider_encord.operators.arguments import blank_to_none, parse_text
from airflow_provider_encord.operators.literals import InvalidLiteralError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

OF_THE_CALL = ("project_id", "stage", "stage_id", "task_ids", "shard", "shards")
"""Arguments that the call of the decorated function may set, so that ``expand`` and ``expand_kwargs`` can map them."""


class EncordAgentDecoratedOperator(DecoratedOperator, AgentOperator):
    """Run a function on the tasks of an agent stage. Use it as ``@task.encord_agent``.

    For each task that is in the stage, the function gets what its annotations ask for (see
    `airflow_provider_encord.agents`), and returns the pathway that the task takes, an `AgentResult` with labels or a
    priority, or None to leave the task. Results are committed in groups: labels are saved, then priorities are set,
    then the tasks move.

    Safe to repeat: each attempt reads the stage again and handles only tasks that are still there, with new inputs. A
    task that fails does not cost the others: their results are committed, and then the task instance fails and is
    retried for what is left. Labels that somebody edits while the function runs are not overwritten; such a task is
    reported as a conflict and left. Needs an SSH key. Encord API: ``workflow/stages/.../tasks`` and ``.../actions``
    (v2), ``labelrow`` (v1). The arguments are those of `AgentOperator`.

    :return: ``{"project_id", "stage_id", "stage", "tasks", "moved", "left", "routed", "skipped", "conflict", "failed",
        "labels_saved", "cached", "report"}``. The numbers from ``moved`` to ``failed`` add up to ``tasks``; ``routed``
        are those that failed and took the pathway of `on_error`.
    :raises AirflowFailException: The stage or the pathway of `on_error` does not exist, or Encord rejects the
        credential.
    :raises AirflowException: Tasks failed. A retry handles what is left.
    """

    custom_operator_name = "@task.encord_agent"
    template_fields: Sequence[str] = (*DecoratedOperator.template_fields, *AgentOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {"op_args": "py", "op_kwargs": "py"}

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ):
        if not kwargs.get("_airflow_mapped_validation_only"):
            _require_values(python_callable, op_args or (), op_kwargs or {})
        super().__init__(python_callable=python_callable, op_args=op_args, op_kwargs=op_kwargs, **kwargs)

    def _execute(self, context: Context) -> dict[str, Any]:
        from airflow_provider_encord.agents.execution import Agent

        of_call, arguments = self._arguments()
        project = self.client.project(blank_to_none(of_call.get("project_id", self.project_id)))
        self.push_link(context, queue_url, project.id)
        agent = Agent(
            stage=self._stage(of_call),
            function=self._function,
            parameters=parameters_of(self._function),
            arguments=arguments,
        )
        execution = self.execution(context, project.id, of_call)
        (done,) = execution.run([agent])
        if done.failure is not None:
            raise AirflowException(done.failure)
        return self.announced(context, project.id, done, execution.report)

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
        stage = parse_text(of_call.get("stage_id", of_call.get("stage", self.stage)), "stage")
        if stage is None:
            raise InvalidArgumentError("stage: it is empty. Pass the title or id of an agent stage.")
        return stage


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
