"""Label rows as COCO: boxes, rotated boxes, polygons and bitmasks; needs the extra ``coco``.

Each file is a complete COCO document. All files have the same categories: the objects of the ontology, numbered from 1.
The images are the images of the rows, and for videos the frames with objects. Ids are derived from the contents: an
image always has the same id, and an annotation has the same id in all files, partitions and exports of the same label
rows. So files can be merged without changing ids. ``file_name`` consists of the data hash of the image, the number of
the frame and the title, which are also in ``encord_unit``, ``encord_frame`` and ``encord_title``.

The segmentation of a box is its corners; for a rotated box, the rotated corners. A polygon with holes becomes a mask
(RLE), because COCO's polygons cannot have holes. Items that COCO does not support are counted, and listed under
``encord_left_out``.
"""

from __future__ import annotations

import collections
import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.exports.formats import geometry
from airflow_provider_encord.exports.formats.annotations import (
    Annotation,
    LeftOut,
    Place,
    annotations_of,
    places_of,
    records_of,
)
from airflow_provider_encord.exports.formats.answers import Names, mappings
from airflow_provider_encord.storage_paths import BinaryWriter

_ID_BYTES = 8
_ID_BITS = 53  # the largest integers that JavaScript and double precision store exactly
_LONGEST_TITLE = 150  # bytes; a file name may have 255
_MOST_PIXELS = 10**9  # per mask; one byte each
_SINGLE = ("image", "img_group")
_UNKNOWN_FEATURE = "not in the ontology"
_NO_SIZE = "the size of the image is not known"
_NO_AREA = "it covers nothing of the image"


class CocoEncoder:
    """See `formats.Encoder`.

    Annotations are written immediately. Images and unsupported items are kept in memory until the end of the file.

    :param structure: Structure of the ontology.
    """

    def __init__(self, file: BinaryWriter, structure: Mapping[str, Any]):
        self._file = file
        self._categories = _categories(structure)
        self._names = Names(structure)
        self._ids = {category["encord_feature_hash"]: category["id"] for category in self._categories}
        self._images: dict[int, bytes] = {}
        self._left_out: list[bytes] = []
        self._reasons: collections.Counter[str] = collections.Counter()
        self._first = True
        file.write(b'{"annotations":[')

    def write(self, row: LabelRow) -> None:
        """Add the items of a label row that COCO supports."""
        for record in records_of(row, self._records):
            if isinstance(record, _Image):
                self._images.setdefault(record.id, record.content)
            elif isinstance(record, _LeftOut):
                self._left_out.append(record.content)
                self._reasons[record.reason] += 1
            else:
                self._file.write((b"" if self._first else b",\n") + record)
                self._first = False

    def finish(self) -> dict[str, int]:
        """Finish the file."""
        self._file.write(b'],\n"images":[' + b",".join(self._images.values()))
        self._file.write(b'],\n"categories":' + msgspec.json.encode(self._categories))
        self._file.write(b',\n"encord_left_out":[' + b",".join(self._left_out) + b"]}\n")
        return dict(sorted(self._reasons.items()))

    def _records(self, document: Mapping[str, Any]) -> Iterator[_Image | _LeftOut | bytes]:
        """The images, the unsupported items, and the annotations as JSON."""
        images: set[int] = set()
        if document.get("data_type") in _SINGLE:
            for place in places_of(document):
                yield from self._image(document, place, images)
        for annotation in annotations_of(document, self._names, classifications=False):
            made = annotation if isinstance(annotation, LeftOut) else self._made(document, annotation)
            if isinstance(made, LeftOut):
                yield _LeftOut(made.reason, msgspec.json.encode(_left_out(document, made)))
                continue
            if not isinstance(annotation, LeftOut):
                yield from self._image(document, annotation.place, images)
            yield msgspec.json.encode(made)

    def _image(self, row: Mapping[str, Any], place: Place, known: set[int]) -> Iterator[_Image]:
        """The image of a place, unless the file contains it already."""
        image = coco_id(place.unit, place.frame)
        if image in known or image in self._images:
            return
        known.add(image)
        content = {
            "id": image,
            "file_name": _file_name(place),
            "width": place.width,
            "height": place.height,
            "encord_data_hash": row.get("data_hash"),
            "encord_unit": place.unit,
            "encord_title": place.unit_title,
            "encord_frame": place.frame,
            "encord_label_hash": row.get("label_hash"),
        }
        yield _Image(image, msgspec.json.encode(content))

    def _made(self, row: Mapping[str, Any], annotation: Annotation) -> dict[str, Any] | LeftOut:
        category = self._ids.get(annotation.feature_hash or "")
        reason = _reason(annotation, known=category is not None)
        if reason is None:
            try:
                with geometry.reading(annotation):
                    segmentation, area, box = _SEGMENTATIONS[str(annotation.shape)](annotation)
            except geometry.MalformedGeometryError:
                reason = geometry.MALFORMED
            else:
                reason = None if area > 0 else _NO_AREA
                if not math.isfinite(area):
                    reason = geometry.MALFORMED
        if reason is not None:
            place = annotation.place
            return LeftOut(
                hash=annotation.hash,
                kind=annotation.kind,
                reason=reason,
                unit=place.unit,
                frame=place.frame,
                shape=annotation.shape,
            )
        return {
            "id": coco_id(row.get("label_hash"), annotation.place.unit, annotation.place.frame, annotation.hash),
            "image_id": coco_id(annotation.place.unit, annotation.place.frame),
            "category_id": category,
            "segmentation": segmentation,
            "area": round(area, 3),
            "bbox": [round(number, 3) for number in box],
            "iscrowd": 0,
            "track_id": annotation.hash,
            "encord_shape": annotation.shape,
            "attributes": annotation.answers,
            **({} if annotation.manual or annotation.confidence is None else {"score": annotation.confidence}),
        }


class _Image(msgspec.Struct, frozen=True):
    """An image, as JSON."""

    id: int
    content: bytes


class _LeftOut(msgspec.Struct, frozen=True):
    """An item that COCO does not support, as JSON."""

    reason: str
    content: bytes


def _file_name(place: Place) -> str:
    """A unique name of an image. Titles can repeat, and all frames of a video have the same title."""
    title = re.sub(r"[^\w.-]+", "_", place.unit_title or "").encode()[-_LONGEST_TITLE:].decode(errors="ignore")
    return f"{place.unit}-{place.frame or 0:06d}-{title}"


def _reason(annotation: Annotation, *, known: bool) -> str | None:
    """Why COCO does not support an object, regardless of its geometry; None if it does."""
    if annotation.shape not in _SEGMENTATIONS:
        return str(annotation.shape)
    if not known:
        return _UNKNOWN_FEATURE
    return None if annotation.place.width and annotation.place.height else _NO_SIZE


def _categories(structure: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "id": number,
            "name": object_.get("name"),
            "supercategory": object_.get("shape"),
            "encord_feature_hash": object_.get("featureNodeHash"),
        }
        for number, object_ in enumerate(mappings(structure.get("objects")), start=1)
    ]


def coco_id(*parts: Any) -> int:
    """An id that is always the same for the same parts."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:_ID_BYTES], "big") >> (8 * _ID_BYTES - _ID_BITS)


def _left_out(row: Mapping[str, Any], left_out: LeftOut) -> dict[str, Any]:
    return {
        "label_hash": row.get("label_hash"),
        "unit": left_out.unit,
        "frame": left_out.frame,
        "hash": left_out.hash,
        "kind": left_out.kind,
        "shape": left_out.shape,
        "reason": left_out.reason,
    }


def segmentation_of(annotation: Annotation) -> tuple[Any, float, geometry.Box] | None:
    """Segmentation, area and box of an object; None if COCO has nothing for its shape.

    :raises MalformedGeometryError: The geometry does not match the shape.
    """
    make = _SEGMENTATIONS.get(str(annotation.shape))
    if make is None:
        return None
    with geometry.reading(annotation):
        return make(annotation)


def _box(annotation: Annotation) -> tuple[Any, float, geometry.Box]:
    corners = geometry.corners_of(annotation)
    return [_flat(corners)], geometry.area_of(corners), geometry.around(corners)


def _polygon(annotation: Annotation) -> tuple[Any, float, geometry.Box]:
    polygons = [polygon for polygon in geometry.rings_of(annotation) if polygon and len(polygon[0]) >= 3]
    points = [point for polygon in polygons for point in polygon[0]]
    if not points:
        raise ValueError("it has fewer than three points")
    geometry.require_near(polygons)
    box = geometry.around(points)
    if len(polygons) == 1 == len(polygons[0]):
        return [_flat(polygons[0][0])], geometry.area_of(polygons[0][0]), box
    rle, area = _mask_of(polygons, annotation.place)
    if all(len(polygon) == 1 for polygon in polygons):
        return [_flat(polygon[0]) for polygon in polygons], area, box
    return rle, area, box


def _mask_of(polygons: Iterable[list[geometry.Ring]], place: Place) -> tuple[dict[str, Any], float]:
    """Polygons with holes as a mask: the pixels inside the outlines, without the pixels inside the holes."""
    import numpy
    from pycocotools import mask

    height, width = int(place.height or 0), int(place.width or 0)
    _require_pixels(height * width)
    whole = numpy.zeros((height, width), dtype=numpy.uint8, order="F")
    for outline, *holes in polygons:
        filled = mask.decode(mask.merge(mask.frPyObjects([_flat(outline)], height, width)))
        for hole in holes:
            if len(hole) >= 3:
                filled &= 1 - mask.decode(mask.merge(mask.frPyObjects([_flat(hole)], height, width)))
        whole |= filled
    return _rle(whole), float(whole.sum())


def _bitmask(annotation: Annotation) -> tuple[Any, float, geometry.Box]:
    """A bitmask as a mask of the whole image."""
    import numpy
    from pycocotools import mask

    bitmask = annotation.geometry["bitmask"]
    rows, columns = int(bitmask["height"]), int(bitmask["width"])
    top, left = int(bitmask["top"]), int(bitmask["left"])
    if min(top, left) < 0:
        raise ValueError("it starts outside of the image")
    _require_pixels(rows * columns)
    part = numpy.zeros(rows * columns, dtype=numpy.uint8)
    for start, end in geometry.runs_of(bitmask):
        part[start:end] = 1
    height, width = int(annotation.place.height or 0), int(annotation.place.width or 0)
    _require_pixels(height * width)
    whole = numpy.zeros((height, width), dtype=numpy.uint8, order="F")
    bottom, right = min(height, top + rows), min(width, left + columns)
    whole[top:bottom, left:right] = part.reshape(rows, columns)[: max(0, bottom - top), : max(0, right - left)]
    rle = _rle(whole)
    box = mask.toBbox({**rle, "counts": rle["counts"].encode()}).tolist()
    return rle, float(whole.sum()), (box[0], box[1], box[2], box[3])


def _require_pixels(pixels: int) -> None:
    if pixels > _MOST_PIXELS:
        raise ValueError(f"a mask of {pixels} pixels does not fit into memory")


def _rle(whole: Any) -> dict[str, Any]:
    import numpy
    from pycocotools import mask

    rle = mask.encode(numpy.asfortranarray(whole))
    return {"size": [int(number) for number in rle["size"]], "counts": rle["counts"].decode()}


def _flat(ring: geometry.Ring) -> list[float]:
    return [round(number, 3) for point in ring for number in point]


_SEGMENTATIONS = {
    geometry.BOUNDING_BOX: _box,
    geometry.ROTATABLE_BOUNDING_BOX: _box,
    geometry.POLYGON: _polygon,
    geometry.BITMASK: _bitmask,
}
