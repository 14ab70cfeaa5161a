"""Datasets, ontologies and projects, made and listed by the newest SDK with an SSH key."""

import datetime
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.sdk.conftest import Account
from tests.sdk.environments import SSH_SDK
from tests.wire.server import Server

pytestmark = pytest.mark.sdk

DAY = datetime.timedelta(days=1)


def iso(moment: datetime.datetime) -> str:
    return moment.isoformat(timespec="seconds")


NOW = datetime.datetime.now(datetime.UTC)

TEMPLATE = {
    "title": "Label, let a model look, review",
    "stages": [
        {"stageType": "ANNOTATION", "title": "Label", "next": "Look"},
        {
            "stageType": "AGENT",
            "title": "Look",
            "pathways": [{"title": "good", "to": "Finished"}, {"title": "bad", "to": "Check"}],
        },
        {"stageType": "REVIEW", "title": "Check", "next": "Finished", "reject_to": "Label"},
        {"stageType": "DONE", "title": "Finished"},
    ],
}


@pytest.fixture(scope="module")
def dataset(owner: Account) -> dict[str, Any]:
    return owner.run(SSH_SDK, "create_dataset", title="Plain street", description="from the car")


@pytest.fixture(scope="module")
def mirror(owner: Account) -> dict[str, Any]:
    return owner.run(SSH_SDK, "create_dataset", title="Mirrored street", mirror="yes")


@pytest.fixture(scope="module")
def ontology(owner: Account) -> dict[str, Any]:
    return owner.run(SSH_SDK, "create_ontology", title="Street things", description="all of them")


@pytest.fixture(scope="module")
def project(owner: Account, dataset: dict[str, Any], ontology: dict[str, Any]) -> dict[str, Any]:
    return owner.run(
        SSH_SDK,
        "create_project",
        title="Street 1",
        description="the first",
        dataset=[dataset["dataset_hash"]],
        ontology=ontology["ontology_hash"],
    )


@pytest.fixture(scope="module")
def template(server: Server) -> dict[str, Any]:
    return server.control("POST", "templates", TEMPLATE)


@pytest.fixture(scope="module")
def templated(owner: Account, template: dict[str, Any]) -> dict[str, Any]:
    return owner.run(SSH_SDK, "create_project", title="Street 2", template=template["uuid"])


@pytest.fixture(scope="module")
def everything(project: Any, templated: Any, mirror: Any) -> None:
    """Two projects, two datasets, and the ontologies that go with them."""


def test_a_mirror_dataset_has_a_folder_and_a_plain_one_has_none(
    dataset: dict[str, Any], mirror: dict[str, Any]
) -> None:
    assert dataset["backing_folder_uuid"] is None
    assert uuid.UUID(mirror["backing_folder_uuid"])


def test_an_ontology_comes_back_exactly_as_it_was_sent(ontology: dict[str, Any]) -> None:
    assert ontology["made"] == ontology["sent"]
    assert ontology["read"] == ontology["sent"]
    assert (ontology["title"], ontology["description"]) == ("Street things", "all of them")


def test_an_ontology_that_is_saved_again_is_changed(owner: Account) -> None:
    made = owner.run(SSH_SDK, "create_ontology", title="To be renamed")
    changed = owner.run(SSH_SDK, "change_ontology", ontology=made["ontology_hash"], title="Renamed")

    assert changed["title"] == "Renamed"
    assert changed["objects"][-1] == "Bus"
    assert len(changed["objects"]) == len(made["sent"]["objects"]) + 1
    assert changed["edited_later"]


def test_a_project_has_what_it_was_made_of(
    project: dict[str, Any], dataset: dict[str, Any], ontology: dict[str, Any]
) -> None:
    assert (project["title"], project["description"]) == ("Street 1", "the first")
    assert project["project_type"] == "workflow"
    assert project["datasets"] == [dataset["dataset_hash"]]
    assert project["ontology_hash"] == ontology["ontology_hash"]
    assert project["structure"] == ontology["sent"]


def test_a_project_without_a_template_gets_annotate_review_complete(project: dict[str, Any]) -> None:
    assert [(stage["title"], stage["type"]) for stage in project["stages"]] == [
        ("Annotate", "ANNOTATION"),
        ("Review", "REVIEW"),
        ("Complete", "DONE"),
    ]


def test_a_project_made_from_a_template_has_the_stages_of_the_template(templated: dict[str, Any]) -> None:
    assert [(stage["title"], stage["type"]) for stage in templated["stages"]] == [
        ("Label", "ANNOTATION"),
        ("Look", "AGENT"),
        ("Check", "REVIEW"),
        ("Finished", "DONE"),
    ]


def test_a_project_without_an_ontology_gets_an_empty_one_of_its_own(
    templated: dict[str, Any], project: dict[str, Any]
) -> None:
    assert templated["structure"]["objects"] == templated["structure"]["classifications"] == []
    assert templated["ontology_hash"] != project["ontology_hash"]
    assert templated["datasets"] == []


FILTERS = {
    "all": ({"title_like": "%treet%"}, 2),
    "one title": ({"title_eq": None}, 1),
    "no such title": ({"title_eq": "Street"}, 0),
    "beginning": ({"title_like": "%treet%", "created_after": iso(NOW - DAY)}, 2),
    "made later": ({"created_after": iso(NOW + DAY)}, 0),
    "made before": ({"title_like": "%treet%", "created_before": iso(NOW + DAY)}, 2),
    "made long before": ({"created_before": iso(NOW - DAY)}, 0),
    "edited later": ({"edited_after": iso(NOW + DAY)}, 0),
    "edited before": ({"title_like": "%treet%", "edited_before": iso(NOW + DAY)}, 2),
    "description": ({"title_like": "%treet%", "desc_eq": "no such description"}, 0),
    "like description": ({"desc_like": "%no such%"}, 0),
}


@pytest.fixture(scope="module")
def listed(owner: Account, everything: None) -> dict[str, dict[str, list[str]]]:
    owner.run(SSH_SDK, "create_ontology", title="Street things, others")
    titles = {
        "projects": "Street 1",
        "projects_v1": "Street 1",
        "datasets": "Plain street",
        "ontologies": "Street things",
    }
    descriptions = {
        "projects": "the first",
        "projects_v1": "the first",
        "datasets": "from the car",
        "ontologies": "all of them",
    }
    questions = {}
    for listing, title in titles.items():
        like = {"title_like": "%treet things%"} if listing == "ontologies" else {}
        asked = {
            name: {**filters, **(like if "title_like" in filters else {})} for name, (filters, _) in FILTERS.items()
        }
        asked["one title"] = {"title_eq": title}
        asked["its description"] = {"desc_eq": descriptions[listing], "title_eq": title}
        asked["like its description"] = {"desc_like": f"{descriptions[listing][:5]}%", "title_eq": title}
        questions[listing] = asked
    return owner.run(SSH_SDK, "list_resources", filters=questions)


@pytest.mark.parametrize("listing", ["projects", "projects_v1", "datasets", "ontologies"])
@pytest.mark.parametrize("question", [*FILTERS, "its description", "like its description"])
def test_a_listing_obeys_its_filters(listed: dict[str, dict[str, list[str]]], listing: str, selection: str) -> None:
    expected = FILTERS[selection][1] if selection in FILTERS else 1
    assert len(listed[listing][selection]) == expected, listed[listing][selection]


def test_listings_show_roles_times_and_ids(
    owner: Account, everything: None, project: dict[str, Any], dataset: dict[str, Any], ontology: dict[str, Any]
) -> None:
    details = owner.run(SSH_SDK, "list_details", like="%treet%")

    found = {one["project_hash"]: one for one in details["projects"]}[project["project_hash"]]
    assert found["creator"] == owner.email
    assert found["role"] == 0
    assert found["ontology_hash"] == ontology["ontology_hash"]
    assert abs(found["created_at"] - NOW.timestamp()) < 3600
    assert found["last_edited_at"] >= found["created_at"]
    assert project["project_hash"] in {one["project_hash"] for one in details["projects_v1"]}
    found = {one["dataset_hash"]: one for one in details["datasets"]}[dataset["dataset_hash"]]
    assert (found["description"], found["role"]) == ("from the car", 0)
    found = {one["ontology_hash"]: one for one in details["ontologies"]}[ontology["ontology_hash"]]
    assert found["structure"] == ontology["sent"]


def test_a_paged_listing_loses_nothing(owner: Account, server: Server, everything: None) -> None:
    selection = {"projects": {"all": {"title_like": "%treet%"}}}
    server.control("POST", "limits", {"page_size": 1})
    try:
        assert owner.run(SSH_SDK, "list_resources", filters=selection)["projects"]["all"] == ["Street 1", "Street 2"]
    finally:
        server.control("POST", "limits", {"page_size": 100})


def test_a_stranger_sees_none_of_it(new_account: Callable[[str], Account], everything: None) -> None:
    stranger = new_account("stranger@example.com")
    questions = {listing: {"all": {}} for listing in ("projects", "projects_v1", "datasets", "ontologies")}

    found = stranger.run(SSH_SDK, "list_resources", filters=questions)

    assert found == {listing: {"all": []} for listing in questions}


def test_reading_and_listing_send_nothing_that_changes(owner: Account, server: Server, everything: None) -> None:
    server.control("DELETE", "journal")
    owner.run(SSH_SDK, "list_details", like="%")
    entries = server.control("GET", "journal")["entries"]

    assert len(entries) >= 4
    assert not [entry for entry in entries if entry["changes"]]


def test_attaching_a_dataset_brings_its_rows_and_detaching_takes_them_away(
    owner: Account, server: Server, project: dict[str, Any]
) -> None:
    seeded = server.control("POST", "projects", {"owner": owner.email, "title": "Seeded", "rows": 3, "kind": "image"})
    before = project["datasets"]

    seen = owner.run(SSH_SDK, "datasets_of_project", project=project["project_hash"], dataset=seeded["dataset_hash"])

    assert seen["before"] == {"datasets": before, "rows": []}
    assert seen["added"] is True
    assert seen["after_adding"]["datasets"] == sorted([*before, seeded["dataset_hash"]])
    assert len(seen["after_adding"]["rows"]) == 3
    assert seen["after_removing"] == seen["before"]
