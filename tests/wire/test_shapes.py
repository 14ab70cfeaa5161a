"""The comparison of answers says what is wrong, and only what is wrong."""

from typing import Any

import pytest

from tests.wire.shapes import differences

UUID, OTHER_UUID = "aaaaaaaa-0000-4000-8000-000000000001", "5b1f8c41-5f18-446c-8953-21ba09f3a968"


@pytest.mark.parametrize(
    ("recorded", "answered", "wrong"),
    [
        ({"a": 1}, {}, "$.a: missing"),
        ({"a": 1}, {"a": "1"}, "$.a: a text"),
        ({"a": True}, {"a": 1}, "$.a: a number"),
        ({"a": "x"}, {"a": None}, "$.a: null"),
        ({"a": []}, {"a": {}}, "$.a: an object"),
        ({"a": UUID}, {"a": "cat"}, "$.a: a text"),
        ({"at": "2026-01-02 03:04:05"}, {"at": "2026-01-02T03:04:05Z"}, "$.at: another time"),
        ({"at": "2026-01-02T03:04:05Z"}, {"at": "yesterday"}, "$.at: a text"),
        ([{"a": 1}], [], "$: an empty list"),
        ([{"a": 1}], [{"b": 1}], "$[0].a: missing"),
        ({"spaces": {"k": {"a": 1}}}, {"spaces": {"j": {}}}, "$.spaces.*.a: missing"),
    ],
)
def test_what_an_sdk_could_not_read_is_named_with_its_place(recorded: Any, answered: Any, wrong: str) -> None:
    (found,) = differences(recorded, answered)
    assert found.startswith(wrong)


@pytest.mark.parametrize(
    ("recorded", "answered"),
    [
        ({"a": None}, {"a": 5}),
        ({"a": 1}, {"a": 2, "more": 3}),
        ({"a": 1}, {"a": 1.5}),
        ({"a": UUID}, {"a": OTHER_UUID}),
        ({"at": "2026-01-02T03:04:05Z"}, {"at": "Fri, 02 Jan 2026 03:04:05 GMT"}),
        ({"at": "2026-01-02T03:04:05Z"}, {"at": "2026-01-02 03:04:05"}),
        ({"scopes": '["a"]'}, {"scopes": ["b"]}),
        ({"editor": {"objects": [1]}}, {"editor": {}}),
        ({"priority": 0.5}, {"priority": None}),
        ({"spaces": {"k": {"a": 1}}}, {"spaces": {}}),
        ([], [1]),
    ],
)
def test_what_an_sdk_takes_passes(recorded: Any, answered: Any) -> None:
    assert [*differences(recorded, answered)] == []


def test_a_key_too_many_is_wrong_where_the_sdk_takes_exactly_its_keys() -> None:
    (found,) = differences([{"a": {"b": 1}}], [{"a": {"b": 1, "c": 2}}], exact=True)
    assert found.startswith("$[0].a.c")
