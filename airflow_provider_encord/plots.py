"""Plots as SVG in a page itself. Each has a title and a description for readers that do not see it.

Plots over days have classes (``plot-0``, ``line-0``, ...) beside their colours, so that a page may have other colours
in the dark; text and grid have the colour of the page's text.
"""

from __future__ import annotations

import datetime
import html
import math
from collections.abc import Iterator, Mapping, Sequence

COLOURS = ("#4b3fb5", "#d9822b", "#1f8a70", "#a8326e", "#5c7080", "#7f6000")
"""The colours of the splits, in order; they repeat."""
_MOST_ROWS = 40
_LONGEST_NAME = 24
_ROW, _BAR = 22, 14  # pixels
_LEFT, _WIDTH, _RIGHT = 190, 420, 70
_HEIGHT, _COLUMN = 140, 56
_KEY = 90  # for the name of a split
_DAYS_WIDTH, _DAYS_HEIGHT = 720, 260
_PLOT_LEFT, _PLOT_RIGHT, _PLOT_TOP, _PLOT_BOTTOM = 52, 704, 40, 226
_MOST_TICKS = 9
_KEY_OF_DAYS = 130
_KEYS_IN_ROW = 5

Curve = Sequence[tuple[datetime.date, float]]


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


class _Days:
    """The axes of a plot over days."""

    def __init__(self, first: datetime.date, last: datetime.date, largest: float):
        self._first, self._length = first, max((last - first).days, 1)
        self._last, self.top = last, _round_up(largest)

    def x(self, day: datetime.date) -> float:
        """The place of a day."""
        return _PLOT_LEFT + (_PLOT_RIGHT - _PLOT_LEFT) * (day - self._first).days / self._length

    def y(self, value: float) -> float:
        """The height of a value."""
        return _PLOT_BOTTOM - (_PLOT_BOTTOM - _PLOT_TOP) * value / self.top

    def points(self, curve: Curve) -> str:
        """The points of a curve, as SVG has them."""
        return " ".join(f"{self.x(day):.1f},{self.y(value):.1f}" for day, value in curve)

    def drawn(self, percent: bool) -> Iterator[str]:
        """The grid, and what is written beside it."""
        for share in (0.0, 0.5, 1.0):
            value = self.top * share
            y, words = self.y(value), _value(value, percent)
            yield f'<path d="M{_PLOT_LEFT} {y:.1f}H{_PLOT_RIGHT}" stroke="currentColor" stroke-opacity="0.25"/>'
            yield f'<text x="{_PLOT_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{words}</text>'
        for day, words in self._ticks():
            yield f'<text x="{self.x(day):.1f}" y="{_PLOT_BOTTOM + 18}" text-anchor="middle">{words}</text>'

    def _ticks(self) -> Iterator[tuple[datetime.date, str]]:
        """Some days, evenly: first days of months if there are enough, else any."""
        days = [self._first + datetime.timedelta(days=number) for number in range(self._length + 1)]
        months = [day for day in days if day.day == 1]
        chosen, form = (months, "%Y-%m") if len(months) > 2 else (days, "%m-%d")
        step = math.ceil(len(chosen) / _MOST_TICKS)
        for day in chosen[::step]:
            if _PLOT_LEFT + 10 <= self.x(day) <= _PLOT_RIGHT - 10:
                yield day, day.strftime(form)


def areas(name: str, title: str, days: Sequence[datetime.date], series: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """Areas on top of each other: how a whole is made of its parts, over time.

    :param series: For each part, a value for each day.
    """
    parts = list(series.items())
    sums = [sum(values) for values in zip(*series.values(), strict=True)] or [0.0]
    axes = _Days(days[0], days[-1], max(sums))
    yield from _opened_days(
        name, title, "; ".join(f"{part}: {values[0]:g}, later {values[-1]:g}" for part, values in parts)
    )
    yield from axes.drawn(percent=False)
    below = [0.0] * len(days)
    for number, (_, values) in enumerate(parts):
        above = [low + value for low, value in zip(below, values, strict=True)]
        outline = [*zip(days, above, strict=True), *reversed(list(zip(days, below, strict=True)))]
        points = axes.points(outline)
        yield f'<polygon class="plot-{number % len(COLOURS)}" fill="{_colour(number)}" points="{points}"/>'
        below = above
    yield from _keys([part for part, _ in parts], "plot")
    yield "</svg>"


def curves(
    name: str,
    title: str,
    lines: Mapping[str, Curve],
    *,
    band: Curve = (),
    dashed: Curve = (),
    percent: bool = False,
) -> Iterator[str]:
    """Curves over days.

    :param lines: The curves, by name; at least one of them has a point.
    :param band: The outline of an area in which a curve may be.
    :param dashed: How the first curve may go on.
    :param percent: Whether values are shares.
    """
    everything = [point for curve in (*lines.values(), band, dashed) for point in curve]
    days = [day for day, _ in everything]
    axes = _Days(min(days), max(days), max(value for _, value in everything))
    about = "; ".join(
        f"{line}: {_value(curve[0][1], percent)} on {curve[0][0]}, {_value(curve[-1][1], percent)} on {curve[-1][0]}"
        for line, curve in lines.items()
        if curve
    )
    yield from _opened_days(name, title, about)
    yield from axes.drawn(percent)
    if band:
        yield f'<polygon class="plot-0" fill="{COLOURS[0]}" fill-opacity="0.25" points="{axes.points(band)}"/>'
    for number, curve in enumerate(lines.values()):
        yield _line(axes, curve, number)
    if dashed:
        yield _line(axes, dashed, 0, 'stroke-dasharray="5 4" ')
    yield from _keys(list(lines), "line")
    yield "</svg>"


def columns(name: str, title: str, values: Curve, unit: str) -> Iterator[str]:
    """A column for each day.

    :param values: In the order of the days; values under 0 are drawn as 0.
    :param unit: What is counted.
    """
    axes = _Days(values[0][0], values[-1][0] + datetime.timedelta(days=1), max(max(value for _, value in values), 0))
    total = sum(value for _, value in values)
    yield from _opened_days(name, title, f"{unit}: {total:g} from {values[0][0]} to {values[-1][0]}")
    yield from axes.drawn(percent=False)
    for day, value in values:
        x, y = axes.x(day), axes.y(max(value, 0))
        width = max((axes.x(day + datetime.timedelta(days=1)) - x) * 0.8, 0.5)
        if value > 0:
            yield (
                f'<rect class="plot-0" fill="{COLOURS[0]}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
                f'height="{_PLOT_BOTTOM - y:.1f}"/>'
            )
    yield from _keys([unit], "plot")
    yield "</svg>"


def _value(value: float, percent: bool) -> str:
    return f"{value:.0%}" if percent else f"{value:.5g}"


def _line(axes: _Days, curve: Curve, number: int, more: str = "") -> str:
    place = number % len(COLOURS)
    return (
        f'<polyline class="line-{place}" stroke="{_colour(number)}" stroke-width="2" fill="none" {more}'
        f'points="{axes.points(curve)}"/>'
    )


def _opened_days(name: str, title: str, about: str) -> Iterator[str]:
    yield from _opened(name, title, f"{about}.", _DAYS_WIDTH, _DAYS_HEIGHT)


def _keys(names: Sequence[str], kind: str) -> Iterator[str]:
    """Which colour is what. Names that do not fit are only in the table."""
    for number, name in enumerate(names[: 2 * _KEYS_IN_ROW]):
        row, column = divmod(number, _KEYS_IN_ROW)
        x, y, place = _PLOT_LEFT + _KEY_OF_DAYS * column, 2 + 17 * row, number % len(COLOURS)
        style = f'class="plot-{place}" fill="{_colour(number)}"'
        height = 12 if kind == "plot" else 3
        yield f'<rect {style} x="{x}" y="{y + (12 - height) // 2}" width="12" height="{height}"/>'
        yield f'<text x="{x + 16}" y="{y + 10}">{_short(name, 17)}</text>'


def _round_up(value: float) -> float:
    """The next round number, at which an axis may end."""
    if not value > 0:
        return 1.0
    step = 10.0 ** math.floor(math.log10(value))
    return next(step * factor for factor in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * factor >= value * 0.9999)


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
