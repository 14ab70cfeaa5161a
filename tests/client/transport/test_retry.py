"""When a call is sent again, after how long, and with a new signature. Waits are recorded in a list, not slept."""

from __future__ import annotations

import datetime
import email.utils
import re
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_encord.client.api.core.reading import ignored
from airflow_provider_encord.client.call import SSH_OR_API_KEY, Call, Envelope, Request, Resource
from airflow_provider_encord.client.errors import (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PayloadTooLargeError,
    RateLimitedError,
    TransientError,
    UnavailableError,
    UnexpectedResponseError,
)
from airflow_provider_encord.client.transport.retry import ATTEMPTS, LONGEST_DELAY, may_repeat
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.defaults import LONGEST_WAIT
from tests.client.scripted_server import Act, Connection, ScriptedServer, answer, closed_port, cut, v1, v1_error
from tests.client.sending import sender
from tests.wire.vectors import ssh_key

READ: dict[str, Any] = {"changes": False, "repeatable": True}
CHANGE: dict[str, Any] = {"changes": True, "repeatable": False}
SAVE: dict[str, Any] = {"changes": True, "repeatable": True}


def call_v1(**traits: Any) -> Call[Any]:
    request = Envelope("project", "GET", Resource("project", "aaaaaaaa-0000-4000-8000-000000000001"))
    return Call(request=request, read=ignored, credentials=SSH_OR_API_KEY, operation="project.get", **traits)


def call_v2(**traits: Any) -> Call[Any]:
    return Call(request=Request("POST", "datasets", json={}), read=ignored, operation="dataset.create", **traits)


class Clock:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).timestamp()
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def transport(server: ScriptedServer, clock: Clock, kind: str) -> Iterator[Any]:
    """A transport of either kind, which waits by the clock."""
    with sender(kind, ssh_key(), Settings(base_url=server.url), sleep=clock.sleep, clock=clock) as made:
        yield made


def no_http(server: ScriptedServer, connection: Connection) -> bool:
    connection.socket.sendall(b"SSH-2.0-x\r\n")
    return False


FINE = answer(json={"status": 200, "response": True})

AGAIN = "again"
TABLE: list[tuple[str, Act, Any, Any]] = [
    ("429", answer(429), AGAIN, AGAIN),
    ("429 with a wait", answer(429, headers={"Retry-After": "5"}), AGAIN, AGAIN),
    ("429 with a long wait", answer(429, headers={"Retry-After": "61"}), RateLimitedError, RateLimitedError),
    ("408", answer(408), AGAIN, OutcomeUnknownError),
    ("500", answer(500), AGAIN, OutcomeUnknownError),
    ("502", answer(502, text="<html>"), AGAIN, OutcomeUnknownError),
    ("503", answer(503), AGAIN, OutcomeUnknownError),
    ("503 with a long wait", answer(503, headers={"Retry-After": "3600"}), UnavailableError, OutcomeUnknownError),
    ("504", answer(504), AGAIN, OutcomeUnknownError),
    ("cut", cut(), AGAIN, OutcomeUnknownError),
    ("cut with a reset", cut(reset=True), AGAIN, OutcomeUnknownError),
    ("cut in the answer", cut(after=10), AGAIN, OutcomeUnknownError),
    ("not HTTP", no_http, AGAIN, OutcomeUnknownError),
    ("400", answer(400), InvalidRequestError, InvalidRequestError),
    ("401", answer(401), AuthenticationError, AuthenticationError),
    ("404", answer(404), NotFoundError, NotFoundError),
    ("413", answer(413), PayloadTooLargeError, PayloadTooLargeError),
]


@pytest.mark.parametrize(("what", "act", "reading", "changing"), TABLE, ids=[row[0] for row in TABLE])
@pytest.mark.parametrize("call", [call_v1, call_v2])
@pytest.mark.parametrize("traits", [READ, CHANGE, SAVE], ids=["read", "change", "save"])
def test_what_happened_and_the_call_decide_what_comes_next(
    server, transport, clock, what, act, reading, changing, call, traits
):
    server.will(act, FINE)
    expected = reading if traits["repeatable"] else changing
    if expected is AGAIN:
        transport.send(call(**traits))
        assert len(clock.waits) == 1
        return
    with pytest.raises(expected) as caught:
        transport.send(call(**traits))
    assert type(caught.value) is expected
    assert clock.waits == []
    assert len(server.requests) <= 1
    assert caught.value.trace_id


ENVELOPES: list[tuple[str, Act, Any, Any]] = [
    ("rate limit", v1_error("RATE_LIMIT_ERROR"), AGAIN, AGAIN),
    ("unknown error", v1_error("UNKNOWN_ERROR"), AGAIN, OutcomeUnknownError),
    ("not JSON", answer(200, text="<html>"), AGAIN, OutcomeUnknownError),
    ("empty", answer(200), AGAIN, OutcomeUnknownError),
    ("no envelope", answer(200, json={}), UnexpectedResponseError, UnexpectedResponseError),
    ("label limit", v1_error("MULTI_LABEL_LIMIT_ERROR"), PayloadTooLargeError, PayloadTooLargeError),
    ("not found", v1_error("RESOURCE_NOT_FOUND_ERROR"), NotFoundError, NotFoundError),
]


@pytest.mark.parametrize(("what", "act", "reading", "changing"), ENVELOPES, ids=[row[0] for row in ENVELOPES])
@pytest.mark.parametrize("traits", [READ, CHANGE], ids=["read", "change"])
def test_an_envelope_decides_as_an_http_status_does(server, transport, clock, what, act, reading, changing, traits):
    server.will(act, FINE)
    expected = reading if traits["repeatable"] else changing
    if expected is AGAIN:
        transport.send(call_v1(**traits))
        assert len(server.requests) == 2
        return
    with pytest.raises(expected):
        transport.send(call_v1(**traits))
    assert len(server.requests) == 1


@pytest.mark.parametrize("traits", [READ, CHANGE], ids=["read", "change"])
def test_a_connection_that_was_never_made_is_tried_again_whatever_the_call(clock, kind, traits):
    with closed_port() as port:
        settings = Settings(base_url=f"http://127.0.0.1:{port}")
        with (
            sender(kind, ssh_key(), settings, sleep=clock.sleep, clock=clock) as made,
            pytest.raises(UnavailableError, match="refused") as caught,
        ):
            made.send(call_v1(**traits))
    assert type(caught.value) is UnavailableError
    assert len(clock.waits) == ATTEMPTS - 1


def test_the_last_error_is_raised_after_so_many_attempts(server, transport, clock):
    server.always(answer(503, json={"message": "down"}))
    with pytest.raises(UnavailableError, match="down"):
        transport.send(call_v1(**READ))
    assert len(server.requests) == ATTEMPTS
    assert len(clock.waits) == ATTEMPTS - 1
    assert all(0 <= wait <= LONGEST_DELAY for wait in clock.waits)


def test_what_the_server_asks_for_is_waited_for(server, transport, clock):
    when = email.utils.format_datetime(datetime.datetime.fromtimestamp(clock.now + 25, datetime.UTC), usegmt=True)
    server.will(
        answer(429, headers={"Retry-After": "7"}),
        answer(503, headers={"Retry-After": when}),
        answer(429, headers={"Retry-After": "0"}),
        answer(429, headers={"Retry-After": str(int(LONGEST_WAIT))}),
        FINE,
    )
    transport.send(call_v1(**READ))
    assert clock.waits == [7.0, 18.0, 60.0]  # none after a wait of 0 s


@pytest.mark.parametrize("seconds", [61, 3600, 86_400])
def test_a_longer_wait_is_the_callers_to_schedule(server, transport, clock, seconds):
    server.will(answer(429, headers={"Retry-After": str(seconds)}), FINE)
    with pytest.raises(RateLimitedError) as caught:
        transport.send(call_v1(**READ))
    assert caught.value.retry_after == seconds
    assert caught.value.retryable
    assert clock.waits == []


def test_waits_without_a_word_of_the_server_grow_and_differ(server, transport, clock):
    firsts, lasts = [], []
    server.always(answer(500))
    for _ in range(40):
        clock.waits.clear()
        with pytest.raises(UnavailableError):
            transport.send(call_v1(**READ))
        firsts.append(clock.waits[0])
        lasts.append(clock.waits[-1])
    assert max(firsts) <= 1.0 < max(lasts)
    assert len(set(firsts)) > 10


def test_every_attempt_is_signed_again(server, transport, clock):
    server.will(answer(429, headers={"Retry-After": "50"}), answer(429, headers={"Retry-After": "50"}), FINE)
    start = int(clock.now)
    transport.send(call_v2(**READ))
    created = [re.search(r"created=(\d+)", request.headers["signature-input"]) for request in server.requests]
    assert [int(one[1]) - start for one in created if one] == [0, 50, 100]
    assert len({one.headers["signature"] for one in server.requests}) == 3
    assert len({one.headers["x-cloud-trace-context"] for one in server.requests}) == 3


@pytest.mark.parametrize(
    ("error", "repeat"),
    [
        (UnavailableError("x"), True),
        (UnavailableError("x", retry_after=60), True),
        (UnavailableError("x", retry_after=60.5), False),
        (RateLimitedError("x"), False),  # the turns of all calls decide
        (RateLimitedError("x", retry_after=600), False),
        (OutcomeUnknownError("x"), False),
        (TransientError("x"), False),
        (NotFoundError("x"), False),
        (UnexpectedResponseError("x"), False),
        (KeyError("bug"), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_only_what_did_nothing_or_may_be_repeated_is_repeated(error, repeat):
    assert may_repeat(error) is repeat


def test_each_repetition_is_announced_once(server, transport, caplog):
    server.will(answer(503), v1_error("RATE_LIMIT_ERROR"), v1(True))
    with caplog.at_level("WARNING"):
        transport.send(call_v1(**READ))
    said = [record.getMessage() for record in caplog.records if "Attempt" in record.getMessage()]
    assert len(said) == 1
    assert said[0].startswith(f"Attempt 2 of {ATTEMPTS} follows in ")
    assert "HTTP 503" in said[0]
