"""How far annotators agree about the same data unit: the same objects in the same places, the same answers."""

from __future__ import annotations

import collections
import importlib
import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.formats.annotations import OBJECT, Annotation
from airflow_provider_encord.exports.formats.geometry import size_of

if TYPE_CHECKING:
    from airflow_provider_encord.exports.formats.shapes import Shape

NEAR = 0.02
"""How far apart two shapes without an area may be, as a share of the larger side of the image."""

Frame = tuple[str, int | None]


class Tally(msgspec.Struct):
    """Agreement of annotations: `matched` of `annotations`, counted on both sides.

    :param not_compared: Annotations that are not among `annotations`, because their shapes cannot be compared.
    """

    matched: int = 0
    annotations: int = 0
    not_compared: int = 0

    def add(self, matched: int, annotations: int, not_compared: int = 0) -> None:
        """Count annotations."""
        self.matched += matched
        self.annotations += annotations
        self.not_compared += not_compared

    @property
    def share(self) -> float | None:
        """From 0 to 1; None without annotations."""
        return self.matched / self.annotations if self.annotations else None


def require_shapes() -> None:
    """Check that the extra is installed that compares shapes.

    :raises InvalidArgumentError: It is not.
    """
    try:
        importlib.import_module("shapely")
    except ImportError:
        raise InvalidArgumentError(
            "min_agreement: it needs shapely, which is not installed. Install it with "
            "`pip install 'airflow-provider-encord[quality]'`, or leave min_agreement out."
        ) from None


def compare(one: Sequence[Annotation], other: Sequence[Annotation], min_iou: float) -> dict[str, Tally]:
    """Compare the annotations of two annotators on one data unit. Needs the extra ``quality``.

    An object is matched if the other annotator has an object of the same class on the same frame, which covers the same
    place and has the same answers. Of two shapes with an area, the intersection over union must be at least `min_iou`;
    else the shapes must be at most `NEAR` apart. Each object is matched at most once, the most similar pair first.
    Objects whose shape cannot be compared, such as cuboids, and those with malformed geometry are only counted. A
    classification is matched by one with the same answers on the same frame. The share of matched annotations is the F1
    score, which is the same from both sides.

    :return: By class.
    """
    found: dict[str, Tally] = collections.defaultdict(Tally)
    sides = [_by_frame_and_class(side) for side in (one, other)]
    for key in sides[0].keys() | sides[1].keys():
        first, second = sides[0].get(key, []), sides[1].get(key, [])
        if key[1] == OBJECT:
            found[key[2]].add(*_objects(first, second, min_iou))
        else:
            found[key[2]].add(2 * _matched_answers(first, second), len(first) + len(second))
    return dict(found)


def _by_frame_and_class(annotations: Sequence[Annotation]) -> Mapping[tuple[Frame, str, str], list[Annotation]]:
    found = collections.defaultdict(list)
    for annotation in annotations:
        frame = (annotation.place.unit, annotation.place.frame)
        found[frame, annotation.kind, annotation.name or str(annotation.feature_hash)].append(annotation)
    return found


Objects = list[tuple[Annotation, "Shape"]]


def _objects(one: Sequence[Annotation], other: Sequence[Annotation], min_iou: float) -> tuple[int, int, int]:
    """How many objects are matched and compared, on both sides, and how many are not compared."""
    left, right = _with_shapes(one), _with_shapes(other)
    compared = len(left) + len(right)
    return 2 * _matched_objects(left, right, min_iou), compared, len(one) + len(other) - compared


def _with_shapes(annotations: Sequence[Annotation]) -> Objects:
    """The objects that can be compared."""
    from airflow_provider_encord.exports.formats.shapes import shape_of

    return [(annotation, shape) for annotation in annotations if (shape := shape_of(annotation)) is not None]


def _matched_objects(one: Objects, other: Objects, min_iou: float) -> int:
    pairs = [
        (likeness, first, second)
        for (first, left), (second, right) in itertools.product(enumerate(one), enumerate(other))
        if left[0].answers == right[0].answers and (likeness := _likeness(left, right, min_iou)) is not None
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


def _likeness(one: tuple[Annotation, Shape], other: tuple[Annotation, Shape], min_iou: float) -> float | None:
    """How much two objects are alike, up to 1; None if they do not match."""
    from airflow_provider_encord.exports.formats.shapes import distance, iou

    if one[0].geometry == other[0].geometry:
        return 1.0
    if one[1].area and other[1].area:
        overlap = iou(one[1], other[1], at_least=min_iou)
        return overlap if overlap >= min_iou else None
    farthest = distance(one[1], other[1]) / max(size_of(one[0]))
    return 1.0 - farthest if farthest <= NEAR else None
