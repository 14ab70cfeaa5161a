"""Paged listings, read whole by a flow or item by item: the same items, and never more pages than asked for."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.api.core.listing import every_page
from airflow_provider_encord.client.api.core.reading import Page
from airflow_provider_encord.client.api.groups import GroupUser, list_group_users
from airflow_provider_encord.client.call import Call, Flow, Request, run
from airflow_provider_encord.client.credentials import Credential
from airflow_provider_encord.client.errors import UnexpectedResponseError
from airflow_provider_encord.client.flows.pages import MOST_REMEMBERED, each, each_once
from tests.wire.vectors import ssh_key

GROUP = "45454545-0000-4000-8000-000000000001"


class Server:
    """Sends nothing anywhere: it has the pages, and counts how many were asked for."""

    def __init__(self, pages: list[list[str]], last_leads_to: str | None = None):
        self.pages, self.last_leads_to, self.asked = pages, last_leads_to, 0

    @property
    def credential(self) -> Credential:
        return ssh_key()

    def send(self, call: Call[Any]) -> Any:
        assert isinstance(call.request, Request)
        self.asked += 1
        number = int(call.request.query["pageToken"] or 0)
        following = str(number + 1) if number + 1 < len(self.pages) else self.last_leads_to
        results = [GroupUser(user_email=email) for email in self.pages[number]]
        return Page(results=results, next_page_token=following)

    def run(self, flow: Flow[Any]) -> Any:
        return run(flow, self.send)


def emails(server: Server) -> list[str]:
    return [one.user_email for one in each(server, lambda page: list_group_users(GROUP, page=page))]


PAGES = st.lists(st.lists(st.text(max_size=3), max_size=4), min_size=1, max_size=6)


@given(PAGES)
def test_the_iterator_and_the_flow_give_every_item_once_in_order(pages):
    wanted = list(itertools.chain(*pages))
    assert emails(Server(pages)) == wanted
    whole = Server(pages).run(every_page(lambda page: list_group_users(GROUP, page=page)))
    assert [one.user_email for one in whole] == wanted


@given(PAGES, st.integers(0, 24))
def test_no_page_is_asked_for_before_its_first_item_is(pages, taken):
    server = Server(pages)
    listed = each(server, lambda page: list_group_users(GROUP, page=page))
    got = len(list(itertools.islice(listed, taken)))
    held = sum(len(page) for page in pages[: server.asked - 1]) if server.asked else 0
    assert held <= got
    assert bool(server.asked) == (taken > 0)


@pytest.mark.parametrize("back_to", ["0", "1", "2"])
def test_a_token_that_leads_back_ends_the_listing_with_an_error(back_to):
    for read in (emails, lambda server: server.run(every_page(lambda page: list_group_users(GROUP, page=page)))):
        server = Server([["a"], ["b"], ["c"]], last_leads_to=back_to)
        with pytest.raises(UnexpectedResponseError, match=r"groups.list_users"):
            read(server)
        assert server.asked < 10


def once(server: Server) -> list[str]:
    listed = each_once(server, lambda page: list_group_users(GROUP, page=page), lambda one: one.user_email)
    return [one.user_email for one in listed]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.integers(1, 4))
def test_items_that_are_added_while_pages_are_read_come_once_and_nothing_is_lost(added, size):
    # fault 12.5: the listing is newest first, and its pages are offsets
    rows = [f"old {number}" for number in range(9, -1, -1)]

    class Growing(Server):
        def send(self, call: Call[Any]) -> Any:
            first = int(call.request.query["pageToken"] or 0)
            results = [GroupUser(user_email=row) for row in rows[first : first + size]]
            more = first + size < len(rows)
            for number in range(added[self.asked] if self.asked < len(added) else 0):
                rows.insert(0, f"new {self.asked} {number}")
            self.asked += 1
            return Page(results=results, next_page_token=str(first + size) if more else None)

    read = once(Growing([]))
    assert len(read) == len(set(read))
    assert {f"old {number}" for number in range(10)} <= set(read)


def test_items_that_are_equal_on_one_page_are_different_ones():
    assert once(Server([["a", "a", "b"], ["b", "c"]])) == ["a", "a", "b", "c"]


def test_what_is_remembered_of_a_listing_is_bounded():
    many = [str(number) for number in range(MOST_REMEMBERED)]
    assert once(Server([["first"], many, ["first"]])) == ["first", *many, "first"]
