"""A server that is the emulator, but for what a test wants to be otherwise: it relays, and twists answers.

Signatures do not cover the host, so what is signed for this server is valid at the emulator.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

from tests.client.scripted_server import Received, ScriptedServer, respond

Twist = Callable[[Received, int, Any], tuple[int, Any]]
"""Gets the request, and status and JSON of the emulator's answer; gives those that are sent."""


@contextlib.contextmanager
def contrary(emulator_url: str, twist: Twist) -> Iterator[str]:
    """Serve, as long as the ``with`` lasts; the URL."""
    place = urllib.parse.urlsplit(emulator_url).netloc

    def relay(received: Received) -> tuple[int, Any]:
        try:
            return twist(received, *_asked(place, received))
        except Exception as error:  # noqa: BLE001 - in the server's thread nobody would hear of it
            broken.append(error)
            return 418, {"message": "the test's own server is broken"}

    broken: list[Exception] = []
    with ScriptedServer() as server:
        server.always(respond(relay))
        yield server.url
    if broken:
        raise broken[0]


def _asked(place: str, received: Received) -> tuple[int, Any]:
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


def asked_for(received: Received) -> str | None:
    """The query type of a v1 request; None on v2."""
    return received.json()["query_type"] if received.target.startswith("/public") else None


def v1(response: Any) -> tuple[int, Any]:
    return 200, {"status": 200, "response": response}


def v1_error(code: str) -> tuple[int, Any]:
    return 200, {"status": 400, "response": [code]}
