"""An attempt ends, however slowly a server sends or takes bytes; one that keeps flowing is not ended.

Fault 7.1: one byte every 0.4 s never let the ``read_timeout`` fire.
"""

from __future__ import annotations

import dataclasses
import io
import json
import time

import pytest

from airflow_provider_encord.client.call import Transfer
from airflow_provider_encord.client.errors import OutcomeUnknownError, UnavailableError
from airflow_provider_encord.client.transport.deadline import SLOWEST, Deadline
from airflow_provider_encord.client.transport.settings import Settings
from tests.client.misbehaving import drip, stream
from tests.client.scripted_server import Act, Connection, ScriptedServer, answer
from tests.client.sending import GET, POST

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n"
DRIPS = {
    "the status line": drip(b"", HEAD, pause=0.04),
    "a header": drip(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a" * 400, pause=0.04),
    "interim answers": stream(lambda: iter([b"HTTP/1.1 103 Early Hints\r\n\r\n"] * 400), pause=0.04),
    "the body": drip(HEAD, b" " * 400, pause=0.04),
    "a chunk": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n190\r\n", b" " * 400, pause=0.04),
    "the length of a chunk": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0" * 400, pause=0.04),
    "a body without a length": drip(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 400, pause=0.04),
}


@pytest.mark.parametrize("act", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_ends_although_it_is_never_silent(server, transport, act):
    server.always(act)
    with transport(server.url, read_timeout=0.2, attempts=1) as sender:
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="total_timeout") as raised:
            sender.send(GET)
        with pytest.raises(OutcomeUnknownError, match="total_timeout"):
            sender.send(POST)
        assert time.monotonic() - began < 5
    assert raised.value.timed_out


def test_the_limit_may_be_set_longer_than_twice_the_read_timeout(server, transport):
    server.always(drip(HEAD.replace(b"400", b"10"), b'{"a": "b"}', pause=0.05))
    with transport(server.url, read_timeout=0.1, total_timeout=20) as sender:
        assert sender.send(GET) == {"a": "b"}


def test_a_large_answer_that_keeps_flowing_is_read_to_its_end(server, transport):
    size, pieces = 64 * 1024, 12
    body = json.dumps({"a": "b" * (size * pieces)}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    parts = [head, *(body[start : start + size] for start in range(0, len(body), size))]
    server.always(stream(lambda: iter(parts), pause=0.1))
    with transport(server.url, read_timeout=0.3, attempts=1) as sender:  # 0.6 s in all, were it not flowing
        assert len(sender.send(GET)["a"]) == size * pieces


def _takes_slowly(server: ScriptedServer, connection: Connection) -> bool:
    """Takes an upload byte by byte."""
    while not server.closing.wait(0.02):
        connection.socket.recv(1)
    return False


def _transfer(url: str, size: int) -> Transfer:
    return Transfer(url=url, open=lambda: io.BytesIO(bytes(size)), size=size, headers={}, title="big.bin")


def test_an_upload_that_is_taken_byte_by_byte_ends(server, transport):
    server.always(_takes_slowly)
    with transport(server.url, read_timeout=0.3, connect_timeout=0.3, attempts=1) as sender:
        began = time.monotonic()
        with pytest.raises(UnavailableError, match=r"big\.bin was not uploaded"):
            sender.transfer(_transfer(server.url, 64 << 20))
        assert time.monotonic() - began < 20


def _takes_steadily(server: ScriptedServer, connection: Connection) -> bool:
    """Takes an upload by a megabyte, with pauses."""
    left = int(connection._head[2]["content-length"]) if connection._head else 0
    while left:
        left -= len(connection._file.read(min(left, 1 << 20)))
        server.closing.wait(0.1)
    connection.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    return True


def test_an_upload_that_keeps_flowing_is_not_ended(server, transport):
    act: Act = _takes_steadily
    server.always(act)
    began = time.monotonic()
    with transport(server.url, read_timeout=3.0, attempts=1) as sender:  # 6 s in all, were it not flowing
        sender.transfer(_transfer(server.url, 80 << 20))
    assert time.monotonic() - began > 6


def test_an_answer_of_an_object_store_that_drips_ends(server, transport):
    server.always(drip(HEAD, b" " * 400, pause=0.04))
    with transport(server.url, read_timeout=0.2, attempts=1) as sender:
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="total_timeout"):
            sender.transfer(_transfer(server.url, 10))
        assert time.monotonic() - began < 5


def test_a_long_poll_may_take_its_hold_in_addition(server, transport):
    server.always(drip(HEAD.replace(b"400", b"10"), b'{"a": "b"}', pause=0.05))
    held = dataclasses.replace(GET, hold_seconds=20.0)
    with transport(server.url, read_timeout=0.1, attempts=1) as sender:
        assert sender.send(held) == {"a": "b"}


def test_a_connection_can_be_used_again_after_a_short_deadline(server, transport):
    server.always(answer(json={"title": "t"}))
    with transport(server.url, read_timeout=5) as sender:
        for _ in range(5):
            sender.send(GET)
    assert server.accepted == 1


def test_the_time_of_a_deadline_grows_with_the_bytes():
    now = 100.0
    deadline = Deadline(10, clock=lambda: now)
    assert deadline.left == 10
    deadline.moved(5 * SLOWEST)
    assert deadline.left == 15
    now = 115.0
    assert deadline.over


def test_the_default_of_the_total_timeout_is_twice_the_read_timeout():
    assert Settings(read_timeout=7).total_seconds == 14
    assert Settings(read_timeout=7, total_timeout=3).total_seconds == 3
