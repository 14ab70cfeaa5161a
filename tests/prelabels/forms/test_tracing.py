"""Masks as polygons that cover exactly the same pixels."""

from __future__ import annotations

import shapely
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.prelabels.forms.tracing import Ring, outlines


def traced(*rows: str) -> list[list[Ring]]:
    pixels = bytes(int(pixel != ".") for row in rows for pixel in row)
    return outlines(pixels, len(rows[0]))


def test_a_rectangle_has_four_corners() -> None:
    assert traced("....", ".##.", ".##.", "....") == [[[(1, 1), (3, 1), (3, 3), (1, 3)]]]


def test_a_hole_is_a_ring_of_its_region() -> None:
    ((outline, hole),) = traced("###", "#.#", "###")
    assert {*outline} == {(0, 0), (3, 0), (3, 3), (0, 3)}
    assert {*hole} == {(1, 1), (2, 1), (2, 2), (1, 2)}


def test_pixels_that_touch_at_a_corner_are_two_regions() -> None:
    assert [len(rings) for rings in traced("#.", ".#")] == [1, 1]


def test_a_ring_that_closes_at_a_corner_has_a_hole() -> None:
    ((outline, hole),) = traced("##.", "#.#", "###")
    assert {(1, 1), (2, 1), (2, 2), (1, 2)} == {*hole}
    assert shapely.Polygon(outline, [hole]).is_valid


def test_a_region_in_the_hole_of_another_is_its_own() -> None:
    regions = traced("#####", "#...#", "#.#.#", "#...#", "#####")
    assert [len(rings) for rings in regions] == [2, 1]


def test_an_empty_mask_has_no_region() -> None:
    assert traced("...", "...") == []


@st.composite
def masks(draw: st.DrawFn) -> tuple[bytes, int]:
    width, height = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    return bytes(draw(st.lists(st.integers(0, 1), min_size=width * height, max_size=width * height))), width


@given(masks())
def test_the_polygons_cover_exactly_the_pixels(mask: tuple[bytes, int]) -> None:
    """Shapely is the referee: every polygon is valid, and together they are the set pixels, without an overlap."""
    pixels, width = mask
    polygons = [shapely.Polygon(outline, holes) for outline, *holes in outlines(pixels, width)]
    assert all(polygon.is_valid for polygon in polygons)
    assert sum(polygon.area for polygon in polygons) == sum(pixels)
    boxes = [shapely.box(n % width, n // width, n % width + 1, n // width + 1) for n, set_ in enumerate(pixels) if set_]
    assert shapely.union_all(polygons).symmetric_difference(shapely.union_all(boxes)).area == 0


@given(masks())
def test_the_same_mask_gives_the_same_rings(mask: tuple[bytes, int]) -> None:
    assert outlines(*mask) == outlines(*mask)


def test_a_large_disc_has_one_outline_of_its_area() -> None:
    size = 1500
    middle = size / 2
    rows = []
    for row in range(size):
        half = int(max(0.0, middle**2 - (row - middle) ** 2) ** 0.5)
        rows.append(bytes(size // 2 - half) + bytes([1]) * (2 * half) + bytes(size - size // 2 - half))
    ((outline,),) = outlines(b"".join(rows), size)
    assert shapely.Polygon(outline).area == sum(map(sum, rows))
