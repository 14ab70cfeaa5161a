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
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.client.errors import UnexpectedResponseError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.exports.formats.answers import NO_NAMES, Document, Names, mappings
from airflow_provider_encord.exports.formats.surfaces import IMAGES as IMAGES
from airflow_provider_encord.exports.formats.surfaces import ROOT, entries_of, frames_of, root_of
from airflow_provider_encord.exports.formats.surfaces import Place as Place
from airflow_provider_encord.exports.formats.values import string, time_of, within

OBJECT = "object"
CLASSIFICATION = "classification"
DELETED = "deleted"
NO_FRAME = "no frame"
SPACE = "space"
SCENE = "scene"

T = TypeVar("T")
_MOST_KEPT = 10_000  # records of one label row
OTHER_FORM = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)

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
    "segmentation",
)


class Annotation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An object or a classification on one frame.

    :param kind: `OBJECT` or `CLASSIFICATION`.
    :param hash: Hash of the object or classification; the same on all its frames.
    :param shape: Shape of an object, such as ``"bounding_box"``.
    :param geometry: Geometry of an object in Encord's format.
    :param answers: Answers on this frame by attribute name: text, a number, or the names of the chosen options.
    :param interpolation: How an object of a scene moves until its next record: ``"hold"`` or ``"linear"``.
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
    interpolation: str | None = None


class LeftOut(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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
    except (*NOT_JSON, msgspec.ValidationError, *OTHER_FORM) as error:
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
    root = root_of(row)
    seen: set[str] = set()
    for place, labels in root.frames:
        for object_ in mappings(labels.get("objects")):
            seen.add(str(object_.get("objectHash")))
            yield object_at(row, place, object_, names)
    for hash_ in row.get("object_answers") or {}:
        if hash_ not in seen:
            yield LeftOut(hash=hash_, kind=OBJECT, reason=NO_FRAME)
    entries = entries_of(root.frames)
    answers: dict[str, Any] = dict(row.get("classification_answers") or {})
    for hash_ in [*answers, *(entry for entry in entries if entry not in answers)]:
        answer, found = answers.get(hash_) or {}, entries.get(hash_, [])
        if classifications:
            yield from classification_at(root.places(answer.get("range"), found), hash_, answer, found, names)
        else:
            yield LeftOut(hash=hash_, kind=CLASSIFICATION, reason=CLASSIFICATION)
    yield from _elsewhere(row, answers)


def places_of(row: Document) -> Iterator[Place]:
    """The images of a label row; for a video, the frames that have labels."""
    for place, _ in frames_of(row):
        yield place


def object_at(row: Document, place: Place, object_: Document, names: Names) -> Annotation | LeftOut:
    """An object at a place, with its answers there."""
    hash_ = str(object_.get("objectHash"))
    if object_.get("isDeleted"):
        return LeftOut(hash=hash_, kind=OBJECT, reason=DELETED, unit=place.unit, frame=place.frame)
    static = ((row.get("object_answers") or {}).get(hash_) or {}).get("classifications")
    dynamic = ((row.get("object_actions") or {}).get(hash_) or {}).get("actions")
    given = [*mappings(static), *(action for action in mappings(dynamic) if _is_at(place, action))]
    geometry = {key: object_[key] for key in GEOMETRY_KEYS if key in object_}
    answers = names.answers(given) if given else {}
    return annotation_at(place, OBJECT, hash_, object_, object_.get("name"), answers, geometry)


def _is_at(place: Place, action: Document) -> bool:
    """Whether a dynamic answer applies at a place; on a range, whether it applies where the range starts."""
    moment = place.frame or 0 if place.span is None else place.span.start
    space = action.get("spaceId")
    elsewhere = space is not None and space != (place.space or ROOT)
    return not elsewhere and within(moment, action.get("range"))


def classification_at(
    places: Iterable[Place],
    hash_: str,
    answer: Document,
    found: Sequence[tuple[Place, Document]],
    names: Names,
) -> Iterator[Annotation | LeftOut]:
    """A classification on each of some places.

    :param answer: Its entry in `classification_answers`; empty if it has none.
    :param found: Its entries on frames, as older SDKs write them.
    """
    about = {**(found[0][1] if found else {}), **{key: value for key, value in answer.items() if value is not None}}
    if about.get("isDeleted"):
        yield LeftOut(hash=hash_, kind=CLASSIFICATION, reason=DELETED)
        return
    given = list(mappings(answer.get("classifications")))
    name = about.get("name") or (given[0].get("name") if given else None)
    answers = names.answers(given)
    for place in places:
        yield annotation_at(place, CLASSIFICATION, hash_, about, name, answers, {})


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


def annotation_at(
    place: Place,
    kind: str,
    hash_: str,
    about: Document,
    name: str | None,
    answers: dict[str, Any],
    geometry: dict[str, Any],
) -> Annotation:
    """An annotation at a place.

    :param about: The object with its author and confidence.
    """
    confidence = about.get("confidence")
    return Annotation(
        place=place,
        kind=kind,
        hash=hash_,
        feature_hash=string(about.get("featureHash")),
        name=string(name),
        shape=string(about.get("shape")),
        geometry=geometry,
        answers=answers,
        confidence=float(confidence) if isinstance(confidence, int | float) else None,
        manual=about.get("manualAnnotation"),
        created_by=about.get("createdBy"),
        created_at=time_of(about.get("createdAt")),
        last_edited_by=about.get("lastEditedBy"),
        last_edited_at=time_of(about.get("lastEditedAt")),
        interpolation=string(about.get("interpolate")),
    )
