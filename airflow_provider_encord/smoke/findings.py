"""The results of checks, and how the results of several connections are joined."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

HELD = "held"
DID_NOT_HOLD = "did not hold"
FOUND_OUT = "found out"  # the answer to an open question
NOT_CHECKED = "not checked"
OUTCOMES = (DID_NOT_HOLD, HELD, FOUND_OUT, NOT_CHECKED)
"""The outcomes. If several connections have different outcomes, the first one in this order counts."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """The outcome of one fact.

    :param outcome: One of `OUTCOMES`.
    :param seen: The observation, or why nothing was checked. It has counts, field names and codes, but no data of the
        account.
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
    """The fact could not be checked."""
    return Finding(NOT_CHECKED, why)


def verdict(holds: bool, seen: str) -> Finding:
    """The fact held or did not hold."""
    return held(seen) if holds else did_not_hold(seen)


def joined(findings: Sequence[tuple[str, Finding]]) -> Finding:
    """Join the findings of several connections. If a fact did not hold with one of them, the result is "did not hold".

    :param findings: Each with the kind of its credential: ``"SSH key"``, ``"API key"``.
    """
    outcome = min((finding.outcome for _, finding in findings), key=OUTCOMES.index)
    counted = [pair for pair in findings if outcome == NOT_CHECKED or pair[1].outcome != NOT_CHECKED]
    if len(counted) == 1:
        return Finding(outcome, counted[0][1].seen)
    return Finding(outcome, "; ".join(f"{kind}: {finding.seen}" for kind, finding in counted))
