"""Merging labels into rows that have some: what people did stays, with and without a report; frames are joined."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.operators.labels import EncordImportLabelsOperator
from tests.airflow_layer.bench import Account
from tests.airflow_layer.pre_labels import BOX, CAR, PERSON, WEATHER, Model, counts_of, objects_of, saved
from tests.histories.processes import Attempt

Change = Callable[[dict[str, Any], str, dict[str, Any]], None]


def report_of(model: Model) -> str:
    return str(model.directory / "report.jsonl")


def lines_of(model: Model) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(report_of(model)).read_text().splitlines()]


def edit(model: Model, change: Callable[[dict[str, Any]], None]) -> None:
    """A person changes the first row in the editor, and saves it."""
    label_hash = model.labels()[model.data_hashes[0]]["label_hash"]
    with model.account.client() as client:
        project = client.project(model.project)
        (read,) = (row.decoded() for row in project.read_label_rows([label_hash]))
        change(read)
        read.pop("is_valid", None)
        project.save_label_rows({label_hash: {**read, "is_shadow_data": False}})


def option(model: Model, label: str) -> dict[str, Any]:
    with model.account.client() as client:
        structure = client.project(model.project).ontology().editor_ontology
    features = (*structure["objects"], *structure["classifications"])
    options = (one for it in features for attribute in it.get("attributes", ()) for one in attribute.get("options", ()))
    (found,) = (one for one in options if one["label"] == label)
    return {"name": found["label"], "value": found["value"], "featureHash": found["featureNodeHash"]}


def correct_the_answer(row: dict[str, Any], ours: str, blue: dict[str, Any]) -> None:
    row["object_answers"][ours]["classifications"][0]["answers"] = [blue]


def remove_the_answer(row: dict[str, Any], ours: str, blue: dict[str, Any]) -> None:
    row["object_answers"][ours]["classifications"] = []


def move_the_box(row: dict[str, Any], ours: str, blue: dict[str, Any]) -> None:
    for unit in row["data_units"].values():
        for one in unit["labels"]["objects"]:
            if one["objectHash"] == ours:
                one["boundingBox"] = {**BOX, "x": 0.6}


def delete_the_object(row: dict[str, Any], ours: str, blue: dict[str, Any]) -> None:
    for unit in row["data_units"].values():
        unit["labels"]["objects"] = [one for one in unit["labels"]["objects"] if one["objectHash"] != ours]
    row["object_answers"].pop(ours)


@pytest.mark.parametrize("labelled_first", [True, False])
@pytest.mark.parametrize(
    ("change", "with_report"),
    [
        *((one, True) for one in (correct_the_answer, remove_the_answer, move_the_box, delete_the_object)),
        *((one, False) for one in (correct_the_answer, remove_the_answer, move_the_box)),
    ],
)
def test_merging_again_does_not_revert_what_people_did_to_merged_labels(
    model: Model, change: Change, with_report: bool, labelled_first: bool
) -> None:
    mine = model.data_hashes[0]
    if labelled_first:
        model.emulator.annotate(model.project, data_hashes=[mine], objects_per_row=1)
    there = {one["objectHash"] for row in model.labels().values() for one in objects_of(row)}
    more = {"if_exists": "merge", **({"report": report_of(model)} if with_report else {})}
    source = model.write({"data_hash": mine, "objects": [{**CAR, "id": "t"}]})
    model.load(source, **more)
    (ours,) = {one["objectHash"] for one in objects_of(model.labels()[mine])} - there
    blue = option(model, "Blue")
    edit(model, lambda row: change(row, ours, blue))
    before = model.labels()
    for _ in range(2):
        result = model.load(source, **more)
        assert (saved(result), result["conflict"]) == (0, 1)
        assert model.labels() == before
    if with_report:
        (line,) = lines_of(model)
        assert line["outcome"] == "conflict"
        assert "somebody has edited the row" in line["error"]


def test_merging_without_a_report_never_changes_a_label_that_is_there_and_adds_the_others(model: Model) -> None:
    model.load(model.write(*model.lines(objects=[{**CAR, "id": "t"}])))
    better = {**CAR, "id": "t", "boundingBox": {**BOX, "x": 0.5}}
    rain = {"feature": "Weather", "answer": "Rain"}
    source = model.write(*model.lines(objects=[better, PERSON], classifications=[rain]))
    assert counts_of(model.load(source, if_exists="merge")) == {"updated": 6}
    for row in model.labels().values():
        assert [one.get("boundingBox") for one in objects_of(row)] == [BOX, None]
        (weather,) = row["classification_answers"].values()
        assert [answer["name"] for answer in weather["classifications"][0]["answers"]] == ["Heavy snow"]
    result = model.load(source, if_exists="merge", report=report_of(model))
    assert (saved(result), result["conflict"]) == (0, 6)
    assert {(line["kept"], line["content"]) for line in lines_of(model)} == {(2, None)}


def test_merging_with_one_report_updates_its_own_labels_beside_those_of_people(model: Model) -> None:
    mine = model.data_hashes[0]
    model.emulator.annotate(model.project, data_hashes=[mine], objects_per_row=2)
    more = {"if_exists": "merge", "report": report_of(model)}
    objects = [{**CAR, "id": "t"}]
    model.load(model.write({"data_hash": mine, "objects": objects}), **more)
    by_people = [one for one in objects_of(model.labels()[mine]) if one["manualAnnotation"]]
    objects = [{**CAR, "id": "t", "boundingBox": {**BOX, "x": 0.5}, "answers": {"Colour": "Blue"}}]
    assert saved(model.load(model.write({"data_hash": mine, "objects": objects}), **more)) == 1
    row = model.labels()[mine]
    (car,) = (one for one in objects_of(row) if not one["manualAnnotation"])
    assert car["boundingBox"]["x"] == 0.5
    (colour,) = row["object_answers"][car["objectHash"]]["classifications"]
    assert [answer["name"] for answer in colour["answers"]] == ["Blue"]
    assert [one for one in objects_of(row) if one["manualAnnotation"]] == by_people
    (line,) = lines_of(model)
    assert line["own_labels"] == [car["objectHash"]]
    result = model.load(model.write({"data_hash": mine, "objects": [PERSON]}), report=report_of(model))
    assert (saved(result), result["skipped"]) == (0, 1), "the row still has labels of people"


def test_labels_of_people_that_were_exported_and_merged_back_are_not_claimed(model: Model) -> None:
    mine = model.data_hashes[0]
    model.emulator.annotate(model.project, data_hashes=[mine], objects_per_row=2)
    row = model.labels()[mine]
    more = {"report": report_of(model)}
    assert model.load(model.write(row), if_exists="merge", **more)["unchanged"] == 1
    result = model.load(model.write({"data_hash": mine, "objects": []}), **more)
    assert (saved(result), result["skipped"]) == (0, 1)
    assert model.labels()[mine]["data_units"] == row["data_units"]


def _about_to_save(model: Model, source: str) -> Attempt:
    """An attempt at a merge that is stopped before its first save."""
    operator = EncordImportLabelsOperator(
        task_id="import", project_id=model.project, source=source, report=report_of(model), if_exists="merge"
    )
    dying = Attempt(lambda: operator.execute({}), model.directory, stop_at=1)
    while "labelrow POST" not in dying.step:
        dying.go_on(1)
    return dying


def test_what_people_delete_after_a_killed_merge_is_not_added_again(model: Model) -> None:
    mine = model.data_hashes[0]
    source = model.write({"data_hash": mine, "objects": [{**CAR, "id": "t"}]})
    dying = _about_to_save(model, source)
    dying.go_on(1)
    dying.kill()
    (ours,) = (one["objectHash"] for one in objects_of(model.labels()[mine]))
    try:
        model.emulator.clock(advance_s=5)  # times of editing are in seconds
        edit(model, lambda row: delete_the_object(row, ours, {}))
    finally:
        model.emulator.clock(now=None)
    for _ in range(2):
        result = model.load(source, report=report_of(model), if_exists="merge")
        assert (saved(result), result["conflict"]) == (0, 1)
        assert objects_of(model.labels()[mine]) == []


def test_a_killed_merge_that_did_not_save_is_done_by_the_next(model: Model) -> None:
    mine = model.data_hashes[0]
    model.emulator.annotate(model.project, data_hashes=[mine], objects_per_row=2)
    source = model.write({"data_hash": mine, "objects": [{**CAR, "id": "t"}]})
    dying = _about_to_save(model, source)
    dying.kill()
    assert len(objects_of(model.labels()[mine])) == 2
    assert saved(model.load(source, report=report_of(model), if_exists="merge")) == 1
    assert len(objects_of(model.labels()[mine])) == 3


def track(frames: range, **more: Any) -> list[dict[str, Any]]:
    return [{"feature": "Car", "boundingBox": BOX, "frame": frame, "id": "t", **more} for frame in frames]


def frames_of(row: dict[str, Any]) -> list[int]:
    return sorted(
        int(frame)
        for unit in row["data_units"].values()
        for frame, labels in unit["labels"].items()
        if labels["objects"]
    )


def weather_of(row: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted(
        (value["classifications"][0]["answers"][0]["name"], value["range"])
        for value in row["classification_answers"].values()
    )


@pytest.fixture
def video(account: Account, tmp_path: Path) -> Model:
    return Model(account, tmp_path, rows=1, kind="video", frames=20)


@pytest.mark.parametrize("with_report", [True, False])
@pytest.mark.parametrize("labelled_first", [True, False])
def test_merging_joins_frames_of_tracks_and_ranges_of_classifications(
    video: Model, with_report: bool, labelled_first: bool
) -> None:
    (mine,) = video.data_hashes
    if labelled_first:
        video.load(video.write({"data_hash": mine, "objects": [{**CAR, "frame": 19}]}))
    more = {"if_exists": "merge", **({"report": report_of(video)} if with_report else {})}
    for first, last, answers in ((0, 4, {"Colour": "Red"}), (5, 9, {}), (15, 16, {})):
        rain = {"feature": "Weather", "answer": "Rain", "frames": [[first, last]]}
        objects = track(range(first, last + 1), answers=answers)
        source = video.write({"data_hash": mine, "objects": objects, "classifications": [rain]})
        assert saved(video.load(source, **more)) == 1
        assert video.load(source, **more)["unchanged"] == 1
    row = video.labels()[mine]
    assert frames_of(row) == [*range(10), 15, 16, *([19] if labelled_first else [])]
    assert weather_of(row) == [("Rain", [[0, 9], [15, 16]])]
    (hash_,) = {one["objectHash"] for one in row["data_units"][mine]["labels"]["0"]["objects"]}
    (colour,) = row["object_answers"][hash_]["classifications"]
    assert [answer["name"] for answer in colour["answers"]] == ["Red"]


@pytest.mark.parametrize(
    ("with_report", "second", "expected"),
    [
        (True, [[4, 5], [12, 13]], [("Heavy snow", [[4, 5], [12, 13]]), ("Rain", [[0, 3], [6, 9]])]),
        (True, [[10, 12]], [("Heavy snow", [[10, 12]]), ("Rain", [[0, 9]])]),
        (True, [[0, 9]], [("Heavy snow", [[0, 9]])]),
        (False, [[10, 12]], [("Heavy snow", [[10, 12]]), ("Rain", [[0, 9]])]),
    ],
)
def test_another_answer_for_some_frames_replaces_ours_on_these_frames_only(
    video: Model, with_report: bool, second: Any, expected: Any
) -> None:
    (mine,) = video.data_hashes
    more = {"if_exists": "merge", **({"report": report_of(video)} if with_report else {})}
    for answer, frames in (("Rain", [[0, 9]]), ("Heavy snow", second)):
        weather = {"feature": "Weather", "answer": answer, "frames": frames}
        source = video.write({"data_hash": mine, "classifications": [weather]})
        assert saved(video.load(source, **more)) == 1
        assert video.load(source, **more)["unchanged"] == 1
    assert weather_of(video.labels()[mine]) == expected


def test_frames_that_people_took_from_a_track_are_not_added_again_without_a_report(video: Model) -> None:
    (mine,) = video.data_hashes
    rain = {"feature": "Weather", "answer": "Rain", "frames": [[0, 4]]}
    source = video.write({"data_hash": mine, "objects": track(range(5)), "classifications": [rain]})
    video.load(source, if_exists="merge")

    def shorten(row: dict[str, Any]) -> None:
        for unit in row["data_units"].values():
            unit["labels"]["0"]["objects"] = []
        for value in row["classification_answers"].values():
            value["range"] = [[1, 4]]

    edit(video, shorten)
    result = video.load(source, if_exists="merge")
    assert (saved(result), result["conflict"]) == (0, 1)
    assert frames_of(video.labels()[mine]) == [1, 2, 3, 4]
    assert weather_of(video.labels()[mine]) == [("Rain", [[1, 4]])]


def test_merging_without_a_report_says_in_the_log_what_it_cannot_see(model: Model, logged: Callable[[], str]) -> None:
    model.load(model.write(*model.lines(objects=[{**CAR, "id": "t"}], classifications=[WEATHER])))
    source = model.write(*model.lines(objects=[{**CAR, "id": "t", "confidence": 0.1}, PERSON], classifications=[]))
    model.load(source, if_exists="merge")
    lines = logged()
    assert "merged without a report" in lines
    assert "6 rows already have some of these labels with different content" in lines
