"""Pre-labels as Label Studio's export."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.exports.formats.geometry import runs_of
from airflow_provider_encord.prelabels.forms.label_studio_shapes import unpacked_brush
from tests.airflow_layer.pre_labels import Model, counts_of, objects_of

RECTANGLE = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0, "rectanglelabels": ["Car"]}
POLYGON = {"points": [[10, 10], [50, 10], [30, 60]], "polygonlabels": ["Person"]}


def result(value: dict[str, Any], **more: Any) -> dict[str, Any]:
    type_ = next((key for key in value if key.endswith("labels") or key == "choices"), "rectangle")
    return {"id": "r1", "type": type_, "from_name": "label", "to_name": "image", "value": value, **more}


def task(model: Model, number: int, *results: Any, name: str | None = None, **more: Any) -> dict[str, Any]:
    title = model.rows()[number].data_title
    url = f"/data/upload/3/1a2b3c4d-{title}" if name is None else name.format(title)
    return {"id": number, "data": {"image": url}, "annotations": [{"result": [*results]}], **more}


def load(model: Model, content: Any, **arguments: Any) -> dict[str, Any]:
    path: Path = model.directory / "export.json"
    path.write_text(json.dumps(content))
    return model.load(str(path), **{"format": "label_studio", **arguments})


def drawn_on(model: Model, number: int = 0) -> list[dict[str, Any]]:
    return objects_of(model.labels()[model.rows()[number].data_hash])


def test_rectangles_polygons_and_choices_come_in(model: Model) -> None:
    weather = result({"choices": ["Rain"]}, from_name="sky", id="r2")
    colour = result({"choices": ["Blue"]}, from_name="Colour")
    tasks = [
        task(model, 0, result(RECTANGLE, score=0.75), weather, colour),
        task(model, 1, result(POLYGON)),
        task(model, 2),
    ]
    result_ = load(model, tasks, class_map={"sky": "Weather"})
    assert (counts_of(result_), result_["dropped"]) == ({"created": 3}, {})
    (car,) = drawn_on(model)
    assert car["boundingBox"] == pytest.approx({"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4})
    assert car["confidence"] == 0.75
    saved = model.labels()[model.rows()[0].data_hash]
    (blue,) = saved["object_answers"][car["objectHash"]]["classifications"]
    assert [answer["name"] for answer in blue["answers"]] == ["Blue"]
    (rain,) = saved["classification_answers"].values()
    assert [answer["name"] for answer in rain["classifications"][0]["answers"]] == ["Rain"]
    assert drawn_on(model, 1)[0]["polygon"]["2"] == {"x": 0.3, "y": 0.6}
    assert drawn_on(model, 2) == []


@pytest.mark.parametrize(
    "name", ["/data/upload/3/1a2b3c4d-{}", "s3://bucket/train/{}", "/data/local-files/?d=train%2F{}", "{}"]
)
def test_the_file_of_a_task_is_found_by_its_name(model: Model, name: str) -> None:
    assert load(model, [task(model, 0, result(RECTANGLE), name=name)])["created"] == 1


def test_predictions_come_in_if_there_are_no_annotations(model: Model) -> None:
    predicted = {"annotations": [], "predictions": [{"score": 0.4, "result": [result(RECTANGLE)]}]}
    tasks = [{**task(model, 0), **predicted}]
    assert load(model, tasks, score_threshold=0.5)["dropped"] == {"score_threshold": 1}
    load(model, tasks, if_exists="overwrite")
    assert [one["confidence"] for one in drawn_on(model)] == [0.4]
    cancelled = [{"result": [], "was_cancelled": True}, {"result": [result(RECTANGLE)]}]
    assert load(model, [{**task(model, 1), "annotations": cancelled}])["created"] == 1


def test_a_shape_and_its_label_can_be_two_results(model: Model) -> None:
    shape = {key: value for key, value in RECTANGLE.items() if key != "rectanglelabels"}
    two = [result(shape), result({**shape, "labels": ["Car"]})]
    load(model, [task(model, 0, *two)])
    assert [one["name"] for one in drawn_on(model)] == ["Car"]


@pytest.mark.parametrize("rotation", [30, 300])
def test_rectangles_rotate_around_their_corner_in_pixels(model: Model, rotation: float) -> None:
    model.use_shapes(Car="rotatable_bounding_box")
    row = model.rows()[0]
    width, height = row.width or 0, row.height or 0
    load(model, [task(model, 0, result({**RECTANGLE, "rotation": rotation}))])
    (drawn,) = drawn_on(model)
    box = drawn["rotatableBoundingBox"]
    assert (box["w"], box["h"], box["theta"]) == (pytest.approx(0.3), pytest.approx(0.4), pytest.approx(rotation))
    turn = math.radians(rotation)
    across, down = 0.15 * width, 0.2 * height
    middle = (
        0.1 * width + across * math.cos(turn) - down * math.sin(turn),
        0.2 * height + across * math.sin(turn) + down * math.cos(turn),
    )
    assert ((box["x"] + 0.15) * width, (box["y"] + 0.2) * height) == pytest.approx(middle)


def test_points_and_brushes_come_in(model: Model) -> None:
    model.use_shapes(Nose="point", Road="bitmask")
    row = model.rows()[0]
    width, height = int(row.width or 0), int(row.height or 0)
    alpha = [0] * (width + 3) + [255, 128] + [0] * (width * height - width - 5)
    brush = {"format": "rle", "rle": packed([value for value in alpha for _ in range(4)]), "brushlabels": ["Road"]}
    size = {"original_width": width, "original_height": height}
    nose = result({"x": 25, "y": 50, "width": 0.5, "keypointlabels": ["Nose"]}, id="r2")
    load(model, [task(model, 0, result(brush, **size), nose)])
    road, point = drawn_on(model)
    assert runs_of(road["bitmask"]) == [(width + 3, width + 5)]
    assert point["point"]["0"] == {"x": 0.25, "y": 0.5}


def packed(values: list[int]) -> list[int]:
    """The values as a brush: repeated ones with their number, and others one after the other."""
    lengths = [3, 4, 8, 16]
    text = f"{len(values):032b}{7:05b}" + "".join(f"{length - 1:04b}" for length in lengths)
    place = 0
    while place < len(values):
        end = place
        while end < len(values) and values[end] == values[place] and end - place < 2**16:
            end += 1
        repeated = end - place > 1
        end = end if repeated else min(len(values), place + 5)
        which = next(number for number, length in enumerate(lengths) if end - place - 1 < 2**length)
        text += f"{int(repeated)}{which:02b}{end - place - 1:0{lengths[which]}b}"
        text += "".join(f"{value:08b}" for value in (values[place:end] if not repeated else values[place : place + 1]))
        place = end
    text += "0" * (-len(text) % 8)
    return [int(text[start : start + 8], 2) for start in range(0, len(text), 8)]


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(1, 300)), min_size=1, max_size=20))
def test_any_brush_is_unpacked_to_its_values(runs: list[tuple[int, int]]) -> None:
    values = [value for value, length in runs for _ in range(length)]
    assert list(unpacked_brush(packed(values), len(values))) == values


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {**RECTANGLE, "rectanglelabels": ["Car", "Person"]},
            "result r1: it has 2 labels, but an object has one class",
        ),
        ({**RECTANGLE, "rectanglelabels": []}, "it has 0 labels"),
        ({**RECTANGLE, "x": 200}, "the coordinate 230.0 is outside of the image, whose width is 100"),
        ({**RECTANGLE, "x": "a"}, "x: 'a' is not a number"),
        ({**RECTANGLE, "rotation": 20}, "but this is rotatable_bounding_box"),
        ({"points": [[1, 2], [3]], "polygonlabels": ["Person"]}, "points: .* is not a list of 2 numbers"),
        ({"points": 3, "polygonlabels": ["Person"]}, "points: it is not a list"),
        ({"sequence": [], "labels": ["Car"]}, "sequence: it is not a list of keyframes"),
        ({"x": 1, "y": 1, "radiusX": 2, "radiusY": 2, "ellipselabels": ["Car"]}, "but this is without a shape"),
        ({**RECTANGLE, "rectanglelabels": ["Lorry"]}, r"for the classes 'Lorry' \(1\)"),
        (None, "task: 1 of its results have no value"),
    ],
)
def test_wrong_results_are_named_before_anything_is_sent(model: Model, value: Any, message: str) -> None:
    wrong = {"type": "relation"} if value is None else result(value)
    with pytest.raises(AirflowFailException, match=message):
        load(model, [task(model, 0, wrong), task(model, 1, result(RECTANGLE))])
    assert model.changes() == []


@pytest.mark.parametrize(
    ("rle", "message"),
    [
        ([300], "rle: it is not a list of bytes"),
        ("x", "rle: it is not a list of bytes"),
        ([0, 0, 0], "rle: it is cut off"),
        (packed([1, 2, 3]), "rle: it has 3 values of 8 bits, but the image needs"),
    ],
)
def test_wrong_brushes_are_named(model: Model, rle: Any, message: str) -> None:
    model.use_shapes(Road="bitmask")
    with pytest.raises(AirflowFailException, match=message):
        load(model, [task(model, 0, result({"rle": rle, "brushlabels": ["Road"]}))])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"image": "x", "label": []}], "Export the project as JSON, not as JSON-MIN"),
        ({"tasks": [{"data": {}}]}, "Export the project as JSON"),
        ([], "names no data units"),
        ([{"id": 5, "data": {"image": "no.png"}}], r"export\.json, task 5 \(no\.png\): title 'no\.png': no data unit"),
        ([{"id": 5, "data": {}}], "title '': no data unit"),
    ],
)
def test_what_is_not_an_export_is_refused(model: Model, content: Any, message: str) -> None:
    with pytest.raises(AirflowFailException, match=message):
        load(model, content)
    assert model.changes() == []


def test_the_signature_of_a_url_is_in_no_message_and_no_report(model: Model) -> None:
    signed = "https://bucket.example/{}?X-Amz-Signature=s3cret"
    report = model.directory / "report.jsonl"
    tasks = [task(model, 0, result(RECTANGLE), name=signed)]
    assert load(model, tasks, report=str(report))["created"] == 1
    unknown = [{"id": 9, "data": {"image": signed.format("nowhere.png")}}]
    with pytest.raises(AirflowFailException, match=r"nowhere\.png") as refused:
        load(model, [*tasks, *unknown])
    assert "s3cret" not in str(refused.value) + report.read_text()


def test_several_annotations_of_a_task_are_refused(model: Model) -> None:
    with pytest.raises(AirflowFailException, match="task: it has 2 annotations or predictions; keep one of them"):
        load(model, [{**task(model, 0), "annotations": [{"result": []}, {"result": []}]}])
