"""Masks of COCO become bitmasks of Encord with the same pixels."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from airflow_provider_encord.exports.formats.geometry import runs_of
from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.forms.bitmasks import bitmask, pixels_of_coco

SIZES = st.tuples(st.integers(1, 12), st.integers(1, 12))


@st.composite
def masks(draw: st.DrawFn) -> list[list[int]]:
    height, width = draw(SIZES)
    return draw(st.lists(st.lists(st.integers(0, 1), min_size=width, max_size=width), min_size=height, max_size=height))


def pixels_of(mask: dict[str, Any]) -> list[list[int]]:
    flat = [0] * (mask["height"] * mask["width"])
    for start, end in runs_of(mask):
        flat[start:end] = [1] * (end - start)
    return [flat[start : start + mask["width"]] for start in range(0, len(flat), mask["width"])]


@given(masks(), st.booleans())
def test_a_mask_of_coco_keeps_its_pixels(rows: list[list[int]], compressed: bool) -> None:
    numpy, tools = pytest.importorskip("numpy"), pytest.importorskip("pycocotools.mask")
    assume(any(map(any, rows)))
    rle = tools.encode(numpy.asfortranarray(rows, dtype=numpy.uint8))
    if not compressed:
        columns = [row[column] for column in range(len(rows[0])) for row in rows]
        rle = {"size": [len(rows), len(rows[0])], "counts": runs(columns)}
    else:
        rle = {"size": [int(side) for side in rle["size"]], "counts": rle["counts"].decode()}
    drawn = bitmask(*pixels_of_coco(rle), image=(len(rows[0]), len(rows)))["bitmask"]
    assert (drawn["top"], drawn["left"]) == (0, 0)
    assert pixels_of(drawn) == rows


def runs(values: list[int]) -> list[int]:
    counts, current = [0], 0
    for value in values:
        if value != current:
            counts.append(0)
            current = value
        counts[-1] += 1
    return counts


@given(st.lists(st.integers(1, 300_000), min_size=1, max_size=30))
def test_runs_of_any_length_are_written_as_they_are_read(lengths: list[int]) -> None:
    assume(len(lengths) > 1 and sum(lengths) < 3_000_000)
    pixels = b"".join(bytes((number % 2,)) * length for number, length in enumerate(lengths))
    drawn = bitmask(pixels, len(pixels), 1, image=(None, None))["bitmask"]
    ends = [sum(lengths[: number + 1]) for number in range(len(lengths))]
    assert runs_of(drawn) == [(ends[number - 1], ends[number]) for number in range(1, len(lengths), 2)]


@pytest.mark.parametrize(
    ("rle", "message"),
    [
        ({"size": [2, 2], "counts": [3]}, "the runs of the mask have 3 pixels, but the mask has 4"),
        ({"size": [2, 2], "counts": [5, -1]}, "the runs of the mask have 4 pixels"),
        ({"size": [2, 2], "counts": [4]}, "the mask has no pixels"),
        ({"size": [2, 3], "counts": [0, 6]}, "the mask has 3 x 2 pixels, but the image has 2 x 2"),
        ({"size": [2], "counts": [4]}, r"segmentation.size: '\[2\]' is not a height and a width"),
        ({"size": [0, 4], "counts": []}, "segmentation.size"),
        ({"size": [2, 2], "counts": None}, "neither text nor a list of numbers"),
        ({"size": [2, 2], "counts": "~~~"}, "segmentation.counts: "),
        ({"size": [10**5, 10**5], "counts": [10**10]}, "is too large"),
    ],
)
def test_what_is_not_a_mask_is_refused(rle: Any, message: str) -> None:
    with pytest.raises(WrongLabelsError, match=message):
        bitmask(*pixels_of_coco(rle), image=(2, 2))
