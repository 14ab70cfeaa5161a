"""When Airflow is to run a failed task again: at the time that Encord asked for. Airflow 3.3 and newer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.defaults import PAUSES_SPREAD

if TYPE_CHECKING:
    from airflow.sdk.definitions.retry_policy import RetryPolicy


def encord_retry_policy() -> RetryPolicy:
    """Return a retry policy for ``retry_policy`` of a task, or of ``default_args``.

    If Encord refused a request and named a time (``Retry-After``), the retry is scheduled for that time, up to a tenth
    later. Otherwise, `retry_delay` of the task applies. The number of `retries` does not change. A failure that a retry
    cannot solve is not retried in any case.

    :raises ImportError: Airflow is older than 3.3, and has no retry policies.
    """
    try:
        from airflow.sdk.definitions import retry_policy
    except ImportError as error:
        raise ImportError(
            "encord_retry_policy() needs Airflow 3.3. On older versions, leave retry_policy out and set retry_delay."
        ) from error

    class EncordRetryPolicy(retry_policy.RetryPolicy):
        """See `encord_retry_policy`."""

        def evaluate(
            self,
            exception: BaseException,
            try_number: int,  # noqa: ARG002 - this and the next two: Airflow's signature
            max_tries: int,  # noqa: ARG002
            context: Any = None,  # noqa: ARG002
        ) -> retry_policy.RetryDecision:
            """Decide about one failure; Airflow calls it on the worker."""
            seconds = requested_delay(exception)
            if seconds is None:
                return retry_policy.RetryDecision.default()
            return retry_policy.RetryDecision.retry(
                delay=timedelta(seconds=seconds * random.uniform(1, 1 + PAUSES_SPREAD)),  # noqa: S311 - spreads the load
                reason=f"Encord asked for a pause of {seconds:.0f} s.",
            )

    return EncordRetryPolicy()


def requested_delay(exception: BaseException) -> float | None:
    """Return the seconds that Encord asked to wait, or None.

    :param exception: The error of a task. The error of the client may be its cause or its context.
    """
    for error in _chain(exception):
        seconds = getattr(error, "retry_after", None)
        if isinstance(seconds, int | float) and seconds >= 0:
            return float(seconds)
    return None


def _chain(exception: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = exception
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
