"""Asking a control of a running emulator. Standard library only."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from typing import Any


class EmulatorError(RuntimeError):
    """The emulator did not start, or refused a control; the text says why."""


class ControlClient:
    """Reaches the controls of an emulator.

    :param url: Where it listens, without a final slash.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def _ask(self, method: str, control: str, body: Any = None) -> Any:
        place = urllib.parse.urlsplit(self.url)
        # A connection of its own each time: a control must not depend on one that a fault has cut.
        connection = http.client.HTTPConnection(place.hostname or "127.0.0.1", place.port, timeout=600)
        try:
            content = None if body is None else json.dumps(body).encode()
            headers = {} if content is None else {"Content-Type": "application/json"}
            connection.request(method, f"/_emulator/{control}", content, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise EmulatorError(f"The emulator refused {method} {control.partition('?')[0]}: {answer.status} {text}")
        return json.loads(text)


def given(**values: Any) -> dict[str, Any]:
    """What was not left out."""
    return {name: value for name, value in values.items() if value is not None}
