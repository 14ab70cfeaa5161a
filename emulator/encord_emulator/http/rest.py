"""The v2 family: real methods, paths and statuses under ``/v2/public/``."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping

from ..requests import access
from ..requests.exchange import Exchange
from ..requests.operations import V2
from ..routes import V2_OPERATIONS
from ..state.emulation import Emulation
from ..wire import answers, shapes
from ..wire.errors import Reason, RefusalError

PREFIX = "/v2/public/"
_MEMBERSHIP = ("project", "dataset", "ontology", "folder")


@dataclasses.dataclass
class Visit:
    """A v2 request.

    :param target: Path and query as they arrived, which is what was signed.
    """

    method: str
    path: str
    query: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    operation: V2 | None = None
    parts: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def changes(self) -> bool:
        """What the journal says; a path that we do not know changes nothing."""
        return self.operation is not None and self.operation.changes


def read(method: str, path: str, query: str, target: str, headers: Mapping[str, str], body: bytes) -> Visit:
    """Find the operation that is meant."""
    visit = Visit(method, path, query, target, headers, body)
    inner = path.removeprefix(PREFIX)
    for pattern, operation in V2_OPERATIONS:
        match = pattern.fullmatch(inner)
        if match is None:
            continue
        if operation.method == method:
            visit.operation, visit.parts = operation, match.groupdict()
            return visit
    return visit


async def answer(emulation: Emulation, visit: Visit, base_url: str) -> answers.Answer:
    """Carry a v2 request out, or say why not."""
    try:
        return answers.plain(await _carry_out(emulation, visit, base_url))
    except RefusalError as refusal:
        return refusal_answer(refusal)


def refusal_answer(refusal: RefusalError) -> answers.Answer:
    """The v2 form of a refusal: ``message``, or for a malformed request the usual ``detail`` list."""
    status = refusal.reason.v2_status
    if status != Reason.MALFORMED.v2_status:
        return answers.plain({"message": refusal.text}, status)
    where, _, message = refusal.text.partition(": ")
    return answers.plain({"detail": [{"loc": [where], "msg": message or where, "type": "value_error"}]}, status)


async def _carry_out(emulation: Emulation, visit: Visit, base_url: str) -> object:
    caller = access.authenticate_v2(
        emulation.store, emulation.clock, visit.method, visit.target, visit.headers, visit.body
    )
    operation = visit.operation
    if operation is None:
        # Not 404 or 405: clients replace the message of those by one of their own.
        raise RefusalError(Reason.NOT_EMULATED, f"the emulator does not serve {visit.method} {visit.path}")
    exchange = Exchange(emulation, caller, base_url, path=visit.parts)
    for kind in _MEMBERSHIP:
        if kind in visit.parts:
            access.enter(exchange, kind, visit.parts[kind], changes=operation.changes)
    exchange.query = shapes.read_query(operation.query, visit.query)
    if operation.body is not None:
        exchange.body = shapes.decode(operation.body, visit.body, "body")
    elif visit.body:
        raise RefusalError(Reason.MALFORMED, f"body: {visit.method} {visit.path} takes none")
    if inspect.iscoroutinefunction(operation.handler):
        return await operation.handler(exchange)
    with emulation.store.transaction():
        return operation.handler(exchange)
