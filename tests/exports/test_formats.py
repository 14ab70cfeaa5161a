"""Annotations of label rows of every shape as a table and as COCO, which its own library reads."""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.formats import FORMATS, geometry, require_format
from airflow_provider_encord.exports.formats.coco import CocoEncoder
from airflow_provider_encord.exports.formats.parquet import ParquetEncoder
from airflow_provider_encord.exports.formats.table import FIELDS
from tests.exports import documents
from tests.exports.documents import (
    BOX,
    EVERY_SHAPE,
    HEIGHT,
    JSON,
    NEW,
    STRUCTURE,
    WIDTH,
    image,
    label_row,
    records_of,
    row,
    unit,
)

# Parquet


def _table(*rows: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    import pyarrow.parquet

    file = io.BytesIO()
    encoder = ParquetEncoder(file, STRUCTURE)
    for one in rows:
        encoder.write(label_row(one))
    left_out = encoder.finish()
    return pyarrow.parquet.read_table(io.BytesIO(file.getvalue())).to_pylist(), left_out


def test_the_table_has_a_row_for_each_record_and_its_box_in_pixels():
    rows, left_out = _table(image(*EVERY_SHAPE), row("video", unit("v", {}), classification_answers=NEW))
    assert [one["hash"] for one in rows] == [one["objectHash"] for one in EVERY_SHAPE] + ["c", "c", "c"]
    assert left_out == {}
    boxes = {one["hash"]: [one[f"box_{name}"] for name in "xywh"] for one in rows}
    assert boxes["box"] == pytest.approx([20, 20, 60, 40])
    assert boxes["turned"] == pytest.approx([75, 0, 50, 100])
    assert boxes["frame"] == pytest.approx([20, 10, 80, 80])
    assert boxes["mask"] == [21, 10, 2, 2]
    assert boxes["line"] == pytest.approx([20, 10, 20, 20])
    assert boxes["cuboid"] == boxes["c"] == [None] * 4
    assert json.loads(rows[0]["geometry"]) == {"boundingBox": BOX["boundingBox"]}
    assert rows[0]["created_at"] == datetime.datetime(2026, 11, 23, 6, 59, 47, tzinfo=datetime.UTC)
    assert json.loads(rows[-1]["answers"]) == {"Weather": "rain"}


def test_a_table_of_nothing_has_all_columns():
    import pyarrow.parquet

    file = io.BytesIO()
    ParquetEncoder(file, STRUCTURE).finish()
    names = pyarrow.parquet.read_schema(io.BytesIO(file.getvalue())).names
    assert names == [field.name for field in FIELDS]


def test_the_same_rows_give_the_same_table():
    def content() -> bytes:
        file = io.BytesIO()
        encoder = ParquetEncoder(file, STRUCTURE)
        encoder.write(label_row(image(*EVERY_SHAPE)))
        encoder.finish()
        return file.getvalue()

    assert content() == content()


# COCO


def _coco(*rows: dict[str, Any]) -> tuple[dict[str, Any], dict[str, int]]:
    file = io.BytesIO()
    encoder = CocoEncoder(file, STRUCTURE)
    for one in rows:
        encoder.write(label_row(one))
    left_out = encoder.finish()
    return json.loads(file.getvalue()), left_out


def test_every_image_has_a_file_name_of_its_own_and_says_what_it_is_of():
    """Fault 2.3: frames of a video, and images of one title, had one name."""
    frames = {str(frame): {"objects": [BOX], "classifications": []} for frame in (0, 7)}
    of_video = row("video", unit("video", frames, data_title="a b/../drive.mp4"), label_hash="v")
    of_images = [
        row(
            "image", unit(name, {"objects": [BOX], "classifications": []}, data_title="frame_0001.bmp"), label_hash=name
        )
        for name in ("one", "two")
    ]
    coco, _ = _coco(of_video, *of_images)
    assert [
        (one["file_name"], one["encord_unit"], one["encord_frame"], one["encord_title"]) for one in coco["images"]
    ] == [
        ("video-000000-a_b_.._drive.mp4", "video", 0, "a b/../drive.mp4"),
        ("video-000007-a_b_.._drive.mp4", "video", 7, "a b/../drive.mp4"),
        ("one-000000-frame_0001.bmp", "one", 0, "frame_0001.bmp"),
        ("two-000000-frame_0001.bmp", "two", 0, "frame_0001.bmp"),
    ]


def test_a_file_name_is_not_longer_than_a_disk_takes():
    coco, _ = _coco(
        row("image", unit("u" * 36, {"objects": [BOX], "classifications": []}, data_title="ü" * 300 + ".png"))
    )
    (one,) = coco["images"]
    assert len(one["file_name"].encode()) <= 255
    assert one["file_name"].endswith(".png")


def test_coco_s_own_library_reads_it_and_its_masks_have_the_reported_areas(tmp_path: Path):
    from pycocotools.coco import COCO

    coco, _ = _coco(image(*EVERY_SHAPE))
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(coco))
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(path))
    areas = {}
    for one in coco.loadAnns(coco.getAnnIds()):
        mask = coco.annToMask(one)
        assert mask.shape == (HEIGHT, WIDTH)
        assert mask.sum() == pytest.approx(one["area"], rel=0.1, abs=25)
        areas[one["track_id"]] = one["area"]
    assert areas == {
        "box": pytest.approx(2400),
        "turned": pytest.approx(5000),
        "triangle": pytest.approx(2500),
        "frame": pytest.approx(6400 - 1600, rel=0.02),
        "parts": pytest.approx(200),
        "mask": 3,
    }


def test_a_bitmask_is_where_the_sdk_drew_it():
    from pycocotools import mask

    coco, _ = _coco(image(documents.MASK))
    (one,) = coco["annotations"]
    found = mask.decode({**one["segmentation"], "counts": one["segmentation"]["counts"].encode()})
    assert {(int(y), int(x)) for y, x in zip(*found.nonzero(), strict=True)} == {(10, 21), (11, 21), (11, 22)}
    assert one["bbox"] == [21, 10, 2, 2]


def _mask(rle: Any, height: Any = 2, width: Any = 3, **more: Any) -> dict[str, Any]:
    bitmask = {"top": 10, "left": 20, "height": height, "width": width, "rleString": rle, **more}
    return documents.drawn("bitmask", "mask", bitmask=bitmask)


@pytest.mark.parametrize(("rle", "area"), [("1121", 3), ("11", 1), ("12", 2), ("06", 6)])
def test_runs_that_end_early_leave_the_rest_off(rle, area):
    coco, _ = _coco(image(_mask(rle)))
    assert [one["area"] for one in coco["annotations"]] == [area]


BITS = st.lists(st.booleans(), min_size=1, max_size=200)


@given(BITS, st.integers(1, 14))
def test_a_bitmask_has_the_pixels_and_the_box_that_its_runs_say(bits, width):
    import numpy
    from pycocotools import mask

    rows = [bits[start : start + width] for start in range(0, len(bits), width)]
    rows[-1] += [False] * (width - len(rows[-1]))
    drawn = numpy.array(rows, dtype=numpy.uint8)
    # COCO's runs go along columns: those of the transposed mask are Encord's
    rle = mask.encode(numpy.asfortranarray(drawn.T))["counts"].decode()
    bitmask = {"top": 0, "left": 0, "height": len(rows), "width": width, "rleString": rle}
    ranges = geometry.runs_of(bitmask)
    flat = [0] * drawn.size
    for start, end in ranges:
        flat[start:end] = [1] * (end - start)
    assert flat == drawn.flatten().tolist()
    box = geometry.box_of(records_of(image(documents.drawn("bitmask", "m", bitmask=bitmask)))[0])
    ys, xs = drawn.nonzero()
    expected = (xs.min(), ys.min(), xs.max() - xs.min() + 1, ys.max() - ys.min() + 1) if len(xs) else None
    assert box == expected


ODD: list[dict[str, Any]] = [
    {**BOX, "boundingBox": None},
    {key: value for key, value in BOX.items() if key != "boundingBox"},
    {**BOX, "boundingBox": {"x": 1}},
    {**BOX, "boundingBox": [1, 2]},
    _mask("11", top=-1),
    _mask("~"),
    _mask("P"),
    _mask(None),
    {**_mask("1"), "bitmask": {"top": 1}},
    documents.drawn("polygon", "p", polygon={"0": {"x": 1}}),
    documents.drawn("polygon", "p", polygon={"a": {"x": 1, "y": 1}}),
    documents.drawn("polygon", "p", polygon={"0": {"x": 0.1, "y": 0.1}}),
    documents.drawn("polygon", "p", polygon={}),
    _mask("11", top=500),
]


@pytest.mark.parametrize("odd", ODD, ids=lambda one: str(one.get(one["shape"], one.get("boundingBox")))[:40])
def test_odd_geometry_is_left_out_and_keeps_nothing_else_back(odd):
    coco, left_out = _coco(image({**BOX, "objectHash": "whole"}, {**odd, "objectHash": "odd"}))
    assert [one["track_id"] for one in coco["annotations"]] == ["whole"]
    assert sum(left_out.values()) == 1
    rows, _ = _table(image({**odd, "objectHash": "odd"}))
    assert [one["hash"] for one in rows] == ["odd"]


@pytest.mark.parametrize(
    "polygon",
    [
        {"polygon": [{"x": 0, "y": 0}, {"x": 0.5, "y": 0}, {"x": 0, "y": 0.5}]},
        {"polygons": [[[{"x": 0, "y": 0}, {"x": 0.5, "y": 0}, {"x": 0, "y": 0.5}]]]},
    ],
)
def test_polygons_of_points_are_read_as_well(polygon):
    coco, _ = _coco(image(documents.drawn("polygon", "p", **polygon)))
    assert coco["annotations"][0]["area"] == 2500


def test_points_are_in_the_order_of_their_numbers():
    angles = [n * math.pi / 6 for n in range(12)]
    points = {str(n): {"x": 0.5 + 0.4 * math.cos(a), "y": 0.5 + 0.4 * math.sin(a)} for n, a in enumerate(angles)}
    shuffled = dict(sorted(points.items()))
    assert [*shuffled][:3] == ["0", "1", "10"]
    coco, _ = _coco(image(documents.drawn("polygon", "p", polygon=shuffled)))
    (drawn,) = coco["annotations"]
    sides = [side for one in points.values() for side in (one["x"] * WIDTH, one["y"] * HEIGHT)]
    assert drawn["segmentation"] == [pytest.approx(sides, abs=0.001)]


@given(st.dictionaries(st.sampled_from(sorted({*BOX} - {"objectHash", "isDeleted"})), JSON))
def test_no_odd_value_stops_an_export(odd):
    document = image({**BOX, **odd}, data_title=odd.get("name"))
    _coco(document)
    rows, _ = _table(document)
    assert len(rows) == 1


def test_a_classification_of_a_long_video_is_one_thing_that_coco_cannot_say():
    answers = {"c": {**NEW["c"], "range": [[0, 1_000_000]]}}
    _, left_out = _coco(row("video", unit("v", {}), classification_answers=answers))
    assert left_out == {"classification": 1}


def test_a_box_that_is_turned_by_a_quarter_has_its_sides_exchanged():
    coco, _ = _coco(image(documents.TURNED))
    assert coco["annotations"][0]["bbox"] == pytest.approx([75, 0, 50, 100])


@given(st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0.01, 0.5), st.floats(0.01, 0.5), st.floats(-720, 720))
def test_turning_keeps_the_area_and_the_centre(x, y, w, h, theta):
    turned = documents.drawn(
        "rotatable_bounding_box", "t", rotatableBoundingBox={"x": x, "y": y, "w": w, "h": h, "theta": theta}
    )
    corners = geometry.corners_of(records_of(image(turned))[0])
    assert geometry.area_of(corners) == pytest.approx(w * WIDTH * h * HEIGHT, rel=1e-6)
    assert math.fsum(px for px, _ in corners) / 4 == pytest.approx((x + w / 2) * WIDTH)
    assert math.fsum(py for _, py in corners) / 4 == pytest.approx((y + h / 2) * HEIGHT)


def test_what_coco_cannot_say_is_counted_and_listed():
    coco, left_out = _coco(image(*EVERY_SHAPE, classification_answers={**NEW, "c": {**NEW["c"], "range": [[0, 0]]}}))
    assert left_out == {"classification": 1, "cuboid": 1, "point": 1, "polyline": 1}
    listed = {one["hash"]: one for one in coco["encord_left_out"]}
    assert {*listed} == {"line", "point", "cuboid", "c"}
    assert listed["line"] == {
        "label_hash": "label",
        "unit": "image",
        "frame": 0,
        "hash": "line",
        "kind": "object",
        "shape": "polyline",
        "reason": "polyline",
    }


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (image({**BOX, "featureHash": "gone"}), "not in the ontology"),
        (row("image", unit("i", {"objects": [BOX]}, width=None)), "the size of the image is not known"),
        (image({**BOX, "isDeleted": True}), "deleted"),
    ],
)
def test_objects_without_what_coco_needs_are_left_out_with_the_reason(document, reason):
    coco, left_out = _coco(document)
    assert (coco["annotations"], left_out) == ([], {reason: 1})


def test_ids_are_the_same_wherever_the_same_thing_is_met():
    other = {**image(BOX), "label_hash": "label 2", "branch_name": "second"}
    alone, together = _coco(image(BOX))[0], _coco(image(BOX), other)[0]
    assert together["annotations"][0] == alone["annotations"][0]
    assert together["categories"] == alone["categories"]
    assert len({one["id"] for one in together["annotations"]}) == 2
    assert len({one["id"] for one in together["images"]}) == 1, "it is the same image on both branches"
    assert all(0 <= one["id"] < 2**53 for one in together["images"])


def test_images_without_objects_are_there_and_frames_of_videos_are_not():
    empty = row("video", unit("video", {"3": {"objects": [], "classifications": []}}))
    coco, _ = _coco({**image(), "label_hash": "x"}, empty)
    assert [one["encord_unit"] for one in coco["images"]] == ["image"]


def test_only_what_a_machine_drew_has_a_score():
    coco, _ = _coco(image(BOX, {**BOX, "objectHash": "drawn", "manualAnnotation": True}))
    assert [one.get("score") for one in coco["annotations"]] == [0.5, None]


def test_a_format_that_is_not_known_lists_those_that_are():
    with pytest.raises(InvalidArgumentError, match=r"format: 'csv' is not one of annotations\.jsonl, .*, parquet"):
        require_format("csv")
    for name in FORMATS:
        require_format(name)
