"""The boxes of the objects of a sample, for the forms that say nothing else of an object's shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow_provider_encord.exports.formats import geometry
from airflow_provider_encord.exports.formats.annotations import Annotation
from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms.segmentations import require_size
from airflow_provider_encord.training.forms.written import TOO_SMALL, WrittenSample
from airflow_provider_encord.training.outlines import clipped_box
from airflow_provider_encord.training.reasons import NotExpressibleError
from airflow_provider_encord.training.samples import Sample, left_out


def boxes_of(
    sample: Sample, classes: Classes, written: WrittenSample, *, min_box_size: float
) -> Iterator[tuple[Annotation, str, geometry.Box]]:
    """Objects with their class and the part of their box that is inside of the image; others are noted as left out.

    A form that takes an object adds its class to the sample that is written.

    :param min_box_size: Smallest width and height of a box, in pixels.
    """
    for annotation in sample.objects:
        class_name = written.class_of(annotation, classes)
        if class_name is None:
            continue
        try:
            box = clipped_box(annotation, require_size(sample))
            if min(box[2:]) < min_box_size:
                raise NotExpressibleError(TOO_SMALL)
        except NotExpressibleError as error:
            written.left_out.append(left_out(annotation, str(error)))
            continue
        yield annotation, class_name, box


def columns_of(
    sample: Sample, classes: Classes, written: WrittenSample, *, min_box_size: float
) -> dict[str, list[Any]]:
    """The objects of an image as `datasets` has them: a list of boxes, and one of the numbers of their classes.

    :param min_box_size: As in `boxes_of`.
    """
    boxes, categories = [], []
    for _, class_name, box in boxes_of(sample, classes, written, min_box_size=min_box_size):
        written.classes.append(class_name)
        written.box_sizes.append(box[2:])
        boxes.append(rounded(box))
        categories.append(classes.number(class_name))
    return {"bbox": boxes, "categories": categories}


def rounded(box: geometry.Box) -> list[float]:
    """Left, top, width and height, as they are written."""
    return [round(number, 3) for number in box]
