"""Samples: an image or frame with its file and its labels. Made row by row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from airflow_provider_encord.exports.formats.annotations import (
    CLASSIFICATION,
    IMAGES,
    OBJECT,
    OTHER_FORM,
    Annotation,
    LeftOut,
    Place,
    annotations_of,
    places_of,
)
from airflow_provider_encord.exports.formats.answers import Names
from airflow_provider_encord.exports.formats.surfaces import IMAGE

NO_MEDIA = "its file was not pulled"
OTHER_SIZE = "its file has another width or height than its labels"
NOT_READABLE = "its content does not have the form of label rows"
NOT_AN_IMAGE = "it is not on an image or frame"


class File(msgspec.Struct, frozen=True):
    """A pulled file.

    :param path: Its path in the directory of the media.
    :param width: Width in pixels, as the report of the media states it.
    :param bytes: Its size, as the report states it.
    """

    path: str
    sha256: str | None
    mime_type: str | None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """An image or frame.

    :param data_hash: Data hash of the label row.
    :param name: Name for files of the training set, without extension; unique.
    :param is_alone: Whether its data unit is a single image: it is in no video and no group.
    :param frame_rate: Frames per second of its video; None for images, or if Encord does not state it.
    """

    data_hash: str
    label_hash: str
    place: Place
    file: File
    name: str
    objects: list[Annotation]
    classifications: list[Annotation]
    is_alone: bool = True
    frame_rate: float | None = None

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels; None if Encord does not state them."""
        width, height = self.place.width, self.place.height
        return (width, height) if width and height else None


class Files(Protocol):
    """Knows where files are."""

    def find(self, unit: str, frame: int | None) -> File | None:
        """The file of a unit or frame; None if it was not pulled."""


class Filter(Protocol):
    """Returns why something is filtered out; None if it is kept."""

    def of_row(self, data_hash: str) -> str | None:
        """Why a data unit is."""

    def of_image(self, classifications: Sequence[Annotation]) -> str | None:
        """Why an image with these classifications is."""

    def of_object(self, object_: Annotation) -> str | None:
        """Why an object is."""


def samples_of(row: Mapping[str, Any], names: Names, media: Files, filters: Filter) -> Iterator[Sample | LeftOut]:
    """The samples of a label row, and the labels that are in none.

    An image without labels is a sample, too: it says that there is nothing to find. Of a video, only frames with labels
    are samples, because the others may not have been looked at. A classification of a whole row is on all its samples.
    """
    reason = filters.of_row(str(row.get("data_hash")))
    if reason is not None:
        yield LeftOut(hash=str(row.get("label_hash")), kind="label_row", reason=reason)
        return
    document = dict(row)
    places: dict[tuple[str, int | None], Place] = {}
    found: dict[tuple[str, int | None], list[Annotation]] = {}
    whole: list[Annotation] = []
    try:
        annotations = list(annotations_of(document, names))
        images = list(places_of(document)) if document.get("data_type") in IMAGES else []
    except OTHER_FORM:
        yield LeftOut(hash=str(document.get("label_hash")), kind="label_row", reason=NOT_READABLE)
        return
    for place in images:
        places.setdefault(_key(place), place)
    for annotation in annotations:
        if isinstance(annotation, LeftOut):
            yield annotation
        elif _is_whole(annotation):
            whole.append(annotation)
        elif annotation.place.frame is None:
            yield left_out(annotation, NOT_AN_IMAGE)
        else:
            places.setdefault(_key(annotation.place), annotation.place)
            found.setdefault(_key(annotation.place), []).append(annotation)
    if not places:
        yield from (left_out(annotation, NOT_AN_IMAGE) for annotation in whole)
    for key, place in sorted(places.items(), key=lambda item: item[1].frame or 0):  # those of a video in its order
        here = [msgspec.structs.replace(annotation, place=place) for annotation in whole]
        yield from _sample(document, place, found.get(key, []) + here, media, filters)


def _is_whole(annotation: Annotation) -> bool:
    """Whether it is a classification of all that a row has, and not of a range of it."""
    return annotation.kind == CLASSIFICATION and annotation.place.frame is None and annotation.place.span is None


def _sample(
    row: Mapping[str, Any], place: Place, annotations: Sequence[Annotation], media: Files, filters: Filter
) -> Iterator[Sample | LeftOut]:
    classifications = [annotation for annotation in annotations if annotation.kind != OBJECT]
    reason = filters.of_image(classifications)
    if reason is not None:
        yield _image_left_out(place, reason)
        return
    is_frame = row.get("data_type") not in IMAGES
    file = media.find(place.unit, place.frame if is_frame else None)
    if file is None or _differ(file, place):
        reason = NO_MEDIA if file is None else OTHER_SIZE
        yield from (left_out(annotation, reason) for annotation in annotations)
        if not annotations:
            yield _image_left_out(place, reason)
        return
    objects: list[Annotation] = []
    for annotation in annotations:
        if annotation.kind != OBJECT:
            continue
        reason = filters.of_object(annotation)
        if reason is None:
            objects.append(annotation)
        else:
            yield left_out(annotation, reason)
    yield Sample(
        data_hash=str(row.get("data_hash")),
        label_hash=str(row.get("label_hash")),
        place=place,
        file=file,
        name=f"{place.unit}-{place.frame:06d}" if is_frame else place.unit,
        objects=objects,
        classifications=classifications,
        is_alone=row.get("data_type") == IMAGE,
        frame_rate=_frame_rate(row, place),
    )


def _image_left_out(place: Place, reason: str) -> LeftOut:
    return LeftOut(hash=place.unit, kind="image", reason=reason, unit=place.unit, frame=place.frame)


def _frame_rate(row: Mapping[str, Any], place: Place) -> float | None:
    unit = (row.get("data_units") or {}).get(place.unit)
    rate = unit.get("data_fps") if isinstance(unit, Mapping) else None
    return float(rate) if isinstance(rate, int | float) and 0 < rate < math.inf else None


def _differ(file: File, place: Place) -> bool:
    """Whether a file has another size than the one that labels refer to. Labels would be at wrong places."""
    known = all((file.width, file.height, place.width, place.height))
    return known and (file.width, file.height) != (place.width, place.height)


def left_out(annotation: Annotation, reason: str) -> LeftOut:
    """An annotation that is not in the training set.

    :param reason: Why.
    """
    return LeftOut(
        hash=annotation.hash,
        kind=annotation.kind,
        reason=reason,
        unit=annotation.place.unit,
        frame=annotation.place.frame,
        shape=annotation.shape,
    )


def _key(place: Place) -> tuple[str, int | None]:
    return place.unit, place.frame
