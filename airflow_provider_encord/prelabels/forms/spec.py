"""What users ask for: the form of the source, its classes and its scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.defaults import PRELABEL_COORDINATES, PRELABEL_FORMATS
from airflow_provider_encord.storage_paths import StoragePath

COCO, YOLO, CSV, PARQUET, CVAT, LABEL_STUDIO, MASKS = PRELABEL_FORMATS
_TABLES = (CSV, PARQUET)
PIXELS, FRACTIONS = PRELABEL_COORDINATES


class FormSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How to read a source that is not JSON Lines.

    :param format: One of `PRELABEL_FORMATS`.
    :param class_map: The name or feature hash of the ontology's feature by class of the source; None leaves the class
        out. A class without an entry is a feature of the same name.
    :param score_threshold: Leave out annotations with a lower score; None leaves out none.
    :param coordinates: Unit of the coordinates of a table: `PIXELS` or `FRACTIONS` of width and height.
    :param images_source: The COCO file with the images and categories of a list of results.
    """

    format: str
    class_map: Mapping[str, str | None] = {}
    score_threshold: float | None = None
    coordinates: str | None = None
    images_source: StoragePath | None = None


def require_spec(spec: FormSpec) -> None:
    """Check that the arguments match the format.

    :raises InvalidArgumentError: The format does not exist, or an argument is missing or does not apply to it.
    """
    if spec.format not in PRELABEL_FORMATS:
        raise InvalidArgumentError(f"format: {spec.format[:80]!r} is not one of {', '.join(PRELABEL_FORMATS)}.")
    wrong = [target for target in spec.class_map.values() if not (target is None or isinstance(target, str))]
    if wrong:
        raise InvalidArgumentError(
            f"class_map: {str(wrong[0])[:80]!r} is not the name of a feature. Pass text, or None to drop the class."
        )
    if spec.coordinates is not None and spec.format not in _TABLES:
        raise InvalidArgumentError(f"coordinates: it applies to {' and '.join(_TABLES)} only. Leave it out.")
    if spec.format in _TABLES and spec.coordinates not in PRELABEL_COORDINATES:
        raise InvalidArgumentError(
            f"coordinates: {str(spec.coordinates)[:80]!r} is not one of {', '.join(PRELABEL_COORDINATES)}. Pass the "
            f"unit of the coordinates in the {spec.format} file."
        )
    if spec.images_source is not None and spec.format != COCO:
        raise InvalidArgumentError(f"images_source: it applies to the format {COCO!r} only. Leave it out.")


def class_map_of(value: Mapping[Any, Any] | None) -> dict[str, str | None]:
    """The argument `class_map` with text as keys; classes may be numbers.

    :raises InvalidArgumentError: Two keys are the same as text.
    """
    made = {str(key): target for key, target in (value or {}).items()}
    if len(made) < len(value or {}):
        raise InvalidArgumentError("class_map: two keys are the same class, as a number and as text. Remove one.")
    return made
