"""Reading a paged listing item by item, with one page in memory at a time.

The flow for operators, which need all of it at once, is `listing.every_page`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from airflow_provider_encord.client.api.listing import Trail
from airflow_provider_encord.client.api.reading import Page
from airflow_provider_encord.client.call import Call
from airflow_provider_encord.client.resources.sender import Sender

T = TypeVar("T")


def each(client: Sender, call: Callable[[str | None], Call[Page[T]]]) -> Iterator[T]:
    """Every item; the next page is asked for when the last item of the one before was taken.

    :param call: Makes the call for a page token, None for the first page.
    :raises UnexpectedAnswerError: A page leads back to one that was read, which would never end.
    """
    token, trail = None, Trail()
    while True:
        page = client.send(step := call(token))
        yield from page.results
        token = trail.follow(step, page)
        if token is None:
            return
