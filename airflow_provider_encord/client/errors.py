"""The errors of a call to Encord, and whether a retry can help.

::

    EncordError                       operation, trace_id, retryable
     |- CredentialError               the credential or a setting is unusable; nothing was sent
     |- InvalidArgumentError          an argument or a file is wrong; it was not sent. Also a ValueError
     |- UnsupportedByCredentialError  this kind of credential can never do this; nothing was done
     |- RefusedError                  Encord refused the request and would refuse it again
     |   |- SignedUrlRefusedError         the object store does not accept a signed URL; a new one may be accepted
     |   |- AuthenticationError           Encord does not know this key, or not in this region
     |   |- PermissionDeniedError         Encord knows the key, but the key may not do this
     |   |- NotFoundError                 the resource does not exist, or this credential cannot see it
     |   |- ConflictError                 the resource exists already
     |   |- InvalidRequestError           Encord does not accept the arguments
     |   `- PayloadTooLargeError          too much in one request; has `maximum` if Encord names one
     |- UnexpectedResponseError       the response is not valid JSON, or a field is missing or wrong
     |- PartialFailureError           a bulk operation was done in part; has `outcome` and `cause`
     `- TransientError                a retry may succeed; has `retry_after` in seconds, or None
         |- RateLimitedError              too many requests
         |- UnavailableError              Encord cannot be reached or failed; nothing was changed
         `- OutcomeUnknownError           the response to a change was lost; check before you repeat it

Each message says what happened, which field is concerned, and what to do. No message contains a key, a passphrase or a
signed URL.
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
    """Base class of all errors that this package raises about Encord.

    :param message: What happened and what to do.
    :param operation: Name of the operation in the registry, such as ``"label_rows.list"``; None without an operation.
    :param trace_id: 32 hexadecimal digits to give to Encord's support; None if no request was sent.
    """

    retryable = False
    not_encord = False
    """Whether the response came from another server than Encord: a proxy, a login portal, another web server."""

    def __init__(self, message: str, *, operation: str | None = None, trace_id: str | None = None):
        super().__init__(message)
        self.message = message
        self.operation = operation
        self.trace_id = trace_id

    def __str__(self) -> str:
        about = [part for part in (self.operation, self.trace_id and f"trace id {self.trace_id}") if part]
        return f"{self.message} [{', '.join(about)}]" if about else self.message


class CredentialError(EncordError):
    """A credential or a setting of the connection cannot be used. The message names the field and the fix."""


class InvalidArgumentError(EncordError, ValueError):
    """An argument, or a file that an argument names, is wrong. The message names the field and the fix."""


class UnsupportedByCredentialError(EncordError):
    """This kind of credential can never do this. The message names the kind of connection that can."""


class RefusedError(EncordError):
    """Encord refused the request and would refuse it again."""


class AuthenticationError(RefusedError):
    """Encord does not accept this key: it is not registered, or in another region only, or the clock is wrong."""


class PermissionDeniedError(RefusedError):
    """Encord knows the key, but its role, its memberships or the scopes of the API key do not allow this."""


class NotFoundError(RefusedError):
    """The resource does not exist, or this credential cannot see it."""


class ConflictError(RefusedError):
    """The resource exists already."""


class InvalidRequestError(RefusedError):
    """Encord does not accept the arguments."""


class SignedUrlRefusedError(RefusedError):
    """The object store does not accept a signed URL, which may have expired. A new one may be accepted."""


class PayloadTooLargeError(RefusedError):
    """The request is too large.

    :param maximum: How many label rows Encord accepts in one request; None if Encord does not name a number.
    """

    def __init__(
        self, message: str, *, maximum: int | None = None, operation: str | None = None, trace_id: str | None = None
    ):
        super().__init__(message, operation=operation, trace_id=trace_id)
        self.maximum = maximum


class UnexpectedResponseError(EncordError):
    """The response is not valid JSON, or a required field is missing or has another type.

    A retry does not help, because the same request gets the same response. When several label rows were requested, one
    bad row makes the whole response unreadable: request fewer rows until `rows` names a single one.

    :param rows: Label hashes of the requested rows; empty if the call was not about label rows.
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
    """A bulk operation stopped after part of it was done. It is retryable if its cause is retryable.

    :param cause: The error that stopped the operation.
    :param outcome: Which items were done and which were not.
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
    """A temporary failure; a retry may succeed.

    :param retry_after: Seconds to wait, if Encord named them; else None.
    """

    retryable = True
    timed_out = False
    """Whether the response took too long. A smaller request may then succeed."""

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
    """There were too many requests; this one was not carried out."""

    wait_elsewhere = False
    """Whether the client is not to wait for its turn itself, because its `longest_wait` is shorter. Flows that would
    otherwise wait and ask again end with this error."""
    begun = False
    """Whether the client had sent requests before."""


def must_wait_elsewhere(error: EncordError) -> bool:
    """Whether this is an error after which a flow must end, because its client is not to wait."""
    return isinstance(error, RateLimitedError) and error.wait_elsewhere


class UnavailableError(TransientError):
    """Encord cannot be reached, or failed. Nothing was changed: the request was not carried out, or it only reads."""


class OutcomeUnknownError(TransientError):
    """The response to a request that changes something was lost. The change may have been made."""
