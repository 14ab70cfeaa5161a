"""Bitmasks as paths: Encord's run lengths, read along the rows of the mask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MOST_RUNS = 200_000
"""So many runs are drawn at most: the picture of a mask must not be larger than the mask is worth."""


def path_of(mask: Mapping[str, Any]) -> str:
    """The pixels of a bitmask, as the data of an SVG path.

    :raises ValueError: It is not a bitmask.
    """
    width, height = int(mask["width"]), int(mask["height"])
    left, top = int(mask["left"]), int(mask["top"])
    if width < 1 or height < 1:
        raise ValueError("the mask has no pixels")
    parts = []
    for start, end in _set_pixels(str(mask["rleString"]), width * height):
        parts += [
            f"M{left + column} {top + row}h{length}v{rows}h-{length}z"
            for row, column, length, rows in _rectangles(start, end, width)
        ]
        if len(parts) > MOST_RUNS:
            raise ValueError("the mask has too many runs")
    return "".join(parts)


def _rectangles(start: int, end: int, width: int) -> Iterator[tuple[int, int, int, int]]:
    """Row, column, width and height of what a run covers: the rest of a row, whole rows, the beginning of a row."""
    row, column = divmod(start, width)
    if column:
        length = min(end - start, width - column)
        yield row, column, length, 1
        start += length
    rows, rest = divmod(end - start, width)
    row = start // width
    if rows:
        yield row, 0, width, rows
    if rest:
        yield row + rows, 0, rest, 1


def _set_pixels(text: str, end: int) -> Iterator[tuple[int, int]]:
    """The ranges of set pixels. Runs are of unset and of set pixels in turn; those that are missing are unset."""
    position, counts = 0, list[int]()
    for number, delta in enumerate(_numbers(text)):
        count = delta + (counts[number - 2] if number > 2 else 0)
        if count < 0:
            raise ValueError("a run is negative")
        counts.append(count)
        if number % 2 and count and position < end:
            yield position, min(end, position + count)
        position += count


def _numbers(text: str) -> Iterator[int]:
    """Five bits for each character, the lower ones first; the sixth says that more follow."""
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64:
            raise ValueError("a character is no part of a run")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            yield value - (1 << shift) if bits & 16 else value
            value = shift = 0
    if shift:
        raise ValueError("the last run is not complete")
