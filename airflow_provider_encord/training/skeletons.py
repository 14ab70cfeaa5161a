"""Skeletons: the points of the ontology's templates, and those of a label in the order of its template.

A label names its points by feature hash and name; their numbers say nothing, as the vendor's SDK writes them in the
order in which they were given. Whether a point can be seen is a word (``visibility``) or, as the SDK reads it, a flag.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.exports.formats import geometry
from airflow_provider_encord.exports.formats.annotations import Annotation
from airflow_provider_encord.exports.formats.answers import mappings
from airflow_provider_encord.training.reasons import NotExpressibleError

VISIBLE, OCCLUDED, INVISIBLE = 2, 1, 0
"""How COCO and YOLO write whether a keypoint can be seen."""
_WORDS = {"visible": VISIBLE, "occluded": OCCLUDED, "selfOccluded": OCCLUDED, "invisible": INVISIBLE}
_FLAGS = ("invisible", "occluded", "selfOccluded")
_SKELETON = "skeleton"

Keypoint = tuple[float, float, int]
"""Place in pixels, and how visible it is; zeros for a point that is not there."""
_NOTHING: Keypoint = (0.0, 0.0, INVISIBLE)


class TemplatePoint(msgspec.Struct, frozen=True):
    """A point of a template."""

    feature_hash: str | None
    name: str | None


class Templates:
    """The skeletons of an ontology.

    :param structure: Structure of the ontology.
    """

    def __init__(self, structure: Mapping[str, Any]):
        by_hash: dict[str, list[TemplatePoint]] = {}
        by_name: dict[str, list[TemplatePoint]] = {}
        for template in _templates(structure):
            points = _points(template)
            if template.get("feature_node_hash"):
                by_hash[str(template["feature_node_hash"])] = points
            by_name[str(template.get("name"))] = points
        self._points: dict[str, list[TemplatePoint]] = {}
        for object_ in mappings(structure.get("objects")):
            hash_, name = str(object_.get("featureNodeHash")), str(object_.get("name"))
            found = by_hash.get(hash_) or by_name.get(name)
            if object_.get("shape") == _SKELETON and found:
                self._points[hash_] = found

    def of(self, feature_hash: str | None) -> Sequence[TemplatePoint] | None:
        """The points of an object, in order; None if no template is known."""
        return self._points.get(feature_hash or "")


def keypoints_of(annotation: Annotation, template: Sequence[TemplatePoint] | None = None) -> list[Keypoint]:
    """The points of a skeleton in the order of its template, or else in that of their numbers.

    :raises NotExpressibleError: It is not a skeleton, or malformed.
    """
    points = annotation.geometry.get(_SKELETON)
    if not isinstance(points, Mapping) or not points:
        raise NotExpressibleError(f"{annotation.shape} without keypoints")
    try:
        with geometry.reading(annotation):
            given = [points[number] for number in sorted(points, key=int)]
            size = geometry.size_of(annotation)
            if template is None:
                return [_keypoint(point, size) for point in given]
            return [_keypoint(point, size) if point else _NOTHING for point in _in_order(given, template)]
    except geometry.MalformedGeometryError:
        raise NotExpressibleError(geometry.MALFORMED) from None


def box_of(keypoints: Sequence[Keypoint]) -> geometry.Box:
    """The box around the points that are there.

    :raises NotExpressibleError: No point is.
    """
    seen = [(x, y) for x, y, visibility in keypoints if visibility != INVISIBLE]
    if not seen:
        raise NotExpressibleError("no keypoint is visible")
    return geometry.around(seen)


def _in_order(
    given: Sequence[Mapping[str, Any]], template: Sequence[TemplatePoint]
) -> Iterator[Mapping[str, Any] | None]:
    by_hash = {point.get("featureHash"): point for point in given if point.get("featureHash")}
    by_name = {point.get("name"): point for point in given if point.get("name")}
    anonymous = not by_hash and not by_name
    for number, wanted in enumerate(template):
        if anonymous:
            yield given[number] if number < len(given) else None
        else:
            yield by_hash.get(wanted.feature_hash) or by_name.get(wanted.name)


def _keypoint(point: Mapping[str, Any], size: tuple[float, float]) -> Keypoint:
    x, y = float(point["x"]) * size[0], float(point["y"]) * size[1]
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError("a point is not in an image")
    seen = _visibility(point)
    return (x, y, seen) if seen != INVISIBLE else _NOTHING


def _visibility(point: Mapping[str, Any]) -> int:
    flag = next((flag for flag in _FLAGS if point.get(flag) is True), None)
    return _WORDS.get(flag or str(point.get("visibility") or "visible"), VISIBLE)


def _templates(structure: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for entry in mappings(structure.get("skeleton_templates")):
        yield from mappings([entry.get("template")])


def _points(template: Mapping[str, Any]) -> list[TemplatePoint]:
    points: Mapping[str, Any] = template.get(_SKELETON) or {}
    return [
        TemplatePoint(points[number].get("featureHash"), points[number].get("name"))
        for number in sorted(points, key=int)
    ]
