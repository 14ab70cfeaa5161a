"""What operators share that start long jobs at Encord and wait for them.

Such a task does its work in one or several parts, one job after the other. It waits in the triggerer (`deferrable`) or
on the worker. Where Airflow can store task state (3.3), the id of each job is stored before the wait, so that a retry
continues with a running job instead of starting another.

Stored jobs follow the rules of `airflow_provider_encord.attempts`: the key of a job is the fingerprint of its part
(target, options and content), so an attempt with other arguments or another source never sees it; and all of them are
deleted once the task has ended permanently. A job that an earlier attempt left running is waited for before anything
else is started, whatever it is about: two jobs at once could register an object twice.

Airflow's `ResumableJobMixin` is about one job, so it runs once for each part. When it reconnects it returns what the
polling returned and not the job's result, so polling returns the result here.
"""

from __future__ import annotations

import time
from abc import abstractmethod
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

from airflow_provider_encord.defaults import JOB_TIMEOUT, POLL_INTERVAL
from airflow_provider_encord.operators.arguments import parse_bool, parse_seconds
from airflow_provider_encord.operators.base import EncordBaseOperator, airflow_errors, is_last_attempt
from airflow_provider_encord.operators.job_parts import (
    ACTIVE,
    SUCCEEDED,
    JobPart,
    StartAgainError,
    StoredJobs,
    status_of,
)
from airflow_provider_encord.operators.literals import check_literals

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_encord.client.resources.jobs import Answer, Job

_KEY = "encord_job"
_STARTS = 3  # of a part, if the answers to the start of its job get lost
_LEAST_INTERVAL = 5.0  # seconds; see `triggers.jobs` for why there is one


class JobOperator(ResumableJobMixin, EncordBaseOperator):
    """Base of the operators that start jobs. They implement `prepare`, `parts`, `start_part`, `part_result`, `add` and
    `finish`.

    :param deferrable: Wait in the triggerer, without a worker (templated). Default: Airflow's setting
        ``[operators] default_deferrable``.
    :param poll_interval: Seconds between two looks of the triggerer, 5 or more (templated). Default: 30. On a worker
        Encord holds each look until the job ends, for up to a minute.
    :param job_timeout: Seconds to wait for a job to end (templated). Default: 6 hours.
    """

    reuses_finished_jobs: ClassVar[bool] = True
    """Whether a job that an earlier attempt started and that ended well is the result of its part. Not where the part
    does not name its content: what came since is not in that job."""

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
        self._start_in_doubt = False  # an earlier attempt ended before it could note the id of a job, or its result

    @abstractmethod
    def prepare(self, context: Context) -> None:
        """Check the arguments; called at every start, also after a deferral, so it costs little."""

    def reserve(self) -> None:
        """Claim what the attempt writes into; called once in an attempt, before anything is sent or waited for."""

    def begin(self, context: Context) -> dict[str, Any]:
        """Do what an attempt does once, before its first job.

        :return: The totals to begin with, as `add` makes them.
        """
        return {}

    @abstractmethod
    def parts(self, after: Any) -> Iterator[JobPart]:
        """The parts, from the first, or after one of them.

        :param after: `JobPart.after` of the last part that has ended; None for all.
        """

    @abstractmethod
    def start_part(self, part: JobPart) -> Job:
        """Start the job of a part.

        :raises StartAgainError: The answer was lost. `parts` is asked for this part again.
        """

    @abstractmethod
    def part_result(self, part: JobPart, job: Job, answer: Answer) -> dict[str, Any]:
        """The result of a part whose job has ended: a small JSON object.

        :param part: After a deferral without its content.
        :raises EncordError: The part failed as a whole.
        """

    @abstractmethod
    def add(self, totals: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
        """The totals after one more part. Their size must not grow with the number of parts."""

    @abstractmethod
    def finish(self, context: Context, totals: Mapping[str, Any]) -> Any:
        """The end of the task, when all parts are done.

        :return: What goes to XCom.
        """

    def before_poll(self) -> None:
        """Called before each look at a running job: make sure that the attempt still has what it holds."""

    def before_deferral(self, seconds: float) -> None:
        """Called before the task waits in the triggerer: keep what the attempt holds for so long."""

    def left_a_start(self) -> bool:
        """Whether an earlier attempt started a job and wrote no result, where Airflow keeps no state of tasks."""
        return False

    def settle(self) -> None:
        """The attempt has ended, and not by deferring: give back what it holds."""

    def _execute(self, context: Context) -> Any:
        """Do all parts, from the first."""
        with self._permanent_end(context):
            self.prepare(context)
            self._set_waiting()
            self.reserve()
            self._wait_for_earlier(context)
            return self._continue(context, None, self.begin(context))

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> Any:
        """Continue after the triggerer has waited for a job.

        :param event: Of `EncordJobTrigger`; it carries the totals, the part, and where to continue.
        """
        with airflow_errors(self.log):
            try:
                with self._permanent_end(context):
                    return self._resume(context, event)
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
        except Exception as error:  # noqa: BLE001 - the task ends in any case
            self.log.warning("Job %s could not be cancelled: %s", job and job.id, error)
        else:
            self.log.info("Job %s is cancelled, as the task was ended.", job and job.id)

    def _resume(self, context: Context, event: Mapping[str, Any]) -> Any:
        carried = (event.get("carried") or {}) if isinstance(event, Mapping) else {}
        self._start_in_doubt = bool(carried.get("start_in_doubt"))
        self.take_over(carried)
        self.prepare(context)
        self._set_waiting()
        job = self._job_of(event)  # after `prepare`: if the wait failed, `settle` gives back what the attempt holds
        part = carried.get("part")
        if part is None:  # it was a job of an earlier attempt
            return self._continue(context, None, self.begin(context))
        part = JobPart(**part)
        result = self.part_result(part, job, self.client.run(job.look()))
        return self._continue(context, part.after, self.add(carried["totals"], result))

    def carry(self) -> dict[str, Any]:
        """Small JSON that an operator needs again after a deferral; `take_over` gets it."""
        return {}

    def take_over(self, carried: Mapping[str, Any]) -> None:
        """Take over what `carry` gave before the deferral."""

    def _continue(self, context: Context, after: Any, totals: dict[str, Any]) -> Any:
        self._totals = totals
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
        """Delete the stored jobs when the task has ended permanently: in success, or in a failure without a retry."""
        from airflow_provider_encord.client.errors import EncordError

        try:
            yield
        except (TaskDeferred, KeyboardInterrupt, SystemExit):
            raise
        except Exception as error:
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
        """Wait for a job that an earlier attempt left running, whatever its part was."""
        from airflow_provider_encord.client.resources.jobs import job_from

        jobs = _stored_jobs(context)
        self._start_in_doubt = jobs.last_is_unknown if jobs.lasting else self.left_a_start()
        stored = jobs.last
        if not stored or self.get_job_status(stored, context) != ACTIVE:
            return
        job = job_from(stored)
        self.log.info("Job %s of an earlier attempt still runs; it is waited for first.", job.id)
        self._wait(job)

    def _wait(self, job: Job) -> Answer:
        """Wait for a job, here or in the triggerer.

        :raises AirflowException: It has not ended in time.
        """
        self._running = job
        answer = self.client.run(
            job.follow(timeout=0 if self._deferring else self._timeout, before_poll=self.before_poll)
        )
        if not answer.ended:
            if not self._deferring:
                raise AirflowException(self._overdue(job))
            self._defer(job)
        self._running = None
        return answer

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
            self._running = job_from(event.get("job"))
            raise AirflowException(self._overdue(self._running))
        if status is None:
            raise AirflowFailException(
                f"The triggerer returned {type(event).__name__}, which is not an event of this operator."
            )
        kind = AirflowException if event.get("retryable") else AirflowFailException
        raise kind(str(event.get("message")))

    def _overdue(self, job: Job) -> str:
        return (
            f"Job {job.id} has not ended within job_timeout ({self.job_timeout} s). It keeps running at Encord; on "
            "Airflow 3.3 a retry continues to wait for it."
        )

    # What the mixin asks for. Its "status" is the state of the job, in a word of ours.

    def submit_job(self, context: Context) -> Any:
        """Start the job of the part."""
        from airflow_provider_encord.client.errors import EncordError

        part, jobs = self._part, _stored_jobs(context)
        assert part is not None  # noqa: S101 - the mixin is only run inside `_continue`
        jobs.add(self.external_id_key)
        try:
            return self.start_part(part).to_dictionary()
        except EncordError:  # it did not start: a key without an id would leave that in doubt
            jobs.drop(self.external_id_key)
            raise

    def get_job_status(self, external_id: Any, context: Context) -> str:
        """The state of an earlier attempt's job."""
        return status_of(self.client, external_id)

    def is_job_active(self, status: str) -> bool:
        """Whether it still runs."""
        return status == ACTIVE

    def is_job_succeeded(self, status: str) -> bool:
        """Whether it ended well, and its result is that of its part."""
        return status == SUCCEEDED and self.reuses_finished_jobs

    def poll_until_complete(self, external_id: Any, context: Context) -> Any:
        """Wait for the job, here or in the triggerer; the part's result."""
        from airflow_provider_encord.client.resources.jobs import job_from

        job = job_from(external_id)
        answer = self._wait(job)
        self._ended = job, self._result(job, answer)
        return self._ended[1]

    def get_job_result(self, external_id: Any, context: Context) -> Any:
        """The part's result."""
        from airflow_provider_encord.client.resources.jobs import job_from

        job = job_from(external_id)
        if self._ended and self._ended[0] == job:
            return self._ended[1]
        return self._result(job, self.client.run(job.look()))

    def _result(self, job: Job, answer: Answer) -> dict[str, Any]:
        part = self._part
        assert part is not None  # noqa: S101 - as in submit_job
        return self.part_result(part, job, answer)

    def _defer(self, job: Job) -> None:
        from datetime import timedelta

        from airflow_provider_encord.triggers.jobs import EncordJobTrigger

        part = self._part
        described = None if part is None else {"about": part.about, "note": dict(part.note), "after": part.after}
        self.log.info("Job %s runs; the triggerer polls it every %.0f s.", job.id, self._interval)
        longest = self._timeout + 10 * self._interval  # the trigger's own deadline comes first
        self.before_deferral(longest)
        self.defer(
            trigger=EncordJobTrigger(
                job=job.to_dictionary(),
                deadline=time.time() + self._timeout,
                encord_conn_id=self.encord_conn_id,
                poll_interval=self._interval,
                carried={
                    "totals": self._totals,
                    "part": described,
                    "start_in_doubt": self._start_in_doubt,
                    **self.carry(),
                },
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=longest),
        )


def _stored_jobs(context: Context) -> StoredJobs:
    return StoredJobs(context.get("task_state_store"))
