"""People, groups, tags, statuses and copies of projects, as the SDKs handle them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.conftest import Account
from tests.sdk.environments import API_KEY_SDK, SSH_SDK
from tests.sdk.runner import run_sdk
from tests.sdk.street import Street, make_street
from tests.wire.server import Server

pytestmark = pytest.mark.sdk

COLLEAGUE, OUTSIDER = "colleague@example.com", "n+x@elsewhere.example.com"


@pytest.fixture(scope="module")
def street(owner: Account, pictures: dict[str, Path]) -> Street:
    return make_street(owner, pictures, "Team street")


@pytest.fixture(scope="module")
def ontology(owner: Account) -> str:
    return str(owner.run(SSH_SDK, "create_ontology", title="Team things")["ontology_hash"])


@pytest.fixture(scope="module")
def team(owner: Account, street: Street, ontology: str) -> dict[str, Any]:
    found: dict[str, Any] = owner.run(
        SSH_SDK,
        "team",
        project=street.project,
        dataset=street.dataset,
        ontology=ontology,
        colleague=COLLEAGUE,
        outsider=OUTSIDER,
    )
    return found


def test_a_user_of_the_organisation_is_added_once(team: dict[str, Any]) -> None:
    assert team["again"]["raised"] == "ResourceExistsError"
    assert team["members"][COLLEAGUE] == ["MEMBER", "internal"]
    assert team["members"]["owner@example.com"][0] == "ADMIN"


def test_a_group_has_users_of_the_organisation_only(team: dict[str, Any]) -> None:
    assert team["group"] == ["Annotators", "Who annotates", True]
    assert team["groups"] == ["Annotators"]
    assert team["in_group"] == team["listed_group"] == [COLLEAGUE]
    assert team["outsider"]["raised"] == "AuthorisationError"
    assert team["nowhere"]["raised"] == "ResourceNotFoundError"


def test_a_group_has_a_role_in_each_kind_of_resource(team: dict[str, Any]) -> None:
    group = team["group_hash"]
    assert team["granted"] == {
        "project": {group: "REVIEWER"},
        "dataset": {group: "ADMIN"},
        "ontology": {group: "USER"},
    }


def test_groups_tags_and_users_are_removed(team: dict[str, Any]) -> None:
    assert team["still_there"] == [False, False]
    assert team["emptied"] == []
    assert team["remaining"] == [["Annotators"], ["prod"], False]


def test_a_user_keeps_the_role_he_has_until_he_is_taken_out(team: dict[str, Any]) -> None:
    assert team["added"] == team["kept"] == {OUTSIDER: "ANNOTATOR"}
    assert team["of_project"] == {"owner@example.com": "ADMIN", OUTSIDER: "ANNOTATOR"}
    assert team["of_dataset"] == {"owner@example.com": "ADMIN", OUTSIDER: "USER"}
    assert team["left"] == [{"owner@example.com": "ADMIN"}, {"owner@example.com": "ADMIN"}]


def test_tags_are_unique_found_by_name_and_filter_projects(team: dict[str, Any]) -> None:
    assert team["taken"]["raised"] == "ResourceExistsError"
    assert (team["tagged"], team["by_tag"], team["untagged"]) == (["prod"], ["Team street"], [])
    assert team["missing"]["raised"] == "ResourceNotFoundError"
    assert team["issue_tags"] == ["blurred", "dark"]


def test_status_branches_and_titles_are_as_they_were_set(team: dict[str, Any]) -> None:
    assert (team["status"], team["branches"], team["renamed"]) == ("inReview", ["main"], "Renamed")


def test_who_has_a_project_by_a_group_sees_it_with_its_ontology_and_changes_nothing(
    new_account: Callable[[str], Account], street: Street, team: dict[str, Any]
) -> None:
    colleague = new_account(COLLEAGUE)

    seen = colleague.run(SSH_SDK, "use_as_colleague", project=street.project, stranger="s@example.com")

    assert (seen["title"], seen["role"], seen["listed"]) == ("Team street", "REVIEWER", ["Team street"])
    assert seen["rows"] == 4
    assert seen["objects"]
    refused = ("add a user", "set the status", "copy", "make a group", "add to the organisation", "make a tag")
    assert {what: seen[what]["raised"] for what in refused} == dict.fromkeys(refused, "AuthorisationError")


@pytest.fixture(scope="module")
def copies(owner: Account, server: Server) -> dict[str, Any]:
    """What each copy has of a project of three images, two labelled, one of them done."""
    made = server.control("POST", "projects", {"owner": owner.email, "title": "Original", "rows": 3})
    data = made["data_hashes"]
    for data_hash, advance in zip(data, ["none", "complete"], strict=False):
        wanted = {"project_hash": made["project_hash"], "data_hashes": [data_hash], "advance": advance}
        server.control("POST", "annotate", {**wanted, "objects_per_row": 2})
    found: dict[str, Any] = owner.run(
        SSH_SDK, "copy_project", project=made["project_hash"], dataset=made["dataset_hash"], data=data[1:]
    )
    return {**found, **made}


def test_a_bare_copy_has_the_ontology_and_the_stages_and_nothing_else(copies: dict[str, Any]) -> None:
    bare = copies["bare"]
    assert (bare["title"], bare["description"], bare["ontology"]) == ("Bare", "nothing", copies["ontology_hash"])
    assert (bare["datasets"], bare["rows"], bare["users"]) == ([], 0, {"owner@example.com": "ADMIN"})
    assert bare["stages"] == ["Annotate", "Review", "Complete"]
    assert "Original" in copies["untitled"]["title"]


def test_attached_datasets_are_the_same_ones_with_tasks_in_the_first_stage(copies: dict[str, Any]) -> None:
    attached = copies["attached"]
    assert [dataset[0] for dataset in attached["datasets"]] == [copies["dataset_hash"]]
    assert (attached["rows"], attached["labelled"], attached["first"]) == (3, [], ["Annotate"])


def test_labels_go_along_as_rows_of_their_own_and_as_filtered(copies: dict[str, Any]) -> None:
    whole, one, approved = copies["with labels"], copies["one label"], copies["approved"]
    assert (len(whole["labelled"]), whole["objects"]) == (2, 4)
    assert not set(whole["label_hashes"]) & set(copies["originals"])
    assert (len(one["labelled"]), one["objects"]) == (1, 2)
    assert (len(approved["labelled"]), approved["objects"]) == (1, 2)


def test_a_cloned_dataset_has_the_chosen_data_and_their_labels(copies: dict[str, Any]) -> None:
    cloned = copies["cloned"]
    assert [dataset[1] for dataset in cloned["datasets"]] == ["Cloned"]
    assert cloned["datasets"][0][0] != copies["dataset_hash"]
    assert (cloned["rows"], len(cloned["labelled"]), cloned["objects"]) == (2, 1, 2)


def test_api_keys_add_users_extend_the_ontology_and_copy(owner: Account, server: Server, street: Street) -> None:
    keys = owner.run(API_KEY_SDK, "create_keys", project=street.project, dataset=street.dataset)

    done = run_sdk(
        API_KEY_SDK,
        "manage_with_keys",
        url=server.url,
        project=street.project,
        project_key=keys["project_keys"]["all"],
        dataset=street.dataset,
        dataset_key=keys["dataset_keys"]["all"],
        email="by-key@example.com",
    )

    assert done["added"] == done["again"] == [["by-key@example.com", "ANNOTATOR"]]
    assert done["in_dataset"] == [["by-key@example.com", "USER"]]
    assert (done["object"], done["classification"]) == (True, True)
    assert (done["structure"]["objects"][-1], done["structure"]["classifications"][-1]) == ("Tram", "Time of day")
    assert len(done["copy"]) == 36
