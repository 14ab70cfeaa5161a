"""Segmentations as COCO has them, of all shapes that have a region."""

from __future__ import annotations

from typing import Any

from airflow_provider_encord.exports.formats import geometry
from airflow_provider_encord.exports.formats.annotations import Annotation
from airflow_provider_encord.exports.formats.coco import segmentation_of
from airflow_provider_encord.training.outlines import ROUND, is_simple, outline_of
from airflow_provider_encord.training.reasons import NotExpressibleError
from airflow_provider_encord.training.samples import Sample

NO_SIZE = "the size of the image is not known"


def require_size(sample: Sample) -> tuple[int, int]:
    """Width and height of the image.

    :raises NotExpressibleError: Encord does not state them.
    """
    if sample.size is None:
        raise NotExpressibleError(NO_SIZE)
    return sample.size


def segmentation_in(annotation: Annotation, size: tuple[int, int]) -> tuple[Any, float, geometry.Box]:
    """Segmentation, area and box of an object. Circles and ellipses are polygons.

    :param size: Width and height of the image.
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
    if annotation.shape == geometry.POLYGON and isinstance(segmentation, list) and not is_simple(annotation):
        area = _pixels_in(segmentation, size)  # of crossing edges, the sum of what they go around may be anything
    if not area > 0:
        raise NotExpressibleError("it covers nothing of the image")
    return segmentation, area, box


def _pixels_in(segmentation: list[list[float]], size: tuple[int, int]) -> float:
    """The number of pixels in polygons, as readers of COCO draw them."""
    from pycocotools import mask

    return float(mask.area(mask.merge(mask.frPyObjects(segmentation, size[1], size[0]))))
