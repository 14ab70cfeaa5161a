"""Boxes and polygons of several images as COCO has them, computed together: most objects are of these shapes.

Computed one object after the other, they take most of the time of a training set. Here the points of all objects are in
one array. The numbers are those that `segmentations.segmentation_in` gives, to the last bit, so it does not show in a
file how an object was computed. What is unusual (rotated boxes, holes, several parts, numbers that are none) is left to
that function.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy
import shapely

from airflow_provider_encord.exports.formats import geometry
from airflow_provider_encord.exports.formats.annotations import Annotation
from airflow_provider_encord.training.forms.segmentations import pixels_of_outlines
from airflow_provider_encord.training.samples import Sample

_DIGITS = 3
_SCALE = 10**_DIGITS
_NEAR_HALF = 1e-6
_MOST_SCALED = 1e9  # up to here, the product of a number and the scale is off by less than 1e-7
_LEAST_NUMBERS = 6  # of a polygon: three points
_CORNERS = 4
_SIDES = ("x", "y", "w", "h")
_FAR = 4.0  # images; of those that Encord takes, this is less than `geometry.LARGEST`

_Key: TypeAlias = tuple[int, int]


class Drawn(NamedTuple):
    """An object as COCO has it, its numbers rounded.

    :param area: Of a polygon that crosses itself, the number of its pixels.
    :param bbox: The part of its box that is inside of the image.
    :param side: The smaller side of that, not rounded.
    """

    segmentation: list[list[float]]
    area: float
    bbox: list[float]
    side: float


class _Rings:
    """The outlines of objects, one after the other.

    :param keys: The number of the sample, and of the object in it.
    :param points: An array with a row for each point.
    :param lengths: The number of points of each outline.
    :param images: An array with a row for each outline: width and height of the image.
    """

    def __init__(self, keys: Sequence[_Key], points: Any, lengths: Sequence[int], images: Any):
        self.keys, self._points, self._images = keys, points, images
        self._counts = numpy.array(lengths)
        self._ends = numpy.cumsum(self._counts)
        self._starts = self._ends - self._counts
        flat, places = rounded(points.ravel()), pairwise([0, *self._ends.tolist()])
        self.numbers = [flat[2 * start : 2 * end] for start, end in places]
        """The rounded coordinates of each outline."""

    def areas(self) -> list[float]:
        """The area inside of each outline, as `geometry.area_of` computes it."""
        x, y = self._points[:, 0], self._points[:, 1]
        following = numpy.arange(1, len(self._points) + 1)
        following[self._ends - 1] = self._starts
        products = (x * y[following] - x[following] * y).tolist()
        # Newer Pythons add floats more exactly than numpy does, so it is Python that adds here, too.
        return [abs(sum(products[start:end])) / 2 for start, end in pairwise([0, *self._ends.tolist()])]

    def boxes(self) -> Any:
        """Left, top, width and height of the part of each box that is inside of the image, as `outlines.clipped`."""
        least = numpy.minimum.reduceat(self._points, self._starts)
        sizes = numpy.maximum.reduceat(self._points, self._starts) - least
        far = numpy.minimum(self._images, least + sizes)
        near = numpy.maximum(least, 0.0) + 0.0  # without this, the zero could be a negative one
        return numpy.hstack([near, far - near])

    def draw(self, areas: Sequence[float], found: list[list[Drawn | None]]) -> None:
        """Note all objects of which something can be seen. What is wrong with the others is said elsewhere."""
        boxes = self.boxes()
        flat, sides = rounded(boxes.ravel()), boxes[:, 2:].min(axis=1).tolist()
        about = zip(self.keys, self.numbers, areas, rounded(numpy.array(areas)), sides, strict=True)
        for place, ((sample, number), numbers, area, short, side) in enumerate(about):
            if area > 0 and side > 0:
                found[sample][number] = Drawn([numbers], short, flat[4 * place : 4 * place + 4], side)

    def crossing(self) -> list[int]:
        """The numbers of the outlines that cross themselves."""
        numbers = numpy.repeat(numpy.arange(len(self._counts)), self._counts)
        valid = shapely.is_valid(shapely.polygons(shapely.linearrings(self._points, indices=numbers)))
        found: list[int] = numpy.flatnonzero(~valid).tolist()
        return found


def drawn_of(samples: Sequence[Sample]) -> list[list[Drawn | None]]:
    """The objects of each sample; None for those that are not computed here."""
    found: list[list[Drawn | None]] = [[None] * len(sample.objects) for sample in samples]
    sides: dict[_Key, Sequence[float]] = {}
    outlines: dict[_Key, Sequence[float]] = {}
    for number, sample in enumerate(samples):
        for place, annotation in enumerate(sample.objects if sample.size else ()):
            if (box := _sides_of(annotation)) is not None:
                sides[number, place] = box
            elif (outline := _outline_of(annotation)) is not None:
                outlines[number, place] = outline
    sizes = [sample.size or (0, 0) for sample in samples]
    if sides:
        boxes = _corners_of(sides, sizes)
        boxes.draw(boxes.areas(), found)
    if outlines:
        polygons = _rings_of(outlines, sizes)
        polygons.draw(_areas_of(polygons, sizes), found)
    return found


def rounded(numbers: Any) -> list[float]:
    """Numbers of an array with three digits after the point: what Python's `round` gives.

    That rounds the exact number, which no product with 1000 has. So numbers that may be half-way are left to it.
    """
    scaled = numbers * _SCALE
    nearest = numpy.rint(scaled)
    found: list[float] = (nearest / _SCALE).tolist()
    unsure = (numpy.abs(numpy.abs(scaled - nearest) - 0.5) < _NEAR_HALF) | ~(numpy.abs(scaled) < _MOST_SCALED)
    for place in numpy.flatnonzero(unsure).tolist():
        found[place] = round(float(numbers[place]), _DIGITS)
    return found


def _sides_of(annotation: Annotation) -> tuple[float, ...] | None:
    """Left, top, width and height of an upright box, as fractions of the image; None for others."""
    if annotation.shape not in (geometry.BOUNDING_BOX, geometry.ROTATABLE_BOUNDING_BOX):
        return None
    about = annotation.geometry
    box = about.get("rotatableBoundingBox") or about.get("boundingBox")
    if not isinstance(box, Mapping) or box.get("theta"):
        return None
    sides: tuple[Any, ...] = tuple(box.get(side) for side in _SIDES)
    return sides if _are_usual(sides) else None


def _outline_of(annotation: Annotation) -> Sequence[float] | None:
    """The coordinates of a polygon with a single outline, as fractions of the image; None for others."""
    if annotation.shape != geometry.POLYGON:
        return None
    polygons = annotation.geometry.get("polygons")
    if not (type(polygons) is list and len(polygons) == 1 and type(polygons[0]) is list and len(polygons[0]) == 1):
        return None
    outline = polygons[0][0]
    is_usual = type(outline) is list and len(outline) >= _LEAST_NUMBERS and len(outline) % 2 == 0
    return outline if is_usual and _are_usual(outline) else None


def _are_usual(numbers: Sequence[Any]) -> bool:
    """Whether all of some values are floats (integers are written in another way), and some images away at most."""
    return {*map(type, numbers)} == {float} and max(map(abs, numbers)) < _FAR and math.isfinite(sum(numbers))


def _corners_of(sides: Mapping[_Key, Sequence[float]], sizes: Sequence[tuple[int, int]]) -> _Rings:
    """The corners of boxes, as `geometry.corners_of` computes them."""
    images = _images_of(sides, sizes)
    fractions = numpy.array([*sides.values()])
    starts, halves = fractions[:, :2] * images, fractions[:, 2:] * images / 2
    centres = starts + halves
    near, far = centres - halves, centres + halves
    points = numpy.empty((len(sides), _CORNERS, 2))
    for corner, (across, down) in enumerate(((near, near), (far, near), (far, far), (near, far))):
        points[:, corner, 0], points[:, corner, 1] = across[:, 0], down[:, 1]
    return _Rings([*sides], points.reshape(-1, 2), [_CORNERS] * len(sides), images)


def _rings_of(outlines: Mapping[_Key, Sequence[float]], sizes: Sequence[tuple[int, int]]) -> _Rings:
    """The points of outlines, as `geometry.rings_of` computes them."""
    images = _images_of(outlines, sizes)
    fractions = numpy.array([*chain.from_iterable(outlines.values())]).reshape(-1, 2)
    lengths = [len(outline) // 2 for outline in outlines.values()]
    return _Rings([*outlines], fractions * numpy.repeat(images, lengths, axis=0), lengths, images)


def _images_of(keys: Iterable[_Key], sizes: Sequence[tuple[int, int]]) -> Any:
    return numpy.array([sizes[sample] for sample, _ in keys], dtype=float)


def _areas_of(polygons: _Rings, sizes: Sequence[tuple[int, int]]) -> list[float]:
    """Of crossing edges, the sum of what they go around may be anything, so their pixels are counted."""
    areas = polygons.areas()
    crossing: dict[tuple[int, int], list[int]] = {}
    for number in polygons.crossing():
        crossing.setdefault(sizes[polygons.keys[number][0]], []).append(number)
    for size, numbers in crossing.items():
        pixels = pixels_of_outlines([polygons.numbers[number] for number in numbers], size)
        for number, area in zip(numbers, pixels, strict=True):
            areas[number] = area
    return areas
