"""Whether something grows: a slope, and a verdict that noise does not make."""

from __future__ import annotations

import dataclasses
import itertools
import statistics
from collections.abc import Sequence

WARM_UP = 0.15
"""The share of the time that is left out at the start: caches fill."""
FEWEST = 12
"""Points without which there is no verdict."""


@dataclasses.dataclass(frozen=True)
class Limit:
    """What may come and go.

    :param least: Growth from the first third to the last third below which nothing is said to grow.
    :param share: The same, as a share of the first third.
    """

    least: float
    share: float


LIMITS = {"memory": Limit(20.0, 0.1), "sockets": Limit(8, 0.25), "files": Limit(10, 0.25), "threads": Limit(6, 0.25)}
"""By what is measured; memory in MB."""

Points = Sequence[tuple[float, float]]
"""Hours since the start, and a value."""


@dataclasses.dataclass(frozen=True)
class Growth:
    """How a value changed.

    :param slope: For each hour: the median of the slopes between all points.
    :param first: Median of the first third after the warm-up.
    :param last: Median of the last third.
    :param grows: Whether it rose from third to third, and by more than may come and go.
    :param known: Whether there were enough points.
    """

    slope: float
    first: float
    last: float
    grows: bool
    known: bool


def growth_of(points: Points, limit: Limit) -> Growth:
    """Judge a series that begins when its process has started."""
    warm = _without_start(points)
    if len(warm) < FEWEST:
        value = warm[-1][1] if warm else 0.0
        return Growth(0.0, value, value, grows=False, known=False)
    third = len(warm) // 3
    parts = (warm[:third], warm[third:-third], warm[-third:])
    first, middle, last = (statistics.median(value for _, value in part) for part in parts)
    slope = statistics.median(
        (b - a) / (at_b - at_a) for (at_a, a), (at_b, b) in itertools.combinations(_some(warm), 2) if at_b > at_a
    )
    risen = last - first > max(limit.least, limit.share * first)
    return Growth(slope, first, last, grows=first < middle < last and risen, known=True)


def _without_start(points: Points) -> Points:
    if not points:
        return points
    begin = points[0][0] + WARM_UP * (points[-1][0] - points[0][0])
    return [point for point in points if point[0] >= begin]


def _some(points: Points, most: int = 200) -> Points:
    """At most so many, evenly: the number of pairs grows with the square."""
    return points[:: max(1, len(points) // most)]
