"""The result of a check, and how the findings of several connections become one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

HELD = "held"
DID_NOT_HOLD = "did not hold"
FOUND_OUT = "found out"  # of an open question, which cannot hold or fail
NOT_CHECKED = "not checked"
OUTCOMES = (DID_NOT_HOLD, HELD, FOUND_OUT, NOT_CHECKED)
"""The outcomes. Of several connections, the first in this order counts."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """The outcome of one fact.

    :param outcome: One of the four above.
    :param seen: What was seen, or why nothing was: counts, field names and codes, nothing of the account.
    """

    outcome: str
    seen: str


def held(seen: str) -> Finding:
    """The fact held."""
    return Finding(HELD, seen)


def did_not_hold(seen: str) -> Finding:
    """The fact did not hold."""
    return Finding(DID_NOT_HOLD, seen)


def found_out(seen: str) -> Finding:
    """An open question has an answer."""
    return Finding(FOUND_OUT, seen)


def not_checked(why: str) -> Finding:
    """Nothing could be checked."""
    return Finding(NOT_CHECKED, why)


def verdict(holds: bool, seen: str) -> Finding:
    """Held or not."""
    return held(seen) if holds else did_not_hold(seen)


def joined(findings: Sequence[tuple[str, Finding]]) -> Finding:
    """One finding out of those of several connections: a fact that failed once has failed.

    :param findings: With what each was seen with: ``"SSH key"``, ``"API key"``.
    """
    outcome = min((finding.outcome for _, finding in findings), key=OUTCOMES.index)
    counted = [(who, one) for who, one in findings if outcome == NOT_CHECKED or one.outcome != NOT_CHECKED]
    if len(counted) == 1:
        return Finding(outcome, counted[0][1].seen)
    return Finding(outcome, "; ".join(f"{who}: {one.seen}" for who, one in counted))
