"""Counts add up, or the task fails: the one check behind every success."""

from __future__ import annotations

from airflow_provider_encord.client.errors import EncordError


class CountMismatchError(EncordError):
    """The outcomes do not account for everything that was sent. A retry does not change what was counted."""


def require_sum(subject: str, total: int, /, **outcomes: int) -> None:
    """Make sure that the outcomes account for every unit, once.

    :param subject: What was counted, as the beginning of a sentence (``"Job 1f6e..."``).
    :param total: How many units there were.
    :param outcomes: How many ended how.
    :raises CountMismatchError: They do not.
    """
    if sum(outcomes.values()) == total and min(outcomes.values()) >= 0:
        return
    counted = " + ".join(f"{number} {outcome}" for outcome, number in outcomes.items())
    raise CountMismatchError(
        f"{subject} accounts for {counted} = {sum(outcomes.values())} of {total} units. Nothing says what happened to "
        "the others, so this is not a success. Check in Encord what is there, and run the task again: what is there "
        "already is skipped."
    )
