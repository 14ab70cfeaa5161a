"""The diagrams are those that the code makes, are shown, and fit a narrow page in light and dark."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from tests.docs.blocks import DOCS
from tests.docs.diagrams import DIAGRAMS, FIGURES, PICTURES, STYLE, WIDTH, figures

SVG = "{http://www.w3.org/2000/svg}"
WIDEST_CHARACTER = 7.4  # pixels on average, of 14 pixel text


@pytest.mark.parametrize("name", DIAGRAMS)
def test_a_diagram_is_the_one_that_the_code_makes(name: str) -> None:
    assert (PICTURES / name).read_text() == DIAGRAMS[name](), "run: make reference"


@pytest.mark.parametrize("name", DIAGRAMS)
def test_the_text_of_a_diagram_stays_inside_the_picture(name: str) -> None:
    root = ElementTree.fromstring(DIAGRAMS[name]())
    for text in root.iter(f"{SVG}text"):
        assert float(text.attrib["x"]) + len(text.text or "") * WIDEST_CHARACTER <= WIDTH, text.text


@pytest.mark.parametrize("name", DIAGRAMS)
def test_a_diagram_is_described_for_those_who_do_not_see_it(name: str) -> None:
    root = ElementTree.fromstring(DIAGRAMS[name]())
    assert root.findtext(f"{SVG}title")
    assert root.findtext(f"{SVG}desc")


def test_a_diagram_has_colours_for_a_dark_page() -> None:
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)")
    coloured = {line.split("{")[0].strip() for line in light.splitlines() if "#" in line}
    assert all(f"{name} {{" in dark for name in coloured)


def test_the_plots_show_the_figures_of_the_benchmarks() -> None:
    assert figures("What an export costs", "rows per second", "10,000").keys() == {"ours", "floor", "vendor's SDK"}


def test_every_figure_of_the_page_on_performance_is_one_of_the_benchmarks() -> None:
    numbers = r"(?<![\w,.`])\d[\d,]*(?:\.\d+)?(?![\w`])"
    table = (DOCS / "performance.md").read_text().split("## Other jobs")[1].split("## How to")[0]
    measured = re.sub(r"\s+", " ", FIGURES.read_text())
    shown = set(re.findall(numbers, table)) - {"4"}  # requests: 4.00
    assert len(shown) > 10
    assert {figure for figure in shown if figure not in re.findall(numbers, measured)} == set()
