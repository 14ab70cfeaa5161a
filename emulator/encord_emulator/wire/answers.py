"""What goes back to a client: the HTTP response, and what the journal wants to know of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
from starlette.responses import Response

JSON = "application/json"


@dataclasses.dataclass
class Answer:
    """A response; ``v1_status`` is the status inside the envelope, if it is one."""

    response: Response
    v1_status: int | None = None


def plain(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """A value as JSON; ``msgspec.Raw`` parts go out as they are."""
    return Answer(Response(msgspec.json.encode(value), status, headers, JSON))


def v1_success(result: Any) -> Answer:
    """A result in the envelope."""
    return Answer(Response(msgspec.json.encode({"status": 200, "response": result}), 200, None, JSON), 200)


def v1_error(code: str, status: int, payload: Any = msgspec.UNSET) -> Answer:
    """An error in the envelope: HTTP 200, the real status inside."""
    body: dict[str, Any] = {"status": status, "response": [code]}
    if payload is not msgspec.UNSET:
        body["payload"] = payload
    return Answer(Response(msgspec.json.encode(body), 200, None, JSON), status)
