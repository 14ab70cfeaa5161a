"""Masks and panoptic segments as outside readers see them: pycocotools draws COCO, and Pillow reads the pictures.

The same samples are written in all forms. What is drawn of the COCO document, the later object on top, must be what the
pictures show; and the segments must be what the panoptic format of COCO defines.
"""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any

import msgspec
import numpy
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask
from pycocotools.coco import COCO

from airflow_provider_encord.exports.formats.annotations import Annotation
from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms import Form
from airflow_provider_encord.training.forms.coco import CocoForm
from airflow_provider_encord.training.forms.masks import INSTANCE, SEMANTIC, MasksForm
from airflow_provider_encord.training.forms.panoptic import PanopticForm
from tests.training.making import files_of, sample
from tests.training.test_outlines import annotation
from tests.training.test_panoptic import objects

CLASSES = ["thing", "stuff"]
SIZE = (40, 30)
corner = st.floats(-0.2, 1.2)


@st.composite
def polygons(draw: st.DrawFn) -> list[Annotation]:
    rings = draw(st.lists(st.lists(st.tuples(corner, corner), min_size=3, max_size=5), max_size=4))
    made = [annotation("polygon", polygons=[[[number for point in ring for number in point]]]) for ring in rings]
    return [
        msgspec.structs.replace(one, hash=f"p{number}", name=CLASSES[number % 2]) for number, one in enumerate(made)
    ]


drawings = st.tuples(objects(), polygons()).map(lambda both: [*both[0], *both[1]])


@given(drawings)
def test_masks_show_what_pycocotools_draws_of_the_coco_document(drawn: list[Annotation]) -> None:
    classes, numbers = _painted(drawn)
    semantic, instance = (
        _picture(MasksForm(kind, Classes(CLASSES, {}), ["train"]), drawn) for kind in (SEMANTIC, INSTANCE)
    )
    assert (semantic == classes).all()
    assert (instance // 1000 == classes).all()
    assert _same_parts(instance, numbers)


@given(drawings)
def test_panoptic_segments_are_what_the_format_defines(drawn: list[Annotation]) -> None:
    form = PanopticForm(Classes(CLASSES, {}), ["train"], stuff_classes=["stuff"])
    colours = _picture(form, drawn).astype(int)
    document = _document(form, "annotations/panoptic_train.json")
    ids = colours[..., 0] + 256 * colours[..., 1] + 256**2 * colours[..., 2]
    [about] = document["annotations"]
    categories = {category["id"]: category for category in document["categories"]}
    classes, numbers = _painted(drawn)
    assert {*numpy.unique(ids)} - {0} == {segment["id"] for segment in about["segments_info"]}
    assert ((ids > 0) == (classes > 0)).all()
    for segment in about["segments_info"]:
        pixels = ids == segment["id"]
        encoded = mask.encode(numpy.asfortranarray(pixels.astype(numpy.uint8)))
        assert segment["area"] == mask.area(encoded)
        assert segment["bbox"] == mask.toBbox(encoded).tolist()
        assert (classes[pixels] == segment["category_id"]).all()
        is_thing = categories[segment["category_id"]]["isthing"]
        assert len({*numbers[pixels]}) == 1 if is_thing else (pixels == (classes == segment["category_id"])).all()


def _painted(drawn: list[Annotation]) -> tuple[Any, Any]:
    """The class, and the number of the object, of each pixel, drawn by pycocotools."""
    form = CocoForm(Classes(CLASSES, {}), ["train"], {})
    form.add(sample("a", objects=drawn, size=SIZE), "train", ".png")
    reader = COCO()
    reader.dataset = _document(form, "annotations/instances_train.json")
    with contextlib.redirect_stdout(io.StringIO()):
        reader.createIndex()
    classes, numbers = numpy.zeros(SIZE[::-1], dtype=int), numpy.zeros(SIZE[::-1], dtype=int)
    for number, one in enumerate(reader.dataset["annotations"], start=1):
        pixels = reader.annToMask(one) > 0
        classes[pixels], numbers[pixels] = one["category_id"], number
    return classes, numbers


def _same_parts(pixels: Any, others: Any) -> bool:
    """Whether two pictures divide the image into the same parts, whatever these are called."""
    pairs = {*zip(pixels.ravel().tolist(), others.ravel().tolist(), strict=True)}
    return len(pairs) == len({one for one, _ in pairs}) == len({other for _, other in pairs})


def _picture(form: Form, drawn: list[Annotation]) -> Any:
    [content] = form.add(sample("a", objects=drawn, size=SIZE), "train", ".png").files.values()
    return numpy.asarray(Image.open(io.BytesIO(content)))


def _document(form: Form, path: str) -> Any:
    return json.loads(files_of(form)[path])
