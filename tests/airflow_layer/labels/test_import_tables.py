"""Pre-labels as tables, CSV or Parquet: one row for each box."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_encord.client.api.storage_folders import folder_patch
from airflow_provider_encord.client.flows.storage import edit_items
from tests.airflow_layer.bench import Account
from tests.airflow_layer.pre_labels import Model, counts_of, objects_of

CORNERS = ("title", "class", "xmin", "ymin", "xmax", "ymax")


def write(model: Model, format_: str, columns: Sequence[str], *rows: Sequence[Any]) -> str:
    path: Path = model.directory / f"predictions.{format_}"
    if format_ == "csv":
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([columns, *rows])
    else:
        pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        table = {column: [row[place] for row in rows] for place, column in enumerate(columns)}
        parquet.write_table(pyarrow.table(table), path)
    return str(path)


def load(model: Model, columns: Sequence[str], *rows: Sequence[Any], **arguments: Any) -> dict[str, Any]:
    known = {"format": "csv", "coordinates": "pixels", **arguments}
    return model.load(write(model, known["format"], columns, *rows), **known)


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_boxes_in_pixels_become_fractions_of_the_size_of_the_data_unit(model: Model, format_: str) -> None:
    first, second, third, *_ = model.rows()
    rows = [
        (first.data_title, "Car", 10, 20, 40, 60, 0.5),
        (second.data_title, "Car", 0, 0, second.width, second.height, None),
        (f"train/{first.data_title}", "Car", 100, 20, 140, 60, 0.25),
        (third.data_title, None, None, None, None, None, None),
    ]
    columns = (*CORNERS, "score")
    result = load(model, columns, *rows, format=format_)
    assert (counts_of(result), result["dropped"]) == ({"created": 3}, {})
    width, height = first.width or 0, first.height or 0
    drawn = objects_of(model.labels()[first.data_hash])
    assert [one["confidence"] for one in drawn] == [0.5, 0.25]
    assert drawn[0]["boundingBox"] == {"x": 10 / width, "y": 20 / height, "w": 30 / width, "h": 40 / height}
    (whole,) = objects_of(model.labels()[second.data_hash])
    assert whole["boundingBox"] == {"x": 0, "y": 0, "w": 1, "h": 1}
    assert objects_of(model.labels()[third.data_hash]) == []
    assert counts_of(load(model, columns, *rows, format=format_)) == {"unchanged": 3}


@pytest.mark.parametrize(
    ("columns", "values"),
    [
        (("XMin", "ymin", "xmax", "YMAX"), (0.25, 0.5, 0.75, 1)),
        (("x1", "y1", "x2", "y2"), (0.25, 0.5, 0.75, 1)),
        (("x_center", "y_center", "width", "height"), (0.5, 0.75, 0.5, 0.5)),
        (("x", "y", "w", "h"), (0.25, 0.5, 0.5, 0.5)),
        (("x", "y", "width", "height"), (0.25, 0.5, 0.5, 0.5)),
        (("left", "top", "width", "height"), (0.25, 0.5, 0.5, 0.5)),
        (("width", "height", "xmin", "ymin", "xmax", "ymax"), (640, 480, 0.25, 0.5, 0.75, 1)),
    ],
)
def test_the_usual_columns_of_boxes_are_known(model: Model, columns: Sequence[str], values: Sequence[float]) -> None:
    row = model.rows()[0]
    load(model, ("filename", "Label", *columns), (row.data_title, "Car", *values), coordinates="fractions")
    (drawn,) = objects_of(model.labels()[row.data_hash])
    assert drawn["boundingBox"] == {"x": 0.25, "y": 0.5, "w": 0.5, "h": 0.5}


def test_data_units_are_matched_by_data_hash_and_client_metadata(model: Model) -> None:
    row = model.rows()[0]
    with model.account.client() as client:
        client.run(edit_items({row.backing_item_uuid or "": folder_patch(client_metadata={"key": "s3://b/1.png"})}))
    box = ("Car", 0, 0, 5, 5)
    assert load(model, ("data_hash", *CORNERS[1:]), (row.data_hash, *box), match_by="data_hash")["created"] == 1
    for column in ("key", "client_metadata.key"):
        result = load(model, (column, *CORNERS[1:]), ("s3://b/1.png", *box), match_by="client_metadata.key")
        assert counts_of(result) == {"unchanged": 1}


def test_frames_and_ids_make_tracks_of_videos(account: Account, tmp_path: Path) -> None:
    model = Model(account, tmp_path, kind="video", frames=5, rows=1)
    (row,) = model.rows()
    columns = (*CORNERS, "frame", "track_id")
    rows = [(row.data_title, "Car", 1, 2, 30, 40, frame, "car 1") for frame in (0, 2, 3)]
    load(model, columns, *rows)
    (unit,) = model.labels()[row.data_hash]["data_units"].values()
    drawn = {frame: labels["objects"] for frame, labels in unit["labels"].items() if labels["objects"]}
    assert [*drawn] == ["0", "2", "3"]
    assert len({one["objectHash"] for objects in drawn.values() for one in objects}) == 1
    with pytest.raises(AirflowFailException, match="frame: 5 is not within the 5 frames"):
        load(model, columns, (row.data_title, "Car", 1, 2, 30, 40, 5, "car 1"))


@pytest.mark.parametrize("format_", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class": None}, "(line 2|row 1): class: it is missing"),
        ({"ymax": None}, "(line 2|row 1): ymax: it is missing"),
        ({"xmax": 5}, "the box has the size -5 x 40"),
        ({"xmax": 99999}, "is outside of the image"),
        ({"title": None}, "predictions.*, (line 2|row 1): title: it is missing"),
        ({"title": "nowhere"}, "title 'nowhere': no data unit has it"),
        ({"class": "Lorry"}, r"class_map: .* for the classes 'Lorry' \(1\)"),
        ({"class": "Person"}, "'Person' is a polygon in the ontology, but this is bounding_box"),
        ({"frame": 0.5}, "frame: '0.5' is not a number of a frame"),
        ({"frame": -1}, "frame: '-1' is not a number of a frame"),
        ({"score": 2}, "confidence: '2.0' is not a number from 0 to 1"),
    ],
)
def test_wrong_rows_are_named_before_anything_is_sent(
    model: Model, format_: str, change: dict[str, Any], message: str
) -> None:
    known = dict(zip(CORNERS, (model.rows()[0].data_title, "Car", 10, 20, 40, 60), strict=True)) | change
    others = dict(zip(CORNERS, (model.rows()[1].data_title, "Car", 10, 20, 40, 60), strict=True))
    rows = [[row.get(column) for column in known] for row in (known, others)]
    with pytest.raises(AirflowFailException, match=message):
        load(model, [*known], *rows, format=format_)
    assert model.changes() == []
    assert load(model, [*known], *rows, format=format_, on_error="skip")["created"] == 1


@pytest.mark.parametrize("format_", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (("title", "class", "x", "y"), "has no columns of a box. Name them xmin, ymin, xmax, ymax; x1"),
        (CORNERS[1:], "has no column of the data unit. Name it title or data_title"),
        (("title", *CORNERS[2:]), "has no column of the class. Name it class or class_name"),
        ((*CORNERS, "score", "confidence"), "has the columns score and confidence. Keep one of them"),
    ],
)
def test_missing_and_doubled_columns_are_named(model: Model, format_: str, columns: Any, message: str) -> None:
    with pytest.raises(AirflowFailException, match=message):
        load(model, columns, ["1"] * len(columns), format=format_)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"coordinates": None}, "coordinates: 'None' is not one of pixels, fractions"),
        ({"coordinates": "metres"}, "coordinates: 'metres' is not one of pixels, fractions"),
        ({"format": None, "coordinates": None, "class_map": {}}, "class_map: it applies only if `format` is given"),
        ({"format": "yolo"}, "coordinates: it applies to csv and parquet only"),
        ({"format": "voc"}, "format: 'voc' is not one of coco, yolo, csv"),
        ({"class_map": {"Car": 3}}, "class_map: '3' is not the name of a feature"),
        ({"class_map": {"1": "Car", 1: "Person"}}, "class_map: two keys are the same class"),
        ({"class_map": "[1]"}, "class_map: it must be a dictionary"),
        ({"score_threshold": 2}, "score_threshold: '2' is not a number from 0 to 1"),
        ({"images_source": "/data/x.json"}, "images_source: it applies to the format 'coco' only"),
        ({"source": None, "python_callable": len}, "format: it applies only to `source`"),
    ],
)
def test_wrong_arguments_are_named(model: Model, arguments: dict[str, Any], message: str) -> None:
    known = {"format": "csv", "coordinates": "pixels", "source": write(model, "csv", CORNERS), **arguments}
    with pytest.raises(AirflowFailException, match=message):
        model.load(known.pop("source"), **known)
    assert model.changes() == []


def test_files_without_rows_or_of_another_kind_are_refused(model: Model) -> None:
    with pytest.raises(AirflowFailException, match="names no data units"):
        load(model, CORNERS)
    path = model.directory / "x.parquet"
    path.write_text("not parquet")
    with pytest.raises(AirflowFailException, match=r"x\.parquet cannot be read as Parquet"):
        model.load(str(path), format="parquet", coordinates="pixels")


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(*[st.integers(0, 400)] * 4), max_size=8), st.randoms(use_true_random=False))
def test_rows_of_any_order_give_the_same_labels(model: Model, boxes: list[tuple[int, ...]], dice: Any) -> None:
    titles = [row.data_title for row in model.rows()[:2]]
    rows = [(titles[n % 2], "Car", x, y, x + w // 2, y + h // 8) for n, (x, y, w, h) in enumerate(boxes)]
    rows += [(title, None, None, None, None, None) for title in titles]
    assert load(model, CORNERS, *rows, if_exists="overwrite")["failed"] == 0
    dice.shuffle(rows)
    assert counts_of(load(model, CORNERS, *rows, if_exists="overwrite")) == {"unchanged": 2}
