"""A transport that sends only reads, counts them, and keeps the last answer.

Two things must agree before a request is sent: the operation says that it changes nothing, and the request is a read in
the protocol (``GET`` as the HTTP method of v2, and as the verb of a v1 envelope). Two reads of v2 are sent with
``POST``, because their list of ids is long: exactly these are allowed. Every attempt is checked, also a repeated one.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import requests

from airflow_provider_encord.client.call import Call, Envelope, Transfer
from airflow_provider_encord.client.credentials import Credential
from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.client.transport import responses
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync import SyncTransport

T = TypeVar("T")

_POSTED_READS = re.compile(r"storage/items/get-bulk|projects/[0-9a-f-]{36}/label-rows/classifications")

ATTEMPTS = 2  # one repetition, for a lost answer


class WouldChangeError(AssertionError):
    """A request that is not a read was refused before it was sent. This is a bug in this package."""


class BudgetSpentError(EncordError):
    """The limit of requests is reached."""


@dataclasses.dataclass
class Ledger:
    """Counts the requests of all transports of a run.

    :param most: How many requests may be sent.
    :param sent: How many requests were sent.
    :param last: The last answer; None if the last request had none.
    :param ahead: Seconds that this machine's clock is ahead of the server's; None until an answer states a time.
    """

    most: int
    sent: int = 0
    last: responses.Answer | None = None
    ahead: float | None = None


def require_read(call: Call[Any]) -> None:
    """Check that a call is a read.

    :raises WouldChangeError: It is not.
    """
    request = call.request
    verb = request.verb if isinstance(request, Envelope) else request.method
    posted_read = not isinstance(request, Envelope) and verb == "POST" and _posted_read(request.relative_path)
    if call.changes or not (verb == "GET" or posted_read):
        raise WouldChangeError(f"{call.operation or 'A call'} ({verb}) is not a read, and only reads are sent.")


def _posted_read(path: str) -> bool:
    return _POSTED_READS.fullmatch(path) is not None


class ReadOnlyTransport(SyncTransport):
    """Sends reads and refuses all other requests.

    :param ledger: Where the requests are counted.
    :param clock: The time for signatures, in seconds since 1970.
    """

    def __init__(
        self,
        credential: Credential,
        settings: Settings,
        ledger: Ledger,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Any] = time.sleep,
    ):
        super().__init__(credential, settings, attempts=ATTEMPTS, clock=clock, sleep=sleep)
        self._ledger = ledger

    def send(self, call: Call[T]) -> T:
        """Send a read.

        :raises WouldChangeError: It is not a read.
        """
        require_read(call)
        return super().send(call)

    def transfer(self, transfer: Transfer) -> NoReturn:
        """Refuse to send a file."""
        raise WouldChangeError(f"The file {transfer.title} was not sent, because only reads are sent.")

    def _attempt(self, call: Call[T]) -> T:
        require_read(call)
        self._ledger.last = None
        if self._ledger.sent >= self._ledger.most:
            raise BudgetSpentError(f"The limit of {self._ledger.most} requests is reached.")
        self._ledger.sent += 1
        return super()._attempt(call)

    def _answer(self, response: requests.Response, content: bytes, trace_id: str) -> responses.Answer:
        answer = super()._answer(response, content, trace_id)
        self._ledger.last = answer
        ahead = responses.clock_skew(dataclasses.replace(answer, now=time.time()))
        self._ledger.ahead = self._ledger.ahead if ahead is None else ahead
        return answer
