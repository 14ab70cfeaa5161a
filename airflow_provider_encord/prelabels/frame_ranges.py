"""Frame ranges in the format of label rows: pairs of a first and a last frame. An empty list means all frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Ranges = Sequence[Sequence[int]] | None


def ranges_of(frames: Iterable[int]) -> list[list[int]]:
    """The ranges of some frames, at least one."""
    ranges: list[list[int]] = []
    for frame in sorted(frames):
        if ranges and frame <= ranges[-1][1] + 1:
            ranges[-1][1] = frame
        else:
            ranges.append([frame, frame])
    return ranges


def overlap(first: Ranges, second: Ranges) -> bool:
    """Whether two lists of ranges have a frame in common."""
    if not first or not second:
        return True
    return any(start <= other_end and other_start <= end for start, end in first for other_start, other_end in second)


def covers(first: Ranges, second: Ranges) -> bool:
    """Whether all frames of the second are in the first."""
    return not first or (bool(second) and subtract(second, first) == [])


def union(first: Ranges, second: Ranges) -> list[list[int]]:
    """The frames of both."""
    if not first or not second:
        return []
    joined: list[list[int]] = []
    for start, end in sorted((pair[0], pair[1]) for pair in (*first, *second)):
        if joined and start <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    return joined


def subtract(first: Ranges, second: Ranges) -> list[list[int]]:
    """The frames of the first that are not in the second.

    If the first is all frames, nothing can be written as ranges.
    """
    if not first or not second:
        return []
    rest: list[Any] = [[start, end] for start, end in first]
    for start, end in second:
        rest = [
            part
            for span in rest
            for part in ([span[0], min(span[1], start - 1)], [max(span[0], end + 1), span[1]])
            if part[0] <= part[1]
        ]
    return rest
