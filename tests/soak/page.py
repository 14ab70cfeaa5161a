"""The report of a soak: a page with a plot of each process, and the same in a few lines of text."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from airflow_provider_encord.plots import COLOURS
from tests.soak.growth import LIMITS, Growth
from tests.soak.play import Outcome
from tests.soak.samples import Series

UNJUDGED = ("s3", "postgres", "redis")
"""Servers that keep what they are sent: they grow with the work, so they are shown and not judged."""
UNITS = {"memory": "MB", "sockets": "sockets", "files": "open files", "threads": "threads"}
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 360, 120, 48, 18
_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Soak</title><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:78rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:left;border-bottom:1px solid #8884}
figure{display:inline-block;margin:.5rem}figcaption{font-size:13px}.wrong{color:#b3261e;font-weight:600}
svg text{font-size:11px;fill:currentColor}</style>"""


def growing(series: Sequence[Series]) -> list[str]:
    """What grows, in a sentence each."""
    found = []
    for one in series:
        for measure in LIMITS:
            growth = one.growth(measure)
            if growth.grows and one.name not in UNJUDGED:
                found.append(f"{one.name}: {UNITS[measure]} grow, {_words(growth)}")
    return found


def page(hours: float, outcome: Outcome, series: Sequence[Series]) -> str:
    """The whole page."""
    return "\n".join(_lines(hours, outcome, series)) + "\n"


def text(hours: float, outcome: Outcome, series: Sequence[Series]) -> str:
    """What a person reads on a terminal."""
    lines = [f"== {hours:.2f} hours, {outcome.checks} comparisons with the truth, {outcome.postponed} postponed"]
    lines += [f"{kind}: {count} pieces, {outcome.items[kind]} items" for kind, count in sorted(outcome.pieces.items())]
    lines.append("moves: " + ", ".join(f"{count} x {move}" for move, count in sorted(outcome.moves.items())))
    lines += [f"{one.name:16} {measure:8} {_words(one.growth(measure))}" for one in series for measure in LIMITS]
    problems = [*outcome.problems, *growing(series)]
    lines += [f"PROBLEM: {problem}" for problem in problems]
    lines.append(
        "Something is wrong; see PROBLEM above." if problems else "Nothing was lost or doubled, nothing grows."
    )
    return "\n".join(lines)


def _words(growth: Growth) -> str:
    if not growth.known:
        return "it was looked at too seldom"
    return f"{growth.slope:+.1f} per hour, {growth.first:.0f} at first, {growth.last:.0f} at last"


def _lines(hours: float, outcome: Outcome, series: Sequence[Series]) -> Iterator[str]:
    problems = [*outcome.problems, *growing(series)]
    yield f"{_HEAD}<h1>Soak of {hours:.2f} hours</h1>"
    verdict = "Something is wrong." if problems else "Nothing was lost or doubled, nothing grows."
    yield f"<p{' class=wrong' if problems else ''}>{verdict}</p>"
    if problems:
        yield "<ul>" + "".join(f"<li class=wrong>{html.escape(one)}</li>" for one in problems) + "</ul>"
    yield f"<p>{outcome.checks} comparisons with the truth; faults postponed {outcome.postponed}.</p>"
    rows = [(kind, count, outcome.items[kind]) for kind, count in sorted(outcome.pieces.items())]
    yield from _table(("work", "pieces", "items, each once"), rows)
    yield from _table(("move", "times"), sorted(outcome.moves.items()))
    for one in series:
        yield f"<h2>{html.escape(one.name)}</h2>"
        for number, measure in enumerate(LIMITS):
            yield from _plot(one, measure, COLOURS[number % len(COLOURS)])


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    yield "<table><tr>" + "".join(f"<th>{html.escape(one)}</th>" for one in head) + "</tr>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{html.escape(str(one))}</td>" for one in row) + "</tr>"
    yield "</table>"


def _plot(one: Series, measure: str, colour: str) -> Iterator[str]:
    points, growth = one.values[measure], one.growth(measure)
    wrong = " class=wrong" if growth.grows and one.name not in UNJUDGED else ""
    caption = f"{UNITS[measure]}: {_words(growth)}"
    title = html.escape(f"{one.name}, {caption}")
    yield f'<figure><svg width="{_WIDTH}" height="{_HEIGHT}" role="img"><title>{title}</title>'
    if points:
        first, last = points[0][0], points[-1][0]
        top = max(value for _, value in points) * 1.1 or 1.0
        width, height = _WIDTH - _LEFT - 8, _HEIGHT - _BOTTOM - 8
        drawn = " ".join(
            f"{_LEFT + width * (at - first) / ((last - first) or 1):.1f},{8 + height * (1 - value / top):.1f}"
            for at, value in points
        )
        yield f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        for share in (0.0, 0.5, 1.0):
            y = 8 + height * (1 - share)
            yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - 8}" stroke="currentColor" stroke-opacity="0.25"/>'
            yield f'<text x="{_LEFT - 4}" y="{y + 4:.1f}" text-anchor="end">{top * share:.0f}</text>'
        yield f'<text x="{_LEFT}" y="{_HEIGHT - 4}">{first:.2f} h</text>'
        yield f'<text x="{_WIDTH - 8}" y="{_HEIGHT - 4}" text-anchor="end">{last:.2f} h</text>'
    yield f"</svg><figcaption{wrong}>{html.escape(caption)}</figcaption></figure>"
