"""API keys of projects and datasets, made and used by the last SDK that knows them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.conftest import Account
from tests.sdk.environments import API_KEY_SDK, SSH_SDK
from tests.sdk.runner import run_sdk
from tests.sdk.street import IMAGES, RICH, VIDEO, Street, make_street
from tests.wire.server import Server

pytestmark = pytest.mark.sdk

PROJECT_SCOPES = {"label.read", "label.write", "model.inference", "model.train", "label_logs.read", "algo.library"}
DATASET_SCOPES = {"dataset.read", "dataset.write"}
TITLES = sorted([*IMAGES, VIDEO])


@pytest.fixture(scope="module")
def street(owner: Account, pictures: dict[str, Path]) -> Street:
    return make_street(owner, pictures, "Keys")


@pytest.fixture(scope="module")
def keys(owner: Account, street: Street) -> dict[str, Any]:
    return owner.run(API_KEY_SDK, "create_keys", project=street.project, dataset=street.dataset)


@pytest.fixture(scope="module")
def by_key(
    owner: Account, server: Server, street: Street, keys: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What a script saw and did with a project key of every scope."""
    bucket = str(tmp_path_factory.mktemp("bucket"))
    server.control("POST", "buckets", {"integration": "lake", "url": "s3://lake/in", "directory": bucket})
    feature, attribute = street.classification("Note")
    return run_sdk(
        API_KEY_SDK,
        "project_with_key",
        url=server.url,
        project=street.project,
        api_key=keys["project_keys"]["all"],
        feature=street.feature("Car"),
        note={"feature": feature, "attribute": attribute},
    )


def test_a_key_is_made_for_every_scope_and_listed_with_it(keys: dict[str, Any]) -> None:
    listed = {key["api_key"]: set(key["scopes"]) for key in keys["listed_project_keys"]}
    assert listed == {keys["project_keys"][scope]: {scope} for scope in PROJECT_SCOPES} | {
        keys["project_keys"]["all"]: PROJECT_SCOPES
    }
    listed = {key["api_key"]: set(key["scopes"]) for key in keys["listed_dataset_keys"]}
    assert listed == {keys["dataset_keys"][scope]: {scope} for scope in DATASET_SCOPES} | {
        keys["dataset_keys"]["all"]: DATASET_SCOPES
    }


def test_a_key_of_every_scope_is_found_instead_of_made_again(keys: dict[str, Any]) -> None:
    assert keys["found_project_key"] == keys["project_keys"]["all"]
    assert keys["found_dataset_key"] == keys["dataset_keys"]["all"]


def test_a_project_key_reads_its_project_with_ontology_datasets_and_rows(
    by_key: dict[str, Any], street: Street
) -> None:
    assert by_key["client"] == "EncordClientProject"
    assert by_key["title"] == "Keys"
    assert by_key["ontology_objects"] == [one["name"] for one in street.structure["objects"]]
    assert [dataset["dataset_hash"] for dataset in by_key["datasets"]] == [street.dataset]
    assert by_key["project_label_rows"] == 4
    assert not by_key["without_label_rows"]


def test_a_project_key_lists_rows_with_and_without_labels(by_key: dict[str, Any]) -> None:
    assert by_key["listed"] == TITLES
    assert by_key["labelled"] == []


def test_a_project_key_creates_saves_and_reads_a_row(by_key: dict[str, Any], owner: Account) -> None:
    assert by_key["saved"] is True
    assert by_key["read"]["label_hash"] == by_key["created"]
    assert by_key["read_many"] == [by_key["read"]]
    (unit,) = by_key["read"]["data_units"].values()
    (box,) = unit["labels"]["objects"]
    assert (box["objectHash"], box["boundingBox"]) == ("k3yB0x+/", {"h": 0.1, "w": 0.2, "x": 0.3, "y": 0.4})
    (note,) = unit["labels"]["classifications"]
    assert note["classificationHash"] == "k3yN0te0"
    assert by_key["read"]["classification_answers"]["k3yN0te0"]["classifications"][0]["answers"] == "by key"


def test_what_a_project_key_saved_is_read_with_an_ssh_key_by_the_newest_sdk(
    owner: Account, street: Street, by_key: dict[str, Any]
) -> None:
    row = owner.run(SSH_SDK, "read_labels", project=street.project)[by_key["data_title"]]

    assert [(one["name"], one["frames"]["0"]["coordinates"]["w"]) for one in row["objects"]] == [("Car", 0.2)]
    assert [(classification["answers"], classification["frames"]) for classification in row["classifications"]] == [
        ({"Note": "by key"}, [0])
    ]


def test_any_key_lists_cloud_integrations(by_key: dict[str, Any]) -> None:
    assert [integration["title"] for integration in by_key["integrations"]] == ["lake"]


def test_a_project_key_attaches_and_detaches_datasets(
    owner: Account, server: Server, street: Street, keys: dict[str, Any]
) -> None:
    other = owner.run(SSH_SDK, "create_dataset", title="Other")["dataset_hash"]

    seen = run_sdk(
        API_KEY_SDK,
        "attach_with_key",
        url=server.url,
        project=street.project,
        api_key=keys["project_keys"]["all"],
        dataset=other,
    )

    assert seen["before"] == seen["after_removing"] == [street.dataset]
    assert seen["after_adding"] == sorted([street.dataset, other])
    assert seen["added"] is seen["removed"] is True


def test_a_dataset_key_reads_lists_and_uploads(owner: Account, server: Server, pictures: dict[str, Path]) -> None:
    dataset = owner.run(SSH_SDK, "create_dataset", title="By key", mirror="yes")["dataset_hash"]
    project = owner.run(SSH_SDK, "create_project", title="By key", dataset=[dataset])["project_hash"]
    keys = owner.run(API_KEY_SDK, "create_keys", project=project, dataset=dataset)

    seen = run_sdk(
        API_KEY_SDK,
        "dataset_with_key",
        url=server.url,
        dataset=dataset,
        api_key=keys["dataset_keys"]["all"],
        image=pictures["lane 640x480.jpg"],
        video=pictures[VIDEO],
    )

    assert (seen["client"], seen["title"], seen["before"]) == ("EncordClientDataset", "By key", 0)
    assert seen["image"]["title"] == "lane 640x480.jpg"
    assert (seen["renamed"]["title"], seen["video"]["title"]) == ("Renamed.jpg", VIDEO)
    rows = {row["uid"]: row for row in seen["rows"]}
    assert rows.keys() == {seen[one]["data_hash"] for one in ("image", "renamed", "video")}
    image = rows[seen["image"]["data_hash"]]
    assert (image["width"], image["height"], image["file_type"]) == (640, 480, "image/jpeg")
    assert seen["images"] == ["Renamed.jpg", "lane 640x480.jpg"]
    assert seen["like"] == ["Renamed.jpg"]
    assert isinstance(seen["integrations"], list)


@pytest.fixture(scope="module")
def refusals(
    owner: Account,
    server: Server,
    street: Street,
    keys: dict[str, Any],
    by_key: dict[str, Any],
    pictures: dict[str, Path],
    new_account: Callable[[str], Account],
) -> dict[str, dict[str, dict[str, Any]]]:
    """Every operation tried with every kind of key: outcome by key and operation."""
    rows = owner.run(SSH_SDK, "list_label_rows", project=street.project, filters={"all": {}})["all"]
    fresh = next(row for row in rows if not row["label_hash"])
    foreign = new_account("stranger@example.com").run(SSH_SDK, "create_dataset", title="Not theirs")["dataset_hash"]
    tried = {scope: [street.project, key] for scope, key in keys["project_keys"].items() if scope != "all"}
    tried |= {scope: [street.dataset, key] for scope, key in keys["dataset_keys"].items() if scope != "all"}
    tried["wrong key"] = [street.project, "no-such-key"]
    tried["project key at dataset"] = [street.dataset, keys["project_keys"]["all"]]
    tried["dataset key at project"] = [street.project, keys["dataset_keys"]["all"]]
    return run_sdk(
        API_KEY_SDK,
        "key_refusals",
        url=server.url,
        keys=tried,
        label_hash=by_key["created"],
        data_hash=fresh["data_hash"],
        dataset=foreign,
        image=pictures[RICH],
    )


NOT_ALLOWED = "OperationNotAllowed"


@pytest.mark.parametrize(
    ("scope", "operation", "outcome"),
    [
        ("label.read", "list rows", None),
        ("label.read", "read row", None),
        ("label.read", "create row", NOT_ALLOWED),
        ("label.read", "save row", NOT_ALLOWED),
        ("label.read", "complete row", NOT_ALLOWED),
        ("label.write", "read row", NOT_ALLOWED),
        ("model.train", "read row", NOT_ALLOWED),
        ("model.train", "save row", NOT_ALLOWED),
        ("label_logs.read", "create row", NOT_ALLOWED),
        ("algo.library", "read row", NOT_ALLOWED),
        ("dataset.read", "read dataset", None),
        ("dataset.read", "list data rows", None),
        ("dataset.read", "upload image", NOT_ALLOWED),
        ("dataset.write", "upload image", None),
    ],
)
def test_a_scope_allows_what_it_says_and_nothing_else(
    refusals: dict[str, dict[str, dict[str, Any]]], scope: str, operation: str, outcome: str | None
) -> None:
    assert refusals[scope][operation]["raised"] == outcome


@pytest.mark.parametrize("case", ["wrong key", "project key at dataset", "dataset key at project"])
def test_a_key_that_does_not_belong_to_the_resource_does_not_even_connect(
    refusals: dict[str, dict[str, dict[str, Any]]], case: str
) -> None:
    assert list(refusals[case]) == ["initialise"]
    expected = {"AuthenticationError"} if case == "wrong key" else {"AuthenticationError", "AuthorisationError"}
    assert refusals[case]["initialise"]["raised"] in expected


def test_no_key_attaches_a_dataset_that_its_maker_cannot_see(
    refusals: dict[str, dict[str, dict[str, Any]]],
) -> None:
    raised = {refusals[scope]["attach dataset"]["raised"] for scope in PROJECT_SCOPES}
    assert raised <= {NOT_ALLOWED, "AuthorisationError", "ResourceNotFoundError"}


def test_an_api_key_sends_nothing_to_v2(refusals: dict[str, dict[str, dict[str, Any]]]) -> None:
    assert refusals["label.read"]["use v2"]["raised"] == "EncordException"


def test_a_dataset_client_refuses_a_project_key(
    owner: Account, server: Server, street: Street, keys: dict[str, Any]
) -> None:
    outcome = run_sdk(
        API_KEY_SDK,
        "dataset_client_with_project_key",
        url=server.url,
        resource=street.project,
        api_key=keys["project_keys"]["all"],
    )
    assert outcome["raised"] == "RuntimeError"


def test_the_journal_holds_no_key(server: Server, owner: Account, keys: dict[str, Any], by_key: dict[str, Any]) -> None:
    journal = str(server.control("GET", "journal"))
    secrets = [*keys["project_keys"].values(), *keys["dataset_keys"].values()]
    secrets += owner.key_file.read_text().splitlines()[1:-1]
    assert "api_key:" in journal
    assert not [secret for secret in secrets if secret in journal]
