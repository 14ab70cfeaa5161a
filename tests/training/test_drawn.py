"""What is computed of many objects together is what is computed of each of them alone, to the last byte."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import msgspec
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.exports.formats import geometry
from airflow_provider_encord.exports.formats.annotations import Annotation
from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms.coco import CocoForm
from airflow_provider_encord.training.forms.drawn import Drawn, drawn_of, rounded
from airflow_provider_encord.training.forms.segmentations import pixels_of_crossing, segmentation_in
from airflow_provider_encord.training.outlines import clipped
from airflow_provider_encord.training.reasons import NotExpressibleError
from airflow_provider_encord.training.samples import Sample
from tests.training.making import box, files_of, sample
from tests.training.test_outlines import annotation

SIZES = ((40, 30), (640, 480), (1920, 1080))
fraction = st.one_of(
    st.floats(-0.5, 1.5),
    st.integers(0, 10_000).map(lambda number: number / 10_000),
    st.sampled_from([0.0, -0.0, 1.0, 0, 1, 1e-320, 1e300, math.inf, math.nan, None, "1", True]),
)
sides = st.fixed_dictionaries(
    dict.fromkeys("xywh", fraction), optional={"theta": st.sampled_from([0, 0.0, None, 30.0])}
)
ring = st.lists(fraction, max_size=12)
object_ = st.one_of(
    sides.map(lambda about: annotation("bounding_box", boundingBox=about)),
    sides.map(lambda about: annotation("rotatable_bounding_box", rotatableBoundingBox=about)),
    st.lists(st.lists(ring, max_size=2), max_size=2).map(lambda polygons: annotation("polygon", polygons=polygons)),
    ring.map(lambda points: annotation("polygon", polygons=[[points]])),
)
samples = st.lists(st.tuples(st.lists(object_, max_size=4), st.sampled_from(SIZES)), min_size=1, max_size=3)


@given(st.lists(st.one_of(st.floats(), st.floats(-4000, 4000), st.integers(0, 10**7).map(lambda n: n / 2000))))
def test_numbers_are_rounded_as_python_rounds_them(numbers: list[float]) -> None:
    with numpy.errstate(over="ignore", invalid="ignore"):
        assert repr(rounded(numpy.array(numbers, dtype=float))) == repr([round(number, 3) for number in numbers])


@given(samples)
def test_objects_of_several_images_are_those_of_each_object_alone(given_samples: list[Any]) -> None:
    made = [_placed(str(number), objects, size) for number, (objects, size) in enumerate(given_samples)]
    for one, found in zip(made, drawn_of(made), strict=True):
        assert len(found) == len(one.objects)
        for object_alone, drawn in zip(one.objects, found, strict=True):
            if drawn is not None:
                assert _as_json(drawn) == _as_json(_alone(object_alone, one.size or (0, 0)))


@given(samples)
def test_a_document_does_not_show_what_was_computed_together(given_samples: list[Any]) -> None:
    made = [_placed(str(number), objects, size) for number, (objects, size) in enumerate(given_samples)]
    documents = []
    for ahead in (made, made[:1], []):
        form = CocoForm(Classes(["n"], {}), ["train"], {})
        form.look_ahead(ahead)
        outcome = [_outcome(form, one) for one in made]
        documents.append((files_of(form), outcome))
    assert documents[0] == documents[1] == documents[2]


def test_usual_boxes_and_polygons_are_computed_together() -> None:
    bow = annotation("polygon", polygons=[[[0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0]]])
    usual = [box("a", 0.1, 0.1, 0.5, 0.5), annotation("polygon", polygons=[[[0.1, 0.1, 0.9, 0.1, 0.5, 0.9]]]), bow]
    unusual = [
        annotation("rotatable_bounding_box", rotatableBoundingBox={"x": 0.1, "y": 0.1, "w": 0.5, "h": 0.5, "theta": 9}),
        annotation("polygon", polygons=[[[0.1, 0.1, 0.9, 0.1, 0.5, 0.9], [0.4, 0.2, 0.5, 0.2, 0.4, 0.3]]]),
        annotation("point", point={"0": {"x": 0.1, "y": 0.1}}),
    ]
    found = drawn_of([_placed("a", [*usual, *unusual], SIZES[0])])[0]
    assert [drawn is not None for drawn in found] == [True] * 3 + [False] * 3


def test_the_bytes_of_a_document_stay_the_same() -> None:
    """Of one that was written by the version that computed one object after the other."""
    form = CocoForm(Classes(["n"], {}), ["train"], {})
    made = [_placed(f"image {number}", _many(number), SIZES[number % 3]) for number in range(20)]
    form.look_ahead(made)
    for one in made:
        form.add(one, "train", ".png")
    content = files_of(form)["annotations/instances_train.json"]
    assert hashlib.sha256(content).hexdigest() == "2af56bd29a6f513c74fda96791800372fd1a0d727f45215ec01896318535454c"


def _many(seed: int) -> list[Annotation]:
    numbers = [((seed * 7919 + step * 104729) % 9973) / 9973 for step in range(200)]
    boxes = [
        box(f"b{n}", numbers[4 * n], numbers[4 * n + 1], numbers[4 * n + 2] / 2, numbers[4 * n + 3]) for n in range(10)
    ]
    rings = [annotation("polygon", polygons=[[numbers[10 * n : 10 * n + 10]]]) for n in range(10)]
    return [*boxes, *(msgspec.structs.replace(one, hash=f"p{n}", name="n") for n, one in enumerate(rings))]


def _placed(name: str, objects: list[Annotation], size: tuple[int, int]) -> Sample:
    """A sample, whose objects are placed on it."""
    made = sample(name, size=size)
    placed = [
        msgspec.structs.replace(one, place=made.place, name="n", hash=str(number)) for number, one in enumerate(objects)
    ]
    return msgspec.structs.replace(made, objects=placed)


def _alone(object_alone: Annotation, size: tuple[int, int]) -> Drawn:
    pixels = pixels_of_crossing([object_alone], size)[0]
    segmentation, area, whole = segmentation_in(object_alone, size, pixels=pixels)
    inside = clipped(whole, size)
    return Drawn(segmentation, round(area, 3), [round(number, 3) for number in inside], min(inside[2:]))


def _outcome(form: CocoForm, one: Sample) -> Any:
    try:
        written = form.add(one, "train", ".png")
    except (NotExpressibleError, geometry.MalformedGeometryError):
        pytest.fail("it is noted, not raised")
    return written.classes, written.box_sizes, [left.reason for left in written.left_out]


def _as_json(drawn: Drawn) -> bytes:
    return msgspec.json.encode(drawn)
