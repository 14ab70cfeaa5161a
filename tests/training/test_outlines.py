"""Outlines, rotated boxes and keypoints of objects."""

from __future__ import annotations

from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.exports.formats import geometry
from airflow_provider_encord.exports.formats.annotations import Annotation, Place
from airflow_provider_encord.training.outlines import (
    NotExpressibleError,
    clipped_box,
    keypoints_of,
    outline_of,
    region_of,
    rotated_corners,
)

SIZE = (40, 30)
PLACE = Place(unit="u", unit_title="t", frame=0, width=SIZE[0], height=SIZE[1])


def annotation(shape: str, **drawn: Any) -> Annotation:
    return Annotation(
        place=PLACE,
        kind="object",
        hash="h",
        feature_hash=None,
        name="n",
        shape=shape,
        geometry=drawn,
        answers={},
        confidence=None,
        manual=None,
        created_by=None,
        created_at=None,
        last_edited_by=None,
        last_edited_at=None,
    )


corner = st.tuples(st.integers(-5, 45), st.integers(-5, 35))
rings = st.lists(corner, min_size=3, max_size=7, unique=True)


@given(st.lists(rings, min_size=1, max_size=3))
def test_one_outline_covers_the_same_area_as_a_polygon_with_holes_that_may_cross_itself(
    given_rings: list[list[tuple[int, int]]],
) -> None:
    flat = [[number for x, y in ring for number in (x / SIZE[0], y / SIZE[1])] for ring in given_rings]
    road = annotation("polygon", polygons=[flat])
    shape = region_of(road)
    expected = shapely.intersection(shape.outline, shapely.box(0, 0, *SIZE)).area
    try:
        ring = outline_of(road, SIZE)
    except NotExpressibleError:
        assert expected == pytest.approx(0, abs=1e-6)
        return
    assert geometry.area_of(ring) == pytest.approx(expected, abs=1e-6)
    assert all(0 <= x <= SIZE[0] and 0 <= y <= SIZE[1] for x, y in ring)


@given(rings)
def test_a_rotated_box_is_around_the_whole_object(ring: list[tuple[int, int]]) -> None:
    road = annotation("polygon", polygons=[[[number for x, y in ring for number in (x / SIZE[0], y / SIZE[1])]]])
    shape = region_of(road)
    try:
        corners = rotated_corners(road)
    except NotExpressibleError:
        assert shape.area == 0
        return
    assert len(corners) == 4
    around = shapely.Polygon(corners).buffer(1e-6)
    assert around.contains(shape.outline)


def test_a_box_is_cut_at_the_edges_of_the_image() -> None:
    box = annotation("bounding_box", boundingBox={"x": -0.5, "y": 0.5, "w": 1.0, "h": 1.0})
    assert clipped_box(box, SIZE) == (0.0, 15.0, 20.0, 15.0)
    outside = annotation("bounding_box", boundingBox={"x": 1.5, "y": 0.5, "w": 1.0, "h": 1.0})
    with pytest.raises(NotExpressibleError, match="nothing of the image"):
        clipped_box(outside, SIZE)


def test_keypoints_are_in_the_order_of_their_numbers_with_their_visibility() -> None:
    points = {
        "10": {"x": 0.5, "y": 0.5, "name": "c", "visibility": "invisible"},
        "2": {"x": 0.25, "y": 0.5, "name": "b", "visibility": "selfOccluded"},
        "0": {"x": 0.1, "y": 0.2, "name": "a"},
    }
    assert keypoints_of(annotation("skeleton", skeleton=points)) == [(4.0, 6.0, 2), (10.0, 15.0, 1), (0.0, 0.0, 0)]


@pytest.mark.parametrize(
    "points", [{}, None, {"0": {"x": "a", "y": 1}}, {"a": {"x": 1, "y": 1}}, {"0": {"x": 1e999, "y": 0}}]
)
def test_a_malformed_skeleton_is_not_written(points: Any) -> None:
    with pytest.raises(NotExpressibleError):
        keypoints_of(annotation("skeleton", skeleton=points))
