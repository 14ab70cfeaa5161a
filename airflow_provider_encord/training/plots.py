"""Plots of a data card as SVG in the page itself. Each has a title and a description for readers that do not see it."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence

COLOURS = ("#4b3fb5", "#d9822b", "#1f8a70", "#a8326e", "#5c7080", "#7f6000")
"""The colours of the splits, in order; they repeat."""
_MOST_ROWS = 40
_LONGEST_NAME = 24
_ROW, _BAR = 22, 14  # pixels
_LEFT, _WIDTH, _RIGHT = 190, 420, 70
_HEIGHT, _COLUMN = 140, 56
_KEY = 90  # for the name of a split


def stacked_bars(name: str, title: str, splits: Sequence[str], rows: Mapping[str, Sequence[int]]) -> Iterator[str]:
    """A bar for each row, with a part for each split.

    :param name: Name of the plot in the page.
    :param rows: For each name, a number for each split.
    """
    shown = dict(list(rows.items())[:_MOST_ROWS])
    largest = max((sum(numbers) for numbers in shown.values()), default=0) or 1
    hidden = len(rows) - len(shown)
    more = f" {hidden} more are only in the table." if hidden else ""
    said = "; ".join(f"{row}: {', '.join(map(str, numbers))}" for row, numbers in shown.items())
    about = f"For each of {', '.join(splits)}, in this order. {said}.{more}"
    yield from _opened(name, title, about, _LEFT + _WIDTH + _RIGHT, _ROW * (len(shown) + 1))
    for number, split in enumerate(splits):
        left = _LEFT + _KEY * number
        yield f'<rect x="{left}" y="4" width="12" height="12" fill="{_colour(number)}"/>'
        yield f'<text x="{left + 16}" y="14">{_short(split, 10)}</text>'
    for number, (row, numbers) in enumerate(shown.items(), start=1):
        y, x = _ROW * number, float(_LEFT)
        yield f'<text x="{_LEFT - 8}" y="{y + 11}" text-anchor="end">{_short(row)}</text>'
        for place, count in enumerate(numbers):
            width = _WIDTH * count / largest
            if count:
                yield f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{_colour(place)}"/>'
            x += width
        yield f'<text x="{x + 6:.1f}" y="{y + 11}">{sum(numbers)}</text>'
    yield "</svg>"


def histogram(name: str, title: str, unit: str, counts: Mapping[int, int]) -> Iterator[str]:
    """A column for each range from a power of two to the next.

    :param unit: What is counted, by what.
    :param counts: The numbers by the lower end of the range.
    """
    ends = _every(counts)
    largest = max(counts.values(), default=0) or 1
    said = "; ".join(f"{_range(end)}: {counts.get(end, 0)}" for end in ends)
    yield from _opened(name, title, f"{unit}. {said}.", max(_COLUMN * len(ends), _WIDTH) + 20, _HEIGHT + 40)
    for number, end in enumerate(ends):
        count, x = counts.get(end, 0), 10 + _COLUMN * number
        height = (_HEIGHT - 20) * count / largest
        top, middle = _HEIGHT - height, x + (_COLUMN - 8) // 2
        yield f'<rect x="{x}" y="{top:.1f}" width="{_COLUMN - 8}" height="{height:.1f}" fill="{COLOURS[0]}"/>'
        yield f'<text x="{middle}" y="{top - 4:.1f}" text-anchor="middle">{count}</text>'
        yield f'<text x="{middle}" y="{_HEIGHT + 14}" text-anchor="middle">{end}</text>'
    yield f'<text x="10" y="{_HEIGHT + 32}">{html.escape(unit)}, from</text></svg>'


def _opened(name: str, title: str, about: str, width: int, height: int) -> Iterator[str]:
    yield (
        f'<svg role="img" aria-labelledby="{name}-title {name}-about" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" xmlns="http://www.w3.org/2000/svg">'
    )
    yield f'<title id="{name}-title">{html.escape(title)}</title><desc id="{name}-about">{html.escape(about)}</desc>'


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _short(name: str, most: int = _LONGEST_NAME) -> str:
    return html.escape(name if len(name) <= most else f"{name[: most - 1]}…")


def _every(counts: Mapping[int, int]) -> list[int]:
    """All powers of two from the smallest to the largest."""
    if not counts:
        return []
    ends = [min(counts)]
    while ends[-1] < max(counts):
        ends.append(ends[-1] * 2)
    return ends


def _range(end: int) -> str:
    return f"{end} to less than {2 * end}"
