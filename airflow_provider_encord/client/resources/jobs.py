"""The long jobs of Encord in one shape: uploads and registrations, syncs of a folder, re-encoding.

A `Job` is a small value that may be stored and read again, by another try or by a trigger. What polls answer differs by
kind; `JobState` is what they have in common.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import msgspec

from airflow_provider_encord.client.api import data_rows, folder_uploads, storage_folders, uploads
from airflow_provider_encord.client.api.data_rows import ReEncoding
from airflow_provider_encord.client.api.storage_folders import FolderSync
from airflow_provider_encord.client.api.uploads import LONGEST_HOLD, UploadJob
from airflow_provider_encord.client.call import Call, Flow, Pause
from airflow_provider_encord.client.errors import InvalidArgumentError, NotFoundError, UnexpectedResponseError
from airflow_provider_encord.client.resources.uploads import follow_job

DATASET_UPLOAD: Literal["dataset_upload"] = "dataset_upload"
FOLDER_UPLOAD: Literal["folder_upload"] = "folder_upload"
FOLDER_SYNC: Literal["folder_sync"] = "folder_sync"
RE_ENCODING: Literal["re_encoding"] = "re_encoding"
JobKind: TypeAlias = Literal["dataset_upload", "folder_upload", "folder_sync", "re_encoding"]

UNKNOWN_JOB = (NotFoundError, InvalidArgumentError)
"""What a poll raises of a job that Encord does not know, or not any more."""

_LOOKS = 3  # at a job, where one answer after the other cannot be read
_SECONDS_BETWEEN_LOOKS = 1.0

Answer: TypeAlias = UploadJob | FolderSync | ReEncoding


class JobState(msgspec.Struct, frozen=True, kw_only=True):
    """How a job stands, whatever its kind.

    :param status: In Encord's word, in upper case.
    :param succeeded: It ended well. Single units may have failed all the same: look at `failed`.
    :param done: Units that are in; the others are counts, too. Always 0 for re-encoding, which does not count.
    :param errors: What Encord says of the job as a whole.
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

    :param resource: Id of its dataset or folder.
    :param id: Of the job; for re-encoding a number, as text.
    """

    kind: JobKind
    resource: str
    id: str

    def to_dictionary(self) -> dict[str, str]:
        """As JSON can hold it; `job_from` reads it."""
        return {"kind": self.kind, "resource": self.resource, "id": self.id}

    def poll(self, hold: int = 0) -> Call[Any]:
        """Its state.

        :param hold: Seconds that Encord may hold the request while the job runs, `LONGEST_HOLD` at most.
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
        """The call that cancels it; None for kinds that cannot be cancelled."""
        if self.kind == FOLDER_UPLOAD:
            return folder_uploads.cancel_folder_upload(self.resource, self.id)
        return None

    def look(self) -> Flow[Answer]:
        """Its state now; an answer that cannot be read is asked for again."""
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
        """Poll it until it ends or its time is over; see `uploads.follow_job`.

        :param before_poll: Called before each poll. What it raises ends the wait, unless it is transient.
        """

        def poll(hold: int) -> Call[Any]:
            before_poll()
            return self.poll(hold)

        answer: Answer = yield from follow_job(poll, timeout=timeout)
        return answer


def job_from(stored: Any) -> Job:
    """Read a job that `Job.to_dictionary` wrote.

    :raises InvalidArgumentError: It is none.
    """
    try:
        return msgspec.convert(stored, Job)
    except msgspec.ValidationError as error:
        raise InvalidArgumentError(f"job: what was stored is not a job of Encord: {error}.") from None


def state_of(answer: Answer) -> JobState:
    """What the answers of polls have in common."""
    status = answer.status.upper()
    if isinstance(answer, UploadJob):
        return JobState(
            status=status,
            ended=answer.ended,
            succeeded=status == uploads.DONE,
            done=answer.units_done_count,
            failed=answer.units_error_count,
            pending=answer.units_pending_count,
            cancelled=answer.units_cancelled_count,
            errors=answer.errors,
        )
    if isinstance(answer, FolderSync):
        return JobState(
            status=status,
            ended=answer.ended,
            succeeded=status == uploads.DONE,
            done=answer.upload_jobs_units_done,
            failed=answer.upload_jobs_units_error,
            pending=answer.upload_jobs_units_pending,
            cancelled=answer.upload_jobs_units_cancelled,
        )
    return JobState(status=status, ended=answer.ended, succeeded=status == uploads.DONE)
