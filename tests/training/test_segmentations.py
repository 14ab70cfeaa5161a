"""Segmentations of training sets, beside what pycocotools draws of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask

from airflow_provider_encord.training.forms.segmentations import pixels_of_crossing, segmentation_in
from airflow_provider_encord.training.reasons import NotExpressibleError
from tests.training.test_outlines import SIZE, annotation

corner = st.tuples(st.integers(0, SIZE[0]), st.integers(0, SIZE[1]))


def test_the_area_of_a_polygon_that_crosses_itself_is_what_it_covers() -> None:
    """The sum of what its edges go around is 0."""
    bow = [0, 0, 1, 1, 1, 0, 0, 1]
    drawn = annotation("polygon", polygons=[[bow]])
    _, area, box = segmentation_in(drawn, SIZE, pixels=pixels_of_crossing([drawn], SIZE)[0])
    assert area == pytest.approx(SIZE[0] * SIZE[1] / 2, rel=0.1)
    assert box == (0, 0, *SIZE)


@given(st.lists(corner, min_size=3, max_size=6, unique=True))
def test_an_area_is_about_that_of_the_pixels(ring: list[tuple[int, int]]) -> None:
    flat = [number for x, y in ring for number in (x / SIZE[0], y / SIZE[1])]
    try:
        drawn = annotation("polygon", polygons=[[flat]])
        segmentation, area, _ = segmentation_in(drawn, SIZE, pixels=pixels_of_crossing([drawn], SIZE)[0])
    except NotExpressibleError:
        return
    pixels = mask.area(mask.merge(mask.frPyObjects(segmentation, SIZE[1], SIZE[0])))
    around = sum(abs(x1 - x2) + abs(y1 - y2) for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True))
    assert abs(area - pixels) <= around


@pytest.mark.parametrize("far", [1e300, -1e9, float("inf"), float("nan")])
def test_a_polygon_with_a_point_far_away_is_malformed(far: float) -> None:
    """Drawing it would end the process, here and in readers of COCO."""
    for polygons in ([[[0, 0, 1, 1, far, 0, 0, 1]]], [[[0, 0, 1, 1, 1, 0], [0, 0, 1, 1, 1, far]]]):
        drawn = annotation("polygon", polygons=polygons)
        assert pixels_of_crossing([drawn], SIZE) == [None]
        with pytest.raises(NotExpressibleError, match="malformed"):
            segmentation_in(drawn, SIZE)
