"""Splitting long lists into parts that fit one request, and into smaller parts if a request turns out to be too large.

Encord does not carry out a request that is too large, so its two halves are sent, even if the call changes something.
A request that takes too long may have been carried out. Its halves are sent only if the call may be repeated; otherwise
the call fails and the outcome of its items is unknown. If a response with label rows is unreadable, its request is
halved until the row that causes this is found.
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
from airflow_provider_encord.client.flows.outcomes import PartsOutcome
from airflow_provider_encord.progress import ProgressLogger

T = TypeVar("T")
R = TypeVar("R")

LEAST_SHARE = 8  # a part of size/8 that still takes too long means that Encord is slow or unreachable


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Consecutive parts of at most `size` items, which together contain all items."""
    if size < 1:
        raise ValueError(f"size: {size} is less than 1; a part must contain at least one item.")
    for start in range(0, len(items), size):
        yield items[start : start + size]


def in_parts(items: Sequence[T], call: Callable[[Sequence[T]], Call[R]], *, size: int) -> Flow[list[R]]:
    """Send a call for each part of the items, and for smaller parts if one is too large or takes too long.

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
    """Do the same as `in_parts`, but return the first failure in the outcome instead of raising it."""
    waiting, progress = list(reversed(list(chunks(items, size)))), ProgressLogger("items", len(items))
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
                later = [item for other in reversed(waiting) for item in other]
                not_done = later if in_doubt else [*part, *later]
                return PartsOutcome(done=done, not_done=not_done, unknown=in_doubt, results=results, error=error)
            if _is_of_size(error, len(part)):
                most = smaller  # also for the remaining parts
            waiting += [part[smaller:], part[:smaller]]
        else:
            done += part
            progress.add(len(part))
    return PartsOutcome(done=done, not_done=[], unknown=[], results=results)


def _smaller(error: EncordError, size: int, least: int) -> int | None:
    """How many items to try next instead of `size`; None if a smaller part would not help."""
    half = (size + 1) // 2
    if isinstance(error, PayloadTooLargeError) and size > 1:
        return min(error.maximum, half) if error.maximum and _is_told(error, size) else half
    if isinstance(error, UnexpectedResponseError) and error.rows and size > 1:
        return half
    if isinstance(error, UnavailableError) and error.timed_out and size > least:
        return max(half, least)
    return None


def _is_of_size(error: EncordError, size: int) -> bool:
    """Whether every part of this size would fail, and not only this part because of its items."""
    if isinstance(error, PayloadTooLargeError):
        return _is_told(error, size)
    return not isinstance(error, UnexpectedResponseError)


def _is_told(error: PayloadTooLargeError, size: int) -> bool:
    """Whether Encord names a maximum, and the maximum is plausible."""
    return error.maximum is not None and 0 < error.maximum < size
