"""Filters of listings (projects, datasets, ontologies), and reading all pages of a listing.

Each request for a page must repeat the filters, because Encord does not keep them between pages.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from airflow_provider_encord.client.api.core.reading import Page
from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.errors import InvalidArgumentError, UnexpectedResponseError
from airflow_provider_encord.client.times import write_time, write_utc_time

T = TypeVar("T")
Time = datetime.datetime | str


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which resources to list. Fields that are None do not filter.

    :param title_eq: The exact title.
    :param title_like: SQL LIKE pattern for the title: ``%`` is any text, ``_`` is any character.
    :param description_eq: The exact description.
    :param description_like: SQL LIKE pattern for the description.
    :param created_before: Only resources created before this time. The other three times are used in the same way.
    :param include_organisation: Include the organisation's resources of which the user is not a member; for admins of
        the organisation only.
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

        :param description: Name of the description filters in this listing: ``"desc"`` for projects and ontologies,
            ``"description"`` for datasets.
        :param utc: How this listing writes the UTC offset; ``"Z"`` for datasets (protocol, section 4).
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
        """The payload of a v1 listing, with only the filters that are set.

        v1 cannot list resources of which the user is not a member.

        :raises InvalidArgumentError: `include_organisation` is set.
        """
        if self.include_organisation:
            raise InvalidArgumentError("include_organisation: the v1 listing does not support it. Use the v2 listing.")
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
    """The page tokens that one listing has used, to detect a token that leads back to an earlier page."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def follow(self, call: Call[Page[T]], page: Page[T]) -> str | None:
        """The token of the next page; None after the last page.

        :param call: The call that returned the page.
        :raises UnexpectedResponseError: The token leads back to a page that was read already, so the listing would not
            end.
        """
        token = page.next_page_token
        if not token:
            return None
        if token in self._seen:
            raise UnexpectedResponseError(
                f"Encord's listing at {call.request.path} leads back to a page that was read already.",
                operation=call.operation,
            )
        self._seen.add(token)
        return token


def every_page(call: Callable[[str | None], Call[Page[T]]]) -> Flow[list[T]]:
    """Read all items of a paged listing into memory. `resources.pages.each` keeps only one page in memory.

    :param call: Makes the call for a page token; None is the first page.
    :raises UnexpectedResponseError: A page token leads back to a page that was read already, so the listing would not
        end.
    """
    items: list[T] = []
    token, trail = None, PageTokens()
    while True:
        page = yield from (step := call(token))
        items += page.results
        token = trail.follow(step, page)
        if token is None:
            return items
