"""Creating data units from uploaded files: start a job, wait for it, and return the outcome of each file.

Encord has no idempotency keys, so the start of a job is not simply repeated. If its response is lost, the data rows
show whether the job started. Only if no rows appear for a while, the same objects are registered again, with duplicate
URLs skipped. A job with a known id is polled until it ends. If Encord does not know a job any more, it is treated like
a lost response.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable, Sequence

from airflow_provider_encord.client.api import uploads
from airflow_provider_encord.client.api.datasets import DataRow
from airflow_provider_encord.client.api.uploads import PENDING, RegisteredFile, UploadJob
from airflow_provider_encord.client.call import Call, Flow, Now, Pause
from airflow_provider_encord.client.errors import EncordError, OutcomeUnknownError, TransientError, must_wait_elsewhere
from airflow_provider_encord.client.flows.jobs import UNKNOWN_JOB, follow_job
from airflow_provider_encord.client.flows.upload_target import UploadTarget
from airflow_provider_encord.reports import CREATED
from airflow_provider_encord.uploads.notes import JobCheckpoint, JobCheckpoints
from airflow_provider_encord.uploads.outcome import FileOutcome, failed
from airflow_provider_encord.uploads.plan import match_new_rows
from airflow_provider_encord.uploads.rows import rows_of_kinds
from airflow_provider_encord.uploads.transfer import StoredFile

_STARTS = 3  # how often the same files are registered if responses are lost
_LOOKS = (1.0, 2.0, 4.0)  # seconds between searches for the rows of a job whose response was lost


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job that was started.

    :param id: Id of the job; None if the response was lost.
    :param note: Checkpoint of the job, kept until its outcomes are known.
    """

    id: str | None
    sent: Sequence[StoredFile]
    note: JobCheckpoint


class Registration:
    """Creates data units from uploaded files, in one dataset or folder.

    :param known: Rows that are not from these files. Registered rows are added.
    :param checkpoints: Stores the running jobs.
    :param timeout: Seconds to wait for a job.
    """

    def __init__(self, target: UploadTarget, known: Iterable[DataRow], *, checkpoints: JobCheckpoints, timeout: float):
        self._target, self._timeout, self._checkpoints = target, timeout, checkpoints
        self._known: dict[str, set[str]] = collections.defaultdict(set)
        for row in known:
            self._known[row.data_title].add(row.data_hash)

    def start(self, sent: Sequence[StoredFile], *, again: bool = False) -> Flow[Job]:
        """Start a job.

        :param again: The files may be registered already; let Encord skip those.
        :raises EncordError: Encord refused the request, or cannot be reached. No job was started.
        """
        known = {row for title in {item.file.title for item in sent} for row in self._known.get(title, ())}
        note = self._checkpoints.open(self._target.id, sent, known)
        try:
            job = yield from self._target.start([item.entry for item in sent], skip_duplicate_urls=again)
        except OutcomeUnknownError:
            return Job(id=None, sent=sent, note=note)
        except EncordError:
            self._checkpoints.close(note)
            raise
        return Job(id=job, sent=sent, note=self._checkpoints.started(note, job))

    def take_up(self, note: JobCheckpoint, sent: Sequence[StoredFile]) -> Flow[list[FileOutcome]]:
        """Wait for a job of an earlier attempt.

        :param sent: The files of the checkpoint that are also files of this attempt.
        """
        self._know(note, sent)
        return (yield from self.finish(self.job_of(note, sent)))

    def find(self, note: JobCheckpoint, sent: Sequence[StoredFile]) -> Flow[list[FileOutcome]]:
        """Find the rows that an earlier attempt created from files that have changed since.

        Missing ones are not registered.

        :param sent: These files, as the checkpoint describes them.
        """
        self._know(note, sent)
        ended = None if note.job is None else (yield from self._follow(note.job))
        if note.job is not None and ended is not None:
            return (yield from self._outcomes(note.job, sent, ended))
        found, _ = yield from self._watch(list(sent))
        return found

    def _know(self, note: JobCheckpoint, sent: Sequence[StoredFile]) -> None:
        """Record that these files may have rows now: only rows that existed before are not from them."""
        for item in sent:
            self._known[item.file.title] = set(note.known)

    def job_of(self, note: JobCheckpoint, sent: Sequence[StoredFile]) -> Job:
        """The job of a checkpoint."""
        return Job(id=note.job, sent=sent, note=note)

    def close(self, job: Job, outcomes: Sequence[FileOutcome]) -> None:
        """Delete the checkpoint of a job whose outcomes are reported."""
        if not any(outcome.pending for outcome in outcomes):
            self._checkpoints.close(job.note)

    def finish(self, job: Job) -> Flow[list[FileOutcome]]:
        """Wait for a job. Its checkpoint is kept until `close`.

        :return: The outcome of each of its files.
        :raises EncordError: The state of the job cannot be read.
        """
        ended = None if job.id is None else (yield from self._follow(job.id))
        if job.id is None or ended is None:
            return (yield from self._recover(job.sent))
        return (yield from self._outcomes(job.id, job.sent, ended))

    def _outcomes(self, job: str, sent: Sequence[StoredFile], ended: UploadJob) -> Flow[list[FileOutcome]]:
        if not ended.ended:
            reason = self._overdue(job, ended.errors)
            # Without lasting checkpoints, a retry would not know the job and would send its files again.
            retryable = self._checkpoints.lasting
            return [failed(item.file, reason, retryable=retryable, sha256=item.sha256, pending=True) for item in sent]
        outcomes, untold = judge(sent, ended)
        for outcome in outcomes:
            self._known[outcome.file.title].update({outcome.data_hash, outcome.backing_item_uuid} - {None})  # type: ignore[arg-type]
        if untold:
            found, lost = yield from self._look(untold)
            outcomes += found + [_untold(stored, ended) for stored in lost]
        return outcomes

    def _recover(self, sent: Sequence[StoredFile]) -> Flow[list[FileOutcome]]:
        """The outcomes of files if the response to the start of their job was lost, or Encord has forgotten the job."""
        outcomes: list[FileOutcome] = []
        left = list(sent)
        for _ in range(_STARTS - 1):
            found, left = yield from self._watch(left)
            outcomes += found
            if not left:
                return outcomes
            try:
                job = yield from self.start(left, again=True)
            except EncordError as error:
                if must_wait_elsewhere(error):
                    raise
                return outcomes + [
                    failed(stored.file, str(error), retryable=True, sha256=stored.sha256) for stored in left
                ]
            ended = None if job.id is None else (yield from self._follow(job.id))
            if job.id is not None and ended is not None:
                more = yield from self._outcomes(job.id, left, ended)
                self.close(job, more)  # the open checkpoint already contains the same
                return outcomes + more
            self._checkpoints.close(job.note)  # the open checkpoint already contains the same
        found, left = yield from self._watch(left)
        unknown = "Encord's response to its registration was lost, and it is not in the dataset. Run the task again."
        return (
            outcomes + found + [failed(stored.file, unknown, retryable=True, sha256=stored.sha256) for stored in left]
        )

    def _watch(self, sent: list[StoredFile]) -> Flow[tuple[list[FileOutcome], list[StoredFile]]]:
        """Search for rows until all exist, or no more are added."""
        outcomes: list[FileOutcome] = []
        deadline = (yield from Now()) + self._timeout
        look = 0
        while sent and look < len(_LOOKS) and (yield from Now()) < deadline:
            yield from Pause(_LOOKS[look])
            try:
                found, sent = yield from self._look(sent)
            except TransientError as error:
                if must_wait_elsewhere(error):
                    raise
                found = []
            outcomes += found
            look = 0 if found else look + 1
        return outcomes, sent

    def _look(self, sent: Sequence[StoredFile]) -> Flow[tuple[list[FileOutcome], list[StoredFile]]]:
        """Split files into those with a new row in the dataset and those without."""
        rows = yield from rows_of_kinds(self._target, [item.file for item in sent])
        new = [row for row in rows if row.data_hash not in self._known.get(row.data_title, ())]
        rows_of = dict(match_new_rows([item.file for item in sent], new))
        for file, row in rows_of.items():
            self._known[file.title].add(row.data_hash)
        found = [_uploaded(item, rows_of[item.file]) for item in sent if item.file in rows_of]
        return found, [item for item in sent if item.file not in rows_of]

    def _follow(self, job: str) -> Flow[UploadJob | None]:
        """Poll a job until it ends or the time-out is over; None if Encord does not know it."""

        def poll(hold: int) -> Call[UploadJob]:
            self._checkpoints.check()
            return self._target.poll(job, hold)

        try:
            return (yield from follow_job(poll, timeout=self._timeout))
        except TransientError as error:  # the job is known and continues
            if must_wait_elsewhere(error):
                raise
            return UploadJob(status=PENDING, errors=[str(error)])
        except UNKNOWN_JOB as error:
            if error.operation is None:  # the error is not from Encord but from the check
                raise
            return None

    def _overdue(self, job: str, errors: Sequence[str]) -> str:
        why = "; ".join(errors) or f"job_timeout is {self._timeout:.0f} s"
        return (
            f"Job {job} has not ended in time ({why}) and continues at Encord. Run the task again when it has ended; "
            "files that are in the dataset by then are not sent again."
        )


def judge(sent: Sequence[StoredFile], job: UploadJob) -> tuple[list[FileOutcome], list[StoredFile]]:
    """The outcomes of the files of an ended job. Failures are matched by object, successes by title, in order.

    :return: The outcomes, and the files that the result of the job does not contain.
    """
    failures = job.failures
    registered: dict[str, collections.deque[RegisteredFile]] = collections.defaultdict(collections.deque)
    for unit in job.data_hashes_with_titles:
        registered[unit.title].append(unit)
    outcomes: list[FileOutcome] = []
    untold: list[StoredFile] = []
    for item in sent:
        if refused := [url for url in item.objects if url in failures]:
            reason = f"Encord could not process {item.file.uri}: {failures[refused[0]]}."
            outcomes.append(failed(item.file, reason, retryable=False, sha256=item.sha256))
        elif units := registered.get(item.file.title):
            outcomes.append(_uploaded(item, units.popleft()))
        else:
            untold.append(item)
    return outcomes, untold


def _uploaded(sent: StoredFile, row: DataRow | RegisteredFile) -> FileOutcome:
    return FileOutcome(
        file=sent.file,
        result=CREATED,
        data_hash=row.data_hash,
        backing_item_uuid=row.backing_item_uuid,
        sha256=sent.sha256,
    )


def _untold(sent: StoredFile, job: UploadJob) -> FileOutcome:
    reason = "; ".join(job.errors) or "it gives no reason"
    return failed(
        sent.file,
        f"Encord's job ended with status {job.status} without {sent.file.uri}: {reason}.",
        retryable=job.status != uploads.CANCELLED,
        sha256=sent.sha256,
    )
