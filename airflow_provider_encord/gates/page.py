"""The report of a gate as a page in HTML, with bars. It refers to nothing outside of itself."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping

from airflow_provider_encord.gates.judging import Judged
from airflow_provider_encord.gates.measures import Measured
from airflow_provider_encord.html_pages import require_replaceable_page
from airflow_provider_encord.storage_paths import StoragePath

_BEGINNING = "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Quality gate</title>"

_MOST_BARS = 50
_STYLE = (
    "body{font:14px sans-serif;margin:2em;max-width:60em}table{border-collapse:collapse}td,th{padding:.2em .8em;"
    "text-align:left;border-bottom:1px solid #ccc}.failed{color:#b00020}.passed{color:#1b6e2d}"
    "svg{display:block;margin:.5em 0}rect{fill:#6c5ce7}"
)


def require_own_page(path: StoragePath) -> None:
    """Check that a page can be written, and that it replaces only an earlier page or an empty file.

    :raises InvalidArgumentError: The path has another file, or it cannot be written.
    """
    require_replaceable_page(path, "page", _BEGINNING, "a page of a quality gate")


def page_of(judged: Iterable[Judged], measured: Measured, project_id: str) -> str:
    """The page.

    :param measured: For the number of annotations by class.
    """
    measures = list(judged)
    parts = [
        _BEGINNING,
        f"<style>{_STYLE}</style></head><body><h1>Quality gate</h1>",
        f"<p>Project {html.escape(project_id)}, {measured.rows} label rows.</p>",
        "<table><tr><th>measure</th><th>value</th><th>limit</th><th>of</th><th></th></tr>",
        *(_row(one) for one in measures),
        "</table>",
        *(part for one in measures for part in _plots(one)),
        *_plot("Annotations by class", {name: float(number) for name, number in measured.classes.items()}),
        "</body></html>\n",
    ]
    return "".join(parts)


def _row(judged: Judged) -> str:
    word = "passed" if judged.passed else "failed"
    value = "not measured" if judged.value is None else f"{judged.value:.3f}"
    cells = (judged.measure, value, f"{judged.threshold:g}", str(judged.support))
    return f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}<td class='{word}'>{word}</td></tr>"


def _plots(judged: Judged) -> Iterator[str]:
    yield from _plot(f"{judged.measure}, by annotator", judged.by_annotator)
    yield from _plot(f"{judged.measure}, by class", judged.by_class)


def _plot(title: str, values: Mapping[str, float]) -> Iterator[str]:
    """A bar for each value, the largest first."""
    if not values:
        return
    shown = sorted(values.items(), key=lambda item: (-abs(item[1]), item[0]))[:_MOST_BARS]
    largest = max((abs(value) for _, value in shown), default=0.0) or 1.0
    yield f"<h2>{html.escape(title)}</h2><svg width='720' height='{22 * len(shown)}' role='img'>"
    for number, (name, value) in enumerate(shown):
        top, width = 22 * number, 300 * abs(value) / largest
        said = f"{value:.3f}" if isinstance(value, float) and not value.is_integer() else f"{value:.0f}"
        yield f"<text x='0' y='{top + 15}'>{html.escape(name[:40])}</text>"
        yield f"<rect x='300' y='{top + 3}' width='{width:.1f}' height='16'></rect>"
        yield f"<text x='{305 + width:.1f}' y='{top + 15}'>{said}</text>"
    yield "</svg>"
