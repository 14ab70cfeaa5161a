"""Geometry of objects in pixels, out of Encord's fractions of width and height."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from airflow_provider_encord.export.formats.annotations import Annotation

BOUNDING_BOX = "bounding_box"
ROTATABLE_BOUNDING_BOX = "rotatable_bounding_box"
POLYGON = "polygon"
BITMASK = "bitmask"

Point: TypeAlias = tuple[float, float]
Ring: TypeAlias = list[Point]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, width and height."""


def box_of(one: Annotation) -> Box | None:
    """The box around an object, in pixels; None if its shape has none, or the size of the image is not known."""
    geometry = one.geometry
    if "bitmask" in geometry:  # it is in pixels already
        mask = geometry["bitmask"]
        return (float(mask["left"]), float(mask["top"]), float(mask["width"]), float(mask["height"]))
    corners = _points(one)
    return around(corners) if corners else None


def around(points: Sequence[Point]) -> Box:
    """The box around points."""
    left, top = min(x for x, _ in points), min(y for _, y in points)
    return (left, top, max(x for x, _ in points) - left, max(y for _, y in points) - top)


def rings_of(one: Annotation) -> list[list[Ring]]:
    """The polygons of an object, each with its outline first and then its holes, in pixels."""
    geometry, (width, height) = one.geometry, size_of(one)
    if geometry.get("polygons"):
        return [[_ring(ring, width, height) for ring in polygon] for polygon in geometry["polygons"]]
    if geometry.get("polygon"):
        return [[_numbered(geometry["polygon"], width, height)]]
    return []


def corners_of(one: Annotation) -> Ring:
    """The four corners of a box, in pixels; one that is rotated is turned clockwise around its centre."""
    width, height = size_of(one)
    box: Mapping[str, Any] = one.geometry.get("rotatableBoundingBox") or one.geometry["boundingBox"]
    left, top = box["x"] * width, box["y"] * height
    half_width, half_height = box["w"] * width / 2, box["h"] * height / 2
    turn = math.radians(box.get("theta") or 0.0)
    cosine, sine = math.cos(turn), math.sin(turn)
    centre_x, centre_y = left + half_width, top + half_height
    offsets = (
        (-half_width, -half_height),
        (half_width, -half_height),
        (half_width, half_height),
        (-half_width, half_height),
    )
    return [(centre_x + x * cosine - y * sine, centre_y + x * sine + y * cosine) for x, y in offsets]


def size_of(one: Annotation) -> tuple[float, float]:
    """Width and height of the image; 1 and 1, and so fractions, if they are not known."""
    return (one.place.width or 1.0, one.place.height or 1.0)


def area_of(ring: Sequence[Point]) -> float:
    """The area within an outline."""
    pairs = zip(ring, [*ring[1:], *ring[:1]], strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2


def _points(one: Annotation) -> list[Point]:
    geometry, (width, height) = one.geometry, size_of(one)
    if "boundingBox" in geometry or "rotatableBoundingBox" in geometry:
        return corners_of(one)
    if "polygon" in geometry or "polygons" in geometry:
        return [point for polygon in rings_of(one) for ring in polygon[:1] for point in ring]
    for key in ("polyline", "point", "skeleton"):
        if isinstance(geometry.get(key), Mapping):
            return _numbered(geometry[key], width, height)
    return []


def _numbered(points: Mapping[str, Any], width: float, height: float) -> Ring:
    values: Iterable[Any] = points.values()
    return [(one["x"] * width, one["y"] * height) for one in values if isinstance(one, Mapping) and "x" in one]


def _ring(numbers: Sequence[float], width: float, height: float) -> Ring:
    return [(x * width, y * height) for x, y in zip(numbers[::2], numbers[1::2], strict=False)]
