"""The client: what a credential may do, asked once; handles; steps that run together."""

from __future__ import annotations

import concurrent.futures
import io
import threading
from typing import Any

import pytest

from airflow_provider_encord.client.api import datasets, keys, labels, ontologies, organisation, projects, uploads
from airflow_provider_encord.client.api.registry import operations
from airflow_provider_encord.client.call import API_KEY, Call, Pause, Request, Resource, Together, Transfer
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import (
    AuthenticationError,
    NotFoundError,
    NotPossibleError,
)
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync import SyncTransport
from tests.client.clients import DATASET, OF_PROJECT, OTHER, PROJECT, client, key, queries
from tests.client.scripted_server import Received, answer, respond, v1, v1_error
from tests.wire.vectors import ssh_key

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
