"""The forecast: its band has the true date in about 80 % of cases, and it says when it has no date."""

from __future__ import annotations

import datetime
import itertools
import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.history.counted import Point
from airflow_provider_encord.project_progress.forecast import Forecast, forecast, said

FIRST = datetime.date(2026, 1, 5)  # a Monday
CASES = 200
Pace = Callable[[random.Random, int], int]


def poisson(chance: random.Random, mean: float) -> int:
    """A number of events; Knuth's method, or a normal approximation if many are expected."""
    if mean > 30:
        return max(round(chance.gauss(mean, math.sqrt(mean))), 0)
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product, count = product * chance.random(), count + 1
    return count


def office(chance: random.Random, day: int) -> int:
    """People who work on five days of a week."""
    return poisson(chance, 20 if day % 7 < 5 else 0.5)


def uneven(chance: random.Random, day: int) -> int:
    """Days that differ much: a team that also works on other projects."""
    return poisson(chance, chance.gammavariate(1.5, 10)) if day % 7 < 5 else 0


class Seasons:
    """Weeks that differ much, as a whole: holidays, releases, illness."""

    def __init__(self) -> None:
        self._weeks: dict[int, float] = {}

    def __call__(self, chance: random.Random, day: int) -> int:
        factor = self._weeks.setdefault(day // 7, chance.gammavariate(6, 1 / 6))
        return poisson(chance, factor * (25 if day % 7 < 5 else 2))


def replay(seed: int, pace: Pace, *, added: float = 0.0, every: int = 1) -> bool:
    """Play a project to its end, and look whether the band of a forecast that was made on the way has the end.

    :param added: Tasks that are added on a day, on average.
    :param every: Days from one count to the next.
    """
    chance = random.Random(seed)
    known, ahead = chance.randrange(21, 90), chance.randrange(10, 80)
    done = list(itertools.accumulate(pace(chance, day) for day in range(known + ahead)))
    size, total = done[-1], []
    while len(total) <= known or done[len(total) - 1] < total[-1]:
        total.append((total[-1] if total else size) + poisson(chance, added))
        if len(total) > len(done):
            done.append(done[-1] + pace(chance, len(done)))
    end = FIRST + datetime.timedelta(days=len(total) - 1)
    days = range(0, known, every)
    found = forecast([point(day, done[day], total[day]) for day in days], draws=200)
    return found.earliest is not None and found.earliest <= end and (found.latest is None or end <= found.latest)


def point(day: int, done: int, total: int) -> Point:
    return Point(day=FIRST + datetime.timedelta(days=day), done=done, total=total)


@pytest.mark.parametrize(
    ("pace", "options"),
    [
        (lambda: office, {}),
        (lambda: uneven, {}),
        (Seasons, {}),
        (lambda: office, {"added": 4.0}),
        (lambda: uneven, {"every": 3}),
        (Seasons, {"added": 3.0, "every": 2}),
    ],
    ids=["office", "uneven", "seasons", "growing", "gaps", "all of it"],
)
def test_the_band_has_the_true_date_in_about_four_of_five_cases(
    pace: Callable[[], Pace], options: dict[str, float]
) -> None:
    right = sum(replay(seed, pace(), **options) for seed in range(CASES)) / CASES  # type: ignore[arg-type]
    assert 0.7 <= right <= 0.9


def steady(days: int, *, done: int = 10, total: int = 1000, added: int = 0) -> list[Point]:
    return [point(day, done * day, total + added * day) for day in range(days)]


def test_a_steady_pace_has_a_date_without_a_doubt() -> None:
    found = forecast(steady(29))
    assert (found.verdict, found.remaining, found.weeks) == ("forecast", 720, 4)
    assert found.date == found.earliest == found.latest == FIRST + datetime.timedelta(days=100)
    assert found.sentence.startswith("In the last 4 weeks, 70 tasks were done and 0 were added per week; 720 remain.")
    assert "about 15 April 2026" in found.sentence
    assert found.sentence.endswith("The weeks are alike.")


def test_a_finished_project_is_done_since_the_first_count_without_a_rest() -> None:
    found = forecast([*steady(29, total=250), point(40, 250, 250)])
    assert (found.verdict, found.date) == ("done", FIRST + datetime.timedelta(days=25))


@pytest.mark.parametrize(
    ("counted", "verdict", "words"),
    [
        ([], "unknown", "no count of all tasks"),
        ([point(0, 0, 0)], "unknown", "no tasks yet"),
        (steady(14), "too_short", "it covers 13 days"),
        (steady(29, done=0), "no_progress", "since the history began"),
        ([*steady(29), *(point(day, 280, 1000) for day in range(29, 44))], "no_progress", "since 2 February 2026"),
        (steady(29, added=10), "growing", "grows about as fast"),
        (steady(29, added=30), "growing", "210 were added per week"),
    ],
)
def test_it_says_why_there_is_no_date(counted: list[Point], verdict: str, words: str) -> None:
    found = forecast(counted)
    assert (found.verdict, found.date if verdict != "done" else None) == (verdict, None)
    assert words in found.sentence


def test_days_between_counts_are_named() -> None:
    found = forecast([point(day, 10 * day, 1000) for day in range(0, 60, 5)])
    assert "days were not counted one after the other" in found.sentence


def test_equal_counts_have_an_equal_forecast() -> None:
    counted = [point(day, day * day % 97 + 9 * day, 900) for day in range(50)]
    assert forecast(counted) == forecast(list(counted))


COUNTS = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 10**6), st.integers(0, 10**6)), max_size=40)


@given(COUNTS)
def test_whatever_was_counted_has_a_verdict_and_an_order_of_dates(counts: list[tuple[int, int, int]]) -> None:
    day, counted = 0, []
    for gap, done, rest in counts:
        day += gap
        counted.append(point(day, done, done + rest))
    found: Forecast = forecast(counted, draws=40)
    assert found.sentence
    dates = [date for date in (found.earliest, found.date, found.latest) if date]
    assert dates == sorted(dates)
    assert 0 <= found.never <= 1


def test_dates_are_written_in_one_way() -> None:
    assert said(datetime.date(2026, 12, 3)) == "3 December 2026"
