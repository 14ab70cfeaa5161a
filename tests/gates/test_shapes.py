"""Overlaps are those of the shapes, not of their bounding boxes: compared with counting small squares."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.formats.annotations import OBJECT, Annotation, Place
from airflow_provider_encord.exports.formats.shapes import Shape, distance, iou, shape_of
from airflow_provider_encord.gates.agreement import Tally, compare, require_shapes

SIDE = 12  # pixels of the image
FINE = 16  # squares along a pixel
Rings = Sequence[Sequence[tuple[float, float]]]


def annotation(geometry: dict[str, Any], shape: str = "polygon", *, hash_: str = "o", side: int | None = SIDE) -> Any:
    return Annotation(
        place=Place(unit="u", unit_title="u.png", frame=0, width=side, height=side),
        kind=OBJECT,
        hash=hash_,
        feature_hash="thing",
        name="Thing",
        shape=shape,
        geometry=geometry,
        answers={},
        confidence=None,
        manual=True,
        created_by=None,
        created_at=None,
        last_edited_by=None,
        last_edited_at=None,
    )


def shape(geometry: dict[str, Any], side: int = SIDE) -> Shape:
    found = shape_of(annotation(geometry, side=side))
    assert found is not None
    return found


def polygon(*polygons: Rings, side: int = SIDE) -> dict[str, Any]:
    return {
        "polygons": [[[number / side for point in ring for number in point] for ring in rings] for rings in polygons]
    }


def box(left: float, top: float, width: float, height: float, side: int = SIDE) -> dict[str, Any]:
    return {"boundingBox": {"x": left / side, "y": top / side, "w": width / side, "h": height / side}}


def rotated(left: float, top: float, width: float, height: float, theta: float) -> dict[str, Any]:
    return {"rotatableBoundingBox": {**box(left, top, width, height)["boundingBox"], "theta": theta}}


def bitmask(pixels: Any, left: int = 0, top: int = 0) -> dict[str, Any]:
    """A bitmask of an array of rows, written as Encord writes it."""
    counts, position, value = [], 0, False
    flat = list(map(bool, numpy.asarray(pixels).ravel()))
    while position < len(flat):
        start = position
        while position < len(flat) and flat[position] == value:
            position += 1
        counts.append(position - start)
        value = not value
    text = ""
    for number, count in enumerate(counts):
        text += _written(count - (counts[number - 2] if number > 2 else 0))
    height, width = numpy.asarray(pixels).shape
    return {"bitmask": {"left": left, "top": top, "height": height, "width": width, "rleString": text}}


def _written(number: int) -> str:
    text = ""
    while True:
        bits = number & 31
        number >>= 5
        more = number != (-1 if bits & 16 else 0)
        text += chr(48 + bits + (32 if more else 0))
        if not more:
            return text


# The referee: small squares, whose centres are inside or not.

CENTRES = (numpy.arange(SIDE * FINE) + 0.5) / FINE
XS, YS = numpy.meshgrid(CENTRES, CENTRES)


def squares_in(ring: Sequence[tuple[float, float]]) -> Any:
    inside = numpy.zeros(XS.shape, dtype=bool)
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], *ring[:1]], strict=True):
        if y1 != y2:
            inside ^= ((y1 > YS) != (y2 > YS)) & ((x2 - x1) * (YS - y1) / (y2 - y1) + x1 > XS)
    return inside


def squares_of(polygons: Sequence[Rings]) -> Any:
    whole = numpy.zeros(XS.shape, dtype=bool)
    for outline, *holes in polygons:
        part = squares_in(outline)
        for hole in holes:
            part &= ~squares_in(hole)
        whole |= part
    return whole


def squares_of_pixels(pixels: Any) -> Any:
    return numpy.kron(numpy.asarray(pixels, dtype=bool), numpy.ones((FINE, FINE), dtype=bool))


def length(polygons: Sequence[Rings]) -> float:
    """Of all outlines: along them, squares can be counted wrongly."""
    return sum(
        math.dist(one, other)
        for rings in polygons
        for ring in rings
        for one, other in zip(ring, [*ring[1:], *ring[:1]], strict=True)
    )


def no_edge_twice(ring: Sequence[tuple[float, float]]) -> bool:
    """An outline that is drawn twice covers its area once, although each square is inside an even number of times."""
    outline = shapely.LineString([*ring, ring[0]])
    return bool(math.isclose(shapely.union_all([outline]).length, outline.length))


CORNERS = st.tuples(*[st.integers(0, SIDE)] * 2)
RINGS = st.lists(CORNERS, min_size=3, max_size=7).filter(no_edge_twice)  # they cross themselves, and repeat corners
POLYGONS = st.lists(st.tuples(RINGS) | st.tuples(RINGS, RINGS), min_size=1, max_size=2)
PIXELS = st.lists(st.lists(st.booleans(), min_size=SIDE, max_size=SIDE), min_size=SIDE, max_size=SIDE).filter(
    lambda rows: any(map(any, rows))
)


def common_area(one: Shape, other: Shape) -> float:
    """From the overlap: x / (a + b - x)."""
    share = iou(one, other)
    return share * (one.area + other.area) / (1 + share)


def area_of(squares: Any) -> float:
    return float(squares.sum()) / FINE**2


@given(POLYGONS, POLYGONS)
def test_the_overlap_of_polygons_is_that_of_their_squares(one: Any, other: Any) -> None:
    shapes, squares = [shape(polygon(*side)) for side in (one, other)], [squares_of(side) for side in (one, other)]
    off = (length(one) + length(other)) / FINE
    for found, counted in zip(shapes, squares, strict=True):
        assert found.area == pytest.approx(area_of(counted), abs=off)
    assume(all(found.area for found in shapes))
    assert common_area(*shapes) == pytest.approx(area_of(squares[0] & squares[1]), abs=off)
    assert iou(*shapes) == pytest.approx(iou(*reversed(shapes)))
    assert iou(shapes[0], shapes[0]) == pytest.approx(1.0)


@given(POLYGONS, PIXELS)
def test_the_overlap_of_a_polygon_and_a_bitmask_is_that_of_their_squares(one: Any, pixels: Any) -> None:
    found, mask = shape(polygon(*one)), shape(bitmask(pixels))
    assume(found.area)
    counted = area_of(squares_of(one) & squares_of_pixels(pixels))
    assert common_area(found, mask) == pytest.approx(counted, abs=length(one) / FINE)
    assert iou(found, mask) == pytest.approx(iou(mask, found))


@given(PIXELS, PIXELS, st.integers(0, 3), st.integers(0, 3))
def test_the_overlap_of_bitmasks_is_that_of_their_pixels(one: Any, other: Any, left: int, top: int) -> None:
    placed = numpy.zeros((2, SIDE + 3, SIDE + 3), dtype=bool)
    placed[0, :SIDE, :SIDE] = one
    placed[1, top : top + SIDE, left : left + SIDE] = other
    shapes = shape(bitmask(one)), shape(bitmask(other, left, top))
    assert [found.area for found in shapes] == [placed[0].sum(), placed[1].sum()]
    assert iou(*shapes) == pytest.approx((placed[0] & placed[1]).sum() / (placed[0] | placed[1]).sum())


@given(st.tuples(*[st.integers(0, 6)] * 2, *[st.integers(1, 6)] * 2), st.integers(0, 360), PIXELS)
def test_rotated_boxes_are_polygons_of_their_corners(place: Any, theta: int, pixels: Any) -> None:
    left, top, width, height = place
    middle, turn = (left + width / 2, top + height / 2), math.radians(theta)
    corners = [
        (
            middle[0] + x * math.cos(turn) - y * math.sin(turn),
            middle[1] + x * math.sin(turn) + y * math.cos(turn),
        )
        for x, y in [(a * width / 2, b * height / 2) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    ]
    found = shape(rotated(*place, theta))
    assert found.area == pytest.approx(width * height)
    assert iou(found, shape(polygon([corners]))) == pytest.approx(1.0)
    counted = area_of(squares_in(corners) & squares_of_pixels(pixels))
    assert common_area(found, shape(bitmask(pixels))) == pytest.approx(counted, abs=2 * (width + height) / FINE)


def test_a_thin_diagonal_polygon_is_not_its_bounding_box() -> None:
    thin = polygon([[(0, 0), (1, 0), (12, 11), (12, 12), (11, 12), (0, 1)]])
    assert shape(thin).bounds == shape(box(0, 0, 12, 12)).bounds
    assert iou(shape(thin), shape(box(0, 0, 12, 12))) == pytest.approx(23 / 144)
    other = polygon([[(12, 0), (12, 1), (1, 12), (0, 12), (0, 11), (11, 0)]])
    assert iou(shape(thin), shape(other)) < 0.1


def test_a_hole_does_not_belong_to_a_polygon() -> None:
    outline, hole = [(0, 0), (10, 0), (10, 10), (0, 10)], [(1, 1), (9, 1), (9, 9), (1, 9)]
    ring = shape(polygon([outline, hole]))
    assert ring.area == pytest.approx(36)
    assert iou(ring, shape(box(0, 0, 10, 10))) == pytest.approx(0.36)
    assert iou(ring, shape(polygon([hole]))) == 0.0
    pixels = numpy.ones((10, 10), dtype=bool)
    pixels[1:9, 1:9] = False
    assert iou(ring, shape(bitmask(pixels))) == pytest.approx(1.0)


def test_polygons_of_several_rings_count_once_where_they_overlap() -> None:
    two = shape(polygon([[(0, 0), (4, 0), (4, 4), (0, 4)]], [[(2, 0), (6, 0), (6, 4), (2, 4)]]))
    assert two.area == pytest.approx(24)
    assert iou(two, shape(box(0, 0, 6, 4))) == pytest.approx(1.0)


@given(st.lists(CORNERS, min_size=1, max_size=9))
def test_outlines_that_cross_or_repeat_themselves_have_an_overlap(ring: Any) -> None:
    found = shape(polygon([ring]))
    assert 0 <= iou(found, shape(box(0, 0, SIDE, SIDE))) <= 1 if found.area else found.area == 0.0


def test_an_outline_that_is_drawn_twice_counts_once() -> None:
    triangle = [(0, 0), (0, 5), (2, 5)]
    assert shape(polygon([triangle * 2])).area == 5.0


def test_circles_and_ellipses_have_their_area() -> None:
    circle = shape({"circle": {"x": 0.5, "y": 0.5, "r": 0.25}})
    ellipse = shape({"ellipse": {"x": 0.5, "y": 0.5, "rx": 0.25, "ry": 0.125, "theta": 90}})
    stretched = shape({"circle": {"x": 0.5, "y": 0.5, "r": 0.25, "stretch": 0.5, "theta": 90}})
    assert circle.area == pytest.approx(math.pi * 9, rel=2e-4)
    assert iou(ellipse, stretched) == pytest.approx(1.0)
    assert iou(circle, ellipse) == pytest.approx(0.5, abs=1e-3)
    assert iou(circle, shape(box(3, 3, 6, 6))) == pytest.approx(math.pi / 4, abs=1e-3)


def test_a_mask_of_a_very_large_image_takes_the_memory_of_its_runs() -> None:
    """The image would need 4 GB as an array of bytes."""
    side = 2**16
    run = {"left": 0, "top": 0, "height": side, "width": side}
    text = "".join(map(_written, (side * 1000, side * 4000)))
    mask = shape({"bitmask": {**run, "rleString": text}}, side)
    assert mask.area == side * 4000
    half = shape(box(0, 1000, side / 2, 4000, side), side)
    assert iou(mask, half) == pytest.approx(0.5)
    assert iou(mask, mask) == 1.0


@pytest.mark.parametrize(
    "geometry",
    [
        {},
        {"cuboid": {"position": [0, 0, 0], "orientation": [0, 0, 0], "size": [1, 1, 1]}},
        {"segmentation": "5 3"},
        {"polygons": [[[]]]},
        {"polygons": [[[0.1, float("nan"), 0.2, 0.3, 0.4, 0.4]]]},
        {"polygons": [[[0.1, 1e300, 0.2, 0.3, 0.4, 0.4]]]},
        {"polygons": "abc"},
        {"polygon": {"first": {"x": 0.1, "y": 0.1}}},
        {"boundingBox": {"x": 0.1, "y": 0.1, "w": None, "h": 0.1}},
        {"bitmask": {"left": 0, "top": 0, "height": 4, "width": 4, "rleString": "@"}},
        {"bitmask": {"left": 0, "top": 0, "height": 4, "width": 4, "rleString": "é"}},
        {"bitmask": {"left": 0, "top": 0, "height": 2**40, "width": 2**40, "rleString": "01"}},
        {"bitmask": {"left": 0, "top": 0, "height": 0, "width": 0, "rleString": "01"}},
        {"circle": {"x": 0.5, "y": 0.5, "r": 0}},
        {"point": {"0": {"x": 0.5, "y": 0.5, "z": 0.5}}},
        {"skeleton": ["x"]},
    ],
)
def test_shapes_that_cannot_be_compared_are_counted_and_cost_nothing(geometry: dict[str, Any]) -> None:
    strange, good = annotation(geometry), annotation(box(0, 0, 4, 4), hash_="b")
    assert shape_of(strange) is None
    assert compare([strange, good], [strange, good], 0.5) == {"Thing": Tally(2, 2, 2)}


def test_a_bitmask_on_data_without_a_size_is_not_compared() -> None:
    assert shape_of(annotation(bitmask([[1]]), side=None)) is None


def line(*points: tuple[float, float], key: str = "polyline") -> dict[str, Any]:
    return {key: {str(number): {"x": x, "y": y} for number, (x, y) in enumerate(points)}}


def do_match(one: dict[str, Any], other: dict[str, Any], min_iou: float = 0.5) -> bool:
    return compare([annotation(one)], [annotation(other)], min_iou)["Thing"].share == 1.0


def test_points_that_are_close_match() -> None:
    point = line((0.5, 0.5), key="point")
    assert do_match(point, line((0.501, 0.501), key="point"))
    assert not do_match(point, line((0.53, 0.5), key="point"))


def test_lines_match_if_no_point_of_them_is_far_from_the_other_line() -> None:
    level = line((0.1, 0.5), (0.9, 0.5))
    assert do_match(level, line((0.11, 0.51), (0.9, 0.505)))
    assert do_match(level, line((0.9, 0.5), (0.6, 0.51), (0.1, 0.5)))  # drawn from the other end, with another point
    assert not do_match(level, line((0.4, 0.5), (0.6, 0.5)))  # the same middle, but shorter
    assert not do_match(level, line((0.5, 0.1), (0.5, 0.9)))
    assert not do_match(level, line((0.1, 0.5), (0.5, 0.6), (0.9, 0.5)))
    # Diagonal lines of one bounding box, which would overlap as boxes.
    assert not do_match(line((0.1, 0.1), (0.9, 0.9)), line((0.1, 0.9), (0.9, 0.1)))


def skeleton(**points: tuple[float, float]) -> dict[str, Any]:
    return {"skeleton": {str(n): {"x": x, "y": y, "name": name} for n, (name, (x, y)) in enumerate(points.items())}}


def test_skeletons_match_by_the_names_of_their_points() -> None:
    one = skeleton(head=(0.5, 0.1), foot=(0.5, 0.9))
    assert do_match(one, skeleton(foot=(0.51, 0.9), head=(0.5, 0.11)))
    assert not do_match(one, skeleton(head=(0.5, 0.9), foot=(0.5, 0.1)))  # upside down
    assert not do_match(one, skeleton(head=(0.5, 0.1), foot=(0.55, 0.9)))
    assert not do_match(one, skeleton(head=(0.5, 0.1)))
    assert distance(shape(one), shape(skeleton(head=(0.5, 0.1), foot=(0.6, 0.9)))) == pytest.approx(0.1 * SIDE)


def test_shapes_without_an_area_are_compared_with_others_by_distance() -> None:
    flat = box(1, 6, 10, 0)
    assert do_match(flat, line((1 / SIDE, 0.5), (11 / SIDE, 0.5)))
    assert do_match(flat, box(1, 5.9, 10, 0.2))
    assert not do_match(flat, box(1, 3, 10, 6))
    assert not do_match(polygon([[(1, 1), (5, 5), (9, 9)]]), polygon([[(9, 1), (5, 5), (1, 9)]]))


def test_equal_objects_match_with_every_limit() -> None:
    crossing = polygon([[(0, 0), (7, 7), (7, 0), (0, 7)]])
    assert do_match(crossing, crossing, min_iou=1.0)


BOXES = st.tuples(*[st.floats(0, 6)] * 2, *[st.floats(0.01, 6)] * 2)


@given(BOXES, BOXES)
def test_the_overlap_of_boxes_is_symmetric_and_between_0_and_1(one: Any, other: Any) -> None:
    shapes = shape(box(*one)), shape(box(*other))
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    common = max(0.0, width) * max(0.0, height)
    assert iou(*shapes) == pytest.approx(common / (one[2] * one[3] + other[2] * other[3] - common), abs=1e-6)
    assert iou(*shapes) == pytest.approx(iou(*reversed(shapes)))


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "shapely", None)
    with pytest.raises(InvalidArgumentError, match=r"pip install 'airflow-provider-encord\[quality\]'"):
        require_shapes()
