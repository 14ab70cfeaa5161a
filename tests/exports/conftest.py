"""Exports against the emulator run without the proxies and certificates that the machine is set up with."""

from __future__ import annotations

import pytest

from tests.client.network import plain_network

__all__ = ["plain_network"]


@pytest.fixture(autouse=True)
def _plain_network(plain_network: None) -> None:
    """`plain_network` for every test here."""
