"""When to send a call again. The errors say what happened; this says what to do, and for how long to wait.

Repeated are failures that cannot have done anything, or whose call may be repeated (`UnavailableError`), and requests
to go slower (`RateLimitedError`), as long as the wait asked for is one to sit out. `OutcomeUnknownError` is never
repeated here: flows look whether it happened.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import tenacity

from airflow_provider_encord.client.errors import RateLimitedError, TransientError, UnavailableError

log = logging.getLogger(__name__)

ATTEMPTS = 5
LONGEST_WAIT = 60.0  # seconds to wait in place; a longer Retry-After is the caller's to schedule
FIRST_DELAY = 1.0  # seconds; doubled for every further attempt, with jitter
LONGEST_DELAY = 30.0  # seconds

_back_off = tenacity.wait_random_exponential(multiplier=FIRST_DELAY, max=LONGEST_DELAY)


def may_repeat(error: BaseException) -> bool:
    """Whether sending the same call again is safe and may help."""
    if not isinstance(error, RateLimitedError | UnavailableError):
        return False
    return error.retry_after is None or error.retry_after <= LONGEST_WAIT


def delay(state: tenacity.RetryCallState) -> float:
    """Seconds until the next attempt: what the server asks for, else exponential back-off with full jitter."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, TransientError) and error.retry_after is not None:
        return error.retry_after
    return _back_off(state)


def _announce(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    wait = state.next_action.sleep if state.next_action else 0.0
    attempts = getattr(state.retry_object.stop, "max_attempt_number", ATTEMPTS)
    log.warning("Attempt %d of %d follows in %.1f s: %s", state.attempt_number + 1, attempts, wait, error)


def policy(*, sleep: Callable[[float], Any], attempts: int = ATTEMPTS) -> dict[str, Any]:
    """The policy as arguments of tenacity's ``Retrying`` and ``AsyncRetrying``; the last error is raised as it is.

    :param sleep: Waits for so many seconds; tests pass their own.
    :param attempts: How often to send a call at most.
    """
    return {
        "stop": tenacity.stop_after_attempt(attempts),
        "wait": delay,
        "retry": tenacity.retry_if_exception(may_repeat),
        "before_sleep": _announce,
        "sleep": sleep,
        "reraise": True,
    }
