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


def read_all(items: Sequence[T], read: Callable[[Sequence[T]], Call[list[R]]]) -> Flow[list[R]]:
    """Read items with one call, or with smaller ones if Encord says that it is too much (413, label limit).

    :param read: Makes the call for some of the items.
    :raises TooLargeError: One item alone is too much.
    """
    if not items:
        return []
    try:
        return (yield from read(items))
    except TooLargeError as error:
        if len(items) == 1:
            raise
        size = min(error.maximum or len(items), (len(items) + 1) // 2)
    results: list[R] = []
    for part in chunks(items, max(1, size)):
        results += yield from read_all(part, read)
    return results
