"""The part of a client that the handles use: sending, and the kind of credential."""

from __future__ import annotations

import datetime
from typing import Protocol, TypeVar

from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.credentials import Credential

T = TypeVar("T")


class ClientProtocol(Protocol):
    """Sends calls and runs flows; `EncordClient` is one."""

    @property
    def credential(self) -> Credential:
        """The credential of the client."""
        ...

    def encord_time(self) -> datetime.datetime:
        """The current time by Encord's clock, as far as it is known."""
        ...

    def send(self, call: Call[T]) -> T:
        """Send one call and return its result."""
        ...

    def run(self, flow: Flow[T]) -> T:
        """Carry out a flow and return what it returns."""
        ...
