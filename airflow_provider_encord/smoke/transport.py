"""A transport that can only read, counts what it sends, and keeps the last answer as it came.

That nothing is changed does not rest on what an operation says of itself: the request must be a read by the protocol,
too (``GET`` as the HTTP method of v2, and as the verb of a v1 envelope). Two reads of v2 are sent with ``POST``,
because their list of ids is long: exactly these are allowed. Every attempt is checked, also a repeated one.
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
from airflow_provider_encord.client.transport import answers
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync import SyncTransport

T = TypeVar("T")

_POSTED_READS = re.compile(r"storage/items/get-bulk|projects/[0-9a-f-]{36}/label-rows/classifications")

ATTEMPTS = 2  # a second one for a lost packet; more would be a burden


class WouldChangeError(AssertionError):
    """Something other than a read was about to be sent. It is a mistake in this package, and nothing was sent."""


class BudgetSpentError(EncordError):
    """As many requests as were announced have been sent."""


@dataclasses.dataclass
class Ledger:
    """What was sent so far, over all transports of a run.

    :param most: How many requests may be sent.
    :param sent: How many were.
    :param last: The answer to the last one; None if it had none.
    :param ahead: Seconds that this machine's clock is ahead of the server's; None until an answer shows it.
    """

    most: int
    sent: int = 0
    last: answers.Answer | None = None
    ahead: float | None = None


def require_read(call: Call[Any]) -> None:
    """Check that a call reads and does nothing else.

    :raises WouldChangeError: It does not.
    """
    request = call.request
    verb = request.verb if isinstance(request, Envelope) else request.method
    posted_read = not isinstance(request, Envelope) and verb == "POST" and _posted_read(request.relative_path)
    if call.changes or not (verb == "GET" or posted_read):
        raise WouldChangeError(f"{call.operation or 'A call'} ({verb}) is no read, and only reads are sent here.")


def _posted_read(path: str) -> bool:
    return _POSTED_READS.fullmatch(path) is not None


class ReadOnlyTransport(SyncTransport):
    """Sends reads, and refuses everything else.

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

        :raises WouldChangeError: It is none.
        """
        require_read(call)
        return super().send(call)

    def transfer(self, transfer: Transfer) -> NoReturn:
        """Refuse: bytes are never sent."""
        raise WouldChangeError(f"A file was about to be sent ({transfer.title}), and only reads are sent here.")

    def _attempt(self, call: Call[T]) -> T:
        require_read(call)
        self._ledger.last = None
        if self._ledger.sent >= self._ledger.most:
            raise BudgetSpentError(f"{self._ledger.most} requests have been sent, and no more were announced.")
        self._ledger.sent += 1
        return super()._attempt(call)

    def _answer(self, response: requests.Response, content: bytes, trace_id: str) -> answers.Answer:
        answer = super()._answer(response, content, trace_id)
        self._ledger.last = answer
        ahead = answers.clock_skew(dataclasses.replace(answer, now=time.time()))
        self._ledger.ahead = self._ledger.ahead if ahead is None else ahead
        return answer
