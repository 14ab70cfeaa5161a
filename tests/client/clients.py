"""Clients that do not wait, for a scripted server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import ApiKey, SshKey
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync import SyncTransport
from tests.client.scripted_server import ScriptedServer, v1
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


def key(resource: str = PROJECT) -> ApiKey:
    return ApiKey("encord-secret-api-key", resource)


def queries(server: ScriptedServer) -> list[Any]:
    """What was asked, in short."""
    short = []
    for one in server.requests:
        body = one.json() if one.body else {}
        short.append((body["query_type"], body["query_method"]) if "query_type" in body else (one.method, one.target))
    return short
