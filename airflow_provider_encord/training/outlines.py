"""What the label files of training say of an object: a box, a rotated box, an outline; in pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy
import shapely

from airflow_provider_encord.exports.formats import geometry
from airflow_provider_encord.exports.formats.annotations import Annotation
from airflow_provider_encord.exports.formats.shapes import Shape, shape_of
from airflow_provider_encord.training import skeletons
from airflow_provider_encord.training.reasons import NotExpressibleError

_STRIDE = 2**24  # see `shapes`
_LEAST_CORNERS = 3
_ROUNDING = 1e-6  # pixels
_DISTANCES_AT_ONCE = 10**6
SKELETON = "skeleton"
ROUND = ("circle", "ellipse")
_WITH_BOX = ("bounding_box", "rotatable_bounding_box", "polygon", "bitmask")

Ring = list[geometry.Point]


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
    box = _box(annotation)
    if annotation.shape not in (geometry.BOUNDING_BOX, geometry.BITMASK, SKELETON) and _overflows(box, size):
        left, top, right, bottom = _visible(annotation, size).bounds
        box = (left, top, right - left, bottom - top)
    return clipped(box, size)


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
    if annotation.shape == SKELETON:
        return skeletons.box_of(skeletons.keypoints_of(annotation))
    if annotation.shape in ROUND:
        left, top, right, bottom = region_of(annotation).bounds
        return left, top, right - left, bottom - top
    if annotation.shape not in _WITH_BOX:
        raise NotExpressibleError(f"{annotation.shape} without an area")
    try:
        _require_in_image(annotation)
        box = geometry.box_of(annotation)
    except geometry.MalformedGeometryError:
        box = None
    if box is None:
        raise NotExpressibleError(geometry.MALFORMED)
    return box


def _require_in_image(annotation: Annotation) -> None:
    """Check that a bitmask starts in the image, as forms with masks do. Its pixels would be at wrong places.

    :raises MalformedGeometryError: It does not, or it has no pixels.
    """
    if annotation.shape == geometry.BITMASK:
        with geometry.reading(annotation):
            mask = annotation.geometry["bitmask"]
            if min(mask["top"], mask["left"]) < 0 or min(mask["width"], mask["height"]) <= 0:
                raise ValueError("it starts outside of the image, or has no pixels")


def rotated_corners(annotation: Annotation, size: tuple[int, int]) -> Ring:
    """The corners of the smallest rotated box around the visible part of an object; of a box inside the image, its own.

    The upright box of the visible part is taken if the corners of the rotated one would be outside of the image.

    :raises NotExpressibleError: It has no area.
    """
    if annotation.shape in (geometry.BOUNDING_BOX, geometry.ROTATABLE_BOUNDING_BOX):
        corners = _corners(annotation)
        if _inside(corners, size):
            return corners
    visible = _visible(annotation, size)
    around = shapely.minimum_rotated_rectangle(visible)
    corners = [(float(x), float(y)) for x, y in around.exterior.coords[:-1]]
    if _inside(corners, size):
        return corners
    left, top, right, bottom = map(float, visible.bounds)
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


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
    visible = _visible(annotation, size)
    polygons = [part for part in getattr(visible, "geoms", [visible]) if part.geom_type == "Polygon" and part.area > 0]
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
    return ring if _inside(ring, size) and shapely.Polygon(ring).is_valid else None


def _visible(annotation: Annotation, size: tuple[int, int]) -> Any:
    """The part of an object's region that is inside of the image.

    :raises NotExpressibleError: It has no area.
    """
    shape = region_of(annotation)
    region = _of_runs(shape) if shape.runs is not None else shape.outline
    visible = shapely.intersection(region, shapely.box(0, 0, *size))
    if not visible.area > 0:
        raise NotExpressibleError("it covers nothing of the image")
    return visible


def _corners(annotation: Annotation) -> Ring:
    try:
        with geometry.reading(annotation):
            return geometry.corners_of(annotation)
    except geometry.MalformedGeometryError:
        raise NotExpressibleError(geometry.MALFORMED) from None


def _inside(points: Sequence[geometry.Point], size: tuple[int, int]) -> bool:
    return all(-_ROUNDING <= x <= size[0] + _ROUNDING and -_ROUNDING <= y <= size[1] + _ROUNDING for x, y in points)


def _overflows(box: geometry.Box, size: tuple[int, int]) -> bool:
    left, top, width, height = box
    return not _inside([(left, top), (left + width, top + height)], size)


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
    here, there = _nearest(numpy.asarray(outline), numpy.asarray(ring))
    turned = [*ring[there:], *ring[:there], ring[there]]
    return [*outline[: here + 1], *turned, *outline[here:]]


def _nearest(points: Any, others: Any) -> tuple[int, int]:
    """The numbers of the two points that are nearest to each other."""
    best = (math.inf, 0, 0)
    step = max(1, _DISTANCES_AT_ONCE // len(others))
    for start in range(0, len(points), step):
        distances = ((points[start : start + step, None, :] - others[None, :, :]) ** 2).sum(axis=2)
        place = int(distances.argmin())
        here, there = divmod(place, len(others))
        best = min(best, (float(distances.flat[place]), start + here, there))
    return best[1], best[2]
