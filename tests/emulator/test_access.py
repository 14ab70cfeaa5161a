"""Who may do what: members, API keys with scopes, bearer tokens, and no one else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from encord_emulator.process import Emulator
from encord_emulator.requests.operations import V1
from encord_emulator.routes import OPERATIONS
from tests.emulator.callers import KeyHolder, Person, envelope, send


def _key(owner: Person, made: dict[str, Any], scopes: list[str]) -> KeyHolder:
    key = owner.get("projectapikey", "POST", made["project_id"], {"title": "k", "scopes": scopes})
    return KeyHolder(owner.url, made["project_id"], key)


def _dataset_key(owner: Person, made: dict[str, Any], scopes: list[str]) -> KeyHolder:
    payload = {"dataset_hash": made["dataset_id"], "title": "k", "scopes": scopes}
    answer = owner.get("datasetapikey", "POST", None, payload)
    return KeyHolder(owner.url, made["dataset_id"], answer["api_key"])


@pytest.fixture(scope="module")
def encord_emulator() -> Iterator[Emulator]:
    """One emulator for all tests here: none of them minds what another left behind."""
    with Emulator.start() as emulator:
        yield emulator


@pytest.fixture
def made(encord_emulator: Emulator, owner: Person) -> dict[str, Any]:
    return encord_emulator.project(owner=owner.email, title="Cats", rows=3, created=1.0)


def test_another_user_sees_nothing_of_a_project_he_is_no_member_of(made, newcomer):
    other = newcomer("other@example.com")
    project, dataset = made["project_id"], made["dataset_id"]
    assert other.rest("GET", f"projects/{project}").status == 403
    assert other.rest("GET", f"projects/{project}/datasets").status == 403
    assert other.rest("GET", f"ontologies/{made['ontology_id']}").status == 403
    assert other.ask("project", "GET", None, None, project=project).code == "AUTHORISATION_ERROR"
    assert other.ask("labelrowmetadata", "GET", None, None, project=project).code == "AUTHORISATION_ERROR"
    assert other.ask("dataset", "GET", None, None, dataset=dataset).code == "AUTHORISATION_ERROR"
    assert other.rest("GET", "projects").json["results"] == []
    assert other.get("projectwithuserrole", "GET", None, {"filter": {}}) == []
    request = {"title": "t", "description": "", "dataset_hashes": [dataset], "workflow_type": "manual"}
    assert other.ask("project", "POST", None, request).code == "AUTHORISATION_ERROR"


def test_what_does_not_exist_is_not_found(owner):
    nowhere = "aaaaaaaa-0000-4000-8000-000000000001"
    assert owner.rest("GET", f"projects/{nowhere}").status == 404
    assert owner.ask("project", "GET", None, None, project=nowhere).code == "RESOURCE_NOT_FOUND_ERROR"
    assert owner.rest("GET", "projects/not-a-uuid").status == 422


def test_an_api_key_says_what_it_belongs_to(made, owner):
    assert _key(owner, made, []).ask("apikeymeta", "GET").json["response"]["resource_type"] == "project"
    assert _dataset_key(owner, made, []).ask("apikeymeta", "GET").json["response"]["resource_type"] == "dataset"


def test_an_api_key_opens_its_own_resource_and_only_on_public(encord_emulator, made, owner):
    holder = _key(owner, made, ["label.read", "label.write"])
    assert holder.ask("labelrowmetadata", "GET").code is None
    assert holder.ask("projectwithuserrole", "GET", None, {"filter": {}}, "/public/user").code == "AUTHENTICATION_ERROR"
    assert send(owner.url, "GET", "/v2/public/projects", {"Authorization": holder.api_key}).status == 401
    elsewhere = KeyHolder(owner.url, made["dataset_id"], holder.api_key)
    assert elsewhere.ask("apikeymeta", "GET").code == "AUTHORISATION_ERROR"
    assert KeyHolder(owner.url, made["project_id"], "made-up").ask("apikeymeta", "GET").code == "AUTHENTICATION_ERROR"
    wrong = holder.api_key[:-1] + ("A" if holder.api_key[-1] != "A" else "B")
    assert KeyHolder(owner.url, made["project_id"], wrong).ask("apikeymeta", "GET").code == "AUTHENTICATION_ERROR"


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if isinstance(one, V1)], ids=lambda one: one.name)
def test_an_api_key_without_any_scope_may_do_what_needs_none(operation, made, owner):
    kind = "project" if "project" in operation.scopes else "dataset"
    holder = (_key if kind == "project" else _dataset_key)(owner, made, [])
    refused = holder.ask(operation.query_type, operation.verb).code == "OPERATION_NOT_ALLOWED"
    allowed = any(
        other.api_key == () and kind in other.scopes
        for other in OPERATIONS
        if isinstance(other, V1) and (other.query_type, other.verb) == (operation.query_type, operation.verb)
    )
    assert refused != allowed


@pytest.mark.parametrize(
    ("scopes", "query_type", "verb", "allowed"),
    [
        (["label.read"], "labelrowmetadata", "GET", True),
        (["label.read"], "labelrow", "PUT", False),
        (["label.read"], "labelrow", "POST", False),
        (["label.write"], "labelrow", "GET", False),
        (["label_logs.read", "algo.library"], "labelrowmetadata", "GET", False),
        (["label.write"], "labelworkflowgraphnode", "POST", True),
    ],
)
def test_scopes_of_a_project_key_are_enforced(scopes, query_type, verb, allowed, made, owner):
    code = _key(owner, made, scopes).ask(query_type, verb, [], None).code
    assert (code != "OPERATION_NOT_ALLOWED") is allowed


@pytest.mark.parametrize(
    ("scopes", "query_type", "verb", "allowed"),
    [
        (["dataset.read"], "dataset", "GET", True),
        (["dataset.write"], "dataset", "GET", False),
        (["dataset.read"], "video", "DELETE", False),
        (["dataset.write"], "signedvideourl", "GET", True),
        (["dataset.read"], "datasetdatalongpolling", "POST", False),
        (["dataset.read", "dataset.write"], "labelrowmetadata", "GET", False),
    ],
)
def test_scopes_of_a_dataset_key_are_enforced(scopes, query_type, verb, allowed, made, owner):
    code = _dataset_key(owner, made, scopes).ask(query_type, verb).code
    assert (code != "OPERATION_NOT_ALLOWED") is allowed


def test_scopes_are_a_text_when_made_and_a_list_when_listed(made, owner):
    payload = {"dataset_hash": made["dataset_id"], "title": "k", "scopes": ["dataset.read"]}
    assert owner.get("datasetapikey", "POST", None, payload)["scopes"] == '["dataset.read"]'
    listed = owner.get("datasetapikey", "GET", None, {"dataset_hash": made["dataset_id"]})
    assert listed[0]["scopes"] == ["dataset.read"]


def test_a_scope_that_does_not_exist_is_refused_by_name(made, owner):
    answer = owner.ask("projectapikey", "POST", made["project_id"], {"title": "k", "scopes": ["label.reed"]})
    assert answer.code == "INVALID_ARGUMENTS_ERROR"
    assert "label.reed" in answer.json["payload"]


def test_a_bearer_token_is_its_owner_for_a_day(encord_emulator, owner):
    token = owner.rest("GET", "user/bearer-token").json["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert send(owner.url, "GET", "/v2/public/projects", headers).status == 200
    body = envelope("projectwithuserrole", "GET", None, {"filter": {}})
    assert send(owner.url, "POST", "/public/user", headers, body).code is None
    assert send(owner.url, "GET", "/v2/public/projects", {"Authorization": f"Bearer {token}x"}).status == 401
    encord_emulator.clock(advance_s=25 * 3600)
    assert send(owner.url, "GET", "/v2/public/projects", headers).status == 401
    encord_emulator.clock(now=None)


def test_the_same_key_again_is_no_error_but_not_for_somebody_else(encord_emulator, owner):
    assert encord_emulator.authorize(owner.public_key, email=owner.email) == {"email": owner.email}
    with pytest.raises(RuntimeError, match=owner.email):
        encord_emulator.authorize(owner.public_key, email="thief@example.com")
    with pytest.raises(RuntimeError, match="ssh-ed25519"):
        encord_emulator.authorize("ssh-rsa AAAAB3Nza", email="rsa@example.com")
