"""Tracing masks: the outlines of their regions as polygons, along the edges of the pixels.

The polygons cover exactly the pixels of the mask. Pixels that only touch at a corner are in different regions, so each
region has one outline, and its holes are further rings. No ring touches itself.

Only the ends of the runs in each row are looked at, so the effort depends on the length of the outlines.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TypeAlias

Corner: TypeAlias = tuple[int, int]
Ring: TypeAlias = list[Corner]
Run: TypeAlias = tuple[int, int]

_RIGHT, _DOWN, _LEFT, _UP = range(4)  # each is the turn to the right of the one before it


def outlines(pixels: bytes, width: int) -> list[list[Ring]]:
    """The regions of a mask, each with its outline and its holes, in pixels.

    :param pixels: A byte for each pixel, 0 or 1, row by row.
    :return: For each region its rings, the outline first. Regions are in the order of their first pixels.
    """
    edges = _Edges()
    regions = _Regions()
    above: list[tuple[Run, int]] = []
    height = len(pixels) // width
    for row in range(height + 1):
        runs = list(_runs(pixels, row * width, width)) if row < height else []
        edges.add_line(row, [run for run, _ in above], runs)
        below = [(run, regions.new()) for run in runs]
        for (left, right), region in below:
            edges.add_sides(row, left, right, region)
        regions.join(above, below)
        above = below
    rings: dict[int, list[Ring]] = {}
    for ring, region in edges.rings():
        rings.setdefault(regions.of(region), []).append(ring)
    return [sorted(found, key=_is_hole) for _, found in sorted(rings.items())]


def _runs(pixels: bytes, start: int, width: int) -> Iterator[Run]:
    """The runs of set pixels in a row: the first column, and the column after the last."""
    end = start + width
    position = pixels.find(1, start, end)
    while position >= 0:
        after = pixels.find(0, position, end)
        after = end if after < 0 else after
        yield position - start, after - start
        position = pixels.find(1, after, end)


class _Regions:
    """Which runs belong together: those that share a side with one of the row before."""

    def __init__(self) -> None:
        self._parents: list[int] = []

    def new(self) -> int:
        self._parents.append(len(self._parents))
        return len(self._parents) - 1

    def of(self, region: int) -> int:
        """The first of the regions that a region was joined with."""
        while self._parents[region] != region:
            self._parents[region] = self._parents[self._parents[region]]
            region = self._parents[region]
        return region

    def join(self, above: list[tuple[Run, int]], below: list[tuple[Run, int]]) -> None:
        """Join the runs of two rows, both in order."""
        first = second = 0
        while first < len(above) and second < len(below):
            (left, right), one = above[first]
            (start, end), other = below[second]
            if left < end and start < right:
                one, other = self.of(one), self.of(other)
                self._parents[max(one, other)] = min(one, other)
            if right < end:
                first += 1
            else:
                second += 1


class _Edges:
    """Edges between set and unset pixels, directed so that set pixels are on their right."""

    def __init__(self) -> None:
        self._from: dict[Corner, dict[int, tuple[Corner, int]]] = {}

    def add_sides(self, row: int, left: int, right: int, region: int) -> None:
        """Add the sides of a run."""
        self._add((left, row + 1), _UP, (left, row), region)
        self._add((right, row), _DOWN, (right, row + 1), region)

    def add_line(self, row: int, above: list[Run], below: list[Run]) -> None:
        """Add the edges between two rows: where only one of them is set."""
        changes = sorted({column for runs in (above, below) for run in runs for column in run})
        up, down = _Inside(above), _Inside(below)
        for start, end in itertools.pairwise(changes):
            over, under = up.at(start), down.at(start)
            if under and not over:
                self._add((start, row), _RIGHT, (end, row), -1)
            elif over and not under:
                self._add((end, row), _LEFT, (start, row), -1)

    def _add(self, start: Corner, direction: int, end: Corner, region: int) -> None:
        self._from.setdefault(start, {})[direction] = (end, region)

    def rings(self) -> Iterator[tuple[Ring, int]]:
        """All rings, and the region of each."""
        while self._from:
            start = next(iter(self._from))
            yield from self._walk(start)

    def _walk(self, start: Corner) -> Iterator[tuple[Ring, int]]:
        """The rings of one walk along the edges. Where the walk meets itself, a ring is complete."""
        path: list[Corner] = []
        directions: list[int] = []
        place: dict[Corner, int] = {}
        corner, direction, region = start, next(iter(self._from[start])), -1
        while True:
            if corner in place:
                first = place[corner]
                yield _corners(path[first:], directions[first:]), region
                for passed in path[first:]:
                    del place[passed]
                del path[first:], directions[first:]
                if not path:
                    return
            place[corner] = len(path)
            path.append(corner)
            directions.append(direction)
            end, known = self._take(corner, direction)
            region = max(region, known)
            corner = end
            if corner in self._from:
                direction = self._turn(corner, direction)

    def _turn(self, corner: Corner, direction: int) -> int:
        """Where to go on: to the right, if there is a choice, so that pixels which touch at a corner stay apart."""
        ways = self._from[corner]
        return next(way for turn in (1, 0, 3) if (way := (direction + turn) % 4) in ways)

    def _take(self, corner: Corner, direction: int) -> tuple[Corner, int]:
        ways = self._from[corner]
        found = ways.pop(direction)
        if not ways:
            del self._from[corner]
        return found


class _Inside:
    """Whether columns, in order, are in one of the runs."""

    def __init__(self, runs: list[Run]) -> None:
        self._runs, self._next = runs, 0

    def at(self, column: int) -> bool:
        while self._next < len(self._runs) and self._runs[self._next][1] <= column:
            self._next += 1
        return self._next < len(self._runs) and self._runs[self._next][0] <= column


def _corners(path: list[Corner], directions: list[int]) -> Ring:
    """The corners where the direction changes."""
    return [corner for number, corner in enumerate(path) if directions[number] != directions[number - 1]]


def _is_hole(ring: Ring) -> bool:
    """Whether the walk went around unset pixels, counter-clockwise."""
    following = [*ring[1:], ring[0]]
    return sum(x * below - after * y for (x, y), (after, below) in zip(ring, following, strict=True)) < 0
