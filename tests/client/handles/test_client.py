"""The client: what a credential may do, asked once; handles; steps that run together."""

from __future__ import annotations

import concurrent.futures
import io
import threading
from typing import Any

import pytest

from airflow_provider_encord.client.api import (
    datasets,
    keys,
    labels,
    ontologies,
    organisation,
    projects,
    uploads,
)
from airflow_provider_encord.client.call import API_KEY, Call, Gather, Now, Pause, Request, Resource, Transfer
from airflow_provider_encord.client.errors import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    UnsupportedByCredentialError,
)
from tests.client.clients import DATASET, OF_PROJECT, OTHER, PROJECT, client, either_client, key, queries
from tests.client.scripted_server import Received, answer, respond, v1, v1_error
from tests.wire.arguments import call_of
from tests.wire.scope import replayed

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
def test_what_needs_a_user_is_refused_to_an_api_key_before_any_request(server, kind, call):
    with (
        either_client(server, key(), kind=kind) as made,
        pytest.raises(UnsupportedByCredentialError, match="auth_method ssh_key") as caught,
    ):
        made.send(call)
    assert caught.value.operation == call.operation
    assert server.accepted == 0


def test_no_call_of_v2_or_at_user_scope_is_open_to_an_api_key():
    """By the protocol, section 1.2, for each call that was ever recorded."""
    compared = 0
    for exchange, operation in replayed():
        call = call_of(exchange, operation)
        if call.request.api == "v2" or call.request.path == "/public/user":
            assert API_KEY not in call.credentials, operation
            compared += 1
    assert compared > 40


def test_what_needs_an_api_key_is_refused_to_an_ssh_key(server, kind):
    with either_client(server, kind=kind) as made, pytest.raises(UnsupportedByCredentialError, match="Only an API key"):
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
def test_an_api_key_does_not_act_on_another_resource_and_asks_nothing(server, kind, call):
    with (
        either_client(server, key(), kind=kind) as made,
        pytest.raises(UnsupportedByCredentialError, match=f"{PROJECT}.*{OTHER}") as caught,
    ):
        made.send(call)
    assert caught.value.operation == call.operation
    assert server.accepted == 0


def test_an_id_in_capitals_is_the_same_resource(server, kind):
    server.will(v1([]))
    with either_client(server, key(), kind=kind) as made:
        assert made.send(labels.list_label_rows(PROJECT.upper())) == []


@pytest.mark.parametrize("code", ["AUTHORISATION_ERROR", "RESOURCE_NOT_FOUND_ERROR", "INVALID_ARGUMENTS_ERROR"])
def test_a_key_of_a_project_that_is_refused_for_a_dataset_of_the_same_id_is_said_to_be_of_a_project(server, kind, code):
    server.will(v1_error(code), OF_PROJECT)
    with (
        either_client(server, key(), kind=kind) as made,
        pytest.raises(UnsupportedByCredentialError, match="belongs to a project"),
    ):
        made.send(datasets.get_dataset(PROJECT))
    assert queries(server)[1:] == [("apikeymeta", "GET")]


def test_a_key_is_not_asked_what_it_belongs_to_where_that_does_not_matter(server, kind):  # fault 14.6
    server.always(v1([]))
    with either_client(server, key(), kind=kind) as made:
        made.send(labels.list_label_rows(PROJECT))
        made.send(labels.list_label_rows(PROJECT))
    assert queries(server) == [("labelrowmetadata", "GET")] * 2


def test_a_refusal_stands_if_the_resource_of_the_key_cannot_be_read(server, kind):
    server.will(v1_error("AUTHORISATION_ERROR"), v1_error("AUTHORISATION_ERROR"))
    with either_client(server, key(), kind=kind) as made, pytest.raises(PermissionDeniedError, match="resource_id"):
        made.send(datasets.get_dataset(PROJECT))


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


def test_threads_ask_once_as_well(server, kind):
    server.will(OF_PROJECT).always(v1([]))
    with either_client(server, key(), kind=kind) as made, concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: made.key_resource, range(16)))
    assert queries(server).count(("apikeymeta", "GET")) == 1


def test_a_failed_question_is_asked_again(server, kind):
    server.will(v1_error("AUTHENTICATION_ERROR"), OF_PROJECT)
    with either_client(server, key(), kind=kind) as made:
        with pytest.raises(AuthenticationError):
            _ = made.key_resource
        assert made.key_resource == Resource("project", PROJECT)


@pytest.mark.parametrize("kind", ["ontology", "organisation", ""])
def test_a_key_of_something_else_cannot_be_used(server, kind):
    server.always(v1({"title": "key", "resource_type": kind}))
    with (
        client(server, key()) as made,
        pytest.raises(UnsupportedByCredentialError, match="Only API keys of projects and datasets"),
    ):
        made.project()


def test_an_ssh_key_belongs_to_no_resource_and_nothing_is_asked(server, kind):
    with either_client(server, kind=kind) as made:
        assert made.key_resource is None
    assert server.accepted == 0


# Together


def get(number: int) -> Call[Any]:
    return Call(request=Request("GET", f"x/{number}"), read=int, operation="x")


def numbered(received: Received) -> tuple[int, Any]:
    number = int(received.target.rpartition("/")[2])
    return 404 if number % 3 == 0 else 200, number


def test_steps_that_run_together_keep_their_order_and_one_failure_stops_none(server, kind):
    server.always(respond(numbered))
    with either_client(server, kind=kind) as made:
        results = made.run(iter(Gather([get(number) for number in range(20)], 5)))
    for number, result in enumerate(results):
        if number % 3 == 0:
            assert isinstance(result, NotFoundError)
        else:
            assert result == number
    assert server.accepted <= 5


def test_no_more_than_the_limit_run_at_once(server, kind):
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
    with either_client(server, kind=kind) as made:
        assert made.run(iter(Gather([get(1) for _ in range(9)], 3))) == [1] * 9
    assert most == 3


def test_nothing_together_is_nothing(server, kind):
    with either_client(server, kind=kind) as made:
        assert made.run(iter(Gather([], 4))) == []


def test_what_a_credential_may_not_is_refused_together_as_well(server, kind):
    with either_client(server, key(), kind=kind) as made:
        (refusal,) = made.run(iter(Gather([projects.list_projects()], 2)))
    assert isinstance(refusal, UnsupportedByCredentialError)
    assert server.accepted == 0


def test_a_transfer_a_pause_and_a_look_at_the_clock_are_steps(server, kind):
    waits: list[float] = []
    server.always(answer(200))
    transfer = Transfer(url=server.url + "/x", open=lambda: io.BytesIO(b"b"), size=1, headers={}, title="t")
    with either_client(server, kind=kind, sleep=waits.append, clock=lambda: 1e9 + sum(waits)) as made:
        made.run(iter(transfer))
        made.run(iter(Pause(7.5)))
        assert made.run(iter(Now())) == 1e9 + 7.5
        assert made.run(iter(Gather([transfer, transfer], 2))) == [None, None]
    assert waits == [7.5]
    assert len(server.requests) == 3


def test_api_keys_are_of_the_kind_that_calls_name():
    assert key().kind == API_KEY
