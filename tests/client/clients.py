"""Clients that do not wait, for a scripted server."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from airflow_provider_encord.client.async_client import AsyncEncordClient
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import ApiKey, SshKey
from airflow_provider_encord.client.transport.asynchronous import AsyncTransport
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync import SyncTransport
from tests.client.on_loop import ClientOnLoop
from tests.client.scripted_server import ScriptedServer, v1
from tests.client.sending import SYNC
from tests.wire.vectors import ssh_key

PROJECT = "aaaaaaaa-0000-4000-8000-000000000001"
DATASET = "bbbbbbbb-0000-4000-8000-000000000001"
OTHER = "bbbbbbbb-0000-4000-8000-000000000002"
OF_PROJECT = v1({"title": "key", "resource_type": "project"})
OF_DATASET = v1({"title": "key", "resource_type": "dataset"})


@contextlib.contextmanager
def client(server: ScriptedServer, credential: SshKey | ApiKey | None = None) -> Iterator[EncordClient]:
    settings = Settings(base_url=server.url)
    credential = credential or ssh_key()
    transport = SyncTransport(credential, settings, sleep=lambda seconds: None)
    with EncordClient(credential, settings, transport=transport) as made:
        yield made


def either_client(
    server: ScriptedServer,
    credential: SshKey | ApiKey | None = None,
    *,
    kind: str,
    sleep: Callable[[float], Any] = lambda seconds: None,
    clock: Callable[[], float] = time.time,
) -> EncordClient | ClientOnLoop:
    """A client of either kind for calls and flows, called the same way."""
    settings = Settings(base_url=server.url)
    credential = credential or ssh_key()
    if kind == SYNC:
        transport = SyncTransport(credential, settings, sleep=sleep, clock=clock)
        return EncordClient(credential, settings, transport=transport)

    async def sleep_on_loop(seconds: float) -> None:
        sleep(seconds)

    def on_loop() -> AsyncEncordClient:
        transport = AsyncTransport(credential, settings, sleep=sleep_on_loop, clock=clock)
        return AsyncEncordClient(credential, settings, transport=transport)

    return ClientOnLoop(on_loop)


def key(resource: str = PROJECT) -> ApiKey:
    return ApiKey("encord-secret-api-key", resource)


def queries(server: ScriptedServer) -> list[Any]:
    """What was asked, in short."""
    short = []
    for request in server.requests:
        body = request.json() if request.body else {}
        short.append(
            (body["query_type"], body["query_method"]) if "query_type" in body else (request.method, request.target)
        )
    return short
