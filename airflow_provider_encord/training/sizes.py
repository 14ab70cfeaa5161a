"""The sizes of images and boxes, counted in ranges, so that memory does not grow with them."""

from __future__ import annotations

import collections
import math
from collections.abc import Iterable

Sizes = collections.Counter[int]
"""Numbers by the lower end of the range: a power of two. The range ends at the next one."""


def add_length(sizes: Sizes, pixels: float) -> None:
    """Count a length in pixels. Shorter ones than a pixel are in the first range."""
    sizes[2 ** max(0, math.frexp(pixels)[1] - 1)] += 1


def add_boxes(sizes: Sizes, boxes: Iterable[tuple[float, float]]) -> None:
    """Count boxes by the side of a square with the same area.

    :param boxes: Their widths and heights.
    """
    for width, height in boxes:
        add_length(sizes, math.sqrt(width * height))


def in_order(sizes: Sizes) -> dict[int, int]:
    """The numbers, the smallest range first."""
    return dict(sorted(sizes.items()))
