"""The base of all sensors: one look at Encord, then a wait on the worker or in the triggerer."""

from __future__ import annotations

import random
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.links import project_url
from airflow_provider_encord.operators.base import EncordBaseOperator, airflow_errors

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_encord.waits.conditions import Condition, Found
    from airflow_provider_encord.waits.sensing import Wait

LEAST_INTERVAL = 5.0  # seconds; `triggers.waits` gives the reason
_SPREAD = 0.1  # pokes differ by this fraction of the interval, so that many sensors do not stay in step
_AFTER_DEADLINE = 60.0  # seconds; if no triggerer runs, Airflow ends the task so long after the deadline
_KEY = "encord_first_seen"


class EncordBaseSensor(EncordBaseOperator, BaseSensorOperator):
    """Base class of the sensors. A subclass implements `prepare`.

    The first poll is made by the task itself, so a condition that is met already needs no triggerer. A permanent error
    (no access, not found, a wrong argument) fails the task at once. A temporary failure never ends the wait: the next
    poll follows, not before the time that Encord asks for (Retry-After). The only exception: if the manifest of an
    export or the project of an API key cannot be read before the task is deferred, Airflow retries the task.

    :param deferrable: Wait in the triggerer instead of on a worker. There, all waits with the same credential, project
        and kind of condition share their polls. Default: Airflow's setting ``[operators] default_deferrable``. If it is
        False, `mode` decides: ``"poke"`` (default) occupies a worker, ``"reschedule"`` does not.
    :param poke_interval: Seconds between two polls, in every mode; in the triggerer, at least 5. Default: 60.
    :param timeout: Seconds to wait in all. Then the task fails and is not retried, or is skipped (`soft_fail`). In the
        triggerer and with ``"poke"`` they count from the start of the attempt, with ``"reschedule"`` from the first
        poll of the first attempt. Default: Airflow's setting ``[sensors] default_timeout``, which is 7 days.
    """

    template_fields: Sequence[str] = EncordBaseOperator.template_fields
    page_url = staticmethod(project_url)
    """Returns the address of the task's link, from the base URL of the API and the id of the project."""

    def __init__(
        self,
        *,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: float | timedelta = 60.0,
        timeout: float | timedelta | None = None,
        **kwargs: Any,
    ):
        limits: dict[str, Any] = {} if timeout is None else {"timeout": timeout}  # Airflow 2.11 does not accept None
        super().__init__(poke_interval=poke_interval, **limits, **kwargs)
        self.deferrable = deferrable
        self._wait: Wait | None = None

    @abstractmethod
    def prepare(self) -> Condition:
        """Check the arguments, and return the condition to wait for.

        :raises InvalidArgumentError: An argument is wrong.
        """

    def execute(self, context: Context) -> Any:
        """Wait until the condition is met.

        :raises AirflowFailException: A permanent error.
        :raises AirflowSensorTimeout: The condition was not met in time.
        :raises AirflowSkipException: The same, with `soft_fail`.
        """
        try:
            with self._end_of_state(context):
                return self._execute(context)
        finally:
            self.write_history(context)
            self.hook.close()

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> Found:
        """Finish after a deferral.

        :param event: The event of `EncordWaitTrigger`.
        """
        with self._end_of_state(context):
            return self._found(event)

    def poke(self, context: Context) -> bool | PokeReturnValue:
        """Look at Encord once."""
        found = self._look(context)
        return PokeReturnValue(is_done=True, xcom_value=found) if found is not None else False

    def _execute(self, context: Context) -> Any:
        if not self.deferrable:
            return BaseSensorOperator.execute(self, context)
        deadline = time.time() + self.timeout
        with self._soft_failures():
            found = self._look(context)
        if found is None:
            self._defer(deadline)
        return found

    def _look(self, context: Context) -> Found | None:
        """Poll once.

        :return: None if the condition is not met, or after a temporary failure.
        :raises AirflowFailException: A permanent error.
        """
        with airflow_errors(self.log):
            if self._wait is None:
                self._wait = self._make_wait(context)
            return self._wait.look(lambda: self.client, to_defer=self.deferrable)

    def _make_wait(self, context: Context) -> Wait:
        """Make the wait, whose memory is in Airflow's task state if it needs one.

        :raises InvalidArgumentError: The wait needs a memory, and this version of Airflow has none.
        """
        from airflow_provider_encord.waits.sensing import Wait

        def prepare() -> Condition:
            condition = self.prepare()
            self.push_link(context, self.page_url, condition.project_id)
            return condition

        store: Any = context.get("task_state_store")
        if self.needs_memory and store is None and self.reschedule and not self.deferrable:
            raise InvalidArgumentError(
                'max_wait_seconds: with mode="reschedule" it needs the task state of Airflow 3.3. Use deferrable=True, '
                'or mode="poke".'
            )
        about = {name: getattr(self, name) for name in self.template_fields} if self.needs_memory else None
        return Wait(prepare, store=store, key=_KEY, about=about, remember=self.remember)

    def _defer(self, deadline: float) -> None:
        from airflow_provider_encord.triggers.waits import EncordWaitTrigger

        assert self._wait is not None  # noqa: S101 - `_look` has set it
        left = max(deadline - time.time(), 0.0)
        interval = max(min(self.poke_interval, left / 2), LEAST_INTERVAL)  # so that it polls before the deadline
        self.log.info("The triggerer polls every %.0f s.", interval)
        self.defer(
            trigger=EncordWaitTrigger(
                deadline=deadline,
                encord_conn_id=self.encord_conn_id,
                poll_interval=interval,
                **self._wait.for_trigger(),
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=left + _AFTER_DEADLINE),
        )

    def _found(self, event: Mapping[str, Any]) -> Found:
        from airflow_provider_encord.triggers.waits import ERROR, MET, OVERDUE

        status = event.get("status") if isinstance(event, Mapping) else None
        if status == MET:
            return dict(event["found"])
        if status == OVERDUE:
            raise AirflowSensorTimeout(f"The condition was not met within timeout ({self.timeout:.0f} s).")
        if status != ERROR:
            raise AirflowFailException(
                f"The event of the trigger is a {type(event).__name__}, not an event of EncordWaitTrigger. Run the "
                "task again."
            )
        self.log.error("%s", event.get("message"))
        raise (AirflowException if event.get("retryable") else AirflowFailException)(str(event.get("message")))

    @contextmanager
    def _soft_failures(self) -> Iterator[None]:
        """Skip the task if it failed and `soft_fail` or `never_fail` is set, as Airflow does it around `poke`."""
        try:
            yield
        except AirflowSkipException:
            raise
        except AirflowException as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(f"Skipped, because the sensor failed: {error}") from error
            raise

    def _get_next_poke_interval(self, *args: Any, **kwargs: Any) -> float:
        """Spread the pokes of many sensors, and wait as long as Encord asks for."""
        interval: float = super()._get_next_poke_interval(*args, **kwargs)
        spread = random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311 - spreads the load
        return max(interval * spread, self._wait.retry_after if self._wait else 0.0)

    @property
    def needs_memory(self) -> bool:
        """Whether the condition depends on earlier polls."""
        return False

    @contextmanager
    def _end_of_state(self, context: Context) -> Iterator[None]:
        """Delete the stored memory when the task has ended permanently."""
        try:
            yield
        except (AirflowFailException, AirflowSensorTimeout, AirflowSkipException):
            self._forget(context)
            raise
        else:
            self._forget(context)

    def _forget(self, context: Context) -> None:
        store: Any = context.get("task_state_store")
        if store is not None and self.needs_memory:
            store.delete(_KEY)
