"""The client: what a credential may do, asked once; handles; steps that run together."""

from __future__ import annotations

import concurrent.futures
import contextlib
import io
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_encord.client.api import datasets, keys, labels, ontologies, organisation, projects, uploads
from airflow_provider_encord.client.api.registry import operations
from airflow_provider_encord.client.call import API_KEY, Call, Pause, Request, Resource, Together, Transfer
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import ApiKey, SshKey
from airflow_provider_encord.client.errors import (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    NotPossibleError,
    OutcomeUnknownError,
    UnexpectedAnswerError,
)
from airflow_provider_encord.client.resources.identifiers import require_id, require_ids
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync import SyncTransport
from tests.client.scripted_server import Act, Received, ScriptedServer, answer, cut, respond, v1, v1_error
from tests.wire.vectors import ssh_key

PROJECT = "aaaaaaaa-0000-4000-8000-000000000001"
DATASET = "bbbbbbbb-0000-4000-8000-000000000001"
OTHER = "bbbbbbbb-0000-4000-8000-000000000002"
OF_PROJECT = v1({"title": "key", "resource_type": "project"})
OF_DATASET = v1({"title": "key", "resource_type": "dataset"})


@contextlib.contextmanager
def client(server: ScriptedServer, credential: SshKey | ApiKey | None = None) -> Iterator[EncordClient]:
    settings = Settings(base_url=server.url)
    credential = credential or ssh_key()
    transport = SyncTransport(credential, settings, sleep=lambda seconds: None)
    with EncordClient(credential, settings, transport=transport) as made:
        yield made


def key(resource: str = PROJECT) -> ApiKey:
    return ApiKey("encord-secret-api-key", resource)


def queries(server: ScriptedServer) -> list[Any]:
    """What was asked, in short."""
    short = []
    for one in server.requests:
        body = one.json() if one.body else {}
        short.append((body["query_type"], body["query_method"]) if "query_type" in body else (one.method, one.target))
    return short


# What is refused before any request

NEEDS_A_USER: list[Call[Any]] = [
    projects.list_projects(),
    projects.get_project(PROJECT),
    projects.create_project("t"),
    projects.list_project_datasets(PROJECT),
    datasets.list_datasets(),
    datasets.create_dataset("t"),
    ontologies.list_ontologies(),
    ontologies.get_ontology(PROJECT),
    ontologies.create_ontology("t", structure={}),
    organisation.get_bearer_token(),
    organisation.list_cloud_integrations(),
    keys.create_project_api_key(PROJECT, title="t", scopes=["label.read"]),
    keys.list_project_api_keys(PROJECT),
    keys.create_dataset_api_key(DATASET, title="t", scopes=["dataset.read"]),
    keys.list_dataset_api_keys(DATASET),
    uploads.signed_urls(1, uploads.IMAGE),
]


@pytest.mark.parametrize("call", NEEDS_A_USER, ids=lambda call: call.operation)
def test_what_needs_a_user_is_refused_to_an_api_key_before_any_request(server, call):
    with client(server, key()) as made, pytest.raises(NotPossibleError, match="auth_method ssh_key") as caught:
        made.send(call)
    assert caught.value.operation == call.operation
    assert server.accepted == 0


def test_the_calls_above_are_all_that_an_api_key_may_never_send():
    never = {(one.operation, one.request.api) for one in NEEDS_A_USER}
    allowed = {
        ("api_key.lookup", "v1"), ("project.get", "v1"), ("project.list_datasets", "v1"),
        ("project.add_datasets", "v1"),
        ("project.remove_datasets", "v1"), ("dataset.get", "v1"), ("dataset.list_data_rows", "v1"),
        ("label_rows.list", "v1"), ("label_rows.get", "v1"), ("label_rows.create", "v1"), ("label_rows.save", "v1"),
        ("cloud_integrations.list", "v1"), ("upload.signed_urls", "v1"), ("upload.start", "v1"),
        ("dataset.add_private_data result", "v1"),
    }  # fmt: skip
    assert never | allowed == operations().keys()
    assert not never & allowed
    assert {name for name, api in never if api == "v2"} <= {one.operation for one in NEEDS_A_USER}


def test_what_needs_an_api_key_is_refused_to_an_ssh_key(server):
    with client(server) as made, pytest.raises(NotPossibleError, match="Only an API key"):
        made.send(keys.get_key_resource())
    assert server.accepted == 0


@pytest.mark.parametrize(
    "call",
    [
        datasets.get_dataset(OTHER),
        datasets.list_data_rows(OTHER),
        projects.get_project_v1(OTHER),
        projects.attach_datasets(OTHER, [DATASET]),
        labels.list_label_rows(OTHER),
        labels.save_label_rows(OTHER, "l", {}),
        uploads.start_upload(OTHER, {}),
        organisation.list_cloud_integrations_v1(Resource("project", OTHER)),
    ],
    ids=lambda call: call.operation,
)
def test_an_api_key_does_not_act_on_another_resource_and_asks_nothing(server, call):
    with client(server, key()) as made, pytest.raises(NotPossibleError, match=f"{PROJECT}.*{OTHER}") as caught:
        made.send(call)
    assert caught.value.operation == call.operation
    assert server.accepted == 0


def test_an_id_in_capitals_is_the_same_resource(server):
    server.will(OF_PROJECT, v1([]))
    with client(server, key()) as made:
        assert made.send(labels.list_label_rows(PROJECT.upper())) == []


def test_a_key_of_a_project_does_not_act_on_a_dataset_of_the_same_id(server):
    server.will(OF_PROJECT)
    with client(server, key()) as made, pytest.raises(NotPossibleError, match="belongs to a project"):
        made.send(datasets.get_dataset(PROJECT))
    assert queries(server) == [("apikeymeta", "GET")]


# What the key belongs to


def test_the_key_is_asked_once_what_it_belongs_to(server):
    server.will(OF_PROJECT).always(v1([]))
    with client(server, key()) as made:
        assert made.key_resource == Resource("project", PROJECT)
        for _ in range(3):
            made.send(labels.list_label_rows(PROJECT))
        assert made.project().id == PROJECT
        assert made.key_resource == Resource("project", PROJECT)
    assert queries(server) == [("apikeymeta", "GET")] + [("labelrowmetadata", "GET")] * 3


def test_threads_ask_once_as_well(server):
    server.will(OF_PROJECT).always(v1([]))
    with client(server, key()) as made, concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: made.send(labels.list_label_rows(PROJECT)), range(16)))
    assert queries(server).count(("apikeymeta", "GET")) == 1


def test_a_failed_question_is_asked_again(server):
    server.will(v1_error("AUTHENTICATION_ERROR"), OF_PROJECT)
    with client(server, key()) as made:
        with pytest.raises(AuthenticationError):
            _ = made.key_resource
        assert made.key_resource == Resource("project", PROJECT)


@pytest.mark.parametrize("kind", ["ontology", "organisation", ""])
def test_a_key_of_something_else_cannot_be_used(server, kind):
    server.always(v1({"title": "key", "resource_type": kind}))
    with client(server, key()) as made, pytest.raises(NotPossibleError, match="only keys of projects and datasets"):
        made.project()


def test_an_ssh_key_belongs_to_no_resource_and_nothing_is_asked(server):
    with client(server) as made:
        assert made.key_resource is None
    assert server.accepted == 0


# Handles


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
        with pytest.raises(NotPossibleError, match="belongs to a dataset"):
            made.project()


@pytest.mark.parametrize("which", ["project", "dataset"])
def test_without_an_id_an_ssh_key_has_no_handle(server, which):
    with client(server) as made, pytest.raises(InvalidRequestError, match=f"{which}: give its id"):
        getattr(made, which)()


@pytest.mark.parametrize("id_", ["", "Street scenes", "aaaaaaaa", "../x", "{{ var.value.project }}"])
def test_an_id_that_is_none_is_refused_and_the_argument_named(server, id_):
    with client(server) as made:
        for which in ("project", "dataset", "ontology"):
            with pytest.raises(InvalidRequestError, match=f"{which}: .* is not an id"):
                getattr(made, which)(id_)


def test_ids_are_normalised_and_doubles_dropped():
    assert require_id(f"  {PROJECT.upper()} ", "x") == PROJECT
    assert require_id(PROJECT.replace("-", ""), "x") == PROJECT
    assert require_ids(PROJECT, "x") == [PROJECT]
    assert require_ids([DATASET, PROJECT, DATASET.upper()], "x") == [DATASET, PROJECT]
    with pytest.raises(InvalidRequestError, match="datasets"):
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
    assert [(one.dataset_hash, one.title) for one in its_datasets] == [(DATASET, "Cats")]


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
    targets = [one.target for one in server.requests]
    assert targets == [
        "/v2/public/projects?includeOrgAccess=False&tagsAnyof=a+b" + token
        for token in ("", "&pageToken=two", "&pageToken=three")
    ]


def test_a_listing_whose_pages_lead_in_a_circle_ends(server):
    server.always(answer(json={"results": [], "nextPageToken": "again"}))
    with client(server) as made, pytest.raises(UnexpectedAnswerError, match="same page"):
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
    ("scopes", "word"), [([], "none given"), (["label.read", "admin"], "unknown admin"), (["dataset.read"], "unknown")]
)
def test_scopes_are_checked_before_a_key_is_asked_for(server, scopes, word):
    with client(server) as made, pytest.raises(InvalidRequestError, match=f"scopes: {word}"):
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


# Together


def get(number: int) -> Call[Any]:
    return Call(request=Request("GET", f"x/{number}"), read=int, operation="x")


def numbered(received: Received) -> tuple[int, Any]:
    number = int(received.target.rpartition("/")[2])
    return 404 if number % 3 == 0 else 200, number


def test_steps_that_run_together_keep_their_order_and_one_failure_stops_none(server):
    server.always(respond(numbered))
    with client(server) as made:
        results = made.run(iter(Together([get(number) for number in range(20)], 5)))
    for number, result in enumerate(results):
        if number % 3 == 0:
            assert isinstance(result, NotFoundError)
        else:
            assert result == number
    assert server.accepted <= 5


def test_no_more_than_the_limit_run_at_once(server):
    running, most, lock = 0, 0, threading.Lock()
    all_in = threading.Barrier(3)

    def slow(received: Received) -> tuple[int, Any]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        all_in.wait(5)  # passes only if three are here at the same time
        with lock:
            running -= 1
        return 200, 1

    server.always(respond(slow))
    with client(server) as made:
        assert made.run(iter(Together([get(1) for _ in range(9)], 3))) == [1] * 9
    assert most == 3


def test_nothing_together_is_nothing(server):
    with client(server) as made:
        assert made.run(iter(Together([], 4))) == []


def test_what_a_credential_may_not_is_refused_together_as_well(server):
    with client(server, key()) as made:
        (refusal,) = made.run(iter(Together([projects.list_projects()], 2)))
    assert isinstance(refusal, NotPossibleError)
    assert server.accepted == 0


def test_a_transfer_and_a_pause_are_steps(server):
    waits: list[float] = []
    server.always(answer(200))
    settings = Settings(base_url=server.url)
    transport = SyncTransport(ssh_key(), settings, sleep=waits.append)
    transfer = Transfer(url=server.url + "/x", open=lambda: io.BytesIO(b"b"), size=1, headers={}, title="t")
    with EncordClient(ssh_key(), settings, transport=transport) as made:
        made.run(iter(transfer))
        made.run(iter(Pause(7.5)))
        assert made.run(iter(Together([transfer, transfer], 2))) == [None, None]
    assert waits == [7.5]
    assert len(server.requests) == 3


def test_api_keys_are_of_the_kind_that_calls_name():
    assert key().kind == API_KEY
