"""Base of the operators that start long jobs at Encord and wait for them.

The task does its work in one or several parts, one job after the other. It waits in the triggerer (`deferrable`) or on
the worker. If Airflow can store task state (3.3), the task stores the id of each job before it waits. So a retry waits
for a running job instead of starting another one.

Stored jobs follow the rules of `airflow_provider_encord.attempts`. The key of a job is the fingerprint of its part
(target, options and content), so an attempt with other arguments or another source does not find it. All keys are
deleted when the task has ended permanently. If an earlier attempt left a job running, the task first waits for it, even
if that job belongs to other arguments: two jobs at the same time could register an object twice.

Airflow's `ResumableJobMixin` handles one job, so it runs once for each part. When it reconnects to a job, it does not
call `get_job_result`, so `poll_until_complete` returns the result here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    ResumableJobMixin,
    TaskDeferred,
    conf,
)

from airflow_provider_encord.client.errors import EncordError, TransientError
from airflow_provider_encord.defaults import JOB_TIMEOUT, POLL_INTERVAL
from airflow_provider_encord.job_parts import ACTIVE, SUCCEEDED, JobPart, StartAgainError, StoredJobs
from airflow_provider_encord.operators.arguments import parse_bool, parse_seconds
from airflow_provider_encord.operators.base import EncordBaseOperator, airflow_errors, is_last_attempt
from airflow_provider_encord.operators.job_steps import JobSteps
from airflow_provider_encord.operators.literals import check_literals

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_encord.client.flows.jobs import Answer, Job

_KEY = "encord_job"
_BETWEEN_JOBS = "between_jobs"  # the status of a task that pauses while it has no job
_STARTS = 3  # attempts to start the job of a part, if Encord's responses are lost
_AFTER_PAUSE = 300.0  # seconds until a task that paused has a slot again
_LEAST_INTERVAL = 5.0  # seconds; `triggers.jobs` gives the reason


class JobOperator(ResumableJobMixin, JobSteps):
    """Base of operators with jobs. They implement `JobSteps`.

    :param deferrable: Wait in the triggerer instead of on a worker (templated). Default: Airflow's setting
        ``[operators] default_deferrable``.
    :param poll_interval: Seconds between two polls of the triggerer, at least 5 (templated). Default: 30. It is not
        used on a worker: there, Encord answers each poll when the job ends, or after a minute at most.
    :param job_timeout: Seconds to wait for a job to end (templated). Default: 6 hours.
    """

    reuses_finished_jobs: ClassVar[bool] = True
    """Whether the result of an earlier attempt's successful job is used for its part. False for a part whose
    fingerprint does not include its content: the old job may lack new content."""

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
        check_literals(
            deferrable=(deferrable, parse_bool),
            poll_interval=(poll_interval, parse_seconds),
            job_timeout=(job_timeout, parse_seconds),
        )
        self._running: Job | None = None
        self._part: JobPart | None = None
        self._totals: dict[str, Any] = {}
        self._ended: tuple[Job, dict[str, Any]] | None = None
        self._reached: dict[str, Any] = {}  # how far the task is, for `_resume`; empty before its first part
        self._start_in_doubt = False  # whether an earlier attempt ended before it stored the id or result of a job

    def _execute(self, context: Context) -> Any:
        """Do all parts, beginning with the first."""
        with self._permanent_end(context):
            self.prepare(context)
            self._set_waiting()
            self.reserve()
            self._wait_for_earlier(context)
            return self._continue(context, None, self.begin(context))

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> Any:
        """Continue after a deferral.

        :param event: The event of `EncordJobTrigger`, with the totals and the part of the job.
        """
        with airflow_errors(self.log):
            try:
                with self._noted(context, after_wait=True), self._permanent_end(context):
                    return self._resume(context, event)
            finally:
                self.hook.close()

    def _execute_after_pause(self, context: Context, carried: Any) -> Any:
        """Continue where the task was when Encord asked to wait."""
        return self.execute_complete(context, carried) if carried else super()._execute_after_pause(context, carried)

    def on_kill(self) -> None:
        """Cancel the running job, if Encord can cancel it. Nothing is sent after that."""
        job, self._running = self._running, None
        cancel = job.cancel() if job else None
        if cancel is None:
            return
        try:
            self.client.send(cancel)
        except Exception as error:  # noqa: BLE001 - the task ends in any case
            self.log.warning("Job %s could not be cancelled: %s", job and job.id, error)
        else:
            self.log.info("Job %s was cancelled, because the task was stopped.", job and job.id)

    def _resume(self, context: Context, event: Mapping[str, Any]) -> Any:
        carried = (event.get("carried") or {}) if isinstance(event, Mapping) else {}
        self._reached = dict(event) if carried else {}
        self._start_in_doubt = bool(carried.get("start_in_doubt"))
        self.take_over(carried)
        self.prepare(context)
        self._set_waiting()
        if carried and event.get("status") == _BETWEEN_JOBS:
            return self._continue(context, carried["after"], carried["totals"])
        job = self._job_of(event)  # after `prepare`, so that `settle` can release the claims if this raises
        part = carried.get("part")
        if part is None:  # the job of an earlier attempt
            return self._continue(context, None, self.begin(context))
        part = JobPart(**part)
        result = self.part_result(part, job, self.client.run(job.look()))
        return self._continue(context, part.after, self.add(carried["totals"], result))

    def _continue(self, context: Context, after: Any, totals: dict[str, Any]) -> Any:
        self._totals = totals
        self._reached = self._event(_BETWEEN_JOBS, after=after)
        parts, lost = self.parts(after), 0
        while (part := next(parts, None)) is not None:
            try:
                result = self._result_of(context, part)
            except StartAgainError as error:
                lost += 1
                if lost == _STARTS:
                    raise AirflowException(f"{error} Run the task again.") from None
                parts = self.parts(after)
                continue
            self._totals = self.add(self._totals, result)
            after, lost = part.after, 0
            self._reached = self._event(_BETWEEN_JOBS, after=after)
        return self.finish(context, self._totals)

    def _result_of(self, context: Context, part: JobPart) -> Mapping[str, Any]:
        if part.result is not None:
            return part.result
        self._part = part
        self.external_id_key = f"{_KEY}_{part.about}"
        result: Mapping[str, Any] = self.execute_resumable(context)
        return result

    def _set_waiting(self) -> None:
        self._timeout = parse_seconds(self.job_timeout, "job_timeout")
        self._interval = max(parse_seconds(self.poll_interval, "poll_interval"), _LEAST_INTERVAL)
        self._deferring = parse_bool(self.deferrable, "deferrable")

    @contextmanager
    def _permanent_end(self, context: Context) -> Iterator[None]:
        """Delete the stored jobs when the task has ended permanently: after a success, or a failure without a retry."""

        try:
            yield
        except (TaskDeferred, KeyboardInterrupt, SystemExit):
            raise
        except Exception as error:
            if isinstance(error, EncordError):
                self._pause(context, error)  # the task has not ended, so its jobs and claims stay
            retryable = (
                error.retryable if isinstance(error, EncordError) else not isinstance(error, AirflowFailException)
            )
            if not retryable or (is_last_attempt(context) and self._running is None):
                _stored_jobs(context).forget()
            self.settle()
            raise
        else:
            _stored_jobs(context).forget()
            self.settle()

    def _wait_for_earlier(self, context: Context) -> None:
        """Wait for a job that an earlier attempt left running, even if that attempt had other arguments."""
        jobs = _stored_jobs(context)
        self._start_in_doubt = jobs.last_is_unknown if jobs.lasting else self.left_a_start()
        stored = jobs.last
        if not stored or self.get_job_status(stored, context) != ACTIVE:
            return
        job = _job_from(stored)
        self.log.info("Job %s of an earlier attempt is still running. Waiting for it first.", job.id)
        self._wait(job)

    def _carried_over_pause(self, seconds: float) -> Mapping[str, Any] | None:
        if self._reached:
            self.before_deferral(seconds + _AFTER_PAUSE)
        else:
            self.settle()
        return self._reached or None

    def _event(self, status: str, job: Job | None = None, **more: Any) -> dict[str, Any]:
        """What `_resume` gets to continue, in the form of the event of `EncordJobTrigger`."""
        return {"status": status, "job": job and job.to_dictionary(), "carried": {**self._state(), **more}}

    def _state(self) -> dict[str, Any]:
        return {"totals": self._totals, "start_in_doubt": self._start_in_doubt, **self.carry()}

    def _wait(self, job: Job) -> Answer:
        """Wait for a job, on the worker or in the triggerer.

        :raises AirflowException: The job has not ended in time.
        """
        self._running = job
        try:
            answer = self.client.run(
                job.follow(timeout=0 if self._deferring else self._timeout, before_poll=self.before_poll)
            )
        except TransientError as error:
            if self._deferring:  # the trigger keeps the id of the job, which Airflow before 3.3 does not
                self.log.warning("The job was started, but its state could not be read: %s", error)
                self._defer(job)
            raise
        if not answer.ended:
            if not self._deferring:
                raise AirflowException(self._overdue(job))
            self._defer(job)
        self._running = None
        return answer

    def _job_of(self, event: Mapping[str, Any]) -> Job:
        """Return the job of the trigger's event.

        :raises AirflowException: The job has not ended.
        """
        from airflow_provider_encord.triggers.jobs import ENDED, OVERDUE

        status = event.get("status") if isinstance(event, Mapping) else None
        if status == ENDED:
            return _job_from(event.get("job"))
        if status == OVERDUE:
            self._running = _job_from(event.get("job"))
            raise AirflowException(self._overdue(self._running))
        if status is None:
            raise AirflowFailException(
                f"The event of the trigger is a {type(event).__name__}, not an event of EncordJobTrigger. Run the task "
                "again."
            )
        kind = AirflowException if event.get("retryable") else AirflowFailException
        raise kind(str(event.get("message")))

    def _overdue(self, job: Job) -> str:
        return (
            f"Job {job.id} has not ended within job_timeout ({self.job_timeout} s). It is still running at Encord. On "
            "Airflow 3.3, a retry continues to wait for it. If jobs need more time, increase job_timeout."
        )

    # The methods that the mixin calls. A "status" is one of the three words at the top of this module.

    def submit_job(self, context: Context) -> Any:
        """Start the job of the part."""

        part, jobs = self._part, _stored_jobs(context)
        assert part is not None  # noqa: S101 - the mixin is only run inside `_continue`
        jobs.add(self.external_id_key)
        try:
            return self.start_part(part).to_dictionary()
        except EncordError:  # the job did not start; a key without an id would mean that it may have
            jobs.drop(self.external_id_key)
            raise

    def get_job_status(self, external_id: Any, context: Context) -> str:
        """Return the status of an earlier attempt's job."""
        from airflow_provider_encord.client.flows.jobs import status_of

        return self.client.run(status_of(external_id))

    def is_job_active(self, status: str) -> bool:
        """Whether the job is still running."""
        return status == ACTIVE

    def is_job_succeeded(self, status: str) -> bool:
        """Whether the job succeeded and its result can be used."""
        return status == SUCCEEDED and self.reuses_finished_jobs

    def poll_until_complete(self, external_id: Any, context: Context) -> Any:
        """Wait for the job, on the worker or in the triggerer. Return the result of the part."""
        job = _job_from(external_id)
        answer = self._wait(job)
        self._ended = job, self._result(job, answer)
        return self._ended[1]

    def get_job_result(self, external_id: Any, context: Context) -> Any:
        """Return the result of the part."""
        job = _job_from(external_id)
        if self._ended and self._ended[0] == job:
            return self._ended[1]
        return self._result(job, self.client.run(job.look()))

    def _result(self, job: Job, answer: Answer) -> dict[str, Any]:
        from airflow_provider_encord.triggers.jobs import ENDED

        part = self._part
        assert part is not None  # noqa: S101 - as in submit_job
        self._reached = self._event(ENDED, job, part=part.to_dictionary())
        return self.part_result(part, job, answer)

    def _defer(self, job: Job) -> None:
        from datetime import timedelta

        from airflow_provider_encord.triggers.jobs import EncordJobTrigger

        self.log.info("Job %s is running. The triggerer polls it every %.0f s.", job.id, self._interval)
        longest = self._timeout + 10 * self._interval  # later than the deadline of the trigger
        self.before_deferral(longest)
        self.defer(
            trigger=EncordJobTrigger(
                job=job.to_dictionary(),
                deadline=time.time() + self._timeout,
                encord_conn_id=self.encord_conn_id,
                poll_interval=self._interval,
                carried={**self._state(), "part": self._part and self._part.to_dictionary()},
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=longest),
        )


def _job_from(stored: Any) -> Job:
    from airflow_provider_encord.client.flows.jobs import job_from

    return job_from(stored)


def _stored_jobs(context: Context) -> StoredJobs:
    return StoredJobs(context.get("task_state_store"))
