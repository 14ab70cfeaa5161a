"""Labels out of the short form, and checks of labels of either form against the ontology, before anything is sent.

The short form says what a model found, and leaves out what can be looked up::

    {"data_hash": "...",
     "objects": [{"feature": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}, "frame": 0,
                  "id": "track 7", "confidence": 0.9, "answers": {"Colour": "Dark red"}}],
     "classifications": [{"feature": "Weather", "answer": "Rain", "frames": [[0, 9]]}]}

``feature`` is the name or the feature hash. Objects of the same ``id`` and feature are one object on several frames;
without one (or with null), its content distinguishes an object. Object hashes are made of that, so that the same
pre-labels give the same hashes, and a second import changes nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.plain_json import plain_json
from airflow_provider_encord.prelabels.features import (
    GEOMETRY,
    Features,
    WrongLabelsError,
    answer_of,
    attribute_of,
)
from airflow_provider_encord.prelabels.labels import Labels, answers_of, labels_of
from airflow_provider_encord.prelabels.sources import Prelabel

_LINE_KEYS = {"data_hash", "title", "data_title", "client_metadata", "objects", "classifications"}
_LISTS = ("objects", "classifications")
_OBJECT_KEYS = {"feature", "frame", "id", "confidence", "answers", "polygons", *GEOMETRY.values()}
_CLASSIFICATION_KEYS = {"feature", "answer", "answers", "frames", "confidence"}
_WITHIN = ("boundingBox", "rotatableBoundingBox")
_POINTS = ("polygon", "polyline", "point")


def labels_from(prelabel: Prelabel, features: Features, data_hash: str, frames: int | None) -> Labels:
    """The labels that a line says, fit to be saved to a data unit.

    :param data_hash: Of the data unit, for the hashes of objects.
    :param frames: How many it has; None if that is not known.
    :raises WrongLabelsError: They do not fit the ontology or the data unit.
    """
    content = prelabel.content
    if prelabel.is_label_row and any(content.get(name) is not None for name in _LISTS):
        raise WrongLabelsError("data_units: a label row has its labels there. Leave out objects and classifications.")
    if prelabel.is_label_row and not (isinstance(content["data_units"], Mapping) and content["data_units"]):
        raise WrongLabelsError("data_units: it must be an object with a data unit, as a label row has it.")
    try:
        labels = _normalised(labels_of(content)) if prelabel.is_label_row else _short(content, features, data_hash)
        _check(labels, features, frames, strict=not prelabel.is_label_row)
    except WrongLabelsError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        form = "a label row" if prelabel.is_label_row else "the short form"
        raise WrongLabelsError(f"it is not {form} as it should be: {type(error).__name__}: {error}.") from None
    return labels


def _normalised(labels: Labels) -> Labels:
    """Labels of a label row in the one form that is checked and saved.

    Encord and its SDK write some of them in several: the points of a polygon as a list, text answers of null,
    classifications without answers yet, objects without an entry for their answers.
    """
    for drawn in labels.objects.values():
        for shape in drawn:
            hash_ = shape.get("objectHash")
            if isinstance(hash_, str) and hash_:
                labels.object_answers.setdefault(hash_, {"objectHash": hash_, "classifications": []})
            for key in _POINTS:
                if isinstance(shape.get(key), list):
                    shape[key] = {str(number): _point(point) for number, point in enumerate(shape[key])}
    for answers in (labels.object_answers, labels.classification_answers):
        for answer in answers.values():
            given = answer.get("classifications") or []
            answer["classifications"] = [value for value in given if value.get("answers") is not None]
    # A classification without an answer says nothing, and Encord does not take it back.
    labels.classification_answers = {
        key: answer for key, answer in labels.classification_answers.items() if answer["classifications"]
    }
    return labels


def _point(point: Any) -> Any:
    return {"x": point[0], "y": point[1]} if isinstance(point, list | tuple) and len(point) == 2 else point


def _short(content: Mapping[str, Any], features: Features, data_hash: str) -> Labels:
    _require_known(content, _LINE_KEYS, "line")
    if all(content.get(name) is None for name in _LISTS):
        raise WrongLabelsError("objects, classifications: give one of them; an empty list means that there are none.")
    labels = Labels()
    for one in _listed(content, "objects"):
        _add_object(labels, one, features, data_hash)
    for one in _listed(content, "classifications"):
        _add_classification(labels, one, features, data_hash)
    return labels


def _listed(content: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = [] if content.get(name) is None else content[name]
    if isinstance(found, tuple):  # of a function
        found = list(found)
    if not isinstance(found, list) or not all(isinstance(entry, Mapping) for entry in found):
        raise WrongLabelsError(f"{name}: it must be a list of objects.")
    return found


def _add_object(labels: Labels, one: Mapping[str, Any], features: Features, data_hash: str) -> None:
    _require_known(one, _OBJECT_KEYS, "object")
    feature = features.object(one.get("feature"))
    frame = 0 if one.get("frame") is None else one["frame"]
    if isinstance(frame, bool) or not isinstance(frame, int):
        raise WrongLabelsError(f"frame: {str(frame)[:80]!r} is not a whole number.")
    geometry = _geometry(one, feature)
    hash_ = _hash(data_hash, feature["featureNodeHash"], *_identity(one, frame, geometry))
    drawn = {
        "name": feature["name"],
        "color": feature.get("color"),
        "shape": feature["shape"],
        "value": _value(feature["name"]),
        "confidence": _confidence(one),
        "objectHash": hash_,
        "featureHash": feature["featureNodeHash"],
        "manualAnnotation": False,
        **geometry,
    }
    labels.objects.setdefault(frame, []).append(drawn)
    known = labels.object_answers.setdefault(hash_, {"objectHash": hash_, "classifications": []})
    named = {answer["featureHash"]: answer for answer in known["classifications"]}
    for answer in _answers(one, feature):
        earlier = named.get(answer["featureHash"])
        if earlier is None:
            known["classifications"].append(answer)
        elif answers_of({"classifications": [earlier]}) != answers_of({"classifications": [answer]}):
            id_ = str(one.get("id"))[:80]
            raise WrongLabelsError(
                f"answers: {answer['name']!r} of the object {feature['name']!r} with the id {id_!r} has two answers. "
                "An object has one answer on all its frames. Give it once, or give each object an `id`."
            )


def _geometry(one: Mapping[str, Any], feature: Mapping[str, Any]) -> dict[str, Any]:
    """The geometry of an object. One of another shape would be lost."""
    own = {GEOMETRY.get(feature["shape"]), "polygons" if feature["shape"] == "polygon" else None}
    geometry = {key: one[key] for key in (*GEOMETRY.values(), "polygons") if one.get(key) is not None}
    other = next((key for key in geometry if key not in own), None)
    if other is not None and own & geometry.keys():
        raise WrongLabelsError(f"object {feature['name']!r}: {other} does not fit its shape, {feature['shape']}.")
    return geometry


def _identity(one: Mapping[str, Any], frame: int, geometry: Mapping[str, Any]) -> tuple[Any, ...]:
    """What distinguishes an object from others of its feature: its id; without one, its content."""
    if one.get("id") is None:
        return (_said(frame, geometry),)
    try:
        id_ = plain_json(one["id"], "id")
    except InvalidArgumentError as error:
        raise WrongLabelsError(error.message) from None
    if isinstance(id_, str) and id_.strip():
        return (id_,)
    if isinstance(id_, int | float) and not isinstance(id_, bool):
        return "number", int(id_) if id_ == int(id_) else id_
    raise WrongLabelsError(f"id: {str(id_)[:80]!r} must be a text or a number. Leave it out if there is no id.")


def _answers(one: Mapping[str, Any], feature: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answers of an object or a classification, by attribute."""
    given = {} if one.get("answers") is None else one["answers"]
    if not isinstance(given, Mapping):
        raise WrongLabelsError(f"answers: it must be an object with the answers by attribute, not {str(given)[:80]!r}.")
    answers = [_answered(feature, name, value) for name, value in given.items()]
    attributes = [answer["featureHash"] for answer in answers]
    twice = next((answer["name"] for answer in answers if attributes.count(answer["featureHash"]) > 1), None)
    if twice is not None:
        raise WrongLabelsError(f"answers: {twice!r} is answered twice, by its name and by its feature hash.")
    return answers


def _add_classification(labels: Labels, one: Mapping[str, Any], features: Features, data_hash: str) -> None:
    _require_known(one, _CLASSIFICATION_KEYS, "classification")
    feature = features.classification(one.get("feature"))
    if one.get("answer") is not None and one.get("answers") is not None:
        raise WrongLabelsError(f"classification {one.get('feature')!r}: give answer or answers, not both.")
    if one.get("answer") is not None:
        attributes = feature.get("attributes") or [{}]
        answers = [_answered(feature, attributes[0].get("featureNodeHash"), one["answer"])]
    else:
        answers = _answers(one, feature)
    hash_ = _hash(data_hash, feature["featureNodeHash"], "classification")
    if hash_ in labels.classification_answers:
        raise WrongLabelsError(f"classification {one.get('feature')!r}: it is given twice.")
    labels.classification_answers[hash_] = {
        "classificationHash": hash_,
        "featureHash": feature["featureNodeHash"],
        "classifications": answers,
        "range": _frames(one),
        "spaces": {},
        "confidence": _confidence(one),
        "manualAnnotation": False,
    }


def _frames(one: Mapping[str, Any]) -> list[Any]:
    """The frames of a classification: the first one, unless others are given."""
    frames = one.get("frames")
    if frames is None:
        return [[0, 0]]
    if not isinstance(frames, list) or not frames:
        raise WrongLabelsError(
            f"frames: {str(frames)[:80]!r} must be a list of first and last frames, such as [[0, 9]]. Leave it out for "
            "the first frame."
        )
    return frames


def _answered(feature: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    attribute = attribute_of(feature, name)
    return {
        "name": attribute["name"],
        "value": _value(attribute["name"]),
        "answers": answer_of(attribute, value),
        "featureHash": attribute["featureNodeHash"],
        "manualAnnotation": False,
    }


def _check(labels: Labels, features: Features, frames: int | None, *, strict: bool) -> None:
    """Check labels against the ontology and the data unit.

    :param strict: Also refuse what Encord and its SDK take of a label row: coordinates a little outside.
    """
    for frame, drawn in labels.objects.items():
        _check_frame(frame, frames)
        _check_hashes(frame, drawn)
        for shape in drawn:
            feature = _own(features.object(shape.get("featureHash")), shape)
            if shape.get("shape") != feature["shape"]:
                wanted = feature["shape"]
                raise WrongLabelsError(
                    f"object {feature['name']!r}: the ontology has the shape {wanted}, not {shape.get('shape')}."
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
        _check_ranges(answer.get("range"), frames)


def _own(feature: Mapping[str, Any], one: Mapping[str, Any]) -> Mapping[str, Any]:
    """The feature, if it is named by its hash: that is what is sent."""
    if feature["featureNodeHash"] != one.get("featureHash"):
        raise WrongLabelsError(
            f"featureHash: {str(one.get('featureHash'))[:80]!r} is a name; a label row has the hash."
        )
    return feature


def _check_hashes(frame: int, drawn: list[dict[str, Any]]) -> None:
    hashes = [shape.get("objectHash") for shape in drawn]
    if not all(isinstance(one, str) and one for one in hashes):
        raise WrongLabelsError(f"objectHash: an object on frame {frame} has none.")
    if len(set(hashes)) < len(hashes):
        raise WrongLabelsError(
            f"objects: two on frame {frame} are the same object. Leave one out, or give each an `id` of its own."
        )


def _check_ranges(ranges: Any, frames: int | None) -> None:
    for pair in ranges or ():
        whole = isinstance(pair, list) and len(pair) == 2 and all(type(one) is int for one in pair)
        if not whole or pair[0] > pair[1]:
            raise WrongLabelsError(f"frames: {str(pair)[:80]!r} is not a first and a last frame.")
        for frame in pair:
            _check_frame(frame, frames)


def _check_answers(feature: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    for one in answer.get("classifications") or ():
        answer_of(attribute_of(feature, one.get("featureHash")), one.get("answers"))


def _check_frame(frame: int, frames: int | None) -> None:
    if frame < 0 or (frames and frame >= frames):
        raise WrongLabelsError(f"frame: {frame} is not within the {frames or 'all'} frames of the data unit.")


def _check_geometry(one: Mapping[str, Any], feature: Mapping[str, Any], *, strict: bool) -> None:
    key = GEOMETRY.get(feature["shape"])
    if key is None:
        return
    geometry = one.get(key)
    if not isinstance(geometry, Mapping):
        raise WrongLabelsError(f"object {feature['name']!r}: {key} is missing, the geometry of a {feature['shape']}.")
    _check_whole(key, geometry, feature["name"])
    for name, value in _fractions(key, geometry):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or (strict and not 0 <= value <= 1):
            raise WrongLabelsError(
                f"object {feature['name']!r}: {key}.{name} is {str(value)[:40]!r}; it must be a fraction of the width "
                "or height, from 0 to 1."
            )


_KEYS = {"rotatableBoundingBox": ("theta",), "bitmask": ("top", "left", "height", "width", "rleString")}
_LEAST_POINTS = {"polygon": 3, "polyline": 2, "point": 1}


def _check_whole(key: str, geometry: Mapping[str, Any], name: str) -> None:
    lacking = [one for one in _KEYS.get(key, ()) if geometry.get(one) is None]
    if lacking:
        raise WrongLabelsError(f"object {name!r}: {key}.{lacking[0]} is missing.")
    if len(geometry) < _LEAST_POINTS.get(key, 0):
        raise WrongLabelsError(f"object {name!r}: {key} needs at least {_LEAST_POINTS[key]} points.")


def _fractions(key: str, geometry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if key in _WITHIN:
        yield from ((name, geometry.get(name)) for name in "xywh")
    elif key in _POINTS:
        for number, point in geometry.items():
            found = point if isinstance(point, Mapping) else {}
            yield from ((f"{number}.{name}", found.get(name)) for name in "xy")


def _require_known(one: Mapping[str, Any], known: set[str], kind: str) -> None:
    unknown = sorted(set(one) - known)
    if unknown:
        raise WrongLabelsError(f"{kind}: {unknown[0]!r} is not known; there are {', '.join(sorted(known))}.")


def _confidence(one: Mapping[str, Any]) -> float:
    value = one.get("confidence", 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise WrongLabelsError(f"confidence: {str(value)[:40]!r} is not a number from 0 to 1.")
    return float(value)


def _said(frame: int, geometry: Mapping[str, Any]) -> str:
    return msgspec.json.encode({"frame": frame, **geometry}, order="sorted").decode()


def _hash(*parts: Any) -> str:
    """Eight characters, as the editor makes them of six random bytes."""
    return base64.b64encode(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:6]).decode()


def _value(name: str) -> str:
    return name.lower().replace(" ", "_")
