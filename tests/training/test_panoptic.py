"""Segments of pixels."""

from __future__ import annotations

import io
import json

import numpy
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from airflow_provider_encord.exports.formats.annotations import Annotation
from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms.panoptic import PanopticForm
from tests.training.making import box, files_of, sample

corners = st.integers(-4, 44)
sizes = st.integers(1, 20)


@st.composite
def objects(draw: st.DrawFn) -> list[Annotation]:
    drawn = draw(
        st.lists(st.tuples(corners, corners, sizes, sizes, st.sampled_from(["thing", "stuff", "gone"])), max_size=6)
    )
    return [
        box(str(number), left / 40, top / 30, width / 40, height / 30, name)
        for number, (left, top, width, height, name) in enumerate(drawn)
    ]


@given(objects())
def test_areas_boxes_and_classes_are_those_of_the_pixels(drawn: list[Annotation]) -> None:
    form = PanopticForm(Classes(["thing", "stuff"], {}), ["train"], stuff_classes=["stuff"])
    written = form.add(sample("a", objects=drawn), "train", ".png")
    assert len(written.classes) + len(written.left_out) == len(drawn)
    [content] = written.files.values()
    red, green, blue = numpy.moveaxis(numpy.asarray(Image.open(io.BytesIO(content))).astype(int), -1, 0)
    ids = red + 256 * green + 65536 * blue
    document = json.loads(files_of(form)["annotations/panoptic_train.json"])
    [annotation] = document["annotations"]
    segments = {segment["id"]: segment for segment in annotation["segments_info"]}
    assert {*numpy.unique(ids)} - {0} == {*segments}
    assert [segment["category_id"] for segment in segments.values()].count(2) <= 1
    for id_, segment in segments.items():
        rows, columns = numpy.nonzero(ids == id_)
        left, top, width, height = segment["bbox"]
        assert segment["area"] == len(rows)
        assert (left, top, left + width, top + height) == (
            columns.min(),
            rows.min(),
            columns.max() + 1,
            rows.max() + 1,
        )
    expected = numpy.zeros((30, 40), dtype=int)
    for annotation_ in drawn:
        if annotation_.name != "gone":
            place = annotation_.geometry["boundingBox"]
            left, top = round(place["x"] * 40), round(place["y"] * 30)
            right, bottom = left + round(place["w"] * 40), top + round(place["h"] * 30)
            expected[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = 1 + (annotation_.name == "stuff")
    categories = numpy.zeros_like(ids)
    for id_, segment in segments.items():
        categories[ids == id_] = segment["category_id"]
    assert (categories == expected).all()


def test_more_than_255_objects_have_ids_of_several_bytes() -> None:
    """As many as 700 squares of one pixel."""
    form = PanopticForm(Classes(["n"], {}), ["train"], stuff_classes=[])
    squares = [
        box(f"{column} {row}", column / 40, row / 30, 1 / 40, 1 / 30) for row in range(20) for column in range(35)
    ]
    written = form.add(sample("a", objects=squares), "train", ".png")
    [content] = written.files.values()
    pixels = numpy.asarray(Image.open(io.BytesIO(content))).astype(int)
    ids = pixels @ numpy.array([1, 256, 65536])
    assert sorted({*ids.flat}) == [*range(701)]
