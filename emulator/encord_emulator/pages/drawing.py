"""Labels as SVG, in pixels over their image."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .bitmask import path_of
from .markup import Markup, joined, tag

_COLOUR = re.compile(r"#[0-9A-Fa-f]{3,8}")
_USUAL_COLOUR = "#D33115"
_UNREADABLE = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
_Object = Mapping[str, Any]
_Point = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Picture:
    """One image or frame, and the objects on it.

    :param address: Where its file is; None if there is no file that a browser could show.
    """

    title: str
    width: int
    height: int
    address: str | None
    objects: Sequence[_Object]

    @property
    def has_size(self) -> bool:
        return self.width > 0 and self.height > 0


def colour_of(item: _Object) -> str:
    """The colour of an object or feature: only what is a colour may get into an attribute of a drawing."""
    colour = str(item.get("color"))
    return colour if _COLOUR.fullmatch(colour) else _USUAL_COLOUR


def drawn(picture: Picture, *, names: bool = True) -> Markup:
    """The picture with its objects on it.

    :param names: Whether each object has its name beside it.
    """
    parts: list[Markup] = []
    if picture.address is not None:
        parts.append(tag("image", href=picture.address, width=picture.width, height=picture.height))
    parts += [_group(item, picture, names=names) for item in picture.objects]
    box = f"0 0 {picture.width} {picture.height}"
    return tag("svg", *parts, viewBox=box, class_="picture", role="img", aria_label=description(picture))


def description(picture: Picture) -> str:
    """What is to be seen, in words."""
    named: dict[str, int] = {}
    for item in picture.objects:
        named[str(item.get("name"))] = named.get(str(item.get("name")), 0) + 1
    what = ", ".join(f"{count} {name}" for name, count in named.items()) or "no objects"
    return f"{picture.title}: {what}"


def can_be_drawn(item: _Object, width: int, height: int) -> bool:
    """Whether the geometry of an object is one that is drawn, and is complete."""
    return _shape(item, width, height) is not None


def _group(item: _Object, picture: Picture, *, names: bool) -> Markup:
    shape = _shape(item, picture.width, picture.height)
    if shape is None:
        return Markup()
    drawing, (x, y) = shape
    size = max(picture.width, picture.height) / 45
    name = tag("text", item.get("name"), class_="name", x=_text(x), y=_text(max(y - size / 3, size)), font_size=size)
    colour = colour_of(item)
    return tag("g", tag("title", item.get("name")), drawing, name if names else "", fill=colour, stroke=colour)


def _shape(item: _Object, width: int, height: int) -> tuple[Markup, _Point] | None:
    """An object as SVG, and where its name stands; None if it cannot be drawn."""
    if width < 1 or height < 1:
        return None
    for key, draw in _DRAW.items():
        if item.get(key):
            try:
                return draw(item[key], width, height)
            except _UNREADABLE:
                return None
    return None


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _text(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _box(box: _Object, width: int, height: int) -> tuple[Markup, _Point]:
    x, y = _number(box["x"]) * width, _number(box["y"]) * height
    wide, high = _number(box["w"]) * width, _number(box["h"]) * height
    theta = _number(box.get("theta") or 0)
    turn = f"rotate({_text(theta)} {_text(x + wide / 2)} {_text(y + high / 2)})" if theta else None
    sides = {"width": _text(wide), "height": _text(high)}
    return tag("rect", class_="shape", x=_text(x), y=_text(y), transform=turn, **sides), (x, y)


def _points(numbered: Any, width: int, height: int) -> list[_Point]:
    """Points that are numbered from "0", or in a list."""
    if isinstance(numbered, Mapping):
        numbered = [numbered[key] for key in sorted(numbered, key=int)]
    found = [(_number(point["x"]) * width, _number(point["y"]) * height) for point in numbered]
    if not found:
        raise ValueError("no points")
    return found


def _polygon(numbered: Any, width: int, height: int) -> tuple[Markup, _Point]:
    return _rings([_points(numbered, width, height)])


def _polygons(polygons: Any, width: int, height: int) -> tuple[Markup, _Point]:
    """Polygons, each an outline and holes, of numbers in turn for x and y."""
    rings = [
        [(_number(x) * width, _number(y) * height) for x, y in zip(numbers[0::2], numbers[1::2], strict=True)]
        for polygon in polygons
        for numbers in polygon
    ]
    return _rings([ring for ring in rings if ring])


def _rings(rings: list[list[_Point]]) -> tuple[Markup, _Point]:
    path = "".join("M" + "L".join(f"{_text(x)} {_text(y)}" for x, y in ring) + "z" for ring in rings)
    top = min((point for ring in rings for point in ring), key=lambda point: point[1])
    return tag("path", class_="shape", d=path, fill_rule="evenodd"), top


def _polyline(numbered: Any, width: int, height: int) -> tuple[Markup, _Point]:
    points = _points(numbered, width, height)
    return tag("polyline", class_="shape open", points=" ".join(f"{_text(x)},{_text(y)}" for x, y in points)), points[0]


def _dots(numbered: Any, width: int, height: int) -> tuple[Markup, _Point]:
    points, radius = _points(numbered, width, height), _text(max(width, height) / 120)
    return joined(*(tag("circle", class_="dot", cx=_text(x), cy=_text(y), r=radius) for x, y in points)), points[0]


def _bitmask(mask: _Object, _width: int, _height: int) -> tuple[Markup, _Point]:
    return tag("path", class_="shape", d=path_of(mask)), (_number(mask["left"]), _number(mask["top"]))


def _circle(curve: _Object, width: int, height: int) -> tuple[Markup, _Point]:
    radius, stretch = _number(curve["r"]) * width, curve.get("stretch")
    return _curve(curve, (radius, radius * (1.0 if stretch is None else _number(stretch))), width, height)


def _ellipse(curve: _Object, width: int, height: int) -> tuple[Markup, _Point]:
    return _curve(curve, (_number(curve["rx"]) * width, _number(curve["ry"]) * height), width, height)


def _curve(curve: _Object, radii: tuple[float, float], width: int, height: int) -> tuple[Markup, _Point]:
    x, y = _number(curve["x"]) * width, _number(curve["y"]) * height
    turn = f"rotate({_text(_number(curve.get('theta') or 0))} {_text(x)} {_text(y)})"
    radius = {"rx": _text(radii[0]), "ry": _text(radii[1])}
    return tag("ellipse", class_="shape", cx=_text(x), cy=_text(y), transform=turn, **radius), (x, y - radii[1])


_DRAW: dict[str, Callable[[Any, int, int], tuple[Markup, _Point]]] = {
    "boundingBox": _box,
    "rotatableBoundingBox": _box,
    "polygons": _polygons,  # before "polygon", which has no holes
    "polygon": _polygon,
    "polyline": _polyline,
    "point": _dots,
    "bitmask": _bitmask,
    "circle": _circle,
    "ellipse": _ellipse,
    "skeleton": _dots,
}
