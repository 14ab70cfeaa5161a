"""Uploading files to a dataset: skip existing files, and send the others in batches with one job per batch.

While Encord processes one job, the next batch is sent. An error of one batch does not stop the others, unless it would
affect all of them: a key without write permission, a dataset that does not exist, or Encord cannot be reached.
"""

from __future__ import annotations

import collections
import datetime
import math
from collections.abc import Iterable, Sequence

from airflow_provider_encord.client.api.datasets import DataRow
from airflow_provider_encord.client.api.uploads import MOST_URLS_PER_REQUEST
from airflow_provider_encord.client.call import API_KEY, Flow
from airflow_provider_encord.client.errors import (
    ConflictError,
    EncordError,
    InvalidArgumentError,
    PayloadTooLargeError,
    RateLimitedError,
    TransientError,
    UnavailableError,
    UnexpectedResponseError,
)
from airflow_provider_encord.client.flows.storage import read_items
from airflow_provider_encord.client.flows.upload_target import UploadTarget
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.defaults import FILES_PER_JOB, JOB_TIMEOUT
from airflow_provider_encord.reports import CREATED, UNCHANGED
from airflow_provider_encord.sources.files import SourceFile, composed
from airflow_provider_encord.uploads.evidence import Evidence
from airflow_provider_encord.uploads.notes import JobCheckpoints, sent_again, sent_before
from airflow_provider_encord.uploads.outcome import FileOutcome, OutcomeCallback, failed
from airflow_provider_encord.uploads.plan import CHECKSUM, TITLE_AND_SIZE, batches, make_plan, match_new_rows
from airflow_provider_encord.uploads.registration import Job, Registration
from airflow_provider_encord.uploads.report import upload_line
from airflow_provider_encord.uploads.rows import rows_of_kinds
from airflow_provider_encord.uploads.transfer import StoredFile, send_files, unfit

_GROUP = "IMG_GROUP"
_RUNNING_JOBS = 1  # at Encord, while the next batch is sent
_SLOWEST = 100_000  # bytes per second; decides how long a report is reserved while files are sent
_FAILED_BATCHES = 3  # in a row; after that, the error is likely to affect all


def upload_files(
    target: UploadTarget,
    files: Sequence[SourceFile],
    *,
    on_outcomes: OutcomeCallback,
    files_per_job: int = FILES_PER_JOB,
    job_timeout: float = JOB_TIMEOUT,
    checkpoints: JobCheckpoints | None = None,
    evidence: Evidence | None = None,
    match_by: str = TITLE_AND_SIZE,
) -> Flow[None]:
    """Upload files to a dataset or a folder, except files that exist there already.

    First, it waits for jobs that an earlier attempt left running. Before each job, and at the end, it searches for rows
    that somebody else has added meanwhile.

    :param on_outcomes: Called once with the outcome of each file, even if the flow fails.
    :param files_per_job: Maximum number of files per job; at most `MOST_URLS_PER_REQUEST`.
    :param job_timeout: Seconds to wait for a job to end.
    :param checkpoints: Stores the running jobs of this attempt and of earlier ones. Default: they are not stored.
    :param evidence: Evidence about the rows from earlier reports.
    :param match_by: How to recognise files that no report contains; see `uploads.plan.make_plan`.
    :raises InvalidArgumentError: A number is out of its range.
    :raises UnsupportedByCredentialError: The target does not accept the kind of some files.
    :raises ConflictError: Files exist twice now, because another task uploaded them at the same time.
    :raises EncordError: The upload cannot continue. The remaining files are reported as failed.
    """
    if not (math.isfinite(job_timeout) and job_timeout > 0):
        raise InvalidArgumentError(f"job_timeout: {job_timeout} is not a number of seconds over 0.")
    if not 1 <= files_per_job <= MOST_URLS_PER_REQUEST:
        raise InvalidArgumentError(f"files_per_job: {files_per_job} is not between 1 and {MOST_URLS_PER_REQUEST}.")
    for kind in {file.kind for file in files}:
        target.require_kind(kind)
    refused = [outcome for outcome in map(unfit, files) if outcome]
    refused_files = {outcome.file for outcome in refused}
    fit = [file for file in files if file not in refused_files]
    on_outcomes(refused)
    checkpoints = checkpoints or JobCheckpoints()
    evidence = evidence or Evidence()
    taken_up = yield from _take_up(target, fit, checkpoints, job_timeout, on_outcomes, evidence)
    done = {outcome.file for outcome in taken_up}
    theirs = {outcome.data_hash or outcome.backing_item_uuid for outcome in taken_up}
    rows = yield from rows_of_kinds(target, fit)
    left = [file for file in fit if file not in done]
    others = yield from _of_same_type(target, left, [row for row in rows if row.data_hash not in theirs])
    plan = make_plan(left, others, evidence=evidence, match_by=match_by)
    on_outcomes([failed(file, str(error), retryable=error.retryable) for file, error in plan.unreadable])
    on_outcomes([_present(target, file, row, matched_by) for file, row, matched_by in plan.present])
    on_outcomes([_ambiguous(file, target) for file in plan.ambiguous])
    registration = Registration(target, rows, checkpoints=checkpoints, timeout=job_timeout)
    parts = batches(plan.missing, files_per_job=files_per_job)
    newcomers = Newcomers(target, rows, look=match_by != CHECKSUM)
    yield from _Upload(target, registration, on_outcomes, newcomers, checkpoints).run(parts)


def _of_same_type(target: UploadTarget, files: Sequence[SourceFile], rows: list[DataRow]) -> Flow[list[DataRow]]:
    """The rows without groups of another type. A dataset lists image groups and image sequences with the same type.

    An API key cannot read the items of the rows, so all rows are kept then.
    """
    types: dict[str, set[str]] = collections.defaultdict(set)
    for file in files:
        if file.parts:
            types[composed(file.title)].add(file.item_type)
    doubtful = {
        row.backing_item_uuid: row for row in rows if row.data_type == _GROUP and composed(row.data_title) in types
    }
    doubtful.pop(None, None)
    if not target.dataset or target.credential == API_KEY or not doubtful:
        return rows
    other: set[str] = set()
    for item in (yield from read_items([str(item) for item in doubtful])):
        row = doubtful.get(item.uuid)
        if row is not None and item.item_type not in types[composed(row.data_title)]:
            other.add(row.data_hash)
    return [row for row in rows if row.data_hash not in other]


def _take_up(
    target: UploadTarget,
    files: Sequence[SourceFile],
    checkpoints: JobCheckpoints,
    job_timeout: float,
    on_outcomes: OutcomeCallback,
    evidence: Evidence,
) -> Flow[list[FileOutcome]]:
    """Resolve jobs that earlier attempts left running; return only final outcomes.

    :param evidence: Receives lines about the rows of files that have changed since.
    """
    outcomes: list[FileOutcome] = []
    done: set[SourceFile] = set()
    # Those with an id first: their results are certain, and another checkpoint may be about the same objects.
    for note in sorted(checkpoints.left(target.id), key=lambda checkpoint: checkpoint.job is None):
        sent = [stored for stored in sent_again(note, files) if stored.file not in done]
        registration = Registration(target, (), checkpoints=checkpoints, timeout=job_timeout)
        before = sent_before(note, files)
        made = (yield from registration.find(note, before)) if before else []
        folder = None if target.dataset else target.folder
        for outcome in made:
            evidence.learn(upload_line(outcome, target.dataset, {}, folder=folder))
        if not sent:
            registration.close(registration.job_of(note, before), made)
            continue
        ended = yield from registration.take_up(note, sent)
        # Files that Encord refused may have been corrected, so they are sent again like all others.
        certain = [outcome for outcome in ended if outcome.result == CREATED or outcome.pending]
        on_outcomes(certain)
        registration.close(registration.job_of(note, sent), [*ended, *made])
        outcomes += certain
        done |= {outcome.file for outcome in certain}
    return outcomes


def _present(target: UploadTarget, file: SourceFile, row: DataRow, matched_by: str) -> FileOutcome:
    return FileOutcome(
        file=file,
        result=UNCHANGED,
        data_hash=row.data_hash if target.dataset else None,
        backing_item_uuid=row.backing_item_uuid,
        matched_by=matched_by,
    )


def _ambiguous(file: SourceFile, target: UploadTarget) -> FileOutcome:
    where = "dataset" if target.dataset else "folder"
    reason = (
        f"the {where} has some but not all of the files named {file.title!r} with {file.size} bytes, and it is not "
        f"known which. Remove these files from the {where} and run the task again. To avoid this, set `report` from "
        "the first upload on."
    )
    return failed(file, reason, retryable=False)


class Newcomers:
    """Rows that somebody else creates while files are uploaded.

    :param rows: The rows that existed at the start.
    :param look: Whether to search for such rows.
    """

    def __init__(self, target: UploadTarget, rows: Sequence[DataRow], *, look: bool):
        self._target, self._look = target, look
        self._known = {row.data_hash for row in rows}
        created = [parse_time(row.created_at) for row in rows if row.created_at]
        # By Encord's clock, with one second of overlap, because times may be rounded to seconds.
        self._since = max(created) - datetime.timedelta(seconds=1) if created else None

    def mine(self, outcomes: Iterable[FileOutcome]) -> None:
        """Record that these rows were created by this upload."""
        self._known |= {key for outcome in outcomes for key in (outcome.data_hash, outcome.backing_item_uuid) if key}

    def among(self, files: Sequence[SourceFile]) -> Flow[list[tuple[SourceFile, DataRow]]]:
        """The files for which somebody else has created a row, matched by title and size."""
        if not self._look:
            return []
        rows = yield from rows_of_kinds(self._target, files, since=self._since)
        found = match_new_rows(files, [row for row in rows if row.data_hash not in self._known])
        self._known |= {row.data_hash for _, row in found}
        return found


class _Upload:
    """Uploads batches one after the other."""

    def __init__(
        self,
        target: UploadTarget,
        registration: Registration,
        on_outcomes: OutcomeCallback,
        newcomers: Newcomers,
        checkpoints: JobCheckpoints,
    ):
        self._target, self._registration, self._on_outcomes = target, registration, on_outcomes
        self._newcomers, self._checkpoints = newcomers, checkpoints
        self._running: collections.deque[Job] = collections.deque()
        self._failed_batches = 0
        self._stopped_by: EncordError | None = None
        self._uploaded: list[SourceFile] = []

    def run(self, parts: Iterable[Sequence[SourceFile]]) -> Flow[None]:
        for part in parts:
            if self._stopped_by:
                self._fail(part, f"Not sent, because an earlier part failed: {self._stopped_by}", retryable=True)
                continue
            jobs = yield from self._start(part)
            self._running.extend(jobs)
            # A job whose response was lost is searched before another job starts and adds its rows.
            waiting = 0 if any(job.id is None for job in jobs) else _RUNNING_JOBS
            yield from self._finish(waiting)
        yield from self._finish(0)
        if self._stopped_by:
            raise self._stopped_by
        yield from self._require_no_doubles()

    def _require_no_doubles(self) -> Flow[None]:
        """Search once more at the end: another task may have uploaded files between a search and the start of a job.

        If two tasks upload the same files at the same time, the one that ends last finds the rows of the other.
        """
        if not self._uploaded:
            return
        twice = yield from self._newcomers.among(self._uploaded)
        if twice:
            raise ConflictError(
                f"source: {len(twice)} of the uploaded files exist twice now, such as {twice[0][0].title!r}: another "
                "task uploaded files of the same title and size at the same time. Remove one of each, and set "
                "max_active_tis_per_dag=1 so that only one task at a time uploads them. If they are different files, "
                "set match_by='checksum' and `report`."
            )

    def _start(self, files: Sequence[SourceFile]) -> Flow[list[Job]]:
        try:
            self._checkpoints.hold(sum(file.size for file in files) / _SLOWEST)
            sent, failures = yield from send_files(self._target, files)
            self._checkpoints.check()
        except EncordError as error:
            self._meet(error)
            self._fail(files, str(error), retryable=error.retryable)
            return []
        self._on_outcomes(failures)
        if not sent:
            if all(failure.retryable for failure in failures):
                self._meet(UnavailableError("The object store accepted none of the files."))
            return []
        try:
            sent = yield from self._without_newcomers(sent)
            jobs = (yield from self._register(sent)) if sent else []
        except EncordError as error:
            self._meet(error)
            self._fail([item.file for item in sent], str(error), retryable=error.retryable)
            return []
        self._failed_batches = 0
        return jobs

    def _without_newcomers(self, sent: list[StoredFile]) -> Flow[list[StoredFile]]:
        """Leave out files that somebody else uploaded meanwhile."""
        titles = {item.file.title for item in sent}
        if any(item.file.title in titles for job in self._running for item in job.sent):
            yield from self._finish(0)  # only then it is clear who created which rows with such a title
        found = yield from self._newcomers.among([item.file for item in sent])
        self._on_outcomes([_present(self._target, file, row, TITLE_AND_SIZE) for file, row in found])
        theirs = {file for file, _ in found}
        return [item for item in sent if item.file not in theirs]

    def _register(self, sent: Sequence[StoredFile]) -> Flow[list[Job]]:
        try:
            job = yield from self._registration.start(sent)
        except PayloadTooLargeError:
            if len(sent) == 1:
                raise
        else:
            return [job]
        half = len(sent) // 2
        first = yield from self._register(sent[:half])
        return first + (yield from self._register(sent[half:]))

    def _finish(self, waiting: int) -> Flow[None]:
        """Wait for jobs, the oldest first, until at most `waiting` jobs are left."""
        while len(self._running) > waiting:
            job = self._running.popleft()
            try:
                outcomes = yield from self._registration.finish(job)
            except EncordError as error:
                self._meet(error)
                self._fail([item.file for item in job.sent], str(error), retryable=error.retryable)
            else:
                self._newcomers.mine(outcomes)
                self._uploaded += [outcome.file for outcome in outcomes if outcome.result == CREATED]
                self._on_outcomes(outcomes)
                self._registration.close(job, outcomes)

    def _meet(self, error: EncordError) -> None:
        """Decide whether to continue after an error."""
        self._failed_batches += 1
        of_this_batch = isinstance(
            error, TransientError | InvalidArgumentError | PayloadTooLargeError | UnexpectedResponseError
        ) and not isinstance(error, RateLimitedError)
        if not of_this_batch or self._failed_batches >= _FAILED_BATCHES:
            self._stopped_by = self._stopped_by or error

    def _fail(self, files: Sequence[SourceFile], reason: str, *, retryable: bool) -> None:
        self._on_outcomes([failed(file, reason, retryable=retryable) for file in files])
