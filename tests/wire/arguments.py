"""Our call for a recorded request."""

from __future__ import annotations

from typing import Any

from airflow_provider_encord.client.api.core.registry import operations
from airflow_provider_encord.client.call import Call
from tests.wire.subjects import arguments_of
from tests.wire.subjects.reading import Key
from tests.wire.vectors import Exchange


def call_of(exchange: Exchange, key: Key) -> Call[Any]:
    """Our call for a recorded request."""
    positional, named = arguments_of(exchange.request, key)
    return operations()[key].function(*positional, **named)
