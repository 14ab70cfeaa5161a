"""YOLO: a text file for each image, with a line for each object. Coordinates are fractions.

A line is a class number and: ``x y w h`` of the centre (detect); the corners of a polygon (segment); four corners
(obb); or a box and keypoints (pose, with ``kpt_shape`` in ``data.yaml``). Predictions add the confidence, and then the
id of the track. What the numbers are follows from the shape of the feature in the ontology.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.forms.converting import Converter
from airflow_provider_encord.prelabels.forms.files import files_of
from airflow_provider_encord.prelabels.forms.items import Draw, Entry, Item, Wrong
from airflow_provider_encord.prelabels.forms.names import Spot, Spots
from airflow_provider_encord.prelabels.forms.scale import Scale, number
from airflow_provider_encord.prelabels.forms.shapes import box, pairs, polygon, rotated_box
from airflow_provider_encord.prelabels.forms.skeletons import keypoints, skeleton
from airflow_provider_encord.prelabels.forms.small_files import lines_of_small_files
from airflow_provider_encord.prelabels.forms.spec import FormSpec
from airflow_provider_encord.prelabels.forms.yolo_classes import Classes, classes_of
from airflow_provider_encord.prelabels.sources import Prelabel
from airflow_provider_encord.storage_paths import StoragePath, storage_errors

_SUFFIX = ".txt"
_NOT_LABELS = ("classes.txt", "train.txt", "val.txt", "test.txt")
_LABELS = "labels"
_BOX, _ROTATED, _LEAST_POLYGON = 4, 8, 6


class _Values(msgspec.Struct, frozen=True):
    """The numbers of a line after its class: coordinates, and what predictions add."""

    coordinates: list[float]
    score: float | None = None
    track: int | None = None


def yolo_lines(source: StoragePath, spec: FormSpec, spots: Spots, converter: Converter) -> Iterator[Prelabel]:  # noqa: ARG001 - as for other forms
    """The lines of a directory of YOLO's label files, one for each data unit.

    If the source has a directory ``labels``, its files are read. Files of the frames of a video are one line.

    :raises InvalidArgumentError: There are no files, or the file with the classes cannot be read.
    """
    with storage_errors("source", source):
        if not source.is_dir():
            raise InvalidArgumentError(f"source: {source} is not a directory. Pass the directory of the label files.")
        labels = source / _LABELS if (source / _LABELS).is_dir() else source
    classes = classes_of(source)
    files = [(name, path) for name, path in files_of(labels, (_SUFFIX,), below=True) if path.name not in _NOT_LABELS]
    yield from lines_of_small_files(
        files,
        lambda file: spots.find(file[0].removesuffix(_SUFFIX), numbered=True),
        lambda name, content, spot: _entries(name, content, classes, spot, converter),
        converter,
    )


def _entries(name: str, content: bytes, classes: Classes, spot: Spot, converter: Converter) -> Iterator[Entry]:
    for line, written in enumerate(content.split(b"\n"), start=1):
        if not written.strip():
            continue
        where = f"{name}, line {line}"
        try:
            yield _item(where, written.decode().split(), classes, spot, converter)
        except UnicodeDecodeError:
            yield Wrong(where=where, problem="it is not UTF-8")
        except WrongLabelsError as error:
            yield Wrong(where=where, problem=str(error))


def _item(where: str, words: Sequence[str], classes: Classes, spot: Spot, converter: Converter) -> Item:
    label = classes.name_of(words[0])
    given = [number(word, "coordinate") for word in words[1:]]
    shape = converter.shape_of(label)
    values = _split(given, shape, classes)
    scale = Scale(1, 1)
    # An angle is measured in pixels.
    rotated = Scale(spot.width, spot.height)
    shapes: Mapping[str, Draw] = {
        "bounding_box": lambda: _box(scale, values.coordinates),
        "polygon": lambda: polygon(scale, [pairs(values.coordinates)]),
        "rotatable_bounding_box": lambda: _rotated(rotated, values.coordinates),
        "skeleton": lambda: _skeleton(scale, values.coordinates, label, classes, converter),
    }
    return Item(
        where=where,
        label=label,
        shapes=shapes,
        scale=rotated if shape == "rotatable_bounding_box" else scale,
        score=values.score,
        frame=spot.frame,
        track=values.track,
    )


def _split(given: list[float], shape: str | None, classes: Classes) -> _Values:
    """The coordinates, the confidence and the track of a line, as far as its shape says how many there are."""
    # The box of a pose is also a box.
    has_pose = len(given) > _BOX + 2 and classes.pose_numbers is not None
    count = {
        "bounding_box": classes.pose_numbers if has_pose else _BOX,
        "rotatable_bounding_box": _ROTATED,
        "skeleton": classes.pose_numbers,
        # A polygon has pairs of coordinates, so one number more is the confidence.
        "polygon": len(given) - len(given) % 2,
    }.get(shape or "", len(given))
    count = len(given) if count is None else count
    more = given[count:]
    if len(given) < count or len(more) > 2:
        raise WrongLabelsError(f"it has {len(given)} numbers after the class, but a {shape} has {count}")
    return _Values(given[:count], more[0] if more else None, int(more[1]) if len(more) > 1 else None)


def _box(scale: Scale, coordinates: list[float]) -> dict[str, Any]:
    x, y, width, height = coordinates[:_BOX]
    return box(scale, x - width / 2, y - height / 2, width, height)


def _rotated(scale: Scale, coordinates: list[float]) -> dict[str, Any]:
    width, height = scale.size
    return rotated_box(scale, [(x * width, y * height) for x, y in pairs(coordinates)])


def _skeleton(
    scale: Scale, coordinates: list[float], label: str, classes: Classes, converter: Converter
) -> dict[str, Any]:
    if classes.keypoints is None:
        raise WrongLabelsError("the number of keypoints is not known; add kpt_shape to data.yaml")
    points = keypoints(coordinates[_BOX:], classes.keypoints[1])
    return skeleton(scale, converter.template_of(label), points, None)
