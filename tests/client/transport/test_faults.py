"""One script of faults, one outcome: on the emulator, with both transports, under calls and under flows.

The emulator is the network here: it answers late, or not at all, before or after the work; its journal says how many
requests that took. Each row of the table says what must come of it, and both transports are held to it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import email.utils
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_encord.client.api import (
    datasets,
    labels,
    ontologies,
    projects,
)
from airflow_provider_encord.client.api.core.listing import Filter
from airflow_provider_encord.client.async_client import AsyncEncordClient
from airflow_provider_encord.client.call import Call, Flow, Gather
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.errors import (
    EncordError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitedError,
    RefusedError,
    UnavailableError,
)
from airflow_provider_encord.client.flows.chunks import in_parts
from airflow_provider_encord.client.flows.datasets import create_dataset_once
from airflow_provider_encord.client.transport.asynchronous import AsyncTransport
from airflow_provider_encord.client.transport.retry import ATTEMPTS
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync import SyncTransport
from encord_emulator.process import Emulator
from tests.client.keys import new_key, openssh
from tests.client.on_loop import ClientOnLoop
from tests.client.sending import KINDS, SYNC

OWNER = "owner@example.com"
NOW = datetime.datetime(2026, 11, 24, 3, 0, tzinfo=datetime.UTC)
READ_TIMEOUT = 2.0  # seconds; an answer that is slower does not come


@dataclasses.dataclass(frozen=True)
class World:
    """An emulator with a project, and a key for it."""

    emulator: Emulator
    key: SshKey
    project: str
    dataset: str
    data: list[str]

    @contextlib.contextmanager
    def client(self, kind: str, waits: list[float]) -> Iterator[EncordClient | ClientOnLoop]:
        """A client of either kind that notes its waits, and whose clock only they move."""
        settings = Settings(base_url=self.emulator.url, read_timeout=READ_TIMEOUT)

        def clock() -> float:
            return NOW.timestamp() + sum(waits)

        async def sleep_on_loop(seconds: float) -> None:
            waits.append(seconds)

        def on_loop() -> AsyncEncordClient:
            transport = AsyncTransport(self.key, settings, sleep=sleep_on_loop, clock=clock)
            return AsyncEncordClient(self.key, settings, transport=transport)

        if kind == SYNC:
            transport = SyncTransport(self.key, settings, sleep=waits.append, clock=clock)
            made: EncordClient | ClientOnLoop = EncordClient(self.key, settings, transport=transport)
        else:
            made = ClientOnLoop(on_loop)
        with made:
            yield made


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    key = SshKey.parse(openssh(new_key()))
    with Emulator.start() as emulator:
        emulator.clock(now=NOW.isoformat())
        emulator.authorize(key.openssh_public_key(), email=OWNER)
        made = emulator.project(owner=OWNER, title="Street", rows=4, created=1.0)
        yield World(emulator, key, made["project_id"], made["dataset_id"], made["data_hashes"])


@pytest.fixture(autouse=True)
def _no_faults(world: World) -> Iterator[None]:
    world.emulator.clear_faults()
    yield
    world.emulator.clear_faults()


# What is asked

READS: dict[str, Callable[[World], Call[Any]]] = {
    "read on v2": lambda world: projects.get_project(world.project),
    "read on v1": lambda world: datasets.get_dataset(world.dataset),
}
CHANGES: dict[str, Callable[[World], Call[Any]]] = {
    "change on v2": lambda world: datasets.create_dataset(f"d-{uuid.uuid4()}"),
    "change on v1": lambda world: projects.create_project(f"p-{uuid.uuid4()}"),
}


# What goes wrong


@dataclasses.dataclass(frozen=True)
class Script:
    """Faults, and what comes of them.

    :param faults: What the emulator does, request by request; afterwards it behaves.
    :param read: The result of a read: None is success, else the class of the error.
    :param change: The same for a call that must not be repeated.
    :param requests: How many a read takes.
    :param requests_of_change: How many a change takes.
    :param waits: The waits of a read, in seconds, where the server says how long; else None.
    :param always: Each request meets the fault.
    """

    faults: tuple[dict[str, Any], ...]
    read: type[EncordError] | None
    change: type[EncordError] | None
    requests: int
    requests_of_change: int
    always: bool = False
    waits: tuple[float, ...] | None = None


def in_seconds(seconds: int) -> str:
    """A time as HTTP writes it, so far from now."""
    return email.utils.format_datetime(NOW + datetime.timedelta(seconds=seconds), usegmt=True)


def status(code: int, **more: Any) -> dict[str, Any]:
    return {"status": code, **more}


def asking(code: int, retry_after: str) -> dict[str, Any]:
    return {"status": code, "headers": {"Retry-After": retry_after}}


UNKNOWN = OutcomeUnknownError
SCRIPTS: dict[str, Script] = {
    "nothing": Script((), None, None, 1, 1),
    "429": Script((status(429),), None, None, 2, 2),
    "429, wait 7 s": Script((asking(429, "7"),), None, None, 2, 2, waits=(7.0,)),
    "429 until a date": Script((asking(429, in_seconds(25)),), None, None, 2, 2, waits=(25.0,)),
    "429 until a date gone by": Script((asking(429, in_seconds(-5)),), None, None, 2, 2, waits=()),
    "429, an unreadable Retry-After": Script((asking(429, "soon"),), None, None, 2, 2),
    "429, wait an hour": Script((asking(429, "3600"),), RateLimitedError, RateLimitedError, 1, 1, waits=()),
    "429 for ever": Script((status(429),), RateLimitedError, RateLimitedError, ATTEMPTS, ATTEMPTS, always=True),
    "429, then 503, then 429": Script(
        (asking(429, "1"), asking(503, "2"), asking(429, "3")), None, UNKNOWN, 4, 2, waits=(1.0, 2.0, 3.0)
    ),
    "408": Script((status(408),), None, UNKNOWN, 2, 1),
    "500": Script((status(500),), None, UNKNOWN, 2, 1),
    "502, a page": Script((status(502, text="<html>Bad gateway</html>"),), None, UNKNOWN, 2, 1),
    "503 with JSON": Script((status(503, json={"message": "maintenance"}),), None, UNKNOWN, 2, 1),
    "504": Script((status(504),), None, UNKNOWN, 2, 1),
    "503, wait a day": Script((asking(503, "86400"),), UnavailableError, UNKNOWN, 1, 1, waits=()),
    "a burst": Script(tuple(status(code) for code in (500, 502, 503, 504)), None, UNKNOWN, 5, 1),
    "a burst that is too long": Script((status(503),), UnavailableError, UNKNOWN, ATTEMPTS, 1, always=True),
    "cut before": Script(({"cut": "before"},), None, UNKNOWN, 2, 1),
    "cut after": Script(({"cut": "after"},), None, UNKNOWN, 2, 1),
    "cut for ever": Script(({"cut": "after"},), UnavailableError, UNKNOWN, ATTEMPTS, 1, always=True),
    "cut, then 429": Script(({"cut": "before"}, asking(429, "4")), None, UNKNOWN, 3, 1),
    "not JSON": Script((status(200, text="Welcome"),), None, UNKNOWN, 2, 1),
    "a page": Script((status(200, text="<html>Log in</html>"),), None, UNKNOWN, 2, 1),
    "half of JSON": Script((status(200, text='{"half": "of'),), None, UNKNOWN, 2, 1),
    "slow": Script(({"delay_s": 0.4},), None, None, 1, 1),
    "too slow": Script(({"delay_s": READ_TIMEOUT + 1.5},), None, UNKNOWN, 2, 1),
    "redirect": Script((status(302, headers={"Location": "https://example.com/"}),), RefusedError, RefusedError, 1, 1),
    "redirect that keeps the method": Script(
        (status(307, headers={"Location": "/v2/public/projects"}),), RefusedError, RefusedError, 1, 1
    ),
    "413": Script((status(413),), PayloadTooLargeError, PayloadTooLargeError, 1, 1),
    "400": Script((status(400, json={"message": "no"}),), InvalidRequestError, InvalidRequestError, 1, 1),
    "403": Script((status(403),), PermissionDeniedError, PermissionDeniedError, 1, 1),
    "404": Script((status(404),), NotFoundError, NotFoundError, 1, 1),
}
ENVELOPES: dict[str, Script] = {
    "rate limit": Script(({"v1_error": "RATE_LIMIT_ERROR"},), None, None, 2, 2),
    "unknown error": Script(({"v1_error": "UNKNOWN_ERROR"},), None, UNKNOWN, 2, 1),
    "not found": Script(({"v1_error": "RESOURCE_NOT_FOUND_ERROR"},), NotFoundError, NotFoundError, 1, 1),
    "no access": Script(({"v1_error": "AUTHORISATION_ERROR"},), PermissionDeniedError, PermissionDeniedError, 1, 1),
    "label limit": Script(
        ({"v1_error": "MULTI_LABEL_LIMIT_ERROR", "payload": {"maximum_labels_allowed": 7}},),
        PayloadTooLargeError, PayloadTooLargeError, 1, 1,
    ),
    "a code of tomorrow": Script(({"v1_error": "SOMETHING_NEW"},), InvalidRequestError, InvalidRequestError, 1, 1),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of it, without what differs from run to run."""

    error: str | None
    message: str
    requests: list[tuple[str, str, int | None, bool]]
    waits: int
    asked_waits: list[float]


def put_in_force(emulator: Emulator, script: Script) -> None:
    for number, do in enumerate(script.faults, 1):
        when = {} if script.always else {"nth": number}
        emulator.faults([{"match": {}, "when": when, "do": do}])


def journal_of(emulator: Emulator, expected: int) -> list[dict[str, Any]]:
    """The journal, once it has as many entries as are expected, as it would have soon: a request that no one waits for
    any more is entered when its work is done.
    """
    deadline = time.monotonic() + 20
    while len(journal := emulator.journal()) < expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return journal


def outcome_of(
    world: World, kind: str, script: Script, expected: int, work: Callable[[EncordClient | ClientOnLoop], Any]
) -> Outcome:
    waits: list[float] = []
    with world.client(kind, waits) as client:
        world.emulator.clear_faults()
        world.emulator.clear_journal()
        put_in_force(world.emulator, script)
        error = None
        try:
            work(client)
        except EncordError as caught:
            error = caught
        world.emulator.clear_faults()
    journal = journal_of(world.emulator, expected)
    message = error.message.replace(world.emulator.url, "URL") if error else ""
    return Outcome(
        type(error).__name__ if error else None,
        message,
        sorted(
            ((entry["method"], entry["path"], entry["status"], entry["fault"] is not None) for entry in journal),
            key=repr,
        ),
        len(waits),
        [round(wait, 3) for wait in waits] if script.waits is not None else [],
    )


def hold(script: Script, outcome: Outcome, error: type[EncordError] | None, requests: int, *, is_read: bool) -> None:
    assert outcome.error == (error.__name__ if error else None), outcome
    assert len(outcome.requests) == requests, outcome
    assert outcome.waits == (requests - 1 if script.waits != () else 0), outcome
    if script.waits is not None and is_read:
        assert outcome.asked_waits == list(script.waits)


CASES = [
    pytest.param(script, make, is_read, id=f"{name} - {what}")
    for name, script in SCRIPTS.items()
    for what, make, is_read in [(w, m, True) for w, m in READS.items()] + [(w, m, False) for w, m in CHANGES.items()]
] + [
    pytest.param(script, calls[f"{word} on v1"], word == "read", id=f"{name} - {word} on v1")
    for name, script in ENVELOPES.items()
    for word, calls in (("read", READS), ("change", CHANGES))
]


@pytest.mark.parametrize(("script", "make", "is_read"), CASES)
def test_a_script_of_faults_has_one_outcome_on_both_transports(world, script, make, is_read):
    error, requests = (script.read, script.requests) if is_read else (script.change, script.requests_of_change)
    outcomes = [outcome_of(world, kind, script, requests, lambda client: client.send(make(world))) for kind in KINDS]
    assert outcomes[0] == outcomes[1]
    hold(script, outcomes[0], error, requests, is_read=is_read)


# Flows, which look whether a lost answer was one to a thing done


@dataclasses.dataclass(frozen=True)
class FlowScript:
    """Faults, a flow, and what comes of it.

    :param flow: Made for each transport; it gets a word that no other run has.
    :param result: What of its result can be compared; None if it fails.
    :param requests: How many changing requests were carried out, and how many requests there were in all.
    """

    faults: tuple[dict[str, Any], ...]
    flow: Callable[[World, str], Flow[Any]]
    result: Callable[[Any], Any]
    expected: Any
    changed: int
    requests: int


def created(world: World, word: str) -> Flow[Any]:
    return create_dataset_once(f"d-{word}", if_exists="reuse")


def saved(world: World, word: str) -> Flow[Any]:
    """Save all rows as they are, two at a time at most."""
    rows = yield from labels.list_label_rows(world.project)
    found = yield from labels.get_label_rows(world.project, [row.label_hash for row in rows if row.label_hash])

    def save(some: Any) -> Call[Any]:
        return labels.save_label_rows(world.project, [one.label_hash for one in some], [one.content for one in some])

    return len((yield from in_parts(found, save, size=4)))


def together(world: World, word: str) -> Flow[Any]:
    calls = [projects.get_project(world.project), ontologies.list_ontologies(Filter(title_eq=word))]
    return (yield from Gather([*calls, projects.get_project(str(uuid.uuid4()))], 1))


def kinds_of(results: Any) -> list[str]:
    return [type(result).__name__ for result in results]


of_creation = {"match": {"method": "POST", "path": "/datasets$"}}
of_saving = {"match": {"query_type": "labelrow", "query_method": "POST"}}
first = {"when": {"nth": 1}}
both = {"when": {"times": 2}}
IS_NEW = lambda one: one.created  # noqa: E731 - a column of the table
FLOWS: dict[str, FlowScript] = {
    "created": FlowScript((), created, IS_NEW, True, 1, 3),
    "a creation whose answer is lost is found": FlowScript(
        ({**of_creation, **first, "do": {"cut": "after"}},), created, IS_NEW, True, 1, 3
    ),
    "a creation that is cut before is reported": FlowScript(
        ({**of_creation, **first, "do": {"cut": "before"}},), created, IS_NEW, OutcomeUnknownError, 0, 3
    ),
    "a creation that is refused for now is repeated": FlowScript(
        ({**of_creation, **first, "do": {"status": 429, "headers": {"Retry-After": "1"}}},), created, IS_NEW, True, 1, 4
    ),
    "a look that fails is repeated": FlowScript(
        ({"match": {}, **first, "do": status(503)},), created, IS_NEW, True, 1, 4
    ),
    "what is too much is halved": FlowScript(({**of_saving, **first, "do": status(413)},), saved, int, 2, 2, 5),
    "and halved again": FlowScript(({**of_saving, **both, "do": status(413)},), saved, int, 3, 3, 7),
    "one failure stops none": FlowScript(
        ({"match": {}, **first, "do": status(500)},),
        together, kinds_of, ["ProjectRecord", "Page", "NotFoundError"], 0, 4,
    ),
}  # fmt: skip


@pytest.mark.parametrize("script", FLOWS.values(), ids=FLOWS)
def test_a_flow_has_the_same_result_on_both_drivers(world, script):
    seen = []
    for kind in KINDS:
        with world.client(kind, []) as client:
            world.emulator.clear_faults()
            faults = world.emulator.faults(script.faults)
            world.emulator.clear_journal()
            try:
                result = script.result(client.run(script.flow(world, uuid.uuid4().hex)))
            except EncordError as error:
                result = type(error)
        only_lost = {fault for fault, one in zip(faults, script.faults, strict=True) if one["do"] == {"cut": "after"}}
        journal = journal_of(world.emulator, script.requests)
        done = [entry for entry in journal if entry["changes"] and entry["fault"] in {None, *only_lost}]
        asked = [(one["method"], one["query_type"], one["status"], one["changes"]) for one in journal]
        seen.append((result, len(done), asked))
    assert seen[0] == seen[1]
    assert seen[0][:2] == (script.expected, script.changed)
    assert len(seen[0][2]) == script.requests
