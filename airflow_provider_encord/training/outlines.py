"""What the label files of training say of an object: a box, a rotated box, an outline, keypoints; in pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import shapely

from airflow_provider_encord.exports.formats import geometry
from airflow_provider_encord.exports.formats.annotations import Annotation
from airflow_provider_encord.exports.formats.shapes import Shape, shape_of

VISIBLE, OCCLUDED, INVISIBLE = 2, 1, 0
"""How COCO and YOLO write whether a keypoint can be seen."""
_VISIBILITY = {"visible": VISIBLE, "occluded": OCCLUDED, "selfOccluded": OCCLUDED, "invisible": INVISIBLE}
_STRIDE = 2**24  # see `shapes`
_LEAST_CORNERS = 3
ROUND = ("circle", "ellipse")
_WITH_BOX = ("bounding_box", "rotatable_bounding_box", "polygon", "bitmask", "skeleton")

Ring = list[geometry.Point]


class NotExpressibleError(ValueError):
    """An object that a form of training data cannot say. The message is the reason."""


def region_of(annotation: Annotation) -> Shape:
    """The region that an object covers.

    :raises NotExpressibleError: Its shape has no area, or its geometry is malformed.
    """
    shape = shape_of(annotation)
    if shape is None:
        raise NotExpressibleError(f"{annotation.shape} without a region")
    return shape


def clipped_box(annotation: Annotation, size: tuple[int, int]) -> geometry.Box:
    """The part of an object's box that is inside of the image.

    :param size: Width and height of the image.
    :raises NotExpressibleError: No part is, its shape has no area, or its geometry is malformed.
    """
    return clipped(_box(annotation), size)


def clipped(box: geometry.Box, size: tuple[int, int]) -> geometry.Box:
    """The part of a box that is inside of the image.

    :raises NotExpressibleError: No part is.
    """
    left, top, width, height = box
    if not all(map(math.isfinite, (left, top, width, height))):
        raise NotExpressibleError(geometry.MALFORMED)
    right, bottom = min(float(size[0]), left + width), min(float(size[1]), top + height)
    left, top = max(0.0, left), max(0.0, top)
    if right <= left or bottom <= top:
        raise NotExpressibleError("it covers nothing of the image")
    return left, top, right - left, bottom - top


def _box(annotation: Annotation) -> geometry.Box:
    if annotation.shape in ROUND:
        left, top, right, bottom = region_of(annotation).bounds
        return left, top, right - left, bottom - top
    if annotation.shape not in _WITH_BOX:
        raise NotExpressibleError(f"{annotation.shape} without an area")
    try:
        box = geometry.box_of(annotation)
    except geometry.MalformedGeometryError:
        box = None
    if box is None:
        raise NotExpressibleError(geometry.MALFORMED)
    return box


def rotated_corners(annotation: Annotation) -> Ring:
    """The corners of the smallest rotated box around an object; of a box, its own.

    :raises NotExpressibleError: It has no area.
    """
    shape = region_of(annotation)
    if annotation.shape in (geometry.BOUNDING_BOX, geometry.ROTATABLE_BOUNDING_BOX):
        return geometry.corners_of(annotation)
    outline = _of_runs(shape) if shape.runs is not None else shape.outline
    around = shapely.minimum_rotated_rectangle(outline)
    if not around.area > 0:
        raise NotExpressibleError(f"{annotation.shape} without an area")
    return [(float(x), float(y)) for x, y in around.exterior.coords[:-1]]


def outline_of(annotation: Annotation, size: tuple[int, int]) -> Ring:
    """One outline of an object inside of the image. Holes and further parts are joined to it by lines without width.

    :param size: Width and height of the image.
    :raises NotExpressibleError: It has no area inside of the image.
    """
    if annotation.shape == geometry.BOUNDING_BOX:
        left, top, width, height = clipped_box(annotation, size)
        right, bottom = left + width, top + height
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    simple = _simple_ring(annotation, size)
    if simple is not None:
        return simple
    shape = region_of(annotation)
    region = _of_runs(shape) if shape.runs is not None else shape.outline
    inside = shapely.intersection(region, shapely.box(0, 0, *size))
    polygons = [part for part in getattr(inside, "geoms", [inside]) if part.geom_type == "Polygon" and part.area > 0]
    if not polygons:
        raise NotExpressibleError(f"{annotation.shape} without an area in the image")
    polygons.sort(key=lambda polygon: -polygon.area)
    rings = [_ring(polygon.exterior, ccw=True) for polygon in polygons]
    rings += [_ring(hole, ccw=False) for polygon in polygons for hole in polygon.interiors]
    outline, *others = rings
    for ring in others:
        outline = _joined(outline, ring)
    return outline


def _simple_ring(annotation: Annotation, size: tuple[int, int]) -> Ring | None:
    """The outline of a polygon inside of the image that has no holes and does not cross itself; None for others.

    Most polygons are of this kind, and need no computing with regions, which takes ten times as long.
    """
    try:
        with geometry.reading(annotation):
            polygons = geometry.rings_of(annotation) if annotation.shape == geometry.POLYGON else []
    except geometry.MalformedGeometryError:
        return None
    if len(polygons) != 1 or len(polygons[0]) != 1 or len(polygons[0][0]) < _LEAST_CORNERS:
        return None
    ring = polygons[0][0]
    inside = all(0 <= x <= size[0] and 0 <= y <= size[1] for x, y in ring)
    return ring if inside and shapely.Polygon(ring).is_valid else None


def keypoints_of(annotation: Annotation) -> list[tuple[float, float, int]]:
    """The points of a skeleton in the order of their numbers: x, y, and how visible they are.

    :raises NotExpressibleError: It is not a skeleton, or malformed.
    """
    points = annotation.geometry.get("skeleton")
    if not isinstance(points, Mapping) or not points:
        raise NotExpressibleError(f"{annotation.shape} without keypoints")
    try:
        with geometry.reading(annotation):
            return [_keypoint(points[number], geometry.size_of(annotation)) for number in sorted(points, key=int)]
    except geometry.MalformedGeometryError:
        raise NotExpressibleError(geometry.MALFORMED) from None


def _keypoint(point: Mapping[str, Any], size: tuple[float, float]) -> tuple[float, float, int]:
    x, y = float(point["x"]) * size[0], float(point["y"]) * size[1]
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError("a point is not in an image")
    seen = _VISIBILITY.get(str(point.get("visibility") or "visible"), VISIBLE)
    return (x, y, seen) if seen != INVISIBLE else (0.0, 0.0, INVISIBLE)


def _of_runs(shape: Shape) -> Any:
    """The pixels of a bitmask as a region: a rectangle for each run of pixels."""
    assert shape.runs is not None  # noqa: S101 - only called for bitmasks
    starts, ends = shape.runs
    rows, first = starts // _STRIDE, starts % _STRIDE
    return shapely.union_all(shapely.box(first, rows, first + (ends - starts), rows + 1))


def _ring(line: Any, *, ccw: bool) -> Ring:
    """The points of a ring, in this direction. A hole that goes the other way than its outline is not filled."""
    points = [(float(x), float(y)) for x, y in line.coords[:-1]]
    return points if line.is_ccw == ccw else points[::-1]


def _joined(outline: Sequence[geometry.Point], ring: Sequence[geometry.Point]) -> Ring:
    """A ring that goes around the first, over to the second where they are near, around it, and back."""
    points = shapely.points(ring)
    distances = [shapely.distance(shapely.Point(point), points) for point in outline]
    nearest = [int(row.argmin()) for row in distances]
    here = min(range(len(outline)), key=lambda number: distances[number][nearest[number]])
    there = nearest[here]
    turned = [*ring[there:], *ring[:there], ring[there]]
    return [*outline[: here + 1], *turned, *outline[here:]]
