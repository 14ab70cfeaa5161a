"""The geometry of objects in pixels, computed from Encord's fractions of width and height."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from airflow_provider_encord.exports.formats.annotations import Annotation

BOUNDING_BOX = "bounding_box"
ROTATABLE_BOUNDING_BOX = "rotatable_bounding_box"
POLYGON = "polygon"
BITMASK = "bitmask"

MALFORMED = "malformed geometry"
LARGEST = 2**20
"""Pixels from the corner of the image; what is farther away is not a place in an image."""
_OF_MALFORMED = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)

Point: TypeAlias = tuple[float, float]
Ring: TypeAlias = list[Point]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, width and height."""


class MalformedGeometryError(ValueError):
    """The geometry of an object does not match its shape."""


def box_of(annotation: Annotation) -> Box | None:
    """The bounding box of an object in pixels; None if its shape has none.

    :raises MalformedGeometryError: The geometry does not match the shape.
    """
    with reading(annotation):
        return (
            _box_around_mask(annotation.geometry["bitmask"])
            if "bitmask" in annotation.geometry
            else _box_around_points(annotation)
        )


class reading:  # noqa: N801 - used as a function; a class is several times as quick as a generator
    """Convert the errors of malformed geometry into one error, in a ``with`` statement.

    :raises MalformedGeometryError: The geometry does not match the shape.
    """

    __slots__ = ("_annotation",)

    def __init__(self, annotation: Annotation):
        self._annotation = annotation

    def __enter__(self) -> None:
        pass

    def __exit__(self, type_: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _OF_MALFORMED):
            about = self._annotation
            raise MalformedGeometryError(
                f"The geometry of {about.hash} is not valid for a {about.shape}: {error}."
            ) from None


def runs_of(mask: Mapping[str, Any]) -> list[tuple[int, int]]:
    """The pixels of a bitmask as ranges of positions, counted row by row; the ends are not included.

    Encord writes alternating runs of unset and set pixels, like COCO: five bits per character, lower bits first, and
    from the fourth run on as the difference to the second-last run. Unlike in COCO, runs go along rows. If the runs end
    early, the remaining pixels are unset, as in the vendor's SDK.
    """
    end = int(mask["height"]) * int(mask["width"])
    ranges: list[tuple[int, int]] = []
    position = 0
    for number, count in enumerate(counts_of(str(mask["rleString"]))):
        if number % 2 and position < end and count:
            ranges.append((position, min(end, position + count)))
        position += count
    return ranges


def counts_of(text: str) -> Iterator[int]:
    """The lengths of the runs of a compressed mask, of Encord or COCO.

    :raises ValueError: It is not such a text.
    """
    counts: list[int] = []
    for number, delta in enumerate(_numbers_of(text)):
        counts.append(delta + (counts[number - 2] if number > 2 else 0))
        if counts[number] < 0:
            raise ValueError("a run is negative")
        yield counts[number]


def _numbers_of(text: str) -> Iterator[int]:
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64:
            raise ValueError(f"{character!r} is not part of a run")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            yield value - (1 << shift) if bits & 16 else value
            value = shift = 0
    if shift:
        raise ValueError("the last run is not complete")


def _box_around_mask(mask: Mapping[str, Any]) -> Box | None:
    """The box around the set pixels. The bitmask itself may cover the whole image."""
    ranges, width = runs_of(mask), int(mask["width"])
    if not ranges:
        return None
    rows = [(start // width, (end - 1) // width) for start, end in ranges]
    columns = [
        (start % width, (end - 1) % width) if first == last else (0, width - 1)
        for (start, end), (first, last) in zip(ranges, rows, strict=True)
    ]
    left, right = min(first for first, _ in columns), max(last for _, last in columns)
    top, bottom = rows[0][0], rows[-1][1]
    return (float(mask["left"]) + left, float(mask["top"]) + top, right - left + 1.0, bottom - top + 1.0)


def _box_around_points(annotation: Annotation) -> Box | None:
    corners = _points(annotation)
    return around(corners) if corners else None


def around(points: Sequence[Point]) -> Box:
    """The box around points."""
    across, down = [x for x, _ in points], [y for _, y in points]
    left, top = min(across), min(down)
    return (left, top, max(across) - left, max(down) - top)


def rings_of(annotation: Annotation) -> list[list[Ring]]:
    """The polygons of an object in pixels, each with its outline first and then its holes."""
    geometry, (width, height) = annotation.geometry, size_of(annotation)
    if geometry.get("polygons"):
        return [[_ring(ring, width, height) for ring in polygon] for polygon in geometry["polygons"]]
    if geometry.get("polygon"):
        points = geometry["polygon"]
        return [[_numbered(points, width, height) if isinstance(points, Mapping) else _ring(points, width, height)]]
    return []


def require_near(polygons: Sequence[Sequence[Ring]]) -> None:
    """Check that polygons are in an image, or near it. Of others, pycocotools ends the process, in all its readers.

    :raises ValueError: A point is farther away, or not a number.
    """
    if not all(-LARGEST <= number <= LARGEST for rings in polygons for ring in rings for xy in ring for number in xy):
        raise ValueError("a point is not in an image")


def corners_of(annotation: Annotation) -> Ring:
    """The four corners of a box in pixels. A rotated box is rotated clockwise around its centre."""
    width, height = size_of(annotation)
    box: Mapping[str, Any] = annotation.geometry.get("rotatableBoundingBox") or annotation.geometry["boundingBox"]
    left, top = box["x"] * width, box["y"] * height
    half_width, half_height = box["w"] * width / 2, box["h"] * height / 2
    centre_x, centre_y = left + half_width, top + half_height
    theta = box.get("theta")
    if not theta and math.isfinite(centre_x + centre_y):  # what follows would give the same numbers
        right, bottom = centre_x + half_width, centre_y + half_height
        left, top = centre_x - half_width, centre_y - half_height
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    turn = math.radians(theta or 0.0)
    cosine, sine = math.cos(turn), math.sin(turn)
    offsets = (
        (-half_width, -half_height),
        (half_width, -half_height),
        (half_width, half_height),
        (-half_width, half_height),
    )
    return [(centre_x + x * cosine - y * sine, centre_y + x * sine + y * cosine) for x, y in offsets]


class Ellipse(NamedTuple):
    """An ellipse in pixels, rotated clockwise around its centre."""

    x: float
    y: float
    radius: float
    other_radius: float
    theta: float


def ellipse_of(annotation: Annotation) -> Ellipse:
    """The circle or ellipse of an object.

    The radius of a circle is a fraction of the width of the image; its other radius is the first one times ``stretch``.
    The radii of an ellipse are fractions of width and height (documentation of the vendor's SDK).
    """
    (width, height), geometry = size_of(annotation), annotation.geometry
    if "circle" in geometry:
        curve: Mapping[str, Any] = geometry["circle"]
        radius = curve["r"] * width
        stretch = curve.get("stretch")
        radii = (radius, radius * (1.0 if stretch is None else stretch))
    else:
        curve = geometry["ellipse"]
        radii = (curve["rx"] * width, curve["ry"] * height)
    return Ellipse(curve["x"] * width, curve["y"] * height, *radii, curve.get("theta") or 0.0)


def _extremes(ellipse: Ellipse) -> Ring:
    """Two opposite corners of the box around an ellipse."""
    turn = math.radians(ellipse.theta)
    half_width = math.hypot(ellipse.radius * math.cos(turn), ellipse.other_radius * math.sin(turn))
    half_height = math.hypot(ellipse.radius * math.sin(turn), ellipse.other_radius * math.cos(turn))
    return [(ellipse.x - half_width, ellipse.y - half_height), (ellipse.x + half_width, ellipse.y + half_height)]


def _prism(cuboid: Mapping[str, Any], width: float, height: float) -> Ring:
    """The corners of a cuboid on an image. Its back is its front, moved or scaled towards a vanishing point."""
    front = _ring(cuboid["front"], width, height)
    if "offset" in cuboid:
        x, y = cuboid["offset"]["x"] * width, cuboid["offset"]["y"] * height
        return [*front, *((left + x, top + y) for left, top in front)]
    x, y = cuboid["vanishingPoint"]["x"] * width, cuboid["vanishingPoint"]["y"] * height
    ratio = cuboid["scaleRatio"]
    return [*front, *((x + ratio * (left - x), y + ratio * (top - y)) for left, top in front)]


def size_of(annotation: Annotation) -> tuple[float, float]:
    """Width and height of the image; 1 and 1 if they are not known, so that coordinates stay fractions."""
    return (annotation.place.width or 1.0, annotation.place.height or 1.0)


def area_of(ring: Sequence[Point]) -> float:
    """The area inside an outline."""
    pairs = zip(ring, [*ring[1:], *ring[:1]], strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2


def _points(annotation: Annotation) -> list[Point]:
    geometry, (width, height) = annotation.geometry, size_of(annotation)
    if "boundingBox" in geometry or "rotatableBoundingBox" in geometry:
        return corners_of(annotation)
    if "polygon" in geometry or "polygons" in geometry:
        return [point for polygon in rings_of(annotation) for ring in polygon[:1] for point in ring]
    if "circle" in geometry or "ellipse" in geometry:
        return _extremes(ellipse_of(annotation))
    if "cuboid_2d" in geometry:
        return _prism(geometry["cuboid_2d"], width, height)
    for key in ("polyline", "point", "skeleton"):
        if isinstance(geometry.get(key), Mapping):
            return _numbered(geometry[key], width, height)
    return []


def _numbered(points: Mapping[str, Any], width: float, height: float) -> Ring:
    ordered = [points[key] for key in sorted(points, key=int)]
    return [(point["x"] * width, point["y"] * height) for point in ordered]


def _ring(numbers: Sequence[Any], width: float, height: float) -> Ring:
    if numbers and isinstance(numbers[0], Mapping):  # points instead of numbers
        return [(point["x"] * width, point["y"] * height) for point in numbers]
    return [(x * width, y * height) for x, y in zip(numbers[::2], numbers[1::2], strict=False)]
