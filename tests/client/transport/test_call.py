"""Calls are values, and both drivers run the same flow."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.call import (
    NO_BODY,
    SSH_ONLY,
    USER,
    Call,
    Envelope,
    Flow,
    Gather,
    Pause,
    Request,
    Resource,
    Transfer,
    run,
    run_async,
)
from airflow_provider_encord.client.errors import NotFoundError, RefusedError, UnavailableError


def ask(number: int) -> Call[int]:
    return Call(request=Request("GET", str(number)), read=int)


def asked(step: Any) -> int:
    return int(step.request.relative_path)


def drive_sync(flow: Flow[Any], outcomes: dict[int, Any]) -> tuple[Any, list[int]]:
    """Run a flow whose steps end as given: with a value, or an error that is raised."""
    seen: list[int] = []

    def perform(step: Any) -> Any:
        seen.append(asked(step))
        outcome = outcomes.get(asked(step), asked(step) * 10)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return run(flow, perform), seen


def drive_async(flow: Flow[Any], outcomes: dict[int, Any]) -> tuple[Any, list[int]]:
    seen: list[int] = []

    async def perform(step: Any) -> Any:
        await asyncio.sleep(0)
        seen.append(asked(step))
        outcome = outcomes.get(asked(step), asked(step) * 10)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return asyncio.run(run_async(flow, perform)), seen


DRIVERS = pytest.mark.parametrize("drive", [drive_sync, drive_async])


@DRIVERS
def test_a_flow_gets_each_result_and_its_return_value_comes_back(drive):
    def flow() -> Flow[str]:
        first = yield from ask(1)
        second = yield from ask(first)
        return f"{first} {second}"

    assert drive(flow(), {}) == ("10 100", [1, 10])


@DRIVERS
def test_a_flow_without_steps_returns_at_once(drive):
    def flow() -> Flow[str]:
        return "done"
        yield from ask(1)

    assert drive(flow(), {}) == ("done", [])


@DRIVERS
def test_a_failed_step_is_thrown_into_the_flow_which_may_go_on(drive):
    def flow() -> Flow[list[int]]:
        try:
            yield from ask(1)
        except NotFoundError:
            return [(yield from ask(2))]
        raise AssertionError("no error came")

    assert drive(flow(), {1: NotFoundError("gone")}) == ([20], [1, 2])


@DRIVERS
def test_an_error_that_the_flow_does_not_catch_comes_out_as_it_is(drive):
    error = RefusedError("no")
    with pytest.raises(RefusedError) as caught:
        drive(iter(ask(1)), {1: error})
    assert caught.value is error


@DRIVERS
def test_a_flow_may_turn_one_error_into_another(drive):
    def flow() -> Flow[int]:
        try:
            return (yield from ask(1))
        except UnavailableError:
            raise NotFoundError("other") from None

    with pytest.raises(NotFoundError, match="other"):
        drive(flow(), {1: UnavailableError("x")})


@DRIVERS
def test_the_last_step_may_fail_and_the_flow_end_all_the_same(drive):
    def flow() -> Flow[str]:
        try:
            yield from ask(1)
        except UnavailableError:
            return "gave up"
        return "ok"

    assert drive(flow(), {1: UnavailableError("x")}) == ("gave up", [1])


@DRIVERS
def test_what_is_no_error_of_ours_is_not_thrown_into_the_flow_but_out_of_the_driver(drive):
    caught_inside = []

    def flow() -> Flow[None]:
        try:
            yield from ask(1)
        except KeyError:
            caught_inside.append(True)

    with pytest.raises(KeyError):
        drive(flow(), {1: KeyError("bug")})
    assert not caught_inside


def summing(numbers: list[int], nested: int) -> Flow[int]:
    """Asks for each number; failures count as -1; part of the numbers in a flow within the flow."""
    total = 0
    for number in numbers[nested:]:
        try:
            total += yield from ask(number)
        except RefusedError:
            total -= 1
    if nested and numbers:
        total += yield from summing(numbers[:nested], 0)
    return total


@given(
    numbers=st.lists(st.integers(0, 20), max_size=12),
    nested=st.integers(0, 12),
    failing=st.sets(st.integers(0, 20)),
)
def test_both_drivers_do_the_same_with_the_same_flow(numbers, nested, failing):
    outcomes = {number: RefusedError("no") for number in failing}
    ours, steps = drive_sync(summing(numbers, nested), outcomes)
    assert (ours, steps) == drive_async(summing(numbers, nested), outcomes)
    assert ours == sum(-1 if number in failing else number * 10 for number in numbers)
    assert sorted(steps) == sorted(numbers)


def test_every_kind_of_step_can_be_yielded_from():
    transfer = Transfer(url="https://x", open=lambda: None, size=0, headers={}, title="t")  # type: ignore[arg-type,return-value]
    for step in (ask(1), transfer, Pause(2), Gather([ask(1)], 4)):
        flow: Generator[Any, Any, Any] = iter(step)  # type: ignore[arg-type]
        assert next(flow) is step
        with pytest.raises(StopIteration):
            flow.send("result")


def test_a_call_and_together_give_their_results_back():
    with pytest.raises(StopIteration) as stopped:
        _send(ask(1), 7)
    assert stopped.value.value == 7
    with pytest.raises(StopIteration) as stopped:
        _send(Gather([ask(1)], 4), [7])
    assert stopped.value.value == [7]


def _send(step: Any, value: Any) -> None:
    flow = iter(step)
    next(flow)
    flow.send(value)


def test_a_call_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ask(1).changes = True  # type: ignore[misc]


def test_a_call_is_for_ssh_keys_and_reads_unless_it_says_otherwise():
    call = ask(1)
    assert (call.credentials, call.changes, call.repeatable) == (SSH_ONLY, False, True)


@pytest.mark.parametrize(
    ("envelope", "path"),
    [
        (Envelope("project", "POST"), "/public/user"),
        (Envelope("project", "GET", USER), "/public/user"),
        (Envelope("apikeymeta", "GET", own_resource=True), "/public"),
        (Envelope("project", "GET", Resource("project", "p")), "/public"),
        (Envelope("cloudintegration", "GET", Resource(None, "p")), "/public"),
    ],
)
def test_the_scope_decides_the_path_of_an_envelope(envelope, path):
    assert envelope.path == path


def test_a_query_leaves_out_nothing_and_repeats_lists():
    query = {"a": None, "b": [], "c": ["x", "y"], "d": True, "e": 0, "f": ("z",), "g": "", "h": [None, "i"]}
    assert Request("GET", "p", query).parameters() == [
        ("c", "x"),
        ("c", "y"),
        ("d", "True"),
        ("e", "0"),
        ("f", "z"),
        ("g", ""),
        ("h", "i"),
    ]


def test_null_is_a_body_and_no_body_is_none():
    assert Request("POST", "p").json is NO_BODY
    assert Request("POST", "p", json=None).json is None


def test_a_signed_url_is_not_in_the_text_of_a_transfer():
    transfer = Transfer(url="https://store/x?sig=SECRET", open=lambda: None, size=1, headers={}, title="cat.jpg")  # type: ignore[arg-type,return-value]
    assert "SECRET" not in repr(transfer)
    assert "SECRET" not in repr(Gather([transfer], 2))
    assert "cat.jpg" in repr(transfer)
