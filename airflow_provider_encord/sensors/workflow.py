"""Sensors on workflow stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.links import queue_url
from airflow_provider_encord.operators.arguments import (
    blank_to_none,
    literal_word,
    parse_count,
    parse_positive_int,
    parse_seconds,
    parse_text,
)
from airflow_provider_encord.operators.literals import InvalidLiteralError, check_literals, is_literal
from airflow_provider_encord.sensors.base import EncordBaseSensor

if TYPE_CHECKING:
    from airflow_provider_encord.waits.conditions import TasksCondition

_LIMITS = "min_tasks", "max_tasks", "max_wait_seconds"


class EncordTasksSensor(EncordBaseSensor):
    """Wait until a workflow stage has enough tasks, or few enough, or until a task has waited there for too long.

    Pass at least one of `min_tasks`, `max_tasks` and `max_wait_seconds`. With `min_tasks` and `max_tasks`, both must
    hold. `max_wait_seconds` is an alternative to them: ``min_tasks=50, max_wait_seconds=86400`` waits for a batch of
    50 tasks, but not longer than a day after the first of them was seen.

    Only reads. Needs an SSH key. The first poll takes one request for the project, and one for each page of tasks. A
    later poll only takes those for the pages, and stops as soon as it has seen enough tasks; with `max_wait_seconds`,
    it lists all tasks. With ``mode="reschedule"`` each poll is a first poll.

    Encord does not say when a task entered a stage. So `max_wait_seconds` counts from the poll that saw the task first.
    These times are in the memory of the triggerer. A triggerer that restarts only knows the tasks that the task itself
    saw before it was deferred; for tasks that came later, the time starts again. On Airflow 3.3, a retry of the task
    knows what earlier attempts stored before they were deferred, and ``mode="reschedule"`` keeps the times of all
    polls. On older versions, a retry starts again, and ``mode="reschedule"`` cannot be used with `max_wait_seconds`.
    What is stored is limited to the 1,000 tasks that were seen first.

    :param project_id: Id of the project (templated).
    :param stage: Title or id of the stage (templated).
    :param min_tasks: Wait for at least this number of tasks (templated). Default: no minimum.
    :param max_tasks: Wait for at most this number of tasks; 0 waits until the stage is empty (templated). Default: no
        maximum.
    :param max_wait_seconds: Wait until a task has been in the stage for this number of seconds, counted from the poll
        that first saw it (templated). It is not `max_wait`, the argument of Airflow for `exponential_backoff`. Default:
        no maximum.
    :return: ``{"project_id", "stage_id", "stage": title, "reason": the condition that is met, "tasks": int,
        "all_listed": bool, "task_ids": [at most 100], "oldest_first_seen": time or None}``. If ``all_listed`` is False,
        the stage may have more tasks: the poll stopped when there were enough.
    :raises AirflowFailException: The project does not exist or has no such stage (the message lists the stages), the
        connection has no access to it, or an argument is wrong. It is not retried.
    :raises AirflowSensorTimeout: The condition was not met within `timeout`. It is not retried.
    """

    template_fields: Sequence[str] = ("project_id", "stage", *_LIMITS, *EncordBaseSensor.template_fields)
    page_url = staticmethod(queue_url)

    def __init__(
        self,
        *,
        project_id: str,
        stage: str,
        min_tasks: int | str | None = None,
        max_tasks: int | str | None = None,
        max_wait_seconds: float | str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.project_id = project_id
        self.stage = stage
        self.min_tasks = min_tasks
        self.max_tasks = max_tasks
        self.max_wait_seconds = max_wait_seconds
        check_literals(
            stage=(stage, literal_word),
            min_tasks=(min_tasks, parse_positive_int),
            max_tasks=(max_tasks, parse_count),
            max_wait_seconds=(max_wait_seconds, parse_seconds),
        )
        if self.max_wait is not None and not self.exponential_backoff:
            raise InvalidLiteralError(
                "max_wait: this argument of Airflow only limits exponential_backoff. To wait until a task has been in "
                "the stage for some time, pass max_wait_seconds."
            )
        limits = [blank_to_none(limit) for limit in (min_tasks, max_tasks, max_wait_seconds)]
        if all(map(is_literal, limits)):
            _require_limits(InvalidLiteralError, *limits)

    @property
    def needs_memory(self) -> bool:
        """Whether the condition depends on earlier polls."""
        return blank_to_none(self.max_wait_seconds) is not None

    def prepare(self) -> TasksCondition:
        """Return the condition."""
        from airflow_provider_encord.waits.conditions import TasksCondition

        stage = parse_text(self.stage, "stage")
        if stage is None:
            raise InvalidArgumentError("stage: it is empty. Pass the title or the id of a stage.")
        limits = [blank_to_none(limit) for limit in (self.min_tasks, self.max_tasks, self.max_wait_seconds)]
        _require_limits(InvalidArgumentError, *limits)
        least, most, seconds = limits
        return TasksCondition(
            project_id=self.client.project(blank_to_none(self.project_id)).id,
            stage=stage,
            min_tasks=None if least is None else parse_positive_int(least, "min_tasks"),
            max_tasks=None if most is None else parse_count(most, "max_tasks"),
            max_wait_seconds=None if seconds is None else parse_seconds(seconds, "max_wait_seconds"),
        )


def _require_limits(error: type[Exception], least: Any, most: Any, seconds: Any) -> None:
    """Check that the sensor has something to wait for.

    :param error: The class of the error to raise.
    """
    if least is None and most is None and seconds is None:
        raise error(f"Pass at least one of {', '.join(_LIMITS)}.")
    if least is not None and most is not None and float(least) > float(most):
        raise error(f"min_tasks: {least} is more than max_tasks ({most}), so the condition is never met.")
