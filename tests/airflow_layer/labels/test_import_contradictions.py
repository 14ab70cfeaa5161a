"""Lines that say two things at once are refused by the name of line and field; nothing of them is dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from tests.airflow_layer.bench import Account
from tests.airflow_layer.pre_labels import BOX, CAR, Model

BOXES = [{**BOX, "x": 0.1 * number} for number in range(4)]


@pytest.fixture
def video(account: Account, tmp_path: Path) -> Model:
    return Model(account, tmp_path, rows=1, kind="video", frames=10)


def hashes_of(model: Model) -> list[str]:
    (row,) = model.labels().values()
    (unit,) = row["data_units"].values()
    return [one["objectHash"] for labels in unit["labels"].values() for one in labels["objects"]]


def cars(*more: dict[str, Any]) -> list[dict[str, Any]]:
    boxes = zip(BOXES, more, strict=False)
    return [{"feature": "Car", "boundingBox": box, "frame": frame, **one} for frame, (box, one) in enumerate(boxes)]


@pytest.mark.parametrize(
    ("first", "second", "objects"),
    [(None, None, 2), ("t", "t", 1), (1, "1", 2), (1, 1.0, 1), (None, "None", 2), ("a", "a ", 2)],
)
def test_objects_are_one_object_only_if_their_ids_are_equal(
    video: Model, first: Any, second: Any, objects: int
) -> None:
    line = {"data_hash": video.data_hashes[0], "objects": cars({"id": first}, {"id": second})}
    video.load(video.write(line))
    assert len(set(hashes_of(video))) == objects


@pytest.mark.parametrize(
    ("first", "second"),
    [({"Colour": "Red"}, {"Colour": "Blue"}), ({"Colour": "Blue"}, {"Colour": "Red"})],
)
def test_a_track_with_two_answers_is_refused(video: Model, first: Any, second: Any) -> None:
    objects = cars({"id": "t", "answers": first}, {"id": "t"}, {"id": "t", "answers": second})
    with pytest.raises(
        AirflowFailException, match=r"line 1: answers: 'Colour' of the object 'Car' with the id 't' has two answers"
    ):
        video.load(video.write({"data_hash": video.data_hashes[0], "objects": objects}))
    assert video.changes() == []


def test_a_track_may_repeat_its_answer(video: Model) -> None:
    red = {"id": "t", "answers": {"Colour": "Red"}}
    video.load(video.write({"data_hash": video.data_hashes[0], "objects": cars(red, {"id": "t"}, red)}))
    (row,) = video.labels().values()
    (answer,) = row["object_answers"].values()
    assert [classification["answers"][0]["name"] for classification in answer["classifications"]] == ["Red"]


def test_an_attribute_that_is_answered_by_name_and_by_hash_is_refused(model: Model) -> None:
    with model.account.client() as client:
        objects = client.project(model.project).ontology().editor_ontology["objects"]
    (colour,) = (it["featureNodeHash"] for one in objects for it in one.get("attributes", ()) if it["name"] == "Colour")
    lines = model.lines(objects=[{**CAR, "answers": {"Colour": "Red", colour: "Blue"}}])
    with pytest.raises(AirflowFailException, match="answers: 'Colour' is there twice"):
        model.load(model.write(*lines))
    assert model.changes() == []


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('{"data_hash": "%s", "objects": [{"feature": "Car"}], "objects": []}', "objects"),
        ('{"data_hash": "x", "data_hash": "%s", "objects": []}', "data_hash"),
        (
            '{"data_hash": "%s", "classifications": [{"feature": "Weather", "answer": "Rain", "answer": "Clear"}]}',
            "answer",
        ),
    ],
)
def test_a_line_with_a_key_twice_is_refused_by_its_name(model: Model, line: str, key: str) -> None:
    path = model.directory / "twice.jsonl"
    path.write_text(line % model.data_hashes[0] + "\n")
    with pytest.raises(AirflowFailException, match=rf"twice\.jsonl, line 1: the key '{key}' is given twice"):
        model.load(str(path))
    assert model.changes() == []


def test_titles_that_differ_are_refused(model: Model) -> None:
    title = next(iter(model.titles.values()))
    source = model.write({"title": title, "data_title": "other", "objects": [CAR]})
    with pytest.raises(AirflowFailException, match="title, data_title: they differ"):
        model.load(source, match_by="title")
