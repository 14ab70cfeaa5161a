"""A label row as flat records: one for each object and each classification, on each frame where it is.

A label row nests what belongs together in three places: frames have the objects with their geometry, `object_answers`
has what is true of an object throughout, `object_actions` what is true of it on some frames; classifications stand in
`classification_answers` with their frames, or (older SDKs) on the frames (protocol, section 7.5). Here they meet.

Nothing is dropped silently: what cannot be made a record of a frame comes as a `LeftOut`.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from airflow_provider_encord.client.times import parse_time

OBJECT = "object"
CLASSIFICATION = "classification"
DELETED = "deleted"
NO_FRAME = "no frame"

GEOMETRY_KEYS = (
    "boundingBox",
    "rotatableBoundingBox",
    "polygon",
    "polygons",
    "polyline",
    "point",
    "bitmask",
    "circle",
    "ellipse",
    "skeleton",
    "cuboid",
    "cuboid_2d",
)

Document: TypeAlias = Mapping[str, Any]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """An image, or a frame of a video.

    :param unit: Data hash of the data unit: of the image in an image group.
    :param unit_title: Its title.
    :param frame: Number of the frame; in an image group, of the image in the sequence.
    :param width: Pixels; None where there are none, such as in text.
    """

    unit: str
    unit_title: str | None
    frame: int
    width: int | None
    height: int | None


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """An object or a classification on one frame.

    :param kind: `OBJECT` or `CLASSIFICATION`.
    :param hash: The object's or classification's; the same on all its frames.
    :param shape: Of an object, such as ``"bounding_box"``.
    :param geometry: What of the object is geometry, as Encord has it.
    :param answers: Attributes and their answers by name: text, a number, or the names of the chosen options; of this
        frame.
    """

    place: Place
    kind: str
    hash: str
    feature_hash: str | None
    name: str | None
    shape: str | None
    geometry: dict[str, Any]
    answers: dict[str, Any]
    confidence: float | None
    manual: bool | None
    created_by: str | None
    created_at: datetime.datetime | None
    last_edited_by: str | None
    last_edited_at: datetime.datetime | None


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is in a label row and in no record.

    :param reason: `DELETED`, `NO_FRAME`, or what a format says.
    """

    hash: str
    kind: str
    reason: str
    unit: str | None = None
    frame: int | None = None


def annotations_of(row: Document) -> Iterator[Annotation | LeftOut]:
    """The records of a label row: objects by data unit and frame, then classifications by hash and frame.

    :param row: A label row as Encord has it. Keys that are not known are passed over.
    """
    frames = list(_frames(row))
    seen: set[str] = set()
    for place, labels in frames:
        for one in labels.get("objects") or ():
            seen.add(str(one.get("objectHash")))
            yield _object(row, place, one)
    for hash_ in row.get("object_answers") or {}:
        if hash_ not in seen:
            yield LeftOut(hash=hash_, kind=OBJECT, reason=NO_FRAME)
    yield from _classifications(row, frames)


def places_of(row: Document) -> Iterator[Place]:
    """The images of a label row; of a video, the frames that have labels."""
    for place, _ in _frames(row):
        yield place


def _frames(row: Document) -> Iterator[tuple[Place, Document]]:
    units = (row.get("data_units") or {}).values()
    for unit in sorted(units, key=lambda one: _number(one.get("data_sequence"))):
        labels = unit.get("labels") or {}
        if "objects" in labels or "classifications" in labels:
            yield _place(unit, _number(unit.get("data_sequence"))), labels
            continue
        for frame in sorted(labels, key=_number):
            yield _place(unit, _number(frame)), labels[frame]


def _place(unit: Document, frame: int) -> Place:
    return Place(
        unit=str(unit.get("data_hash")),
        unit_title=unit.get("data_title"),
        frame=frame,
        width=_whole(unit.get("width")),
        height=_whole(unit.get("height")),
    )


def _object(row: Document, place: Place, one: Document) -> Annotation | LeftOut:
    hash_ = str(one.get("objectHash"))
    if one.get("isDeleted"):
        return LeftOut(hash=hash_, kind=OBJECT, reason=DELETED, unit=place.unit, frame=place.frame)
    static = ((row.get("object_answers") or {}).get(hash_) or {}).get("classifications") or ()
    dynamic = ((row.get("object_actions") or {}).get(hash_) or {}).get("actions") or ()
    on_frame = [action for action in dynamic if _within(place.frame, action.get("range"))]
    geometry = {key: one[key] for key in GEOMETRY_KEYS if key in one}
    return _annotation(place, OBJECT, hash_, one, one.get("name"), [*static, *on_frame], geometry)


def _classifications(row: Document, frames: Sequence[tuple[Place, Document]]) -> Iterator[Annotation | LeftOut]:
    answers: dict[str, Any] = dict(row.get("classification_answers") or {})
    entries = _entries(frames)
    for hash_ in [*answers, *(one for one in entries if one not in answers)]:
        answer, found = answers.get(hash_) or {}, entries.get(hash_, [])
        about = {**(found[0][1] if found else {}), **{key: value for key, value in answer.items() if value is not None}}
        given = answer.get("classifications") or ()
        name = about.get("name") or (given[0].get("name") if given else None)
        places = list(_ranged(row, frames, answer["range"])) if answer.get("range") else [place for place, _ in found]
        for place in places:
            yield _annotation(place, CLASSIFICATION, hash_, about, name, given, {})
        if not places:
            yield LeftOut(hash=hash_, kind=CLASSIFICATION, reason=NO_FRAME)


def _entries(frames: Iterable[tuple[Place, Document]]) -> dict[str, list[tuple[Place, Document]]]:
    """Classifications as older SDKs write them, by hash."""
    found: dict[str, list[tuple[Place, Document]]] = {}
    for place, labels in frames:
        for one in labels.get("classifications") or ():
            found.setdefault(str(one.get("classificationHash")), []).append((place, one))
    return found


def _ranged(row: Document, frames: Sequence[tuple[Place, Document]], ranges: Any) -> Iterator[Place]:
    """The places of frame ranges, both ends included. A frame of a video need not have anything else."""
    units = list((row.get("data_units") or {}).values())
    known = {place.frame: place for place, _ in frames}
    for first, last in ranges:
        for frame in range(_number(first), _number(last) + 1):
            if frame in known:
                yield known[frame]
            elif len(units) == 1:
                yield _place(units[0], frame)


def _annotation(
    place: Place,
    kind: str,
    hash_: str,
    about: Document,
    name: str | None,
    answers: Iterable[Document],
    geometry: dict[str, Any],
) -> Annotation:
    confidence = about.get("confidence")
    return Annotation(
        place=place,
        kind=kind,
        hash=hash_,
        feature_hash=about.get("featureHash"),
        name=name,
        shape=about.get("shape"),
        geometry=geometry,
        answers={str(one.get("name") or one.get("value")): _answer(one.get("answers")) for one in answers},
        confidence=float(confidence) if isinstance(confidence, int | float) else None,
        manual=about.get("manualAnnotation"),
        created_by=about.get("createdBy"),
        created_at=_time(about.get("createdAt")),
        last_edited_by=about.get("lastEditedBy"),
        last_edited_at=_time(about.get("lastEditedAt")),
    )


def _answer(answers: Any) -> Any:
    """Options by their names; text and numbers as they are."""
    if not isinstance(answers, list):
        return answers
    return [one.get("name") or one.get("value") if isinstance(one, Mapping) else one for one in answers]


def _within(frame: int, ranges: Any) -> bool:
    return any(_number(first) <= frame <= _number(last) for first, last in ranges or ())


def _time(text: Any) -> datetime.datetime | None:
    """None for what is no time in a known form."""
    try:
        return parse_time(text).astimezone(datetime.UTC) if isinstance(text, str) and text.strip() else None
    except (ValueError, TypeError, OverflowError):
        return None


def _number(value: Any) -> int:
    """A frame or sequence, which comes as a number or its text; 0 for none."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and value > 0 else None
