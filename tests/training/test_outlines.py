"""Outlines, rotated boxes and keypoints of objects."""

from __future__ import annotations

from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.exports.formats import geometry
from airflow_provider_encord.exports.formats.annotations import Annotation, Place
from airflow_provider_encord.training.outlines import clipped_box, outline_of, region_of, rotated_corners
from airflow_provider_encord.training.reasons import NotExpressibleError
from airflow_provider_encord.training.skeletons import TemplatePoint, Templates, box_of, keypoints_of

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
def test_a_rotated_box_is_around_all_that_is_visible_and_inside_of_the_image(ring: list[tuple[int, int]]) -> None:
    road = annotation("polygon", polygons=[[[number for x, y in ring for number in (x / SIZE[0], y / SIZE[1])]]])
    visible = shapely.intersection(region_of(road).outline, shapely.box(0, 0, *SIZE))
    try:
        corners = rotated_corners(road, SIZE)
    except NotExpressibleError:
        assert visible.area == 0
        return
    assert len(corners) == 4
    assert shapely.Polygon(corners).buffer(1e-5).contains(visible)
    assert all(-1e-5 <= x <= SIZE[0] + 1e-5 and -1e-5 <= y <= SIZE[1] + 1e-5 for x, y in corners)


def test_a_rotated_box_that_is_partly_outside_stays_a_box() -> None:
    sign = annotation(
        "rotatable_bounding_box", rotatableBoundingBox={"x": 0.7, "y": 0.2, "w": 0.6, "h": 0.3, "theta": 30}
    )
    corners = rotated_corners(sign, SIZE)
    drawn = shapely.Polygon(corners)
    assert drawn.area == pytest.approx(shapely.minimum_rotated_rectangle(drawn).area)


@given(rings)
def test_the_box_of_an_object_is_that_of_its_visible_part(ring: list[tuple[int, int]]) -> None:
    road = annotation("polygon", polygons=[[[number for x, y in ring for number in (x / SIZE[0], y / SIZE[1])]]])
    visible = shapely.intersection(region_of(road).outline, shapely.box(0, 0, *SIZE))
    try:
        left, top, width, height = clipped_box(road, SIZE)
    except NotExpressibleError:
        assert visible.area == 0
        return
    if visible.area > 0:
        assert shapely.box(left, top, left + width, top + height).buffer(1e-5).contains(visible)


def test_a_box_is_cut_at_the_edges_of_the_image() -> None:
    box = annotation("bounding_box", boundingBox={"x": -0.5, "y": 0.5, "w": 1.0, "h": 1.0})
    assert clipped_box(box, SIZE) == (0.0, 15.0, 20.0, 15.0)
    outside = annotation("bounding_box", boundingBox={"x": 1.5, "y": 0.5, "w": 1.0, "h": 1.0})
    with pytest.raises(NotExpressibleError, match="nothing of the image"):
        clipped_box(outside, SIZE)


STRUCTURE = {
    "objects": [{"name": "Hand", "shape": "skeleton", "featureNodeHash": "hand"}],
    "skeleton_templates": [
        {
            "template": {
                "name": "another name",
                "feature_node_hash": "hand",
                "skeleton": {
                    "0": {"name": "thumb", "featureHash": "t"},
                    "1": {"name": "index", "featureHash": "i"},
                    "2": {"name": "ring", "featureHash": "r"},
                },
            }
        }
    ],
}


def test_keypoints_are_in_the_order_of_the_template_and_a_missing_one_is_not_there() -> None:
    points = {
        "0": {"x": 0.5, "y": 0.5, "name": "ring", "featureHash": "r"},
        "1": {"x": 0.25, "y": 0.5, "name": "thumb"},
    }
    template = Templates(STRUCTURE).of("hand")
    assert template == [TemplatePoint("t", "thumb"), TemplatePoint("i", "index"), TemplatePoint("r", "ring")]
    assert keypoints_of(annotation("skeleton", skeleton=points), template) == [(10, 15, 2), (0, 0, 0), (20, 15, 2)]


@pytest.mark.parametrize(
    ("point", "seen"),
    [({}, 2), ({"occluded": True}, 1), ({"selfOccluded": True}, 1), ({"invisible": True}, 0), ({"occluded": False}, 2)],
)
def test_a_flag_says_whether_a_keypoint_can_be_seen_as_the_sdk_reads_it(point: dict[str, Any], seen: int) -> None:
    drawn = {"0": {"x": 0.5, "y": 0.5, **point}}
    [(_, _, found)] = keypoints_of(annotation("skeleton", skeleton=drawn))
    assert found == seen


def test_the_box_of_a_skeleton_is_around_the_points_that_are_there() -> None:
    points = {"0": {"x": 0, "y": 0, "invisible": True}, "1": {"x": 0.5, "y": 0.5}, "2": {"x": 0.75, "y": 1.0}}
    assert box_of(keypoints_of(annotation("skeleton", skeleton=points))) == (20.0, 15.0, 10.0, 15.0)
    assert clipped_box(annotation("skeleton", skeleton=points), SIZE) == (20.0, 15.0, 10.0, 15.0)
    with pytest.raises(NotExpressibleError, match="no keypoint is visible"):
        box_of([(0, 0, 0)])


def test_many_specks_have_one_outline() -> None:
    specks = [[[x / 40, y / 30, (x + 0.5) / 40, y / 30, x / 40, (y + 0.5) / 30]] for x in range(40) for y in range(10)]
    ring = outline_of(annotation("polygon", polygons=specks), SIZE)
    assert geometry.area_of(ring) == pytest.approx(400 * 0.125)


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


@pytest.mark.parametrize("corner", [{"top": -1, "left": 0}, {"top": 0, "left": -3}])
def test_a_bitmask_that_starts_outside_of_the_image_is_malformed(corner: dict[str, int]) -> None:
    """Its box was written, cut to the image, although all other forms refused it."""
    drawn = annotation("bitmask", bitmask={**corner, "width": 4, "height": 4, "rleString": "0`0"})
    for make in (clipped_box, rotated_corners, outline_of):
        with pytest.raises(NotExpressibleError):
            make(drawn, SIZE)
    with pytest.raises(NotExpressibleError, match=geometry.MALFORMED):
        clipped_box(drawn, SIZE)


@pytest.mark.parametrize(("width", "height"), [(-4, -4), (0, 4), (4, -1)])
def test_a_bitmask_without_pixels_has_no_box(width: int, height: int) -> None:
    drawn = annotation("bitmask", bitmask={"top": 0, "left": 0, "width": width, "height": height, "rleString": "0`0"})
    with pytest.raises(NotExpressibleError, match=geometry.MALFORMED):
        clipped_box(drawn, SIZE)
