"""Reading a paged listing item by item, with one page in memory at a time.

The flow for operators, which need all of it at once, is `listing.every_page`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar

from airflow_provider_encord.client.api.listing import PageTokens
from airflow_provider_encord.client.api.reading import Page
from airflow_provider_encord.client.call import Call
from airflow_provider_encord.client.resources.client_protocol import ClientProtocol

T = TypeVar("T")
MOST_REMEMBERED = 50_000
"""How many of the latest items `each_once` remembers: far more than a listing grows by between two of its pages."""


def each(client: ClientProtocol, call: Callable[[str | None], Call[Page[T]]]) -> Iterator[T]:
    """Every item; the next page is asked for when the last item of the one before was taken.

    :param call: Makes the call for a page token, None for the first page.
    :raises UnexpectedResponseError: A page leads back to one that was read, which would never end.
    """
    for results in _pages(client, call):
        yield from results


def each_once(
    client: ClientProtocol, call: Callable[[str | None], Call[Page[T]]], identity: Callable[[T], Hashable]
) -> Iterator[T]:
    """As `each`, for a listing to which items are added while it is read.

    The new items shift the others, so the end of a page comes again at the beginning of the next one. What came on an
    earlier page is dropped; items that are equal within one page are different ones.

    :param identity: What makes two items the same one.
    """
    seen: dict[int, None] = {}
    for results in _pages(client, call):
        on_page: Counter[Hashable] = Counter()
        for item in results:
            name = identity(item)
            key = hash((name, on_page[name]))
            on_page[name] += 1
            if key in seen:
                continue
            seen[key] = None
            if len(seen) > MOST_REMEMBERED:
                del seen[next(iter(seen))]
            yield item


def _pages(client: ClientProtocol, call: Callable[[str | None], Call[Page[T]]]) -> Iterator[Sequence[T]]:
    token, trail = None, PageTokens()
    while True:
        page = client.send(step := call(token))
        yield page.results
        token = trail.follow(step, page)
        if token is None:
            return
