"""Reading values of label rows, which are not checked field by field: Encord sends some of them in several forms."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterator
from typing import Any

from airflow_provider_encord.client.times import parse_time


def merged(ranges: Any) -> list[tuple[int, int]]:
    """The ranges in order, with overlapping ranges merged."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(pairs(ranges)):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def pairs(ranges: Any) -> Iterator[tuple[int, int]]:
    """Pairs of two numbers; other values are ignored."""
    for pair in ranges if isinstance(ranges, list | tuple) else ():
        if isinstance(pair, list | tuple) and len(pair) == 2:
            yield number_of(pair[0]), number_of(pair[1])


def within(frame: int, ranges: Any) -> bool:
    """Whether a frame is in one of some ranges, whose ends are included."""
    return any(first <= frame <= last for first, last in pairs(ranges))


def string(value: Any) -> str | None:
    """A text; None for other values."""
    return value if isinstance(value, str) else None


def time_of(text: Any) -> datetime.datetime | None:
    """A time; None for values that are not in a known format."""
    return _moment(text) if isinstance(text, str) and text.strip() else None


@functools.lru_cache(maxsize=10_000)  # an editor's session gives many annotations the same times
def _moment(text: str) -> datetime.datetime | None:
    try:
        return parse_time(text).astimezone(datetime.UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def number_of(value: Any) -> int:
    """The number of a frame or image, which Encord sends as a number or as text; 0 if it is missing."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def whole(value: Any) -> int | None:
    """A size as an integer; None if it is not a positive number."""
    return int(value) if isinstance(value, int | float) and value > 0 else None
