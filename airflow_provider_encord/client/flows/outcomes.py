"""The outcome of a bulk operation, which keeps what was done before a failure.

Bulk flows return an outcome and do not raise. `BulkOutcome.checked` raises a `PartialFailureError` that contains the
outcome.
"""

from __future__ import annotations

from typing import Generic, Self, TypeVar

import msgspec

from airflow_provider_encord.client.errors import EncordError, PartialFailureError

T = TypeVar("T")
R = TypeVar("R")


class BulkOutcome(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """The outcome of a bulk operation. Its items are the ones that the caller passed.

    :param done: The items that were processed.
    :param not_done: The items that were not processed, because of `error`.
    :param error: The error that stopped the operation; None if it was completed.
    """

    done: list[T]
    not_done: list[T]
    error: EncordError | None = None

    def checked(self) -> Self:
        """Return this outcome if nothing failed.

        :raises PartialFailureError: The operation was done for some of the items.
        :raises EncordError: Nothing was done; this is the error that stopped the operation.
        """
        if self.error is None:
            return self
        if not self.done:
            raise self.error
        raise PartialFailureError(self.error, self) from self.error

    def summary(self) -> str:
        """How much was done, as a sentence that is added to the error's message."""
        return f" Items that were done before this error: {len(self.done)}. Not done: {len(self.not_done)}."


class PartsOutcome(BulkOutcome[T], Generic[T, R], frozen=True, kw_only=True):
    """The outcome of a bulk operation that was sent in several requests.

    :param results: The results of the successful requests, in order.
    :param unknown: The items of a request whose response was lost and which may not be repeated. Check them before you
        repeat the operation.
    """

    results: list[R]
    unknown: list[T]

    def summary(self) -> str:
        """Add the number of items whose outcome is unknown."""
        doubt = f" Unknown: {len(self.unknown)}." if self.unknown else ""
        return super().summary() + doubt
