"""Cutting long lists to what one request may hold, and to smaller parts where that turns out to be too much.

What is too much was not done, so its halves are sent, also by a call that changes something. What takes too long may
have been done, so its halves are sent only by a call that may be repeated: any other fails, with its items in doubt.
An answer with label rows that cannot be read is halved down to the row that makes it so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.errors import (
    EncordError,
    OutcomeUnknownError,
    PayloadTooLargeError,
    UnavailableError,
    UnexpectedResponseError,
)
from airflow_provider_encord.client.resources.outcomes import PartsOutcome

T = TypeVar("T")
R = TypeVar("R")

LEAST_SHARE = 8  # a part that takes too long at this fraction of the size does so because Encord is slow or away


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Consecutive parts of at most `size` items; together they are the whole."""
    if size < 1:
        raise ValueError(f"A part must hold at least one item, not {size}.")
    for start in range(0, len(items), size):
        yield items[start : start + size]


def in_parts(items: Sequence[T], call: Callable[[Sequence[T]], Call[R]], *, size: int) -> Flow[list[R]]:
    """Send a call for parts of the items, and for smaller parts where that is too much or takes too long.

    :param call: Makes the call for some of the items.
    :param size: How many items to try at once.
    :return: The result of each part.
    :raises PartialFailureError: A part failed after others were done; its `outcome` is a `PartsOutcome`.
    :raises EncordError: The first part failed.
    """
    return (yield from as_far_as_possible(items, call, size=size)).checked().results


def as_far_as_possible(
    items: Sequence[T], call: Callable[[Sequence[T]], Call[R]], *, size: int
) -> Flow[PartsOutcome[T, R]]:
    """As `in_parts`, but the first failure is in the outcome and is not raised."""
    waiting = list(reversed(list(chunks(items, size))))
    least, most = -(-size // LEAST_SHARE), size
    done: list[T] = []
    results: list[R] = []
    while waiting:
        part = waiting.pop()
        if len(part) > most:
            waiting += [part[most:], part[:most]]
            continue
        try:
            results.append((yield from call(part)))
        except EncordError as error:
            smaller = _smaller(error, len(part), least)
            if smaller is None:
                in_doubt = list(part) if isinstance(error, OutcomeUnknownError) else []
                later = [one for other in reversed(waiting) for one in other]
                not_done = later if in_doubt else [*part, *later]
                return PartsOutcome(done=done, not_done=not_done, unknown=in_doubt, results=results, error=error)
            if _is_of_size(error, len(part)):
                most = smaller  # for the parts to come as well
            waiting += [part[smaller:], part[:smaller]]
        else:
            done += part
    return PartsOutcome(done=done, not_done=[], unknown=[], results=results)


def _smaller(error: EncordError, size: int, least: int) -> int | None:
    """How many items to try instead of so many; None if no smaller part would help."""
    half = (size + 1) // 2
    if isinstance(error, PayloadTooLargeError) and size > 1:
        return min(error.maximum, half) if error.maximum and _is_told(error, size) else half
    if isinstance(error, UnexpectedResponseError) and error.rows and size > 1:
        return half
    if isinstance(error, UnavailableError) and error.timed_out and size > least:
        return max(half, least)
    return None


def _is_of_size(error: EncordError, size: int) -> bool:
    """Whether any part of this size would fail, and not only this one because of what is in it."""
    if isinstance(error, PayloadTooLargeError):
        return _is_told(error, size)
    return not isinstance(error, UnexpectedResponseError)


def _is_told(error: PayloadTooLargeError, size: int) -> bool:
    """Whether Encord names a maximum, and one that can be."""
    return error.maximum is not None and 0 < error.maximum < size
