"""PNG masks: for each image a picture of the same size whose pixels are classes, or instances.

==================  ===============================================================================================
form                a pixel
==================  ===============================================================================================
``semantic-masks``  the number of the class from 1, in 8 bits; 0 where there is no object
``instance-masks``  1000 times the number of the class from 1, plus the number of the object from 0, in 16 bits
==================  ===============================================================================================

Where objects overlap, the later one of the label row is on top. ``classes.json`` has the numbers of the classes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.formats.annotations import Annotation
from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms.segmentations import require_size, segmentation_in
from airflow_provider_encord.training.forms.written import NO_AREA, TOO_SMALL, WrittenSample
from airflow_provider_encord.training.outlines import clipped
from airflow_provider_encord.training.reasons import NotExpressibleError
from airflow_provider_encord.training.samples import Sample, left_out

SEMANTIC, INSTANCE = "semantic-masks", "instance-masks"
_INSTANCES = 1000  # per class
_MOST_CLASSES = {SEMANTIC: 255, INSTANCE: 64}
_TOO_MANY = "more than 1000 objects of a class are on its image"


class MasksForm:
    """See `forms.Form`.

    :param kind: `SEMANTIC` or `INSTANCE`.
    :param min_box_size: Smallest width and height of a box, in pixels.
    :raises InvalidArgumentError: There are more classes than a pixel can say.
    """

    entries = ("images", "masks", "classes.json")

    def __init__(self, kind: str, classes: Classes, splits: Sequence[str], *, min_box_size: float = 0.0):
        most = _MOST_CLASSES[kind]
        if len(classes.names) > most:
            raise InvalidArgumentError(
                f"format: {kind} has room for {most} classes, but there are {len(classes.names)}. Merge some with "
                "class_map."
            )
        self._instances, self._classes, self._splits, self._least = kind == INSTANCE, classes, splits, min_box_size

    def add(self, sample: Sample, split: str, suffix: str) -> WrittenSample:
        """Draw the mask of a sample. An image whose size is not known has none, and is left out."""
        written = WrittenSample()
        written.leave_classifications(sample)
        try:
            width, height = require_size(sample)
        except NotExpressibleError as error:
            written.left_out += [left_out(annotation, str(error)) for annotation in sample.objects]
            return written
        mask = numpy.zeros((height, width), dtype=numpy.uint16 if self._instances else numpy.uint8)
        for annotation in sample.objects:
            self._draw(mask, annotation, written)
        written.image_paths = [f"images/{split}/{sample.name}{suffix}"]
        written.files[f"masks/{split}/{sample.name}.png"] = png_of(mask)
        return written

    def finish(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """``classes.json``: the number of each class."""
        numbers = {name: self._classes.number(name) + 1 for name in self._classes.names}
        yield "classes.json", iter([msgspec.json.format(msgspec.json.encode(numbers), indent=2), b"\n"])

    def _draw(self, mask: Any, annotation: Annotation, written: WrittenSample) -> None:
        class_name = written.class_of(annotation, self._classes)
        if class_name is None:
            return
        number, earlier = self._classes.number(class_name) + 1, written.classes.count(class_name)
        height, width = mask.shape
        try:
            segmentation, _, box = segmentation_in(annotation, (width, height))
            drawn = clipped(box, (width, height))[2:]
            if min(drawn) < self._least:
                raise NotExpressibleError(TOO_SMALL)
            if self._instances and earlier >= _INSTANCES:
                raise NotExpressibleError(_TOO_MANY)
        except NotExpressibleError as error:
            written.left_out.append(left_out(annotation, str(error)))
            return
        pixels = pixels_of(segmentation, height, width)
        if not pixels.any():
            written.left_out.append(left_out(annotation, NO_AREA))
            return
        value = number * _INSTANCES + earlier if self._instances else number
        mask[pixels] = value
        written.box_sizes.append(drawn)
        written.classes.append(class_name)


def pixels_of(segmentation: Any, height: int, width: int) -> Any:
    """The pixels of a segmentation, as an array of truth values."""
    from pycocotools import mask

    encoded = {**segmentation, "counts": segmentation["counts"].encode()} if isinstance(segmentation, dict) else None
    if encoded is None:
        encoded = mask.merge(mask.frPyObjects(segmentation, height, width))
    return mask.decode(encoded).astype(bool)


def png_of(mask: Any) -> bytes:
    """A picture, as PNG."""
    from PIL import Image

    target = io.BytesIO()
    Image.fromarray(mask).save(target, "PNG")
    return target.getvalue()
