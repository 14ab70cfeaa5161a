"""Both transports put the same bytes on the wire for every call that was ever recorded."""

from __future__ import annotations

import contextlib
from typing import Any

from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.client.transport.settings import Settings
from tests.client.scripted_server import Received, ScriptedServer, answer
from tests.client.sending import KINDS, sender
from tests.wire.arguments import call_of
from tests.wire.scope import replayed

_DIFFER = {"x-cloud-trace-context", "host", "user-agent", "connection"}  # of each attempt, server and library


def _sent(kind: str, credential: Any, calls: list[Any]) -> list[Received]:
    with ScriptedServer() as server:
        server.always(answer(404, json={}))
        settings = Settings(base_url=server.url)
        with sender(kind, credential, settings, clock=lambda: 1e9, attempts=1) as transport:
            for call in calls:
                with contextlib.suppress(EncordError):
                    transport.send(call)
        return server.requests


def _comparable(request: Received) -> tuple[Any, ...]:
    headers = {name: value for name, value in request.headers.items() if name not in _DIFFER}
    return request.method, request.target, request.body, headers


def test_every_recorded_call_leaves_both_transports_alike():
    by_credential: dict[str, tuple[Any, list[Any]]] = {}
    for exchange, operation in replayed():
        credential = exchange.credential
        by_credential.setdefault(repr(credential), (credential, []))[1].append(call_of(exchange, operation))
    total = 0
    for credential, calls in by_credential.values():
        by_sync, by_async = ([_comparable(one) for one in _sent(kind, credential, calls)] for kind in KINDS)
        assert by_async == by_sync
        total += len(by_sync)
    assert total > 80
