"""What listings share: the filters of projects, datasets and ontologies in their spellings, and how pages are followed.

A page token goes beside the same filters: Encord forgets them between pages.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from airflow_provider_encord.client.api.reading import Page
from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.errors import InvalidArgumentError, UnexpectedResponseError
from airflow_provider_encord.client.times import write_time, write_utc_time

T = TypeVar("T")
Time = datetime.datetime | str


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which resources to list; what is None does not restrict.

    :param title_eq: Exactly this title.
    :param title_like: An SQL LIKE pattern: ``%`` any text, ``_`` any character.
    :param description_eq: Exactly this description.
    :param description_like: A LIKE pattern for the description.
    :param created_before: Created before this time; the other three are like it.
    :param include_organisation: Also what the organisation has and the user is not a member of; for its admins only.
    """

    title_eq: str | None = None
    title_like: str | None = None
    description_eq: str | None = None
    description_like: str | None = None
    created_before: Time | None = None
    created_after: Time | None = None
    edited_before: Time | None = None
    edited_after: Time | None = None
    include_organisation: bool = False

    def query(self, *, description: str, utc: str = "+00:00") -> dict[str, Any]:
        """The v2 query.

        :param description: How this listing spells its description filters: ``"desc"`` for projects and ontologies,
            ``"description"`` for datasets.
        :param utc: How it spells the offset of UTC; datasets have ``"Z"`` (protocol, section 4).
        """

        time = write_utc_time if utc == "Z" else write_time
        return {
            "titleEq": self.title_eq,
            "titleLike": self.title_like,
            f"{description}Eq": self.description_eq,
            f"{description}Like": self.description_like,
            "createdBefore": time(self.created_before),
            "createdAfter": time(self.created_after),
            "editedBefore": time(self.edited_before),
            "editedAfter": time(self.edited_after),
            "includeOrgAccess": self.include_organisation,
        }

    def payload(self) -> dict[str, Any]:
        """The payload of a v1 listing: only what restricts. v1 cannot list what the user is not a member of.

        :raises InvalidArgumentError: `include_organisation` is set.
        """
        if self.include_organisation:
            raise InvalidArgumentError("include_organisation: the v1 listing cannot do this; use the v2 one.")
        filters = {
            "title_eq": self.title_eq,
            "title_like": self.title_like,
            "desc_eq": self.description_eq,
            "desc_like": self.description_like,
            "created_before": write_time(self.created_before),
            "created_after": write_time(self.created_after),
            "edited_before": write_time(self.edited_before),
            "edited_after": write_time(self.edited_after),
        }
        return {"filter": {name: value for name, value in filters.items() if value is not None}}


NO_FILTER = Filter()


class PageTokens:
    """The page tokens of one listing so far, so that one which leads in a circle is noticed."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def follow(self, call: Call[Page[T]], page: Page[T]) -> str | None:
        """The token of the page after this one; None if it was the last.

        :param call: What brought the page.
        :raises UnexpectedResponseError: The token leads back to a page that was read, which would never end.
        """
        token = page.next_page_token
        if not token:
            return None
        if token in self._seen:
            raise UnexpectedResponseError(
                f"Encord's listing at {call.request.path} leads to the same page again.", operation=call.operation
            )
        self._seen.add(token)
        return token


def every_page(call: Callable[[str | None], Call[Page[T]]]) -> Flow[list[T]]:
    """All items of a paged listing, held together; `resources.pages.each` holds one page at a time.

    :param call: Makes the call for a page token, None for the first page.
    :raises UnexpectedResponseError: A page leads back to one that was read, which would never end.
    """
    items: list[T] = []
    token, trail = None, PageTokens()
    while True:
        page = yield from (step := call(token))
        items += page.results
        token = trail.follow(step, page)
        if token is None:
            return items
