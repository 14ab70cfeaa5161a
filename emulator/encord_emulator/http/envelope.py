"""The v1 family: one URL, and everything in the body's envelope. Errors hide in HTTP 200."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping

import msgspec

from ..requests import access
from ..requests.exchange import Caller, Exchange
from ..requests.operations import V1, Scope
from ..routes import V1_OPERATIONS
from ..state.emulation import Emulation
from ..wire import answers, shapes
from ..wire.errors import Reason, RefusalError

PATHS = ("/public", "/public/user")


class Values(shapes.Strict, frozen=True):
    """The arguments; what they must be is the operation's business."""

    uid: msgspec.Raw
    payload: msgspec.Raw


class Envelope(shapes.Strict, frozen=True):
    """The body of every v1 request."""

    query_type: str
    query_method: str
    values: Values


@dataclasses.dataclass
class Letter:
    """A v1 request, opened as far as it can be without knowing who sent it."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    envelope: Envelope | None = None
    problem: RefusalError | None = None

    @property
    def operations(self) -> list[V1]:
        """The operations of this type and verb; several if its meaning depends on the scope."""
        if self.envelope is None:
            return []
        return V1_OPERATIONS.get((self.envelope.query_type, self.envelope.query_method), [])

    @property
    def changes(self) -> bool:
        """What the journal says; an envelope that asks for nothing we know changes nothing."""
        return any(operation.changes for operation in self.operations)


def read(path: str, headers: Mapping[str, str], body: bytes) -> Letter:
    """Open the envelope; a problem with it is kept for after the caller is known."""
    letter = Letter(path, headers, body)
    try:
        letter.envelope = shapes.decode(Envelope, body, "envelope")
    except RefusalError as problem:
        letter.problem = problem
    return letter


async def answer(emulation: Emulation, letter: Letter, base_url: str) -> answers.Answer:
    """Carry a v1 request out, or say why not."""
    try:
        return answers.v1_success(await _carry_out(emulation, letter, base_url))
    except RefusalError as refusal:
        return answers.v1_error(refusal.reason.v1_code, refusal.reason.v1_status, refusal.payload)


async def _carry_out(emulation: Emulation, letter: Letter, base_url: str) -> object:
    user_scope = letter.path == "/public/user"
    caller = access.authenticate_v1(
        emulation.store, emulation.clock, letter.headers, letter.body, user_scope=user_scope
    )
    if letter.problem is not None or letter.envelope is None:
        raise letter.problem or RefusalError(Reason.MALFORMED, "envelope: this is none")
    values = letter.envelope.values
    scope, resource = _scope(caller, letter, user_scope=user_scope)
    operation = _operation(letter, scope, caller)
    access.check_api_key(caller, operation, operation.scopes)
    exchange = Exchange(emulation, caller, base_url, resource)
    if resource:
        access.role_in(exchange, scope.value, resource)
    exchange.uid = shapes.decode(operation.uid, values.uid, "uid")
    exchange.payload = shapes.decode(operation.payload, values.payload, "payload")
    if inspect.iscoroutinefunction(operation.handler):
        return await operation.handler(exchange)
    with emulation.store.transaction():
        return operation.handler(exchange)


def _scope(caller: Caller, letter: Letter, *, user_scope: bool) -> tuple[Scope, str]:
    if caller.key_kind is not None and caller.key_resource is not None:
        return Scope(caller.key_kind), caller.key_resource
    kind, resource = letter.headers.get("resourcetype", ""), letter.headers.get("resourceid", "")
    if user_scope and kind != Scope.ONTOLOGY:
        return Scope.USER, ""
    if kind not in (Scope.PROJECT, Scope.DATASET, Scope.ONTOLOGY):
        raise RefusalError(Reason.INVALID, "ResourceType must be project, dataset or ontology on /public")
    return Scope(kind), resource


def _operation(letter: Letter, scope: Scope, caller: Caller) -> V1:
    candidates = letter.operations
    for operation in candidates:
        if scope in operation.scopes:
            return operation
    envelope = letter.envelope
    what = f"query_type {envelope.query_type!r} with query_method {envelope.query_method!r}" if envelope else "this"
    if not candidates:
        raise RefusalError(Reason.NO_SUCH_VERB, f"the emulator does not serve {what}")
    if caller.kind == "api_key":
        raise RefusalError(Reason.OUT_OF_SCOPE, f"a {scope} API key cannot do {what}")
    raise RefusalError(Reason.INVALID, f"{what} does not go with the scope {scope.value!r}")
