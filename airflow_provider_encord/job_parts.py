"""The parts of a task's work, each with one Encord job, and the stored ids of these jobs; see `operators.jobs`.

This module imports nothing of the package, so that operators can import it at module level.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

ACTIVE, SUCCEEDED, FAILED = "active", "succeeded", "failed"
"""The states of a job that an earlier attempt started."""
_KEYS = "encord_jobs"


@dataclasses.dataclass(frozen=True, kw_only=True)
class JobPart:
    """The work of one job.

    :param about: The `fingerprint` of its target, options and content.
    :param note: Small JSON for `part_result`. It is kept during a deferral.
    :param after: Small JSON for `parts`, to continue after this part.
    :param content: Data for `start_part`. It is not kept during a deferral.
    :param result: The result, if the part needs no job.
    """

    about: str
    note: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    after: Any = None
    content: Any = dataclasses.field(default=None, repr=False, compare=False)
    result: Mapping[str, Any] | None = None

    def to_dictionary(self) -> dict[str, Any]:
        """What is kept during a deferral, as arguments of a new part."""
        return {"about": self.about, "note": dict(self.note), "after": self.after}


class StoredJobs:
    """The jobs that attempts of a task started, in Airflow's task state store (3.3).

    Airflow's mixin stores the id of each job under the key of its part. This class also stores the list of these keys,
    so that all of them can be deleted.

    :param store: The task state store; None if this Airflow version has none.
    """

    def __init__(self, store: Any):
        self._store = store

    @property
    def lasting(self) -> bool:
        """Whether the next attempt can read the jobs."""
        return self._store is not None

    @property
    def last(self) -> Any:
        """The job that was started last; None if its id was not stored. Jobs run one after the other, so no other job
        can be running."""
        keys = self._keys()
        return self._store.get(keys[-1]) if keys else None

    @property
    def last_is_unknown(self) -> bool:
        """Whether an attempt ended after it started a job and before it stored the job's id."""
        return bool(self._keys()) and not self.last

    def add(self, key: str) -> None:
        """Record that the job of a part is about to start."""
        if self._store is not None:
            self._store.set(_KEYS, [*(noted for noted in self._keys() if noted != key), key])

    def drop(self, key: str) -> None:
        """Remove a job that did not start."""
        if self._store is not None:
            self._store.set(_KEYS, [noted for noted in self._keys() if noted != key])

    def forget(self) -> None:
        """Delete everything: the task has ended permanently."""
        if self._store is not None:
            for key in [*self._keys(), _KEYS]:
                self._store.delete(key)

    def _keys(self) -> list[str]:
        return (self._store.get(_KEYS) or []) if self._store is not None else []


class StartAgainError(Exception):
    """It is unknown whether the job of a part was started. The caller must build the part again and start it."""
