"""All annotations of a label row as flat records, also those that are not on a frame of a data unit.

`annotations_of` returns what is on frames. This module adds the ranges of sounds, texts, HTML and time series, the
spaces of data groups, and scenes (protocol, sections 7.21 and 7.22). What has no place is returned as a `LeftOut`.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.exports.formats.annotations import (
    CLASSIFICATION,
    DELETED,
    NO_FRAME,
    OBJECT,
    SPACE,
    Annotation,
    LeftOut,
    classification_at,
    object_at,
)
from airflow_provider_encord.exports.formats.answers import NO_NAMES, Document, Names, mappings
from airflow_provider_encord.exports.formats.spaces import is_continuous, is_readable, surfaces_of, unlisted
from airflow_provider_encord.exports.formats.surfaces import (
    AXIS,
    CHARACTERS,
    MILLISECONDS,
    ROOT,
    Place,
    Span,
    Surface,
    entries_of,
)
from airflow_provider_encord.exports.formats.values import merged, string

MALFORMED_RANGE = "malformed range"

_UNITS_OF_SHAPES = {"audio": MILLISECONDS, "text": CHARACTERS, "time_range": AXIS}
_END_OF_OBJECT = "delete"


def annotations_everywhere(row: Document, names: Names = NO_NAMES) -> Iterator[Annotation | LeftOut]:
    """All records of a label row: objects on frames, objects on ranges, then classifications.

    For a row without ranges, spaces and scenes they are those of `annotations_of`.

    :param row: A label row in Encord's format. Unknown keys are ignored.
    :param names: Names of the attributes and options in the project's ontology.
    """
    reading = _Row(row, names)
    yield from reading.objects_on_frames()
    yield from reading.objects_on_ranges()
    yield from reading.classifications()
    for id_, space in (row.get("spaces") or {}).items():
        if space and not is_readable(space):
            yield LeftOut(hash=str(id_), kind=SPACE, reason=SPACE)


class _Row:
    """A label row that is being read."""

    def __init__(self, row: Document, names: Names):
        self._row, self._names = row, names
        self._surfaces = surfaces_of(row)
        self._seen: set[tuple[str, str]] = set()

    def objects_on_frames(self) -> Iterator[Annotation | LeftOut]:
        """The objects of all surfaces, by surface and frame."""
        for id_, surface in self._surfaces.items():
            ends = _ends_of(surface) if id_ == ROOT and is_continuous(self._row) else None
            for place, labels in surface.frames:
                for object_ in mappings(labels.get("objects")):
                    if ends is not None and object_.get("event") == _END_OF_OBJECT:
                        continue  # only the end of the record before it; its geometry means nothing
                    hash_ = str(object_.get("objectHash"))
                    self._seen.add((hash_, id_))
                    where = place if ends is None else _until(place, ends.get(hash_, ()))
                    yield object_at(self._row, where, object_, self._names)

    def objects_on_ranges(self) -> Iterator[Annotation | LeftOut]:
        """The objects whose ranges are with their answers. Those without any place are left out."""
        drawn = {hash_ for hash_, _ in self._seen}
        for hash_, answer in (self._row.get("object_answers") or {}).items():
            found = list(self._ranged(hash_, answer)) if isinstance(answer, Mapping) else []
            yield from found
            if not found and hash_ not in drawn:
                yield LeftOut(hash=hash_, kind=OBJECT, reason=NO_FRAME)

    def _ranged(self, hash_: str, answer: Document) -> Iterator[Annotation | LeftOut]:
        unit = _UNITS_OF_SHAPES.get(str(answer.get("shape")))
        for id_, ranges in _ranges_by_space(answer):
            if not ranges or (hash_, id_) in self._seen:
                continue
            if answer.get("isDeleted"):
                yield LeftOut(hash=hash_, kind=OBJECT, reason=DELETED)
                return
            surface = self._surface(id_)
            spans, malformed = spans_of(ranges, unit or surface.unit)
            for span in spans:
                place = msgspec.structs.replace(surface.whole, frame=None, span=span)
                yield object_at(self._row, place, {**answer, "objectHash": hash_}, self._names)
            for _ in range(malformed):
                yield LeftOut(hash=hash_, kind=OBJECT, reason=MALFORMED_RANGE, shape=string(answer.get("shape")))

    def classifications(self) -> Iterator[Annotation | LeftOut]:
        """The classifications of all surfaces, by hash."""
        entries = {id_: entries_of(surface.frames) for id_, surface in self._surfaces.items()}
        answers: dict[str, Any] = dict(self._row.get("classification_answers") or {})
        older = dict.fromkeys(hash_ for by_hash in entries.values() for hash_ in by_hash)
        for hash_ in [*answers, *(entry for entry in older if entry not in answers)]:
            answer = answers.get(hash_) or {}
            found = {id_: by_hash[hash_] for id_, by_hash in entries.items() if hash_ in by_hash}
            about = next(iter(found.values()), [])
            records = classification_at(self._places(answer, found), hash_, answer, about, self._names)
            first = next(records, None)
            if first is None:
                yield LeftOut(hash=hash_, kind=CLASSIFICATION, reason=NO_FRAME)
                continue
            yield first
            yield from records

    def _places(self, answer: Document, found: Mapping[str, list[tuple[Place, Document]]]) -> Iterator[Place]:
        """The places of a classification. Its own range is always on the data units, never on a space."""
        placed = _mapping(answer.get("spaces"))
        spaces = {id_: about for id_, about in placed.items() if id_ != ROOT}
        if answer.get("range") or ROOT in found or not (spaces or found):
            yield from self._surfaces[ROOT].places(answer.get("range"), found.get(ROOT, ()))
        for id_, about in spaces.items():
            yield from self._surface(id_).places(_mapping(about).get("range"), found.get(id_, ()))
        for id_, entries in found.items():
            if id_ != ROOT and id_ not in spaces:
                yield from (place for place, _ in entries)

    def _surface(self, id_: str) -> Surface:
        return self._surfaces.get(id_) or unlisted(self._row, self._surfaces[ROOT], id_)


def spans_of(ranges: Any, unit: str | None) -> tuple[list[Span], int]:
    """Ranges of data without frames, in order and with overlapping ranges merged.

    :param ranges: Pairs of numbers; in HTML, of positions in nodes.
    :param unit: What they count; None if that is not known.
    :return: The ranges, and the number of those that cannot be read.
    """
    if unit is None or not isinstance(ranges, list):
        return [], 1
    numbers = [pair for pair in ranges if _is_pair_of_numbers(pair)]
    in_nodes = [span for span in map(functools.partial(_in_nodes, unit=unit), ranges) if span is not None]
    spans = [Span(start=first, end=last, unit=unit) for first, last in merged(numbers)]
    return [*spans, *in_nodes], len(ranges) - len(numbers) - len(in_nodes)


def _ranges_by_space(answer: Document) -> Iterator[tuple[str, Any]]:
    yield ROOT, answer.get("range_html") or answer.get("range")
    for id_, about in _mapping(answer.get("spaces")).items():
        if id_ != ROOT:
            yield id_, _mapping(about).get("range")


def _is_pair_of_numbers(pair: Any) -> bool:
    if not isinstance(pair, list) or len(pair) != 2:
        return False
    return all(isinstance(one, int) or (isinstance(one, float) and one.is_integer()) for one in pair)


def _in_nodes(pair: Any, unit: str) -> Span | None:
    """A range of HTML: ``{"start": position, "end": position}``, or in spaces a pair of positions."""
    start, end = (
        (pair.get("start"), pair.get("end"))
        if isinstance(pair, Mapping)
        else pair
        if isinstance(pair, list) and len(pair) == 2
        else (None, None)
    )
    first, last = _mapping(start), _mapping(end)
    if not all(isinstance(one.get("offset"), int) and isinstance(one.get("xpath"), str) for one in (first, last)):
        return None
    return Span(
        start=first["offset"], end=last["offset"], unit=unit, start_xpath=first["xpath"], end_xpath=last["xpath"]
    )


def _ends_of(surface: Surface) -> dict[str, list[int]]:
    """The times of each object's records in a scene, in order."""
    times: dict[str, list[int]] = {}
    for place, labels in surface.frames:
        for object_ in mappings(labels.get("objects")):
            if place.span is not None:
                times.setdefault(str(object_.get("objectHash")), []).append(place.span.start)
    return times


def _until(place: Place, times: Sequence[int]) -> Place:
    """The place of an object that stays until its next record."""
    if place.span is None:
        return place
    later = bisect.bisect_right(times, place.span.start)
    end = times[later] - 1 if later < len(times) else None
    return msgspec.structs.replace(place, span=msgspec.structs.replace(place.span, end=end))


def _mapping(value: Any) -> Document:
    return value if isinstance(value, Mapping) else {}
