"""Segmentations as COCO has them, of all shapes that have a region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
import shapely

from airflow_provider_encord.exports.formats import geometry
from airflow_provider_encord.exports.formats.annotations import Annotation
from airflow_provider_encord.exports.formats.coco import segmentation_of
from airflow_provider_encord.training.outlines import ROUND, outline_of
from airflow_provider_encord.training.reasons import NotExpressibleError
from airflow_provider_encord.training.samples import Sample

_LEAST_CORNERS = 3
NO_SIZE = "the size of the image is not known"


def require_size(sample: Sample) -> tuple[int, int]:
    """Width and height of the image.

    :raises NotExpressibleError: Encord does not state them.
    """
    if sample.size is None:
        raise NotExpressibleError(NO_SIZE)
    return sample.size


def segmentation_in(
    annotation: Annotation, size: tuple[int, int], *, pixels: float | None = None
) -> tuple[Any, float, geometry.Box]:
    """Segmentation, area and box of an object. Circles and ellipses are polygons.

    :param size: Width and height of the image.
    :param pixels: Its area, if it is a polygon that crosses itself; see `pixels_of_crossing`.
    :raises NotExpressibleError: It has no region, or is malformed.
    """
    if annotation.shape in ROUND:
        ring = outline_of(annotation, size)
        return [[round(number, 3) for point in ring for number in point]], geometry.area_of(ring), geometry.around(ring)
    try:
        found = segmentation_of(annotation)
    except geometry.MalformedGeometryError:
        raise NotExpressibleError(geometry.MALFORMED) from None
    if found is None:
        raise NotExpressibleError(f"{annotation.shape} without a region")
    segmentation, area, box = found
    return segmentation, area if pixels is None else pixels, box


def pixels_of_crossing(annotations: Sequence[Annotation], size: tuple[int, int]) -> list[float | None]:
    """For each object, the number of its pixels if it is a polygon with one ring that crosses itself; None for others.

    Of crossing edges, the sum of what they go around may be anything, so their pixels are counted as readers of COCO
    draw them. All polygons of an image are looked at together, which is much quicker.
    """
    pixels: list[float | None] = [None] * len(annotations)
    rings = {number: ring for number, one in enumerate(annotations) if (ring := _single_ring(one)) is not None}
    if not rings:
        return pixels
    points = numpy.array([point for ring in rings.values() for point in ring], dtype=float)
    numbers = numpy.repeat(numpy.arange(len(rings)), [len(ring) for ring in rings.values()])
    valid = shapely.is_valid(shapely.polygons(shapely.linearrings(points, indices=numbers)))
    crossing = [number for number, is_valid in zip(rings, valid, strict=True) if not is_valid]
    if crossing:
        flat = [[round(coordinate, 3) for point in rings[number] for coordinate in point] for number in crossing]
        for number, area in zip(crossing, pixels_of_outlines(flat, size), strict=True):
            pixels[number] = area
    return pixels


def pixels_of_outlines(outlines: Sequence[list[float]], size: tuple[int, int]) -> list[float]:
    """How many pixels readers of COCO draw for each outline.

    :param outlines: Their coordinates, rounded.
    :param size: Width and height of the image.
    """
    from pycocotools import mask

    areas: list[float] = mask.area(mask.frPyObjects(outlines, size[1], size[0])).astype(float).tolist()
    return areas


def _single_ring(annotation: Annotation) -> geometry.Ring | None:
    """The ring of a polygon that has only one; None for other objects."""
    if annotation.shape != geometry.POLYGON:
        return None
    try:
        with geometry.reading(annotation):
            polygons = geometry.rings_of(annotation)
            geometry.require_near(polygons)
    except geometry.MalformedGeometryError:
        return None
    single = len(polygons) == 1 and len(polygons[0]) == 1 and len(polygons[0][0]) >= _LEAST_CORNERS
    return polygons[0][0] if single else None
