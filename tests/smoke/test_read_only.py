"""The smoke command sends only reads, whatever an operation says about itself, and no more than its limit."""

from __future__ import annotations

import io
from typing import Any

import pytest

from airflow_provider_encord.client.api import (
    label_actions,
    projects,
    storage_items,
)
from airflow_provider_encord.client.api.core.reading import ignored
from airflow_provider_encord.client.api.core.registry import operations
from airflow_provider_encord.client.call import Call, Envelope, Request, Resource, Transfer
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import Credential
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.smoke.prerequisites import usable_with
from airflow_provider_encord.smoke.readings import LEFT_OUT
from airflow_provider_encord.smoke.reference import SHAPES
from airflow_provider_encord.smoke.run import MOST_REQUESTS, Selection
from airflow_provider_encord.smoke.transport import (
    BudgetSpentError,
    Ledger,
    ReadOnlyTransport,
    WouldChangeError,
    require_read,
)
from tests.client.scripted_server import ScriptedServer, answer
from tests.docs.pages.operations_page import sample_call
from tests.smoke.conftest import World

PROJECT = Resource("project", "aaaaaaaa-0000-4000-8000-000000000001")


def transport(world: World, url: str, most: int = 10) -> ReadOnlyTransport:
    return ReadOnlyTransport(world.ssh, Settings(base_url=url), Ledger(most=most), sleep=lambda seconds: None)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(Call(request=Request("GET", "projects"), read=ignored, changes=True), id="says that it changes"),
        *(
            pytest.param(Call(request=Request(method, "projects"), read=ignored), id=f"v2 {method}")
            for method in ("POST", "PUT", "PATCH", "DELETE", "get")
        ),
        *(
            pytest.param(Call(request=Envelope("project", verb, PROJECT), read=ignored), id=f"v1 {verb}")
            for verb in ("POST", "PUT", "DELETE")
        ),
    ],
)
def test_a_request_that_is_not_a_read_is_refused_before_anything_is_sent(world: World, call: Call[Any]) -> None:
    with ScriptedServer() as server:
        server.always(answer(json={}))
        with pytest.raises(WouldChangeError):
            transport(world, server.url).send(call)
    assert server.accepted == 0


@pytest.mark.parametrize(
    "call",
    [
        storage_items.get_items([PROJECT.id or ""]),
        label_actions.get_classifications(PROJECT.id or "", ["aaaaaaaa-0000-4000-8000-000000000002"]),
    ],
    ids=lambda call: call.operation,
)
def test_the_two_reads_that_are_posted_are_allowed(call: Call[Any]) -> None:
    require_read(call)


@pytest.mark.parametrize(
    "path",
    ["storage/items/get-bulk/x", "storage/items", "projects/x/label-rows/classifications", "projects/search"],
)
def test_a_post_to_any_other_path_is_refused(path: str) -> None:
    with pytest.raises(WouldChangeError):
        require_read(Call(request=Request("POST", path), read=ignored))


def test_no_write_of_the_registry_could_be_sent() -> None:
    for operation in operations().values():
        if sample_call(operation).changes:
            with pytest.raises(WouldChangeError):
                require_read(sample_call(operation))


def test_files_are_never_sent(world: World) -> None:
    with ScriptedServer() as server:
        file = Transfer(url=f"{server.url}/x?s=1", open=lambda: io.BytesIO(b"a"), size=1, headers={}, title="a.png")
        with pytest.raises(WouldChangeError):
            transport(world, server.url).transfer(file)
    assert server.accepted == 0


def test_a_client_with_this_transport_cannot_write(world: World) -> None:
    made = EncordClient(world.ssh, Settings(), transport=transport(world, world.emulator.url))
    with made, pytest.raises(WouldChangeError):
        made.create_project("New")
    assert not [entry for entry in world.emulator.journal() if entry["changes"]]


def test_the_limit_of_requests_includes_repeated_ones(world: World) -> None:
    with ScriptedServer() as server:
        server.always(answer(503))
        sender = transport(world, server.url, most=3)
        for _ in range(2):
            with pytest.raises(Exception) as raised:
                sender.send(projects.list_projects())
    assert (type(raised.value), len(server.requests)) == (BudgetSpentError, 3)


@pytest.mark.parametrize("who", ["ssh", "of_project", "of_dataset"])
def test_the_emulator_receives_only_reads_and_as_many_as_the_report_counts(world: World, who: str) -> None:
    credential: Credential = getattr(world, who)
    run = world.run(credential)
    journal = world.emulator.journal()
    assert (len(journal), any(entry["changes"] for entry in journal)) == (run.requests, False)
    assert run.requests > 5


def test_a_server_that_keeps_failing_receives_no_more_requests_than_the_limit(world: World) -> None:
    world.emulator.faults([{"match": {"path": "/public"}, "do": {"status": 503}, "when": {"every": 2}}])
    assert world.run(world.ssh).requests <= MOST_REQUESTS["ssh_key"]


def test_only_the_selected_project_and_dataset_are_read(world: World) -> None:
    other = world.account.project(rows=1)
    (visit,) = world.run(selection=Selection(other["project_id"], world.dataset)).visits
    projects_read = [reply.value.project_hash for reply in visit.of("project.get", "v2")]
    datasets_read = [reply.value.dataset_hash for reply in visit.of("dataset.get", "v1")]
    assert (projects_read, datasets_read) == ([other["project_id"]], [world.dataset])


def test_of_many_projects_and_datasets_only_the_first_two_are_read(world: World) -> None:
    for _ in range(3):
        world.account.project(rows=1)
    (visit,) = world.run().visits
    assert [len(visit.of(*key)) for key in (("project.get", "v2"), ("dataset.get", "v1"))] == [2, 2]


def test_every_read_of_the_registry_is_tried_or_left_out_for_a_reason(world: World) -> None:
    visits = world.run(world.ssh, world.of_project, world.of_dataset).visits
    tried = {(reply.operation, reply.api) for visit in visits for reply in visit.replies}
    assert tried == set(SHAPES), "what is tried, and what answers are compared with"
    writes = {key for key, operation in operations().items() if sample_call(operation).changes}
    unheard_of = set(operations()) - tried - set(LEFT_OUT) - writes
    assert not unheard_of, "try these in smoke/readings*.py, or say in LEFT_OUT why not"
    assert not set(LEFT_OUT) & tried, "left out, and yet tried"


@pytest.mark.parametrize("key", sorted(SHAPES))
def test_the_credentials_of_each_read_are_those_of_its_call(key: tuple[str, str]) -> None:
    assert usable_with(*key) == sample_call(operations()[key]).credentials


def test_few_reads_are_left_out() -> None:
    assert len(LEFT_OUT) < 20
