"""Keypoints as skeletons of the ontology."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.forms.scale import Scale
from airflow_provider_encord.prelabels.forms.shapes import numbered

_SEEN: Mapping[float, str] = {0: "invisible", 1: "occluded"}


class Keypoint(msgspec.Struct, frozen=True, gc=False):
    """A point of a skeleton.

    :param visibility: As in COCO: 0 is not labelled, 1 is hidden, 2 is visible. A model's confidence counts as visible.
    """

    x: float
    y: float
    visibility: float = 2


def keypoints(flat: Sequence[float], dimensions: int) -> list[Keypoint]:
    """Keypoints from a flat list of numbers.

    :param dimensions: Numbers per keypoint: 3, or 2 without visibility.
    :raises WrongLabelsError: The last keypoint is not complete.
    """
    if not flat or len(flat) % dimensions:
        raise WrongLabelsError(f"keypoints: {len(flat)} numbers are not keypoints of {dimensions} numbers each")
    return [Keypoint(*flat[start : start + dimensions]) for start in range(0, len(flat), dimensions)]


def skeleton(
    scale: Scale, template: Mapping[str, Any] | None, points: Sequence[Keypoint], names: Sequence[str] | None
) -> dict[str, Any]:
    """A skeleton with the points of its template.

    :param template: The template of the feature; None if the ontology has none.
    :param names: Names of the points; None if they are in the order of the template.
    :raises WrongLabelsError: The points are not those of the template.
    """
    if template is None:
        raise WrongLabelsError("the ontology has no template for this skeleton; add one")
    wanted = [point for _, point in sorted(template["skeleton"].items(), key=lambda pair: int(pair[0]))]
    if len(wanted) != len(points):
        raise WrongLabelsError(f"it has {len(points)} keypoints, but the skeleton of the ontology has {len(wanted)}")
    by_name = {_plain(name): point for name, point in zip(names or (), points, strict=False)}
    if names is not None and set(by_name) != {_plain(point["name"]) for point in wanted}:
        known = ", ".join(point["name"] for point in wanted)
        raise WrongLabelsError(f"its keypoints have other names than the skeleton of the ontology, which has {known}")
    ordered = points if names is None else [by_name[_plain(point["name"])] for point in wanted]
    return {"skeleton": numbered([_drawn(scale, *pair) for pair in zip(wanted, ordered, strict=True)])}


def _drawn(scale: Scale, wanted: Mapping[str, Any], point: Keypoint) -> dict[str, Any]:
    copied = {key: wanted[key] for key in ("name", "color", "value", "featureHash") if wanted.get(key)}
    seen = _SEEN.get(point.visibility, "visible")
    return {**scale.point(point.x, point.y), **copied, "visibility": seen}


def _plain(name: str) -> str:
    return name.lower().replace(" ", "_").replace("-", "_")
