"""The surfaces of a label row that have labels: its data units, frame by frame. The spaces are in `spaces`.

A `Place` is where an annotation is: on an image, on a frame, on a range of a sound or text, or on the whole data unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.exports.formats.answers import Document, mappings
from airflow_provider_encord.exports.formats.values import merged, number_of, string, whole

IMAGE = "image"
IMAGES = (IMAGE, "img_group")
"""The types of label rows whose data units are images."""
ROOT = "root"  # the space id of the data units themselves
MILLISECONDS = "milliseconds"
CHARACTERS = "characters"
NANOSECONDS = "nanoseconds"
AXIS = "axis"  # of a time series
UNITS_OF_DATA = {"audio": MILLISECONDS, "time_series": AXIS, "plain_text": CHARACTERS}

_MOST_FRAMES = 10_000_000  # of one classification: some 46 hours of video


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A range of data without frames. Both ends are included.

    :param start: In `unit`. In HTML, the offset in the node `start_xpath`.
    :param end: None if the range has no end.
    :param unit: `MILLISECONDS`, `CHARACTERS`, `NANOSECONDS` or `AXIS`.
    """

    start: int
    end: int | None
    unit: str
    start_xpath: str | None = None
    end_xpath: str | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An image, a frame of a video, or a range.

    :param unit: Data hash of the data unit; in an image group or data group, that of the image or file.
    :param unit_title: Title of the data unit.
    :param frame: Number of the frame; in an image group, number of the image. None for the whole data unit.
    :param width: Width in pixels; None for data without pixels, such as text.
    :param span: The range; None for the whole data unit, and for frames.
    :param space: Id of the space; None outside of spaces.
    :param space_type: Type of the space, such as ``"audio"``.
    :param layout_key: Key of the file in the layout of its data group.
    :param stream: Id of the sensor's stream, in scenes.
    :param instance_uid: DICOM instance UID of the slice.
    """

    unit: str
    unit_title: str | None
    frame: int | None
    width: int | None
    height: int | None
    span: Span | None = None
    space: str | None = None
    space_type: str | None = None
    layout_key: str | None = None
    stream: str | None = None
    instance_uid: str | None = None


class Surface(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has labels: the data units of a row, or one of its spaces.

    :param whole: The place of what is on all of it.
    :param frames: Its frames that have labels, in order.
    :param at: Returns the place of a frame that has no labels, or None if there is no such frame. None if the surface
        has no frames, as an image or point cloud of a scene.
    :param unit: What its ranges count; None if they are ranges of frames.
    :param single: Whether only frame 0 exists.
    """

    whole: Place
    frames: Sequence[tuple[Place, Document]]
    at: Callable[[int], Place | None] | None
    unit: str | None = None
    single: bool = False

    def places(self, ranges: Any, found: Sequence[tuple[Place, Document]]) -> Iterator[Place]:
        """The places of a classification: those of its ranges, else the frames of older SDKs, else the whole.

        :param found: Its entries on frames, as older SDKs write them.
        :raises ValueError: It is on more frames than a row can have.
        """
        joined = merged(ranges)
        if self.unit in UNITS_OF_DATA.values():  # frame 0 of a sound or text, as SDKs may write it, is all of it
            joined, found = [] if joined == [(0, 0)] else joined, ()
        if joined and self.unit is not None:
            for first, last in joined:
                yield msgspec.structs.replace(self.whole, span=Span(start=first, end=last, unit=self.unit))
        elif joined and self.at is not None:
            yield from self._on_frames(joined, self.at)
        elif found and not joined:
            yield from (place for place, _ in found)
        else:
            yield self.whole

    def _on_frames(self, ranges: Sequence[tuple[int, int]], at: Callable[[int], Place | None]) -> Iterator[Place]:
        """The places of frame ranges, including both ends. A frame of a video may have no other labels."""
        if sum(max(0, last - first + 1) for first, last in ranges) > _MOST_FRAMES:
            raise ValueError(f"a classification is on more than {_MOST_FRAMES} frames")
        known = {place.frame: place for place, _ in self.frames}
        for first, last in ranges:
            for frame in range(max(0, first), min(last, 0) + 1 if self.single else last + 1):
                place = known.get(frame) or at(frame)
                if place is not None:
                    yield place


def root_of(row: Document) -> Surface:
    """The data units of a label row, without its spaces."""
    units = list(mappings((row.get("data_units") or {}).values()))
    frames = list(frames_of(row))
    single = row.get("data_type") == IMAGE
    return Surface(
        whole=place_in(units[0] if len(units) == 1 else row, 0 if single else None),
        frames=frames,
        at=lambda frame: place_in(units[0], frame) if len(units) == 1 else None,
        single=single,
    )


def frames_of(row: Document) -> Iterator[tuple[Place, Document]]:
    """The images of a label row with their labels, also those without any; for a video, the frames that have labels."""
    units = mappings((row.get("data_units") or {}).values())
    of_images = row.get("data_type") in IMAGES
    for unit in sorted(units, key=lambda unit: number_of(unit.get("data_sequence"))):
        labels = unit.get("labels") or {}
        if "objects" in labels or "classifications" in labels or (of_images and not labels):
            yield place_in(unit, number_of(unit.get("data_sequence")), labels), labels
            continue
        for frame in sorted(labels, key=number_of):
            if isinstance(labels[frame], Mapping):
                yield place_in(unit, number_of(frame), labels[frame]), labels[frame]


def place_in(unit: Document, frame: int | None, labels: Document | None = None) -> Place:
    """A place in a data unit. The size of a DICOM frame is stored with its labels."""
    stated = (labels or {}).get("metadata")
    metadata: Document = stated if isinstance(stated, Mapping) else {}
    return Place(
        unit=str(unit.get("data_hash")),
        unit_title=unit.get("data_title"),
        frame=frame,
        width=whole(metadata.get("width")) or whole(unit.get("width")),
        height=whole(metadata.get("height")) or whole(unit.get("height")),
        instance_uid=string(metadata.get("dicom_instance_uid") or metadata.get("dicomInstanceUid")),
    )


def entries_of(frames: Iterable[tuple[Place, Document]]) -> dict[str, list[tuple[Place, Document]]]:
    """Classifications in the format of older SDKs, by hash."""
    found: dict[str, list[tuple[Place, Document]]] = {}
    for place, labels in frames:
        for classification in mappings(labels.get("classifications")):
            found.setdefault(str(classification.get("classificationHash")), []).append((place, classification))
    return found
