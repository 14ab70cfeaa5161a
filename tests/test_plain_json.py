"""What users write in Python becomes JSON that is equal to itself after a journey to Encord."""

from __future__ import annotations

import datetime
import decimal
import enum
import json
import pathlib
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.plain_json import plain_json, same_json


class Colour(enum.Enum):
    RED = "red"


class Array:
    """Looks like an array of NumPy."""

    def tolist(self) -> list[float]:
        return [1.5, 2.0]


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), "2026-01-02T03:04:05+00:00"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (decimal.Decimal("2.50"), 2.5),
        (decimal.Decimal("3"), 3),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ((1, (2,)), [1, [2]]),
        ({1: "a", 2.5: "b"}, {"1": "a", "2.5": "b"}),
        ({"b", "a"}, ["a", "b"]),
        (pathlib.PurePosixPath("/a/b"), "/a/b"),
        (Colour.RED, "red"),
        (Array(), [1.5, 2.0]),
    ],
)
def test_values_with_an_obvious_form_get_it(value: Any, plain: Any) -> None:
    """Fault 14.1."""
    assert plain_json({"x": value}, "metadata") == {"x": plain}


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        decimal.Decimal("NaN"),
        decimal.Decimal("sNaN"),
        decimal.Decimal("-Infinity"),
        decimal.Decimal("1E+400"),
        decimal.Decimal("1E+1000000"),
        10**400,
        -(10**5000),
        {None: 1},
        {True: 1},
        "\ud83d",
        {"\ud83d": 1},
        deep(5000),
        object(),
        {10**5000: 1},
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_without_a_form_are_refused_with_their_place(value: Any) -> None:
    """Faults 4.4 and 14.1."""
    with pytest.raises(InvalidArgumentError, match=r"^metadata of 'a\.png'"):
        plain_json({"x": [value]}, "metadata of 'a.png'")


@pytest.mark.parametrize(
    "value", [{1: "a", "1": "b"}, {1: "a", 1.5: "b", "1.5": "c"}, {Colour.RED: 1, "red": 2}], ids=str
)
def test_two_keys_that_are_one_in_json_are_refused(value: Any) -> None:
    """The value of one of them was lost."""
    with pytest.raises(InvalidArgumentError, match=r"^metadata of 'a\.png'\['x'\]: two keys become '"):
        plain_json({"x": value}, "metadata of 'a.png'")


def test_the_key_of_an_enumeration_is_its_value() -> None:
    assert plain_json({Colour.RED: 1}, "x") == {"red": 1}


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(codec="utf-8")),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
        ),
    )
)
def test_plain_values_stay_as_they_are_and_equal_themselves_after_a_journey(value: Any) -> None:
    plain = plain_json(value, "x")
    assert same_json(plain, value)
    assert same_json(json.loads(json.dumps(plain)), plain)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (1, True, False),
        (0, False, False),
        ([1], [True], False),
        ({"a": 0}, {"a": False}, False),
        (1, 1.0, True),
        (None, False, False),
        ([], {}, False),
        ({"a": 1}, {"a": 1, "b": None}, False),
        (True, True, True),
    ],
)
def test_a_number_is_no_truth_value(first: Any, second: Any, same: bool) -> None:
    """Fault 14.1."""
    assert same_json(first, second) is same
    assert same_json(second, first) is same
