"""Checking labels against the ontology and the data unit, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_encord.prelabels.features import (
    GEOMETRY,
    Features,
    WrongLabelsError,
    answer_of,
    attribute_of,
)
from airflow_provider_encord.prelabels.labels import Labels

_WITHIN = ("boundingBox", "rotatableBoundingBox")
POINTS = ("polygon", "polyline", "point")
"""The keys of geometries that are points by number."""
_ROOM_TO_ROTATE = 0.5
_KEYS = {"rotatableBoundingBox": ("theta",), "bitmask": ("top", "left", "height", "width", "rleString")}
_LEAST_POINTS = {"polygon": 3, "polyline": 2, "point": 1}


def check_labels(labels: Labels, features: Features, frames: int | None, *, strict: bool) -> None:
    """Check labels against the ontology and the data unit.

    :param frames: Number of frames of the data unit; None if it is not known.
    :param strict: Also refuse coordinates slightly outside of the image, which Encord and its SDK accept in a label
        row.
    :raises WrongLabelsError: The labels do not match. The message names the object or classification.
    """
    for frame, drawn in labels.objects.items():
        _check_frame(frame, frames)
        _check_hashes(frame, drawn)
        for shape in drawn:
            feature = _own(features.object(shape.get("featureHash")), shape)
            if shape.get("shape") != feature["shape"]:
                wanted = feature["shape"]
                raise WrongLabelsError(
                    f"object {feature['name']!r}: its shape is {shape.get('shape')}, but in the ontology it is "
                    f"{wanted}."
                )
            _check_geometry(shape, feature, strict=strict)
    drawn_as = {shape["objectHash"]: shape["featureHash"] for drawn in labels.objects.values() for shape in drawn}
    for hash_, answer in labels.object_answers.items():
        if hash_ in drawn_as:
            _check_answers(features.object(drawn_as[hash_]), answer)
    for answer in labels.classification_answers.values():
        feature = _own(features.classification(answer.get("featureHash")), answer)
        if not answer.get("classifications"):
            raise WrongLabelsError(f"classification {answer.get('featureHash')!r}: it has no answer.")
        _check_answers(feature, answer)
        check_ranges(answer.get("range"), frames)


def _own(feature: Mapping[str, Any], label: Mapping[str, Any]) -> Mapping[str, Any]:
    """Check that a feature is referred to by its hash, because the hash is sent."""
    if feature["featureNodeHash"] != label.get("featureHash"):
        raise WrongLabelsError(
            f"featureHash: {str(label.get('featureHash'))[:80]!r} is a name. A label row must have the hash."
        )
    return feature


def _check_hashes(frame: int, drawn: list[dict[str, Any]]) -> None:
    hashes = [shape.get("objectHash") for shape in drawn]
    if not all(isinstance(hash_, str) and hash_ for hash_ in hashes):
        raise WrongLabelsError(f"objectHash: it is missing for an object on frame {frame}.")
    if len(set(hashes)) < len(hashes):
        raise WrongLabelsError(
            f"objects: two entries on frame {frame} are the same object. Remove one, or give each its own `id`."
        )


def check_ranges(ranges: Any, frames: int | None) -> None:
    """Check the frames of a classification.

    :param ranges: Pairs of a first and a last frame.
    :param frames: Number of frames of the data unit; None if it is not known.
    :raises WrongLabelsError: A pair is not valid.
    """
    for pair in ranges or ():
        whole = isinstance(pair, list) and len(pair) == 2 and all(type(number) is int for number in pair)
        if not whole or pair[0] > pair[1]:
            raise WrongLabelsError(f"frames: {str(pair)[:80]!r} is not a first and a last frame.")
        for frame in pair:
            _check_frame(frame, frames)


def _check_answers(feature: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    for given in answer.get("classifications") or ():
        answer_of(attribute_of(feature, given.get("featureHash")), given.get("answers"))


def _check_frame(frame: int, frames: int | None) -> None:
    if frame < 0 or (frames and frame >= frames):
        raise WrongLabelsError(f"frame: {frame} is not within the {frames or 'all'} frames of the data unit.")


def _check_geometry(object_: Mapping[str, Any], feature: Mapping[str, Any], *, strict: bool) -> None:
    key = GEOMETRY.get(feature["shape"])
    if key is None:
        return
    geometry = object_.get(key)
    if not isinstance(geometry, Mapping):
        raise WrongLabelsError(f"object {feature['name']!r}: {key} (the geometry of a {feature['shape']}) is missing.")
    _check_whole(key, geometry, feature["name"])
    for name, value in _fractions(key, geometry):
        # Before its rotation, a rotated box can be outside of the image.
        room = _ROOM_TO_ROTATE if key == "rotatableBoundingBox" and name in "xy" else 0
        if not is_number(value) or (strict and not -room <= value <= 1 + room):
            raise WrongLabelsError(
                f"object {feature['name']!r}: {key}.{name} is {str(value)[:40]!r}, which is not a fraction of the "
                "width or height, from 0 to 1."
            )


def _check_whole(key: str, geometry: Mapping[str, Any], name: str) -> None:
    lacking = [name for name in _KEYS.get(key, ()) if geometry.get(name) is None]
    if lacking:
        raise WrongLabelsError(f"object {name!r}: {key}.{lacking[0]} is missing.")
    if len(geometry) < _LEAST_POINTS.get(key, 0):
        raise WrongLabelsError(f"object {name!r}: {key} needs at least {_LEAST_POINTS[key]} points.")


def _fractions(key: str, geometry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if key in _WITHIN:
        for name in "xywh":
            yield name, geometry.get(name)
    elif key in POINTS:
        for number, point in geometry.items():
            found = point if isinstance(point, Mapping) else {}
            yield from ((f"{number}.{name}", found.get(name)) for name in "xy")


def is_number(value: Any) -> bool:
    """Whether a value is a number, and not a boolean."""
    return type(value) is float or (isinstance(value, int | float) and not isinstance(value, bool))
