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
    annotation: Annotation, size: tuple[int, int], *, crosses: bool = False
) -> tuple[Any, float, geometry.Box]:
    """Segmentation, area and box of an object. Circles and ellipses are polygons.

    :param size: Width and height of the image.
    :param crosses: It is one of `crossing_polygons`.
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
    if crosses and isinstance(segmentation, list):
        area = _pixels_in(segmentation, size)  # of crossing edges, the sum of what they go around may be anything
    return segmentation, area, box


def crossing_polygons(annotations: Sequence[Annotation]) -> frozenset[str]:
    """The hashes of polygons with one ring that crosses itself. All are looked at together, which is much quicker."""
    rings: dict[str, geometry.Ring] = {}
    for annotation in annotations:
        if annotation.shape == geometry.POLYGON:
            polygons = _rings_of(annotation)
            if len(polygons) == 1 and len(polygons[0]) == 1 and len(polygons[0][0]) >= _LEAST_CORNERS:
                rings[annotation.hash] = polygons[0][0]
    if not rings:
        return frozenset()
    points = numpy.array([point for ring in rings.values() for point in ring], dtype=float)
    numbers = numpy.repeat(numpy.arange(len(rings)), [len(ring) for ring in rings.values()])
    valid = shapely.is_valid(shapely.polygons(shapely.linearrings(points, indices=numbers)))
    return frozenset(hash_ for hash_, is_valid in zip(rings, valid, strict=True) if not is_valid)


def _rings_of(annotation: Annotation) -> list[list[geometry.Ring]]:
    try:
        with geometry.reading(annotation):
            return geometry.rings_of(annotation)
    except geometry.MalformedGeometryError:
        return []


def _pixels_in(segmentation: list[list[float]], size: tuple[int, int]) -> float:
    """The number of pixels in polygons, as readers of COCO draw them."""
    from pycocotools import mask

    return float(mask.area(mask.merge(mask.frPyObjects(segmentation, size[1], size[0]))))
