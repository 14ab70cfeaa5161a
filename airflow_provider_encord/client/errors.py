"""What can go wrong with a call to Encord, and whether trying again can help.

::

    EncordError                       operation, trace_id, retryable
     |- CredentialError               unusable before anything was sent: shape, algorithm, passphrase, settings
     |- InvalidArgumentError          an argument or a file is wrong; nothing was sent because of it. Also a ValueError
     |- UnsupportedByCredentialError  this credential can never do this; nothing was done
     |- RefusedError                  Encord answered, and will answer the same again
     |   |- AuthenticationError           it does not know this key, or not in this region
     |   |- PermissionDeniedError         it knows the key, which may not do this
     |   |- NotFoundError                 there is no such resource, or this credential cannot see it
     |   |- ConflictError                 it exists already
     |   |- InvalidRequestError           Encord does not accept the arguments
     |   `- PayloadTooLargeError          too much in one request; maximum, if Encord names one
     |- UnexpectedResponseError       a response that cannot be read: not valid JSON, or a field is missing or wrong
     |- PartialFailureError           a bulk operation was done in part; outcome says which part, cause why it stopped
     `- TransientError                may pass; retry_after in seconds, or None
         |- RateLimitedError              too many requests
         |- UnavailableError              not reached, or a server failure; not carried out, or only read
         `- OutcomeUnknownError           a changing request was sent and its response was lost: look before repeating

A message says what happened, which field, and what to do. None of them holds a key, a passphrase or a signed URL.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Outcome(Protocol):
    """What was done of many things that were asked for at once; a `BulkOutcome`."""

    @property
    def done(self) -> Sequence[Any]:
        """Those that it was done to."""

    @property
    def not_done(self) -> Sequence[Any]:
        """Those that it was not done to."""

    def summary(self) -> str:
        """How much was done, as a sentence to go after the error's own."""


class EncordError(Exception):
    """Base of everything that this package raises about Encord.

    :param message: What happened and what to do.
    :param operation: Name of the operation in the registry (``"label_rows.list"``), if there was one.
    :param trace_id: The 32 hexadecimal digits that Encord's support asks for, if a request was sent.
    """

    retryable = False
    not_encord = False
    """Whether the answer came from something else than Encord: a proxy, a portal, another web server."""

    def __init__(self, message: str, *, operation: str | None = None, trace_id: str | None = None):
        super().__init__(message)
        self.message = message
        self.operation = operation
        self.trace_id = trace_id

    def __str__(self) -> str:
        about = [part for part in (self.operation, self.trace_id and f"trace id {self.trace_id}") if part]
        return f"{self.message} [{', '.join(about)}]" if about else self.message


class CredentialError(EncordError):
    """A credential or a setting of the connection cannot be used; the message names the field and the fix."""


class InvalidArgumentError(EncordError, ValueError):
    """An argument, or a file that an argument names, is wrong; the message names the field and the fix."""


class UnsupportedByCredentialError(EncordError):
    """The credential at hand can never do this; the message names the kind of connection that can."""


class RefusedError(EncordError):
    """Encord refused the request and would refuse it again."""


class AuthenticationError(RefusedError):
    """Encord does not accept this key: not registered, registered in the other region, or a skewed clock."""


class PermissionDeniedError(RefusedError):
    """Encord knows the key, but it may not do this: role, membership or the scopes of an API key."""


class NotFoundError(RefusedError):
    """No such resource, or none that this credential can see."""


class ConflictError(RefusedError):
    """The resource exists already."""


class InvalidRequestError(RefusedError):
    """Encord rejects the arguments."""


class PayloadTooLargeError(RefusedError):
    """Too much for one request.

    :param maximum: How many label rows Encord takes at once, if it said so.
    """

    def __init__(
        self, message: str, *, maximum: int | None = None, operation: str | None = None, trace_id: str | None = None
    ):
        super().__init__(message, operation=operation, trace_id=trace_id)
        self.maximum = maximum


class UnexpectedResponseError(EncordError):
    """Encord answered with something that lacks a required field, has it in another type, or is not valid JSON.

    The same request gets the same answer again, so a retry does not help. Of many label rows, one such row makes the
    whole answer unreadable. Ask for fewer rows until `rows` names one.

    :param rows: Label hashes of the rows that were asked for; empty if the call was not about label rows.
    """

    def __init__(
        self,
        message: str,
        *,
        rows: Sequence[str] = (),
        operation: str | None = None,
        trace_id: str | None = None,
    ):
        super().__init__(message, operation=operation, trace_id=trace_id)
        self.rows = tuple(rows)


class PartialFailureError(EncordError):
    """A bulk operation stopped after part of it was done. A retry helps if it helps against the cause.

    :param cause: The error that stopped it.
    :param outcome: What was done, and what was not.
    """

    def __init__(self, cause: EncordError, outcome: Outcome):
        super().__init__(cause.message + outcome.summary(), operation=cause.operation, trace_id=cause.trace_id)
        self.cause = cause
        self.outcome = outcome
        self.retryable = cause.retryable
        self.not_encord = cause.not_encord
        self.retry_after: float | None = getattr(cause, "retry_after", None)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.cause, self.outcome)


class TransientError(EncordError):
    """May pass by itself.

    :param retry_after: Seconds that Encord asked us to wait, or None if it did not say.
    """

    retryable = True
    timed_out = False
    """Whether the answer took too long, so that asking for less at once may help."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        operation: str | None = None,
        trace_id: str | None = None,
    ):
        super().__init__(message, operation=operation, trace_id=trace_id)
        self.retry_after = retry_after


class RateLimitedError(TransientError):
    """Encord asks for fewer requests; nothing was done."""


class UnavailableError(TransientError):
    """Encord was not reached, or failed; the request was not carried out, or it only read."""


class OutcomeUnknownError(TransientError):
    """A request that changes something was sent, and its answer was lost: it may have been carried out."""
