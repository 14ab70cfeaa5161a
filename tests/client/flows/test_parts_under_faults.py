"""Many label rows at once while Encord misbehaves: what succeeded is kept, and reported, by both clients alike."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_encord.client.api import labels
from airflow_provider_encord.client.async_client import AsyncEncordClient
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.errors import OutcomeUnknownError, PartialFailureError, RefusedError
from airflow_provider_encord.client.flows.chunks import as_far_as_possible
from airflow_provider_encord.client.transport.asynchronous import AsyncTransport
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync import SyncTransport
from encord_emulator.process import Emulator
from tests.client.keys import new_key, openssh
from tests.client.on_loop import ClientOnLoop
from tests.client.sending import KINDS, SYNC

OWNER = "owner@example.com"
ROWS = 8
READING = {"query_type": "labelrow", "query_method": "GET"}
SAVING = {"query_type": "labelrow", "query_method": "POST"}
CREATING = {"query_type": "labelrow", "query_method": "PUT"}


class World:
    """An emulator, and a key for it."""

    def __init__(self, emulator: Emulator, key: SshKey):
        self.emulator, self.key = emulator, key
        self.project = ""

    def seed(self, *, created: float) -> list[str]:
        """A new project; its data hashes."""
        made = self.emulator.project(owner=OWNER, title="Street", rows=ROWS, created=created)
        self.project = made["project_id"]
        self.emulator.clear_journal()
        return list(made["data_hashes"])

    @contextlib.contextmanager
    def client(self, kind: str, read_timeout: float = 1.0) -> Iterator[EncordClient | ClientOnLoop]:
        """One that sends each request once, and waits so many seconds for an answer."""
        settings = Settings(base_url=self.emulator.url, read_timeout=read_timeout)

        def on_loop() -> AsyncEncordClient:
            transport = AsyncTransport(self.key, settings, attempts=1)
            return AsyncEncordClient(self.key, settings, transport=transport)

        if kind == SYNC:
            transport = SyncTransport(self.key, settings, attempts=1)
            made: EncordClient | ClientOnLoop = EncordClient(self.key, settings, transport=transport)
        else:
            made = ClientOnLoop(on_loop)
        with made:
            yield made

    def sent(self, verb: str) -> int:
        """How many requests there were, also those that went wrong; one that is late is noted when it is through."""
        return sum(1 for entry in self.emulator.journal() if entry["query_method"] == verb)

    def hashes(self, client: EncordClient | ClientOnLoop) -> list[str]:
        return [one.label_hash for one in client.send(labels.list_label_rows(self.project)) if one.label_hash]

    def read(self, client: EncordClient | ClientOnLoop, rows: list[str], size: int) -> Any:
        return client.run(as_far_as_possible(rows, lambda some: labels.get_label_rows(self.project, some), size=size))


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.start() as emulator:
        yield emulator


@pytest.fixture
def world(emulator: Emulator) -> Iterator[World]:
    emulator.clear_faults()
    key = SshKey.parse(openssh(new_key()))
    emulator.authorize(key.openssh_public_key(), email=OWNER)
    yield World(emulator, key)
    emulator.clear_faults()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("do", [{"delay_s": 2.0}, {"status": 408}, {"status": 504}], ids=lambda one: str(one))
def test_a_read_that_takes_too_long_goes_in_halves(world, kind, do):
    world.seed(created=1.0)
    with world.client(kind) as client:
        rows = world.hashes(client)
        world.emulator.faults([{"match": READING, "when": {"nth": 1}, "do": do}])
        outcome = world.read(client, rows, ROWS)
    assert (outcome.done, outcome.not_done, outcome.error) == (rows, [], None)
    assert [len(part) for part in outcome.results] == [ROWS // 2, ROWS // 2]


@pytest.mark.parametrize("kind", KINDS)
def test_an_outage_is_not_taken_for_a_time_out(world, kind):
    world.seed(created=1.0)
    with world.client(kind, read_timeout=60.0) as client:  # on a busy machine, a second may pass before an answer
        rows = world.hashes(client)
        world.emulator.faults([{"match": READING, "do": {"status": 503}}])
        outcome = world.read(client, rows, ROWS)
    assert (outcome.done, outcome.not_done) == ([], rows)
    assert world.sent("GET") == 2  # the listing, and one read


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_saved_before_a_refusal_is_reported(world, kind):
    world.seed(created=1.0)
    with world.client(kind) as client:
        rows = world.hashes(client)
        content = {row.label_hash: row.content for part in world.read(client, rows, ROWS).results for row in part}
        fault = {"v1_error": "ANSWER_VALIDATION_ERROR"}
        world.emulator.faults([{"match": SAVING, "when": {"nth": 3}, "do": fault}])

        def save(some: Any) -> Any:
            return labels.save_label_rows(world.project, some, [content[one] for one in some])

        outcome = client.run(as_far_as_possible(rows, save, size=2))
    assert (outcome.done, outcome.unknown, outcome.not_done) == (rows[:4], [], rows[4:])
    assert isinstance(outcome.error, RefusedError)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_whose_creation_is_lost_are_in_doubt_and_not_created_twice(world, kind):
    data = world.seed(created=0.0)
    world.emulator.faults([{"match": CREATING, "when": {"nth": 2}, "do": {"cut": "after"}}])
    with world.client(kind) as client:
        create = as_far_as_possible(data, lambda some: labels.create_label_rows(world.project, some), size=3)
        outcome = client.run(create)
        there = len(world.hashes(client))
    assert (outcome.done, outcome.unknown, outcome.not_done) == (data[:3], data[3:6], data[6:])
    assert {row.data_hash for row in outcome.results[0]} == set(data[:3])
    assert isinstance(outcome.error, OutcomeUnknownError)
    assert there == 6
    assert world.sent("PUT") == 2


def test_the_handle_gives_what_it_read_before_it_fails_and_shows_the_rest(world):
    world.seed(created=1.0)
    world.emulator.limits(label_rows_per_request=3)
    read: list[str] = []
    try:
        with world.client(SYNC) as client:
            rows = world.hashes(client)
            # The first is too much, the second goes through, the third fails.
            fault = {"v1_error": "ANSWER_VALIDATION_ERROR"}
            world.emulator.faults([{"match": READING, "when": {"nth": 3}, "do": fault}])
            with pytest.raises(PartialFailureError) as raised:
                read.extend(row.label_hash for row in client.project(world.project).read_label_rows(rows))
    finally:
        world.emulator.limits(label_rows_per_request=1000)
    outcome = raised.value.outcome
    assert sorted(read) == sorted(outcome.done) == sorted(rows[:3])
    assert outcome.not_done == rows[3:]
