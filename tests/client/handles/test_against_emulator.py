"""The client against the emulator, which reads the protocol on its own: all operations, both credentials, lost answers.

One emulator serves the whole file; tests share it and name their things apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_encord.client.api import (
    datasets,
    labels,
    ontologies,
    projects,
    uploads,
)
from airflow_provider_encord.client.api.core.listing import Filter
from airflow_provider_encord.client.api.core.registry import operations
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import ApiKey, SshKey
from airflow_provider_encord.client.errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    UnavailableError,
)
from airflow_provider_encord.client.flows.creation import Created
from tests.client.emulated import OPERATIONS, OWNER, ROWS, World, labelled, new_dataset, picture, send, world
from tests.client.keys import new_key, openssh

__all__ = ["world"]


@pytest.fixture(autouse=True)
def _no_faults(world: World) -> Iterator[None]:
    world.waits.clear()
    yield
    world.emulator.clear_faults()


EACH = [
    pytest.param(operation, who, id=f"{operation.key[0]}-{operation.key[1]}-{who}")
    for operation in OPERATIONS
    for who in operation.by
]


def test_these_operations_exist():
    """Those that are not here are replayed from their recordings (`tests/wire`)."""
    assert {operation.key for operation in OPERATIONS} <= operations().keys()


@pytest.mark.parametrize(("asked", "who"), EACH)
def test_an_operation_works_and_changes_what_it_says(world, asked, who):
    """The emulator decides from a table of its own what changes anything."""
    client: EncordClient = getattr(world, who)
    call = asked.make(world)
    _ = client.key_resource  # asked beforehand, so that the journal holds one request
    entries = world.journal(lambda: client.send(call))
    assert [entry["changes"] for entry in entries] == [call.changes]
    assert entries[0]["fault"] is None
    assert (call.operation, call.request.api) == asked.key
    assert world.waits == []


def plain(value: Any) -> Any:
    """A record without what differs from call to call."""
    if isinstance(value, list):
        return sorted((plain(one) for one in value), key=repr)
    return value.decoded() if isinstance(value, labels.LabelRow) else value


SAME = [one for one in OPERATIONS if len(one.by) == 2 and "user" in one.by and one.key[0].split(".")[-1] in (
    "get", "list", "list_datasets", "list_data_rows")]  # fmt: skip


@pytest.mark.parametrize("asked", SAME, ids=lambda one: f"{one.key[0]}-{one.key[1]}")
def test_both_credentials_read_the_same(world, asked):
    by_user, by_key = (plain(getattr(world, who).send(asked.make(world))) for who in asked.by)
    assert by_user == by_key


def test_v1_and_v2_give_the_same_project_and_datasets(world):
    by_user, by_key = world.user.project(world.project), world.project_key.project()
    one, other = by_user.get(), by_key.get()
    assert (one.project_hash, one.title, one.description, one.ontology_hash) == (
        other.project_hash, other.title, other.description, other.ontology_hash,
    )  # fmt: skip
    assert [dataset.dataset_hash for dataset in by_user.datasets()] == [
        dataset.dataset_hash for dataset in by_key.datasets()
    ]


# Lost answers


def _create_project(client: EncordClient, title: str, if_exists: str) -> Created:
    return client.create_project(title, if_exists=if_exists)


def _create_dataset(client: EncordClient, title: str, if_exists: str) -> Created:
    return client.create_dataset(title, if_exists=if_exists)


def _create_ontology(client: EncordClient, title: str, if_exists: str) -> Created:
    return client.create_ontology(title, if_exists=if_exists)


KINDS = [
    ("project", _create_project, {"query_type": "project", "query_method": "POST"}),
    ("dataset", _create_dataset, {"method": "POST", "path": "/datasets$"}),
    ("ontology", _create_ontology, {"method": "POST", "path": "/ontologies$"}),
]


def titled(world: World, kind: str, title: str) -> list[str]:
    which = Filter(title_eq=title)
    if kind == "project":
        return [project.project_hash for project in world.user.projects(which)]
    if kind == "dataset":
        return [dataset.dataset_hash for dataset in world.user.datasets(which)]
    return [result.ontology_uuid for result in world.user.send(ontologies.list_ontologies(which)).results]


@pytest.mark.parametrize(("kind", "create", "match"), KINDS, ids=[one[0] for one in KINDS])
def test_a_creation_whose_answer_is_lost_is_found_again(world, kind, create, match):
    title = f"lost after {kind}"
    world.emulator.faults([{"match": match, "when": {"times": 1}, "do": {"cut": "after"}}])
    made: list[Created] = []
    entries = world.journal(lambda: made.append(create(world.user, title, "reuse")))
    assert [entry["changes"] for entry in entries if entry["fault"]] == [True]
    (created,) = made
    assert created.created
    assert titled(world, kind, title) == [created.id]
    again = create(world.user, title, "reuse")
    assert (again.id, again.created) == (created.id, False)
    with pytest.raises(ConflictError, match=created.id):
        create(world.user, title, "fail")
    assert len(titled(world, kind, title)) == 1


@pytest.mark.parametrize(("kind", "create", "match"), KINDS, ids=[one[0] for one in KINDS])
def test_a_creation_that_was_cut_before_the_work_is_left_to_the_next_try(world, kind, create, match):
    title = f"lost before {kind}"
    world.emulator.faults([{"match": match, "when": {"times": 1}, "do": {"cut": "before"}}])
    with pytest.raises(OutcomeUnknownError):
        create(world.user, title, "reuse")
    assert titled(world, kind, title) == []
    assert create(world.user, title, "reuse").created
    assert len(titled(world, kind, title)) == 1


def test_a_change_is_sent_once_and_a_read_again_after_a_server_failure(world):
    world.emulator.faults([{"match": {"path": "/public"}, "when": {"times": 1}, "do": {"status": 503}}])
    entries = world.journal(lambda: world.user.project(world.project).get())
    assert [entry["status"] for entry in entries] == [503, 200]
    world.emulator.clear_faults()
    world.emulator.faults([{"match": {"path": "/datasets$"}, "when": {"times": 1}, "do": {"status": 503}}])

    def create() -> None:
        with pytest.raises(OutcomeUnknownError):
            world.user.send(datasets.create_dataset("not twice"))

    assert [entry["status"] for entry in world.journal(create)] == [503]


def test_a_failure_that_stays_is_an_error_after_some_attempts(world):
    world.emulator.faults([{"match": {"path": "/public"}, "do": {"status": 500}}])
    with pytest.raises(UnavailableError):
        world.user.project(world.project).get()
    assert len(world.waits) == 4


def test_a_wait_that_the_server_asks_for_is_kept(world):
    fault = {"status": 429, "headers": {"Retry-After": "9"}}
    world.emulator.faults([{"match": {"query_type": "labelrowmetadata"}, "when": {"times": 1}, "do": fault}])
    assert len(world.user.project(world.project).label_rows()) >= ROWS
    assert world.waits == [pytest.approx(9.0, abs=0.5)]


def test_an_attachment_whose_answer_is_lost_happened_once(world):
    other = new_dataset(world)
    match = {"query_type": "projectdataset"}
    world.emulator.faults([{"match": match, "when": {"times": 1}, "do": {"cut": "after"}}])
    project = world.user.project(world.project)
    entries = world.journal(lambda: project.attach_datasets([other]))
    assert [entry["changes"] for entry in entries if entry["fault"]] == [True]
    assert [entry["changes"] for entry in entries].count(True) == 1
    assert other in {dataset.dataset_hash for dataset in project.datasets()}
    project.detach_datasets([other])
    assert other not in {one.dataset_hash for one in project.datasets()}


# Reading never writes


@pytest.mark.parametrize("who", ["user", "project_key"])
def test_reading_a_project_sends_no_change(world, who):
    client: EncordClient = getattr(world, who)

    def read() -> None:
        project = client.project(world.project)
        project.get()
        project.datasets()
        rows = project.label_rows()
        hashes = [row.label_hash for row in rows if row.label_hash]
        assert len(list(project.read_label_rows(hashes, rows_per_read=1))) == len(hashes)
        client.cloud_integrations()

    before = world.emulator.labels(world.project)
    entries = world.journal(read)
    assert len(entries) > 4
    assert [entry for entry in entries if entry["changes"]] == []
    assert world.emulator.labels(world.project) == before


def test_a_bundle_that_is_too_large_is_halved_until_it_fits(world):
    made = world.emulator.project(owner=OWNER, title="large", rows=7, created=1.0)
    rows = world.user.project(made["project_id"]).label_rows()
    hashes = [str(row.label_hash) for row in rows]
    world.emulator.limits(label_rows_per_request=2)
    try:
        read = list(world.user.project(made["project_id"]).read_label_rows(hashes))
    finally:
        world.emulator.limits(label_rows_per_request=1000)
    assert sorted(one.label_hash for one in read) == sorted(hashes)
    assert max(world.waits, default=0) < 0.5  # the pace after the refusal of a test before


# Refusals


def test_an_unknown_key_is_reported_that_it_is_not_registered(world):
    settings = world.user.settings
    with EncordClient(SshKey.parse(openssh(new_key())), settings) as stranger:
        for call in (projects.get_project(world.project), projects.get_project_v1(world.project)):
            with pytest.raises(AuthenticationError, match="Register"):
                stranger.send(call)
    with EncordClient(ApiKey("no-such-key", world.project), settings) as stranger, pytest.raises(AuthenticationError):
        stranger.project()


def test_a_key_without_the_scope_is_reported(world):
    weak = world.user.project(world.project).create_api_key("weak", ["label_logs.read"])
    hashes = labelled(world)
    credential = ApiKey(weak, world.project)
    with EncordClient(credential, world.user.settings) as client, pytest.raises(PermissionDeniedError, match="scope"):
        list(client.project().read_label_rows(hashes))


def test_somebody_elses_project_is_not_there_or_not_allowed(world):
    other = SshKey.parse(openssh(new_key()))
    world.emulator.authorize(other.openssh_public_key(), email="other@example.com")
    with EncordClient(other, world.user.settings) as client:
        for call in (projects.get_project(world.project), labels.list_label_rows(world.project)):
            with pytest.raises((NotFoundError, PermissionDeniedError)):
                client.send(call)


def test_an_uploaded_file_becomes_a_data_row_under_both_credentials(world):
    for client in (world.user, world.dataset_key):
        if client is world.user:
            (url,) = client.send(uploads.signed_urls(1, uploads.IMAGE))
        else:
            (url,) = client.send(uploads.signed_urls_v1(world.dataset, ["cat.png"], uploads.IMAGE))
        send(client, url, picture())
        file = uploads.UploadedFile(kind=uploads.IMAGE, object_url=url.object_key, title="cat.png")
        folder = None
        job = client.send(uploads.start_upload(world.dataset, uploads.data_items([file]), folder=folder))
        ended = client.send(uploads.poll_upload(world.dataset, job, timeout_seconds=10))
        assert ended.status == uploads.DONE, ended
        (made,) = ended.data_hashes_with_titles
        (row,) = client.dataset(world.dataset).data_rows(data_hashes=[made.data_hash])
        assert (row.data_title, row.data_type, row.width, row.height) == ("cat.png", "IMAGE", 8, 6)
