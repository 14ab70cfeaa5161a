"""Converting a label row to flat records: one for each object and each classification on each of its frames.

A label row stores related values in several places. Frames contain the objects with their geometry. `object_answers`
contains the answers of an object for all frames, and `object_actions` those for some frames. Classifications are in
`classification_answers` with their frames, or (older SDKs) on the frames (protocol, section 7.5). This module joins
them. Nothing is dropped silently: everything that cannot become a record of a frame is returned as a `LeftOut`.
"""

from __future__ import annotations

import collections
import contextlib
import datetime
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.client.errors import UnexpectedResponseError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.exports.formats.answers import NO_NAMES, Document, Names, mappings

OBJECT = "object"
CLASSIFICATION = "classification"
DELETED = "deleted"
NO_FRAME = "no frame"
SPACE = "space"
SCENE = "scene"
IMAGE = "image"

T = TypeVar("T")
_MOST_KEPT = 10_000  # records of one label row
_MOST_FRAMES = 10_000_000  # of one classification: some 46 hours of video
_OTHER_FORM = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)

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


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """An image, or a frame of a video.

    :param unit: Data hash of the data unit; in an image group, that of the image.
    :param unit_title: Title of the data unit.
    :param frame: Number of the frame; in an image group, number of the image. None for the whole data unit.
    :param width: Width in pixels; None for data without pixels, such as text.
    """

    unit: str
    unit_title: str | None
    frame: int | None
    width: int | None
    height: int | None


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """An object or a classification on one frame.

    :param kind: `OBJECT` or `CLASSIFICATION`.
    :param hash: Hash of the object or classification; the same on all its frames.
    :param shape: Shape of an object, such as ``"bounding_box"``.
    :param geometry: Geometry of an object in Encord's format.
    :param answers: Answers on this frame by attribute name: text, a number, or the names of the chosen options.
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
    """An item of a label row that is in no record.

    :param reason: `DELETED`, `NO_FRAME`, `SPACE`, `SCENE`, or a reason of the format.
    :param shape: Shape of an object, if it has one.
    """

    hash: str
    kind: str
    reason: str
    unit: str | None = None
    frame: int | None = None
    shape: str | None = None


@contextlib.contextmanager
def readable(row: LabelRow) -> Iterator[None]:
    """Convert errors in the content of a label row into one error that names the row.

    The content is not checked field by field: it may have a list instead of a dictionary, or a number that is too large
    for a column.

    :raises UnexpectedResponseError: The content does not have the form of Encord's label rows, or is not JSON.
    """
    try:
        yield
    except (*NOT_JSON, msgspec.ValidationError, *_OTHER_FORM) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        kind = "" if isinstance(error, NOT_JSON) else f"{type(error).__name__}: "
        raise UnexpectedResponseError(
            f"Label row {row.label_hash} (data {row.data_hash}) has content that this format does not support: "
            f"{kind}{reason}.",
            rows=[row.label_hash],
        ) from None


def records_of(row: LabelRow, records: Callable[[dict[str, Any]], Iterator[T]]) -> Iterator[T]:
    """The records of a label row, returned only after all of them could be made.

    So no file contains a part of an unreadable row. For a row with many records, the records are made twice instead of
    being kept in memory.

    :param records: Makes the records of the content; has no side effects.
    :raises UnexpectedResponseError: The content cannot be read; the error names the row.
    """
    with readable(row):
        document = row.decoded()
        first = list(itertools.islice(records(document), _MOST_KEPT))
        if len(first) == _MOST_KEPT:
            collections.deque(records(document), maxlen=0)
    yield from first if len(first) < _MOST_KEPT else records(document)


def annotations_of(
    row: Document, names: Names = NO_NAMES, *, classifications: bool = True
) -> Iterator[Annotation | LeftOut]:
    """The records of a label row: objects by data unit and frame, then classifications by hash and frame.

    :param row: A label row in Encord's format. Unknown keys are ignored.
    :param names: Names of the attributes and options in the project's ontology.
    :param classifications: Whether to include classifications. False returns one `LeftOut` for each of them.
    """
    frames = list(_frames(row))
    seen: set[str] = set()
    for place, labels in frames:
        for object_ in mappings(labels.get("objects")):
            seen.add(str(object_.get("objectHash")))
            yield _object(row, place, object_, names)
    for hash_ in row.get("object_answers") or {}:
        if hash_ not in seen:
            yield LeftOut(hash=hash_, kind=OBJECT, reason=NO_FRAME)
    entries = _entries(frames)
    answers: dict[str, Any] = dict(row.get("classification_answers") or {})
    for hash_ in [*answers, *(entry for entry in entries if entry not in answers)]:
        answer, found = answers.get(hash_) or {}, entries.get(hash_, [])
        if classifications:
            yield from _classification(row, frames, hash_, answer, found, names)
        else:
            yield LeftOut(hash=hash_, kind=CLASSIFICATION, reason=CLASSIFICATION)
    yield from _elsewhere(row, answers)


def places_of(row: Document) -> Iterator[Place]:
    """The images of a label row; for a video, the frames that have labels."""
    for place, _ in _frames(row):
        yield place


def _frames(row: Document) -> Iterator[tuple[Place, Document]]:
    units = mappings((row.get("data_units") or {}).values())
    for unit in sorted(units, key=lambda unit: _number(unit.get("data_sequence"))):
        labels = unit.get("labels") or {}
        if "objects" in labels or "classifications" in labels:
            yield _place(unit, _number(unit.get("data_sequence")), labels), labels
            continue
        for frame in sorted(labels, key=_number):
            if isinstance(labels[frame], Mapping):
                yield _place(unit, _number(frame), labels[frame]), labels[frame]


def _place(unit: Document, frame: int | None, labels: Document | None = None) -> Place:
    """A place. The size of a DICOM frame is stored with its labels."""
    stated = (labels or {}).get("metadata")
    metadata: Document = stated if isinstance(stated, Mapping) else {}
    return Place(
        unit=str(unit.get("data_hash")),
        unit_title=unit.get("data_title"),
        frame=frame,
        width=_whole(metadata.get("width")) or _whole(unit.get("width")),
        height=_whole(metadata.get("height")) or _whole(unit.get("height")),
    )


def _object(row: Document, place: Place, object_: Document, names: Names) -> Annotation | LeftOut:
    hash_ = str(object_.get("objectHash"))
    if object_.get("isDeleted"):
        return LeftOut(hash=hash_, kind=OBJECT, reason=DELETED, unit=place.unit, frame=place.frame)
    static = ((row.get("object_answers") or {}).get(hash_) or {}).get("classifications")
    dynamic = ((row.get("object_actions") or {}).get(hash_) or {}).get("actions")
    on_frame = [action for action in mappings(dynamic) if _within(place.frame or 0, action.get("range"))]
    geometry = {key: object_[key] for key in GEOMETRY_KEYS if key in object_}
    return _annotation(
        place, OBJECT, hash_, object_, object_.get("name"), names.answers([*mappings(static), *on_frame]), geometry
    )


def _classification(
    row: Document,
    frames: Sequence[tuple[Place, Document]],
    hash_: str,
    answer: Document,
    found: Sequence[tuple[Place, Document]],
    names: Names,
) -> Iterator[Annotation | LeftOut]:
    about = {**(found[0][1] if found else {}), **{key: value for key, value in answer.items() if value is not None}}
    if about.get("isDeleted"):
        yield LeftOut(hash=hash_, kind=CLASSIFICATION, reason=DELETED)
        return
    given = list(mappings(answer.get("classifications")))
    name = about.get("name") or (given[0].get("name") if given else None)
    answers = names.answers(given)
    for place in _places(row, frames, answer, found):
        yield _annotation(place, CLASSIFICATION, hash_, about, name, answers, {})


def _places(
    row: Document,
    frames: Sequence[tuple[Place, Document]],
    answer: Document,
    found: Sequence[tuple[Place, Document]],
) -> Iterator[Place]:
    """The places of a classification: the frames of its ranges, else the frames of older SDKs, else the data unit."""
    ranges = _merged(answer.get("range"))
    if sum(max(0, last - first + 1) for first, last in ranges) > _MOST_FRAMES:
        raise ValueError(f"a classification is on more than {_MOST_FRAMES} frames")
    if ranges:
        yield from _ranged(row, frames, ranges)
    elif found:
        yield from (place for place, _ in found)
    else:
        units = list(mappings((row.get("data_units") or {}).values()))
        whole = units[0] if len(units) == 1 else row
        yield _place(whole, 0 if row.get("data_type") == IMAGE else None)


def _elsewhere(row: Document, answers: Mapping[str, Any]) -> Iterator[LeftOut]:
    """The items that are never converted to records: those in the spaces of data groups, and in scenes."""
    for hash_, answer in answers.items():
        if isinstance(answer, Mapping) and answer.get("spaces"):
            yield LeftOut(hash=hash_, kind=CLASSIFICATION, reason=SPACE)
    for hash_, space in (row.get("spaces") or {}).items():
        if space and (not isinstance(space, Mapping) or space.get("labels")):
            yield LeftOut(hash=str(hash_), kind=SPACE, reason=SPACE)
    if row.get("scene"):
        yield LeftOut(hash=str(row.get("data_hash")), kind=SCENE, reason=SCENE)


def _entries(frames: Iterable[tuple[Place, Document]]) -> dict[str, list[tuple[Place, Document]]]:
    """Classifications in the format of older SDKs, by hash."""
    found: dict[str, list[tuple[Place, Document]]] = {}
    for place, labels in frames:
        for classification in mappings(labels.get("classifications")):
            found.setdefault(str(classification.get("classificationHash")), []).append((place, classification))
    return found


def _ranged(
    row: Document, frames: Sequence[tuple[Place, Document]], ranges: Sequence[tuple[int, int]]
) -> Iterator[Place]:
    """The places of frame ranges, including both ends. A frame of a video may have no other labels."""
    units = list(mappings((row.get("data_units") or {}).values()))
    known = {place.frame: place for place, _ in frames}
    single = row.get("data_type") == IMAGE
    for first, last in ranges:
        for frame in range(max(0, first), min(last, 0) + 1 if single else last + 1):
            if frame in known:
                yield known[frame]
            elif len(units) == 1:
                yield _place(units[0], frame)


def _merged(ranges: Any) -> list[tuple[int, int]]:
    """The ranges in order, with overlapping ranges merged."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(_pairs(ranges)):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _pairs(ranges: Any) -> Iterator[tuple[int, int]]:
    for pair in ranges if isinstance(ranges, list | tuple) else ():
        if isinstance(pair, list | tuple) and len(pair) == 2:
            yield _number(pair[0]), _number(pair[1])


def _annotation(
    place: Place,
    kind: str,
    hash_: str,
    about: Document,
    name: str | None,
    answers: dict[str, Any],
    geometry: dict[str, Any],
) -> Annotation:
    confidence = about.get("confidence")
    return Annotation(
        place=place,
        kind=kind,
        hash=hash_,
        feature_hash=_string(about.get("featureHash")),
        name=_string(name),
        shape=_string(about.get("shape")),
        geometry=geometry,
        answers=answers,
        confidence=float(confidence) if isinstance(confidence, int | float) else None,
        manual=about.get("manualAnnotation"),
        created_by=about.get("createdBy"),
        created_at=_time(about.get("createdAt")),
        last_edited_by=about.get("lastEditedBy"),
        last_edited_at=_time(about.get("lastEditedAt")),
    )


def _within(frame: int, ranges: Any) -> bool:
    return any(first <= frame <= last for first, last in _pairs(ranges))


def _string(value: Any) -> str | None:
    """A text; None for other values."""
    return value if isinstance(value, str) else None


def _time(text: Any) -> datetime.datetime | None:
    """A time; None for values that are not in a known format."""
    return _time_of(text) if isinstance(text, str) and text.strip() else None


@functools.lru_cache(maxsize=10_000)  # an editor's session gives many annotations the same times
def _time_of(text: str) -> datetime.datetime | None:
    try:
        return parse_time(text).astimezone(datetime.UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _number(value: Any) -> int:
    """The number of a frame or image, which Encord sends as a number or as text; 0 if it is missing."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and value > 0 else None
