"""Cutting long lists to what one request may hold, and halving what turns out to be too much."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.errors import TooLargeError

T = TypeVar("T")
R = TypeVar("R")


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Consecutive parts of at most `size` items; together they are the whole."""
    if size < 1:
        raise ValueError(f"A part must hold at least one item, not {size}.")
    for start in range(0, len(items), size):
        yield items[start : start + size]


def in_parts(items: Sequence[T], call: Callable[[Sequence[T]], Call[R]], *, size: int) -> Flow[list[R]]:
    """Send a call for parts of the items, and for smaller parts where Encord says that it is too much (413 and such).

    What is too much was not done, so sending its halves is safe for a call that changes something, too. When a part
    fails, those before it are done.

    :param call: Makes the call for some of the items.
    :param size: How many items to try at once.
    :return: The result of each part.
    :raises TooLargeError: One item alone is too much.
    """
    results: list[R] = []
    for part in chunks(items, size):
        results += yield from _or_halves(part, call)
    return results


def _or_halves(items: Sequence[T], call: Callable[[Sequence[T]], Call[R]]) -> Flow[list[R]]:
    try:
        return [(yield from call(items))]
    except TooLargeError as error:
        if len(items) == 1:
            raise
        size = min(error.maximum or len(items), (len(items) + 1) // 2)
    return (yield from in_parts(items, call, size=max(1, size)))
