"""What objects cover of an image, and how much two of them overlap; needs the extra ``quality``.

Regions are exact: Shapely computes with the corners of boxes and polygons, in pixels and without a grid. Circles and
ellipses are polygons of `_SIDES` sides, which have 0.01 % less area. A bitmask is its runs of pixels. So memory depends
on corners and runs, and not on the size of the image.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy
import shapely

from airflow_provider_encord.exports.formats import geometry
from airflow_provider_encord.exports.formats.annotations import Annotation

_SIDES = 256
_STRIDE = 2**24  # from one row of pixels to the next, in the numbers of pixels: wider than all images
_BOXES_AT_ONCE = 10_000
_STEPS = 0.1  # between the points of a line that are looked at, as a share of a segment

Bounds: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom."""


@dataclasses.dataclass(frozen=True, slots=True)
class Shape:
    """What an object covers.

    :param outline: As a geometry of Shapely; of a bitmask, its bounding box.
    :param area: In pixels; 0 for points and lines.
    :param runs: First pixel of each run of a bitmask, and the pixel after its last, by number; None for other shapes.
    :param keypoints: The points of a skeleton by name; None for other shapes.
    """

    outline: Any
    area: float
    bounds: Bounds
    runs: tuple[Any, Any] | None = None
    keypoints: Mapping[str, geometry.Point] | None = None


def shape_of(annotation: Annotation) -> Shape | None:
    """The shape of an object; None if it is not one that can be compared, or if its geometry is malformed."""
    key = next((key for key in _READERS if annotation.geometry.get(key)), None)
    if key is None:
        return None
    try:
        with geometry.reading(annotation):
            return _READERS[key](annotation)
    except (geometry.MalformedGeometryError, shapely.errors.ShapelyError):
        return None


def iou(one: Shape, other: Shape, at_least: float = 0.0) -> float:
    """Intersection over union of two shapes that have an area.

    :param at_least: Overlaps that are certainly smaller may be returned as 0, without computing them.
    """
    width = min(one.bounds[2], other.bounds[2]) - max(one.bounds[0], other.bounds[0])
    height = min(one.bounds[3], other.bounds[3]) - max(one.bounds[1], other.bounds[1])
    if width <= 0 or height <= 0 or width * height < at_least * max(one.area, other.area):
        return 0.0
    common = _common_area(one, other)
    return min(1.0, common / (one.area + other.area - common))


def distance(one: Shape, other: Shape) -> float:
    """How far two shapes are apart at most, in pixels.

    Of two skeletons, the largest distance between points of the same name; infinite if they have other points. Of other
    shapes, the Hausdorff distance of their outlines.
    """
    if one.keypoints is None or other.keypoints is None:
        with numpy.errstate(invalid="ignore"):  # older versions warn about segments without a length
            return float(shapely.hausdorff_distance(one.outline, other.outline, densify=_STEPS))
    if one.keypoints.keys() != other.keypoints.keys():
        return math.inf
    return max(math.dist(point, other.keypoints[name]) for name, point in one.keypoints.items())


def _common_area(one: Shape, other: Shape) -> float:
    if one.runs is None and other.runs is None:
        return float(shapely.intersection(one.outline, other.outline).area)
    if one.runs is not None and other.runs is not None:
        return _common_pixels(one.runs, other.runs)
    mask, region = (one, other) if one.runs is not None else (other, one)
    return _pixels_inside(mask.runs, region)


def _common_pixels(one: tuple[Any, Any], other: tuple[Any, Any]) -> float:
    """For each run of the one mask: how many pixels of the other mask are before its end, and not before its start."""
    starts, ends = other
    edges = numpy.stack([starts, ends], axis=1).ravel()
    before = numpy.concatenate([[0], numpy.repeat(numpy.cumsum(ends - starts), 2)[:-1]])
    counts = numpy.interp(one[1], edges, before) - numpy.interp(one[0], edges, before)
    return float(counts.sum())


def _pixels_inside(runs: Any, region: Shape) -> float:
    """The area of the pixels of a mask that is inside of a region."""
    starts, ends = runs
    left, top, right, bottom = region.bounds
    rows = starts // _STRIDE
    first, last = starts % _STRIDE, starts % _STRIDE + ends - starts
    near = (rows < bottom) & (rows + 1 > top) & (first < right) & (last > left)
    rows, first, last = rows[near], first[near], last[near]
    area = 0.0
    for number in range(0, len(rows), _BOXES_AT_ONCE):
        part = slice(number, number + _BOXES_AT_ONCE)
        boxes = shapely.box(first[part], rows[part], last[part], rows[part] + 1)
        area += shapely.intersection(region.outline, shapely.union_all(boxes)).area
    return float(area)


def _region(region: Any) -> Shape:
    return Shape(outline=region, area=float(region.area), bounds=_bounds(region))


def _bounds(outline: Any) -> Bounds:
    left, top, right, bottom = map(float, outline.bounds)
    return (left, top, right, bottom)


def _checked(points: Iterable[geometry.Point]) -> geometry.Ring:
    found = list(points)
    if not found:
        raise ValueError("it has no points")
    if not all(abs(number) <= geometry.LARGEST for point in found for number in point):  # also NaN
        raise ValueError("a point is not in an image")
    return found


def _line(points: Sequence[geometry.Point]) -> Shape:
    """Points in order; one of them is a point."""
    found = _checked(points)
    outline = shapely.LineString(found) if len(found) > 1 else shapely.Point(found[0])
    return Shape(outline=outline, area=0.0, bounds=_bounds(outline))


def _filled(ring: Sequence[geometry.Point]) -> Any:
    """What is inside of an outline. Where it crosses itself, parts that it goes around twice are outside."""
    found = _checked(ring)
    polygon = shapely.make_valid(shapely.Polygon(found)) if len(found) >= 3 else shapely.Polygon()
    return polygon.buffer(0)  # without the lines and points that are left of crossing edges


def _polygon(annotation: Annotation) -> Shape:
    polygons = [polygon for polygon in geometry.rings_of(annotation) if polygon and polygon[0]]
    parts = [
        shapely.difference(_filled(outline), shapely.union_all([_filled(hole) for hole in holes if hole]))
        for outline, *holes in polygons
    ]
    region = shapely.union_all(parts)
    return _region(region) if region.area > 0 else _line([point for polygon in polygons for point in polygon[0]])


def _box(annotation: Annotation) -> Shape:
    corners = _checked(geometry.corners_of(annotation))
    region = shapely.Polygon(corners)
    return _region(region) if region.area > 0 else _line(corners)


def _round(annotation: Annotation) -> Shape:
    """A circle or an ellipse; its rotation is that of a box. The radius of a circle is a share of the width."""
    width, height = geometry.size_of(annotation)
    about: Mapping[str, Any] = annotation.geometry.get("circle") or annotation.geometry["ellipse"]
    if "r" in about:
        across = about["r"] * width
        down = across * (1.0 if about.get("stretch") is None else about["stretch"])
    else:
        across, down = about["rx"] * width, about["ry"] * height
    turn = math.radians(about.get("theta") or 0.0)
    angles = [2 * math.pi * side / _SIDES for side in range(_SIDES)]
    offsets = [(across * math.cos(angle), down * math.sin(angle)) for angle in angles]
    cosine, sine, x, y = math.cos(turn), math.sin(turn), about["x"] * width, about["y"] * height
    region = shapely.Polygon(_checked((x + a * cosine - b * sine, y + a * sine + b * cosine) for a, b in offsets))
    if not region.area > 0:
        raise ValueError("it has no area")
    return _region(region)


def _bitmask(annotation: Annotation) -> Shape:
    mask: Mapping[str, Any] = annotation.geometry["bitmask"]
    top, left, height, width = (int(mask[key]) for key in ("top", "left", "height", "width"))
    if not annotation.place.width or min(top, left) < 0 or max(top + height, left + width) > geometry.LARGEST:
        raise ValueError("it is not in an image of a known size")
    whole = numpy.array(geometry.runs_of(mask), dtype=numpy.int64).reshape(-1, 2)
    first, last = whole[:, 0] // width, (whole[:, 1] - 1) // width
    rows = last - first + 1  # of each run
    row = numpy.repeat(first - numpy.concatenate([[0], numpy.cumsum(rows)[:-1]]), rows) + numpy.arange(rows.sum())
    starts = numpy.maximum(numpy.repeat(whole[:, 0], rows), row * width) - row * width
    ends = numpy.minimum(numpy.repeat(whole[:, 1], rows), (row + 1) * width) - row * width
    if not len(row):
        raise ValueError("it has no pixels")
    bounds = (
        *(float(left + starts.min()), float(top + row[0])),
        *(float(left + ends.max()), float(top + row[-1] + 1)),
    )
    numbers = (top + row) * _STRIDE + left
    return Shape(
        outline=shapely.box(*bounds),
        area=float((ends - starts).sum()),
        bounds=bounds,
        runs=(numbers + starts, numbers + ends),
    )


def _points(annotation: Annotation) -> Shape:
    """A point, a polyline or a skeleton."""
    key = next(key for key in ("polyline", "point", "skeleton") if annotation.geometry.get(key))
    given: Mapping[str, Mapping[str, Any]] = annotation.geometry[key]
    if any("z" in point for point in given.values()):
        raise ValueError("it is not in an image")
    width, height = geometry.size_of(annotation)
    points = {number: (point["x"] * width, point["y"] * height) for number, point in given.items()}
    shape = _line([points[number] for number in sorted(points, key=int)])
    if key != "skeleton":
        return shape
    names = {number: str(point.get("name") or number) for number, point in given.items()}
    unique = len({*names.values()}) == len(names)
    return dataclasses.replace(
        shape, keypoints={names[number] if unique else number: point for number, point in points.items()}
    )


_READERS: Mapping[str, Callable[[Annotation], Shape]] = {
    "rotatableBoundingBox": _box,
    "boundingBox": _box,
    "polygons": _polygon,
    "polygon": _polygon,
    "bitmask": _bitmask,
    "circle": _round,
    "ellipse": _round,
    "polyline": _points,
    "point": _points,
    "skeleton": _points,
}
