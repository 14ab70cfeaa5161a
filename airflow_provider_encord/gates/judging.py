"""From measures to a decision: thresholds, in all and for each annotator and class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.gates.agreement import Tally
from airflow_provider_encord.gates.measures import (
    AGREEMENT,
    CLASS_DRIFT,
    INVALID_ROWS,
    ISSUE_RATE,
    MISSING_ATTRIBUTES,
    REJECTION_RATE,
    Rate,
)

ANNOTATOR, CLASS = "annotator", "class"


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a gate. None: the measure is not taken.

    :raises InvalidArgumentError: All are None.
    """

    min_agreement: float | None = None
    max_rejection_rate: float | None = None
    max_issue_rate: float | None = None
    max_missing_attributes: float | None = None
    max_invalid_rows: float | None = None
    max_class_drift: float | None = None

    def __post_init__(self) -> None:
        if all(getattr(self, name) is None for name in self.__struct_fields__):
            raise InvalidArgumentError(f"Pass at least one of {', '.join(self.__struct_fields__)}.")

    def of(self, measure: str) -> float | None:
        """The limit of a measure."""
        limit: float | None = getattr(self, f"{'min' if measure == AGREEMENT else 'max'}_{measure}")
        return limit

    @property
    def measures(self) -> list[str]:
        """The measures that have a limit."""
        every = (AGREEMENT, REJECTION_RATE, ISSUE_RATE, MISSING_ATTRIBUTES, INVALID_ROWS, CLASS_DRIFT)
        return [measure for measure in every if self.of(measure) is not None]


class Judged(msgspec.Struct, kw_only=True):
    """A measure, and whether it is within its limit.

    :param value: None if there was nothing to measure; the measure then passes.
    :param support: How many things were measured, such as annotations or reviews.
    :param not_compared: How many annotations were not measured, because their shapes cannot be compared.
    :param failed_groups: Annotators and classes that are not within the limit.
    """

    measure: str
    threshold: float
    value: float | None
    support: int
    not_compared: int = 0
    passed: bool
    by_annotator: dict[str, float] = {}
    by_class: dict[str, float] = {}
    failed_groups: list[str] = []


def is_within(measure: str, value: float, threshold: float) -> bool:
    """Whether a value is within its limit. The limit itself is."""
    return value >= threshold if measure == AGREEMENT else value <= threshold


def judge(measure: str, rate: Rate, threshold: float, *, groups: bool, min_support: int) -> Judged:
    """Compare a measure with its limit.

    :param groups: Whether the limit also applies to each annotator and each class.
    :param min_support: Groups with fewer annotations, reviews or rows than this are not judged.
    """
    value = rate.total.share
    failed = list(_failed_groups(measure, rate, threshold, min_support)) if groups else []
    passed = value is None or is_within(measure, value, threshold)
    return Judged(
        measure=measure,
        threshold=threshold,
        value=value,
        support=rate.total.annotations,
        not_compared=rate.total.not_compared,
        passed=passed and not failed,
        by_annotator=_shares(rate.by_annotator),
        by_class=_shares(rate.by_class),
        failed_groups=failed,
    )


def _failed_groups(measure: str, rate: Rate, threshold: float, min_support: int) -> Iterator[str]:
    for kind, groups in ((ANNOTATOR, rate.by_annotator), (CLASS, rate.by_class)):
        for name, tally in sorted(groups.items()):
            share = tally.share
            if share is not None and tally.annotations >= min_support and not is_within(measure, share, threshold):
                yield f"{kind} {name}: {share:.3f} of {tally.annotations}"


def _shares(groups: Mapping[str, Tally]) -> dict[str, float]:
    return {name: share for name, tally in sorted(groups.items()) if (share := tally.share) is not None}
