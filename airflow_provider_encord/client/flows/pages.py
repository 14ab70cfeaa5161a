"""Reading a paged listing item by item, with one page in memory at a time.

Operators need all items at once; they use the flow `listing.every_page`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar

from airflow_provider_encord.client.api.core.listing import PageTokens
from airflow_provider_encord.client.api.core.reading import Page
from airflow_provider_encord.client.call import Call
from airflow_provider_encord.client.client_protocol import ClientProtocol

T = TypeVar("T")
MOST_REMEMBERED = 50_000
"""How many of the latest items `each_once` remembers. A listing grows by far fewer between two of its pages."""


def each(client: ClientProtocol, call: Callable[[str | None], Call[Page[T]]]) -> Iterator[T]:
    """Iterate over all items. The next page is requested after the last item of the current page was consumed.

    :param call: Makes the call for a page token; None is the first page.
    :raises UnexpectedResponseError: A page token leads back to a page that was read already, so the listing would not
        end.
    """
    for results in _pages(client, call):
        yield from results


def each_once(
    client: ClientProtocol, call: Callable[[str | None], Call[Page[T]]], identity: Callable[[T], Hashable]
) -> Iterator[T]:
    """Do the same as `each`, for a listing that can grow while it is read.

    New items shift the others, so the last items of a page appear again at the beginning of the next page. These
    repeated items are dropped. Equal items within one page are different items and are kept.

    :param identity: Returns the value that identifies an item.
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
