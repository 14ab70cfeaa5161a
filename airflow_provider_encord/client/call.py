"""Calls and flows. A `Call` describes one request and how to read its response; a flow is a sequence of calls.

A `Call` does no I/O and holds no credential. The transport signs and sends it, the client refuses it if the credential
can never make it, the retry policy uses `repeatable`, and tests compare it with recorded requests without a socket.

A flow is a generator that yields steps and receives their results: ``answer = yield from list_projects(...)``. If a
step fails, its `EncordError` is thrown into the flow, which may catch it. The same generator works with both drivers
(`run` for workers, `run_async` for the triggerer).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, Generic, Protocol, TypeAlias, TypeVar

from msgspec import Raw

from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.client.item_stream import ItemStream

T = TypeVar("T")

SSH_KEY = "ssh_key"
API_KEY = "api_key"
SSH_ONLY: frozenset[str] = frozenset({SSH_KEY})
API_KEY_ONLY: frozenset[str] = frozenset({API_KEY})
SSH_OR_API_KEY: frozenset[str] = frozenset({SSH_KEY, API_KEY})

MOST_BYTES = 128 * 2**20
"""The default for `Call.most_bytes`: the maximum size of a decompressed response."""
_NAMED = 3  # how many ids of each kind a message names

V1 = "v1"
V2 = "v2"


@dataclasses.dataclass(frozen=True, slots=True)
class Resource:
    """The resource that a v1 request is about.

    :param kind: ``"project"``, ``"dataset"`` or ``"ontology"``; None at user scope, or for the API key's own resource.
    :param id: UUID of the resource; None at user scope, or for the API key's own resource.
    """

    kind: str | None = None
    id: str | None = None


USER = Resource()


@dataclasses.dataclass(frozen=True, slots=True)
class Envelope:
    """A v1 request. It is always sent with POST, to ``/public/user`` or ``/public`` (protocol, sections 1.1, 3).

    The path is ``/public/user`` at user scope, and ``/public`` otherwise.

    :param verb: The logical verb, ``query_method``: GET reads, POST sets, PUT creates or starts, DELETE removes.
    :param own_resource: The request is about the API key's own resource without naming it (only ``apikeymeta``).
    """

    query_type: str
    verb: str
    resource: Resource = USER
    uid: Any = None
    payload: Any = None
    own_resource: bool = False

    api = V1

    @property
    def path(self) -> str:
        at_user_scope = self.resource == USER and not self.own_resource
        return "/public/user" if at_user_scope else "/public"

    def body(self) -> Any:
        """The JSON that is sent."""
        return {
            "query_type": self.query_type,
            "query_method": self.verb,
            "values": {"uid": self.uid, "payload": self.payload},
        }


NO_BODY: Any = object()  # null is a JSON value, so it cannot say "no body"


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """A v2 request (protocol, section 4).

    :param path: Path below ``/v2/public/``. Parts that come from users are already percent-encoded.
    :param query: Query parameters. None and empty lists are left out, lists are sent as repeated parameters, and
        booleans as ``True`` or ``False``.
    """

    method: str
    relative_path: str
    query: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    json: Any = NO_BODY

    api = V2

    @property
    def path(self) -> str:
        return f"/v2/public/{self.relative_path}"

    def parameters(self) -> list[tuple[str, str]]:
        """Name and text of each query parameter, in order."""
        pairs: list[tuple[str, str]] = []
        for name, value in self.query.items():
            values = value if isinstance(value, list | tuple) else [value]
            pairs += [(name, str(value)) for value in values if value is not None]
        return pairs


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One request and how to read its response.

    :param request: The v1 or v2 request.
    :param credentials: Kinds of credential that may send the request.
    :param changes: Whether the request changes anything at Encord.
    :param repeatable: Whether the request may be sent twice. If not, its outcome is unknown after a lost response.
    :param read: Converts the response into the result. Takes the inner ``response`` of a v1 envelope, or the body of a
        v2 response.
    :param read_items: Does the same for a v1 response that is a list, from its items: a long response is then gone
        through once, and not once for its envelope and once for the list. Any other response is passed to `read`.
    :param hold_seconds: Seconds that Encord may hold the request before it responds (long polls); added to the read
        time-out.
    :param most_bytes: Maximum size of the decompressed response. A larger one is refused before it is in memory.
    :param stream: Creates the reader that takes the items of a long list out of the response while it arrives; `read`
        gets the rest.
    :param rows: Label hashes of the requested rows. If the response cannot be read, the error names them.
    :param others: Other resources that the request names, such as ``Datasets <id>, <id>``; see `named`. If Encord
        reports that something was not found, it may be one of these.
    :param operation: Name of the operation in the registry; set by `operation`.
    """

    request: Envelope | Request
    read: Callable[[bytes], T]
    read_items: Callable[[Sequence[Raw]], T] | None = None
    credentials: frozenset[str] = SSH_ONLY
    changes: bool = False
    repeatable: bool = True
    hold_seconds: float = 0.0
    most_bytes: int = MOST_BYTES
    stream: Callable[[], ItemStream[Any]] | None = None
    rows: tuple[str, ...] = ()
    others: str = ""
    operation: str = ""

    def __iter__(self) -> Generator[Call[T], T, T]:
        """Support ``answer = yield from call`` in a flow."""
        return (yield self)


def named(kind: str, ids: Sequence[str]) -> str:
    """Ids in the form of `Call.others`; an empty text without ids.

    :param kind: The kind of resource in the plural, such as ``Datasets``.
    """
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return f"{kind} {', '.join(ids[:_NAMED])}{more}" if ids else ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Send a file's bytes to a signed URL of the object store, without a credential. The URL is a secret.

    :param open: Opens the file; called again for each attempt.
    :param size: Size of the file in bytes. The transfer fails if the file has another size.
    :param headers: The headers to send, in addition to the content length.
    :param title: Name of the file, for messages.
    """

    url: str = dataclasses.field(repr=False)
    open: Callable[[], BinaryIO] = dataclasses.field(repr=False)
    size: int
    headers: Mapping[str, str]
    title: str

    def __iter__(self) -> Generator[Transfer, None, None]:
        yield self


@dataclasses.dataclass(frozen=True, slots=True)
class Download:
    """Fetch a file from a signed URL of the object store, without a credential. The URL is a secret.

    :param open: Opens the place where the bytes go; called again for each attempt. It is left with an error if they are
        not to be kept.
    :param title: Name of the file, for messages.
    :param size: The expected size in bytes; None if it is not known.
    """

    url: str = dataclasses.field(repr=False)
    open: Callable[[], AbstractContextManager[Writer]] = dataclasses.field(repr=False)
    title: str
    size: int | None = None


class Writer(Protocol):
    """What the bytes of a download are written to."""

    def write(self, data: bytes, /) -> Any:
        """Write all bytes."""


@dataclasses.dataclass(frozen=True, slots=True)
class Downloaded:
    """What was fetched.

    :param size: Number of bytes.
    :param sha256: SHA-256 of the bytes, hexadecimal.
    :param md5_matched: Whether the object store stated an MD5, which was the same; a different one is an error.
    :param length_known: Whether it is known that this is the whole file, because its length or its end was stated.
        Without either, a connection that was closed early looks like the end of the file.
    """

    size: int
    sha256: str
    md5_matched: bool
    length_known: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Pause:
    """Wait for a number of seconds."""

    seconds: float

    def __iter__(self) -> Generator[Pause, None, None]:
        yield self


@dataclasses.dataclass(frozen=True, slots=True)
class Gather:
    """Steps that may run at the same time.

    The result contains one entry per step, in the same order: the step's result, or the `EncordError` that it raised. A
    failed step does not stop the others.

    :param limit: How many steps may run at once.
    """

    steps: Sequence[Call[Any] | Transfer]
    limit: int

    def __iter__(self) -> Generator[Gather, list[Any], list[Any]]:
        return (yield self)


@dataclasses.dataclass(frozen=True, slots=True)
class Now:
    """Get the current time in seconds since 1970.

    With it, a flow can stop at a deadline without using a clock itself.
    """

    def __iter__(self) -> Generator[Now, float, float]:
        return (yield self)


Step: TypeAlias = Call[Any] | Transfer | Pause | Gather | Now
Flow: TypeAlias = Generator[Step, Any, T]


def run(flow: Flow[T], perform: Callable[[Step], Any]) -> T:
    """Run a flow to its end.

    :param perform: Carries out one step and returns its result, or raises an `EncordError`.
    :return: The flow's result.
    """
    try:
        step = next(flow)
        while True:
            try:
                result = perform(step)
            except EncordError as error:
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


async def run_async(flow: Flow[T], perform: Callable[[Step], Awaitable[Any]]) -> T:
    """Run a flow to its end on an event loop. Does the same as `run`, but awaits `perform`."""
    try:
        step = next(flow)
        while True:
            try:
                result = await perform(step)
            except EncordError as error:
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
