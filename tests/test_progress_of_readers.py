"""How much is left of reading whose total Encord does not say: analytics by their times, media by what was pulled."""

from __future__ import annotations

import datetime
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.analytics.progress import RecordProgress
from airflow_provider_encord.media.pull import Pulled, PullProgress
from airflow_provider_encord.reports import CREATED, UNCHANGED
from tests.test_progress import Clock

START = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
DAY, HOUR = datetime.timedelta(days=1), datetime.timedelta(hours=1)


def _seen(progress: RecordProgress, times: list[datetime.datetime], clock: Clock | None = None) -> None:
    for at in times:
        for _ in range(100):
            progress.saw(at.isoformat())
        if clock is not None:
            clock.now += 1


@pytest.mark.parametrize("newest_first", [False, True])
def test_records_in_either_order_say_how_much_of_a_day_is_left(newest_first: bool) -> None:
    clock = Clock()
    progress = RecordProgress("task_actions", (START, START + DAY), START + 2 * DAY, clock=clock)
    times = [START + hour * HOUR for hour in range(24)]
    _seen(progress, (times[::-1] if newest_first else times)[:13], clock)
    assert progress.covered == pytest.approx(0.5, abs=0.05)
    assert progress.line().startswith("1300 records of task_actions, in 13 s (100/s), about 1")


def test_records_in_no_order_promise_nothing_before_the_next_window() -> None:
    interval = START, START + 90 * DAY
    progress = RecordProgress("editor_logs", interval, START + 100 * DAY)
    mixed = [START + day * DAY for day in range(30)]
    random.Random(1).shuffle(mixed)
    _seen(progress, mixed)
    assert progress.seconds_left() is None
    _seen(progress, [START + 31 * DAY])
    assert progress.covered == pytest.approx(1 / 3)


def test_what_is_in_the_future_is_not_waited_for() -> None:
    progress = RecordProgress("task_actions", (START, START + 30 * DAY), START + 2 * DAY)
    _seen(progress, [START, START + DAY])
    assert progress.covered == pytest.approx(0.5)


@given(
    st.lists(st.datetimes(timezones=st.just(datetime.UTC)), max_size=20),
    st.none() | st.tuples(st.datetimes(timezones=st.just(datetime.UTC)), st.datetimes(timezones=st.just(datetime.UTC))),
    st.datetimes(timezones=st.just(datetime.UTC)),
)
def test_no_times_break_a_line(
    times: list[datetime.datetime],
    interval: tuple[datetime.datetime, datetime.datetime] | None,
    now: datetime.datetime,
) -> None:
    progress = RecordProgress("time_spent", interval, now)
    _seen(progress, times)
    progress.saw("not a time")
    assert 0 <= progress.covered <= 1
    assert progress.line().startswith(f"{100 * len(times) + 1} records of time_spent")


def _pulled(pulled: Pulled, outcome: str, files: int) -> None:
    pulled.files += files
    pulled.counts[outcome] += files
    pulled.bytes += files * 1_000_000 if outcome == CREATED else 0


def test_a_pull_that_goes_on_estimates_by_what_it_fetches_now() -> None:
    clock, pulled = Clock(), Pulled()
    progress = PullProgress(pulled, clock=clock)
    clock.now += 1
    _pulled(pulled, UNCHANGED, 200)
    progress.took(200, 1000)
    assert progress.seconds_left() is None
    clock.now += 10
    _pulled(pulled, CREATED, 200)
    progress.took(200, 1000)
    assert progress.line() == (
        "400 of 1000 items, 400 files, 200.0 MB fetched, in 10 s (20/s after the first 200), about 30 s left."
    )


def test_of_a_part_the_number_of_items_is_known_only_about() -> None:
    clock, pulled = Clock(), Pulled()
    progress = PullProgress(pulled, 0.25, clock=clock)
    clock.now += 10
    _pulled(pulled, CREATED, 150)
    progress.took(100, 1000)
    assert progress.line() == "100 items, 150 files, 150.0 MB fetched, in 10 s (10/s), about 15 s left."


def test_a_listing_without_a_total_promises_no_time() -> None:
    clock, pulled = Clock(), Pulled()
    progress = PullProgress(pulled, clock=clock)
    clock.now += 10
    _pulled(pulled, CREATED, 100)
    progress.took(100, None)
    assert progress.line() == "100 items, 100 files, 100.0 MB fetched, in 10 s (10/s)."
