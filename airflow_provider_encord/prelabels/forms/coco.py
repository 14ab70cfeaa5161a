"""COCO: a document with images, categories and annotations, or a list of results beside such a document.

Annotations can precede the images, and those of an image are in any order. So the file is read once; annotations are
sorted by image on the disk. Images and categories are kept in memory.

Frames of videos: ``encord_data_hash`` and ``encord_frame`` of our own exports; or ``video_id`` and ``frame_id`` (from
0) of an image, with a list ``videos`` that has the name of the video. ``track_id`` or ``instance_id`` joins the
annotations of an object on several frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.packed_lines import DamagedFileError, unpacked
from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.forms.bitmasks import mask_shapes, pixels_of_coco
from airflow_provider_encord.prelabels.forms.converting import Converter
from airflow_provider_encord.prelabels.forms.files import files_of
from airflow_provider_encord.prelabels.forms.items import Draw, Entry, Item, Wrong
from airflow_provider_encord.prelabels.forms.names import Spot, Spots, without_query
from airflow_provider_encord.prelabels.forms.scale import Scale, number, numbers
from airflow_provider_encord.prelabels.forms.shapes import box, pairs, polygon, rotated_box, upright_box
from airflow_provider_encord.prelabels.forms.skeletons import keypoints, skeleton
from airflow_provider_encord.prelabels.forms.spec import FormSpec
from airflow_provider_encord.prelabels.forms.units import Units
from airflow_provider_encord.prelabels.sources import Prelabel
from airflow_provider_encord.prelabels.streams.json_stream import Member, members
from airflow_provider_encord.prelabels.streams.spool import Spool
from airflow_provider_encord.storage_paths import StoragePath

_SUFFIXES = (".json", ".json.gz", ".json.zst")
_EXPORTS = ("coco.json", "coco.json.gz", "coco.json.zst")
_RESULTS = ""  # the key of the items of a document that is a list
_ANNOTATIONS = "annotations"
_BOX = 4
_CORNERS = 4


class _Image(msgspec.Struct, frozen=True, gc=False):
    """An image of the document."""

    name: Any
    width: Any = None
    height: Any = None
    data_hash: Any = None
    frame: Any = None
    video: Any = None


class _Document:
    """The images, categories and videos of a document."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.images: dict[str, _Image] = {}
        self.categories: dict[str, str] = {}
        self.keypoints: dict[str, list[str]] = {}
        self.videos: dict[str, Any] = {}
        self.is_results = False

    def take(self, member: Member, argument: str) -> None:
        """Take a part of the document that is not an annotation."""
        readers: Mapping[str, Callable[[str, Mapping[str, Any]], None]] = {
            "images": self._image,
            "categories": self._category,
            "videos": self._video,
        }
        reader = readers.get(member.key)
        if reader is None or member.number is None:
            return
        where = f"{argument}: {self.name}: {member.key}[{member.number}]"
        if not isinstance(member.value, Mapping) or member.value.get("id") is None:
            raise InvalidArgumentError(f"{where}: it is not an object with an id.")
        reader(key_of(member.value["id"]), member.value)

    def _image(self, id_: str, value: Mapping[str, Any]) -> None:
        self.images[id_] = _Image(
            value.get("encord_title") or value.get("file_name"),
            value.get("width"),
            value.get("height"),
            value.get("encord_data_hash"),
            value.get("frame_id") if value.get("encord_frame") is None else value["encord_frame"],
            value.get("video_id"),
        )

    def _category(self, id_: str, value: Mapping[str, Any]) -> None:
        self.categories[id_] = label = str(value.get("name", id_))
        if isinstance(value.get("keypoints"), list):
            self.keypoints[label] = [str(name) for name in value["keypoints"]]

    def _video(self, id_: str, value: Mapping[str, Any]) -> None:
        self.videos[id_] = value.get("name") or value.get("file_name")


def coco_lines(source: StoragePath, spec: FormSpec, spots: Spots, converter: Converter) -> Iterator[Prelabel]:
    """The lines of COCO files: one for each data unit that the images of a file show.

    :raises InvalidArgumentError: A file is not COCO, or a list of results has no images.
    """
    for _, path in files_of(source, _SUFFIXES, exports=_EXPORTS):
        with Spool() as spool:
            document = _read(path, spool)
            if document.is_results:
                document = _with_images(document, path, spec.images_source)
            yield from _lines(document, spool, spots, converter)


def _with_images(results: _Document, path: StoragePath, images_source: StoragePath | None) -> _Document:
    """The document of a list of results."""
    if images_source is None:
        raise InvalidArgumentError(
            f"source: {path} is a list of COCO results, which names its images and classes by ids only. Pass the file "
            "with the images and categories as images_source."
        )
    document = _read(images_source, None, "images_source")
    document.name, document.is_results = results.name, True
    return document


def _read(path: StoragePath, spool: Spool | None, argument: str = "source") -> _Document:
    """Read a document. Its annotations go to the spool, if one is given."""
    document = _Document(path.name)
    seen = False
    try:
        for member in members(unpacked(path, argument), f"{argument}: {path}"):
            if member.key in (_RESULTS, _ANNOTATIONS) and member.number is not None:
                document.is_results |= member.key == _RESULTS
                if spool is not None:
                    spool.add(_image_of(member, f"{argument}: {path}"), msgspec.json.encode(member.value))
            else:
                document.take(member, argument)
            seen |= member.key in (_RESULTS, "images")
    except DamagedFileError as error:
        raise InvalidArgumentError(f"{argument}: {error.message}") from None
    if not seen:
        raise InvalidArgumentError(
            f"{argument}: {path} is not COCO: it has no images, and it is not a list of results."
        )
    return document


def _image_of(member: Member, where: str) -> str:
    annotation = member.value
    if not isinstance(annotation, Mapping) or annotation.get("image_id") is None:
        raise InvalidArgumentError(f"{where}: {member.key or 'result'}[{member.number}] has no image_id.")
    return key_of(annotation["image_id"])


def key_of(id_: Any) -> str:
    """An id as a key; the number 1 and the text ``1`` are different ids."""
    return msgspec.json.encode(id_).decode()


def _lines(document: _Document, spool: Spool, spots: Spots, converter: Converter) -> Iterator[Prelabel]:
    annotated = list(spool.keys())
    for id_ in annotated:
        if id_ not in document.images:
            problem = f"image_id {id_[:80]} is not the id of one of the images."
            yield Prelabel(place=f"{document.name}, image {id_}", content={}, problem=problem)
    units = Units(
        [id_ for id_ in annotated if id_ in document.images] if document.is_results else document.images,
        lambda id_: _spot(document, document.images[id_], spots),
        lambda id_: _place(document, id_),
    )
    yield from units.wrong
    for place, parts in units:
        entries: list[Entry] = []
        size = 0
        for id_, spot in parts:
            found = spool.entries(id_)
            size += sum(map(len, found))
            scale = _scale(document.images[id_], spot)
            entries += [_entry(document, msgspec.json.decode(content), spot, scale, converter) for content in found]
        yield converter.line(place, parts[0][1].row, entries, size=size)


def _place(document: _Document, id_: str) -> str:
    return f"{document.name}, image {id_} ({without_query(str(document.images[id_].name))[:200]})"


def _spot(document: _Document, image: _Image, spots: Spots) -> Spot:
    if image.data_hash is not None:  # of our own export; in another project the title finds it
        spot = spots.of_hash(str(image.data_hash)) or spots.find(str(image.name))
        return msgspec.structs.replace(spot, frame=_frame(image.frame))
    if image.video is not None:
        name = document.videos.get(key_of(image.video))
        if not isinstance(name, str):
            raise WrongLabelsError(f"video_id {str(image.video)[:80]}: no entry of videos has this id and a name.")
        return msgspec.structs.replace(spots.find(name), frame=_frame(image.frame))
    if not isinstance(image.name, str):
        raise WrongLabelsError("file_name: it is missing.")
    return spots.find(image.name)


def _frame(value: Any) -> int | None:
    if value is not None and (type(value) is not int or value < 0):
        raise WrongLabelsError(f"frame_id: {str(value)[:40]!r} is not a number of a frame, from 0.")
    return value


def _scale(image: _Image, spot: Spot) -> Scale:
    """The size that the document says; otherwise that of the data unit."""
    sides = [side if type(side) in (int, float) else None for side in (image.width, image.height)]
    return Scale(*sides) if all(sides) else Scale(spot.width, spot.height)


def _entry(document: _Document, annotation: Mapping[str, Any], spot: Spot, scale: Scale, converter: Converter) -> Entry:
    where = f"annotation {annotation['id']}" if "id" in annotation else "a result"
    category = key_of(annotation.get("category_id"))
    if category not in document.categories:
        return Wrong(where=where, problem=f"category_id {category[:80]} is not the id of one of the categories")
    score = annotation.get("score")
    try:
        return Item(
            where=where,
            label=document.categories[category],
            shapes=_shapes(document, annotation, spot, scale, converter),
            scale=scale,
            score=None if score is None else number(score, "score"),
            frame=spot.frame,
            track=_track(annotation),
            attributes=_attributes(annotation.get("attributes")),
        )
    except WrongLabelsError as error:
        return Wrong(where=where, problem=str(error))


def _shapes(
    document: _Document, annotation: Mapping[str, Any], spot: Spot, scale: Scale, converter: Converter
) -> dict[str, Draw]:
    given, segmentation = annotation.get("bbox"), annotation.get("segmentation")
    shapes: dict[str, Draw] = {}
    if given is not None:
        shapes["bounding_box"] = lambda: box(scale, *numbers(given, "bbox", _BOX))
        shapes["rotatable_bounding_box"] = lambda: upright_box(scale, *numbers(given, "bbox", _BOX))
        shapes["polygon"] = lambda: polygon(scale, [_corners(*numbers(given, "bbox", _BOX))])
    if isinstance(segmentation, Mapping):
        shapes |= mask_shapes(lambda: pixels_of_coco(segmentation), (spot.width, spot.height))
    elif segmentation:
        shapes["polygon"] = lambda: polygon(scale, _outlines(segmentation))
        if _is_rotated(segmentation):
            shapes["rotatable_bounding_box"] = lambda: rotated_box(scale, _outlines(segmentation)[0])
    if annotation.get("keypoints"):
        label = document.categories[key_of(annotation.get("category_id"))]
        points, names = annotation["keypoints"], document.keypoints.get(label)
        template = converter.template_of(label)
        shapes["skeleton"] = lambda: skeleton(scale, template, keypoints(numbers(points, "keypoints"), 3), names)
    return shapes


def _corners(left: float, top: float, width: float, height: float) -> list[tuple[float, float]]:
    right, bottom = left + width, top + height
    return [(left, top), (left, bottom), (right, bottom), (right, top)]


def _outlines(segmentation: Any) -> list[list[tuple[float, float]]]:
    if not isinstance(segmentation, list):
        raise WrongLabelsError("segmentation: it is neither a mask nor a list of outlines")
    return [pairs(numbers(outline, "segmentation")) for outline in segmentation]


def _is_rotated(segmentation: Any) -> bool:
    first = segmentation[0] if isinstance(segmentation, list) and len(segmentation) == 1 else None
    return isinstance(first, list) and len(first) == 2 * _CORNERS


def _track(annotation: Mapping[str, Any]) -> str | int | None:
    found = annotation.get("track_id", annotation.get("instance_id"))
    if found is None or (isinstance(found, int | str) and not isinstance(found, bool)):
        return found
    raise WrongLabelsError(f"track_id: {str(found)[:40]!r} is neither text nor a number")


def _attributes(given: Any) -> Mapping[str, Any]:
    """Attributes with a value. Tools also write flags such as ``occluded`` here."""
    if not isinstance(given, Mapping):
        return {}
    return {str(name): value for name, value in given.items() if value not in (None, "")}
