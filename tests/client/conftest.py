"""Every test of the client runs without the proxies and certificates that the machine is set up with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from airflow_provider_encord.client.credentials import ApiKey, SshKey
from airflow_provider_encord.client.transport import retry
from airflow_provider_encord.client.transport.settings import Settings
from tests.client.network import plain_network
from tests.client.scripted_server import ScriptedServer
from tests.client.sending import KINDS, sender
from tests.wire.vectors import ssh_key

__all__ = ["plain_network"]


@pytest.fixture(autouse=True)
def _plain_network(plain_network: None) -> None:
    """`plain_network` for every test here."""


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A scripted server."""
    with ScriptedServer() as scripted:
        yield scripted


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which of the two transports: what uses this holds for both."""
    return str(request.param)


@pytest.fixture
def transport(kind: str) -> Callable[..., AbstractContextManager[Any]]:
    """Makes a transport of either kind, which does not wait, for a URL."""

    def of(
        url: str, credential: SshKey | ApiKey | None = None, *, attempts: int = retry.ATTEMPTS, **options: Any
    ) -> AbstractContextManager[Any]:
        settings = Settings(base_url=url, **options)
        return sender(kind, credential or ssh_key(), settings, clock=lambda: 1e9, attempts=attempts)

    return of
