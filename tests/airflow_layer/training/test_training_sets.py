"""Training sets, from a project on the emulator to files that are read back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from PIL import Image
from pycocotools.coco import COCO

from tests.airflow_layer.bench import Account
from tests.airflow_layer.training.training_sets import HEIGHT, WIDTH, Pictures, contents

ALL_TRAIN = {"train": 1.0}


@pytest.fixture
def pictures(account: Account, tmp_path: Path) -> Pictures:
    return Pictures(account, tmp_path)


def yolo(directory: Path, split: str = "train") -> dict[int, list[list[float]]]:
    """The lines of the label files, by the title's number that the colour of the image states."""
    found = {}
    for path in sorted((directory / "labels" / split).glob("*.txt")):
        with Image.open(directory / "images" / split / f"{path.stem}.png") as image:
            assert image.size == (WIDTH, HEIGHT)
            number = image.convert("RGB").tobytes()[0]
        found[number] = [[float(part) for part in line.split()] for line in path.read_text().splitlines()]
    return found


def test_boxes_become_lines_of_yolo(pictures: Pictures, tmp_path: Path) -> None:
    result = pictures.build(split=ALL_TRAIN)
    lines = yolo(tmp_path / "set")
    assert (result["images"], result["splits"], result["classes"]) == (12, {"train": 12}, 4)
    assert lines[1] == [[0, 0.25, 0.325, 0.3, 0.25]]
    assert lines[2] == [[0, 0.25, 0.325, 0.3, 0.25], [1, 0.51, 0.6, 0.02, 0.2]]
    assert lines[6] == []
    # A sign of 20 by 20 pixels, turned by a right angle, and the road with its hole.
    assert lines[3][1:] == [[2, 0.5, 0.5, 0.8, 0.8], [3, 0.5, 0.525, 0.2, 0.25]]
    assert result["objects"] == sum(map(len, lines.values()))
    assert result["left_out"] == sum(1 for number in range(12) if number % 5)


def test_the_description_names_splits_and_classes(pictures: Pictures, tmp_path: Path) -> None:
    pictures.build()
    described = (tmp_path / "set" / "data.yaml").read_text()
    assert described == (
        "train: images/train\nval: images/val\ntest: images/test\n"
        'names:\n  0: "Car"\n  1: "Van"\n  2: "Road"\n  3: "Sign"\n'
    )


def test_an_outline_goes_around_its_hole(pictures: Pictures, tmp_path: Path) -> None:
    pictures.build(format="yolo-segment", split=ALL_TRAIN)
    road = yolo(tmp_path / "set")[3][1]
    points = list(zip(road[1::2], road[2::2], strict=True))
    area = abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(points, [*points[1:], points[0]], strict=True))) / 2
    assert area == pytest.approx(0.8 * 0.8 - 0.2 * 0.2, abs=1e-4)


def test_a_turned_box_has_its_own_corners(pictures: Pictures, tmp_path: Path) -> None:
    pictures.build(format="yolo-obb", split=ALL_TRAIN)
    sign = yolo(tmp_path / "set")[3][2]
    corners = {(round(x, 3), round(y, 3)) for x, y in zip(sign[1::2], sign[2::2], strict=True)}
    assert corners == {(0.4, 0.4), (0.6, 0.4), (0.6, 0.65), (0.4, 0.65)}


def test_pycocotools_reads_the_same_boxes(pictures: Pictures, tmp_path: Path) -> None:
    result = pictures.build(format="coco")
    images = boxes = 0
    for split in ("train", "val", "test"):
        coco = COCO(str(tmp_path / "set" / "annotations" / f"instances_{split}.json"))
        assert [category["name"] for category in coco.loadCats(coco.getCatIds())] == ["Car", "Van", "Road", "Sign"]
        for image in coco.loadImgs(coco.getImgIds()):
            assert Image.open(tmp_path / "set" / "images" / split / image["file_name"]).size == (WIDTH, HEIGHT)
            images += 1
        for annotation in coco.loadAnns(coco.getAnnIds()):
            boxes += 1
            assert coco.annToMask(annotation).sum() == pytest.approx(annotation["area"], rel=0.2)
            if annotation["category_id"] == 1:
                assert annotation["bbox"] == [10.0, 16.0, 30.0, 20.0]
    assert (images, boxes) == (result["images"], result["objects"]) == (12, 22)


def test_a_mask_says_the_class_of_each_pixel_and_the_later_object_is_on_top(pictures: Pictures, tmp_path: Path) -> None:
    pictures.build(format="semantic-masks", split=ALL_TRAIN)
    mask = masks(tmp_path / "set")[3]
    numbers = json.loads((tmp_path / "set" / "classes.json").read_text())
    assert numbers == {"Car": 1, "Van": 2, "Road": 3, "Sign": 4}
    assert mask.shape == (HEIGHT, WIDTH)
    assert mask[4, 50] == 0
    assert (mask[20, 20], mask[70, 50]) == (3, 3)  # the road is drawn over the car
    assert mask[40, 50] == 4  # the sign is in the hole of the road, and over its edge
    assert masks(tmp_path / "set")[1][20:30, 15:35].tolist() == [[1] * 20] * 10
    assert not masks(tmp_path / "set")[6].any()


def test_a_mask_keeps_two_objects_of_a_class_apart(pictures: Pictures, tmp_path: Path) -> None:
    pictures.build(format="instance-masks", split=ALL_TRAIN, class_map={"Car": "vehicle", "Van": "vehicle"})
    assert {*masks(tmp_path / "set")[2].flat} == {0, 1000, 1001}


def masks(directory: Path) -> dict[int, Any]:
    """The masks, by the number that the colour of the image states."""
    found = {}
    for path in (directory / "masks" / "train").iterdir():
        with Image.open(directory / "images" / "train" / path.name) as image, Image.open(path) as mask:
            found[image.convert("RGB").tobytes()[0]] = numpy.asarray(mask).copy()
    return found


def test_an_image_folder_has_a_line_for_each_image(pictures: Pictures, tmp_path: Path) -> None:
    result = pictures.build(format="imagefolder", split=ALL_TRAIN)
    folder = tmp_path / "set" / "train"
    lines = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]
    assert len(lines) == 12 == len(list(folder.glob("*.png")))
    assert all((folder / line["file_name"]).exists() for line in lines)
    assert sum(len(line["objects"]["bbox"]) for line in lines) == result["objects"] == 22
    assert sorted(number for line in lines for number in line["objects"]["categories"])[:11] == [0] * 11
    cars = [box for line in lines for box in line["objects"]["bbox"] if box[:2] == [10.0, 16.0]]
    assert cars == [[10.0, 16.0, 30.0, 20.0]] * 11


def test_an_image_is_in_the_folder_of_its_answer(pictures: Pictures, tmp_path: Path) -> None:
    result = pictures.build(format="folders", class_from="Weather", split=ALL_TRAIN)
    found = {path.name: len(list(path.iterdir())) for path in (tmp_path / "set" / "train").iterdir()}
    assert found == {"Rain _ Fog": 2, "Sun": 7}
    assert result["images"] == 9
    lines = [json.loads(line) for line in (tmp_path / "set" / "left_out.jsonl").read_text().splitlines()]
    assert [line["reason"] for line in lines].count("it has no answer") == 3


def test_classes_are_renamed_merged_and_dropped(pictures: Pictures, tmp_path: Path) -> None:
    result = pictures.build(class_map={"Car": "vehicle", "Van": "vehicle", "Sign": None}, split=ALL_TRAIN)
    record = json.loads((tmp_path / "set" / "training_set.json").read_text())
    assert record["classes"] == ["vehicle", "Road"]
    assert record["left_out"]["dropped by class_map"] == 3
    assert record["splits"]["train"]["objects"] == {"vehicle": 16, "Road": 3}
    assert result["objects"] == 19


def test_an_object_that_was_renamed_since_it_was_drawn_has_its_new_name(pictures: Pictures, tmp_path: Path) -> None:
    inputs = pictures.inputs()
    with pictures.account.client() as client:
        project = client.project(pictures.project)
        structure = project.ontology().editor_ontology
        structure["objects"][0]["name"] = "Automobile"
        del structure["objects"][3]
        project.replace_ontology(structure)
    pictures.build(split=ALL_TRAIN, **inputs)
    record = json.loads((tmp_path / "set" / "training_set.json").read_text())
    assert record["splits"]["train"]["objects"] == {"Automobile": 11, "Van": 5, "Road": 3}
    assert record["left_out"]["its class is not in the ontology"] == 3


def test_small_boxes_are_left_out(pictures: Pictures, tmp_path: Path) -> None:
    pictures.build(min_box_size=3, split=ALL_TRAIN)
    record = json.loads((tmp_path / "set" / "training_set.json").read_text())
    assert record["left_out"]["smaller than min_box_size"] == 5
    assert "Van" not in record["splits"]["train"]["objects"]


def test_two_builds_are_equal_and_the_second_in_the_same_place_writes_nothing(
    pictures: Pictures, tmp_path: Path
) -> None:
    inputs = pictures.inputs()
    first = pictures.build(**inputs)
    before = contents(tmp_path / "set")
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "set").rglob("*") if path.is_file()}
    again = pictures.build(**inputs)
    pictures.build("other", **inputs)
    assert (first["built"], again["built"]) == (True, False)
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert contents(tmp_path / "other") == before
    assert "claim.json" not in before


def test_splits_do_not_move_when_data_are_added(pictures: Pictures, tmp_path: Path) -> None:
    def split_of(directory: Path) -> dict[str, str]:
        paths = (directory / "images").rglob("*.png")
        return {path.name: path.parent.name for path in paths}

    pictures.build("before")
    pictures.add(4)
    pictures.build("after")
    before, after = split_of(tmp_path / "before"), split_of(tmp_path / "after")
    assert len(after) == len(before) + 4
    assert {name: after[name] for name in before} == before


def test_another_training_set_is_replaced_only_if_asked_for_and_then_wholly(pictures: Pictures, tmp_path: Path) -> None:
    inputs = pictures.inputs()
    pictures.build(**inputs)
    with pytest.raises(AirflowFailException, match=r"destination: .* has another training set"):
        pictures.build(format="coco", **inputs)
    pictures.build(format="coco", overwrite=True, **inputs)
    pictures.build("fresh", format="coco", **inputs)
    assert contents(tmp_path / "set") == contents(tmp_path / "fresh")


def test_the_order_in_which_files_were_pulled_makes_no_difference(pictures: Pictures, tmp_path: Path) -> None:
    inputs = pictures.inputs()
    pictures.build(**inputs)
    sorted((tmp_path / "media").glob("*.png"))[4].unlink()
    pictures.pull(inputs["labels"])
    assert not pictures.build(**inputs)["built"]


def test_an_input_in_the_destination_is_refused_before_it_could_be_removed(pictures: Pictures, tmp_path: Path) -> None:
    inputs = pictures.inputs()
    pictures.build(**inputs)
    inside = shutil.copytree(tmp_path / "media", tmp_path / "set" / "images" / "media")
    with pytest.raises(
        AirflowFailException, match=r"contains media_dir .* which replacing the training set would remove"
    ):
        pictures.build(**{**inputs, "media": str(inside / "media.jsonl"), "overwrite": True})
    assert len(list(inside.glob("*.png"))) == 12


def test_nothing_to_train_on_is_a_failure_that_says_why(pictures: Pictures, tmp_path: Path) -> None:
    inputs = pictures.inputs()
    report = Path(inputs["media"].removeprefix("file://"))
    report.write_text("")
    with pytest.raises(AirflowFailException, match=r"No image is in the training set.*: its file was not pulled"):
        pictures.build(**inputs)
    assert not (tmp_path / "set" / "training_set.json").exists()


def test_data_units_with_the_same_metadata_are_in_the_same_split_also_after_it_changed(
    pictures: Pictures, tmp_path: Path
) -> None:
    def set_scenes(scene_of: Callable[[int], str]) -> None:
        with pictures.account.client() as client:
            rows = client.dataset(pictures.dataset).data_rows()
            patches = {
                row.backing_item_uuid or "": {"clientMetadata": {"scene": scene_of(int(row.data_title[:4]))}}
                for row in rows
            }
            client.edit_items(patches)

    inputs = pictures.inputs()
    halves = {"train": 0.5, "val": 0.5}
    set_scenes(lambda number: f"scene {number % 3}")
    pictures.build(split_by="client_metadata.scene", split=halves, **inputs)
    scenes: dict[int, set[str]] = {}
    for split in halves:
        for number in yolo(tmp_path / "set", split):
            scenes.setdefault(number % 3, set()).add(split)
    assert {len(splits) for splits in scenes.values()} == {1}
    assert {split for splits in scenes.values() for split in splits} == {*halves}
    set_scenes(lambda number: "one")
    with pytest.raises(AirflowFailException, match="has another training set"):
        pictures.build(split_by="client_metadata.scene", split=halves, **inputs)


def test_files_of_others_are_not_touched(pictures: Pictures, tmp_path: Path) -> None:
    (tmp_path / "set" / "images").mkdir(parents=True)
    mine = tmp_path / "set" / "images" / "mine.png"
    mine.write_bytes(b"mine")
    with pytest.raises(AirflowFailException, match="has files that are not of a training set, such as images"):
        pictures.build(overwrite=True)
    assert mine.read_bytes() == b"mine"


def test_a_file_that_is_not_the_one_that_was_pulled_fails(pictures: Pictures, tmp_path: Path) -> None:
    inputs = pictures.inputs()
    some = next((tmp_path / "media").glob("*.png"))
    some.write_bytes(b"another")
    with pytest.raises(AirflowFailException, match="is not the file that was pulled"):
        pictures.build(**inputs)
    assert not (tmp_path / "set" / "training_set.json").exists()


def test_labels_of_a_picture_of_another_size_are_listed(pictures: Pictures, tmp_path: Path) -> None:
    """They would be at wrong places."""
    inputs = pictures.inputs()
    report = Path(inputs["media"].removeprefix("file://"))
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    lines[0]["width"] += 1
    report.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert pictures.build(**inputs)["images"] == 11
    record = json.loads((tmp_path / "set" / "training_set.json").read_text())
    assert record["left_out"]["its file has another width or height than its labels"] >= 1


def test_labels_without_a_pulled_file_are_listed(pictures: Pictures, tmp_path: Path) -> None:
    inputs = pictures.inputs()
    report = Path(inputs["media"].removeprefix("file://"))
    lines = report.read_text().splitlines(keepends=True)
    report.write_text("".join(lines[1:]))
    result = pictures.build(**inputs)
    assert result["images"] == 11
    record = json.loads((tmp_path / "set" / "training_set.json").read_text())
    assert record["left_out"]["its file was not pulled"] >= 1


def test_the_card_has_the_numbers(pictures: Pictures, tmp_path: Path) -> None:
    pictures.build(split=ALL_TRAIN)
    card, page = (tmp_path / "set" / "README.md").read_text(), (tmp_path / "set" / "card.html").read_text()
    assert "| Car | 11 | 11 |" in card
    assert "| images | 12 | 12 |" in card
    assert '<td class="number">11</td>' in page
    assert pictures.project in card


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"class_map": {"Cat": "cat"}}, "class_map: the ontology does not have 'Cat'. It has 'Car', 'Van'"),
        ({"class_map": dict.fromkeys(("Car", "Van", "Road", "Sign"))}, "no class is left"),
        ({"split": {"train": 0.5}}, "split: the shares add up to 0.5"),
        ({"split": {"train": 1.2, "val": -0.2}}, "the share of 'train' is not a number above 0"),
        ({"split": {"../x": 1.0}}, "is not a name of letters"),
        ({"split_by": "scene"}, "split_by: 'scene' is not one of"),
        ({"format": "folders"}, "class_from: the format 'folders' needs"),
        ({"format": "folders", "class_from": "Light"}, "has no classification 'Light' with options. It has 'Weather'"),
        ({"class_from": "Weather"}, "class_from: only the formats 'folders', 'webdataset' and 'parquet' use it"),
        ({"caption_from": "Caption"}, "caption_from: only the format 'coco-captions' uses it"),
        ({"stuff_classes": "Road"}, "stuff_classes: only the format 'coco-panoptic' uses it"),
        ({"format": "coco-captions"}, "caption_from: the format 'coco-captions' needs"),
        ({"format": "coco-captions", "caption_from": "Weather"}, "no classification 'Weather' with text.* 'Caption'"),
        (
            {"format": "coco-captions", "caption_from": "Caption", "class_map": {"Car": "car"}},
            "class_map: the format 'coco-captions' has no classes",
        ),
        ({"format": "coco-panoptic", "stuff_classes": ["Sky"]}, "stuff_classes: 'Sky' is no class .* 'Car', 'Van'"),
        ({"format": "parquet", "split": {"a-b": 1.0}}, "split: 'a-b' is not a name that the library datasets takes"),
        ({"max_shard_bytes": 0}, "max_shard_bytes: '0' is not a whole number of at least 1"),
        ({"format": "yolo-pose"}, "needs skeletons with one number of points, but the ontology has no skeletons"),
        ({"min_box_size": -1}, "min_box_size: '-1' is not a number of pixels"),
        ({"media": []}, "media: it is empty"),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_written(
    pictures: Pictures, tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    inputs = pictures.inputs()
    with pytest.raises(AirflowFailException, match=message):
        pictures.build(**{**inputs, **arguments})
    assert not (tmp_path / "set").exists()


def test_an_export_of_all_branches_is_refused(pictures: Pictures) -> None:
    from airflow_provider_encord.operators.labels import EncordExportLabelsOperator

    inputs = pictures.inputs()
    result = EncordExportLabelsOperator(
        task_id="all", project_id=pictures.project, destination=str(pictures.directory / "all"), all_branches=True
    ).execute({})
    with pytest.raises(AirflowFailException, match="the rows of all label branches"):
        pictures.build(**{**inputs, "labels": result["manifest"]})
