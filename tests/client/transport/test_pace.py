"""The rate that is learned from refusals, in simulations: servers that count in different ways, and many clients."""

from __future__ import annotations

import collections
import dataclasses
import heapq
import math
import random
from collections.abc import Callable

import hypothesis.strategies as st
import pytest
from hypothesis import given

from airflow_provider_encord.client.transport.pace import LONGEST_CLOSED, SLOWEST, Pace

Server = Callable[[float], float | None]
"""Answers a request at a time: None, or the seconds for which it asks to wait."""


def bucket(rate: float, burst: int) -> Server:
    """A server that takes `rate` requests a second, and `burst` at once."""
    state = {"tokens": float(burst), "at": 0.0}

    def answer(now: float) -> float | None:
        state["tokens"] = min(burst, state["tokens"] + (now - state["at"]) * rate)
        state["at"] = now
        if state["tokens"] >= 1:
            state["tokens"] -= 1
            return None
        return 1.0

    return answer


def window(requests: int, seconds: float) -> Server:
    """A server that takes so many requests in any interval of so many seconds."""
    recent: collections.deque[float] = collections.deque()

    def answer(now: float) -> float | None:
        while recent and recent[0] <= now - seconds:
            recent.popleft()
        if len(recent) < requests:
            recent.append(now)
            return None
        return max(1.0, math.ceil(recent[0] + seconds - now))

    return answer


def closing(inner: Server, seconds: float) -> Server:
    """A server that refuses everything for so many seconds after a refusal of `inner`."""
    closed_until = 0.0

    def answer(now: float) -> float | None:
        nonlocal closed_until
        if now >= closed_until and inner(now) is not None:
            closed_until = now + seconds
        return closed_until - now if now < closed_until else None

    return answer


@dataclasses.dataclass
class Played:
    """What came of a simulation."""

    seconds: float
    refused: int
    longest_wait: float
    requests_of: list[int]


def play(
    server: Server, *, clients: int, requests: int, rate: float | None = None, seconds_of_work: float = 0.02
) -> Played:
    """Clients that share a pace and send requests, each as soon as its last one is done, until all are done."""
    pace, least = Pace(), 1 / rate if rate else 0.0
    begun = 1000.0
    queue: list[tuple[float, int, float | None]] = [(begun, number, None) for number in range(clients)]
    done, refused, longest, now = [0] * clients, 0, 0.0, begun
    since, latency = [begun] * clients, random.Random(1)
    while sum(done) < requests:
        now, who, number = heapq.heappop(queue)
        if number is None:
            number, since[who] = pace.take(), now
        if wait := pace.nap(now, number, least=least):
            heapq.heappush(queue, (now + wait + latency.uniform(0, 0.002), who, number))
            continue
        longest = max(longest, now - since[who])
        pace.send(now, number, least=least)
        asked = server(now)
        if asked is None:
            done[who] += 1
        else:
            refused += 1
            pace.refuse(now, sent_at=now, seconds=asked)
        heapq.heappush(queue, (now + seconds_of_work, who, None))
    return Played(now - begun, refused, longest, done)


SERVERS: dict[str, tuple[Callable[[], Server], float]] = {
    "20 a second": (lambda: bucket(20, 20), 20.0),
    "5 a second, no burst": (lambda: bucket(5, 1), 5.0),
    "1200 a minute": (lambda: window(1200, 60), 20.0),
    "30 in 10 s": (lambda: window(30, 10), 3.0),
    "200 a second": (lambda: bucket(200, 50), 200.0),
}


@pytest.mark.parametrize("clients", [1, 8, 32, 100])
@pytest.mark.parametrize("name", SERVERS)
def test_an_unknown_limit_is_used_well_with_few_refusals(name: str, clients: int) -> None:
    server, rate = SERVERS[name]
    requests = int(rate * 300)
    played = play(server(), clients=clients, requests=requests)
    assert played.seconds <= 1.2 * requests / rate or clients == 1
    assert played.refused <= 0.03 * requests + clients


@pytest.mark.parametrize("seconds", [1, 10, 30, 60])
def test_an_unknown_limit_is_used_well_whatever_a_refusal_costs(seconds: float) -> None:
    """If a refusal closed Encord for a minute, 60 % of a limit was used."""
    played = play(closing(bucket(20, 20), seconds), clients=8, requests=20 * 3600)
    assert played.seconds <= 3600 / 0.7


@pytest.mark.parametrize("clients", [8, 32, 100])
def test_a_known_limit_is_never_met(clients: int) -> None:
    played = play(bucket(20, 2), clients=clients, requests=3000, rate=19.9)
    assert played.refused == 0
    assert played.seconds <= 1.02 * 3000 / 20
    assert played.longest_wait <= clients / 19


@pytest.mark.parametrize("rate", [None, 20])
def test_all_clients_get_the_same_share(rate: float | None) -> None:
    played = play(bucket(20, 20), clients=32, requests=3200, rate=rate)
    assert max(played.requests_of) <= 1.2 * min(played.requests_of)


def send(pace: Pace, now: float) -> None:
    number = pace.take()
    assert pace.wait(now, number) == 0
    pace.send(now, number)


def test_without_a_refusal_and_a_rate_nothing_waits() -> None:
    pace = Pace()
    for _ in range(1000):
        send(pace, 1000.0)


def test_while_encord_asks_to_wait_nothing_is_sent() -> None:
    pace = Pace()
    send(pace, 1000.0)
    pace.refuse(1000.1, sent_at=1000.0, seconds=30)
    assert pace.nap(1000.2, pace.take()) == pytest.approx(29.9)


def test_requests_are_sent_in_the_order_in_which_they_asked() -> None:
    pace = Pace()
    numbers = [pace.take() for _ in range(10)]
    pace.send(1000.0, numbers[0], least=0.1)
    assert [pace.wait(1000.0, one, least=0.1) for one in numbers[1:]] == pytest.approx([n / 10 for n in range(1, 10)])
    pace.refuse(1000.05, sent_at=1000.0, seconds=2)
    waits = [pace.wait(1000.05, one, least=0.1) for one in numbers[1:]]
    assert waits == sorted(waits)
    assert waits[0] == pytest.approx(2)
    assert waits[1] == pytest.approx(2 + max(pace.learned, 0.1))


def test_one_that_does_not_come_is_passed_over_and_one_that_is_late_is_next() -> None:
    pace = Pace()
    first, killed, third, fourth = (pace.take() for _ in range(4))
    pace.send(1000.0, first, least=0.1)
    assert pace.wait(1000.15, third, least=0.1) == pytest.approx(0.05)
    assert pace.wait(1000.2001, third, least=0.1) == 0
    pace.send(1000.2001, third, least=0.1)
    assert pace.wait(1000.25, killed, least=0.1) == pytest.approx(0.0501)
    assert pace.wait(1000.31, fourth, least=0.1) == 0


def test_looking_takes_no_number() -> None:
    pace = Pace()
    pace.refuse(1000.0, sent_at=1000.0, seconds=30)
    assert [pace.wait(1000.0) for _ in range(5)] == [30.0] * 5
    assert pace.taken == 0


def test_requests_that_were_on_their_way_together_lower_the_rate_once() -> None:
    pace = Pace()
    for number in range(200):
        send(pace, 1000 + number / 20)
    pace.refuse(1010.0, sent_at=1009.9, seconds=1)
    learned = pace.learned
    for _ in range(30):
        pace.refuse(1010.1, sent_at=1009.95, seconds=1)
    assert pace.learned == learned == pytest.approx(1 / 20, rel=0.02)


def test_one_who_seldom_asks_is_not_slowed_to_that_rate() -> None:
    pace = Pace()
    for number in range(20):
        send(pace, 1000 + 20 * number)
    pace.refuse(1380.1, sent_at=1380.0, seconds=1)
    assert pace.learned <= 0.1


def test_requests_of_an_hour_ago_say_nothing_about_the_rate() -> None:
    pace = Pace()
    send(pace, 1000.0)
    for number in range(100):
        send(pace, 4600 + number / 100)
    pace.refuse(4601.0, sent_at=4600.99, seconds=1)
    assert pace.learned == pytest.approx(0.01, rel=0.2)


def test_a_rate_that_was_learned_is_forgotten_in_quiet_times() -> None:
    pace = Pace()
    for _ in range(10):
        send(pace, 1000.0)
    pace.refuse(1001.0, sent_at=1000.5, seconds=1)
    assert pace.interval(1002.0) > 0
    assert pace.interval(1001.0 + 3600) == 0


@given(st.lists(st.floats(0, 1e10), min_size=1, max_size=30), st.floats(0, 1e6))
def test_a_clock_that_jumps_stops_nothing_for_long(times: list[float], seconds: float) -> None:
    pace = Pace()
    for now in times:
        number = pace.take()
        assert pace.wait(now, number, least=0.05) <= LONGEST_CLOSED + (len(times) + 1) * SLOWEST + 2
        pace.send(now, number, least=0.05)
        pace.refuse(now, sent_at=now, seconds=seconds)
    assert pace.wait(times[-1] + LONGEST_CLOSED + SLOWEST) <= SLOWEST


def test_a_number_that_another_place_gave_out_is_the_last_one() -> None:
    """Redis went away, or forgot: the wait for a million numbers that nothing here gave out would take days."""
    pace = Pace()
    for _ in range(3):
        pace.send(1000.0, pace.take(), least=1.0)
    assert pace.wait(1000.0, 1e6, least=1.0) <= 3.0
    pace.send(1003.0, 1e6, least=1.0)
    assert pace.wait(1003.0, pace.take(), least=1.0) == pytest.approx(1.0)
    assert pace.wait(1003.0, pace.take(), least=1.0) == pytest.approx(2.0)
