"""COCO panoptic: ``annotations/panoptic_<split>.json``, and for each image a PNG in ``annotations/panoptic_<split>/``.

A pixel of the PNG has the id of its segment, as R + 256 G + 65536 B; 0 where there is no object. Where objects overlap,
the later one of the label row is on top. Each object of a thing has a segment; of stuff, such as sky, all objects of a
class on an image are one segment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.formats.annotations import Annotation
from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms.coco import document_of, image_in
from airflow_provider_encord.training.forms.json_parts import JsonParts
from airflow_provider_encord.training.forms.masks import pixels_of, png_of
from airflow_provider_encord.training.forms.segmentations import NO_SIZE, segmentation_in
from airflow_provider_encord.training.forms.written import NO_AREA, TOO_SMALL, WrittenSample
from airflow_provider_encord.training.outlines import clipped
from airflow_provider_encord.training.reasons import NotExpressibleError
from airflow_provider_encord.training.samples import Sample, left_out

_COVERED = "later objects cover all of it"
_NAMED = 5


class PanopticForm:
    """See `forms.Form`.

    :param stuff_classes: The classes that are stuff; the others are things.
    :param min_box_size: Smallest width and height of a box, in pixels.
    :raises InvalidArgumentError: A class of stuff is not a class.
    """

    entries = ("images", "annotations")

    def __init__(
        self, classes: Classes, splits: Sequence[str], *, stuff_classes: Collection[str], min_box_size: float = 0.0
    ):
        unknown = [name for name in stuff_classes if name not in classes.names]
        if unknown:
            raise InvalidArgumentError(
                f"stuff_classes: {', '.join(map(repr, unknown[:_NAMED]))} is no class of the training set. It has "
                f"{', '.join(map(repr, classes.names))}."
            )
        self._classes, self._splits, self._stuff, self._least = classes, splits, stuff_classes, min_box_size
        self._images = {split: JsonParts(b",\n") for split in splits}
        self._annotations = {split: JsonParts(b",\n") for split in splits}

    def add(self, sample: Sample, split: str, suffix: str) -> WrittenSample:
        """Draw the segments of a sample. An image whose size is not known is left out."""
        written = WrittenSample()
        if sample.size is None:
            written.leave_all(sample, NO_SIZE)
            return written
        written.leave_classifications(sample)
        about = image_in(sample, suffix)
        picture = f"{sample.name}.png"
        ids = numpy.zeros(sample.size[::-1], dtype=numpy.uint32)
        segments = list(self._segments(sample, ids, written))
        self._images[split].add(about)
        annotation = {"image_id": about["id"], "file_name": picture, "segments_info": segments}
        self._annotations[split].add(annotation)
        written.image_paths.append(f"images/{split}/{about['file_name']}")
        written.files[f"annotations/panoptic_{split}/{picture}"] = png_of(_coloured(ids))
        return written

    def finish(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """The documents of the splits."""
        categories = [
            {"id": number, "name": name, "isthing": int(name not in self._stuff)}
            for number, name in enumerate(self._classes.names, start=1)
        ]
        for split in self._splits:
            document = document_of(self._images[split], self._annotations[split], categories=categories)
            yield f"annotations/panoptic_{split}.json", document

    def _segments(self, sample: Sample, ids: Any, written: WrittenSample) -> Iterator[dict[str, Any]]:
        """Draw the objects; the segments that can be seen."""
        segments: list[tuple[str, list[Annotation]]] = []
        stuff: dict[str, int] = {}
        for annotation in sample.objects:
            class_name = written.class_of(annotation, self._classes)
            if class_name is None:
                continue
            try:
                pixels = self._pixels(annotation, ids.shape[::-1])
            except NotExpressibleError as error:
                written.left_out.append(left_out(annotation, str(error)))
                continue
            id_ = stuff.get(class_name, len(segments) + 1)
            if class_name in self._stuff:
                stuff[class_name] = id_
            if id_ > len(segments):
                segments.append((class_name, []))
            segments[id_ - 1][1].append(annotation)
            ids[pixels] = id_
        for id_, (class_name, objects) in enumerate(segments, start=1):
            rows, columns = numpy.nonzero(ids == id_)
            if not len(rows):
                written.left_out += [left_out(annotation, _COVERED) for annotation in objects]
                continue
            written.classes += [class_name] * len(objects)
            segment = _segment(id_, self._classes.number(class_name) + 1, rows, columns)
            written.box_sizes.append((segment["bbox"][2], segment["bbox"][3]))
            yield segment

    def _pixels(self, annotation: Annotation, size: tuple[int, int]) -> Any:
        segmentation, _, box = segmentation_in(annotation, size)
        if min(clipped(box, size)[2:]) < self._least:
            raise NotExpressibleError(TOO_SMALL)
        pixels = pixels_of(segmentation, size[1], size[0])
        if not pixels.any():
            raise NotExpressibleError(NO_AREA)
        return pixels


def _segment(id_: int, category: int, rows: Any, columns: Any) -> dict[str, Any]:
    left, top = int(columns.min()), int(rows.min())
    return {
        "id": id_,
        "category_id": category,
        "area": len(rows),
        "bbox": [left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top],
        "iscrowd": 0,
    }


def _coloured(ids: Any) -> Any:
    """Ids as red, green and blue."""
    return numpy.stack([ids & 255, ids >> 8 & 255, ids >> 16], axis=-1).astype(numpy.uint8)
