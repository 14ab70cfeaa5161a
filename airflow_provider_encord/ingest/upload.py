"""Uploading files to a dataset: leave out what is there, send the rest in batches, a job for each.

While Encord works on one job the next batch is sent. What one batch meets does not stop the others, unless it would
meet them all: a key that may not write, a dataset that is not there, Encord out of reach.
"""

from __future__ import annotations

import collections
import math
from collections.abc import Iterable, Sequence

from airflow_provider_encord.client.api.datasets import DataRow
from airflow_provider_encord.client.api.uploads import MOST_URLS_PER_REQUEST
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.errors import (
    EncordError,
    InvalidRequestError,
    RateLimitedError,
    TooLargeError,
    TransientError,
    UnavailableError,
    UnexpectedAnswerError,
)
from airflow_provider_encord.defaults import FILES_PER_JOB, JOB_TIMEOUT
from airflow_provider_encord.ingest.notes import Notebook, sent_again
from airflow_provider_encord.ingest.outcome import PRESENT, UPLOADED, Outcome, Report, failed
from airflow_provider_encord.ingest.places import Target
from airflow_provider_encord.ingest.plan import batches, make_plan
from airflow_provider_encord.ingest.registration import Job, Registration, rows_of_kinds
from airflow_provider_encord.ingest.sending import Sent, send_files, unfit
from airflow_provider_encord.ingest.sources import SourceFile

_RUNNING_JOBS = 1  # at Encord, while the next batch is sent
_FAILED_BATCHES = 3  # in a row; after that it would be the same for all


def upload_files(
    target: Target,
    files: Sequence[SourceFile],
    *,
    report: Report,
    files_per_job: int = FILES_PER_JOB,
    job_timeout: float = JOB_TIMEOUT,
    notebook: Notebook | None = None,
) -> Flow[None]:
    """Upload files to a dataset or a folder, except for those that are there.

    Jobs that an earlier try left running are seen through first.

    :param report: Is told the outcome of each file, once, also if the flow fails.
    :param files_per_job: At most `MOST_URLS_PER_REQUEST`.
    :param job_timeout: Seconds to wait for a job to end.
    :param notebook: Where earlier tries left what they had under way, and this one does; by default, nowhere.
    :raises InvalidRequestError: A number is out of its bounds.
    :raises NotPossibleError: There are files of a kind that does not go there.
    :raises EncordError: It cannot go on; the files that were left are reported as failed.
    """
    if not (math.isfinite(job_timeout) and job_timeout > 0):
        raise InvalidRequestError(f"job_timeout: {job_timeout} is not a number of seconds over 0.")
    if not 1 <= files_per_job <= MOST_URLS_PER_REQUEST:
        raise InvalidRequestError(f"files_per_job: {files_per_job} is not between 1 and {MOST_URLS_PER_REQUEST}.")
    for kind in {file.kind for file in files}:
        target.require_kind(kind)
    refused = [outcome for outcome in map(unfit, files) if outcome]
    refused_files = {outcome.file for outcome in refused}
    fit = [file for file in files if file not in refused_files]
    report(refused)
    notebook = notebook or Notebook()
    taken_up = yield from _take_up(target, fit, notebook, job_timeout)
    report(taken_up)
    done = {outcome.file for outcome in taken_up}
    theirs = {outcome.data_hash or outcome.backing_item_uuid for outcome in taken_up}
    rows = yield from rows_of_kinds(target, fit)
    plan = make_plan([file for file in fit if file not in done], [row for row in rows if row.data_hash not in theirs])
    report([_present(target, file, row) for file, row in plan.present])
    registration = Registration(target, rows, notebook=notebook, timeout=job_timeout)
    parts = batches(plan.missing, files_per_job=files_per_job)
    yield from _Upload(target, registration, report).run(parts)


def _take_up(
    target: Target, files: Sequence[SourceFile], notebook: Notebook, job_timeout: float
) -> Flow[list[Outcome]]:
    """The outcomes of what earlier tries left under way: what is in now, and what is not and cannot be."""
    outcomes: list[Outcome] = []
    done: set[SourceFile] = set()
    # Those with an id first: what such a job made is certain, and another note may be about the same objects.
    for note in sorted(notebook.left(target.id), key=lambda one: one.job is None):
        sent = [one for one in sent_again(note, files) if one.file not in done]
        if not sent:
            notebook.close(note)
            continue
        registration = Registration(target, (), notebook=notebook, timeout=job_timeout)
        ended = yield from registration.take_up(note, sent)
        # What Encord refused may be good by now, so it is sent again like any other.
        certain = [outcome for outcome in ended if outcome.result == UPLOADED or outcome.pending]
        outcomes += certain
        done |= {outcome.file for outcome in certain}
    return outcomes


def _present(target: Target, file: SourceFile, row: DataRow) -> Outcome:
    return Outcome(
        file=file,
        result=PRESENT,
        data_hash=row.data_hash if target.dataset else None,
        backing_item_uuid=row.backing_item_uuid,
    )


class _Upload:
    """Takes batches to their end, one after the other."""

    def __init__(self, target: Target, registration: Registration, report: Report):
        self._target, self._registration, self._report = target, registration, report
        self._running: collections.deque[Job] = collections.deque()
        self._failed_batches = 0
        self._stopped_by: EncordError | None = None

    def run(self, parts: Iterable[Sequence[SourceFile]]) -> Flow[None]:
        for part in parts:
            if self._stopped_by:
                self._fail(part, f"Not sent, as an earlier part failed: {self._stopped_by}", retryable=True)
                continue
            jobs = yield from self._start(part)
            self._running.extend(jobs)
            # A job whose answer was lost is looked for before another one starts: its rows would be hard to tell apart.
            waiting = 0 if any(job.id is None for job in jobs) else _RUNNING_JOBS
            yield from self._finish(waiting)
        yield from self._finish(0)
        if self._stopped_by:
            raise self._stopped_by

    def _start(self, files: Sequence[SourceFile]) -> Flow[list[Job]]:
        try:
            sent, failures = yield from send_files(self._target, files)
        except EncordError as error:
            self._meet(error)
            self._fail(files, str(error), retryable=error.retryable)
            return []
        self._report(failures)
        if not sent:
            if all(one.retryable for one in failures):
                self._meet(UnavailableError("The object store took none of the files."))
            return []
        try:
            jobs = yield from self._register(sent)
        except EncordError as error:
            self._meet(error)
            self._fail([one.file for one in sent], str(error), retryable=error.retryable)
            return []
        self._failed_batches = 0
        return jobs

    def _register(self, sent: Sequence[Sent]) -> Flow[list[Job]]:
        try:
            job = yield from self._registration.start(sent)
        except TooLargeError:
            if len(sent) == 1:
                raise
        else:
            return [job]
        half = len(sent) // 2
        first = yield from self._register(sent[:half])
        return first + (yield from self._register(sent[half:]))

    def _finish(self, waiting: int) -> Flow[None]:
        """See jobs through, the oldest first, until no more than so many are left."""
        while len(self._running) > waiting:
            job = self._running.popleft()
            try:
                outcomes = yield from self._registration.finish(job)
            except EncordError as error:
                self._meet(error)
                self._fail([one.file for one in job.sent], str(error), retryable=error.retryable)
            else:
                self._report(outcomes)

    def _meet(self, error: EncordError) -> None:
        """Decide whether to go on."""
        self._failed_batches += 1
        of_this_batch = isinstance(
            error, TransientError | InvalidRequestError | TooLargeError | UnexpectedAnswerError
        ) and not isinstance(error, RateLimitedError)
        if not of_this_batch or self._failed_batches >= _FAILED_BATCHES:
            self._stopped_by = self._stopped_by or error

    def _fail(self, files: Sequence[SourceFile], reason: str, *, retryable: bool) -> None:
        self._report([failed(file, reason, retryable=retryable) for file in files])
