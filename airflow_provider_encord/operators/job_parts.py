"""The parts of a task's work, one long job for each, and what is stored of their jobs; see `operators.jobs`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_encord.client.client import EncordClient

ACTIVE, SUCCEEDED, FAILED = "active", "succeeded", "failed"
"""The states of a job that an earlier attempt started."""
_KEYS = "encord_jobs"


@dataclasses.dataclass(frozen=True, kw_only=True)
class JobPart:
    """The work of one job.

    :param about: The `fingerprint` of its target, options and content.
    :param note: Small JSON that describes it to `part_result`, also after a deferral in another process.
    :param after: Small JSON that `parts` takes to continue after it.
    :param content: What `start_part` needs; not available after a deferral.
    :param result: Its result, if it needs no job.
    """

    about: str
    note: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    after: Any = None
    content: Any = dataclasses.field(default=None, repr=False, compare=False)
    result: Mapping[str, Any] | None = None


def status_of(client: EncordClient, stored: Any) -> str:
    """The state of a job that an earlier attempt started.

    A job that Encord no longer knows counts as failed. So does one with failed or cancelled units: Encord may accept
    now what it refused then.

    :param stored: The job, as `Job.to_dictionary` gives it.
    """
    from airflow_provider_encord.client.resources.jobs import UNKNOWN_JOB, job_from, state_of

    try:
        state = state_of(client.run(job_from(stored).look()))
    except UNKNOWN_JOB:
        return FAILED
    if not state.ended:
        return ACTIVE
    return SUCCEEDED if state.succeeded and not state.failed and not state.cancelled else FAILED


class StoredJobs:
    """The jobs that attempts of a task started, in Airflow's store of task state (3.3).

    The mixin stores the id of a job under a key of its part. The list of these keys is kept beside them, so that all of
    them can be deleted.

    :param store: None where Airflow has no such store.
    """

    def __init__(self, store: Any):
        self._store = store

    @property
    def lasting(self) -> bool:
        """Whether another attempt will find the jobs."""
        return self._store is not None

    @property
    def last(self) -> Any:
        """The job that was started last; None if its id was not stored. Jobs run one after the other, so only this one
        can run."""
        keys = self._keys()
        return self._store.get(keys[-1]) if keys else None

    @property
    def last_is_unknown(self) -> bool:
        """Whether an attempt ended between the start of a job and the note of its id."""
        return bool(self._keys()) and not self.last

    def add(self, key: str) -> None:
        """Note that the job of a part is about to start."""
        if self._store is not None:
            self._store.set(_KEYS, [*(one for one in self._keys() if one != key), key])

    def drop(self, key: str) -> None:
        """Forget a job that did not start."""
        if self._store is not None:
            self._store.set(_KEYS, [one for one in self._keys() if one != key])

    def forget(self) -> None:
        """Delete everything: the task has ended permanently."""
        if self._store is not None:
            for key in [*self._keys(), _KEYS]:
                self._store.delete(key)

    def _keys(self) -> list[str]:
        return (self._store.get(_KEYS) or []) if self._store is not None else []


class StartAgainError(Exception):
    """Whether the job of a part was started is not known. The part is to be made again from what is there by now."""
