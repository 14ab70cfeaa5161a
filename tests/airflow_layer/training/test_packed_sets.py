"""Training sets in WebDataset and Parquet, read back with what reads tar files and Parquet."""

from __future__ import annotations

import io
import json
import shutil
import sys
import tarfile
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from PIL import Image

from tests.airflow_layer.bench import Account
from tests.airflow_layer.training.training_sets import HEIGHT, WIDTH, Pictures, contents

ALL_TRAIN = {"train": 1.0}
CAR = [10.0, 16.0, 30.0, 20.0]


@pytest.fixture
def pictures(account: Account, tmp_path: Path) -> Pictures:
    return Pictures(account, tmp_path)


def samples(directory: Path, split: str = "train") -> dict[int, dict[str, bytes]]:
    """The files of each sample in all shards of a split by suffix, by the number that the colour states."""
    found: dict[str, dict[str, bytes]] = {}
    for path in sorted((directory / split).glob("shard-*.tar")):
        with tarfile.open(path) as opened:
            for member in opened:
                assert (member.mtime, member.uid, member.gid, member.uname) == (0, 0, 0, "")
                key, _, suffix = member.name.partition(".")
                extracted = opened.extractfile(member)
                assert extracted is not None
                found.setdefault(key, {})[suffix] = extracted.read()
    return {colour_of(sample["png"]): sample for sample in found.values()}


def rows(directory: Path, split: str = "train") -> dict[int, dict[str, Any]]:
    """The rows of all files of a split, by the number that the colour states."""
    tables = [pyarrow.parquet.read_table(path) for path in sorted((directory / "data").glob(f"{split}-*"))]
    return {colour_of(row["image"]["bytes"]): row for table in tables for row in table.to_pylist()}


def colour_of(content: bytes) -> int:
    with Image.open(io.BytesIO(content)) as image:
        assert image.size == (WIDTH, HEIGHT)
        return image.convert("RGB").tobytes()[0]


def test_a_tar_file_has_an_image_and_its_labels_for_each_sample(pictures: Pictures, tmp_path: Path) -> None:
    result = pictures.build(format="webdataset", split=ALL_TRAIN)
    found = samples(tmp_path / "set")
    assert {*found} == {*range(12)}
    assert all(sample.keys() == {"png", "json"} for sample in found.values())
    label = json.loads(found[2]["json"])
    boxes = [(drawn["class"], drawn["category"], drawn["bbox"]) for drawn in label["objects"]]
    assert boxes == [("Car", 0, CAR), ("Van", 1, [50.0, 40.0, 2.0, 16.0])]
    assert label["classifications"] == [{"name": "Weather", "answers": {"Weather": ["Sun"]}}]
    assert json.loads(found[6]["json"])["objects"] == []
    assert (result["images"], result["objects"], result["left_out"]) == (12, 22, 0)
    assert json.loads((tmp_path / "set" / "classes.json").read_text()) == ["Car", "Van", "Road", "Sign"]


def test_the_images_in_a_training_set_are_the_ones_that_were_pulled(pictures: Pictures, tmp_path: Path) -> None:
    pictures.build(format="webdataset", split=ALL_TRAIN)
    pulled = {path.read_bytes() for path in (tmp_path / "media").glob("*.png")}
    assert {sample["png"] for sample in samples(tmp_path / "set").values()} == pulled


@pytest.mark.parametrize("format_", ["webdataset", "parquet"])
def test_an_image_without_exactly_one_answer_is_left_out_of_classified_images(
    pictures: Pictures, tmp_path: Path, format_: str
) -> None:
    result = pictures.build(format=format_, class_from="Weather", split=ALL_TRAIN)
    expected = {number: number % 4 == 0 for number in range(12) if number % 5}
    if format_ == "webdataset":
        numbers = {number: int(sample["cls"]) for number, sample in samples(tmp_path / "set").items()}
    else:
        numbers = {number: row["label"] for number, row in rows(tmp_path / "set").items()}
    assert numbers == expected
    record = json.loads((tmp_path / "set" / "training_set.json").read_text())
    assert record["classes"] == ["Sun", "Rain / Fog"]
    assert record["left_out"] == {
        "objects have no place in a set of classified images": 22,
        "it has no answer": 3,
    }
    assert result["images"] == 9


def test_a_row_of_parquet_has_the_image_and_its_objects(pictures: Pictures, tmp_path: Path) -> None:
    result = pictures.build(format="parquet", split=ALL_TRAIN)
    [path] = (tmp_path / "set" / "data").iterdir()
    assert path.name == "train-00000-of-00001.parquet"
    found = rows(tmp_path / "set")
    assert {*found} == {*range(12)}
    assert found[2]["objects"] == {"bbox": [CAR, [50.0, 40.0, 2.0, 16.0]], "categories": [0, 1]}
    assert (found[2]["width"], found[2]["height"]) == (WIDTH, HEIGHT)
    assert found[2]["image"]["path"] == f"{found[2]['image_id']}.png"
    assert found[6]["objects"] == {"bbox": [], "categories": []}
    features = json.loads(pyarrow.parquet.read_schema(path).metadata[b"huggingface"])["info"]["features"]
    assert features["objects"]["categories"]["feature"]["names"] == ["Car", "Van", "Road", "Sign"]
    assert (result["images"], result["objects"]) == (12, 22)


def test_the_card_of_parquet_says_which_files_a_split_has(pictures: Pictures, tmp_path: Path) -> None:
    pictures.build(format="parquet", split=ALL_TRAIN)
    card = (tmp_path / "set" / "README.md").read_text()
    assert card.startswith(
        "---\nconfigs:\n- config_name: default\n  data_files:\n"
        '  - split: "train"\n    path: "data/train-*"\n---\n\n# Training set\n'
    )


@pytest.mark.parametrize(("format_", "files"), [("webdataset", "train/shard-*.tar"), ("parquet", "data/train-*")])
def test_a_shard_has_no_more_bytes_of_images_than_asked_for(
    pictures: Pictures, tmp_path: Path, format_: str, files: str
) -> None:
    inputs = pictures.inputs()
    sizes = [path.stat().st_size for path in (tmp_path / "media").glob("*.png")]
    pictures.build(format=format_, split=ALL_TRAIN, max_shard_bytes=3 * max(sizes), **inputs)
    paths = sorted((tmp_path / "set").glob(files))
    read = samples if format_ == "webdataset" else rows
    assert len(paths) == 4
    assert {*read(tmp_path / "set")} == {*range(12)}
    with pytest.raises(AirflowFailException, match="has another training set"):
        pictures.build(format=format_, split=ALL_TRAIN, max_shard_bytes=1, **inputs)
    pictures.build(format=format_, split=ALL_TRAIN, max_shard_bytes=1, overwrite=True, **inputs)
    assert len(sorted((tmp_path / "set").glob(files))) == 12
    assert {*read(tmp_path / "set")} == {*range(12)}


@pytest.mark.parametrize("format_", ["webdataset", "parquet", "coco-panoptic", "coco-captions"])
def test_two_builds_of_a_form_are_equal(account: Account, tmp_path: Path, format_: str) -> None:
    pictures = Pictures(account, tmp_path, captions=True)
    arguments = {"format": format_, **({"caption_from": "Caption"} if format_ == "coco-captions" else {})}
    inputs = pictures.inputs()
    first = pictures.build(**arguments, **inputs)
    pictures.build("other", **arguments, max_concurrency=1, **inputs)
    assert first["built"]
    assert not pictures.build(**arguments, **inputs)["built"]
    assert contents(tmp_path / "set") == contents(tmp_path / "other")


@pytest.mark.parametrize("format_", ["webdataset", "parquet"])
def test_a_file_that_was_changed_since_it_was_pulled_is_not_packed(
    pictures: Pictures, tmp_path: Path, format_: str
) -> None:
    inputs = pictures.inputs()
    some = next((tmp_path / "media").glob("*.png"))
    some.write_bytes(b"another")
    with pytest.raises(AirflowFailException, match="is not the file that was pulled"):
        pictures.build(format=format_, **inputs)
    assert not (tmp_path / "set" / "training_set.json").exists()
    assert not list((tmp_path / "set").rglob("*.unfinished"))


def test_no_file_of_another_form_is_left(account: Account, tmp_path: Path) -> None:
    pictures = Pictures(account, tmp_path, captions=True)
    inputs = pictures.inputs()
    for format_ in ("webdataset", "parquet", "coco-panoptic", "coco-captions", "imagefolder", "webdataset"):
        more = {"caption_from": "Caption"} if format_ == "coco-captions" else {"max_shard_bytes": 300}
        pictures.build(format=format_, overwrite=True, **more, **inputs)
        pictures.build("fresh", format=format_, overwrite=True, **more, **inputs)
        assert contents(tmp_path / "set") == contents(tmp_path / "fresh")
        shutil.rmtree(tmp_path / "fresh")


def test_a_library_that_is_missing_is_named_with_its_extra(
    pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = pictures.inputs()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        AirflowFailException, match=r"format: parquet needs pyarrow, .*airflow-provider-encord\[parquet\]"
    ):
        pictures.build(format="parquet", **inputs)
    assert not (tmp_path / "set").exists()
