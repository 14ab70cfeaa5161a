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
from airflow_provider_encord.training.forms.drawn import Drawn, drawn_of
from airflow_provider_encord.training.forms.json_parts import JsonParts
from airflow_provider_encord.training.forms.segmentations import pixels_of_crossing, require_size, segmentation_in
from airflow_provider_encord.training.forms.written import NO_AREA, TOO_SMALL, WrittenSample
from airflow_provider_encord.training.outlines import SKELETON, clipped
from airflow_provider_encord.training.reasons import NotExpressibleError
from airflow_provider_encord.training.samples import Sample, left_out
from airflow_provider_encord.training.skeletons import Keypoint, Templates, box_of, keypoints_of

COCO = "coco"


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
        self._templates, self._structure = Templates(structure), structure
        self._drawn: dict[str, list[Drawn | None]] = {}

    def add(self, sample: Sample, split: str, suffix: str) -> WrittenSample:
        """Add the image and its objects to the document of the split."""
        written = WrittenSample([f"images/{split}/{sample.name}{suffix}"])
        written.leave_classifications(sample)
        about = image_in(sample, suffix)
        image = about["id"]
        self._images[split].add(about)
        found = self._drawn.pop(sample.name, None) or drawn_of([sample])[0]
        others = [one for one, drawn in zip(sample.objects, found, strict=True) if drawn is None]
        pixels = iter(pixels_of_crossing(others, sample.size) if sample.size else [None] * len(others))
        for annotation, drawn in zip(sample.objects, found, strict=True):
            self._add_object(sample, annotation, image, split, written, next(pixels) if drawn is None else drawn)
        return written

    def look_ahead(self, samples: Sequence[Sample]) -> None:
        """Compute the objects of samples that are added next."""
        names = (sample.name for sample in samples)
        self._drawn = dict(zip(names, drawn_of(samples), strict=True))

    def finish(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """The documents of the splits."""
        for split in self._splits:
            categories = list(self._categories())
            document = document_of(self._images[split], self._annotations[split], categories=categories)
            yield f"annotations/instances_{split}.json", document

    def _categories(self) -> Iterator[dict[str, Any]]:
        for number, name in enumerate(self._classes.names, start=1):
            points = self._points_of(name)
            yield {"id": number, "name": name, **({"keypoints": points} if points else {})}

    def _points_of(self, class_name: str) -> list[str] | None:
        """The names of the keypoints of the first skeleton in a class."""
        for object_ in mappings(self._structure.get("objects")):
            points = self._templates.of(str(object_.get("featureNodeHash")))
            if points and self._classes.of(str(object_.get("name"))) == class_name:
                return [point.name or str(number) for number, point in enumerate(points)]
        return None

    def _add_object(
        self,
        sample: Sample,
        annotation: Annotation,
        image: int,
        split: str,
        written: WrittenSample,
        drawn: Drawn | float | None,
    ) -> None:
        class_name = written.class_of(annotation, self._classes)
        if class_name is None:
            return
        try:
            content = self._content(sample, annotation, drawn)
        except NotExpressibleError as error:
            written.left_out.append(left_out(annotation, str(error)))
            return
        written.classes.append(class_name)
        written.box_sizes.append((content["bbox"][2], content["bbox"][3]))
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

    def _content(self, sample: Sample, annotation: Annotation, drawn: Drawn | float | None) -> dict[str, Any]:
        """What COCO says of an object.

        :param drawn: See `drawn_of`; if it is not there, see `pixels_of_crossing`.
        """
        if isinstance(drawn, Drawn):
            if drawn.side < self._least:
                raise NotExpressibleError(TOO_SMALL)
            return {"segmentation": drawn.segmentation, "area": drawn.area, "bbox": drawn.bbox}
        size = require_size(sample)
        if annotation.shape == SKELETON:
            points = keypoints_of(annotation, self._templates.of(annotation.feature_hash))
            inside = clipped(box_of(points), size)
            content = _skeleton(points, inside)
        else:
            segmentation, area, box = segmentation_in(annotation, size, pixels=drawn)
            if not area > 0:
                raise NotExpressibleError(NO_AREA)
            inside = clipped(box, size)
            numbers = [round(number, 3) for number in inside]
            content = {"segmentation": segmentation, "area": round(area, 3), "bbox": numbers}
        if min(inside[2:]) < self._least:
            raise NotExpressibleError(TOO_SMALL)
        return content


def image_in(sample: Sample, suffix: str) -> dict[str, Any]:
    """What COCO says of an image.

    :param suffix: Suffix of the image's file, with its dot.
    """
    width, height = sample.size or (None, None)
    return {
        "id": coco_id(sample.place.unit, sample.place.frame),
        "file_name": f"{sample.name}{suffix}",
        "width": width,
        "height": height,
        "encord_data_hash": sample.data_hash,
        "encord_frame": sample.place.frame,
    }


def document_of(images: JsonParts, annotations: JsonParts, **more: Any) -> Iterator[bytes]:
    """A document of COCO.

    :param more: Further keys of it.
    """
    yield b'{"images":['
    yield from images.blocks()
    yield b'],\n"annotations":['
    yield from annotations.blocks()
    yield b"]"
    for key, value in more.items():
        yield b",\n" + msgspec.json.encode(key) + b":" + msgspec.json.encode(value)
    yield b"}\n"


def _skeleton(points: Sequence[Keypoint], box: geometry.Box) -> dict[str, Any]:
    return {
        "keypoints": [round(number, 3) for point in points for number in point],
        "num_keypoints": sum(seen > 0 for _, _, seen in points),
        "area": round(box[2] * box[3], 3),
        "bbox": [round(number, 3) for number in box],
    }
