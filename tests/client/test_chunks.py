"""Cutting lists loses nothing, and halving ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.call import Call, Request, run
from airflow_provider_encord.client.errors import RefusedError, TooLargeError
from airflow_provider_encord.client.resources.chunks import chunks, in_parts


@given(st.lists(st.uuids(), unique=True), st.integers(1, 50))
def test_chunks_lose_nothing_keep_order_and_fit(ids, size):
    parts = list(chunks(ids, size))
    assert [one for part in parts for one in part] == ids
    assert all(1 <= len(part) <= size for part in parts)
    assert len(parts) == -(-len(ids) // size)


@pytest.mark.parametrize("size", [0, -1])
def test_a_chunk_must_hold_something(size):
    with pytest.raises(ValueError, match="at least one"):
        list(chunks([1], size))


class Server:
    """Takes so many items at once, and says so or not."""

    def __init__(self, limit: int, *, tells: bool, grows_stricter: bool = False):
        self.limit, self.tells, self.grows_stricter = limit, tells, grows_stricter
        self.requests: list[list[int]] = []

    def call(self, items: Sequence[int]) -> Call[list[int]]:
        return Call(request=Request("GET", "x", {"items": list(items)}), read=lambda answer: [])

    def perform(self, step: Any) -> list[int]:
        items = list(step.request.query["items"])
        self.requests.append(items)
        if len(items) > self.limit:
            told = self.limit if self.tells else None
            if self.grows_stricter:
                self.limit = max(1, self.limit - 1)
            raise TooLargeError("too much", maximum=told)
        return items


def whole(parts: list[list[int]]) -> list[int]:
    return [one for part in parts for one in part]


@given(
    st.lists(st.integers(), min_size=1, max_size=60),
    st.integers(1, 60),
    st.booleans(),
    st.booleans(),
)
def test_what_is_too_much_is_sent_in_parts_that_lose_nothing(items, limit, tells, grows_stricter):
    server = Server(limit, tells=tells, grows_stricter=grows_stricter)
    assert whole(run(in_parts(items, server.call, size=len(items)), server.perform)) == items
    assert len(server.requests) <= 2 * len(items) + 8


@given(st.lists(st.integers(), max_size=60), st.integers(1, 20), st.integers(1, 20))
def test_no_request_holds_more_than_the_size(items, size, limit):
    server = Server(limit, tells=False)
    assert whole(run(in_parts(items, server.call, size=size), server.perform)) == items
    assert all(len(sent) <= size for sent in server.requests)


@given(st.integers(0, 40))
def test_one_item_that_is_too_much_is_an_error_and_is_asked_for_once(others):
    server = Server(0, tells=False)
    with pytest.raises(TooLargeError):
        run(in_parts(list(range(others + 1)), server.call, size=others + 1), server.perform)
    assert sum(1 for one in server.requests if len(one) == 1) == 1


@pytest.mark.parametrize("maximum", [0, -3, 10**9, None])
def test_a_maximum_that_cannot_be_is_not_believed(maximum):
    def perform(step: Any) -> list[int]:
        items = list(step.request.query["items"])
        if len(items) > 2:
            raise TooLargeError("x", maximum=maximum)
        return items

    server = Server(1, tells=False)
    assert whole(run(in_parts(list(range(9)), server.call, size=9), perform)) == list(range(9))


def test_another_error_ends_it():
    def perform(step: Any) -> list[int]:
        raise RefusedError("no")

    with pytest.raises(RefusedError):
        run(in_parts([1, 2], Server(1, tells=True).call, size=2), perform)


def test_nothing_to_send_sends_nothing():
    server = Server(5, tells=True)
    assert run(in_parts([], server.call, size=5), server.perform) == []
    assert server.requests == []
