"""Plots as one PNG, for mail and chat. It draws the SVG of `plots`, so both show the same.

Only what `plots` writes over days is understood: rectangles, straight lines, areas and text. Needs Pillow.
"""

from __future__ import annotations

import io
import itertools
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any
from xml.etree import ElementTree

from airflow_provider_encord.client.errors import InvalidArgumentError

BEGINNING = b"\x89PNG\r\n\x1a\n"
"""How every PNG begins."""
WIDTH = 720
_SCALE, _FINE = 2, 2  # pixels of the picture for one of a plot; times finer while it is drawn
_TEXT, _BACK = (28, 28, 34, 255), (255, 255, 255, 255)
_HEADING, _SENTENCE, _LABEL, _MARGIN = 20, 13, 12, 16
_LINE = re.compile(r"M([\d.]+) ([\d.]+)H([\d.]+)")
_LETTERS = 100  # in a line of a sentence
_ANCHORS = {"end": "rs", "middle": "ms"}


def require_pillow(argument: str) -> None:
    """Check that pictures can be drawn.

    :param argument: The argument that asks for one, for messages.
    :raises InvalidArgumentError: Pillow is not installed.
    """
    try:
        import PIL  # noqa: F401
    except ImportError:
        raise InvalidArgumentError(
            f"{argument}: pictures need Pillow. Install it with: pip install 'airflow-provider-encord[png]'"
        ) from None


def picture_of(title: str, sentence: str, plots: Iterable[tuple[str, Sequence[str], str]]) -> bytes:
    """Draw plots below each other. The same plots have the same bytes with the same version of Pillow.

    :param sentence: Stands below the title.
    :param plots: Of each, the title, the lines of its SVG, and what is said if there are none.
    """
    from PIL import Image

    parts = [_written(title, _HEADING), _written(sentence, _SENTENCE)]
    for heading, svg, missing in plots:
        parts += [_written(heading, _HEADING - 4), _drawn(svg) if svg else _written(missing, _SENTENCE)]
    whole = Image.new("RGB", (WIDTH * _SCALE, sum(part.height for part in parts) + 2 * _MARGIN), _BACK[:3])
    top = _MARGIN
    for part in parts:
        whole.paste(part, (0, top))
        top += part.height
    content = io.BytesIO()
    whole.save(content, "PNG", optimize=True)
    return content.getvalue()


def _written(text: str, size: int) -> Any:
    """Words on lines of their own."""
    import textwrap

    from PIL import Image, ImageDraw

    lines = textwrap.wrap(text, _LETTERS * _SENTENCE // size) or [""]
    height = round(size * 1.6) * _SCALE
    image = Image.new("RGB", (WIDTH * _SCALE, height * len(lines) + _MARGIN), _BACK[:3])
    for number, line in enumerate(lines):
        place = (_MARGIN * _SCALE, height * (number + 1))
        ImageDraw.Draw(image).text(place, line, fill=_TEXT[:3], font=_font(size * _SCALE), anchor="ls")
    return image


def _font(size: float) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _drawn(svg: Sequence[str]) -> Any:
    """Draw one plot."""
    from PIL import Image, ImageDraw

    root = ElementTree.fromstring("".join(svg))  # noqa: S314 - this package has just written it
    size = tuple(int(root.attrib[name]) for name in ("width", "height"))
    fine = _SCALE * _FINE
    image = Image.new("RGB", (size[0] * fine, size[1] * fine), _BACK[:3])
    canvas = ImageDraw.Draw(image, "RGBA")
    for element in root:
        _draw(canvas, element.tag.rpartition("}")[2], element.attrib, element.text or "", fine)
    return image.reduce(_FINE)


def _draw(canvas: Any, kind: str, about: dict[str, str], text: str, fine: int) -> None:
    def number(name: str) -> float:
        return float(about[name]) * fine

    match kind:
        case "rect":
            x, y = number("x"), number("y")
            canvas.rectangle((x, y, x + number("width"), y + number("height")), fill=_colour(about, "fill"))
        case "path":
            found = _LINE.fullmatch(about["d"])
            if found:
                left, y, right = (float(part) * fine for part in found.groups())
                canvas.line((left, y, right, y), fill=_colour(about, "stroke"), width=fine)
        case "polygon":
            canvas.polygon(_points(about, fine), fill=_colour(about, "fill"))
        case "polyline":
            dash = [float(part) * fine for part in about.get("stroke-dasharray", "").split()]
            for line in _dashed(_points(about, fine), *dash) if dash else [_points(about, fine)]:
                canvas.line(line, fill=_colour(about, "stroke"), width=2 * fine, joint="curve")
        case "text":
            anchor = _ANCHORS.get(about.get("text-anchor", ""), "ls")
            canvas.text((number("x"), number("y")), text, fill=_TEXT, font=_font(_LABEL * fine), anchor=anchor)


def _points(about: dict[str, str], fine: int) -> list[tuple[float, float]]:
    pairs = (point.split(",") for point in about["points"].split())
    return [(float(x) * fine, float(y) * fine) for x, y in pairs]


def _colour(about: dict[str, str], kind: str) -> tuple[int, ...]:
    text, opacity = about[kind], float(about.get(f"{kind}-opacity", 1))
    rgb = _TEXT[:3] if text == "currentColor" else tuple(bytes.fromhex(text.removeprefix("#")))
    return *rgb, round(255 * opacity)


def _dashed(points: Sequence[tuple[float, float]], drawn: float, left_out: float) -> list[list[tuple[float, float]]]:
    """The pieces of a line."""
    pieces = []
    for (x, y), (x_end, y_end) in itertools.pairwise(points):
        length = math.hypot(x_end - x, y_end - y)
        for number in range(math.ceil(length / (drawn + left_out))):
            start = number * (drawn + left_out)
            ends = [share / length for share in (start, min(start + drawn, length))]
            pieces.append([(x + share * (x_end - x), y + share * (y_end - y)) for share in ends])
    return pieces
