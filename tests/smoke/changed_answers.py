"""A server that forwards requests to the emulator and lets a test change its answers.

Signatures do not include the host, so the emulator accepts what was signed for this server.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

from tests.client.scripted_server import Received, ScriptedServer, respond

Change = Callable[[Received, int, Any], tuple[int, Any]]
"""Takes the request, and status and JSON of the emulator's answer; returns those to send."""


@contextlib.contextmanager
def changed_answers(emulator_url: str, change: Change) -> Iterator[str]:
    """Run the server in a ``with`` block, which gets its URL."""
    place = urllib.parse.urlsplit(emulator_url).netloc

    def answer_to(received: Received) -> tuple[int, Any]:
        try:
            return change(received, *_forwarded(place, received))
        except Exception as error:  # noqa: BLE001 - raised after the block, outside the server's thread
            broken.append(error)
            return 418, {"message": "the test's own server is broken"}

    broken: list[Exception] = []
    with ScriptedServer() as server:
        server.always(respond(answer_to))
        yield server.url
    if broken:
        raise broken[0]


def _forwarded(place: str, received: Received) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(place, timeout=60)
    try:
        left_out = ("host", "connection", "accept-encoding", "content-length")
        headers = {name: value for name, value in received.headers.items() if name not in left_out}
        connection.request(received.method, received.target, received.body or None, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def path(received: Received) -> str:
    """The path of a v2 request, below ``/v2/public/``."""
    return received.target.partition("?")[0].removeprefix("/v2/public/")


def query(received: Received) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(received.target.partition("?")[2]))


def query_type(received: Received) -> str | None:
    """The query type of a v1 request; None on v2."""
    return received.json()["query_type"] if received.target.startswith("/public") else None


def v1(response: Any) -> tuple[int, Any]:
    return 200, {"status": 200, "response": response}


def v1_error(code: str) -> tuple[int, Any]:
    return 200, {"status": 400, "response": [code]}
