"""Masks as bitmasks of Encord: runs along rows, written as COCO's compressed runs. Or as the polygons around them.

COCO counts pixels along columns, so its runs are turned. Pixels are bytes, 0 or 1, row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from airflow_provider_encord.exports.formats.geometry import counts_of
from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.forms.items import Draw
from airflow_provider_encord.prelabels.forms.shapes import numbered
from airflow_provider_encord.prelabels.forms.tracing import outlines

MOST_PIXELS = 10**8
"""The largest mask that is read; it needs a byte of memory for each pixel."""


Mask: TypeAlias = tuple[bytes, int, int]
"""Pixels, width and height."""


def mask_shapes(read: Callable[[], Mask], image: tuple[float | None, float | None]) -> dict[str, Draw]:
    """What a mask can be drawn as: a bitmask, or the polygon around its pixels.

    :param read: Reads the mask.
    :param image: See `bitmask`.
    """
    return {
        "bitmask": lambda: bitmask(*read(), image=image),
        "polygon": lambda: traced_polygon(*read(), image=image),
    }


def bitmask(pixels: bytes, width: int, height: int, *, image: tuple[float | None, float | None]) -> dict[str, Any]:
    """The bitmask of a whole image.

    :param pixels: A byte for each pixel, 0 or 1, row by row.
    :param image: Width and height of the image in Encord; None if they are not known. Bitmasks must have this size.
    :raises WrongLabelsError: No pixel is set, or the image has another size.
    """
    _require_fitting(pixels, width, height, image)
    runs = "".join(_written(_differences(_runs(pixels))))
    return {"bitmask": {"top": 0, "left": 0, "height": height, "width": width, "rleString": runs}}


def traced_polygon(
    pixels: bytes, width: int, height: int, *, image: tuple[float | None, float | None]
) -> dict[str, Any]:
    """The polygon that covers exactly the pixels of a mask; see `bitmask`. Each region is a part of it, with its holes.

    :raises WrongLabelsError: No pixel is set, or the image has another size.
    """
    _require_fitting(pixels, width, height, image)
    parts = [
        [[side for x, y in ring for side in (x / width, y / height)] for ring in rings]
        for rings in outlines(pixels, width)
    ]
    first = parts[0][0]
    corners = [{"x": x, "y": y} for x, y in zip(first[::2], first[1::2], strict=True)]
    return {"polygon": numbered(corners), "polygons": parts}


def _require_fitting(pixels: bytes, width: int, height: int, image: tuple[float | None, float | None]) -> None:
    if all(image) and image != (width, height):
        raise WrongLabelsError(
            f"the mask has {width} x {height} pixels, but the image has {image[0]:g} x {image[1]:g}; resize the mask"
        )
    if 1 not in pixels:
        raise WrongLabelsError("the mask has no pixels")


def pixels_of_coco(rle: Any) -> Mask:
    """The pixels, the width and the height of a mask of COCO, compressed or not.

    :raises WrongLabelsError: It is not a mask, or too large.
    """
    size = rle.get("size")
    if not (isinstance(size, Sequence) and len(size) == 2 and all(type(side) is int and side > 0 for side in size)):
        raise WrongLabelsError(f"segmentation.size: {str(size)[:40]!r} is not a height and a width")
    height, width = size
    if height * width > MOST_PIXELS:
        raise WrongLabelsError(f"segmentation: a mask of {height} x {width} pixels is too large")
    columns = filled(_counts(rle.get("counts")), height * width)
    return b"".join(columns[row::height] for row in range(height)), width, height


def filled(counts: Sequence[int], pixels: int) -> bytes:
    """The pixels of alternating runs of unset and set pixels.

    :raises WrongLabelsError: The runs do not have this number of pixels.
    """
    if any(count < 0 for count in counts) or sum(counts) != pixels:
        raise WrongLabelsError(f"the runs of the mask have {sum(counts)} pixels, but the mask has {pixels}")
    return b"".join(bytes((number % 2,)) * count for number, count in enumerate(counts))


def _counts(written: Any) -> list[int]:
    if isinstance(written, list) and all(type(count) is int for count in written):
        return written
    if not isinstance(written, str):
        raise WrongLabelsError("segmentation.counts: it is neither text nor a list of numbers")
    try:
        return list(counts_of(written))
    except ValueError as error:
        raise WrongLabelsError(f"segmentation.counts: {error}") from None


def _runs(pixels: bytes) -> Iterator[int]:
    """The lengths of alternating runs. The first is of unset pixels."""
    position, value = 0, 0
    while position < len(pixels):
        end = pixels.find(1 - value, position)
        end = len(pixels) if end < 0 else end
        yield end - position
        position, value = end, 1 - value


def _differences(runs: Iterator[int]) -> Iterator[int]:
    before: list[int] = []
    for number, run in enumerate(runs):
        yield run - before[-2] if number > 2 else run
        before = [*before[-1:], run]


def _written(numbers: Iterator[int]) -> Iterator[str]:
    """Five bits per character, lower bits first; the sixth bit says that more follow."""
    for number in numbers:
        more = True
        while more:
            bits, number = number & 31, number >> 5
            more = number != (-1 if bits & 16 else 0)
            yield chr(48 + (bits | 32 if more else bits))
