"""Send requests with one connection, keep the replies, and give resources neutral names for the report."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.call import V1, V2, Call
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import Credential
from airflow_provider_encord.client.errors import (
    EncordError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
    UnexpectedResponseError,
    UnsupportedByCredentialError,
)
from airflow_provider_encord.client.transport import responses
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.smoke.reference import SHAPES
from airflow_provider_encord.smoke.shapes import NO_DIFFERENCES, Differences, differences
from airflow_provider_encord.smoke.transport import BudgetSpentError, Ledger, ReadOnlyTransport

_LARGE = 1_000_000  # bytes; a larger response is compared but not kept
_CODE = re.compile(r"[A-Z][A-Z_]{2,60}")
# The part of msgspec's messages that names only types and our own fields.
_MISMATCH = re.compile(r"(Object missing required field `\w+`|Expected `[\w ,|]+`, got `\w+`)")


ANSWERED = "answered"
REFUSED = "refused"  # for lack of permission, or because the resource is gone
NOT_READABLE = "not readable"
FAILED = "failed"
NOT_SENT = "not sent"
_OUTCOMES: dict[str, type[EncordError] | tuple[type[EncordError], ...]] = {
    REFUSED: (PermissionDeniedError, NotFoundError, UnsupportedByCredentialError),
    NOT_READABLE: UnexpectedResponseError,
    NOT_SENT: BudgetSpentError,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reply:
    """The result of one call.

    :param about: Alias of the resource; empty if the call has none.
    :param value: The result; None after an error.
    :param status: HTTP status; None without a response.
    :param code: Code of a v1 error.
    :param content: The decoded JSON: for v1 the inner ``response``, for v2 the body. None if it is not JSON, or large.
    :param seconds: Duration of all attempts.
    :param trace_id: Trace id of the last attempt; None if no request was sent.
    :param differences: How the fields differ from the reference.
    """

    operation: str
    api: str
    about: str
    value: Any = None
    error: EncordError | None = None
    status: int | None = None
    code: str | None = None
    content: Any = None
    header_names: frozenset[str] = frozenset()
    seconds: float = 0.0
    trace_id: str | None = None
    differences: Differences = NO_DIFFERENCES

    @property
    def answered(self) -> bool:
        """Whether a result was received and read."""
        return self.error is None

    @property
    def outcome(self) -> str:
        """One of the five outcomes of a request."""
        if self.error is None:
            return ANSWERED
        for outcome, errors in _OUTCOMES.items():
            if isinstance(self.error, errors):
                return outcome
        return FAILED

    @property
    def description(self) -> str:
        """The outcome, with the error if there was one."""
        return self.outcome if self.answered else f"{self.outcome}, {self.refusal}"

    @property
    def refusal(self) -> str:
        """A short description of the error. Of the server's text, it contains only the code."""
        if isinstance(self.error, UnexpectedResponseError):
            mismatch = _MISMATCH.search(self.error.message)
            return mismatch[1] if mismatch else "of another form"
        if isinstance(self.error, UnsupportedByCredentialError):
            return "not possible with this credential"
        if self.status is None or self.error is None:
            return "no answer" if isinstance(self.error, UnavailableError) else "not sent"
        kind = type(self.error).__name__.removesuffix("Error")
        code = f", {self.code}" if self.code else ""
        return f"{kind} (HTTP {self.status}{code})"


class Visit:
    """Sends the requests of one connection.

    :param ledger: Counts the requests of the whole run.
    :param sleep: Waits before a second attempt, in seconds.
    """

    def __init__(
        self, credential: Credential, settings: Settings, ledger: Ledger, sleep: Callable[[float], Any] = time.sleep
    ):
        self.credential, self.settings, self.ledger, self._sleep = credential, settings, ledger, sleep
        self.replies: list[Reply] = []
        self.probes: list[Reply] = []
        self.projects: list[str] = []
        self.datasets: list[str] = []
        self._clients: list[EncordClient] = []
        self.client = self._new_client(credential, time.time)
        self._aliases: dict[str, str] = {}

    @property
    def key_of(self) -> str | None:
        """The type of an API key's resource: ``"project"`` or ``"dataset"``; None with an SSH key, or if unknown."""
        kinds = [record.resource_type for _, record in self.values("api_key.lookup", "v1")]
        return kinds[0] if kinds and kinds[0] in ("project", "dataset") else None

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients:
            client.close()

    def alias(self, kind: str, id: str) -> str:  # noqa: A002 - the word for it
        """Return a neutral name for a resource, such as ``project-1``. The same id always has the same name."""
        if id not in self._aliases:
            number = sum(alias.startswith(f"{kind}-") for alias in self._aliases.values()) + 1
            self._aliases[id] = f"{kind}-{number}"
        return self._aliases[id]

    def ask(self, call: Call[Any], about: str = "") -> Reply:
        """Send a read operation of the registry, and keep the reply."""
        reply = self._ask(self.client, call, about)
        self.replies.append(reply)
        return reply

    def probe(
        self, call: Call[Any], *, credential: Credential | None = None, seconds_off: float | None = None
    ) -> Reply:
        """Send a read to check a fact. The report does not list it as a read of its operation.

        :param credential: Used instead of the connection's credential.
        :param seconds_off: Sign with a time that is this many seconds later (earlier, if negative).
        """
        client = self.client
        if credential is not None or seconds_off is not None:
            offset = (seconds_off or 0.0) - (self.ledger.ahead or 0.0)
            client = self._new_client(credential or self.credential, lambda: time.time() + offset)
        self.probes.append(self._ask(client, call, ""))
        return self.probes[-1]

    def of(self, operation: str, api: str) -> list[Reply]:
        """The replies of one operation."""
        return [reply for reply in self.replies if (reply.operation, reply.api) == (operation, api)]

    def values(self, operation: str, api: str) -> Sequence[tuple[str, Any]]:
        """The results of one operation, each with the alias of its resource."""
        return [(reply.about, reply.value) for reply in self.of(operation, api) if reply.answered]

    def _new_client(self, credential: Credential, clock: Callable[[], float]) -> EncordClient:
        transport = ReadOnlyTransport(credential, self.settings, self.ledger, clock=clock, sleep=self._sleep)
        self._clients.append(EncordClient(credential, self.settings, transport=transport))
        return self._clients[-1]

    def _ask(self, client: EncordClient, call: Call[Any], about: str) -> Reply:
        value, error = None, None
        self.ledger.last = None
        started = time.monotonic()
        try:
            value = client.send(call)
        except EncordError as refused:
            error = refused
        api = call.request.api
        reply = Reply(
            operation=call.operation,
            api=api,
            about=about,
            value=value,
            error=error,
            seconds=time.monotonic() - started,
            trace_id=error.trace_id if error else None,
        )
        return reply if self.ledger.last is None else _with_answer(reply, self.ledger.last)


def _with_answer(reply: Reply, answer: responses.Answer) -> Reply:
    code, content, differing = None, _decoded(answer.body), NO_DIFFERENCES
    if reply.api == V1 and isinstance(content, dict):
        content = content.get("response")
        first = content[0] if isinstance(content, list) and content else None
        if reply.error is not None and isinstance(first, str) and _CODE.fullmatch(first):
            code = first
    expected = SHAPES.get((reply.operation, reply.api))
    if expected and (reply.error is None or isinstance(reply.error, UnexpectedResponseError)):
        differing = differences(content, expected, camel=reply.api == V2)
    return dataclasses.replace(
        reply,
        status=answer.status,
        code=code,
        trace_id=answer.trace_id,
        content=content if len(answer.body) <= _LARGE else None,
        header_names=frozenset(answer.headers),
        differences=differing,
    )


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
