"""Handles on projects, datasets and ontologies: the same under both credentials, and safe to repeat."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_encord.client.api import keys, uploads
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import (
    InvalidArgumentError,
    OutcomeUnknownError,
    UnexpectedResponseError,
    UnsupportedByCredentialError,
)
from airflow_provider_encord.client.identifiers import require_id, require_ids
from airflow_provider_encord.client.transport.settings import Settings
from tests.client.clients import DATASET, OF_DATASET, OF_PROJECT, OTHER, PROJECT, client, key, queries
from tests.client.scripted_server import Act, Received, answer, cut, respond, v1
from tests.wire.vectors import ssh_key


def test_a_handle_by_id_asks_nothing(server):
    for credential in (ssh_key(), key()):
        with client(server, credential) as made:
            assert made.project(PROJECT.upper()).id == PROJECT
            assert made.dataset(DATASET).id == DATASET
            assert made.ontology(DATASET).id == DATASET
    assert server.accepted == 0


def test_without_an_id_the_handle_is_what_the_key_belongs_to(server):
    server.will(OF_DATASET)
    with client(server, key(DATASET)) as made:
        assert made.dataset().id == DATASET
        with pytest.raises(UnsupportedByCredentialError, match="belongs to a dataset"):
            made.project()


@pytest.mark.parametrize("which", ["project", "dataset"])
def test_without_an_id_an_ssh_key_has_no_handle(server, which):
    with client(server) as made, pytest.raises(InvalidArgumentError, match=f"{which}_id: it is missing"):
        getattr(made, which)()


@pytest.mark.parametrize("id_", ["", "Street scenes", "aaaaaaaa", "../x", "{{ var.value.project }}"])
def test_an_id_that_is_none_is_refused_and_the_argument_named(server, id_):
    with client(server) as made:
        for which in ("project", "dataset", "ontology"):
            with pytest.raises(InvalidArgumentError, match=f"{which}_id: .* is not an id"):
                getattr(made, which)(id_)


def test_ids_are_normalised_and_doubles_dropped():
    assert require_id(f"  {PROJECT.upper()} ", "x") == PROJECT
    assert require_id(PROJECT.replace("-", ""), "x") == PROJECT
    assert require_ids(PROJECT, "x") == [PROJECT]
    assert require_ids([DATASET, PROJECT, DATASET.upper()], "x") == [DATASET, PROJECT]
    with pytest.raises(InvalidArgumentError, match="datasets"):
        require_ids([PROJECT, "no"], "datasets")


V2_PROJECT = answer(json={"projectHash": PROJECT, "title": "t", "status": "inProgress"})
V1_PROJECT = v1({"project_hash": PROJECT, "title": "t", "datasets": [{"dataset_hash": DATASET, "title": "Cats"}]})
V2_DATASETS = answer(json={"results": [{"datasetHash": DATASET, "title": "Cats", "description": ""}]})


def test_a_project_reads_the_same_under_both_credentials(server):
    server.will(V2_PROJECT, V2_DATASETS)
    with client(server) as made:
        by_ssh, its_datasets = made.project(PROJECT).get(), made.project(PROJECT).datasets()
    server.will(OF_PROJECT, V1_PROJECT, V1_PROJECT)
    with client(server, key()) as made:
        by_key = made.project().get()
        assert [(one.dataset_hash, one.title) for one in made.project().datasets()] == [(DATASET, "Cats")]
    assert (by_ssh.project_hash, by_ssh.title) == (by_key.project_hash, by_key.title)
    assert by_ssh.status == "inProgress"
    assert by_key.status is None
    assert [(dataset.dataset_hash, dataset.title) for dataset in its_datasets] == [(DATASET, "Cats")]


def test_attaching_leaves_out_what_is_attached(server):
    server.will(V2_DATASETS, v1(True))
    with client(server) as made:
        assert made.project(PROJECT).attach_datasets([DATASET, OTHER]) == [OTHER]
    assert server.requests[1].json()["values"]["payload"] == {"dataset_hashes": [OTHER]}


def test_attaching_what_is_attached_changes_nothing(server):
    server.will(V2_DATASETS)
    with client(server) as made:
        assert made.project(PROJECT).attach_datasets([DATASET]) == []
    assert len(server.requests) == 1


def test_detaching_leaves_out_what_is_not_attached(server):
    server.will(V2_DATASETS, v1(True))
    with client(server) as made:
        assert made.project(PROJECT).detach_datasets([DATASET, OTHER]) == [DATASET]
    assert server.requests[1].json()["values"]["uid"] == [DATASET]


def test_an_attachment_whose_answer_was_lost_is_looked_up(server):
    nothing = answer(json={"results": []})
    server.will(nothing, cut(), V2_DATASETS)
    with client(server) as made:
        assert made.project(PROJECT).attach_datasets([DATASET]) == [DATASET]
    server.will(nothing, cut(), nothing)
    with client(server) as made, pytest.raises(OutcomeUnknownError):
        made.project(PROJECT).attach_datasets([DATASET])


def row(number: int) -> dict[str, Any]:
    return {"label_hash": f"l{number}", "data_hash": f"d{number}", "extra": {"kept": [1, 2.50, "ż"]}}


def test_rows_are_read_in_bundles_and_a_bundle_that_is_too_large_is_halved(server):
    def rows(received: Received) -> tuple[int, Any]:
        asked = received.json()["values"]["uid"]
        if len(asked) > 3:
            limit = {"maximum_labels_allowed": 3}
            return 200, {"status": 400, "response": ["MULTI_LABEL_LIMIT_ERROR"], "payload": limit}
        return 200, {"status": 200, "response": [row(int(one[1:])) for one in asked]}

    server.always(respond(rows))
    with client(server) as made:
        read = list(made.project(PROJECT).read_label_rows([f"l{number}" for number in range(12)], rows_per_read=5))
    assert [one.label_hash for one in read] == [f"l{number}" for number in range(12)]
    assert read[0].decoded() == row(0)
    assert set(queries(server)) == {("labelrow", "GET")}


def test_saved_rows_go_with_their_hashes_in_the_same_order(server):
    server.will(v1(True))
    with client(server) as made:
        made.project(PROJECT).save_label_rows({"l2": row(2), "l1": row(1)})
    values = server.requests[0].json()["values"]
    assert values["uid"] == ["l2", "l1"]
    assert values["payload"]["labels"] == [row(2), row(1)]
    assert values["payload"]["validate_before_saving"] is True


def test_listing_projects_follows_every_page_with_the_same_filter(server):
    def page(number: int, token: str | None) -> Act:
        project = {"projectHash": f"p{number}", "title": "t"}
        return answer(json={"results": [project], "nextPageToken": token})

    server.will(page(1, "two"), page(2, "three"), page(3, None))
    with client(server) as made:
        assert [one.project_hash for one in made.projects(tags=["a b"])] == ["p1", "p2", "p3"]
    targets = [request.target for request in server.requests]
    assert targets == [
        "/v2/public/projects?includeOrgAccess=False&tagsAnyof=a+b" + token
        for token in ("", "&pageToken=two", "&pageToken=three")
    ]


def test_a_listing_whose_pages_lead_in_a_circle_ends(server):
    server.always(answer(json={"results": [], "nextPageToken": "again"}))
    with client(server) as made, pytest.raises(UnexpectedResponseError, match="leads back to a page"):
        made.projects()
    assert len(server.requests) == 2


def test_integrations_are_listed_by_the_api_that_the_credential_can_use(server):
    server.will(answer(json={"result": [{"integrationUuid": "i", "title": "aws"}]}))
    with client(server) as made:
        by_ssh = made.cloud_integrations()
    server.will(OF_PROJECT, v1([{"id": "i", "title": "aws"}]))
    with client(server, key()) as made:
        assert made.cloud_integrations() == by_ssh
    assert queries(server)[-1] == ("cloudintegration", "GET")


@pytest.mark.parametrize(
    ("scopes", "word"),
    [([], "it is empty"), (["label.read", "admin"], "unknown scope admin"), (["dataset.read"], "unknown")],
)
def test_scopes_are_checked_before_a_key_is_asked_for(server, scopes, word):
    with client(server) as made, pytest.raises(InvalidArgumentError, match=f"scopes: {word}"):
        made.project(PROJECT).create_api_key("t", scopes)
    assert server.accepted == 0


def test_a_record_with_a_key_does_not_show_it(server):
    record = keys.ApiKeyRecord(title="t", scopes=("label.read",), api_key="SECRET")
    url = uploads.SignedUrl(object_key="k", signed_url="https://x?SECRET")
    assert "SECRET" not in f"{record} {record!r} {[record]} {url} {url!r} {list(record.__rich_repr__())}"
    assert record.api_key == "SECRET"


def test_the_client_shows_no_secret():
    text = repr(EncordClient(key(), Settings()))
    assert "encord-secret-api-key" not in text
    assert "api.encord.com" in text
