"""The plots of a report as a PNG: the same as on the page."""

from __future__ import annotations

import datetime
import io
import sys

import pytest
from PIL import Image

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.plot_pictures import BEGINNING, WIDTH, picture_of, require_pillow
from airflow_provider_encord.plots import COLOURS, areas, columns, curves

DAYS = [datetime.date(2026, 9, 1) + datetime.timedelta(days=number) for number in range(60)]
LINE = [(day, float(number)) for number, day in enumerate(DAYS)]
LOWER = [(day, number / 2) for day, number in LINE]


def _opened(picture: bytes) -> Image.Image:
    return Image.open(io.BytesIO(picture)).convert("RGB")


def _colours(image: Image.Image) -> set[str]:
    found = image.getcolors(2**24) or []
    common = [colour for count, colour in found if count > 50 and isinstance(colour, tuple)]
    return {"#" + bytes(colour).hex() for colour in common}


@pytest.mark.parametrize(
    ("svg", "colours"),
    [
        (list(areas("a", "Areas", DAYS, {"one": [1.0] * 60, "other <b>": [2.0] * 60})), COLOURS[:2]),
        (
            list(
                curves(
                    "b",
                    "Curves",
                    {"one": LINE, "other": [(day, number / 2) for day, number in LINE]},
                    band=LINE[-2:],
                    dashed=LINE[-2:],
                )
            ),
            COLOURS[:2],
        ),
        (list(columns("c", "Columns", LINE, "tasks")), COLOURS[:1]),
    ],
    ids=["areas", "curves", "columns"],
)
def test_a_picture_has_what_the_page_has(svg: list[str], colours: tuple[str, ...]) -> None:
    picture = picture_of("Streets", "Done in May.", [("A plot", svg, "")])
    image = _opened(picture)
    assert picture.startswith(BEGINNING)
    assert image.width == 2 * WIDTH
    assert {*colours, "#ffffff"} <= _colours(image)
    assert picture_of("Streets", "Done in May.", [("A plot", svg, "")]) == picture


@pytest.mark.parametrize("text", ["", "x" * 500, "word " * 200, "\u6771\u4eac \U0001f600 \u0000"])
def test_every_title_and_reason_can_be_written(text: str) -> None:
    _opened(picture_of(text, text, [(text, [], text)]))


def test_without_pillow_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(InvalidArgumentError, match=r"png: pictures need Pillow.*airflow-provider-encord\[png\]"):
        require_pillow("png")
