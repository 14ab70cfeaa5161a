"""Training sets with stratified splits, one after the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from tests.airflow_layer.bench import Account
from tests.airflow_layer.training.training_sets import Pictures, contents

HALVES = {"train": 0.5, "val": 0.5}


@pytest.fixture
def pictures(account: Account, tmp_path: Path) -> Pictures:
    return Pictures(account, tmp_path)


def split_of(directory: Path) -> dict[str, str]:
    return {path.name: path.parent.name for path in (directory / "images").rglob("*.png")}


def record_of(directory: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((directory / "training_set.json").read_text())
    return record


def test_each_split_has_its_share_of_each_class_and_keeps_its_images_when_more_come(
    pictures: Pictures, tmp_path: Path
) -> None:
    options = {"split": HALVES, "stratify_by": "class"}
    first = pictures.build("first", **options)
    for split in HALVES:
        objects = record_of(tmp_path / "first")["splits"][split]["objects"]
        halves = {"Car": 5.5, "Van": 2.5, "Road": 1.5, "Sign": 1.5}
        assert {name for name, half in halves.items() if abs(objects.get(name, 0) - half) <= 1} == {*halves}
    pictures.add(6)
    inputs = pictures.inputs()
    pictures.build("second", previous=first["record"], **options, **inputs)
    before, after = split_of(tmp_path / "first"), split_of(tmp_path / "second")
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 6
    pictures.build("again", previous=str(tmp_path / "first"), **options, **inputs)
    assert contents(tmp_path / "again") == contents(tmp_path / "second")
    assert not pictures.build("again", previous=str(tmp_path / "first"), **options, **inputs)["built"]
    lines = (tmp_path / "second" / "splits.jsonl").read_text().splitlines()
    assert len(lines) == 18 == len({json.loads(line)["key"] for line in lines})


def test_answers_are_stratified_where_they_are_the_classes(pictures: Pictures, tmp_path: Path) -> None:
    pictures.build(format="folders", class_from="Weather", split=HALVES, stratify_by="class")
    found = {split: record_of(tmp_path / "set")["splits"][split]["objects"] for split in HALVES}
    assert [found[split]["Rain / Fog"] for split in HALVES] == [1, 1]
    assert sorted(found[split]["Sun"] for split in HALVES) == [3, 4]


@pytest.mark.parametrize(
    ("earlier", "later", "message"),
    [
        ({}, {"stratify_by": "class"}, "was built without stratify_by"),
        ({"stratify_by": "class"}, {}, "previous: only `stratify_by` uses it"),
        ({"stratify_by": "class", "split": HALVES}, {"stratify_by": "class", "split": {"train": 1.0}}, "split 'val'"),
        (
            {"stratify_by": "class"},
            {"stratify_by": "class", "split_by": "client_metadata.scene"},
            "was split by data_hash, not by client_metadata.scene",
        ),
    ],
)
def test_an_earlier_training_set_of_another_kind_is_refused_before_anything_is_written(
    pictures: Pictures, tmp_path: Path, earlier: dict[str, Any], later: dict[str, Any], message: str
) -> None:
    inputs = pictures.inputs()
    record = pictures.build("earlier", **earlier, **inputs)["record"]
    with pytest.raises(AirflowFailException, match=message):
        pictures.build("later", previous=record, **later, **inputs)
    assert not (tmp_path / "later").exists()


def test_an_earlier_training_set_in_the_destination_is_refused(pictures: Pictures, tmp_path: Path) -> None:
    """A retry would not find it any more."""
    inputs = pictures.inputs()
    record = pictures.build(stratify_by="class", **inputs)["record"]
    with pytest.raises(AirflowFailException, match=r"destination: .* contains previous"):
        pictures.build(stratify_by="class", previous=record, overwrite=True, seed="2", **inputs)
    with pytest.raises(AirflowFailException, match=r"previous: .* cannot be used"):
        pictures.build("other", stratify_by="class", previous=str(tmp_path / "nowhere"), **inputs)
    with pytest.raises(AirflowFailException, match=r"stratify_by: 'taste' is not"):
        pictures.build("other", stratify_by="taste", **inputs)
