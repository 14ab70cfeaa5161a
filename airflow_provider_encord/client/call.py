"""One request to Encord and how to read its answer, as a value; and flows, which are several of them.

A `Call` does no I/O and holds no credential. The transport signs and sends it, the client refuses what a credential can
never do, the retry policy reads `repeatable`, and tests compare it with recorded requests without a socket.

A flow is a generator that yields steps and is sent their results: ``answer = yield from list_projects(...)``. A failed
step is thrown into the flow as the `EncordError` that it is, so a flow may catch it. One generator serves both drivers
(`run` for workers, `run_async` for the triggerer).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any, BinaryIO, Generic, TypeAlias, TypeVar

from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.client.item_stream import ItemStream

T = TypeVar("T")

SSH_KEY = "ssh_key"
API_KEY = "api_key"
SSH_ONLY: frozenset[str] = frozenset({SSH_KEY})
API_KEY_ONLY: frozenset[str] = frozenset({API_KEY})
SSH_OR_API_KEY: frozenset[str] = frozenset({SSH_KEY, API_KEY})

MOST_BYTES = 128 * 2**20
"""How large an answer may be, unpacked, where the operation says nothing else."""
_NAMED = 3  # ids of each kind in messages

V1 = "v1"
V2 = "v2"


@dataclasses.dataclass(frozen=True, slots=True)
class Resource:
    """What a v1 request is about.

    :param kind: ``"project"``, ``"dataset"``, ``"ontology"``; None at user scope, and where only the key knows.
    :param id: The UUID of it; None at user scope, and where it is whatever the API key belongs to.
    """

    kind: str | None = None
    id: str | None = None


USER = Resource()


@dataclasses.dataclass(frozen=True, slots=True)
class Envelope:
    """A v1 request: always POSTed, to ``/public/user`` at user scope, else to ``/public`` (protocol, sections 1.1, 3).

    :param verb: The logical verb, ``query_method``: GET reads, POST sets, PUT creates or starts, DELETE removes.
    :param own_resource: About whatever the API key belongs to, without saying what (only ``apikeymeta``).
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

    :param path: Below ``/v2/public/``, already percent-encoded where a part came from outside.
    :param query: Parameters; None and empty lists are left out, lists are repeated, booleans go as ``True``/``False``.
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
    """One request and how to read its answer.

    :param request: The v1 or v2 request.
    :param credentials: Kinds of credential that may send it.
    :param changes: Whether it changes anything at Encord.
    :param repeatable: Whether sending it twice does no harm; decides what a lost answer means.
    :param read: Turns the answer into the result: the inner ``response`` of a v1 envelope, or the body of a v2 answer.
    :param hold_seconds: How long Encord may hold the request before it answers (long polls); the time-out adds to it.
    :param most_bytes: How large the answer may be, unpacked; a larger one is refused before it is in memory.
    :param stream: Makes what takes the items of a long list out of the answer while it arrives; `read` gets the rest.
    :param rows: Label hashes of the rows that are read. An answer that cannot be read is an error that names them.
    :param others: What the request names beside its resource, such as ``Datasets <id>, <id>``; see `named`. If Encord
        does not find something, it may be these.
    :param operation: Its name in the registry; set by `operation`.
    """

    request: Envelope | Request
    read: Callable[[bytes], T]
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
        """Let a flow write ``answer = yield from call``."""
        return (yield self)


def named(kind: str, ids: Sequence[str]) -> str:
    """Ids as `Call.others` has them; nothing for none.

    :param kind: Of what they are, in the plural.
    """
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return f"{kind} {', '.join(ids[:_NAMED])}{more}" if ids else ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Send a file's bytes to a signed URL of the object store, without credentials. The URL is a secret.

    :param open: Opens the file again for each attempt.
    :param size: Bytes that the file has; sending fails if it turns out to have another number.
    :param headers: Exactly these, beside the length.
    :param title: Names the file in messages.
    """

    url: str = dataclasses.field(repr=False)
    open: Callable[[], BinaryIO] = dataclasses.field(repr=False)
    size: int
    headers: Mapping[str, str]
    title: str

    def __iter__(self) -> Generator[Transfer, None, None]:
        yield self


@dataclasses.dataclass(frozen=True, slots=True)
class Pause:
    """Wait for so many seconds."""

    seconds: float

    def __iter__(self) -> Generator[Pause, None, None]:
        yield self


@dataclasses.dataclass(frozen=True, slots=True)
class Gather:
    """Steps that may run at the same time.

    The result has an entry for each step in the same order: its result, or the `EncordError` that it ended with. One
    failure does not stop the others.

    :param limit: How many run at once.
    """

    steps: Sequence[Call[Any] | Transfer]
    limit: int

    def __iter__(self) -> Generator[Gather, list[Any], list[Any]]:
        return (yield self)


@dataclasses.dataclass(frozen=True, slots=True)
class Now:
    """What time it is, in seconds since 1970; so that a flow can stop at a deadline without a clock of its own."""

    def __iter__(self) -> Generator[Now, float, float]:
        return (yield self)


Step: TypeAlias = Call[Any] | Transfer | Pause | Gather | Now
Flow: TypeAlias = Generator[Step, Any, T]


def run(flow: Flow[T], perform: Callable[[Step], Any]) -> T:
    """Drive a flow to its end.

    :param perform: Carries out one step and returns its result, or raises an `EncordError`.
    :return: What the flow returns.
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
    """Drive a flow to its end on an event loop; `perform` is awaited, else as `run`."""
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
