"""The geometry of the short form, made from the coordinates of sources."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.forms.scale import Scale

Point: TypeAlias = tuple[float, float]
Geometry: TypeAlias = dict[str, Any]

_LEAST_CORNERS = 3
_SKEW = 0.02
"""How much the sides of a rotated box may differ from a rectangle, as a fraction of its longer side."""


def box(scale: Scale, left: float, top: float, width: float, height: float) -> Geometry:
    """A bounding box from its top left corner and its size.

    :raises WrongLabelsError: The size is negative, or it is outside of the image.
    """
    if width < 0 or height < 0:
        raise WrongLabelsError(f"the box has the size {width:g} x {height:g}; it must not be negative")
    whole_width, whole_height = scale.size
    right, bottom = scale.x(left + width), scale.y(top + height)
    x, y = scale.x(left), scale.y(top)
    # The quotients where nothing is clipped: a difference of fractions would be another number by rounding.
    w = width / whole_width if left >= 0 and left + width <= whole_width else right - x
    h = height / whole_height if top >= 0 and top + height <= whole_height else bottom - y
    return {"boundingBox": {"x": x, "y": y, "w": w, "h": h}}


def rotated_box(scale: Scale, corners: Sequence[Point]) -> Geometry:
    """A rotatable box from its four corners, in order. The first side is its width.

    :raises WrongLabelsError: The corners are not a rectangle.
    """
    first, second, third, fourth = corners
    width, height = math.dist(first, second), math.dist(second, third)
    longest = max(width, height)
    middle_of = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in ((first, third), (second, fourth))]
    diagonals = abs(math.dist(first, third) - math.dist(second, fourth))
    if longest <= 0 or math.dist(*middle_of) > _SKEW * longest or diagonals > _SKEW * longest:
        raise WrongLabelsError("the four corners are not a rectangle; map the class to a polygon instead")
    centre_x, centre_y = (sum(corner[axis] for corner in corners) / 4 for axis in (0, 1))
    turn = math.degrees(math.atan2(second[1] - first[1], second[0] - first[0]))
    return turned_box(scale, centre_x - width / 2, centre_y - height / 2, width, height, turn)


def turned_box(scale: Scale, left: float, top: float, width: float, height: float, turn: float) -> Geometry:
    """A rotatable box from the box before its rotation.

    :param turn: Degrees, clockwise around the centre.
    :raises WrongLabelsError: The size is negative.
    """
    whole_width, whole_height = scale.size
    if width < 0 or height < 0:
        raise WrongLabelsError(f"the box has the size {width:g} x {height:g}; it must not be negative")
    x, y = left / whole_width, top / whole_height
    drawn = {"x": x, "y": y, "w": width / whole_width, "h": height / whole_height, "theta": turn % 360}
    return {"rotatableBoundingBox": drawn}


def upright_box(scale: Scale, left: float, top: float, width: float, height: float) -> Geometry:
    """A rotatable box that is not rotated.

    :raises WrongLabelsError: See `box`.
    """
    return {"rotatableBoundingBox": {**box(scale, left, top, width, height)["boundingBox"], "theta": 0.0}}


def polygon(scale: Scale, outlines: Sequence[Sequence[Point]]) -> Geometry:
    """A polygon. Each outline is a part of it.

    :raises WrongLabelsError: An outline has fewer than three corners, or it is outside of the image.
    """
    parts = [[scale.point(*corner) for corner in outline] for outline in outlines]
    if not parts or any(len(part) < _LEAST_CORNERS for part in parts):
        raise WrongLabelsError(f"a polygon needs at least {_LEAST_CORNERS} corners")
    flat = [[[value for corner in part for value in (corner["x"], corner["y"])]] for part in parts]
    return {"polygon": numbered(parts[0]), "polygons": flat}


def polyline(scale: Scale, points: Sequence[Point]) -> Geometry:
    """A polyline.

    :raises WrongLabelsError: It is outside of the image.
    """
    return {"polyline": numbered([scale.point(*point) for point in points])}


def point(scale: Scale, x: float, y: float) -> Geometry:
    """A point.

    :raises WrongLabelsError: It is outside of the image.
    """
    return {"point": numbered([scale.point(x, y)])}


def numbered(points: Sequence[Any]) -> dict[str, Any]:
    """Points by number, as Encord has them."""
    return {str(number): point for number, point in enumerate(points)}


def pairs(flat: Sequence[float]) -> list[Point]:
    """Points from a flat list of coordinates.

    :raises WrongLabelsError: A coordinate is missing.
    """
    if len(flat) % 2:
        raise WrongLabelsError(f"{len(flat)} coordinates are not pairs of x and y")
    return list(zip(flat[::2], flat[1::2], strict=True))
