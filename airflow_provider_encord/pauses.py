"""How long a task waits for Encord's rate limit, in its slot and outside of it, by how often it has left its slot."""

from __future__ import annotations

from airflow_provider_encord.client.errors import RateLimitedError
from airflow_provider_encord.defaults import (
    FEW_PAUSES,
    LONGEST_WAIT_IN_ALL,
    LONGEST_WAIT_IN_SLOT,
    MOST_ADDED_TO_PAUSE,
    PAUSE_BEFORE_BEGUN,
    PAUSES_GROWTH,
)


def longest_wait_after(pauses: float) -> float:
    """Seconds that a request of a task may wait in its slot.

    After many pauses they are more: a task that begins its work from the beginning after each pause would never end
    if it needs more requests than Encord takes between two of them.

    :param pauses: How often the task has left its slot; see `after_pause`.
    """
    doubled = min(max(0, int(pauses) - FEW_PAUSES), 10)
    return min(LONGEST_WAIT_IN_SLOT * 2.0**doubled, LONGEST_WAIT_IN_ALL)


def after_pause(pauses: float, error: RateLimitedError) -> float:
    """The number of pauses of a task, with the one that follows an error."""
    return round(pauses + (1 if error.begun else PAUSE_BEFORE_BEGUN), 2)


def seconds_of_pause(pauses: float, error: RateLimitedError) -> float:
    """Seconds that a task is to stay away from its slot because of an error.

    A task that finds the queue full again before its first request comes back later each time: each return takes a
    process of a worker, and those that work need their places until they have ended.

    :param pauses: Of the task, without the one that follows.
    """
    asked = error.retry_after or 0.0
    return asked if error.begun else asked + min(asked * PAUSES_GROWTH * pauses, MOST_ADDED_TO_PAUSE)
