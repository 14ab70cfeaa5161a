"""Cutting lists loses nothing, and halving ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.call import Call, Request, run
from airflow_provider_encord.client.errors import (
    OutcomeUnknownError,
    PartialFailureError,
    PayloadTooLargeError,
    RefusedError,
    TransientError,
    UnavailableError,
)
from airflow_provider_encord.client.flows.chunks import LEAST_SHARE, as_far_as_possible, chunks, in_parts
from airflow_provider_encord.client.flows.outcomes import PartsOutcome


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

    def __init__(self, limit: int, *, names_its_limit: bool, grows_stricter: bool = False):
        self.limit, self.names_its_limit, self.grows_stricter = limit, names_its_limit, grows_stricter
        self.requests: list[list[int]] = []

    def call(self, items: Sequence[int]) -> Call[list[int]]:
        return Call(request=Request("GET", "x", {"items": list(items)}), read=lambda answer: [])

    def perform(self, step: Any) -> list[int]:
        items = list(step.request.query["items"])
        self.requests.append(items)
        if len(items) > self.limit:
            stated = self.limit if self.names_its_limit else None
            if self.grows_stricter:
                self.limit = max(1, self.limit - 1)
            raise PayloadTooLargeError("too much", maximum=stated)
        return items


def whole(parts: list[list[int]]) -> list[int]:
    return [one for part in parts for one in part]


@given(
    st.lists(st.integers(), min_size=1, max_size=60),
    st.integers(1, 60),
    st.booleans(),
    st.booleans(),
)
def test_what_is_too_much_is_sent_in_parts_that_lose_nothing(items, limit, names_its_limit, grows_stricter):
    server = Server(limit, names_its_limit=names_its_limit, grows_stricter=grows_stricter)
    assert whole(run(in_parts(items, server.call, size=len(items)), server.perform)) == items
    assert len(server.requests) <= 2 * len(items) + 8


@given(st.lists(st.integers(), max_size=60), st.integers(1, 20), st.integers(1, 20))
def test_no_request_holds_more_than_the_size(items, size, limit):
    server = Server(limit, names_its_limit=False)
    assert whole(run(in_parts(items, server.call, size=size), server.perform)) == items
    assert all(len(sent) <= size for sent in server.requests)


@given(st.integers(0, 40))
def test_one_item_that_is_too_much_is_an_error_and_is_asked_for_once(others):
    server = Server(0, names_its_limit=False)
    with pytest.raises(PayloadTooLargeError):
        run(in_parts(list(range(others + 1)), server.call, size=others + 1), server.perform)
    assert sum(1 for request in server.requests if len(request) == 1) == 1


@pytest.mark.parametrize("maximum", [0, -3, 10**9, None])
def test_a_maximum_that_cannot_be_is_not_believed(maximum):
    def perform(step: Any) -> list[int]:
        items = list(step.request.query["items"])
        if len(items) > 2:
            raise PayloadTooLargeError("x", maximum=maximum)
        return items

    server = Server(1, names_its_limit=False)
    assert whole(run(in_parts(list(range(9)), server.call, size=9), perform)) == list(range(9))


def test_another_error_ends_it():
    def perform(step: Any) -> list[int]:
        raise RefusedError("no")

    with pytest.raises(RefusedError):
        run(in_parts([1, 2], Server(1, names_its_limit=True).call, size=2), perform)


def test_nothing_to_send_sends_nothing():
    server = Server(5, names_its_limit=True)
    assert run(in_parts([], server.call, size=5), server.perform) == []
    assert server.requests == []


class Slow:
    """Takes at most so many items in time, and fails permanently at some of them."""

    def __init__(self, limit: int, *, fails_at: frozenset[int] = frozenset(), lost: bool = False):
        self.limit, self.fails_at, self.lost = limit, fails_at, lost
        self.sizes: list[int] = []

    def perform(self, step: Any) -> list[int]:
        items = list(step.request.query["items"])
        self.sizes.append(len(items))
        if len(items) > self.limit:
            late: TransientError = OutcomeUnknownError("late") if self.lost else UnavailableError("late")
            late.timed_out = True
            raise late
        if self.fails_at.intersection(items):
            raise RefusedError("no")
        return items


CALL = Server(1, names_its_limit=False).call


@given(st.integers(1, 200), st.integers(1, 100), st.data())
def test_what_takes_too_long_goes_in_smaller_parts_that_lose_nothing(number, size, data):
    least = -(-size // LEAST_SHARE)
    server = Slow(data.draw(st.integers(least, 200)))
    assert whole(run(in_parts(range(number), CALL, size=size), server.perform)) == list(range(number))
    late = sum(1 for sent in server.sizes if sent > server.limit)
    assert late <= 3, "what was too slow once is not tried again"


@given(st.integers(1, 200), st.integers(1, 100))
def test_encord_that_is_away_is_not_asked_for_ever_smaller_parts(number, size):
    server = Slow(0)
    with pytest.raises(UnavailableError):
        run(in_parts(range(number), CALL, size=size), server.perform)
    assert len(server.sizes) <= 4


def test_an_outage_that_is_no_time_out_halves_nothing():
    sizes = []

    def perform(step: Any) -> list[int]:
        sizes.append(len(step.request.query["items"]))
        raise UnavailableError("refused")

    with pytest.raises(UnavailableError):
        run(in_parts(range(8), CALL, size=8), perform)
    assert sizes == [8]


@given(st.integers(1, 100), st.integers(1, 30), st.integers(1, 30), st.sets(st.integers(0, 99), max_size=3))
def test_an_outcome_has_each_item_once_and_keeps_what_succeeded(number, size, limit, failing):
    server = Slow(limit, fails_at=frozenset(failing))
    outcome = run(as_far_as_possible(range(number), CALL, size=size), server.perform)
    assert [*outcome.done, *outcome.unknown, *outcome.not_done] == list(range(number))
    assert whole(outcome.results) == outcome.done
    assert (outcome.error is None) == (outcome.done == list(range(number)))


def test_a_lost_answer_leaves_its_items_in_doubt_and_is_not_repeated():
    server = Slow(3, lost=True)
    outcome = run(as_far_as_possible(range(8), CALL, size=4), server.perform)
    assert (outcome.done, outcome.unknown, outcome.not_done) == ([], [0, 1, 2, 3], [4, 5, 6, 7])
    assert server.sizes == [4]


def test_what_is_raised_says_what_was_done_and_says_it_once():
    server = Slow(9, fails_at=frozenset({5}))
    with pytest.raises(
        PartialFailureError, match=r"^no Items that were done before this error: 4\. Not done: 6\.$"
    ) as raised:
        run(in_parts(range(10), CALL, size=2), server.perform)
    assert isinstance(raised.value.cause, RefusedError)
    outcome = raised.value.outcome
    assert isinstance(outcome, PartsOutcome)
    assert (outcome.done, outcome.results) == ([0, 1, 2, 3], [[0, 1], [2, 3]])
    with pytest.raises(PartialFailureError) as again:
        outcome.checked()
    assert str(again.value) == str(raised.value)
