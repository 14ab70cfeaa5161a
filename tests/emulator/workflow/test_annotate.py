"""Seeded projects and the annotator: real labels of the ontology, the same for the same seed; tasks that move on."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from encord_emulator.process import Emulator, EmulatorError
from tests.emulator.callers import Person
from tests.emulator.storage.test_uploads import _poll, _put, _start, picture


def _stages(owner: Person, project: str) -> Counter[str]:
    rows = owner.get("labelrowmetadata", "GET", None, {"include_uninitialised_labels": True}, project=project)
    return Counter(row["workflow_graph_node"]["title"] for row in rows)


def _features(rows: list[dict[str, Any]]) -> set[str]:
    text = json.dumps(rows)
    return {part.partition('"')[0] for part in text.split('"featureHash": "')[1:]}


@pytest.mark.parametrize("kind", ["image", "video", "img_group"])
def test_labels_use_features_of_the_ontology_and_frames_of_the_data(encord_emulator: Emulator, owner: Person, kind):
    made = encord_emulator.project(owner=owner.email, title="x", rows=3, kind=kind, objects_per_row=4, created=1.0)
    rows = encord_emulator.labels(made["project_id"])
    assert [row["data_hash"] for row in rows] == sorted(made["data_hashes"])
    editor = json.dumps(owner.rest("GET", f"ontologies/{made['ontology_id']}").json["editor"])
    assert all(feature in editor for feature in _features(rows))
    for row in rows:
        assert len(row["object_answers"]) == 4
        assert len(row["classification_answers"]) == 1
        if kind == "video":
            frames = row["data_units"][row["data_hash"]]["labels"]
            assert set(map(int, frames)) == set(range(10))
        hashes = {row["label_hash"]}
        payload = {"multi_request": True, "labels": [row], "validate_before_saving": True}
        assert owner.get("labelrow", "POST", [*hashes], payload, project=made["project_id"]) is True


@pytest.mark.parametrize(("advance", "stage"), [("none", "Annotate"), ("submit", "Review"), ("complete", "Complete")])
def test_annotate_creates_rows_edits_labels_and_moves_tasks(encord_emulator, owner, advance, stage):
    made = encord_emulator.project(owner=owner.email, title="x", rows=5)
    project = made["project_id"]
    assert encord_emulator.labels(project) == []
    assert encord_emulator.annotate(project, count=2, objects_per_row=3, advance=advance) == 2
    rows = encord_emulator.labels(project)
    assert len(rows) == 2
    assert all(len(row["object_answers"]) == 3 for row in rows)
    expected = Counter({"Annotate": 5}) if stage == "Annotate" else Counter({"Annotate": 3, stage: 2})
    assert _stages(owner, project) == expected
    one = made["data_hashes"][:1]
    assert encord_emulator.annotate(project, data_hashes=one, objects_per_row=1) == 1
    edited = next(row for row in encord_emulator.labels(project) if row["data_hash"] == one[0])
    assert len(edited["object_answers"]) == 4
    assert len(edited["classification_answers"]) == 1


def test_without_a_count_everything_that_is_not_complete_is_annotated(encord_emulator, owner):
    project = encord_emulator.project(owner=owner.email, title="x", rows=5)["project_id"]
    assert encord_emulator.annotate(project, count=2, advance="complete") == 2
    assert encord_emulator.annotate(project, advance="complete") == 3
    assert encord_emulator.annotate(project) == 0


def test_the_same_seed_draws_the_same(encord_emulator, owner):
    def drawn(seed: int) -> list[Any]:
        made = encord_emulator.project(owner=owner.email, title="x", rows=3, seed=1)
        encord_emulator.annotate(made["project_id"], seed=seed)
        rows = {row["data_hash"]: row for row in encord_emulator.labels(made["project_id"])}
        ordered = [rows[data_hash] for data_hash in made["data_hashes"]]
        return [
            [one["shape"] for one in row["data_units"][row["data_hash"]]["labels"]["objects"]] for row in ordered
        ] + [sorted(row["object_answers"]) for row in ordered]

    assert drawn(5) == drawn(5)
    assert drawn(5) != drawn(6)


def test_created_is_the_share_of_rows_that_have_labels(encord_emulator, owner):
    made = encord_emulator.project(owner=owner.email, title="x", rows=200, created=0.25)
    assert len(encord_emulator.labels(made["project_id"])) == 50
    assert len(made["data_hashes"]) == 100
    assert len(encord_emulator.labels(made["project_id"], offset=48, limit=10)) == 2


def test_a_template_decides_the_stages_and_where_tasks_go(encord_emulator, owner):
    stages = [
        {"stageType": "AGENT", "title": "Pre-label", "pathways": [{"title": "go", "to": "Draw"}]},
        {"stageType": "ANNOTATION", "title": "Draw", "next": "Complete"},
        {"stageType": "REVIEW", "title": "Check"},
        {"stageType": "DONE", "title": "Archive"},
        {"stageType": "DONE", "title": "Complete"},
    ]
    template = encord_emulator.template("Agents first", stages)
    made = encord_emulator.project(owner=owner.email, title="x", rows=2, template=template["uuid"])
    assert [stage["title"] for stage in made["stages"]] == [stage["title"] for stage in stages]
    assert made["stages"][0]["pathways"][0]["destinationUuid"] == made["stages"][1]["uuid"]
    assert [stage["uuid"] for stage in made["stages"]] == [stage["uuid"] for stage in template["stages"]]
    project = made["project_id"]
    assert _stages(owner, project) == {"Pre-label": 2}
    encord_emulator.annotate(project, advance="submit")
    assert _stages(owner, project) == {"Draw": 2}
    encord_emulator.annotate(project, advance="submit")
    assert _stages(owner, project) == {"Complete": 2}
    request = {"title": "t", "description": "", "dataset_hashes": [], "workflow_type": "manual"}
    uuid = owner.get("project", "POST", None, {**request, "workflow_template_id": template["uuid"]})
    assert len(owner.rest("GET", f"projects/{uuid}").json["workflow"]["stages"]) == 5


def test_data_that_comes_later_gets_a_row_and_goes_with_its_dataset(encord_emulator, owner):
    first = encord_emulator.project(owner=owner.email, title="first", rows=2)
    second = encord_emulator.project(owner=owner.email, title="second", rows=3, created=1.0)
    project = first["project_id"]
    attach = {"dataset_hashes": [second["dataset_id"]]}
    assert owner.get("projectdataset", "POST", None, attach, project=project) is True
    assert owner.get("projectdataset", "POST", None, attach, project=project) is True
    assert _stages(owner, project) == {"Annotate": 5}
    titles = [result["title"] for result in owner.rest("GET", f"projects/{project}/datasets").json["results"]]
    assert titles == ["first dataset", "second dataset"]
    assert owner.get("projectdataset", "DELETE", [second["dataset_id"]], None, project=project) is True
    assert _stages(owner, project) == {"Annotate": 2}
    assert len(encord_emulator.labels(second["project_id"])) == 3


@pytest.mark.system
def test_a_hundred_thousand_rows_are_there_in_seconds(encord_emulator, owner):
    made = encord_emulator.project(owner=owner.email, title="x", rows=100_000, created=0.01)
    assert sum(_stages(owner, made["project_id"]).values()) == 100_000


def _project_with(owner: Person, editor: dict | None) -> str:
    """A project of one image, with an ontology of its own or the blank one."""
    dataset = owner.rest("POST", "datasets", {"title": "d"}).json["datasetUuid"]
    job = _start(owner, dataset, images=[{"objectUrl": _put(owner, picture()), "title": "a"}])
    assert _poll(owner, dataset, job)["status"] == "DONE"
    body: dict[str, Any] = {"title": "p", "dataset_hashes": [dataset]}
    if editor is not None:
        made = owner.rest("POST", "ontologies", {"title": "o", "description": "", "editor": editor})
        body["ontology_hash"] = made.json["ontologyUuid"]
    project: str = owner.get("project", "POST", None, body)
    return project


NOTE = {"id": "1.1", "name": "Note", "type": "text", "required": False, "featureNodeHash": "aabb0011"}
WITH_A_CLASSIFICATION = {
    "objects": [],
    "classifications": [{"id": "1", "featureNodeHash": "aabb0010", "attributes": [NOTE]}],
}


@pytest.mark.parametrize(
    ("editor", "body", "refused"),
    [
        (None, {}, True),
        (None, {"objects_per_row": 3}, True),
        (None, {"objects_per_row": 0, "advance": "complete"}, False),
        (WITH_A_CLASSIFICATION, {}, False),
        (WITH_A_CLASSIFICATION, {"objects_per_row": 1}, True),
    ],
)
def test_annotate_is_refused_where_the_ontology_has_nothing_to_draw(
    encord_emulator: Emulator, owner: Person, editor, body, refused
):
    """Fault 8.1: it drew nothing and said how many rows it had annotated."""
    project = _project_with(owner, editor)
    if refused:
        with pytest.raises(EmulatorError, match=r"422 .*objects_per_row.*has no object that can be drawn"):
            encord_emulator.annotate(project, **body)
        assert encord_emulator.labels(project) == []
    else:
        assert encord_emulator.annotate(project, **body) == 1


def test_other_people_edit_rows_that_have_labels(encord_emulator: Emulator, owner: Person):
    project = encord_emulator.project(owner=owner.email, title="x", rows=1, created=1.0)["project_id"]
    (before,) = encord_emulator.labels(project)
    encord_emulator.clock(advance_s=60)
    encord_emulator.annotate(project, data_hashes=[before["data_hash"]], objects_per_row=1, email="other@example.com")
    (after,) = encord_emulator.labels(project)
    assert set(before["object_answers"]) < set(after["object_answers"])
    assert after["last_edited_at"] > before["last_edited_at"]
    assert "other@example.com" in json.dumps(after)
    assert "annotator@example.com" not in json.dumps(after)
    (state,) = owner.get("labelrowmetadata", "GET", None, {}, project=project)
    assert state["last_edited_at"]


@pytest.mark.parametrize(
    "change", [{"count": -1}, {"objects_per_row": -1}, {"objects_per_row": 10**12}, {"email": "x"}]
)
def test_annotate_refuses_numbers_and_people_that_cannot_be(encord_emulator: Emulator, owner: Person, change):
    """Fault 10.2."""
    project = encord_emulator.project(owner=owner.email, title="x", rows=1)["project_id"]
    with pytest.raises(EmulatorError, match=next(iter(change))):
        encord_emulator.annotate(project, **change)
