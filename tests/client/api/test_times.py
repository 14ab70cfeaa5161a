"""Times come in five forms and go out in one."""

from __future__ import annotations

import contextlib
import datetime
import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.times import parse_time, write_time

UTC = datetime.UTC
OFFSETS = st.timedeltas(datetime.timedelta(hours=-23), datetime.timedelta(hours=23)).map(
    lambda delta: datetime.timezone(datetime.timedelta(minutes=delta // datetime.timedelta(minutes=1)))
)
MOMENTS = st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2200, 1, 1), timezones=OFFSETS)  # noqa: DTZ001 - hypothesis wants naive bounds


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05+00:00",
        "2026-01-02T04:04:05+01:00",
        "2026-01-02T03:04:05",
        "2026-01-02 03:04:05",
        "2026-01-02T03:04:05.000000",
        "Fri, 02 Jan 2026 03:04:05 UTC",
        "Fri, 02 Jan 2026 03:04:05 GMT",
        "Fri, 02 Jan 2026 03:04:05 ",
        "Fri, 02 Jan 2026 03:04:05",
        "Fri, 02 Jan 2026 05:04:05 +0200",
        " 2026-01-02 03:04:05\n",
    ],
)
def test_every_form_is_the_same_moment(text):
    moment = parse_time(text)
    assert moment == datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert moment.tzinfo is not None


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]?\w{0,5}"))
def test_any_text_is_a_time_or_a_value_error(text):
    with contextlib.suppress(ValueError):
        assert parse_time(text).tzinfo is not None


@given(MOMENTS)
def test_what_we_write_we_read_back(moment):
    written = write_time(moment)
    assert written is not None
    assert parse_time(written) == moment
    assert write_time(written) == written


@given(MOMENTS)
def test_the_long_form_is_read_to_the_second(moment):
    moment = moment.replace(microsecond=0)
    assert parse_time(email.utils.format_datetime(moment)) == moment


@pytest.mark.parametrize(
    ("given_time", "written"),
    [
        (None, None),
        (datetime.datetime(2026, 1, 1), "2026-01-01T00:00:00+00:00"),  # noqa: DTZ001 - what users pass
        (datetime.datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00+00:00"),
        ("2026-01-01", "2026-01-01T00:00:00+00:00"),
        ("2026-02-02T12:30:00+01:00", "2026-02-02T12:30:00+01:00"),
        ("Fri, 02 Jan 2026 03:04:05 UTC", "2026-01-02T03:04:05+00:00"),
    ],
)
def test_a_filter_is_written_with_an_offset(given_time, written):
    assert write_time(given_time) == written


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "12:00", "{{ ds }}"])
def test_a_text_that_is_no_time_is_an_error(text):
    with pytest.raises(ValueError):
        write_time(text)
