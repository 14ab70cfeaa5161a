"""One interface for Encord's long jobs: uploads and registrations, folder syncs, re-encoding.

A `Job` is a small value that can be stored and read again by another try or by a trigger. The responses to polls differ
by kind of job; `JobState` contains the fields that all kinds have.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import msgspec

from airflow_provider_encord.client.api import (
    data_rows,
    folder_uploads,
    storage_folders,
    uploads,
)
from airflow_provider_encord.client.api.data_rows import ReEncoding
from airflow_provider_encord.client.api.storage_folders import FolderSync
from airflow_provider_encord.client.api.uploads import LONGEST_HOLD, UploadJob
from airflow_provider_encord.client.call import Call, Flow, Now, Pause
from airflow_provider_encord.client.errors import (
    InvalidArgumentError,
    NotFoundError,
    TransientError,
    UnexpectedResponseError,
    must_wait_elsewhere,
)
from airflow_provider_encord.job_parts import ACTIVE, FAILED, SUCCEEDED
from airflow_provider_encord.progress import ProgressLogger

_log = logging.getLogger(__name__)

DATASET_UPLOAD: Literal["dataset_upload"] = "dataset_upload"
FOLDER_UPLOAD: Literal["folder_upload"] = "folder_upload"
FOLDER_SYNC: Literal["folder_sync"] = "folder_sync"
RE_ENCODING: Literal["re_encoding"] = "re_encoding"
JobKind: TypeAlias = Literal["dataset_upload", "folder_upload", "folder_sync", "re_encoding"]

UNKNOWN_JOB = (NotFoundError, InvalidArgumentError)
"""The errors of a poll if Encord does not know the job, or has forgotten it."""

_LOOKS = 3  # polls in a row whose responses cannot be read, before `look` fails
_SECONDS_BETWEEN_LOOKS = 1.0

FORGIVEN = 10  # failed polls in a row that are tolerated; the transport has retried each of them
_PAUSE_AFTER_FAILURE = 10.0  # seconds
_QUICK_POLL = 1.0  # seconds; a response that comes sooner means that Encord did not hold the request
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0  # seconds between polls that Encord does not hold

Answer: TypeAlias = UploadJob | FolderSync | ReEncoding


class _Ends(Protocol):
    """The state of a job of any kind."""

    @property
    def ended(self) -> bool: ...


J = TypeVar("J", bound=_Ends)


class JobState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a job of any kind.

    :param status: Encord's status word, in upper case.
    :param ended: The job has ended.
    :param succeeded: The job has ended well. Single units may have failed; see `failed`.
    :param done: Number of units that were added. For re-encoding, this and the other numbers are always 0.
    :param failed: Number of units that failed.
    :param pending: Number of units that are not processed yet.
    :param cancelled: Number of units that were cancelled.
    :param errors: Encord's error messages about the job as a whole.
    """

    status: str
    ended: bool
    succeeded: bool
    done: int = 0
    failed: int = 0
    pending: int = 0
    cancelled: int = 0
    errors: list[str] = []


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job that was started.

    :param resource: Id of the job's dataset or folder.
    :param id: Id of the job. For re-encoding, this is a number as text.
    """

    kind: JobKind
    resource: str
    id: str

    def to_dictionary(self) -> dict[str, str]:
        """Convert the job to a dictionary for JSON; `job_from` reads it."""
        return {"kind": self.kind, "resource": self.resource, "id": self.id}

    def poll(self, hold: int = 0) -> Call[Any]:
        """Make the call that reads the state of the job.

        :param hold: Seconds that Encord may hold the request while the job runs; at most `LONGEST_HOLD`.
        """
        hold = min(hold, LONGEST_HOLD)
        if self.kind == DATASET_UPLOAD:
            return uploads.poll_upload(self.resource, self.id, timeout_seconds=hold)
        if self.kind == FOLDER_UPLOAD:
            return folder_uploads.poll_folder_upload(self.resource, self.id, timeout_seconds=hold)
        if self.kind == FOLDER_SYNC:
            return storage_folders.poll_sync(self.resource, self.id, timeout_seconds=hold)
        return data_rows.get_re_encoding(self.resource, int(self.id))

    def cancel(self) -> Call[Any] | None:
        """Make the call that cancels the job; None for kinds of job that cannot be cancelled."""
        if self.kind == FOLDER_UPLOAD:
            return folder_uploads.cancel_folder_upload(self.resource, self.id)
        return None

    def look(self) -> Flow[Answer]:
        """Read the current state of the job. If the response cannot be read, ask again."""
        answer: Answer
        for _ in range(_LOOKS - 1):
            try:
                answer = yield from self.poll()
            except UnexpectedResponseError:
                yield from Pause(_SECONDS_BETWEEN_LOOKS)
            else:
                return answer
        answer = yield from self.poll()
        return answer

    def follow(self, *, timeout: float, before_poll: Callable[[], None] = lambda: None) -> Flow[Answer]:
        """Poll the job until it ends or the time-out is over; see `follow_job`.

        :param timeout: Seconds; 0 polls once.
        :param before_poll: Called before each poll. If it raises an error that is not transient, the wait ends.
        """

        def poll(hold: int) -> Call[Any]:
            before_poll()
            return self.poll(hold)

        answer: Answer = yield from follow_job(poll, timeout=timeout)
        return answer


def job_from(stored: Any) -> Job:
    """Read a job that `Job.to_dictionary` wrote.

    :raises InvalidArgumentError: The stored value is not a job.
    """
    try:
        return msgspec.convert(stored, Job)
    except msgspec.ValidationError as error:
        raise InvalidArgumentError(f"job: the stored value is not a job of Encord: {error}.") from None


def status_of(stored: Any) -> Flow[str]:
    """Read whether a job that an earlier attempt started is active, succeeded or failed.

    A job that Encord no longer knows counts as failed. So does one with failed or cancelled units: Encord may accept
    now what it refused then.

    :param stored: The job, as `Job.to_dictionary` gives it.
    """
    try:
        state = state_of((yield from job_from(stored).look()))
    except UNKNOWN_JOB:
        return FAILED
    if not state.ended:
        return ACTIVE
    return SUCCEEDED if state.succeeded and not state.failed and not state.cancelled else FAILED


def state_of(answer: Answer) -> JobState:
    """Convert the response to a poll into a `JobState`."""
    status = answer.status.upper()
    state = JobState(status=status, ended=answer.ended, succeeded=status == uploads.DONE)
    if isinstance(answer, UploadJob):
        return msgspec.structs.replace(
            state,
            done=answer.units_done_count,
            failed=answer.units_error_count,
            pending=answer.units_pending_count,
            cancelled=answer.units_cancelled_count,
            errors=answer.errors,
        )
    if isinstance(answer, FolderSync):
        return msgspec.structs.replace(
            state,
            done=answer.upload_jobs_units_done,
            failed=answer.upload_jobs_units_error,
            pending=answer.upload_jobs_units_pending,
            cancelled=answer.upload_jobs_units_cancelled,
        )
    return state


class JobProgress(ProgressLogger):
    """The progress of a job of Encord, from its polls.

    :param name: What the job is called in a line; empty if there is only one.
    :param log: See `ProgressLogger`.
    """

    def __init__(self, name: str = "", *, log: Callable[..., object] = _log.info):
        super().__init__("units of Encord's job" + (f" {name}" if name else ""), log=log)
        self._state: JobState | None = None

    def saw(self, state: JobState) -> None:
        """Take the state of a running job, and log if the interval is over.

        What the first poll sees is not counted in the rate: an earlier attempt may have waited for the job, too.
        """
        done = state.done + state.failed + state.cancelled
        if self._state is None:
            self.go_on_from(done)
        self._state, self.done, self.total = state, done, done + state.pending or None  # at first, no unit is known
        self.log_at_intervals()

    def details(self) -> str:
        """The status, and what failed."""
        if self._state is None:
            return ""
        failed = self._state.failed + self._state.cancelled
        return f" ({self._state.status.lower()}{f', {failed} failed' if failed else ''})"


def follow_job(poll: Callable[[int], Call[J]], *, timeout: float) -> Flow[J]:
    """Poll a job until it ends or the time-out is over.

    Up to `FORGIVEN` failed polls in a row are tolerated: transient errors and responses that cannot be read. Not those
    after which the client is not to wait (see `must_wait_elsewhere`).

    :param poll: Makes the call; takes the seconds that Encord may hold the request.
    :param timeout: Seconds; 0 polls once.
    :return: The last known state; check its `ended`.
    :raises TransientError: Encord has not returned the state of the job by the end of the time-out.
    """
    deadline, progress = (yield from Now()) + timeout, JobProgress()
    failures, pause = 0, _FIRST_PAUSE
    while True:
        asked = yield from Now()
        hold = max(0, min(LONGEST_HOLD, int(deadline - asked)))
        try:
            state = yield from poll(hold)
        except (TransientError, UnexpectedResponseError) as error:  # a single unreadable response must not end the wait
            if must_wait_elsewhere(error):
                raise
            failures += 1
            wait = _QUICK_POLL
            if isinstance(error, TransientError):
                wait = max(_PAUSE_AFTER_FAILURE, error.retry_after or 0)
            if failures > FORGIVEN or (yield from Now()) + wait >= deadline:
                raise
            yield from Pause(wait)
            continue
        failures = 0
        now = yield from Now()
        if state.ended:
            return state
        if isinstance(state, UploadJob | FolderSync):
            progress.saw(state_of(state))
        if now >= deadline:
            progress.note()  # the task may now wait in the triggerer
            return state
        if now - asked < _QUICK_POLL:
            yield from Pause(min(pause, deadline - now))
            pause = min(2 * pause, _LONGEST_PAUSE)
