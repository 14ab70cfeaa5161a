"""What the newest SDK makes of the emulator's refusals; bearer tokens; cloud integrations."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.conftest import Account
from tests.sdk.environments import API_KEY_SDK, SSH_SDK
from tests.sdk.runner import run_sdk
from tests.sdk.street import Street, make_street
from tests.wire.server import Server
from tests.wire.signing import Key

pytestmark = pytest.mark.sdk

V1 = {"list projects, v1", "get project, v1", "list label rows", "get dataset"}
CREATING_V1 = {"create project on dataset", "create project with ontology"}
OF_A_RESOURCE = {"get project", "get project, v1", "list label rows", "get dataset", "get ontology", *CREATING_V1}


@pytest.fixture(scope="module")
def street(owner: Account, pictures: dict[str, Path]) -> Street:
    return make_street(owner, pictures, "Refusals")


@pytest.fixture(scope="module")
def ontology(owner: Account) -> str:
    return str(owner.run(SSH_SDK, "create_ontology", title="Not yours")["ontology_hash"])


@pytest.mark.parametrize("version", [SSH_SDK, API_KEY_SDK])
def test_a_key_that_no_one_registered_is_refused_everywhere(server: Server, tmp_path: Path, version: str) -> None:
    (tmp_path / "id").write_bytes(Key().private_openssh())
    before = server.control("GET", "state")

    outcome = run_sdk(version, "refusals", url=server.url, key_file=tmp_path / "id")

    raised = {what: one["raised"] for what, one in outcome.items()}
    assert set(raised.values()) == {"SshKeyNotFound", "AuthenticationError"}
    if version == SSH_SDK:
        assert {what for what, name in raised.items() if name == "SshKeyNotFound"} == V1 | CREATING_V1
    after = server.control("GET", "state")
    assert {**after, "now": None} == {**before, "now": None}


@pytest.mark.parametrize("version", [SSH_SDK, API_KEY_SDK])
def test_what_belongs_to_another_user_is_refused_as_not_allowed(
    new_account: Callable[[str], Account], street: Street, ontology: str, version: str
) -> None:
    stranger = new_account(f"stranger-{version}@example.com")

    outcome = stranger.run(version, "refusals", project=street.project, dataset=street.dataset, ontology=ontology)

    assert {what: outcome[what]["raised"] for what in OF_A_RESOURCE} == dict.fromkeys(
        OF_A_RESOURCE, "AuthorisationError"
    )
    assert outcome["list projects, v1"]["result"] == "[]"


def test_what_does_not_exist_is_not_found_or_not_allowed(owner: Account) -> None:
    outcome = owner.run(SSH_SDK, "refusals")

    assert {outcome[what]["raised"] for what in OF_A_RESOURCE} <= {"ResourceNotFoundError", "AuthorisationError"}


def test_a_bearer_token_is_as_good_as_the_key_and_a_changed_one_is_not(
    owner: Account, server: Server, street: Street
) -> None:
    server.control("DELETE", "journal")

    seen = owner.run(SSH_SDK, "sign_in_with_token", project=street.project, dataset=street.dataset)

    assert seen["token"] is True
    assert (seen["title"], seen["rows"], seen["dataset"]) == ("Refusals", 4, "Refusals")
    assert seen["broken_v1"]["raised"] == seen["broken_v2"]["raised"] == "AuthenticationError"
    credentials = {entry["credential"] for entry in server.control("GET", "journal")["entries"]}
    assert "bearer" in credentials


def test_cloud_integrations_are_listed_and_filtered(owner: Account, server: Server, tmp_path: Path) -> None:
    bucket = {"integration": "lake", "url": "s3://lake/in", "directory": str(tmp_path)}
    lake = server.control("POST", "buckets", bucket)["integrationUuid"]
    server.control("POST", "buckets", {**bucket, "integration": "pond", "url": "s3://pond/in"})

    seen: dict[str, Any] = owner.run(SSH_SDK, "cloud_integrations", title="lake")

    assert sorted(one["title"] for one in seen["every"]) == ["lake", "pond"]
    assert seen["by_title"] == seen["by_id"] == [{"id": lake, "title": "lake"}]
    assert seen["none"] == []
