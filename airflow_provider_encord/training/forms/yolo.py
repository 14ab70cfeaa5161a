"""YOLO: a text file for each image, with a line for each object; numbers are fractions of the image.

=================  ====================================================================================
task               a line, after the number of the class
=================  ====================================================================================
``yolo-detect``    centre x, centre y, width, height
``yolo-segment``   the points of an outline
``yolo-obb``       the four corners of a rotated box
``yolo-pose``      the box, and for each keypoint x, y and visibility (0 not there, 1 hidden, 2 visible)
=================  ====================================================================================

``data.yaml`` names the splits and classes. It has no ``path``, so that paths in it are relative to the file itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.formats.annotations import Annotation
from airflow_provider_encord.exports.formats.answers import mappings
from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms.segmentations import require_size
from airflow_provider_encord.training.forms.written import TOO_SMALL, WrittenSample
from airflow_provider_encord.training.outlines import (
    clipped_box,
    outline_of,
    rotated_corners,
)
from airflow_provider_encord.training.reasons import NotExpressibleError
from airflow_provider_encord.training.samples import Sample, left_out
from airflow_provider_encord.training.skeletons import INVISIBLE, Templates, keypoints_of

DETECT, SEGMENT, OBB, POSE = "yolo-detect", "yolo-segment", "yolo-obb", "yolo-pose"
_OTHER_NUMBER = "it has another number of keypoints"

Numbers = list[float]


class YoloForm:
    """See `forms.Form`.

    :param task: `DETECT`, `SEGMENT`, `OBB` or `POSE`.
    :param structure: Structure of the ontology.
    :param min_box_size: Smallest width and height of a box, in pixels.
    :raises InvalidArgumentError: The skeletons of a `POSE` have different numbers of points.
    """

    entries = ("images", "labels", "data.yaml")

    def __init__(
        self,
        task: str,
        classes: Classes,
        splits: Sequence[str],
        structure: Mapping[str, Any],
        *,
        min_box_size: float = 0.0,
    ):
        self._task, self._classes, self._splits, self._least = task, classes, splits, min_box_size
        self._templates = Templates(structure)
        self._keypoints = self._number_of_keypoints(structure) if task == POSE else 0

    def add(self, sample: Sample, split: str, suffix: str) -> WrittenSample:
        """Make the label file of a sample. An image without objects has an empty one."""
        written = WrittenSample([f"images/{split}/{sample.name}{suffix}"])
        written.leave_classifications(sample)
        lines = [line for annotation in sample.objects if (line := self._line(sample, annotation, written))]
        written.files[f"labels/{split}/{sample.name}.txt"] = "".join(lines).encode()
        return written

    def finish(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """``data.yaml``. Every reader of YAML reads JSON's texts and lists."""
        lines = [f"{split}: images/{split}" for split in self._splits]
        if "val" not in self._splits:  # the usual reader demands it
            lines.append(f"val: images/{self._splits[-1]}")
        if self._task == POSE:
            lines.append(f"kpt_shape: [{self._keypoints}, 3]")
        lines.append("names:")
        lines += [
            f"  {number}: {json.dumps(name, ensure_ascii=False)}" for number, name in enumerate(self._classes.names)
        ]
        yield "data.yaml", iter(["\n".join(lines).encode() + b"\n"])

    def _line(self, sample: Sample, annotation: Annotation, written: WrittenSample) -> str | None:
        class_name = written.class_of(annotation, self._classes)
        if class_name is None:
            return None
        try:
            size, numbers = self._numbers(sample, annotation)
        except NotExpressibleError as error:
            written.left_out.append(left_out(annotation, str(error)))
            return None
        written.classes.append(class_name)
        written.box_sizes.append(size)
        return " ".join([str(self._classes.number(class_name)), *map(_text, numbers)]) + "\n"

    def _numbers(self, sample: Sample, annotation: Annotation) -> tuple[tuple[float, float], Numbers]:
        """The size of an object's box in pixels, and what the line says after the class."""
        size = require_size(sample)
        left, top, width, height = clipped_box(annotation, size)
        if min(width, height) < self._least:
            raise NotExpressibleError(TOO_SMALL)
        if self._task == SEGMENT:
            return (width, height), _fractions(outline_of(annotation, size), size)
        if self._task == OBB:
            return (width, height), _fractions(rotated_corners(annotation, size), size)
        box = [(left + width / 2) / size[0], (top + height / 2) / size[1], width / size[0], height / size[1]]
        return (width, height), box if self._task == DETECT else [*box, *self._points(annotation, size)]

    def _points(self, annotation: Annotation, size: tuple[int, int]) -> Numbers:
        points = keypoints_of(annotation, self._templates.of(annotation.feature_hash))
        if len(points) != self._keypoints:
            raise NotExpressibleError(_OTHER_NUMBER)
        inside = [(x / size[0], y / size[1], seen) for x, y, seen in points]
        # A number outside of 0 to 1 lets the usual reader drop the whole image.
        return [
            number
            for x, y, seen in inside
            for number in ((x, y, seen) if 0 <= x <= 1 and 0 <= y <= 1 else (0.0, 0.0, INVISIBLE))
        ]

    def _number_of_keypoints(self, structure: Mapping[str, Any]) -> int:
        """The number of points that all skeletons have whose class is not dropped."""
        counts = set()
        for object_ in mappings(structure.get("objects")):
            points = self._templates.of(str(object_.get("featureNodeHash")))
            if points and self._classes.of(str(object_.get("name"))) is not None:
                counts.add(len(points))
        if len(counts) != 1:
            raise InvalidArgumentError(
                f"format: {POSE} needs skeletons with one number of points, but the ontology has "
                f"{', '.join(map(str, sorted(counts))) or 'no skeletons'}. Drop the others with class_map."
            )
        return counts.pop()


def _fractions(points: Sequence[tuple[float, float]], size: tuple[int, int]) -> Numbers:
    """The coordinates as fractions of the image, cut to it."""
    width, height = size
    return [
        number if 0.0 < number <= 1.0 else 1.0 if number > 1.0 else 0.0
        for x, y in points
        for number in (x / width, y / height)
    ]


def _text(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:.6f}".rstrip("0").rstrip(".")
