"""The outcome of many things that were asked for at once: a failure does not take what was done before with it.

Bulk flows give an outcome and do not raise; `BulkOutcome.checked` raises a `PartialFailureError` with it.
"""

from __future__ import annotations

from typing import Generic, Self, TypeVar

import msgspec

from airflow_provider_encord.client.errors import EncordError, PartialFailureError

T = TypeVar("T")
R = TypeVar("R")


class BulkOutcome(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """The outcome of the things asked for, each named as the caller named it.

    :param done: Those that it was done to.
    :param not_done: Those that it was not done to, because of `error`.
    :param error: Why it stopped; None if it went to the end.
    """

    done: list[T]
    not_done: list[T]
    error: EncordError | None = None

    def checked(self) -> Self:
        """Itself, if nothing failed.

        :raises PartialFailureError: Part of it was done.
        :raises EncordError: Nothing was done; the error that stopped it.
        """
        if self.error is None:
            return self
        if not self.done:
            raise self.error
        raise PartialFailureError(self.error, self) from self.error

    def summary(self) -> str:
        """How much was done, as a sentence to go after the error's own."""
        return f" Of what was asked for, {len(self.done)} were done before this, and {len(self.not_done)} are not done."


class PartsOutcome(BulkOutcome[T], Generic[T, R], frozen=True, kw_only=True):
    """The outcome of things that were sent in several requests.

    :param results: What Encord answered to the requests that succeeded, in their order.
    :param unknown: Those of the request whose answer was lost, if it may not be repeated: look before doing it again.
    """

    results: list[R]
    unknown: list[T]

    def summary(self) -> str:
        """As for any outcome, and how many are in doubt."""
        doubt = f" Of {len(self.unknown)} it is not known." if self.unknown else ""
        return super().summary() + doubt
