"""Every test of the client runs without the proxies and certificates that the machine is set up with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.client.network import plain_network
from tests.client.scripted_server import ScriptedServer

__all__ = ["plain_network"]


@pytest.fixture(autouse=True)
def _plain_network(plain_network: None) -> None:
    """`plain_network` for every test here."""


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A scripted server."""
    with ScriptedServer() as scripted:
        yield scripted
