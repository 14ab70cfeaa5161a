"""Pre-labels as directories of YOLO's label files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from tests.airflow_layer.bench import Account
from tests.airflow_layer.pre_labels import Model, counts_of, objects_of

NAMES = "names:\n  0: Car\n  1: Person\n"


def write(model: Model, files: dict[str, str], names: str | None = NAMES, names_file: str = "data.yaml") -> str:
    """A directory of label files by stem."""
    directory: Path = model.directory / "yolo"
    for stem, content in files.items():
        path = directory / "labels" / "train" / f"{stem}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    if names is not None:
        (directory / names_file).write_text(names)
    return str(directory)


def load(model: Model, files: dict[str, str], **arguments: Any) -> dict[str, Any]:
    names = {name: arguments.pop(name) for name in ("names", "names_file") if name in arguments}
    return model.load(write(model, files, **names), **{"format": "yolo", **arguments})


def stems(model: Model) -> list[str]:
    return [row.data_title.removesuffix(".png") for row in model.rows()]


def test_boxes_and_polygons_come_in_with_their_confidence(model: Model) -> None:
    first, second, third, *_ = stems(model)
    files = {
        first: "0 0.5 0.5 0.2 0.4\n0 0.1 0.1 0.2 0.2 0.75\n",
        second: "1 0.1 0.1 0.5 0.1 0.3 0.6 0.5\n",
        third: "",
    }
    result = load(model, files)
    assert counts_of(result) == {"created": 3}
    rows = {row.data_title.removesuffix(".png"): model.labels().get(row.data_hash) for row in model.rows()}
    one, other = objects_of(rows[first] or {})
    assert one["boundingBox"] == pytest.approx({"x": 0.4, "y": 0.3, "w": 0.2, "h": 0.4})
    assert (one["confidence"], other["confidence"]) == (1, 0.75)
    assert other["boundingBox"] == pytest.approx({"x": 0, "y": 0, "w": 0.2, "h": 0.2})
    (person,) = objects_of(rows[second] or {})
    assert person["polygon"]["2"] == {"x": 0.3, "y": 0.6}
    assert person["confidence"] == 0.5
    assert objects_of(rows[third] or {}) == []
    assert counts_of(load(model, files)) == {"unchanged": 3}


@pytest.mark.parametrize(
    ("names_file", "names"),
    [
        ("data.yaml", "names: [Car, Person]\n"),
        ("classes.txt", "Car\nPerson\n"),
        ("obj.names", "Car\r\nPerson\r\n"),
    ],
)
def test_names_of_classes_are_found_in_the_usual_files(model: Model, names_file: str, names: str) -> None:
    box = {stems(model)[0]: "0 0.5 0.5 0.2 0.4"}
    source = write(model, box, names, names_file)
    assert model.load(source, format="yolo")["created"] == 1
    assert model.load(f"{source}/labels", format="yolo")["unchanged"] == 1


def test_without_names_classes_are_numbers_for_the_class_map(model: Model) -> None:
    files = {stems(model)[0]: "2 0.5 0.5 0.2 0.4 0.9\n0 0.5 0.5 0.2 0.4 0.2\n7 0.5 0.5 0.1 0.1 0.8\n"}
    with pytest.raises(AirflowFailException, match=r"class_map: .* for the classes '0' \(1\), '2' \(1\), '7' \(1\)"):
        load(model, files, names=None)
    classes = {2: "Car", "0": "Car", "7": None}
    result = load(model, files, names=None, class_map=classes, score_threshold=0.5)
    assert (result["created"], result["dropped"]) == (1, {"class_map": 1, "score_threshold": 1})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("0 0.5 0.5 0.2", "line 1: it has 3 numbers after the class, but a bounding_box has 4"),
        ("\n0 0.5 0.5 0.2 x", "line 2: coordinate: 'x' is not a number"),
        ("car 0.5 0.5 0.2 0.2", "class: 'car' is not a whole number"),
        ("0.5 0.5 0.5 0.2 0.2", "class: '0.5' is not a whole number"),
        ("9 0.5 0.5 0.2 0.2", r"class 9 has no name in data\.yaml"),
        ("0 320 240 100 100", "the coordinate 370.0 is outside of the image"),
        ("0 0.5 0.5 -0.2 0.2", "it must not be negative"),
        ("0 0.5 0.5 0.2 0.2 7", "confidence: '7.0' is not a number from 0 to 1"),
        ("1 0.1 0.1 0.2 0.2", "a polygon needs at least 3 corners"),
        ("0 nan 0.5 0.2 0.2", "'nan' is not a number"),
        ("0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2", "it has 8 numbers after the class, but a bounding_box has 4"),
    ],
)
def test_wrong_lines_are_named_with_file_and_number(model: Model, content: str, message: str) -> None:
    with pytest.raises(AirflowFailException, match=message):
        load(model, {stems(model)[0]: content})
    assert model.changes() == []


def test_a_file_of_no_data_unit_is_named_and_a_file_is_no_directory(model: Model) -> None:
    source = write(model, {"nowhere": "0 0.5 0.5 0.2 0.2"})
    with pytest.raises(AirflowFailException, match=r"train/nowhere\.txt: title 'train/nowhere': no data unit has it"):
        model.load(source, format="yolo")
    with pytest.raises(AirflowFailException, match=r"is not a directory\. Pass the directory of the label files"):
        model.load(f"{source}/data.yaml", format="yolo")
    (Path(source) / "data.yaml").write_text("path: here\n")
    with pytest.raises(AirflowFailException, match=r"data\.yaml has no list of classes under `names`"):
        model.load(source, format="yolo")


@pytest.mark.parametrize("theta", [0, 30, 90, 200])
def test_rotated_boxes_are_measured_in_pixels(model: Model, theta: float) -> None:
    model.use_shapes(Ship="rotatable_bounding_box")
    row = model.rows()[0]
    width, height = row.width or 0, row.height or 0
    turn = math.radians(theta)
    offsets = [(-50, -20), (50, -20), (50, 20), (-50, 20)]
    corners = [
        (300 + x * math.cos(turn) - y * math.sin(turn), 200 + x * math.sin(turn) + y * math.cos(turn))
        for x, y in offsets
    ]
    written = " ".join(f"{x / width} {y / height}" for x, y in corners)
    load(model, {stems(model)[0]: f"0 {written} 0.5"}, names="names: [Ship]")
    (drawn,) = objects_of(model.labels()[row.data_hash])
    expected = {"x": 250 / width, "y": 180 / height, "w": 100 / width, "h": 40 / height, "theta": theta}
    assert drawn["rotatableBoundingBox"] == pytest.approx(expected)
    assert drawn["confidence"] == 0.5
    skewed = written.rpartition(" ")[0] + " 0.9"
    with pytest.raises(AirflowFailException, match="the four corners are not a rectangle"):
        load(model, {stems(model)[0]: f"0 {skewed}"}, names="names: [Ship]")


def test_poses_come_in_as_skeletons_or_as_their_boxes(model: Model) -> None:
    pose = "0 0.5 0.5 0.2 0.4 0.1 0.2 2 0.3 0.4 1 0.5 0.6 0 0.9\n"
    names = "names: [Pose]\nkpt_shape: [3, 3]\n"
    model.use_shapes(Pose="skeleton", Box="bounding_box")
    load(model, {stems(model)[0]: pose}, names=names)
    (drawn,) = objects_of(model.labels()[model.rows()[0].data_hash])
    assert [drawn["skeleton"][number]["visibility"] for number in "012"] == ["visible", "occluded", "invisible"]
    assert (drawn["skeleton"]["1"]["x"], drawn["confidence"]) == (0.3, 0.9)
    load(model, {stems(model)[0]: pose}, names=names, class_map={"Pose": "Box"}, if_exists="overwrite")
    (drawn,) = objects_of(model.labels()[model.rows()[0].data_hash])
    assert drawn["boundingBox"] == pytest.approx({"x": 0.4, "y": 0.3, "w": 0.2, "h": 0.4})
    with pytest.raises(AirflowFailException, match=r"add kpt_shape to data\.yaml"):
        load(model, {stems(model)[0]: pose}, names="names: [Pose]")


def test_predictions_on_a_video_are_frames_from_one_and_tracks_are_objects(account: Account, tmp_path: Path) -> None:
    model = Model(account, tmp_path, kind="video", frames=5, rows=1)
    (row,) = model.rows()
    stem = row.data_title.removesuffix(".mp4")
    files = {f"{stem}_{number}": "0 0.5 0.5 0.2 0.4 0.9 3\n" for number in (1, 4)}
    assert load(model, files)["created"] == 1
    (unit,) = model.labels()[row.data_hash]["data_units"].values()
    drawn = {frame: labels["objects"] for frame, labels in unit["labels"].items() if labels["objects"]}
    assert [*drawn] == ["0", "3"]
    assert len({one["objectHash"] for objects in drawn.values() for one in objects}) == 1
    with pytest.raises(AirflowFailException, match="frame: 5 is not within the 5 frames"):
        load(model, {f"{stem}_6": "0 0.5 0.5 0.2 0.4\n"})
