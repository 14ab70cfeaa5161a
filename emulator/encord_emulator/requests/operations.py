"""What one row of the table of operations says. The rows themselves are in :mod:`.routes`."""

from __future__ import annotations

import abc
import dataclasses
import enum
import re
from collections.abc import Callable
from typing import Any

from ..wire.shapes import NoQuery, StrictCamel
from .exchange import Exchange

Handler = Callable[[Exchange], Any]
"""Does the work and gives the result: plain data, finished JSON (``msgspec.Raw``), or an awaitable of either."""


class Scope(enum.StrEnum):
    """What a v1 request is about: its path and its resource headers say so, or the resource of its API key."""

    USER = "user"
    PROJECT = "project"
    DATASET = "dataset"
    ONTOLOGY = "ontology"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Operation(abc.ABC):
    """One thing that the emulator can do.

    :param name: What it is called in the journal's documentation and in tests.
    :param changes: Whether it changes anything, decided here and nowhere else.
    :param api_key: Scopes of an API key of which any one suffices; ``()`` = any key of the resource, ``None`` = none.
    """

    name: str
    changes: bool
    handler: Handler
    api_key: tuple[str, ...] | None = None

    @property
    @abc.abstractmethod
    def place(self) -> str:
        """Where it is on the wire, for people."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class V1(Operation):
    """An operation in the envelope; ``uid`` and ``payload`` are the types that they must have."""

    query_type: str
    verb: str
    scopes: tuple[Scope, ...]
    uid: Any = None
    payload: Any = None

    @property
    def place(self) -> str:
        """Where it is on the wire, for people."""
        return f"v1 {self.query_type} {self.verb} ({', '.join(self.scopes)})"


@dataclasses.dataclass(frozen=True, kw_only=True)
class V2(Operation):
    """An operation with a path of its own; ``{project}`` and the like are UUIDs of what the caller must belong to."""

    method: str
    path: str
    query: type[StrictCamel] = NoQuery
    body: Any = None

    @property
    def place(self) -> str:
        """Where it is on the wire, for people."""
        return f"v2 {self.method} {self.path}"

    def pattern(self) -> re.Pattern[str]:
        """The path as a regular expression with named groups."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path))
