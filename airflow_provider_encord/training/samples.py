"""Samples: an image or frame with its file and its labels. Made row by row."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from airflow_provider_encord.exports.formats.annotations import (
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
_SINGLE = ("image", "img_group")


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


def samples_of(row: Mapping[str, Any], names: Names, media: Files) -> Iterator[Sample | LeftOut]:
    """The samples of a label row, and the labels that are in none.

    An image without labels is a sample, too: it says that there is nothing to find. Of a video, only frames with labels
    are samples, because the others may not have been looked at.
    """
    document = dict(row)
    places: dict[tuple[str, int | None], Place] = {}
    found: dict[tuple[str, int | None], list[Annotation]] = {}
    try:
        annotations = list(annotations_of(document, names))
        images = list(places_of(document)) if document.get("data_type") in _SINGLE else []
    except OTHER_FORM:
        yield LeftOut(hash=str(document.get("label_hash")), kind="label_row", reason=NOT_READABLE)
        return
    for place in images:
        places.setdefault(_key(place), place)
    for annotation in annotations:
        if isinstance(annotation, LeftOut):
            yield annotation
        elif annotation.place.frame is None:
            yield left_out(annotation, NOT_AN_IMAGE)
        else:
            places.setdefault(_key(annotation.place), annotation.place)
            found.setdefault(_key(annotation.place), []).append(annotation)
    for key, place in sorted(places.items(), key=lambda item: item[1].frame or 0):  # those of a video in its order
        yield from _sample(document, place, found.get(key, []), media)


def _sample(
    row: Mapping[str, Any], place: Place, annotations: Iterable[Annotation], media: Files
) -> Iterator[Sample | LeftOut]:
    annotations = list(annotations)
    is_frame = row.get("data_type") not in _SINGLE
    file = media.find(place.unit, place.frame if is_frame else None)
    if file is None or _differ(file, place):
        reason = NO_MEDIA if file is None else OTHER_SIZE
        yield from (left_out(annotation, reason) for annotation in annotations)
        if not annotations:
            yield LeftOut(hash=place.unit, kind="image", reason=reason, unit=place.unit, frame=place.frame)
        return
    yield Sample(
        data_hash=str(row.get("data_hash")),
        label_hash=str(row.get("label_hash")),
        place=place,
        file=file,
        name=f"{place.unit}-{place.frame:06d}" if is_frame else place.unit,
        objects=[annotation for annotation in annotations if annotation.kind == OBJECT],
        classifications=[annotation for annotation in annotations if annotation.kind != OBJECT],
        is_alone=row.get("data_type") == IMAGE,
        frame_rate=_frame_rate(row, place),
    )


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
