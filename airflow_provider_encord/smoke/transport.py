"""A transport that sends only read requests, counts them, and keeps the last response.

A request is sent only if both conditions are true: the operation is marked as one that changes nothing, and the request
is a read in the protocol (``GET`` as the HTTP method of v2, or as the verb of a v1 envelope). Two v2 reads use
``POST``, because their lists of ids are long; only these two are allowed. Every attempt is checked, also a retry.
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

ATTEMPTS = 2  # one retry, for a lost response


class WouldChangeError(AssertionError):
    """A request is not a read, so it was not sent. This is a bug in this package."""


class BudgetSpentError(EncordError):
    """The maximum number of requests is reached."""


@dataclasses.dataclass
class Ledger:
    """Counts the requests of all transports of a run.

    :param most: Maximum number of requests.
    :param sent: Number of sent requests.
    :param last: The last response; None if the last request had no response.
    :param ahead: Seconds that this machine's clock is ahead of the server's; None until a response contains a time.
    """

    most: int
    sent: int = 0
    last: responses.Answer | None = None
    ahead: float | None = None


def require_read(call: Call[Any]) -> None:
    """Check that a call is a read.

    :raises WouldChangeError: It is not a read.
    """
    request = call.request
    verb = request.verb if isinstance(request, Envelope) else request.method
    posted_read = not isinstance(request, Envelope) and verb == "POST" and _posted_read(request.relative_path)
    if call.changes or not (verb == "GET" or posted_read):
        raise WouldChangeError(f"{call.operation or 'A call'} ({verb}) is not a read, and only reads are sent.")


def _posted_read(path: str) -> bool:
    return _POSTED_READS.fullmatch(path) is not None


class ReadOnlyTransport(SyncTransport):
    """Sends read requests, and raises an error for all others.

    :param ledger: Counts the requests.
    :param clock: Returns the time for signatures, in seconds since 1970.
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
            raise BudgetSpentError(f"The maximum of {self._ledger.most} requests is reached.")
        self._ledger.sent += 1
        return super()._attempt(call)

    def _answer(self, response: requests.Response, content: bytes, trace_id: str) -> responses.Answer:
        answer = super()._answer(response, content, trace_id)
        self._ledger.last = answer
        ahead = responses.clock_skew(dataclasses.replace(answer, now=time.time()))
        self._ledger.ahead = self._ledger.ahead if ahead is None else ahead
        return answer
