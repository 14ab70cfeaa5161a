"""Training sets, opened by the libraries that they are for. Each of them is run by `make readers`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from airflow_provider_encord.storage_paths import write_whole
from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms.yolo import POSE, YoloForm
from tests.airflow_layer.bench import Account
from tests.airflow_layer.training.readers.readers import IS_READY, read
from tests.airflow_layer.training.test_sequences import Drive
from tests.airflow_layer.training.training_sets import HEIGHT, WIDTH, Pictures
from tests.sdk.media import png
from tests.training.making import finished, sample
from tests.training.test_outlines import SIZE, STRUCTURE, annotation

pytestmark = pytest.mark.skipif(not IS_READY, reason="the readers are not installed: make readers")

ALL_TRAIN = {"train": 1.0}
CLASSES = ["Car", "Van", "Road", "Sign"]
CAR, VAN = [10.0, 16.0, 30.0, 20.0], [50.0, 40.0, 2.0, 16.0]
ROAD, SIGN = [10.0, 8.0, 80.0, 64.0], [40.0, 32.0, 20.0, 20.0]
SUN, RAIN = 0, 1


def drawn(number: int) -> list[tuple[int, list[float]]]:
    """The classes and boxes of a picture."""
    boxes = [(0, CAR)] + [(1, VAN)] * (number % 2 == 0) + [(2, ROAD), (3, SIGN)] * (number % 3 == 0)
    return [] if number % 7 == 6 else boxes


def weather(number: int) -> int | None:
    """The class of a picture."""
    return (RAIN if number % 4 == 0 else SUN) if number % 5 else None


@pytest.fixture
def pictures(account: Account, tmp_path: Path) -> Pictures:
    return Pictures(account, tmp_path, captions=True)


@pytest.fixture
def reads(tmp_path: Path) -> Callable[..., Any]:
    def with_library(library: str, *arguments: object) -> Any:
        directory = tmp_path / "reader"
        directory.mkdir(exist_ok=True)
        return read(library, *arguments, directory=directory)

    return with_library


def test_webdataset_reads_images_and_labels(pictures: Pictures, tmp_path: Path, reads: Callable[..., Any]) -> None:
    pictures.build(format="webdataset", max_shard_bytes=500)
    found = {sample["colour"]: sample for sample in reads("webdataset", tmp_path / "set")}
    assert {*found} == {*range(12)}
    assert all(sample["size"] == [WIDTH, HEIGHT] for sample in found.values())
    assert {number: sample["boxes"] for number, sample in found.items()} == {
        number: [box for _, box in drawn(number)] for number in found
    }


def test_webdataset_reads_classes(pictures: Pictures, tmp_path: Path, reads: Callable[..., Any]) -> None:
    pictures.build(format="webdataset", class_from="Weather")
    found = {sample["colour"]: sample["class"] for sample in reads("webdataset", tmp_path / "set")}
    assert found == {number: weather(number) for number in range(12) if weather(number) is not None}


@pytest.mark.parametrize(("format_", "builder"), [("parquet", "none"), ("imagefolder", "imagefolder")])
def test_datasets_reads_images_and_objects(
    pictures: Pictures, tmp_path: Path, reads: Callable[..., Any], format_: str, builder: str
) -> None:
    result = pictures.build(format=format_)
    loaded = reads("datasets", tmp_path / "set", builder, tmp_path / "cache")
    counts = {split: len(rows) for split, rows in loaded["rows"].items()}
    expected = {{"val": "validation"}.get(name, name): count for name, count in result["splits"].items() if count}
    assert counts == (expected if builder == "imagefolder" else {k: v for k, v in result["splits"].items() if v})
    assert loaded["names"] == (CLASSES if format_ == "parquet" else None)
    found = {row["colour"]: row for rows in loaded["rows"].values() for row in rows}
    assert {*found} == {*range(12)}
    for number, row in found.items():
        boxes, categories = row["objects"]["bbox"], row["objects"]["categories"]
        assert list(zip(categories, boxes, strict=True)) == drawn(number)


def test_datasets_reads_classes(pictures: Pictures, tmp_path: Path, reads: Callable[..., Any]) -> None:
    pictures.build(format="parquet", class_from="Weather", max_shard_bytes=500)
    loaded = reads("datasets", tmp_path / "set", "none", tmp_path / "cache")
    found = {row["colour"]: row["label"] for rows in loaded["rows"].values() for row in rows}
    assert found == {number: weather(number) for number in range(12) if weather(number) is not None}
    assert loaded["names"] == ["Sun", "Rain / Fog"]


def test_datasets_reads_tar_files_and_folders(pictures: Pictures, tmp_path: Path, reads: Callable[..., Any]) -> None:
    inputs = pictures.inputs()
    pictures.build("tar", format="webdataset", split=ALL_TRAIN, **inputs)
    loaded = reads("datasets", tmp_path / "tar", "webdataset", tmp_path / "cache")
    found = {row["colour"]: row["json"] for row in loaded["rows"]["train"]}
    assert {number: [box["bbox"] for box in label["objects"]] for number, label in found.items()} == {
        number: [box for _, box in drawn(number)] for number in range(12)
    }
    pictures.build("folders", format="folders", class_from="Weather", split=ALL_TRAIN, **inputs)
    loaded = reads("datasets", tmp_path / "folders" / "train", "imagefolder", tmp_path / "cache")
    assert loaded["names"] == ["Rain _ Fog", "Sun"]
    found = {row["colour"]: loaded["names"][row["label"]] == "Sun" for row in loaded["rows"]["train"]}
    assert found == {number: weather(number) == SUN for number in range(12) if weather(number) is not None}


def test_torchvision_reads_coco_captions_and_folders(
    pictures: Pictures, tmp_path: Path, reads: Callable[..., Any]
) -> None:
    inputs = pictures.inputs()
    pictures.build("coco", format="coco", split=ALL_TRAIN, **inputs)
    images, labels = tmp_path / "coco" / "images" / "train", tmp_path / "coco" / "annotations" / "instances_train.json"
    found = {item["colour"]: item["target"] for item in reads("torchvision", "CocoDetection", images, labels)}
    assert found == {number: [[class_ + 1, box] for class_, box in drawn(number)] for number in range(12)}
    pictures.build("captions", format="coco-captions", caption_from="Caption", split=ALL_TRAIN, **inputs)
    images = tmp_path / "captions" / "images" / "train"
    labels = tmp_path / "captions" / "annotations" / "captions_train.json"
    found = {item["colour"]: item["target"] for item in reads("torchvision", "CocoCaptions", images, labels)}
    assert found == {number: [f"Picture {number:04}.png, “seen”"] for number in range(0, 12, 2)}
    pictures.build("folders", format="folders", class_from="Weather", split=ALL_TRAIN, **inputs)
    found = {item["colour"]: item["target"] for item in reads("torchvision", "ImageFolder", tmp_path / "folders/train")}
    assert found == {number: int(weather(number) == SUN) for number in range(12) if weather(number) is not None}


def test_supervision_reads_coco_and_yolo(pictures: Pictures, tmp_path: Path, reads: Callable[..., Any]) -> None:
    inputs = pictures.inputs()
    for format_ in ("coco", "yolo-detect", "yolo-segment", "yolo-obb"):
        directory = tmp_path / format_
        pictures.build(format_, format=format_, split=ALL_TRAIN, **inputs)
        labels = (
            [directory / "annotations" / "instances_train.json"]
            if format_ == "coco"
            else [directory / "labels" / "train", directory / "data.yaml"]
        )
        read_ = reads("supervision", format_, directory / "images" / "train", *labels)
        assert read_["names"] == CLASSES
        found = {item["colour"]: item for item in read_["found"]}
        assert {*found} == {*range(12)}
        for number, item in found.items():
            assert item["classes"] == [class_ for class_, _ in drawn(number)]
            for (left, top, right, bottom), (_, box) in zip(item["boxes"], drawn(number), strict=True):
                assert (left, top, right - left, bottom - top) == pytest.approx(box, abs=1.01)
            if format_ in ("coco", "yolo-segment") and number == 3:
                assert item["areas"][1] == pytest.approx(80 * 64 - 20 * 16, rel=0.05)


@pytest.mark.parametrize("task", ["detect", "segment", "obb"])
def test_ultralytics_reads_yolo(pictures: Pictures, tmp_path: Path, reads: Callable[..., Any], task: str) -> None:
    pictures.build(format=f"yolo-{task}", split=ALL_TRAIN)
    read_ = reads("ultralytics", task, tmp_path / "set" / "data.yaml")
    assert read_["names"] == {str(number): name for number, name in enumerate(CLASSES)}
    assert len(read_["found"]) == 12
    classes = sorted(label["classes"] for label in read_["found"])
    assert classes == sorted([class_ for class_, _ in drawn(number)] for number in range(12))
    assert all(label["shape"] == [HEIGHT, WIDTH] for label in read_["found"])
    assert sum(len(label["segments"]) for label in read_["found"]) == (0 if task == "detect" else 22)


def test_ultralytics_reads_poses(tmp_path: Path, reads: Callable[..., Any]) -> None:
    points = {"0": {"x": 0.25, "y": 0.5, "featureHash": "t"}, "1": {"x": 0.5, "y": 0.75, "featureHash": "r"}}
    hand = msgspec.structs.replace(annotation("skeleton", skeleton=points), feature_hash="hand")
    classes = Classes(["Hand"], {}, {"hand": "Hand"})
    form = YoloForm(POSE, classes, ["train"], STRUCTURE)
    for data_hash, objects in (("one", [hand]), ("none", [])):
        written = form.add(sample(data_hash, objects=objects), "train", ".png")
        for path, content in {**dict.fromkeys(written.image_paths, png(*SIZE)), **written.files}.items():
            write_whole(tmp_path / path, [content])
    for path, content in finished(form):
        write_whole(tmp_path / path, [content])
    read_ = reads("ultralytics", "pose", tmp_path / "data.yaml")
    assert [(label["classes"], label["keypoints"]) for label in read_["found"]] == [([], [0, 3, 3]), ([0], [1, 3, 3])]
    assert read_["found"][1]["boxes"] == [pytest.approx([0.375, 0.625, 0.25, 0.25])]


def test_ultralytics_reads_folders(pictures: Pictures, tmp_path: Path, reads: Callable[..., Any]) -> None:
    pictures.build(format="folders", class_from="Weather", split=ALL_TRAIN)
    read_ = reads("ultralytics", "classify", tmp_path / "set" / "train")
    assert read_["names"] == ["Rain _ Fog", "Sun"]
    assert [item["class"] for item in read_["found"]].count(1) == 7


def test_motmetrics_reads_tracks(account: Account, tmp_path: Path, reads: Callable[..., Any]) -> None:
    drive = Drive(account, tmp_path)
    drive.build(**drive.inputs())
    found = reads("motmetrics", tmp_path / "set" / "train" / drive.hashes["drive.mp4"] / "gt" / "gt.txt")
    car = [32, 12, 16, 24, 1]
    assert found["rows"] == [[2, 1, *car], [3, 1, *car], [3, 2, *car], [4, 1, *car]]
    assert found["summary"] == [1.0, 2, 3]
