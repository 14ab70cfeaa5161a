"""Coordinates of sources become fractions that are never outside of the image, and boxes keep their corners."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from airflow_provider_encord.exports.formats.annotations import Annotation, Place
from airflow_provider_encord.exports.formats.geometry import corners_of
from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.forms.scale import MARGIN, Scale, number
from airflow_provider_encord.prelabels.forms.shapes import box, polygon, rotated_box, turned_box

WIDTH, HEIGHT = 640.0, 480.0
SIDES = st.floats(1, 300)
COORDINATES = st.floats(-100, 800)


def annotation(shape: str, geometry: dict[str, Any]) -> Annotation:
    place = Place(unit="u", unit_title="u", frame=0, width=int(WIDTH), height=int(HEIGHT))
    known: dict[str, Any] = dict.fromkeys(Annotation.__struct_fields__)
    return Annotation(**{**known, "kind": "object", "hash": "h", "shape": shape, "geometry": geometry, "place": place})


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9), st.floats(0, 1e9), st.floats(0, 1e9))
def test_a_box_is_within_the_image_or_refused(left: float, top: float, width: float, height: float) -> None:
    scale = Scale(WIDTH, HEIGHT)
    try:
        drawn = box(scale, left, top, width, height)["boundingBox"]
    except WrongLabelsError:
        beyond = (-left / WIDTH, -top / HEIGHT, (left + width) / WIDTH - 1, (top + height) / HEIGHT - 1)
        beyond = (*beyond, left / WIDTH - 1, top / HEIGHT - 1)
        assert max(beyond) > MARGIN
        return
    assert all(0 <= value <= 1 for value in drawn.values())
    assert drawn["x"] + drawn["w"] <= 1 + 1e-9
    assert drawn["y"] + drawn["h"] <= 1 + 1e-9
    if not scale.clipped:
        assert [drawn["x"] * WIDTH, drawn["y"] * HEIGHT] == pytest.approx([left, top], abs=1e-3)
        assert [drawn["w"] * WIDTH, drawn["h"] * HEIGHT] == pytest.approx([width, height], abs=1e-3)


@given(COORDINATES, COORDINATES, SIDES, SIDES, st.floats(0, 359.9))
def test_corners_of_a_rotated_box_give_the_same_box(
    left: float, top: float, width: float, height: float, turn: float
) -> None:
    scale = Scale(WIDTH, HEIGHT)
    drawn = turned_box(scale, left, top, width, height, turn)
    corners = corners_of(annotation("rotatable_bounding_box", drawn))
    again = rotated_box(scale, corners)
    assert corners_of(annotation("rotatable_bounding_box", again)) == [
        pytest.approx(corner, abs=1e-6) for corner in corners
    ]
    turns = (drawn["rotatableBoundingBox"]["theta"], again["rotatableBoundingBox"]["theta"])
    assert math.cos(math.radians(turns[0] - turns[1])) == pytest.approx(1)


@given(st.lists(st.tuples(COORDINATES, COORDINATES), min_size=4, max_size=4))
def test_four_corners_that_are_no_rectangle_are_refused(corners: list[tuple[float, float]]) -> None:
    first, second, third, fourth = corners
    skew = max(abs(first[axis] + third[axis] - second[axis] - fourth[axis]) for axis in (0, 1))
    assume(skew > 100)
    with pytest.raises(WrongLabelsError, match="the four corners are not a rectangle"):
        rotated_box(Scale(WIDTH, HEIGHT), corners)


@given(st.lists(st.lists(st.tuples(st.floats(0, WIDTH), st.floats(0, HEIGHT)), min_size=3, max_size=9), min_size=1))
def test_a_polygon_keeps_its_outlines_in_both_forms(outlines: list[list[tuple[float, float]]]) -> None:
    drawn = polygon(Scale(WIDTH, HEIGHT), outlines)
    assert [(point["x"] * WIDTH, point["y"] * HEIGHT) for point in drawn["polygon"].values()] == [
        pytest.approx(point) for point in outlines[0]
    ]
    assert [len(ring) for (ring,) in drawn["polygons"]] == [2 * len(outline) for outline in outlines]


@pytest.mark.parametrize("value", [None, True, "x", "", [], math.nan, math.inf, "nan", "1e999", 10**400])
def test_what_is_no_finite_number_is_refused(value: Any) -> None:
    with pytest.raises(WrongLabelsError, match=r"x: .* is not a number"):
        number(value, "x")


@pytest.mark.parametrize("size", [(None, None), (0, 5), (5, None), (-1, 5)])
def test_pixels_need_the_size_of_the_image(size: Any) -> None:
    with pytest.raises(WrongLabelsError, match="the size of the image in pixels is not known"):
        Scale(*size).x(1)
