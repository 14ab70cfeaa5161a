"""Fault 9.5: recorded retries are replayed: what the SDK sent again we send again, and what it did not we do not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.client.transport.settings import Settings
from tests.client.network import plain_network
from tests.client.scripted_server import Act, ScriptedServer, answer
from tests.client.sending import KINDS, sender
from tests.wire.test_errors import _call
from tests.wire.vectors import Exchange, Vector, vectors

__all__ = ["plain_network"]

RETRIES = [one for one in vectors() if one.operation.startswith("retry:")]
ATTEMPTS = 5
"""So often we send what may be repeated; the SDK sends it four times."""


@pytest.fixture
def server(plain_network: None) -> Iterator[ScriptedServer]:
    with ScriptedServer() as scripted:
        yield scripted


def _act(exchange: Exchange) -> Act:
    headers = {name: value for name, value in exchange.response["headers"].items() if name != "Content-Length"}
    return answer(exchange.response["status"], text=exchange.body.decode(), headers=headers)


def _expected_requests(vector: Vector) -> int:
    if vector.raises is None:
        return len(vector.exchanges)
    call = _call(vector.exchanges[0])
    return ATTEMPTS if call.repeatable or not call.changes else 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("vector", RETRIES, ids=lambda one: one.name)
def test_a_recorded_retry_is_repeated_only_if_a_repeat_does_no_harm(
    vector: Vector, kind: str, server: ScriptedServer
) -> None:
    server.will(*map(_act, vector.exchanges)).always(_act(vector.exchanges[-1]))
    waits: list[float] = []
    first = vector.exchanges[0]
    with sender(kind, first.credential, Settings(base_url=server.url), sleep=waits.append) as transport:
        if vector.raises is None:
            transport.send(_call(first))
        else:
            with pytest.raises(EncordError):
                transport.send(_call(first))
    assert len(server.requests) == _expected_requests(vector)
    asked = {(request.method, request.target) for request in server.requests}
    assert asked == {(first.request["method"], first.request.get("target", first.request["path"]))}
    result = [float(exchange.response["headers"]["Retry-After"]) for exchange in vector.exchanges if _tells(exchange)]
    assert all(wait >= wanted - 0.1 for wait, wanted in zip(waits, result, strict=False))


def _tells(exchange: Exchange) -> bool:
    return "Retry-After" in exchange.response["headers"]


def test_there_are_retries_of_both_outcomes() -> None:
    assert {vector.raises is None for vector in RETRIES} == {True, False}
