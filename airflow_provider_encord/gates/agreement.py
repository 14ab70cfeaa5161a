"""How far annotators agree about the same data unit: the same objects in the same places, the same answers."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.exports.formats.annotations import OBJECT, Annotation
from airflow_provider_encord.exports.formats.geometry import Box, MalformedGeometryError, box_of, size_of

NEAR = 0.02
"""How far apart the edges of two bounding boxes without area may be, as a share of the larger side of the image."""

Frame = tuple[str, int | None]


class Tally(msgspec.Struct):
    """Agreement of annotations: `matched` of `annotations`, counted on both sides."""

    matched: int = 0
    annotations: int = 0

    def add(self, matched: int, annotations: int) -> None:
        """Count annotations."""
        self.matched += matched
        self.annotations += annotations

    @property
    def share(self) -> float | None:
        """From 0 to 1; None without annotations."""
        return self.matched / self.annotations if self.annotations else None


def compare(one: Sequence[Annotation], other: Sequence[Annotation], min_iou: float) -> dict[str, Tally]:
    """Compare the annotations of two annotators on one data unit.

    An object is matched if the other annotator has an object of the same class on the same frame, whose bounding box
    overlaps with its box by at least `min_iou` (intersection over union), and which has the same answers. The bounding
    boxes of points and of horizontal and vertical lines have no area; if one of the boxes has none, their edges must be
    at most `NEAR` apart instead. Each object is matched at most once, the largest overlap first. A classification is
    matched by one with the same answers on the same frame. The share of matched annotations is the F1 score, which is
    the same from both sides.

    :return: By class.
    """
    found: dict[str, Tally] = collections.defaultdict(Tally)
    sides = [_by_frame_and_class(side) for side in (one, other)]
    for key in sides[0].keys() | sides[1].keys():
        first, second = sides[0].get(key, []), sides[1].get(key, [])
        matched = _matched_objects(first, second, min_iou) if key[1] == OBJECT else _matched_answers(first, second)
        found[key[2]].add(2 * matched, len(first) + len(second))
    return dict(found)


def _by_frame_and_class(annotations: Sequence[Annotation]) -> Mapping[tuple[Frame, str, str], list[Annotation]]:
    found = collections.defaultdict(list)
    for annotation in annotations:
        frame = (annotation.place.unit, annotation.place.frame)
        found[frame, annotation.kind, annotation.name or str(annotation.feature_hash)].append(annotation)
    return found


def _matched_objects(one: Sequence[Annotation], other: Sequence[Annotation], min_iou: float) -> int:
    pairs = [
        (likeness, first, second)
        for (first, left), (second, right) in itertools.product(enumerate(one), enumerate(other))
        if left.answers == right.answers and (likeness := _likeness(left, right, min_iou)) is not None
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    taken: tuple[set[int], set[int]] = (set(), set())
    for _, first, second in pairs:
        if first not in taken[0] and second not in taken[1]:
            taken[0].add(first)
            taken[1].add(second)
    return len(taken[0])


def _matched_answers(one: Sequence[Annotation], other: Sequence[Annotation]) -> int:
    remaining = [annotation.answers for annotation in other]
    matched = 0
    for annotation in one:
        if annotation.answers in remaining:
            remaining.remove(annotation.answers)
            matched += 1
    return matched


def _likeness(one: Annotation, other: Annotation, min_iou: float) -> float | None:
    """How much two objects are alike, up to 1; None if they do not match."""
    boxes = _box(one), _box(other)
    if not any(isinstance(box, Mapping) for box in boxes) and any(box[2] * box[3] == 0 for box in boxes):
        farthest = distance(*boxes) / max(size_of(one))
        return 1.0 - farthest if farthest <= NEAR else None
    overlap = iou(*boxes)
    return overlap if overlap >= min_iou else None


def distance(one: Box, other: Box) -> float:
    """How far apart the edges of two bounding boxes are at most. Of points, in x or in y."""
    return max(
        abs(one[0] - other[0]),
        abs(one[1] - other[1]),
        abs(one[0] + one[2] - other[0] - other[2]),
        abs(one[1] + one[3] - other[1] - other[3]),
    )


def _box(annotation: Annotation) -> Any:
    """The bounding box; without one (such as a cuboid), the geometry, which must be equal."""
    try:
        return box_of(annotation) or annotation.geometry
    except MalformedGeometryError:
        return annotation.geometry


def iou(one: Box | Mapping[str, Any], other: Box | Mapping[str, Any]) -> float:
    """Intersection over union of two bounding boxes. Other geometries have 1 if they are equal, else 0."""
    if isinstance(one, Mapping) or isinstance(other, Mapping):
        return float(one == other)
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if one == other:
        return 1.0
    common = max(width, 0.0) * max(height, 0.0)
    union = one[2] * one[3] + other[2] * other[3] - common
    return common / union if union > 0 else 0.0
