"""The shapes of CVAT's elements, by shape of the ontology. Coordinates are pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.forms.bitmasks import MOST_PIXELS, Mask, filled, mask_shapes
from airflow_provider_encord.prelabels.forms.items import Draw
from airflow_provider_encord.prelabels.forms.names import Spot
from airflow_provider_encord.prelabels.forms.scale import Scale, number
from airflow_provider_encord.prelabels.forms.shapes import Point, box, point, polygon, polyline, turned_box, upright_box
from airflow_provider_encord.prelabels.forms.skeletons import Keypoint, skeleton
from airflow_provider_encord.prelabels.streams.xml_stream import Node

_SIDES = ("xtl", "ytl", "xbr", "ybr")
_AREA = ("left", "top", "width", "height")


def shapes_of(node: Node, scale: Scale, spot: Spot, template: Mapping[str, Any] | None) -> dict[str, Draw]:
    """What an element can be drawn as. An element that Encord has no shape for can be drawn as nothing.

    :param template: The skeleton of its class; None if the class has none.
    """
    if node.name == "box":
        return _box(node, scale)
    made: dict[str, dict[str, Draw]] = {
        "polygon": {"polygon": lambda: polygon(scale, [_points(node)])},
        "polyline": {"polyline": lambda: polyline(scale, _points(node))},
        "points": {
            "point": lambda: point(scale, *_single(_points(node))),
            "skeleton": lambda: skeleton(scale, template, [Keypoint(*pair) for pair in _points(node)], None),
        },
        "mask": mask_shapes(lambda: _mask(node, scale), (spot.width, spot.height)),
        "skeleton": {"skeleton": lambda: _skeleton(node, scale, template)},
    }
    return made.get(node.name, {})


def _box(node: Node, scale: Scale) -> dict[str, Draw]:
    rotation = number(node.attributes.get("rotation", "0"), "rotation")
    left, top, right, bottom = (number(node.attributes.get(name), name) for name in _SIDES)
    sides = (left, top, right - left, bottom - top)
    if rotation:
        return {"rotatable_bounding_box": lambda: turned_box(scale, *sides, rotation)}
    return {
        "bounding_box": lambda: box(scale, *sides),
        "rotatable_bounding_box": lambda: upright_box(scale, *sides),
    }


def _points(node: Node) -> list[Point]:
    pairs = [pair.split(",") for pair in node.attributes.get("points", "").split(";") if pair.strip()]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise WrongLabelsError("points: they are not written as x,y;x,y")
    return [(number(x, "points"), number(y, "points")) for x, y in pairs]


def _single(points: list[Point]) -> Point:
    if len(points) != 1:
        raise WrongLabelsError(f"it has {len(points)} points, but a point of the ontology is one")
    return points[0]


def _skeleton(node: Node, scale: Scale, template: Mapping[str, Any] | None) -> dict[str, Any]:
    found = [child for child in node.children if child.name == "points"]
    points = [Keypoint(*_single(_points(child)), _visibility(child)) for child in found]
    return skeleton(scale, template, points, [child.attributes.get("label", "") for child in found])


def _visibility(node: Node) -> int:
    if node.attributes.get("outside") == "1":
        return 0
    return 1 if node.attributes.get("occluded") == "1" else 2


def _mask(node: Node, scale: Scale) -> Mask:
    """The mask of a part of the image, as a mask of the whole image. Its runs go along the rows of the part."""
    width, height = (int(side) for side in scale.size)
    left, top, columns, rows = (int(number(node.attributes.get(name), name)) for name in _AREA)
    if min(left, top) < 0 or min(columns, rows) < 1 or left + columns > width or top + rows > height:
        raise WrongLabelsError(f"the mask is not within the {width} x {height} pixels of the image")
    if width * height > MOST_PIXELS:
        raise WrongLabelsError(f"a mask of {width} x {height} pixels is too large")
    counts = [int(number(run, "rle")) for run in node.attributes.get("rle", "").split(",") if run.strip()]
    part = filled(counts, columns * rows)
    lines = [
        bytes(left) + part[row * columns : (row + 1) * columns] + bytes(width - left - columns) for row in range(rows)
    ]
    return bytes(top * width) + b"".join(lines) + bytes((height - top - rows) * width), width, height
