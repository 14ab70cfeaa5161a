"""Waiting for a job of Encord in the triggerer: uploads, registrations, syncs of a folder, re-encoding.

It sleeps before the first poll, although the job may have ended by then. A trigger that fires right after its
task was deferred loses a race in Airflow's scheduler, and the task fails (open in Airflow 3.3.2). The operator looks
once before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_encord.hooks.encord import EncordHook

if TYPE_CHECKING:
    from airflow_provider_encord.client.resources.jobs import JobState

ENDED = "ended"
OVERDUE = "overdue"
ERROR = "error"
_LEAST_TIME = 1.0  # seconds for a poll, and before it, also where the deadline is nearer
FORGIVEN = 10  # polls that may fail in a row; each has been tried several times


class EncordJobTrigger(BaseTrigger):
    """Fires once, when a job has ended, its time is over, or Encord does not return its state.

    The event has the outcome of the waiting, not of the units: the resumed operator reads the job's last state
    itself. ``{"status": "ended" | "overdue" | "error", "job": {...}, "carried": ...}``, with ``message`` and
    ``retryable`` for errors.

    :param job: As `client.resources.jobs.Job.to_dictionary` gives it.
    :param deadline: When to stop, in seconds since 1970, also in the middle of a poll: a deferred task has no other
        time-out that can be relied on.
    :param encord_conn_id: Id of the Airflow connection. Credentials are read from it in the triggerer, and never
        stored.
    :param poll_interval: Seconds between two polls, and before the first.
    :param carried: Small JSON that comes back in the event: what the task knew when it was deferred. (Airflow has a
        place for that of its own, which `dag.test()` loses.)
    """

    def __init__(
        self,
        *,
        job: Mapping[str, str],
        deadline: float,
        encord_conn_id: str,
        poll_interval: float,
        carried: Any = None,
    ):
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's
        self.job = dict(job)
        self.deadline = deadline
        self.encord_conn_id = encord_conn_id
        self.poll_interval = poll_interval
        self.carried = carried

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What Airflow stores."""
        return f"{type(self).__module__}.{type(self).__name__}", {
            "job": self.job,
            "deadline": self.deadline,
            "encord_conn_id": self.encord_conn_id,
            "poll_interval": self.poll_interval,
            "carried": self.carried,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until there is something to tell."""
        from airflow_provider_encord.client.errors import EncordError, UnexpectedResponseError

        failures = 0
        while True:
            await asyncio.sleep(min(self.poll_interval, max(_LEAST_TIME, self.deadline - time.time())))
            try:
                async with asyncio.timeout(max(_LEAST_TIME, self.deadline - time.time())) as limit:
                    state = await self._look()
            except TimeoutError:
                if not limit.expired():
                    raise
                yield self._event(OVERDUE)
                return
            except EncordError as error:
                failures += 1
                forgivable = error.retryable or isinstance(error, UnexpectedResponseError)  # such as one that is null
                if not forgivable or failures > FORGIVEN:
                    yield self._event(ERROR, message=str(error), retryable=error.retryable)
                    return
                self.log.warning("Poll of job %s failed, the %d. in a row: %s", self.job["id"], failures, error)
            else:
                failures = 0
                if state.ended:
                    yield self._event(ENDED)
                    return
                self.log.info(
                    "Job %s: %s, %d units done, %d failed, %d pending.",
                    self.job["id"],
                    state.status,
                    state.done,
                    state.failed,
                    state.pending,
                )
            if time.time() >= self.deadline:
                yield self._event(OVERDUE)
                return

    async def on_kill(self) -> None:
        """Cancel the job where Encord can: somebody failed or cleared the task while it was deferred (Airflow 3.3)."""
        from airflow_provider_encord.client.resources.jobs import job_from

        cancel = job_from(self.job).cancel()
        if cancel is not None:
            client = await EncordHook(self.encord_conn_id).get_async_client()
            await client.send(cancel)
            self.log.info("Job %s is cancelled, as its task was ended.", self.job["id"])

    async def _look(self) -> JobState:
        from airflow_provider_encord.client.resources.jobs import job_from, state_of

        client = await EncordHook(self.encord_conn_id).get_async_client()
        return state_of(await client.send(job_from(self.job).poll()))

    def _event(self, status: str, **more: Any) -> TriggerEvent:
        return TriggerEvent({"status": status, "job": self.job, "carried": self.carried, **more})  # type: ignore[no-untyped-call]
