"""Projects, datasets and ontologies: both families tell the same, in the forms that each of them needs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from encord_emulator.process import Emulator
from tests.emulator.callers import Person

V1_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
MANUAL = {"description": "", "dataset_hashes": [], "workflow_type": "manual"}


def _project(owner: Person, title: str, **more: Any) -> str:
    uuid: str = owner.get("project", "POST", None, {**MANUAL, "title": title, **more})
    return uuid


def test_a_project_without_ontology_or_template_gets_empty_and_default_ones(owner):
    project = owner.rest("GET", f"projects/{_project(owner, 'Cats')}").json
    assert [(stage["stageType"], stage["title"]) for stage in project["workflow"]["stages"]] == [
        ("ANNOTATION", "Annotate"),
        ("REVIEW", "Review"),
        ("DONE", "Complete"),
    ]
    assert "pathways" not in project["workflow"]["stages"][0]
    empty = {"objects": [], "classifications": [], "skeleton_templates": []}
    assert project["editorOntology"] == empty
    assert owner.rest("GET", f"ontologies/{project['ontologyHash']}").json["editor"] == empty
    assert (project["projectType"], project["creatorEmail"], project["userRole"]) == ("workflow", owner.email, 0)


def test_the_v1_lists_have_exactly_the_keys_that_old_sdks_take(owner):
    _project(owner, "Cats")
    owner.rest("POST", "datasets", {"title": "Cats"})
    (project,) = owner.get("projectwithuserrole", "GET", None, {"filter": {"title_eq": "Cats"}})
    assert set(project) == {"user_role", "project"}
    assert set(project["project"]) == {"project_hash", "title", "description", "created_at", "last_edited_at"}
    assert V1_TIME.fullmatch(project["project"]["created_at"])
    (dataset,) = owner.get("datasetwithuserrole", "GET", None, {"filter": {}, "enable_storage_api": True})
    keys = {"dataset_hash", "user_hash", "title", "description", "type", "created_at", "last_edited_at"}
    assert set(dataset["dataset"]) == keys | {"backing_folder_uuid"}
    (ontology,) = owner.get("ontologywithuserrole", "GET", None, {"filter": {}})
    assert set(ontology) == {"user_role", "user_email", "ontology"}
    keys = {"ontology_hash", "title", "description", "editor", "created_at", "last_edited_at"}
    assert set(ontology["ontology"]) == keys


def test_projects_come_in_pages_and_the_token_leads_through_all(encord_emulator: Emulator, owner: Person):
    made = [_project(owner, f"p{number}") for number in range(5)]
    encord_emulator.limits(page_size=2)
    seen, token = [], ""
    for _ in range(3):
        page = owner.rest("GET", "projects?titleLike=p%25" + (f"&pageToken={token}" if token else "")).json
        seen += [project["projectHash"] for project in page["results"]]
        token = page["nextPageToken"]
    assert (seen, token) == (made, None)
    assert owner.rest("GET", "projects?pageToken=nonsense").status == 400


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ("", ["Cats", "Dogs"]),
        ("titleEq=Cats", ["Cats"]),
        ("titleEq=cats", []),
        ("titleLike=%25og%25", ["Dogs"]),
        ("titleLike=Cat", []),
        ("descEq=about+cats", ["Cats"]),
        ("descLike=about%25", ["Cats", "Dogs"]),
        ("createdAfter=2026-01-15T00:00:00Z", ["Dogs"]),
        ("createdBefore=2026-01-15T00:00:00%2B00:00", ["Cats"]),
        ("tagsAnyof=prod&tagsAnyof=eu", []),
    ],
)
def test_filters_keep_what_matches(encord_emulator, owner, filters, found):
    for title, day in (("Cats", "10"), ("Dogs", "20")):
        encord_emulator.clock(now=f"2026-01-{day}T00:00:00Z")
        _project(owner, title, description=f"about {title.lower()}")
    encord_emulator.clock(now=None)
    results = owner.rest("GET", f"projects?{filters}").json["results"]
    assert [project["title"] for project in results] == found


def test_an_administrator_of_the_organisation_may_see_more_in_a_listing_but_opens_nothing(encord_emulator, owner):
    project = _project(owner, "Cats")
    head = Person(owner.url, "head@example.com")
    encord_emulator.authorize(head.public_key, email=head.email, role="ADMIN")
    assert head.rest("GET", "projects").json["results"] == []
    (seen,) = head.rest("GET", "projects?includeOrgAccess=True").json["results"]
    assert (seen["projectHash"], seen["userRole"]) == (project, None)
    assert head.rest("GET", f"projects/{project}").status == 403
    member = Person(owner.url, "member@example.com")
    encord_emulator.authorize(member.public_key, email=member.email)
    assert member.rest("GET", "projects?includeOrgAccess=True").json["results"] == []


def test_datasets_are_made_and_read_in_both_families(owner):
    new = owner.rest("POST", "datasets", {"title": "New", "createBackingFolder": False, "legacyCall": False}).json
    old = owner.get("dataset", "POST", None, {"title": "Old", "type": 1, "create_backing_folder": True})
    assert set(old) == {"title", "type", "dataset_hash", "user_hash", "backing_folder_uuid"}
    rows = owner.rest("GET", "datasets/list?descriptionEq=").json["result"]
    assert [(row["title"], row["storageLocation"], row["userRole"]) for row in rows] == [
        ("New", 0, "admin"),
        ("Old", 1, "admin"),
    ]
    read = owner.get("dataset", "GET", None, None, dataset=old["dataset_hash"])
    assert (read["dataset_type"], read["data_rows"]) == ("AWS_S3", [])
    assert owner.get("dataset", "GET", None, None, dataset=new["datasetUuid"])["backing_folder_uuid"] is None


def test_an_ontology_is_read_by_way_of_a_project_and_saved_only_by_its_administrator(encord_emulator, owner, newcomer):
    project = _project(owner, "Cats")
    uuid = owner.rest("GET", f"projects/{project}").json["ontologyHash"]
    whole = owner.get("ontology", "GET", uuid, None, project=project)
    assert owner.get("ontology", "PUT", uuid, {**whole, "title": "Renamed"}) is True
    assert owner.rest("GET", f"ontologies/{uuid}").json["title"] == "Renamed"
    other = newcomer("other@example.com")
    assert other.ask("ontology", "PUT", uuid, {**whole, "title": "Stolen"}).code == "AUTHORISATION_ERROR"
    body = {"title": "Stolen", "description": "", "editor": whole["editor"]}
    assert other.rest("PUT", f"ontologies/{uuid}", body).status == 403


def test_a_project_of_a_template_that_does_not_exist_is_not_made(encord_emulator, owner):
    request = {**MANUAL, "title": "t", "workflow_template_id": "abcdabcd-0000-4000-8000-000000000001"}
    assert owner.ask("project", "POST", None, request).code == "RESOURCE_NOT_FOUND_ERROR"
    assert encord_emulator.state()["projects"] == 0
    assert owner.rest("GET", "ontologies").json["results"] == [], "what it began is undone"
