"""One label row that no JSON reader accepts is named, and does not take the other rows of its answer along.

Fault 4.2: one row with ``NaN``, ``Infinity``, half of a surrogate pair or 5,000 levels made a whole export fail for
ever, as retryable, and no row was named.
"""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from airflow_provider_encord.client.api.labels import get_label_rows
from airflow_provider_encord.client.errors import (
    EncordError,
    OutcomeUnknownError,
    PartialFailureError,
    UnexpectedResponseError,
)
from airflow_provider_encord.client.flows.chunks import in_parts
from airflow_provider_encord.client.flows.label_rows import read_rows
from tests.client.clients import either_client
from tests.client.scripted_server import Act, Connection, Received, ScriptedServer, answer
from tests.client.sending import POST

PROJECT = "aaaaaaaa-0000-4000-8000-000000000001"
ROWS = [f"row-{number}" for number in range(9)]
UNREADABLE = {
    "NaN": b'"x": NaN',
    "Infinity": b'"x": [-Infinity]',
    "high surrogate alone": rb'"x": "\ud83d"',
    "low surrogate alone": rb'"x": "\ude00"',
    "5,000 levels": b'"x": ' + b"[" * 5000 + b"]" * 5000,
    "bytes that are not UTF-8": b'"x": "\xff"',
    "a bare word": b'"x": undefined',
    "an id that is a number": b'"label_hash": 3',
    "a control character": b'"x": "\x01"',
}


def _rows(bad: dict[str, bytes]) -> Act:
    """Answer with the rows that are asked for; those in `bad` hold something else besides."""

    def act(server: ScriptedServer, connection: Connection) -> bool:
        received: Received = connection.read_body()
        server.note(received)
        asked = received.json()["values"]["uid"]
        rows = [
            b'{"label_hash": "%s", %s, "data_hash": "data", "end": {}}' % (one.encode(), bad.get(one, b'"x": 1'))
            for one in asked
        ]
        body = b'{"status": 200, "response": [' + b", ".join(rows) + b"]}"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.socket.sendall(head.encode() + body)
        return True

    return act


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_a_row_that_cannot_be_read_is_named_and_the_others_are_read(server, kind, content):
    server.always(_rows({"row-4": content}))
    with either_client(server, kind=kind) as client:
        read = client.run(read_rows(PROJECT, ROWS))
    assert {row.label_hash for row in read.rows} == set(ROWS) - {"row-4"}
    assert list(read.unreadable) == ["row-4"]
    error = read.unreadable["row-4"]
    assert str(error).startswith("Label row row-4: ")
    assert not error.retryable


def test_an_answer_that_is_unreadable_is_not_asked_for_again(server, transport):
    server.always(_rows({"row-0": b'"x": NaN'}))
    with transport(server.url) as sender, pytest.raises(UnexpectedResponseError) as raised:
        sender.send(get_label_rows(PROJECT, ["row-0", "row-1"]))
    assert raised.value.rows == ("row-0", "row-1")
    assert len(server.requests) == 1


@pytest.mark.parametrize("bad", [["row-0"], ["row-8"], ["row-3", "row-4"], ROWS])
def test_several_rows_that_cannot_be_read_are_all_named(server, kind, bad):
    server.always(_rows(dict.fromkeys(bad, b'"x": NaN')))
    with either_client(server, kind=kind) as client:
        read = client.run(read_rows(PROJECT, ROWS, size=5))
    assert sorted(read.unreadable) == bad
    assert {row.label_hash for row in read.rows} == set(ROWS) - set(bad)


def test_in_parts_fails_with_the_one_row_and_says_which_came_before(server, kind):
    server.always(_rows({"row-6": b'"x": NaN'}))
    with either_client(server, kind=kind) as client, pytest.raises(PartialFailureError) as raised:
        client.run(in_parts(ROWS, lambda some: get_label_rows(PROJECT, some), size=9))
    assert isinstance(raised.value.cause, UnexpectedResponseError)
    assert raised.value.cause.rows == ("row-6",)
    assert raised.value.outcome.done == ROWS[:6]


@pytest.mark.parametrize("body", [b'{"status": 200, "response": [{"label_hash": "row-0", "da', b"upstream failed", b""])
def test_an_answer_that_is_cut_or_of_a_proxy_may_pass(server, transport, body):
    server.always(answer(200, text=body))
    with transport(server.url) as sender, pytest.raises(EncordError) as raised:
        sender.send(get_label_rows(PROJECT, ["row-0"]))
    assert raised.value.retryable


def test_a_change_with_an_unreadable_answer_stays_in_doubt(server, transport):
    server.always(answer(200, text=b'{"x": NaN}'))
    reading = dataclasses.replace(POST, read=msgspec.json.decode)
    with transport(server.url) as sender, pytest.raises(OutcomeUnknownError):
        sender.send(reading)
