"""Converting labels from the short form, and from label rows; `checks` looks at the result before it is sent.

The short form contains the results of a model, without values that can be looked up::

    {"data_hash": "...",
     "objects": [{"feature": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}, "frame": 0,
                  "id": "track 7", "confidence": 0.9, "answers": {"Colour": "Dark red"}}],
     "classifications": [{"feature": "Weather", "answer": "Rain", "frames": [[0, 9]]}]}

``feature`` is a name or a feature hash. Objects with the same ``id`` and feature are one object on several frames.
Without an ``id`` (or with null), an object is identified by its content. Object hashes are derived from this, so the
same pre-labels always give the same hashes, and a second import changes nothing. The answer to a dynamic attribute
holds for the frame of its entry; any other answer is the same on all frames.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.plain_json import plain_json
from airflow_provider_encord.prelabels.changing import ChangingAnswers, is_dynamic
from airflow_provider_encord.prelabels.checks import POINTS, check_labels, check_ranges, is_number
from airflow_provider_encord.prelabels.features import (
    GEOMETRY,
    Features,
    WrongLabelsError,
    answer_of,
    attribute_of,
)
from airflow_provider_encord.prelabels.frame_ranges import overlap
from airflow_provider_encord.prelabels.labels import Labels, answers_of, labels_of, of_other_frames
from airflow_provider_encord.prelabels.sources import Prelabel

_LINE_KEYS = {"data_hash", "title", "data_title", "client_metadata", "objects", "classifications"}
_LISTS = ("objects", "classifications")
_OBJECT_KEYS = {"feature", "frame", "id", "confidence", "answers", "polygons", *GEOMETRY.values()}
_CLASSIFICATION_KEYS = {"feature", "answer", "answers", "frames", "confidence"}
_GEOMETRIES = frozenset({*GEOMETRY.values(), "polygons"})


def labels_from(prelabel: Prelabel, features: Features, data_hash: str, frames: int | None) -> Labels:
    """Convert a line to the labels of a data unit.

    :param data_hash: Data hash of the data unit, for the hashes of objects.
    :param frames: Number of frames of the data unit; None if it is not known.
    :raises WrongLabelsError: The labels do not match the ontology or the data unit.
    """
    content = prelabel.content
    if prelabel.is_label_row and any(content.get(name) is not None for name in _LISTS):
        raise WrongLabelsError("data_units: a label row has its labels here. Remove objects and classifications.")
    if prelabel.is_label_row and not (isinstance(content["data_units"], Mapping) and content["data_units"]):
        raise WrongLabelsError("data_units: it is not an object with a data unit, as in a label row.")
    try:
        labels = _normalised(labels_of(content)) if prelabel.is_label_row else _short(content, features, data_hash)
        check_labels(labels, features, frames, strict=not prelabel.is_label_row)
    except WrongLabelsError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        form = "a label row" if prelabel.is_label_row else "the short form"
        raise WrongLabelsError(f"it is not valid as {form}: {type(error).__name__}: {error}.") from None
    return labels


def _normalised(labels: Labels) -> Labels:
    """Convert the labels of a label row to the form that is checked and saved.

    Encord and its SDK use several forms: the points of a polygon as a list, text answers that are null, classifications
    without answers, objects without an entry for their answers.
    """
    for drawn in labels.objects.values():
        for shape in drawn:
            hash_ = shape.get("objectHash")
            if isinstance(hash_, str) and hash_:
                labels.object_answers.setdefault(hash_, {"objectHash": hash_, "classifications": []})
            for key in POINTS:
                if isinstance(shape.get(key), list):
                    shape[key] = {str(number): _point(point) for number, point in enumerate(shape[key])}
    for answers in (labels.object_answers, labels.classification_answers):
        for answer in answers.values():
            given = answer.get("classifications") or []
            answer["classifications"] = [value for value in given if value.get("answers") is not None]
    # A classification without an answer has no meaning, and Encord does not accept it.
    labels.classification_answers = {
        key: answer for key, answer in labels.classification_answers.items() if answer["classifications"]
    }
    return labels


def _point(point: Any) -> Any:
    return {"x": point[0], "y": point[1]} if isinstance(point, list | tuple) and len(point) == 2 else point


def _short(content: Mapping[str, Any], features: Features, data_hash: str) -> Labels:
    _require_known(content, _LINE_KEYS, "line")
    if all(content.get(name) is None for name in _LISTS):
        raise WrongLabelsError("objects, classifications: both are missing. Add one of them; a list may be empty.")
    labels, changing = Labels(), ChangingAnswers()
    for object_ in _listed(content, "objects"):
        _add_object(labels, changing, object_, features, data_hash)
    labels.object_actions = changing.of_objects()
    for classification in _listed(content, "classifications"):
        _add_classification(labels, classification, features, data_hash)
    return labels


def _listed(content: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = [] if content.get(name) is None else content[name]
    if isinstance(found, tuple):  # of a function
        found = list(found)
    if not isinstance(found, list) or not all(isinstance(entry, Mapping) for entry in found):
        raise WrongLabelsError(f"{name}: it is not a list of objects.")
    return found


def _add_object(
    labels: Labels, changing: ChangingAnswers, object_: Mapping[str, Any], features: Features, data_hash: str
) -> None:
    _require_known(object_, _OBJECT_KEYS, "object")
    feature = features.object(object_.get("feature"))
    frame = 0 if object_.get("frame") is None else object_["frame"]
    if isinstance(frame, bool) or not isinstance(frame, int):
        raise WrongLabelsError(f"frame: {str(frame)[:80]!r} is not a whole number.")
    geometry = _geometry(object_, feature)
    hash_ = _hash(data_hash, feature["featureNodeHash"], *_identity(object_, frame, geometry))
    drawn = {
        "name": feature["name"],
        "color": feature.get("color"),
        "shape": feature["shape"],
        "value": _value(feature["name"]),
        "confidence": _confidence(object_),
        "objectHash": hash_,
        "featureHash": feature["featureNodeHash"],
        "manualAnnotation": False,
        **geometry,
    }
    labels.objects.setdefault(frame, []).append(drawn)
    known = labels.object_answers.setdefault(hash_, {"objectHash": hash_, "classifications": []})
    named = {answer["featureHash"]: answer for answer in known["classifications"]}
    for answer in _answers(object_, feature):
        if is_dynamic(feature, answer["featureHash"]):
            changing.add(hash_, frame, answer)
            continue
        earlier = named.get(answer["featureHash"])
        if earlier is None:
            known["classifications"].append(answer)
        elif answers_of({"classifications": [earlier]}) != answers_of({"classifications": [answer]}):
            id_ = str(object_.get("id"))[:80]
            raise WrongLabelsError(
                f"answers: {answer['name']!r} of the object {feature['name']!r} with the id {id_!r} has two answers, "
                "but an object has the same answer on all its frames. Keep one, give each object its own `id`, or make "
                "the attribute dynamic in the ontology."
            )


def _geometry(object_: Mapping[str, Any], feature: Mapping[str, Any]) -> dict[str, Any]:
    """The geometry of an object. A geometry of another shape is refused, because it would be lost."""
    own = {GEOMETRY.get(feature["shape"]), "polygons" if feature["shape"] == "polygon" else None}
    geometry = {key: value for key, value in object_.items() if key in _GEOMETRIES and value is not None}
    other = next((key for key in geometry if key not in own), None)
    if other is not None and own & geometry.keys():
        raise WrongLabelsError(f"object {feature['name']!r}: {other} does not match its shape, {feature['shape']}.")
    return geometry


def _identity(object_: Mapping[str, Any], frame: int, geometry: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values that identify an object of a feature: its id; without one, its content."""
    if object_.get("id") is None:
        return (_said(frame, geometry),)
    try:
        id_ = plain_json(object_["id"], "id")
    except InvalidArgumentError as error:
        raise WrongLabelsError(error.message) from None
    if isinstance(id_, str) and id_.strip():
        return (id_,)
    if isinstance(id_, int | float) and not isinstance(id_, bool):
        return "number", int(id_) if id_ == int(id_) else id_
    raise WrongLabelsError(f"id: {str(id_)[:80]!r} is neither text nor a number. Leave it out if there is no id.")


def _answers(label: Mapping[str, Any], feature: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answers of an object or a classification, by attribute."""
    given = {} if label.get("answers") is None else label["answers"]
    if not isinstance(given, Mapping):
        raise WrongLabelsError(f"answers: {str(given)[:80]!r} is not an object with the answers by attribute.")
    answers = [_answered(feature, name, value) for name, value in given.items()]
    attributes = [answer["featureHash"] for answer in answers]
    twice = next((answer["name"] for answer in answers if attributes.count(answer["featureHash"]) > 1), None)
    if twice is not None:
        raise WrongLabelsError(f"answers: {twice!r} is there twice, by its name and by its feature hash. Keep one.")
    return answers


def _add_classification(labels: Labels, classification: Mapping[str, Any], features: Features, data_hash: str) -> None:
    _require_known(classification, _CLASSIFICATION_KEYS, "classification")
    feature = features.classification(classification.get("feature"))
    if classification.get("answer") is not None and classification.get("answers") is not None:
        raise WrongLabelsError(
            f"classification {classification.get('feature')!r}: it has answer and answers. Keep one of them."
        )
    if classification.get("answer") is not None:
        attributes = feature.get("attributes") or [{}]
        answers = [_answered(feature, attributes[0].get("featureNodeHash"), classification["answer"])]
    else:
        answers = _answers(classification, feature)
    label = {
        "featureHash": feature["featureNodeHash"],
        "classifications": answers,
        "range": _frames(classification),
        "spaces": {},
        "confidence": _confidence(classification),
        "manualAnnotation": False,
    }
    hash_ = _hash(data_hash, feature["featureNodeHash"], "classification")
    if hash_ in labels.classification_answers:
        _require_other_frames(labels, label, str(classification.get("feature")))
        hash_ = of_other_frames(hash_, label)
    labels.classification_answers[hash_] = {"classificationHash": hash_, **label}


def _require_other_frames(labels: Labels, label: Mapping[str, Any], name: str) -> None:
    """Check that a second entry of a classification has another answer, on other frames."""
    check_ranges(label["range"], None)
    for earlier in labels.classification_answers.values():
        if earlier["featureHash"] != label["featureHash"]:
            continue
        if answers_of(earlier) == answers_of(label):
            raise WrongLabelsError(f"classification {name!r}: it is there twice. Keep one.")
        check_ranges(earlier["range"], None)
        if overlap(earlier["range"], label["range"]):
            raise WrongLabelsError(
                f"classification {name!r}: it is there twice with different answers on the same frames. Keep one, or "
                "give each its own `frames`."
            )


def _frames(label: Mapping[str, Any]) -> list[Any]:
    """The frames of a classification. Default: the first frame."""
    frames = label.get("frames")
    if frames is None:
        return [[0, 0]]
    if not isinstance(frames, list) or not frames:
        raise WrongLabelsError(
            f"frames: {str(frames)[:80]!r} is not a list of first and last frames, such as [[0, 9]]. Leave it out for "
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


def _require_known(entry: Mapping[str, Any], known: set[str], kind: str) -> None:
    if not known.issuperset(entry):
        unknown = sorted(set(entry) - known)
        raise WrongLabelsError(f"{kind}: {unknown[0]!r} is not known. Use {', '.join(sorted(known))}.")


def _confidence(label: Mapping[str, Any]) -> float:
    value = label.get("confidence", 1.0)
    if not is_number(value) or not 0 <= value <= 1:
        raise WrongLabelsError(f"confidence: {str(value)[:40]!r} is not a number from 0 to 1.")
    return float(value)


def _said(frame: int, geometry: Mapping[str, Any]) -> str:
    return msgspec.json.encode({"frame": frame, **geometry}, order="sorted").decode()


def _hash(*parts: Any) -> str:
    """A hash of eight characters, like the editor's hashes of six random bytes."""
    return base64.b64encode(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:6]).decode()


def _value(name: str) -> str:
    return name.lower().replace(" ", "_")
