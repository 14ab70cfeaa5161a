"""The box, area and rotation of an object, in pixels and degrees: what queries need of a geometry."""

from __future__ import annotations

import math

import msgspec

from airflow_provider_encord.exports.formats import geometry
from airflow_provider_encord.exports.formats.annotations import Annotation


class Extent(msgspec.Struct, frozen=True):
    """What an object covers; None for what its shape does not have.

    :param box: Left, top, width and height of the box around it.
    :param area: Pixels that it covers, without holes.
    :param rotation: Degrees clockwise.
    """

    box: geometry.Box | None = None
    area: float | None = None
    rotation: float | None = None


NO_EXTENT = Extent()


def extent_of(annotation: Annotation) -> Extent:
    """The extent of an object on an image whose size is known.

    :raises MalformedGeometryError: The geometry does not match the shape, or has no finite size.
    """
    if not (annotation.geometry and annotation.place.width and annotation.place.height):
        return NO_EXTENT
    box = geometry.box_of(annotation)
    with geometry.reading(annotation):
        extent = Extent(box, _area(annotation), _rotation(annotation))
        if not all(math.isfinite(number) for number in (*(box or ()), extent.area or 0.0, extent.rotation or 0.0)):
            raise ValueError("it has no finite size")
    return extent


def _area(annotation: Annotation) -> float | None:
    shapes = annotation.geometry
    if "bitmask" in shapes:
        return float(sum(end - start for start, end in geometry.runs_of(shapes["bitmask"])))
    if "boundingBox" in shapes or "rotatableBoundingBox" in shapes:
        return geometry.area_of(geometry.corners_of(annotation))
    if "circle" in shapes or "ellipse" in shapes:
        ellipse = geometry.ellipse_of(annotation)
        return math.pi * abs(ellipse.radius * ellipse.other_radius)
    if "polygon" in shapes or "polygons" in shapes:
        areas = [[geometry.area_of(ring) for ring in polygon] for polygon in geometry.rings_of(annotation)]
        return math.fsum(outline - math.fsum(holes) for outline, *holes in areas)
    return None


def _rotation(annotation: Annotation) -> float | None:
    for key in ("rotatableBoundingBox", "circle", "ellipse"):
        if key in annotation.geometry:
            return float(annotation.geometry[key].get("theta") or 0.0)
    return None
