"""The shapes of Label Studio's regions, by shape of the ontology."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.forms.bitmasks import MOST_PIXELS, Mask, mask_shapes
from airflow_provider_encord.prelabels.forms.items import Draw
from airflow_provider_encord.prelabels.forms.names import Spot
from airflow_provider_encord.prelabels.forms.scale import Scale, number, numbers
from airflow_provider_encord.prelabels.forms.shapes import box, point, polygon, rotated_box

_SIDES = ("x", "y", "width", "height")
_PERCENT = 100
_CHANNELS = 4  # red, green, blue, alpha


def shapes_of(value: Mapping[str, Any], scale: Scale, pixels: Scale, spot: Spot) -> dict[str, Draw]:
    """What a region can be drawn as. A region that Encord has no shape for can be drawn as nothing.

    :param scale: Percent of the image.
    :param pixels: Size of the image in pixels, for angles and masks.
    """
    if "rle" in value:
        return mask_shapes(lambda: _brush(value["rle"], pixels), (spot.width, spot.height))
    if "points" in value:
        return {"polygon": lambda: polygon(scale, [_points(value["points"])])}
    if all(name in value for name in _SIDES):
        return _rectangle(value, scale, pixels)
    if "x" in value and "y" in value and "radiusX" not in value:
        return {"point": lambda: point(scale, number(value["x"], "x"), number(value["y"], "y"))}
    return {}


def _points(given: Any) -> list[tuple[float, float]]:
    if not isinstance(given, list):
        raise WrongLabelsError("points: it is not a list")
    return [(x, y) for x, y in (numbers(pair, "points", 2) for pair in given)]


def _rectangle(value: Mapping[str, Any], scale: Scale, pixels: Scale) -> dict[str, Draw]:
    rotation = number(value.get("rotation") or 0, "rotation")
    sides = [number(value[name], name) for name in _SIDES]
    shapes: dict[str, Draw] = {"rotatable_bounding_box": lambda: _rotated(sides, rotation, pixels)}
    if not rotation:
        shapes["bounding_box"] = lambda: box(scale, *sides)
    return shapes


def _rotated(sides: Sequence[float], rotation: float, pixels: Scale) -> dict[str, Any]:
    """A box that is rotated clockwise around its top left corner."""
    whole_width, whole_height = pixels.size
    left, width = (value * whole_width / _PERCENT for value in (sides[0], sides[2]))
    top, height = (value * whole_height / _PERCENT for value in (sides[1], sides[3]))
    turn = math.radians(rotation)
    across = (width * math.cos(turn), width * math.sin(turn))
    down = (-height * math.sin(turn), height * math.cos(turn))
    corners = [(0.0, 0.0), across, (across[0] + down[0], across[1] + down[1]), down]
    return rotated_box(pixels, [(left + x, top + y) for x, y in corners])


def _brush(rle: Any, pixels: Scale) -> Mask:
    width, height = (int(side) for side in pixels.size)
    if width * height > MOST_PIXELS:
        raise WrongLabelsError(f"a mask of {width} x {height} pixels is too large")
    values = unpacked_brush(rle, width * height * _CHANNELS)
    seen = values[_CHANNELS - 1 :: _CHANNELS].translate(bytes([0]) + bytes([1]) * 255)
    return seen, width, height


class _Bits:
    """Reads numbers of some bits."""

    def __init__(self, content: bytes):
        self._content, self._position = content, 0

    def read(self, bits: int) -> int:
        """The next number.

        :raises WrongLabelsError: The content has ended.
        """
        end = self._position + bits
        last = (end + 7) // 8
        if last > len(self._content):
            raise WrongLabelsError("rle: it is cut off")
        found = int.from_bytes(self._content[self._position // 8 : last], "big") >> (last * 8 - end)
        self._position = end
        return found & ((1 << bits) - 1)


def unpacked_brush(rle: Any, count: int) -> bytes:
    """The values of a brush: one for each channel of each pixel.

    Its head is their number (32 bits), the bits of a value less one (5), and four lengths less one (4 each). A group is
    a bit (whether one value is repeated), which of the lengths is used (2), the number of values less one in as many
    bits, and the value or values.
    """
    if not isinstance(rle, list) or not all(type(byte) is int and 0 <= byte < 256 for byte in rle):
        raise WrongLabelsError("rle: it is not a list of bytes")
    bits = _Bits(bytes(rle))
    found, word = bits.read(32), bits.read(5) + 1
    lengths = [bits.read(4) + 1 for _ in range(4)]
    if found != count or word != 8:
        raise WrongLabelsError(f"rle: it has {found} values of {word} bits, but the image needs {count} of 8 bits")
    made = bytearray()
    while len(made) < count:
        repeated = bits.read(1)
        values = bits.read(lengths[bits.read(2)]) + 1
        if len(made) + values > count:
            raise WrongLabelsError(f"rle: it has more than {count} values")
        if repeated:
            made += bytes([bits.read(word)]) * values
        else:
            made += bytes(bits.read(word) for _ in range(values))
    return bytes(made)
