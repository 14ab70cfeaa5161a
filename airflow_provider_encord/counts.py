"""Check that the counts of outcomes add up. Each task does this before it succeeds."""

from __future__ import annotations

from airflow_provider_encord.client.errors import EncordError


class CountMismatchError(EncordError):
    """The numbers of outcomes do not add up to the number of units. A retry does not change these numbers."""


def require_sum(subject: str, total: int, /, **outcomes: int) -> None:
    """Check that the numbers of outcomes add up to the number of units.

    :param subject: The job or task, as the beginning of a sentence (``"Job 1f6e..."``).
    :param total: Number of units.
    :param outcomes: Number of units for each outcome.
    :raises CountMismatchError: They do not add up.
    """
    if sum(outcomes.values()) == total and min(outcomes.values()) >= 0:
        return
    counted = " + ".join(f"{number} {outcome}" for outcome, number in outcomes.items())
    raise CountMismatchError(
        f"{subject} has an outcome for {counted} = {sum(outcomes.values())} of {total} units. The outcomes of the "
        "other units are unknown, so the task fails. Check in Encord which units exist, and run the task again; units "
        "that already exist are skipped."
    )
