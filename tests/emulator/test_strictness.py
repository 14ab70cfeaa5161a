"""A typo fails: unknown fields, missing ones and wrong types are refused by name, open things are left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from encord_emulator.process import Emulator
from tests.emulator.callers import Person, send


@pytest.fixture(scope="module")
def encord_emulator() -> Iterator[Emulator]:
    """One emulator for all tests here: none of them minds what another left behind."""
    with Emulator.start() as emulator:
        yield emulator


@pytest.fixture
def made(encord_emulator: Emulator, owner: Person) -> dict[str, Any]:
    return encord_emulator.project(owner=owner.email, title="Cats", rows=2, created=1.0)


def _raw(person: Person, body: dict[str, Any]) -> Any:
    text = json.dumps(body).encode()
    headers = {"ResourceType": "", "ResourceID": "", "Authorization": person.sign_v1(text)}
    return send(person.url, "POST", "/public/user", headers, text)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"query_tpye": "x"}, "query_tpye"),
        ({"values": {"uid": None, "payload": None, "extra": 1}}, "extra"),
        ({"values": {"uid": None}}, "payload"),
        ({"values": {"uid": "x", "payload": {"filter": {}}}}, "uid"),
        ({"values": {"uid": None, "payload": {"filter": {"titel_eq": "x"}}}}, "titel_eq"),
        ({"values": {"uid": None, "payload": {"filter": {"title_eq": 3}}}}, "title_eq"),
        ({"query_type": "projectswithuserrole"}, "projectswithuserrole"),
        ({"query_method": "PATCH"}, "PATCH"),
    ],
)
def test_a_wrong_envelope_is_refused_by_name(owner, change, named):
    good = {
        "query_type": "projectwithuserrole",
        "query_method": "GET",
        "values": {"uid": None, "payload": {"filter": {}}},
    }
    assert _raw(owner, good).code is None
    answer = _raw(owner, {**good, **change})
    assert answer.status == 200, "v1 errors hide in HTTP 200"
    assert answer.json["status"] != 200
    assert answer.code in ("INVALID_ARGUMENTS_ERROR", "METHOD_NOT_ALLOWED_ERROR")
    assert named in answer.json["payload"]


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("projects?titelEq=x", "titelEq"),
        ("projects?title_eq=x", "title_eq"),
        ("projects?titleEq=x&titleEq=y", "titleEq"),
        ("projects?includeOrgAccess=perhaps", "includeOrgAccess"),
        ("projects?createdAfter=yesterday", "created_after"),
        ("datasets/list?descEq=x", "descEq"),
        ("ontologies?descriptionEq=x", "descriptionEq"),
        ("presigned-urls?count=1", "uploadItemType"),
        ("presigned-urls?count=1&uploadItemType=picture", "uploadItemType"),
        ("user/bearer-token?x=1", "x"),
    ],
)
def test_a_wrong_query_is_refused_by_name(owner, path, named):
    answer = owner.rest("GET", path)
    assert answer.status == 422
    assert named in answer.content.decode()


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"title": "t", "createBackingFolder": True, "legacyCall": False, "storage": 1}, "storage"),
        ({"title": "t", "create_backing_folder": True}, "create_backing_folder"),
        ({"title": 7}, "title"),
        ({}, "title"),
        ([], "object"),
    ],
)
def test_a_wrong_body_is_refused_by_name(owner, body, named):
    before = owner.rest("GET", "datasets/list").json
    answer = owner.rest("POST", "datasets", body)
    assert answer.status == 422
    assert named in answer.content.decode()
    assert owner.rest("GET", "datasets/list").json == before


@pytest.mark.parametrize("value", ["True", "False", "true", "false"])
def test_booleans_are_taken_as_python_writes_them(owner, value):
    assert owner.rest("GET", f"projects?includeOrgAccess={value}").status == 200


def test_upload_items_are_strict(made, owner):
    def start(**items: Any) -> Any:
        payload = {"dataItems": items, "ignoreErrors": False}
        dataset = made["dataset_id"]
        return owner.ask("datasetdatalongpolling", "POST", dataset, payload, dataset=dataset)

    assert "upsertMetadata" in start(images=[], upsertMetadata=True).json["payload"]
    assert "object_url" in start(images=[{"object_url": "x"}]).json["payload"]
    assert "pictures" in start(pictures=[]).json["payload"]
    assert start(images=[], audio=[], skipDuplicateUrls=False, upsertMetadata=False).code is None


def test_a_dataset_without_a_folder_needs_a_folder_for_the_files(owner):
    plain = owner.rest("POST", "datasets", {"title": "t", "createBackingFolder": False}).json
    mirror = owner.rest("POST", "datasets", {"title": "t", "createBackingFolder": True}).json
    assert plain["backingFolderUuid"] is None
    dataset = plain["datasetUuid"]
    payload: dict[str, Any] = {"dataItems": {"images": []}, "ignoreErrors": False}
    assert (
        "folderUuid" in owner.ask("datasetdatalongpolling", "POST", dataset, payload, dataset=dataset).json["payload"]
    )
    payload["folderUuid"] = mirror["backingFolderUuid"]
    assert owner.ask("datasetdatalongpolling", "POST", dataset, payload, dataset=dataset).code is None


def test_an_ontology_is_kept_with_everything_unknown_in_it(owner):
    editor = {
        "objects": [{"featureNodeHash": "aabb0001", "shape": "new_shape", "odd": {"a": [1]}}],
        "classifications": [],
    }
    created = owner.rest("POST", "ontologies", {"title": "o", "description": "", "editor": editor}).json
    assert owner.rest("GET", f"ontologies/{created['ontologyUuid']}").json["editor"] == editor
    other = {**editor, "skeleton_templates": [{"template": {}}], "more": 1}
    body = {"title": "o2", "description": "d", "editor": other}
    assert owner.rest("PUT", f"ontologies/{created['ontologyUuid']}", body).status == 200
    again = owner.rest("GET", f"ontologies/{created['ontologyUuid']}").json
    assert (again["editor"], again["title"]) == (other, "o2")


def test_unknown_controls_and_fields_of_controls_are_refused(encord_emulator):
    for control, body in (
        ("limits", {"request_per_minute": 1}),
        ("clock", {"time": "x"}),
        ("faults", [{"match": {}, "do": {"status": 500}, "wen": {}}]),
        ("faults", [{"do": {"status": 500, "cut": "before"}}]),
        ("faults", [{"do": {}}]),
        ("faults", [{"match": {"path": "("}, "do": {"status": 500}}]),
        ("projects", {"owner": "o@example.com", "title": "t", "rows": "three"}),
        ("templates", {"title": "t", "stages": [{"stageType": "ANNOTATION", "title": "a"}]}),
    ):
        content, kind = json.dumps(body).encode(), {"Content-Type": "application/json"}
        answer = send(encord_emulator.url, "POST", f"/_emulator/{control}", kind, content)
        assert answer.status == 422, (control, body)
    assert send(encord_emulator.url, "GET", "/_emulator/journal?sinse=1").status == 422
    assert send(encord_emulator.url, "GET", "/_emulator/nothing").status == 404


def test_the_server_says_plainly_that_it_is_not_encord(encord_emulator):
    page = send(encord_emulator.url, "GET", "/")
    assert b"NOT Encord" in page.content
    assert b"labelrowmetadata" in page.content
    assert send(encord_emulator.url, "GET", "/anything").status == 404
