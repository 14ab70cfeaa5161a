"""Wait for people in the triggerer, for the sensors.

The trigger sleeps before it looks, even if the condition is met already. If a trigger fires immediately after the task
was deferred, a race in Airflow's scheduler can make the task fail (not fixed in Airflow 3.3.2). The sensor looks once
before it defers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_encord.triggers import shared_polls
from airflow_provider_encord.triggers.shared_polls import Outcome, SharedPolls, Waiter

if TYPE_CHECKING:
    from airflow_provider_encord.client.async_client import AsyncEncordClient
    from airflow_provider_encord.waits.conditions import Condition, Found

MET = "met"
OVERDUE = "overdue"
ERROR = "error"
_FIRST_SLEEP = 5.0  # seconds before the trigger may fire
_LEAST_TIME = 1.0  # minimum seconds of a wait, even if the deadline is earlier


class EncordWaitTrigger(BaseTrigger):
    """Wait until a condition is met. Fire once: when it is met, when the deadline has passed, or when waiting failed.

    The event is ``{"status": "met", "found": {...}}``, ``{"status": "overdue"}`` or ``{"status": "error", "message":
    str, "retryable": bool}``. All triggers of a triggerer with the same credential, project and kind of condition share
    their polls.

    :param condition: The condition, from `waits.conditions.to_dictionary`.
    :param deadline: When to stop, in seconds since 1970. It also ends a running poll.
    :param encord_conn_id: Id of the Airflow connection. The triggerer reads the credentials from it; they are never
        stored.
    :param poll_interval: Seconds between two polls. Other triggers can make polls more frequent, but not less.
    :param memory: When tasks were first seen, from `waits.conditions.carried`. Later times are kept in the memory of
        the triggerer, and are lost when it restarts. Default: nothing.
    """

    def __init__(
        self,
        *,
        condition: Mapping[str, Any],
        deadline: float,
        encord_conn_id: str,
        poll_interval: float,
        memory: Mapping[str, float] | None = None,
    ):
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's
        self.condition = dict(condition)
        self.deadline = deadline
        self.encord_conn_id = encord_conn_id
        self.poll_interval = poll_interval
        self.memory = dict(memory or {})

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, which Airflow stores."""
        return f"{type(self).__module__}.{type(self).__name__}", {
            "condition": self.condition,
            "deadline": self.deadline,
            "encord_conn_id": self.encord_conn_id,
            "poll_interval": self.poll_interval,
            "memory": self.memory,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait until the condition is met, the deadline has passed, or waiting failed."""
        yield TriggerEvent(await self._event())  # type: ignore[no-untyped-call]

    async def _event(self) -> dict[str, Any]:
        from airflow_provider_encord.client.errors import EncordError
        from airflow_provider_encord.waits.conditions import from_dictionary

        try:
            async with asyncio.timeout(max(_LEAST_TIME, self.deadline - time.time())) as limit:
                await asyncio.sleep(min(self.poll_interval, _FIRST_SLEEP))
                waiting = _Waiting(self, from_dictionary(self.condition))
                return {"status": MET, "found": await waiting.until_met()}
        except TimeoutError:
            if not limit.expired():
                raise
            return {"status": OVERDUE}
        except EncordError as error:
            return {"status": ERROR, "message": str(error), "retryable": error.retryable}
        except AirflowNotFoundException as error:
            return {"status": ERROR, "message": f"encord_conn_id: {error}", "retryable": False}


class _Waiting:
    """One wait, from its start to its end.

    :param trigger: The trigger that waits.
    """

    def __init__(self, trigger: EncordWaitTrigger, condition: Condition):
        from airflow_provider_encord.waits.patience import Patience

        self._trigger, self._condition = trigger, condition
        self._memory = dict(trigger.memory)
        self._polls: SharedPolls = shared_polls.of_running_loop()
        self._patience = Patience()
        self._said = ""

    async def until_met(self) -> Found:
        """Wait until the condition is met.

        :raises EncordError: A permanent error, or too many doubtful ones in a row.
        """
        while True:
            client = await self._client()
            question = self._condition.question
            waiter = Waiter(self._trigger.poll_interval, self._condition.needs)
            with self._polls.joined(client, question, waiter) as poll:
                outcome = await poll.next_outcome()
                while await self._is_current(client, outcome):
                    if (found := self._judge(outcome)) is not None:
                        await poll.keep()
                        return found
                    if self._condition.question != question:  # the condition is settled now
                        break
                    outcome = await poll.next_outcome(after=outcome.number)

    async def _client(self) -> AsyncEncordClient:
        """Read the connection, and try again after a temporary failure."""
        while True:
            try:
                return await self._polls.client(self._trigger.encord_conn_id)
            except Exception as error:  # noqa: BLE001 - `_bear` decides whether it ends the wait
                self._bear(error)
            await asyncio.sleep(self._trigger.poll_interval)

    async def _is_current(self, client: AsyncEncordClient, outcome: Outcome) -> bool:
        """Whether the connection still has the credential of the poll. After an error, it is read again first."""
        try:
            return await self._polls.client(self._trigger.encord_conn_id, fresh=outcome.error is not None) is client
        except Exception:  # noqa: BLE001 - `_client` reads it again, and decides
            return False

    def _judge(self, outcome: Outcome) -> Found | None:
        from airflow_provider_encord.client.errors import UnexpectedResponseError
        from airflow_provider_encord.waits.conditions import Poll

        if outcome.error is not None:
            self._bear(outcome.error)
            return None
        if not self._condition.settled:
            self._condition = self._condition.settle(outcome.answer)
            return None
        try:
            found = self._condition.judge(Poll(outcome.answer, self._memory, time.time()))
            self._say(self._condition.describe(outcome.answer))
        except UnexpectedResponseError as error:
            self._bear(error)
            return None
        self._patience.succeeded()
        return found

    def _bear(self, error: Exception) -> None:
        """Log a failure that does not end the wait.

        :raises Exception: The failure ends the wait.
        """
        if isinstance(error, AirflowNotFoundException) or self._patience.ends(error):
            raise error
        self._trigger.log.warning("A poll failed; the wait continues: %s", error)

    def _say(self, state: str) -> None:
        if state != self._said:
            self._said = state
            self._trigger.log.info("%s", state)
