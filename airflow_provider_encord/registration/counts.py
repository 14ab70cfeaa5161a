"""Counts of the units of a registration, per job and in total.

They are plain JSON, so that a trigger can pass them on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_encord.client.api.uploads import UploadJob
from airflow_provider_encord.client.errors import RefusedError
from airflow_provider_encord.client.flows.jobs import Answer, Job, state_of
from airflow_provider_encord.counts import require_sum

_NAMED_FAILURES = 5  # in messages; the report contains all

NO_UNITS: Mapping[str, Any] = {"jobs": 0, "units": 0, "done": 0, "failed": 0, "cancelled": 0, "reasons": []}


def counts_of_job(job: Job, answer: Answer, *, units: int, present: int) -> dict[str, Any]:
    """The counts of a job that has ended.

    :param units: Number of units of the job.
    :param present: How many of them existed already and were not sent. They count as done.
    :raises RefusedError: The whole job failed.
    :raises CountMismatchError: The result of the job does not contain all units.
    """
    state = state_of(answer)
    if not state.succeeded:
        reasons = "; ".join(state.errors) or "Encord gives no reason"
        raise RefusedError(
            f"Job {job.id} ended with status {state.status}: {reasons}. {state.done} of its {units} units are "
            "registered."
        )
    require_sum(f"Job {job.id}", units - present, done=state.done, failed=state.failed, cancelled=state.cancelled)
    failures = answer.failures if isinstance(answer, UploadJob) else {}
    return {
        "jobs": 1,
        "units": units,
        "done": state.done + present,
        "failed": state.failed,
        "cancelled": state.cancelled,
        "reasons": [f"{url}: {reason}"[:300] for url, reason in list(failures.items())[:_NAMED_FAILURES]],
    }


def counts_of_present(units: int) -> dict[str, Any]:
    """The counts of units that all existed already, so that no job was needed. They count as one job."""
    return {**NO_UNITS, "jobs": 1, "units": units, "done": units}


def added(counts: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The sums of two counts, and the first reasons of failures."""
    sums = {name: counts[name] + more[name] for name in NO_UNITS}
    return {**sums, "reasons": sums["reasons"][:_NAMED_FAILURES]}
