"""The lines of a source in one of the forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.prelabels.forms.coco import coco_lines
from airflow_provider_encord.prelabels.forms.converting import Converter
from airflow_provider_encord.prelabels.forms.cvat import cvat_lines
from airflow_provider_encord.prelabels.forms.label_studio import label_studio_lines
from airflow_provider_encord.prelabels.forms.masks import mask_lines
from airflow_provider_encord.prelabels.forms.names import Spots
from airflow_provider_encord.prelabels.forms.spec import COCO, CSV, CVAT, LABEL_STUDIO, MASKS, PARQUET, YOLO, FormSpec
from airflow_provider_encord.prelabels.forms.tables import table_lines
from airflow_provider_encord.prelabels.forms.yolo import yolo_lines
from airflow_provider_encord.prelabels.sources import Prelabel, Target
from airflow_provider_encord.storage_paths import StoragePath

Reader: TypeAlias = Callable[[StoragePath, FormSpec, Spots, Converter], Iterator[Prelabel]]

_READERS: dict[str, Reader] = {
    COCO: coco_lines,
    YOLO: yolo_lines,
    CSV: table_lines,
    PARQUET: table_lines,
    CVAT: cvat_lines,
    LABEL_STUDIO: label_studio_lines,
    MASKS: mask_lines,
}


def converted_lines(source: StoragePath, spec: FormSpec, match_by: str, target: Target) -> Iterator[Prelabel]:
    """The lines of a source, one for each data unit.

    :param match_by: See `names.Spots`.
    :raises InvalidArgumentError: The source does not have this form, or it has no data units.
    """
    read = _READERS[spec.format]
    empty = True
    for line in read(source, spec, Spots(match_by, target.rows), Converter(target.features, spec)):
        empty = False
        yield line
    if empty:
        raise InvalidArgumentError(f"source: {source} names no data units. Check the task that writes it.")
