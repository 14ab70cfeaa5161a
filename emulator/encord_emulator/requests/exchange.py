"""One request as a handler sees it: who asks, about what, with which arguments."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ..state.clock import Clock
from ..state.store import Store

if TYPE_CHECKING:
    from ..state.emulation import Emulation


@dataclasses.dataclass(frozen=True)
class Caller:
    """Who asks. With an API key, ``email`` is that of the person who made the key.

    :param kind: ``ssh``, ``bearer`` or ``api_key``.
    :param role: The person's role in the organisation.
    """

    kind: str
    email: str
    role: str
    api_key: str | None = None
    key_kind: str | None = None
    key_resource: str | None = None
    key_scopes: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"Caller({self.kind}, {self.email})"


@dataclasses.dataclass
class Exchange:
    """Everything that a handler may use.

    :param base_url: Scheme and host by which the client reached the server, for absolute URLs.
    :param resource: The resource that a v1 request is about; empty at user scope.
    :param path: The named parts of a v2 path.
    """

    emulation: Emulation
    caller: Caller
    base_url: str
    resource: str = ""
    uid: Any = None
    payload: Any = None
    path: dict[str, str] = dataclasses.field(default_factory=dict)
    query: Any = None
    body: Any = None

    @property
    def store(self) -> Store:
        """The state."""
        return self.emulation.store

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.emulation.clock
