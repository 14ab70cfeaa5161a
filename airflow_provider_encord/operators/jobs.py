"""What operators share that start long jobs at Encord and see them through.

Such a task does its work in one or several parts, one job after the other. It waits in the triggerer (`deferrable`) or
on the worker; either way the id of each job is stored before the wait where Airflow can (3.3), so that a retry goes on
with the job of the try before rather than starting another.

The surprise: Airflow's `ResumableJobMixin` is about one job, so it is asked once for each part, under a key of its own.
When it reconnects it gives back what the polling returned, not the result; so polling returns the result here.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, ResumableJobMixin, conf

from airflow_provider_encord.defaults import JOB_TIMEOUT, POLL_INTERVAL
from airflow_provider_encord.operators.arguments import flag, seconds
from airflow_provider_encord.operators.base import EncordBaseOperator, airflow_errors

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_encord.client.resources.jobs import Answer, Job

_KEY = "encord_job"
_LEAST_INTERVAL = 5.0  # seconds; see `triggers.jobs` for why there is one


class JobOperator(ResumableJobMixin, EncordBaseOperator):
    """Base of the operators that start jobs. They implement `prepare`, `start_part`, `part_result` and `finish`.

    :param deferrable: Wait in the triggerer, without a worker (templated). Default: Airflow's setting
        ``[operators] default_deferrable``.
    :param poll_interval: Seconds between two looks of the triggerer, 5 or more (templated). Default: 30. On a worker
        Encord holds each look until the job ends, for up to a minute.
    :param job_timeout: Seconds to wait for a job to end (templated). Default: 6 hours.
    """

    template_fields: Sequence[str] = (
        "deferrable",
        "poll_interval",
        "job_timeout",
        *EncordBaseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        deferrable: bool | str = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: float | str = POLL_INTERVAL,
        job_timeout: float | str = JOB_TIMEOUT,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.job_timeout = job_timeout
        self._running: Job | None = None
        self._part = 0
        self._results: list[dict[str, Any]] = []
        self._ended: tuple[Job, dict[str, Any]] | None = None

    @abstractmethod
    def prepare(self, context: Context) -> int:
        """Check the arguments and see what there is to do; called at every start, also after a deferral.

        :return: The number of parts.
        """

    @abstractmethod
    def start_part(self, number: int) -> Job:
        """Start the job of a part, counted from 0."""

    @abstractmethod
    def part_result(self, number: int, job: Job, answer: Answer) -> dict[str, Any]:
        """What became of a part whose job has ended: a small JSON object.

        :raises EncordError: The part failed as a whole.
        """

    @abstractmethod
    def finish(self, context: Context, results: Sequence[Mapping[str, Any]]) -> Any:
        """The end of the task, when all parts are done.

        :return: What goes to XCom.
        """

    def act(self, context: Context) -> Any:
        """Do all parts, from the first."""
        return self._go_on(context, self.prepare(context), [])

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> Any:
        """Go on after the triggerer has waited for a part.

        :param event: Of `EncordJobTrigger`; it carries the results of the parts before.
        """
        with airflow_errors():
            try:
                job = self._job_of(event)
                results = list(event.get("carried") or [])
                number = len(results)
                parts = self.prepare(context)
                answer = self.client.send(job.poll())
                return self._go_on(context, parts, [*results, self.part_result(number, job, answer)])
            finally:
                self.hook.close()

    def on_kill(self) -> None:
        """Cancel the job that is waited for, where Encord can. Nothing is sent after that."""
        job, self._running = self._running, None
        cancel = job.cancel() if job else None
        if cancel is None:
            return
        try:
            self.client.send(cancel)
        except Exception as error:  # noqa: BLE001 - the task ends, whatever this comes to
            self.log.warning("Job %s could not be cancelled: %s", job and job.id, error)
        else:
            self.log.info("Job %s is cancelled, as the task was ended.", job and job.id)

    def _go_on(self, context: Context, parts: int, results: list[dict[str, Any]]) -> Any:
        self._results = results
        timeout, interval = seconds(self.job_timeout, "job_timeout"), seconds(self.poll_interval, "poll_interval")
        self._timeout, self._interval = timeout, max(interval, _LEAST_INTERVAL)
        self._deferring = flag(self.deferrable, "deferrable")
        while len(self._results) < parts:
            self._part = len(self._results)
            self.external_id_key = f"{_KEY}_{self._part}"
            result = self.execute_resumable(context)
            self._results.append(result)
        return self.finish(context, self._results)

    def _job_of(self, event: Mapping[str, Any]) -> Job:
        """The job that the triggerer has waited for.

        :raises AirflowException: It has not ended.
        """
        from airflow_provider_encord.client.resources.jobs import job_from
        from airflow_provider_encord.triggers.jobs import ENDED, OVERDUE

        status = event.get("status") if isinstance(event, Mapping) else None
        if status == ENDED:
            return job_from(event.get("job"))
        if status == OVERDUE:
            raise AirflowException(self._overdue(job_from(event.get("job"))))
        if status is None:
            raise AirflowFailException(
                f"The triggerer told {type(event).__name__}, which is no event of this operator."
            )
        kind = AirflowException if event.get("retryable") else AirflowFailException
        raise kind(str(event.get("message")))

    def _overdue(self, job: Job) -> str:
        return (
            f"Job {job.id} has not ended within job_timeout ({self.job_timeout} s). It runs on at Encord; on Airflow "
            "3.3 a retry goes on waiting for it."
        )

    # What the mixin asks for. Its "status" is how the job stands, in a word of ours.

    def submit_job(self, context: Context) -> Any:
        """Start the job of the part."""
        return self.start_part(self._part).to_dictionary()

    def get_job_status(self, external_id: Any, context: Context) -> str:
        """How the job of an earlier try stands; one that Encord knows no more has failed."""
        from airflow_provider_encord.client.errors import InvalidRequestError, NotFoundError
        from airflow_provider_encord.client.resources.jobs import job_from, state_of

        try:
            state = state_of(self.client.send(job_from(external_id).poll()))
        except (NotFoundError, InvalidRequestError):
            return "failed"
        if not state.ended:
            return "active"
        return "succeeded" if state.succeeded else "failed"

    def is_job_active(self, status: str) -> bool:
        """Whether it still runs."""
        return status == "active"

    def is_job_succeeded(self, status: str) -> bool:
        """Whether it ended well."""
        return status == "succeeded"

    def poll_until_complete(self, external_id: Any, context: Context) -> Any:
        """Wait for the job, here or in the triggerer; the part's result."""
        from airflow_provider_encord.client.resources.jobs import job_from

        job = job_from(external_id)
        self._running = job
        answer = self.client.run(job.follow(timeout=0 if self._deferring else self._timeout))
        if not answer.ended:
            if not self._deferring:
                raise AirflowException(self._overdue(job))
            self._defer(job)
        self._running = None
        self._ended = job, self.part_result(self._part, job, answer)
        return self._ended[1]

    def get_job_result(self, external_id: Any, context: Context) -> Any:
        """The part's result."""
        from airflow_provider_encord.client.resources.jobs import job_from

        job = job_from(external_id)
        if self._ended and self._ended[0] == job:
            return self._ended[1]
        return self.part_result(self._part, job, self.client.send(job.poll()))

    def _defer(self, job: Job) -> None:
        from datetime import timedelta

        from airflow_provider_encord.triggers.jobs import EncordJobTrigger

        self.log.info("Job %s runs; the triggerer looks every %.0f s.", job.id, self._interval)
        self.defer(
            trigger=EncordJobTrigger(
                job=job.to_dictionary(),
                deadline=time.time() + self._timeout,
                encord_conn_id=self.encord_conn_id,
                poll_interval=self._interval,
                carried=self._results,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self._timeout + 10 * self._interval),  # the trigger's own deadline comes first
        )
