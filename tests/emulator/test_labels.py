"""Label rows: created, read, saved in either SDK's form and read in both; listed with every filter."""

from __future__ import annotations

import time
from typing import Any

import pytest

from encord_emulator.process import Emulator
from tests.emulator.callers import Person

MANY = {"multi_request": True, "get_signed_url": False}


@pytest.fixture
def made(encord_emulator: Emulator, owner: Person) -> dict[str, Any]:
    return encord_emulator.project(owner=owner.email, title="Cats", rows=4, seed=3)


def _metadata(owner: Person, project: str, **filters: Any) -> list[dict[str, Any]]:
    payload = {"include_uninitialised_labels": True, **filters}
    rows: list[dict[str, Any]] = owner.get("labelrowmetadata", "GET", None, payload, project=project)
    return rows


def _structure(owner: Person, made: dict[str, Any]) -> dict[str, Any]:
    editor: dict[str, Any] = owner.rest("GET", f"ontologies/{made['ontology_id']}").json["editor"]
    return editor


def _created(owner: Person, made: dict[str, Any], count: int = 1) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = owner.get(
        "labelrow", "PUT", made["data_hashes"][:count], {**MANY, "branch_name": None}, project=made["project_id"]
    )
    return rows


def test_a_row_is_created_once_and_read_as_it_was_created(made, owner):
    project, data_hash = made["project_id"], made["data_hashes"][0]
    created = owner.get("labelrow", "PUT", data_hash, {"get_signed_url": False}, project=project)
    assert created["label_status"] == "LABEL_IN_PROGRESS"
    assert created["data_type"] == "image"
    assert created["data_units"][data_hash]["labels"] == {"objects": [], "classifications": []}
    assert created["data_units"][data_hash]["data_link"] is None
    question = {"get_signed_url": False, "multi_request": False}
    assert owner.get("labelrow", "GET", created["label_hash"], question, project=project) == created
    again = owner.ask("labelrow", "PUT", data_hash, {"get_signed_url": False}, project=project)
    assert again.code == "RESOURCE_EXISTS_ERROR"
    on_branch = {**MANY, "branch_name": "model-v1"}
    assert owner.get("labelrow", "PUT", [data_hash], on_branch, project=project)[0]["branch_name"] == "model-v1"


def test_rows_are_answered_once_each_and_a_foreign_one_is_not_found(made, owner):
    project = made["project_id"]
    hashes = [row["label_hash"] for row in _created(owner, made, 3)]
    answered = owner.get("labelrow", "GET", [*hashes, hashes[0]], MANY, project=project)
    assert sorted(row["label_hash"] for row in answered) == sorted(hashes)
    stranger = ["34343434-0000-4000-8000-000000000001"]
    assert owner.ask("labelrow", "GET", stranger, MANY, project=project).code == "RESOURCE_NOT_FOUND_ERROR"


def test_more_rows_than_the_limit_are_refused_with_the_limit(encord_emulator, made, owner):
    project = made["project_id"]
    hashes = [row["label_hash"] for row in _created(owner, made, 3)]
    encord_emulator.limits(label_rows_per_request=2)
    answer = owner.ask("labelrow", "GET", hashes, MANY, project=project)
    assert answer.code == "MULTI_LABEL_LIMIT_ERROR"
    assert answer.json["payload"] == {"maximum_labels_allowed": 2}
    assert owner.ask("labelrow", "GET", hashes[:2], MANY, project=project).code is None


def _box(structure: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "Car",
        "color": "#D33115",
        "shape": "bounding_box",
        "value": "car",
        "objectHash": "0rr5Zh3e",
        "featureHash": structure["objects"][0]["featureNodeHash"],
        "boundingBox": {"h": 0.1, "w": 0.2, "x": 0.3, "y": 0.4},
        "createdBy": None,
        "odd": {"kept": True},
    }


def _answers(structure: dict[str, Any]) -> list[dict[str, Any]]:
    attribute = structure["classifications"][0]["attributes"][0]
    option = attribute["options"][0]
    chosen = {"name": option["label"], "value": option["value"], "featureHash": option["featureNodeHash"]}
    feature = attribute["featureNodeHash"]
    return [{"name": "Weather", "value": "weather", "answers": [chosen], "featureHash": feature}]


def _saved(owner: Person, made: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    project, hashes = made["project_id"], [row["label_hash"]]
    payload = {"multi_request": True, "labels": [row], "validate_before_saving": True}
    assert owner.get("labelrow", "POST", hashes, payload, project=project) is True
    (again,) = owner.get("labelrow", "GET", hashes, MANY, project=project)
    return again


def test_saving_takes_the_labels_and_keeps_the_rest(encord_emulator, made, owner):
    (row,) = _created(owner, made)
    structure, data_hash = _structure(owner, made), row["data_hash"]
    row["data_units"][data_hash]["labels"]["objects"] = [_box(structure)]
    row["data_units"][data_hash]["data_sequence"] = 0
    row["object_answers"] = {"0rr5Zh3e": {"objectHash": "0rr5Zh3e", "classifications": []}}
    row |= {"data_title": "another", "label_status": "REVIEWED", "is_shadow_data": False, "odd": [1]}
    encord_emulator.clock(now="2026-01-02T03:04:05Z")
    again = _saved(owner, made, row)
    assert (again["data_title"], again["label_status"]) == ("image-000000.png", "LABEL_IN_PROGRESS")
    assert again["last_edited_at"] == "Fri, 02 Jan 2026 03:04:05 UTC"
    assert again["odd"] == [1]
    (box,) = again["data_units"][data_hash]["labels"]["objects"]
    assert box["boundingBox"] == {"h": 0.1, "w": 0.2, "x": 0.3, "y": 0.4}
    assert box["odd"] == {"kept": True}
    assert box["createdBy"] == box["lastEditedBy"] == owner.email
    assert again["data_units"][data_hash]["data_sequence"] == "0"
    again["data_units"][data_hash]["labels"]["objects"], again["object_answers"] = [], {}
    assert _saved(owner, made, again)["data_units"][data_hash]["labels"]["objects"] == []


def test_a_classification_saved_in_the_new_form_is_answered_in_both(made, owner):
    (row,) = _created(owner, made)
    structure = _structure(owner, made)
    feature = structure["classifications"][0]["featureNodeHash"]
    answer = {"classificationHash": "d2yL/+aF", "featureHash": feature, "range": [[0, 0]]}
    row["classification_answers"] = {"d2yL/+aF": {**answer, "classifications": _answers(structure)}}
    again = _saved(owner, made, row)
    (entry,) = again["data_units"][row["data_hash"]]["labels"]["classifications"]
    assert (entry["classificationHash"], entry["featureHash"], entry["name"]) == ("d2yL/+aF", feature, "Weather")
    assert entry["createdBy"] == owner.email
    assert again["classification_answers"]["d2yL/+aF"]["range"] == [[0, 0]]
    once_more = _saved(owner, made, again)
    assert once_more == {**again, "last_edited_at": once_more["last_edited_at"]}


def test_a_classification_saved_in_the_old_form_is_answered_in_both(encord_emulator, owner):
    made = encord_emulator.project(owner=owner.email, title="Films", rows=1, kind="video", frames=10)
    (row,) = _created(owner, made)
    structure, unit = _structure(owner, made), row["data_units"][row["data_hash"]]
    feature = structure["classifications"][0]["featureNodeHash"]
    entry = {"name": "Weather", "value": "weather", "featureHash": feature, "classificationHash": "d2yL/+aF"}
    unit["labels"] = {str(frame): {"objects": [], "classifications": [dict(entry)]} for frame in (2, 3, 4, 7)}
    row["classification_answers"] = {
        "d2yL/+aF": {"classificationHash": "d2yL/+aF", "classifications": _answers(structure)}
    }
    again = _saved(owner, made, row)
    answer = again["classification_answers"]["d2yL/+aF"]
    assert answer["range"] == [[2, 4], [7, 7]]
    assert answer["featureHash"] == feature
    assert answer["createdBy"] == owner.email
    labels = again["data_units"][row["data_hash"]]["labels"]
    assert {frame for frame, one in labels.items() if one["classifications"]} == {"2", "3", "4", "7"}


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda row, unit: unit["objects"][0].update(featureHash="nowhere1"), "FEATURE_DOES_NOT_EXIST_ERROR"),
        (lambda row, unit: row.update(object_answers={}), "ANSWER_DICTIONARY_ERROR"),
        (lambda row, unit: row.update(data_units={"x": {}}), "CORRUPTED_LABEL_ERROR"),
        (lambda row, unit: unit.update(objects={}), "CORRUPTED_LABEL_ERROR"),
    ],
)
def test_validation_refuses_labels_that_do_not_fit(made, owner, spoil, code):
    (row,) = _created(owner, made)
    unit = row["data_units"][row["data_hash"]]["labels"]
    unit["objects"] = [_box(_structure(owner, made))]
    row["object_answers"] = {"0rr5Zh3e": {"objectHash": "0rr5Zh3e", "classifications": []}}
    spoil(row, unit)
    row["validate_before_saving"] = True
    answer = owner.ask("labelrow", "POST", row["label_hash"], row, project=made["project_id"])
    assert answer.code == code


def test_a_refused_bundle_saves_nothing(encord_emulator, made, owner):
    rows = _created(owner, made, 2)
    before = encord_emulator.labels(made["project_id"])
    good, bad = rows
    good["data_units"][good["data_hash"]]["labels"]["objects"] = [_box(_structure(owner, made))]
    good["object_answers"] = {"0rr5Zh3e": {"objectHash": "0rr5Zh3e", "classifications": []}}
    bad["data_units"] = {"x": {}}
    payload = {"multi_request": True, "labels": rows, "validate_before_saving": False}
    hashes = [row["label_hash"] for row in rows]
    assert owner.ask("labelrow", "POST", hashes, payload, project=made["project_id"]).code == "CORRUPTED_LABEL_ERROR"
    assert encord_emulator.labels(made["project_id"]) == before


def test_feature_filters_leave_what_was_asked_for(encord_emulator, owner):
    made = encord_emulator.project(owner=owner.email, title="x", rows=1, created=1.0, objects_per_row=8, seed=1)
    (row,) = encord_emulator.labels(made["project_id"])
    car = _structure(owner, made)["objects"][0]["featureNodeHash"]

    def read(**filters: Any) -> tuple[int, int, int]:
        (read,) = owner.get("labelrow", "GET", [row["label_hash"]], {**MANY, **filters}, project=made["project_id"])
        labels = read["data_units"][read["data_hash"]]["labels"]
        assert len(read["object_answers"]) == len(labels["objects"])
        cars = sum(one["featureHash"] == car for one in labels["objects"])
        return len(labels["objects"]), cars, len(read["classification_answers"])

    everything, cars, classifications = read()
    assert (everything, classifications) == (8, 1)
    assert 0 < cars < 8
    assert read(include_object_feature_hashes=[car]) == (cars, cars, 1)
    assert read(include_object_feature_hashes=[]) == (0, 0, 1)
    assert read(include_classification_feature_hashes=[]) == (8, cars, 0)


def test_signed_urls_come_with_labels_only_when_asked_for(made, owner):
    (row,) = _created(owner, made)
    project, hashes = made["project_id"], [row["label_hash"]]
    (signed,) = owner.get("labelrow", "GET", hashes, {**MANY, "get_signed_url": True}, project=project)
    assert signed["data_units"][row["data_hash"]]["data_link"].startswith(owner.url)


def test_metadata_filters_keep_what_matches(encord_emulator, made, owner):
    project, hashes = made["project_id"], made["data_hashes"]
    first = owner.get("labelrow", "PUT", hashes[0], None, project=project)["label_hash"]
    encord_emulator.clock(advance_s=3600)
    later = int(time.time()) + 3600
    owner.get("labelrow", "PUT", hashes[1], None, project=project)
    middle = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(later - 1800))

    def found(**filters: Any) -> list[int]:
        return [hashes.index(row["data_hash"]) for row in _metadata(owner, project, **filters)]

    assert found() == [0, 1, 2, 3]
    assert found(include_uninitialised_labels=False) == [0, 1]
    assert found(data_hashes=[hashes[2], hashes[0]]) == [0, 2]
    assert found(data_hashes=[]) == []
    assert found(label_hashes=[first]) == [0]
    assert found(data_title_eq="image-000003.png") == [3]
    assert found(data_title_like="image-00000%") == [0, 1, 2, 3]
    assert found(data_title_like="%3.png") == [3]
    assert found(edited_after=middle) == [1]
    assert found(edited_before=middle + "+00:00") == [0]
    assert found(workflow_graph_node_title_eq="Annotate") == [0, 1, 2, 3]
    assert found(workflow_graph_node_title_like="Comp%") == []
    assert found(label_statuses=["COMPLETED"]) == []
    assert found(shadow_data_state="SHADOW_DATA") == []
    assert found(shadow_data_state="NOT_SHADOW_DATA") == [0, 1, 2, 3]
    row = _metadata(owner, project)[2]
    assert (row["label_hash"], row["label_status"], row["data_type"]) == (None, "NOT_LABELLED", "IMAGE")
    assert row["workflow_graph_node"]["title"] == "Annotate"
    assert (row["spaces"], row["is_shadow_data"], row["is_valid"]) == ({}, False, True)
    assert _metadata(owner, project, include_workflow_graph_node=False)[0]["workflow_graph_node"] is None
    bad = owner.ask("labelrowmetadata", "GET", None, {"edited_after": "yesterday"}, project=project)
    assert bad.code == "INVALID_DATE_FORMAT_ERROR"


def test_images_of_a_group_are_listed_with_exactly_the_keys_that_the_sdk_takes(encord_emulator, owner):
    made = encord_emulator.project(owner=owner.email, title="x", rows=1, kind="img_group", frames=2)
    (plain,) = _metadata(owner, made["project_id"])
    (row,) = _metadata(owner, made["project_id"], include_images_data=True)
    assert plain["images_data"] is None
    assert [image["index"] for image in row["images_data"]] == [0, 1]
    for image in row["images_data"]:
        assert set(image) == {"index", "title", "file_type", "height", "width", "image_hash"}


def test_branches_are_listed_alone_or_all_together(made, owner):
    project, data_hash = made["project_id"], made["data_hashes"][0]
    owner.get("labelrow", "PUT", [data_hash], {**MANY, "branch_name": "model-v1"}, project=project)
    on_branch = _metadata(owner, project, branch_name="model-v1", include_uninitialised_labels=False)
    assert [(row["data_hash"], row["branch_name"]) for row in on_branch] == [(data_hash, "model-v1")]
    assert _metadata(owner, project, include_uninitialised_labels=False) == []
    both = _metadata(owner, project, include_all_label_branches=True)
    assert [row["branch_name"] for row in both] == ["main"] * 4 + ["model-v1"]
    refused = {"branch_name": "main", "include_all_label_branches": True}
    assert owner.ask("labelrowmetadata", "GET", None, refused, project=project).code == "INVALID_ARGUMENTS_ERROR"


def test_rows_are_completed_and_reopened_by_label_hash(made, owner):
    project = made["project_id"]
    hashes = [row["label_hash"] for row in _created(owner, made, 2)]
    for action, stage in (("complete", "Complete"), ("reopen", "Annotate")):
        assert owner.get("labelworkflowgraphnode", "POST", hashes, {"action": action}, project=project) is True
        rows = _metadata(owner, project, label_hashes=hashes)
        assert {row["workflow_graph_node"]["title"] for row in rows} == {stage}
    assert owner.ask("labelworkflowgraphnode", "POST", hashes, {"action": "close"}, project=project).code is not None
