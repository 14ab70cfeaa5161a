"""Recorded answers as our transport hands them on."""

from __future__ import annotations

import json
from typing import Any

from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.client.transport.responses import Answer
from airflow_provider_encord.client.transport.results import result
from tests.wire.arguments import call_of
from tests.wire.subjects.reading import Key
from tests.wire.vectors import Exchange

HOST = "api.encord.com"
TRACE_ID = "0123456789abcdef0123456789abcdef"
NOW = 1767225600.0  # 2026-01-01T00:00:00Z


def answer_of(exchange: Exchange, body: bytes | None = None) -> Answer:
    """The answer of a recorded exchange, perhaps with another body."""
    return make_answer(
        exchange.body if body is None else body, exchange.response["status"], exchange.response["headers"]
    )


def make_answer(body: bytes | Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """An answer; a body that is not bytes is sent as JSON."""
    return Answer(
        status=status,
        headers={name.lower(): value for name, value in (headers or {}).items()},
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        host=HOST,
        trace_id=TRACE_ID,
        now=NOW,
    )


def outcome(exchange: Exchange, key: Key, answer: Answer) -> Any:
    """What is read from an answer, or the error of ours; anything else is raised."""
    try:
        return result(call_of(exchange, key), answer)
    except EncordError as error:
        return error
