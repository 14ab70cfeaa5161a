"""Training sets in the forms of COCO for panoptic segmentation and for captions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image
from pycocotools.coco import COCO

from tests.airflow_layer.bench import Account
from tests.airflow_layer.training.training_sets import HEIGHT, WIDTH, Pictures

ALL_TRAIN = {"train": 1.0}


def panoptic(directory: Path, split: str = "train") -> dict[int, tuple[Any, list[dict[str, Any]]]]:
    """The ids of the pixels and the segments of each image, by the number that its colour states."""
    document = json.loads((directory / "annotations" / f"panoptic_{split}.json").read_text())
    images = {image["id"]: image for image in document["images"]}
    found = {}
    for annotation in document["annotations"]:
        image = images.pop(annotation["image_id"])
        with Image.open(directory / "images" / split / image["file_name"]) as picture:
            number = picture.convert("RGB").tobytes()[0]
        with Image.open(directory / "annotations" / f"panoptic_{split}" / annotation["file_name"]) as picture:
            assert (picture.mode, picture.size) == ("RGB", (WIDTH, HEIGHT))
            red, green, blue = numpy.moveaxis(numpy.asarray(picture).astype(int), -1, 0)
        found[number] = (red + 256 * green + 256**2 * blue, annotation["segments_info"])
    assert not images
    return found


def check(ids: Any, segments: list[dict[str, Any]]) -> None:
    """What the evaluation of COCO demands: each id of a pixel is a segment, and areas and boxes are those of pixels."""
    assert {*numpy.unique(ids)} - {0} == {segment["id"] for segment in segments}
    for segment in segments:
        rows, columns = numpy.nonzero(ids == segment["id"])
        left, top, width, height = segment["bbox"]
        assert segment["area"] == len(rows)
        assert (left, top) == (columns.min(), rows.min())
        assert (left + width, top + height) == (columns.max() + 1, rows.max() + 1)


def test_each_pixel_has_the_id_of_a_segment(account: Account, tmp_path: Path) -> None:
    result = Pictures(account, tmp_path).build(format="coco-panoptic", split=ALL_TRAIN)
    found = panoptic(tmp_path / "set")
    for ids, segments in found.values():
        check(ids, segments)
    ids, segments = found[3]
    assert [segment["category_id"] for segment in segments] == [3, 4]  # the road is drawn over all of the car
    assert (ids[4, 50], ids[20, 20], ids[40, 50]) == (0, segments[0]["id"], segments[1]["id"])
    assert found[6][1] == []
    record = json.loads((tmp_path / "set" / "training_set.json").read_text())
    assert record["left_out"]["later objects cover all of it"] > 0
    assert result["objects"] == sum(len(segments) for _, segments in found.values())
    assert result["objects"] + record["left_out"]["later objects cover all of it"] == 22


def test_stuff_is_one_segment_of_an_image(account: Account, tmp_path: Path) -> None:
    Pictures(account, tmp_path).build(
        format="coco-panoptic",
        split=ALL_TRAIN,
        class_map={"Car": "vehicle", "Van": "vehicle", "Road": None},
        stuff_classes=["vehicle"],
    )
    ids, segments = panoptic(tmp_path / "set")[2]
    check(ids, segments)
    assert [(segment["category_id"], segment["area"]) for segment in segments] == [(1, 30 * 20 + 2 * 16)]
    document = json.loads((tmp_path / "set" / "annotations" / "panoptic_train.json").read_text())
    assert [(category["name"], category["isthing"]) for category in document["categories"]] == [
        ("vehicle", 0),
        ("Sign", 1),
    ]
    record = json.loads((tmp_path / "set" / "training_set.json").read_text())
    assert record["splits"]["train"]["objects"] == {"vehicle": 16, "Sign": 3}


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_pycocotools_reads_captions(account: Account, tmp_path: Path, split: str) -> None:
    result = Pictures(account, tmp_path, captions=True).build(
        format="coco-captions", caption_from="Caption", split={split: 1.0}
    )
    coco = COCO(str(tmp_path / "set" / "annotations" / f"captions_{split}.json"))
    captions = set()
    for image in coco.loadImgs(coco.getImgIds()):
        assert (tmp_path / "set" / "images" / split / image["file_name"]).exists()
        captions |= {annotation["caption"] for annotation in coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))}
    assert captions == {f"Picture {number:04}.png, “seen”" for number in range(0, 12, 2)}
    assert (result["images"], result["objects"], result["classes"]) == (6, 6, 1)
    record = json.loads((tmp_path / "set" / "training_set.json").read_text())
    weather = sum(1 for number in range(12) if number % 5)
    reasons = {"objects have no place in captions": 22, "it answers another question": weather, "it has no caption": 6}
    assert record["left_out"] == reasons
