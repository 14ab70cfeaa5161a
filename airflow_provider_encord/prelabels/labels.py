"""The labels of a label row, without the rest of the row, so that they can be put into another row."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from airflow_provider_encord.attempts import fingerprint
from airflow_provider_encord.prelabels.features import GEOMETRY
from airflow_provider_encord.prelabels.frame_ranges import ranges_of

Document: TypeAlias = Mapping[str, Any]
SINGLE_FRAMES = ("image", "img_group")
AUTHOR = ("createdAt", "createdBy")
_AS_THEY_ARE = frozenset({str, float, bool, type(None)})


class Labels(msgspec.Struct, kw_only=True):
    """The labels of a row.

    :param objects: Objects by frame. In an image group, the frames are its images, by sequence number.
    :param object_answers: Object answers in the format of a label row; the same applies to the next two fields.
    """

    objects: dict[int, list[dict[str, Any]]] = {}
    object_answers: dict[str, dict[str, Any]] = {}
    object_actions: dict[str, dict[str, Any]] = {}
    classification_answers: dict[str, dict[str, Any]] = {}

    @property
    def count(self) -> int:
        """The number of annotations."""
        drawn = {drawing["objectHash"] for drawings in self.objects.values() for drawing in drawings}
        without_frame = len(self.object_answers.keys() - drawn)
        return sum(map(len, self.objects.values())) + without_frame + len(self.classification_answers)


def labels_of(row: Document) -> Labels:
    """The labels of a label row. Classifications in the older form are converted to the newer one."""
    labels = Labels(
        object_answers=_copy(dict(row.get("object_answers") or {})),
        object_actions=_copy(dict(row.get("object_actions") or {})),
        classification_answers=_copy(dict(row.get("classification_answers") or {})),
    )
    entries: dict[str, list[tuple[int, Document]]] = {}
    for _, frame, content in _frames(row):
        drawn = [dict(object_) for object_ in content.get("objects") or () if not object_.get("isDeleted")]
        if drawn:
            labels.objects.setdefault(frame, []).extend(drawn)
        for classification in content.get("classifications") or ():
            entries.setdefault(str(classification.get("classificationHash")), []).append((frame, classification))
    for hash_, found in entries.items():
        answer = labels.classification_answers.setdefault(hash_, {"classificationHash": hash_, "classifications": []})
        _fill(answer, found)
    return labels


def put(row: Document, labels: Labels, now: datetime.datetime) -> dict[str, Any]:
    """The row to save, with exactly these labels.

    :param row: The row that was read. Everything except its labels is kept.
    """
    new: dict[str, Any] = _copy({name: value for name, value in row.items() if name != "is_valid"})
    new.setdefault("is_shadow_data", False)
    before = {(frame, shape["objectHash"]): shape for frame, drawn in labels_of(row).objects.items() for shape in drawn}

    def drawn_on(frame: int) -> dict[str, Any]:
        drawn = labels.objects.get(frame, [])
        return {
            "objects": [_signed(shape, before.get((frame, shape["objectHash"])), now) for shape in drawn],
            "classifications": [],
        }

    for sequence, unit in _units(new):
        if row.get("data_type") in SINGLE_FRAMES:
            unit["labels"] = drawn_on(sequence)
        else:
            unit["labels"] = {str(frame): drawn_on(frame) for frame in sorted(labels.objects)}
    new["object_answers"] = labels.object_answers
    new["object_actions"] = labels.object_actions
    signed = dict(row.get("classification_answers") or {})
    new["classification_answers"] = {
        hash_: _signed(answer, signed.get(hash_), now) for hash_, answer in labels.classification_answers.items()
    }
    return new


def substance(labels: Labels) -> Any:
    """The content of labels for comparisons, without authors and times."""
    return (
        {(frame, shape["objectHash"]): drawing_of(shape) for frame, drawn in labels.objects.items() for shape in drawn},
        {hash_: (answers_of(answer), answer.get("range")) for hash_, answer in labels.object_answers.items()},
        {
            hash_: changing_answers_of(actions["actions"])
            for hash_, actions in labels.object_actions.items()
            if actions.get("actions")
        },
        {
            hash_: (answer.get("featureHash"), answers_of(answer), [list(pair) for pair in answer.get("range") or ()])
            for hash_, answer in labels.classification_answers.items()
        },
    )


def changing_answers_of(actions: list[dict[str, Any]]) -> list[tuple[Any, Any, Any]]:
    """The answers that change, for comparisons. The SDK reverses their order at each save."""
    given = [
        (action.get("featureHash"), _plain(action.get("answers")), [list(pair) for pair in action.get("range") or ()])
        for action in actions
    ]
    return sorted(given, key=lambda answer: (str(answer[0]), answer[2], str(answer[1])))


def drawing_of(drawing: Document) -> tuple[Any, ...]:
    """The content of an object on a frame, for comparisons."""
    geometry = {key: drawing[key] for key in (*GEOMETRY.values(), "polygons") if key in drawing}
    return drawing.get("featureHash"), geometry, drawing.get("confidence"), drawing.get("manualAnnotation")


def answers_of(label: Document) -> list[tuple[Any, Any]]:
    """The answers of an object or a classification, for comparisons."""
    given = [
        (answer.get("featureHash"), _plain(answer.get("answers"))) for answer in label.get("classifications") or ()
    ]
    return sorted(given, key=lambda pair: str(pair[0]))


def of_other_frames(hash_: str, answer: Document) -> str:
    """The hash of a classification that a row has on other frames with another answer, under the hash `hash_`."""
    return fingerprint(hash=hash_, answers=answers_of(answer))[:8]


def content_of(labels: Labels) -> str:
    """A hash of the content of labels; equal if `substance` is equal."""
    objects, answers, actions, classifications = substance(labels)
    drawn = [[*key, objects[key]] for key in sorted(objects, key=repr)]
    return fingerprint(content=_as_floats([drawn, answers, actions, classifications]))


def _as_floats(value: Any) -> Any:
    """A value with all numbers as floats, because Encord may return ``1`` as ``1.0``."""
    if type(value) in _AS_THEY_ARE:  # most values; the checks below take far longer
        return value
    if isinstance(value, Mapping):
        return {key: _as_floats(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def edited_by_hand(labels: Labels) -> bool:
    """Whether somebody drew or edited one of the labels by hand.

    Such labels are marked as manual annotations, or the last editor differs from the creator.
    """
    drawn = (drawing for drawings in labels.objects.values() for drawing in drawings)
    return any(map(_is_edited, (*drawn, *labels.classification_answers.values())))


def _is_edited(label: Document) -> bool:
    if label.get("manualAnnotation"):
        return True
    made, edited = label.get("createdBy"), label.get("lastEditedBy")
    return bool(made and edited and made != edited)


def _plain(answers: Any) -> Any:
    if isinstance(answers, list):
        return sorted(str(answer.get("featureHash") if isinstance(answer, Mapping) else answer) for answer in answers)
    return answers


def _copy(value: Any) -> Any:
    """Copy a JSON value; many times as fast as `copy.deepcopy`, which looks for values that occur twice."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list | tuple) else value


def _fill(answer: dict[str, Any], found: list[tuple[int, Document]]) -> None:
    """Complete an answer from the entries on frames that older SDKs write."""
    for name in ("featureHash", "confidence", "manualAnnotation", *AUTHOR, "lastEditedAt", "lastEditedBy"):
        if answer.get(name) is None and found[0][1].get(name) is not None:
            answer[name] = found[0][1][name]
    if not answer.get("range"):
        answer["range"] = ranges_of({frame for frame, _ in found})


def _signed(label: Mapping[str, Any], before: Document | None, now: datetime.datetime) -> dict[str, Any]:
    """Add creator and time: those of the existing label, else its own values, else the current time."""
    text = now.astimezone(datetime.UTC).strftime("%a, %d %b %Y %H:%M:%S UTC")
    signed = {"createdAt": text, "createdBy": None, "lastEditedAt": text, "lastEditedBy": None, **label}
    return {**signed, **({name: before.get(name) for name in AUTHOR} if before else {})}


def _units(row: Document) -> list[tuple[int, dict[str, Any]]]:
    units = (row.get("data_units") or {}).values()
    return sorted(((int(unit.get("data_sequence") or 0), unit) for unit in units), key=lambda pair: pair[0])


def _frames(row: Document) -> Iterator[tuple[str, int, Document]]:
    for sequence, unit in _units(row):
        labels = unit.get("labels") or {}
        if "objects" in labels or "classifications" in labels:
            yield str(unit.get("data_hash")), sequence, labels
            continue
        for frame, content in labels.items():
            yield str(unit.get("data_hash")), int(frame), content
