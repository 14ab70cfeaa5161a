"""Wait for a job of Encord in the triggerer: an upload, a registration, a folder sync or a re-encoding.

The trigger sleeps before its first poll, even if the job has already ended. If a trigger fires immediately after the
task was deferred, a race in Airflow's scheduler can make the task fail (not fixed in Airflow 3.3.2). The operator polls
the job once before it defers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_encord.hooks.encord import EncordHook

if TYPE_CHECKING:
    from airflow_provider_encord.client.flows.jobs import JobState

ENDED = "ended"
OVERDUE = "overdue"
ERROR = "error"
_LEAST_TIME = 1.0  # minimum seconds of a poll, and of the sleep before it, even if the deadline is earlier
FORGIVEN = 10  # consecutive polls that may fail; each poll includes several attempts


class EncordJobTrigger(BaseTrigger):
    """Wait for a job. Fire once: when the job has ended, when the deadline has passed, or when polling fails.

    The event is ``{"status": "ended" | "overdue" | "error", "job": {...}, "carried": ...}``, with ``message`` and
    ``retryable`` for errors. It does not contain the result of the job: the resumed operator reads that itself.

    :param job: The job, from `client.flows.jobs.Job.to_dictionary`.
    :param deadline: When to stop, in seconds since 1970. It also ends a running poll, because a deferred task has no
        other reliable timeout.
    :param encord_conn_id: Id of the Airflow connection. The triggerer reads the credentials from it; they are never
        stored.
    :param poll_interval: Seconds between two polls, and before the first poll.
    :param carried: Small JSON that the event returns to the operator, such as its state before the deferral. (Airflow's
        `defer(kwargs=...)` is not used for this, because `dag.test()` loses the values.)
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
        """Return the class path and the arguments, which Airflow stores."""
        return f"{type(self).__module__}.{type(self).__name__}", {
            "job": self.job,
            "deadline": self.deadline,
            "encord_conn_id": self.encord_conn_id,
            "poll_interval": self.poll_interval,
            "carried": self.carried,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll the job until it has ended, the deadline has passed, or polling fails."""
        from airflow_provider_encord.client.errors import EncordError, RateLimitedError, UnexpectedResponseError
        from airflow_provider_encord.client.flows.jobs import JobProgress

        progress = JobProgress(self.job["id"], log=self.log.info)
        failures, asked = 0, 0.0
        while True:
            await asyncio.sleep(min(max(self.poll_interval, asked), max(_LEAST_TIME, self.deadline - time.time())))
            asked = 0.0
            try:
                async with asyncio.timeout(max(_LEAST_TIME, self.deadline - time.time())) as limit:
                    state = await self._look()
            except TimeoutError:
                if not limit.expired():
                    raise
                yield self._event(OVERDUE)
                return
            except AirflowNotFoundException as error:
                yield self._event(ERROR, message=f"encord_conn_id: {error}", retryable=False)
                return
            except RateLimitedError as error:  # says nothing about the job, so it is not counted
                asked = error.retry_after or 0.0
                self.log.warning("The next poll of job %s follows in %.0f s or later: %s", self.job["id"], asked, error)
            except EncordError as error:
                failures += 1
                forgivable = error.retryable or isinstance(error, UnexpectedResponseError)  # for example, null
                if not forgivable or failures > FORGIVEN:
                    yield self._event(ERROR, message=str(error), retryable=error.retryable)
                    return
                self.log.warning("Poll of job %s failed (%d in a row): %s", self.job["id"], failures, error)
            else:
                failures = 0
                if state.ended:
                    yield self._event(ENDED)
                    return
                progress.saw(state)
            if time.time() >= self.deadline:
                yield self._event(OVERDUE)
                return

    async def on_kill(self) -> None:
        """Cancel the job, if Encord can: a user cleared the deferred task or marked it as failed (Airflow 3.3)."""
        from airflow_provider_encord.client.flows.jobs import job_from

        cancel = job_from(self.job).cancel()
        if cancel is not None:
            client = await EncordHook(self.encord_conn_id).get_async_client()
            await client.send(cancel)
            self.log.info("Job %s was cancelled, because its task was stopped.", self.job["id"])

    async def _look(self) -> JobState:
        from airflow_provider_encord.client.flows.jobs import job_from, state_of

        client = await EncordHook(self.encord_conn_id).get_async_client()
        return state_of(await client.send(job_from(self.job).poll()))

    def _event(self, status: str, **more: Any) -> TriggerEvent:
        return TriggerEvent({"status": status, "job": self.job, "carried": self.carried, **more})  # type: ignore[no-untyped-call]
