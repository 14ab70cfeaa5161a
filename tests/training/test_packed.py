"""Shards of images, and the files that they become."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.errors import RefusedError
from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms.packed import Packs
from airflow_provider_encord.training.forms.parquet import ParquetForm
from airflow_provider_encord.training.forms.webdataset import WebDatasetForm
from airflow_provider_encord.training.pulled_files import PulledFiles
from tests.training.making import box, files_of, sample, stored


@given(
    sizes=st.lists(st.tuples(st.sampled_from(["train", "val"]), st.integers(0, 50)), max_size=30),
    most=st.integers(1, 120),
    threads=st.integers(1, 4),
)
def test_shards_have_all_images_in_order_and_none_is_too_large(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[tuple[str, int]], most: int, threads: int
) -> None:
    directory = tmp_path_factory.mktemp("media")
    packs = Packs(["train", "val"], PulledFiles(directory, threads), most)
    expected: dict[str, list[bytes]] = {"train": [], "val": []}
    for number, (split, size) in enumerate(sizes):
        content = bytes([number]) * size
        packs.add(sample(str(number), file=stored(directory, str(number), content)), split, ".png", {})
        expected[split].append(content)
    for split, contents in expected.items():
        found: list[bytes] = []
        for shard in packs.shards(split):
            some = [content for _, content in shard.images]
            assert some
            assert len(some) == 1 or sum(map(len, some)) <= most
            found += some
        assert found == contents


def test_names_in_a_tar_file_have_one_dot_and_any_length(tmp_path: Path) -> None:
    """A reader takes everything after the first dot as the field."""
    form = WebDatasetForm(Classes(["n"], {}), ["train"], PulledFiles(tmp_path, 2), question=None, max_shard_bytes=100)
    name = "drive.mp4" + "é" * 120
    form.add(sample(name, file=stored(tmp_path, "1", b"12345")), "train", ".jpg")
    files = files_of(form)
    with tarfile.open(fileobj=io.BytesIO(files["train/shard-000000.tar"])) as opened:
        first, second = opened.getmembers()
    key = f"drive_mp4{'é' * 120}-000000"
    assert (first.name, first.size, second.name) == (f"{key}.jpg", 5, f"{key}.json")


def test_an_image_of_an_unknown_kind_is_in_no_tar_file(tmp_path: Path) -> None:
    form = WebDatasetForm(Classes(["n"], {}), ["train"], PulledFiles(tmp_path, 2), question=None, max_shard_bytes=100)
    written = form.add(sample("a", objects=[box("h", 0, 0, 1, 1)], file=stored(tmp_path, "1", b"1")), "train", "")
    assert not written.has_image
    assert [(left_out.kind, left_out.reason) for left_out in written.left_out] == [
        ("object", "the kind of its file is not known"),
        ("image", "the kind of its file is not known"),
    ]
    assert {*files_of(form)} == {"classes.json"}


def test_rows_in_parquet_are_in_small_groups_and_the_names_of_classes_in_the_schema(tmp_path: Path) -> None:
    """A reader of one image needs to read its group."""
    form = ParquetForm(
        Classes(["n", "é"], {}), ["train"], PulledFiles(tmp_path, 2), question=None, max_shard_bytes=2**30
    )
    for number in range(250):
        content = number.to_bytes(2, "big")
        drawn = [box("h", 0.1, 0.1, 0.5, 0.5, "é")] if number % 2 else []
        form.add(sample(f"{number:04}", objects=drawn, file=stored(tmp_path, str(number), content)), "train", ".png")
    [(path, content)] = files_of(form).items()
    assert path == "data/train-00000-of-00001.parquet"
    file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
    assert [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)] == [100, 100, 50]
    rows = file.read().to_pylist()
    assert [int.from_bytes(row["image"]["bytes"], "big") for row in rows] == [*range(250)]
    assert rows[1]["objects"] == {"bbox": [[4.0, 3.0, 20.0, 15.0]], "categories": [1]}
    features = json.loads(file.schema_arrow.metadata[b"huggingface"])["info"]["features"]
    assert features.keys() == {*rows[0]}
    assert features["objects"]["categories"]["feature"]["names"] == ["n", "é"]


def test_a_file_that_was_changed_ends_the_reading(tmp_path: Path) -> None:
    file = stored(tmp_path, "1", b"1")
    (tmp_path / "1").write_bytes(b"2")
    with pytest.raises(RefusedError, match="is not the file that was pulled"):
        list(PulledFiles(tmp_path, 2).contents([file]))
