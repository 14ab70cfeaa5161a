"""The table of annotations as Parquet and as JSON Lines: the same rows, and columns that queries can use."""

from __future__ import annotations

import datetime
import io
import json
import math
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.errors import UnexpectedResponseError
from airflow_provider_encord.exports.formats import FORMATS, Origin
from airflow_provider_encord.exports.formats.table import FIELDS, TIME
from airflow_provider_encord.exports.formats.table import JSON as JSON_FIELD
from airflow_provider_encord.schemas import read_schema
from tests.exports.documents import (
    BOX,
    EVERY_SHAPE,
    HEIGHT,
    JSON,
    NEW,
    RECORDED,
    STRUCTURE,
    WIDTH,
    drawn,
    image,
    label_row,
    recorded,
    row,
    unit,
)

ORIGIN = Origin(project_id="the project", structure=STRUCTURE)
JSON_FIELDS = {field.name for field in FIELDS if field.type == JSON_FIELD}
TIMES = {field.name for field in FIELDS if field.type == TIME}
RECORDED_NAMES = sorted(json.loads(RECORDED.read_text()))


def _written(format_: str, *documents: dict[str, Any]) -> tuple[bytes, dict[str, int]]:
    file = io.BytesIO()
    encoder = FORMATS[format_](file, ORIGIN)
    for document in documents:
        encoder.write(label_row(document))
    left_out = encoder.finish()
    return file.getvalue(), left_out


def _lines(*documents: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    content, left_out = _written("annotations.jsonl", *documents)
    return [json.loads(line) for line in content.split(b"\n")[:-1]], left_out


def _columns(*documents: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The rows of the Parquet file in the form of the lines."""
    import pyarrow.parquet

    content, left_out = _written("parquet", *documents)
    rows = pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()
    return [{name: _as_in_a_line(name, value) for name, value in one.items()} for one in rows], left_out


def _as_in_a_line(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in JSON_FIELDS:
        return json.loads(value)
    return value.isoformat().replace("+00:00", "Z") if name in TIMES else value


@pytest.mark.parametrize("name", RECORDED_NAMES)
def test_both_formats_have_the_same_rows_of_a_recorded_row(name: str) -> None:
    lines, left_out = _lines(recorded(name))
    assert lines
    assert (lines, left_out) == _columns(recorded(name))


@pytest.mark.parametrize("name", RECORDED_NAMES)
def test_a_line_fits_the_schema_of_the_package(name: str) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(read_schema("annotations")))
    for line in _lines(recorded(name))[0]:
        validator.validate(line)


@given(st.dictionaries(st.sampled_from(sorted({*BOX} - {"objectHash"})), JSON), st.dictionaries(st.text(), JSON))
def test_both_formats_have_the_same_rows_whatever_a_row_holds(odd: dict[str, Any], about: dict[str, Any]) -> None:
    document = {**about, **image({**BOX, **odd}, classification_answers=NEW), "dataset_title": odd.get("name")}
    assert _lines(document) == _columns(document)


NUMBERS = st.floats(-1e308, 1e308) | st.integers(-(2**70), 2**70)


@given(st.sampled_from(["confidence", "x", "y", "w", "h"]), NUMBERS)
def test_both_formats_refuse_the_same_numbers_and_write_none_that_is_not_finite(key: str, number: float) -> None:
    box = {**BOX, "boundingBox": {**BOX["boundingBox"], key: number}, **({key: number} if key == "confidence" else {})}
    outcomes = []
    for write in (_lines, _columns):
        try:
            outcomes.append(write(image(box)))
        except UnexpectedResponseError:
            outcomes.append(None)
    assert outcomes[0] == outcomes[1]
    for line in outcomes[0][0] if outcomes[0] else ():
        assert all(math.isfinite(value) for value in line.values() if isinstance(value, float))


def test_a_line_says_what_a_query_needs_of_a_box() -> None:
    answered = {"box": {"classifications": [{"name": "Note", "answers": "wet", "featureHash": "n"}]}}
    (line,), left_out = _lines(image(BOX, object_answers=answered, label_status="LABELLED", dataset_title="Cats"))
    assert left_out == {}
    assert {name: value for name, value in line.items() if value is not None} == {
        "label_hash": "label",
        "data_hash": "image",
        "data_title": "title",
        "dataset_hash": "dataset",
        "branch": "main",
        "data_type": "image",
        "unit": "image",
        "frame": 0,
        "width": WIDTH,
        "height": HEIGHT,
        "kind": "object",
        "hash": "box",
        "feature_hash": "f-bounding_box",
        "name": "Bounding_Box",
        "shape": "bounding_box",
        "geometry": {"boundingBox": BOX["boundingBox"]},
        "box_x": 20.0,
        "box_y": 20.0,
        "box_w": pytest.approx(60.0),
        "box_h": pytest.approx(40.0),
        "answers": {"Note": "wet"},
        "confidence": 0.5,
        "manual": False,
        "created_by": "a@example.com",
        "created_at": "2026-11-23T06:59:47Z",
        "last_edited_at": "2026-11-23T07:04:37Z",
        "project_id": "the project",
        "dataset_title": "Cats",
        "unit_title": "image.jpg",
        "area": pytest.approx(2400.0),
        "label_status": "LABELLED",
    }


def test_areas_and_rotations_are_those_of_the_shapes() -> None:
    lines, _ = _lines(image(*EVERY_SHAPE))
    areas = {line["hash"]: line["area"] for line in lines}
    rotations = {line["hash"]: line["rotation"] for line in lines}
    assert areas == {
        "box": pytest.approx(2400),
        "turned": pytest.approx(5000),
        "triangle": pytest.approx(2500),
        "frame": pytest.approx(6400 - 1600),
        "parts": pytest.approx(200),
        "mask": 3,
        "line": None,
        "point": None,
        "cuboid": None,
    }
    assert {hash_: turn for hash_, turn in rotations.items() if turn is not None} == {"turned": 90}


@pytest.mark.parametrize(
    ("shape", "geometry", "box", "area"),
    [
        ("circle", {"x": 0.5, "y": 0.5, "r": 0.1}, (80, 30, 40, 40), math.pi * 400),
        ("circle", {"x": 0.5, "y": 0.5, "r": 0.1, "stretch": 0.5}, (80, 40, 40, 20), math.pi * 200),
        ("circle", {"x": 0.5, "y": 0.5, "r": 0.1, "stretch": 0.5, "theta": 90}, (90, 30, 20, 40), math.pi * 200),
        ("ellipse", {"x": 0.5, "y": 0.5, "rx": 0.1, "ry": 0.1, "theta": 0}, (80, 40, 40, 20), math.pi * 200),
        ("ellipse", {"x": 0.5, "y": 0.5, "rx": 0.1, "ry": 0.1, "theta": 90}, (90, 30, 20, 40), math.pi * 200),
        (
            "cuboid_2d",
            {"front": [0, 0, 0.1, 0, 0.1, 0.2, 0, 0.2], "offset": {"x": 0.5, "y": 0.1}},
            (0, 0, 120, 30),
            None,
        ),
        (
            "cuboid_2d",
            {"front": [0, 0, 0.2, 0, 0.2, 0.2, 0, 0.2], "vanishingPoint": {"x": 1, "y": 0}, "scaleRatio": 0.5},
            (0, 0, 120, 20),
            None,
        ),
    ],
)
def test_curves_and_cuboids_on_images_have_boxes(shape: str, geometry: Any, box: Any, area: Any) -> None:
    ((line,), left_out) = _lines(image(drawn(shape, "s", **{shape: geometry})))
    assert [line[f"box_{side}"] for side in "xywh"] == pytest.approx(box)
    assert line["area"] == (None if area is None else pytest.approx(area))
    assert left_out == {}


@given(st.floats(1, 90), st.floats(1, 90), st.floats(-360, 360))
def test_no_point_of_an_ellipse_is_outside_of_its_box(rx: float, ry: float, theta: float) -> None:
    ellipse = {"x": 0.5, "y": 0.5, "rx": rx / WIDTH, "ry": ry / HEIGHT, "theta": theta}
    ((line,), _) = _lines(image(drawn("ellipse", "e", ellipse=ellipse)))
    turn = math.radians(theta)
    angles = [math.tau * number / 360 for number in range(360)]
    xs = [100 + rx * math.cos(a) * math.cos(turn) - ry * math.sin(a) * math.sin(turn) for a in angles]
    ys = [50 + rx * math.cos(a) * math.sin(turn) + ry * math.sin(a) * math.cos(turn) for a in angles]
    assert (min(xs), max(xs)) == pytest.approx((line["box_x"], line["box_x"] + line["box_w"]), abs=0.1)
    assert (min(ys), max(ys)) == pytest.approx((line["box_y"], line["box_y"] + line["box_h"]), abs=0.1)


def test_every_shape_that_the_sdk_saves_on_an_image_has_a_box_or_is_three_dimensional() -> None:
    lines, left_out = _lines(recorded("shapes"))
    assert {line["shape"] for line in lines if line["box_x"] is None} <= {"cuboid", "segmentation"}
    assert {"circle", "ellipse", "cuboid_2d", "skeleton"} <= {line["shape"] for line in lines}
    assert left_out == {}


def test_the_count_of_what_is_left_out_is_the_same_in_both_formats() -> None:
    sound = {"objectHash": "s", "shape": "audio", "range": [["a", "b"]], "classifications": []}
    documents = [image({**BOX, "isDeleted": True}), row("audio", unit("a", {}), object_answers={"s": sound})]
    assert _lines(*documents)[1] == _columns(*documents)[1] == {"object: deleted": 1, "object: malformed range": 1}


def test_a_time_is_written_in_utc() -> None:
    (line,), _ = _lines(image({**BOX, "createdAt": "2026-11-23T08:59:47.123456+02:00"}))
    assert line["created_at"] == "2026-11-23T06:59:47.123456Z"
    assert datetime.datetime.fromisoformat(line["created_at"]).utcoffset() == datetime.timedelta(0)


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_compressed_lines_are_the_lines(ending: str) -> None:
    import gzip

    import zstandard

    content, _ = _written(f"annotations.jsonl.{ending}", image(*EVERY_SHAPE))
    plain, _ = _written("annotations.jsonl", image(*EVERY_SHAPE))
    unpack = gzip.decompress if ending == "gz" else zstandard.ZstdDecompressor().decompressobj().decompress
    assert unpack(content) == plain
