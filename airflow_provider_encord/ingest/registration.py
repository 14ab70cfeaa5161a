"""Making data units of files that were sent: start a job, see it through, tell what became of each file.

Encord has no idempotency keys, and the start of a job is not repeated blindly. If its answer is lost, the data rows
tell whether it happened; only when they show nothing for a while, the same objects are registered once more, with
duplicate URLs skipped. An id that is known is followed to the end of the job: it runs on whether we look or not.
"""

from __future__ import annotations

import collections
import dataclasses
import time
from collections.abc import Callable, Iterable, Sequence

from airflow_provider_encord.client.api import uploads
from airflow_provider_encord.client.api.datasets import DataRow, list_data_rows
from airflow_provider_encord.client.api.uploads import LONGEST_HOLD, PENDING, RegisteredFile, UploadJob
from airflow_provider_encord.client.call import Flow, Pause
from airflow_provider_encord.client.errors import EncordError, OutcomeUnknownError, TransientError
from airflow_provider_encord.ingest.outcome import UPLOADED, Outcome, failed
from airflow_provider_encord.ingest.plan import make_plan
from airflow_provider_encord.ingest.sending import Sent, Target

_STARTS = 3  # how often the same files are registered, if answers get lost
_LOOKS = (1.0, 2.0, 4.0)  # seconds between looks for the rows of a job whose answer was lost
_FAILED_POLLS = 10  # forgiven in a row; each has been tried several times
_PAUSE_AFTER_FAILURE = 10.0  # seconds
_QUICK_POLL = 1.0  # seconds; Encord answered rather than hold the request
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0  # seconds between polls that Encord does not hold


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job that was started.

    :param id: None if the answer was lost.
    """

    id: str | None
    sent: Sequence[Sent]


class Registration:
    """Registers files in one dataset.

    :param known: Ids of data units that are not from these files; grows by what is registered.
    :param timeout: Seconds after which a job is no longer waited for.
    :param clock: Seconds, from any start.
    """

    def __init__(
        self,
        target: Target,
        known: Iterable[str],
        *,
        timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._target, self._timeout, self._clock = target, timeout, clock
        self._known = set(known)

    def start(self, sent: Sequence[Sent], *, again: bool = False) -> Flow[Job]:
        """Start a job.

        :param again: These files may have been registered already: have Encord skip those.
        :raises EncordError: Encord refuses, or was not reached; nothing was started.
        """
        items = uploads.data_items([one.entry for one in sent], skip_duplicate_urls=again)
        call = uploads.start_upload(self._target.dataset, items, ignore_errors=True, folder=self._target.folder)
        try:
            job = yield from call
        except OutcomeUnknownError:
            return Job(id=None, sent=sent)
        return Job(id=job, sent=sent)

    def finish(self, job: Job) -> Flow[list[Outcome]]:
        """See a job through.

        :return: The outcome of each of its files.
        :raises EncordError: Encord does not tell how the job fares.
        """
        if job.id is None:
            return (yield from self._recover(job.sent))
        ended = yield from self._follow(job.id)
        if not ended.ended:
            reason = self._overdue(job.id, ended.errors)
            return [failed(one.file, reason, retryable=False, sha256=one.sha256) for one in job.sent]
        outcomes, untold = judge(job.sent, ended)
        self._known.update(one.data_hash for one in outcomes if one.data_hash)
        if untold:
            found, lost = yield from self._look(untold)
            outcomes += found + [_untold(one, ended) for one in lost]
        return outcomes

    def _recover(self, sent: Sequence[Sent]) -> Flow[list[Outcome]]:
        """The outcomes of files whose job was started without an answer."""
        outcomes: list[Outcome] = []
        left = list(sent)
        for _ in range(_STARTS - 1):
            found, left = yield from self._watch(left)
            outcomes += found
            if not left:
                return outcomes
            try:
                job = yield from self.start(left, again=True)
            except EncordError as error:
                return outcomes + [failed(one.file, str(error), retryable=True, sha256=one.sha256) for one in left]
            if job.id is not None:
                return outcomes + (yield from self.finish(job))
        found, left = yield from self._watch(left)
        unknown = (
            "Encord's answer to its registration was lost, and it does not show in the dataset. Run the task again."
        )
        return outcomes + found + [failed(one.file, unknown, retryable=True, sha256=one.sha256) for one in left]

    def _watch(self, sent: list[Sent]) -> Flow[tuple[list[Outcome], list[Sent]]]:
        """Look for rows until all are there, or no more come."""
        outcomes: list[Outcome] = []
        deadline = self._clock() + self._timeout
        look = 0
        while sent and look < len(_LOOKS) and self._clock() < deadline:
            yield from Pause(_LOOKS[look])
            try:
                found, sent = yield from self._look(sent)
            except TransientError:
                found = []
            outcomes += found
            look = 0 if found else look + 1
        return outcomes, sent

    def _look(self, sent: Sequence[Sent]) -> Flow[tuple[list[Outcome], list[Sent]]]:
        """Tell the files that have a new row in the dataset from those that have none."""
        kinds = sorted({one.file.kind.file_type for one in sent})
        rows = yield from list_data_rows(self._target.dataset, data_types=kinds)
        plan = make_plan([one.file for one in sent], [row for row in rows if row.data_hash not in self._known])
        self._known.update(row.data_hash for _, row in plan.present)
        rows_of = dict(plan.present)
        found = [_uploaded(one, rows_of[one.file]) for one in sent if one.file in rows_of]
        return found, [one for one in sent if one.file not in rows_of]

    def _follow(self, job: str) -> Flow[UploadJob]:
        """Poll a job until it ends or its time is over."""
        deadline = self._clock() + self._timeout
        failures, pause = 0, _FIRST_PAUSE
        while True:
            asked = self._clock()
            hold = max(0, min(LONGEST_HOLD, int(deadline - asked)))
            try:
                state = yield from uploads.poll_upload(self._target.dataset, job, timeout_seconds=hold)
            except TransientError as error:
                failures += 1
                if failures > _FAILED_POLLS or self._clock() >= deadline:
                    return UploadJob(status=PENDING, errors=[str(error)])
                yield from Pause(max(_PAUSE_AFTER_FAILURE, error.retry_after or 0))
                continue
            failures = 0
            if state.ended or self._clock() >= deadline:
                return state
            if self._clock() - asked < _QUICK_POLL:
                yield from Pause(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _overdue(self, job: str, errors: Sequence[str]) -> str:
        # Not retryable: while the job runs, its files show nowhere, and a retry would send them a second time.
        why = "; ".join(errors) or f"job_timeout is {self._timeout:.0f} s"
        return (
            f"Job {job} is no longer waited for ({why}), and runs on at Encord. Run the task again when it has ended: "
            "what is in the dataset by then is not sent twice."
        )


def judge(sent: Sequence[Sent], job: UploadJob) -> tuple[list[Outcome], list[Sent]]:
    """What a job that ended says of its files: by object where units failed, else by title, in order.

    :return: The outcomes, and the files of which it says nothing.
    """
    errors = {
        url: error.error or error.action_description for error in job.data_unit_errors for url in error.object_urls
    }
    registered: dict[str, collections.deque[RegisteredFile]] = collections.defaultdict(collections.deque)
    for unit in job.data_hashes_with_titles:
        registered[unit.title].append(unit)
    outcomes: list[Outcome] = []
    untold: list[Sent] = []
    for one in sent:
        if one.object_url in errors:
            reason = f"Encord could not take {one.file.uri}: {errors[one.object_url] or 'it gives no reason'}."
            outcomes.append(failed(one.file, reason, retryable=False, sha256=one.sha256))
        elif units := registered.get(one.file.title):
            outcomes.append(_uploaded(one, units.popleft()))
        else:
            untold.append(one)
    return outcomes, untold


def _uploaded(one: Sent, row: DataRow | RegisteredFile) -> Outcome:
    return Outcome(
        file=one.file,
        result=UPLOADED,
        data_hash=row.data_hash,
        backing_item_uuid=row.backing_item_uuid,
        sha256=one.sha256,
    )


def _untold(one: Sent, job: UploadJob) -> Outcome:
    reason = "; ".join(job.errors) or "it gives no reason"
    return failed(
        one.file,
        f"Encord's job ended as {job.status} without {one.file.uri}: {reason}.",
        retryable=job.status != uploads.CANCELLED,
        sha256=one.sha256,
    )
