"""Labels as SVG: where each shape is in pixels, and that no label, however broken, breaks the page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.prelabels.forms.bitmasks import bitmask
from encord_emulator.pages.bitmask import path_of
from encord_emulator.pages.drawing import Picture, can_be_drawn, description, drawn


def _picture(*objects: dict[str, Any]) -> Picture:
    return Picture("street.png", 200, 100, None, objects)


def _elements(*objects: dict[str, Any]) -> list[ElementTree.Element]:
    return [*ElementTree.fromstring(drawn(_picture(*objects))).iter()]


def _only(kind: str, item: dict[str, Any]) -> dict[str, str]:
    (found,) = [element for element in _elements(item) if element.tag == kind]
    return found.attrib


class TestShapes:
    def test_a_box_is_in_pixels(self) -> None:
        found = _only("rect", {"name": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.5, "h": 0.25}})
        assert (found["x"], found["y"], found["width"], found["height"]) == ("20", "20", "100", "25")

    def test_a_rotatable_box_turns_around_its_centre(self) -> None:
        box = {"x": 0.1, "y": 0.2, "w": 0.5, "h": 0.2, "theta": 30}
        assert _only("rect", {"rotatableBoundingBox": box})["transform"] == "rotate(30 70 30)"

    def test_a_polygon_keeps_its_holes(self) -> None:
        rings = [[0, 0, 0.5, 0, 0.5, 0.5, 0, 0.5], [0.1, 0.1, 0.2, 0.1, 0.2, 0.2]]
        found = _only("path", {"polygons": [rings], "polygon": {"0": {"x": 0, "y": 0}}})
        assert found["d"] == "M0 0L100 0L100 50L0 50zM20 10L40 10L40 20z"
        assert found["fill-rule"] == "evenodd"

    def test_points_are_in_the_order_of_their_numbers(self) -> None:
        points = {str(number): {"x": number / 100, "y": 0} for number in (10, 2, 1)}
        assert _only("polyline", {"polyline": points})["points"] == "2,0 4,0 20,0"

    def test_a_point_a_skeleton_a_circle_and_an_ellipse_are_drawn(self) -> None:
        assert _only("circle", {"point": {"0": {"x": 0.5, "y": 0.5}}})["cx"] == "100"
        two = {"0": {"x": 0.5, "y": 0.5}, "1": {"x": 0, "y": 0}}
        assert len([one for one in _elements({"skeleton": two}) if one.tag == "circle"]) == 2
        assert _only("ellipse", {"circle": {"x": 0.5, "y": 0.5, "r": 0.1, "stretch": 0.5}})["ry"] == "10"
        assert _only("ellipse", {"ellipse": {"x": 0, "y": 0, "rx": 0.1, "ry": 0.1, "theta": 9}})["ry"] == "10"

    def test_what_cannot_be_drawn_is_known(self) -> None:
        assert not can_be_drawn({"cuboid": {"position": [0, 0, 0]}}, 200, 100)
        assert not can_be_drawn({"boundingBox": {"x": "wide"}}, 200, 100)
        assert not can_be_drawn({"boundingBox": {"x": 0, "y": 0, "w": 1, "h": float("nan")}}, 200, 100)
        assert can_be_drawn({"boundingBox": {"x": 0, "y": 0, "w": 1, "h": 1}}, 200, 100)

    def test_the_description_counts_the_objects_by_name(self) -> None:
        picture = _picture({"name": "Car"}, {"name": "Person"}, {"name": "Car"})
        assert description(picture) == "street.png: 2 Car, 1 Person"
        assert description(_picture()) == "street.png: no objects"


def _pixels_of_path(path: str, width: int, height: int) -> bytes:
    """Fill the rectangles of a path, which must not overlap."""
    pixels = bytearray(width * height)
    for x, y, wide, high, back in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-(\d+)z", path):
        assert wide == back
        for row in range(int(y), int(y) + int(high)):
            for column in range(int(x), int(x) + int(wide)):
                assert not pixels[row * width + column]
                pixels[row * width + column] = 1
    return bytes(pixels)


@given(st.integers(1, 9).flatmap(lambda width: st.tuples(st.just(width), st.lists(st.booleans(), min_size=width))))
def test_a_bitmask_covers_exactly_its_pixels(drawing: tuple[int, list[bool]]) -> None:
    """The provider writes the mask, by code of its own."""
    width, bits = drawing
    height = len(bits) // width
    pixels = bytes(bits[: width * height])
    if not any(pixels):
        return
    mask = bitmask(pixels, width, height, image=(width, height))["bitmask"]
    assert _pixels_of_path(path_of(mask), width, height) == pixels


@pytest.mark.parametrize(
    "mask",
    [
        {"top": 0, "left": 0, "width": 2, "height": 2, "rleString": "é"},
        {"top": 0, "left": 0, "width": 2, "height": 2, "rleString": "P"},
        {"top": 0, "left": 0, "width": 0, "height": 2, "rleString": "1"},
        {"top": 0, "left": 0, "width": 10**9, "height": 10**9, "rleString": "11" * 300_000},
    ],
)
def test_a_bitmask_that_cannot_be_read_is_not_drawn(mask: dict[str, Any]) -> None:
    assert not can_be_drawn({"bitmask": mask}, 200, 100)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["0", "1", "x", "y", "w"]), inner),
    max_leaves=8,
)
GEOMETRIES = ("boundingBox", "rotatableBoundingBox", "polygon", "polygons", "polyline", "point", "bitmask", "circle")


@given(st.dictionaries(st.sampled_from([*GEOMETRIES, "ellipse", "skeleton", "name", "color"]), JSON))
def test_no_label_breaks_the_drawing(item: dict[str, Any]) -> None:
    shown = drawn(Picture("<&\">'", 200, 100, "/object-store/x?a=1&b=2", [item]))
    readable = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", shown)  # XML forbids them, HTML does not
    names = {element.tag for element in ElementTree.fromstring(readable.encode("utf-8", "replace")).iter()}
    assert names <= {"svg", "image", "g", "title", "text", "rect", "path", "polyline", "circle", "ellipse"}


def test_a_colour_is_a_colour() -> None:
    box = {"boundingBox": {"x": 0, "y": 0, "w": 1, "h": 1}}
    assert _only("g", {**box, "color": "#16406C"})["fill"] == "#16406C"
    assert _only("g", {**box, "color": 'red" onload="x'})["fill"] == "#D33115"
