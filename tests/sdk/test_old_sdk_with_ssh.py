"""The last SDK with API keys, signed in with an SSH key: most of what it does goes by v1 where the newest uses v2."""

from pathlib import Path
from typing import Any

import pytest

from tests.sdk.conftest import Account
from tests.sdk.environments import API_KEY_SDK, SSH_SDK
from tests.sdk.street import IMAGES, VIDEO, Street, make_street
from tests.wire.server import Server

pytestmark = pytest.mark.sdk

TITLES = sorted([*IMAGES, VIDEO])


@pytest.fixture(scope="module")
def street(owner: Account, pictures: dict[str, Path]) -> Street:
    return make_street(owner, pictures, "Old street", version=API_KEY_SDK, numeric=False)


def test_what_it_makes_is_there_for_the_newest_sdk(owner: Account, street: Street) -> None:
    details = owner.run(SSH_SDK, "list_details", like="Old%")

    assert [project["project_hash"] for project in details["projects"]] == [street.project]
    assert [dataset["dataset_hash"] for dataset in details["datasets"]] == [street.dataset]
    (ontology,) = details["ontologies"]
    assert features(ontology["structure"]) == features(street.structure)


def features(structure: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Id, name and feature hash of everything in an ontology; the newer SDK adds keys of its own to each."""
    found, ahead = [], [*structure["objects"], *structure["classifications"]]
    while ahead:
        one = ahead.pop(0)
        found.append((one["id"], one.get("name", one.get("label", "")), one["featureNodeHash"]))
        ahead += [*one.get("attributes", []), *one.get("options", [])]
    return found


def test_it_lists_rows_of_a_dataset_and_of_a_project(owner: Account, street: Street) -> None:
    filters: dict[str, Any] = {"videos": {"data_types": ["VIDEO"]}, "jpegs": {"title_like": "%.jpg"}}
    data = owner.run(API_KEY_SDK, "list_data_rows", dataset=street.dataset, filters=filters)
    rows = owner.run(API_KEY_SDK, "list_label_rows", project=street.project, filters={"all": {}})["all"]

    assert sorted(row["title"] for row in data["rows"]) == TITLES
    assert data["listed"] == {"videos": [VIDEO], "jpegs": ["kerb 65x33.jpg", "lane 640x480.jpg"]}
    assert [row["data_title"] for row in rows] == TITLES
    assert {row["stage"] for row in rows} == {"Annotate"}


def test_its_listings_obey_their_filters(owner: Account, street: Street) -> None:
    asked = {"one": {"title_eq": "Old street"}, "like": {"title_like": "Old%"}, "none": {"title_eq": "Old"}}
    asked["later"] = {"created_after": "2100-01-01"}

    found = owner.run(
        API_KEY_SDK, "list_resources", filters=dict.fromkeys(("projects_v1", "datasets", "ontologies"), asked)
    )

    for listed in found.values():
        assert listed == {"one": ["Old street"], "like": ["Old street"], "none": [], "later": []}


def test_it_saves_an_ontology(owner: Account) -> None:
    made = owner.run(SSH_SDK, "create_ontology", title="For the old one", numeric="no")
    changed = owner.run(API_KEY_SDK, "change_ontology", ontology=made["ontology_hash"], title="Changed by the old one")

    assert changed["title"] == "Changed by the old one"
    assert changed["objects"][-1] == "Bus"


def test_it_attaches_moves_and_signs_in_with_a_token(owner: Account, server: Server, street: Street) -> None:
    other = owner.run(SSH_SDK, "create_dataset", title="To attach")["dataset_hash"]
    owner.run(API_KEY_SDK, "write_labels", project=street.project)

    attached = owner.run(API_KEY_SDK, "datasets_of_project", project=street.project, dataset=other)
    first, second = IMAGES[0], IMAGES[1]
    start, completed, reopened = owner.run(API_KEY_SDK, "move_rows", project=street.project, title=[first, second])
    token = owner.run(API_KEY_SDK, "sign_in_with_token", project=street.project, dataset=street.dataset)

    assert attached["after_adding"]["datasets"] == sorted([street.dataset, other])
    assert completed == {**start, first: "Complete", second: "Complete"}
    assert reopened == {**completed, first: "Annotate"}
    assert (token["title"], token["rows"]) == ("Old street", 4)
