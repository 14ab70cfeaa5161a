"""What a soak says of growth, and its page: a mistake here would make hours useless."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster.workloads.base import NotOnceError, require_each_once
from tests.soak.growth import FEWEST, LIMITS, Limit, growth_of
from tests.soak.page import growing, page, text
from tests.soak.play import Outcome
from tests.soak.samples import Series

MEMORY = LIMITS["memory"]
HOURS = [number / 360 for number in range(720)]


def _noisy(value: float, seed: int = 1, by: float = 8.0) -> float:
    return value + random.Random(f"{seed}{value}").uniform(-by, by)


def test_a_leak_of_some_megabytes_each_minute_is_seen_through_noise() -> None:
    growth = growth_of([(at, _noisy(300 + 40 * at)) for at in HOURS], MEMORY)
    assert growth.grows
    assert growth.slope == pytest.approx(40, abs=3)


def test_a_cache_that_fills_at_the_start_is_no_growth() -> None:
    assert not growth_of([(at, 200 if at < 0.2 else 300) for at in HOURS], MEMORY).grows


def test_what_comes_and_goes_is_no_growth() -> None:
    assert not growth_of([(at, 400 if number % 40 < 20 else 300) for number, at in enumerate(HOURS)], MEMORY).grows


def test_one_socket_more_each_minute_is_seen() -> None:
    points = [(at, float(int(60 * at))) for at in HOURS]
    assert growth_of(points, LIMITS["sockets"]).grows


def test_a_few_points_give_no_verdict() -> None:
    growth = growth_of([(number / 360, 10.0**number) for number in range(FEWEST - 2)], MEMORY)
    assert not growth.known
    assert not growth.grows


@given(st.lists(st.floats(0, 100), min_size=0, max_size=60))
def test_values_within_what_may_come_and_go_never_grow(values: list[float]) -> None:
    points = [(float(number), value) for number, value in enumerate(values)]
    assert not growth_of(points, Limit(least=100.0, share=0.1)).grows


def _series(name: str, slope: float) -> Series:
    made = Series(name, 1)
    for at in HOURS:
        for measure in LIMITS:
            made.values[measure].append((at, 100.0 + (slope * at if measure == "memory" else 0)))
    return made


def test_the_cache_of_the_emulators_database_may_fill() -> None:
    assert growing([_series("encord-emulator", 40)]) == []
    assert growing([_series("encord-emulator", 90)]) != []


def test_the_page_names_what_grows_and_what_was_lost() -> None:
    outcome = Outcome(problems=["exports-7: 1 lost <b>"])
    series = [_series("triggerer-1", 50), _series("worker-1", 0), _series("s3", 90)]
    assert [sentence.partition(":")[0] for sentence in growing(series)] == ["triggerer-1"]
    made = page(2.0, outcome, series)
    assert "Something is wrong" in made
    assert "exports-7: 1 lost &lt;b&gt;" in made
    assert made.count("<polyline") == len(LIMITS) * len(series)
    assert "PROBLEM: triggerer-1" in text(2.0, outcome, series)


def test_a_page_without_problems_says_so() -> None:
    assert "Nothing was lost or doubled, nothing grows." in page(2.0, Outcome(), [_series("web-1", 0.5)])


def test_what_is_only_missing_is_not_the_same_as_what_is_there_twice() -> None:
    """While work is in progress, something may be missing; but never twice."""
    with pytest.raises(NotOnceError) as missing:
        require_each_once("files", ["a"], ["a", "b"])
    assert (missing.value.lost, missing.value.doubled) == (["b"], [])
    with pytest.raises(NotOnceError) as doubled:
        require_each_once("files", ["a", "a", "c"], ["a"])
    assert (doubled.value.doubled, doubled.value.strange) == (["a"], ["c"])
