"""COCO: a document for each split, ``annotations/instances_<split>.json``, and the images in ``images/<split>``.

Boxes, outlines and masks are those of the export format ``coco.json``. Circles and ellipses are polygons; skeletons
have keypoints. Images and annotations are numbered by their contents, so a sample always has the same ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.exports.formats import geometry
from airflow_provider_encord.exports.formats.annotations import Annotation
from airflow_provider_encord.exports.formats.answers import mappings
from airflow_provider_encord.exports.formats.coco import coco_id
from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms.json_parts import JsonParts
from airflow_provider_encord.training.forms.segmentations import require_size, segmentation_in
from airflow_provider_encord.training.forms.written import TOO_SMALL, WrittenSample
from airflow_provider_encord.training.outlines import (
    NotExpressibleError,
    clipped,
    clipped_box,
    keypoints_of,
)
from airflow_provider_encord.training.samples import Sample, left_out

COCO = "coco"
_SKELETON = "skeleton"


class CocoForm:
    """See `forms.Form`.

    :param structure: Structure of the ontology.
    :param min_box_size: Smallest width and height of a box, in pixels.
    """

    entries = ("images", "annotations")

    def __init__(
        self, classes: Classes, splits: Sequence[str], structure: Mapping[str, Any], *, min_box_size: float = 0.0
    ):
        self._classes, self._splits, self._least = classes, splits, min_box_size
        self._images = {split: JsonParts(b",\n") for split in splits}
        self._annotations = {split: JsonParts(b",\n") for split in splits}
        self._points = _points_of(structure)

    def add(self, sample: Sample, split: str, suffix: str) -> WrittenSample:
        """Add the image and its objects to the document of the split."""
        written = WrittenSample([f"images/{split}/{sample.name}{suffix}"])
        written.leave_classifications(sample)
        width, height = sample.size or (None, None)
        image = coco_id(sample.place.unit, sample.place.frame)
        about = {"id": image, "file_name": f"{sample.name}{suffix}", "width": width, "height": height}
        self._images[split].add({**about, "encord_data_hash": sample.data_hash, "encord_frame": sample.place.frame})
        for annotation in sample.objects:
            self._add_object(sample, annotation, image, split, written)
        return written

    def finish(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """The documents of the splits."""
        for split in self._splits:
            yield f"annotations/instances_{split}.json", self._document(split)

    def _document(self, split: str) -> Iterator[bytes]:
        yield b'{"images":['
        yield from self._images[split].blocks()
        yield b'],\n"annotations":['
        yield from self._annotations[split].blocks()
        yield b'],\n"categories":' + msgspec.json.encode(list(self._categories())) + b"}\n"

    def _categories(self) -> Iterator[dict[str, Any]]:
        for number, name in enumerate(self._classes.names, start=1):
            points = next((points for old, points in self._points.items() if self._classes.of(old) == name), None)
            yield {"id": number, "name": name, **({"keypoints": points} if points else {})}

    def _add_object(
        self, sample: Sample, annotation: Annotation, image: int, split: str, written: WrittenSample
    ) -> None:
        class_name = written.class_of(annotation, self._classes)
        if class_name is None:
            return
        try:
            content = self._content(sample, annotation)
        except NotExpressibleError as error:
            written.left_out.append(left_out(annotation, str(error)))
            return
        written.classes.append(class_name)
        self._annotations[split].add(
            {
                "id": coco_id(sample.label_hash, sample.place.unit, sample.place.frame, annotation.hash),
                "image_id": image,
                "category_id": self._classes.number(class_name) + 1,
                **content,
                "iscrowd": 0,
                "attributes": annotation.answers,
            }
        )

    def _content(self, sample: Sample, annotation: Annotation) -> dict[str, Any]:
        size = require_size(sample)
        if annotation.shape == _SKELETON:
            inside = clipped_box(annotation, size)
            content = _skeleton(annotation, inside)
        else:
            segmentation, area, box = segmentation_in(annotation, size)
            inside = clipped(box, size)
            numbers = [round(number, 3) for number in box]
            content = {"segmentation": segmentation, "area": round(area, 3), "bbox": numbers}
        if min(inside[2:]) < self._least:
            raise NotExpressibleError(TOO_SMALL)
        return content


def _skeleton(annotation: Annotation, box: geometry.Box) -> dict[str, Any]:
    points = keypoints_of(annotation)
    return {
        "keypoints": [round(number, 3) for point in points for number in point],
        "num_keypoints": sum(seen > 0 for _, _, seen in points),
        "area": round(box[2] * box[3], 3),
        "bbox": [round(number, 3) for number in box],
    }


def _points_of(structure: Mapping[str, Any]) -> dict[str, list[str]]:
    """The names of the keypoints of each skeleton, by the name of the object."""
    templates = {}
    for entry in mappings(structure.get("skeleton_templates")):
        for template in mappings([entry.get("template")]):
            points: Mapping[str, Any] = template.get("skeleton") or {}
            templates[template.get("name")] = [
                str(points[number].get("name") or number) for number in sorted(points, key=int)
            ]
    return {str(name): points for name, points in templates.items()}
