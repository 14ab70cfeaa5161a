"""The retry policy: when to send a call again, and how long to wait before.

A call is repeated after an `UnavailableError` (the call did nothing, or may be repeated), unless the requested wait is
longer than `LONGEST_WAIT`. After an `OutcomeUnknownError`, a call is never repeated here; flows check whether the
change was made. After a `RateLimitedError`, `pacing` decides, because it concerns all calls of a credential.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import Any

import tenacity

from airflow_provider_encord.client.errors import TransientError, UnavailableError
from airflow_provider_encord.defaults import LONGEST_WAIT

log = logging.getLogger(__name__)

ATTEMPTS = 5
FIRST_DELAY = 1.0  # seconds; doubled for each further attempt, with jitter
LONGEST_DELAY = 30.0  # seconds


def back_off(attempt: int) -> float:
    """Seconds to wait if the server does not say how long: exponential back-off with full jitter.

    :param attempt: Number of the attempt that failed, from 1.
    """
    return random.uniform(0, min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempt - 1)))  # noqa: S311 - spreads the load


def may_repeat(error: BaseException) -> bool:
    """Whether it is safe to send the same call again, and may help."""
    if not isinstance(error, UnavailableError):
        return False
    return error.retry_after is None or error.retry_after <= LONGEST_WAIT


def delay(state: tenacity.RetryCallState) -> float:
    """Seconds until the next attempt: the wait that the server asks for, or `back_off`."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, TransientError) and error.retry_after is not None:
        return error.retry_after
    return back_off(state.attempt_number)


def _announce(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    wait = state.next_action.sleep if state.next_action else 0.0
    attempts = getattr(state.retry_object.stop, "max_attempt_number", ATTEMPTS)
    log.warning("Attempt %d of %d follows in %.1f s, because: %s", state.attempt_number + 1, attempts, wait, error)


def policy(*, sleep: Callable[[float], Any], attempts: int = ATTEMPTS) -> dict[str, Any]:
    """The policy as arguments of tenacity's ``Retrying`` and ``AsyncRetrying``. The last error is raised unchanged.

    :param sleep: Waits for a number of seconds; tests pass another function.
    :param attempts: Maximum number of attempts per call.
    """
    return {
        "stop": tenacity.stop_after_attempt(attempts),
        "wait": delay,
        "retry": tenacity.retry_if_exception(may_repeat),
        "before_sleep": _announce,
        "sleep": sleep,
        "reraise": True,
    }
