"""JSON with a repeated key is refused by the name of the key."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.client.strict_json import RepeatedKeyError, loads

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ('{"objects": [1], "objects": []}', "objects"),
        ('[{"a": {"b": 1, "c": 2, "b": 1}}]', "b"),
        ('{"a": 1, "\\u0061": 2}', "a"),
        ('{"": 1, "": 1}', ""),
        ('{"time": "10:00:00", "url": "https://a", "a" : 1, "a"\n: 2}', "a"),
        ('{"q\\": {": ":", "a": 1, "a": 2}', "a"),
        ('{"a": ' + "9" * 200 + ', "n": 1, "n": 1}', "n"),
    ],
)
@pytest.mark.parametrize("encoded", [True, False])
def test_a_repeated_key_is_refused_by_its_name(content: str, key: str, encoded: bool) -> None:
    with pytest.raises(RepeatedKeyError) as raised:
        loads(content.encode() if encoded else content)
    assert raised.value.key == key
    assert f"the key {key!r} is given twice" in str(raised.value)


@pytest.mark.parametrize(
    "content",
    ['{"a": 1, "b": {"a": 1}}', '[{"a": 1}, {"a": 1}]', '{"a": "\\"a\\": 1, \\"a\\": 2", "b:": "::"}', '"a:b"', "1"],
)
def test_equal_keys_of_several_objects_are_not_repeated(content: str) -> None:
    assert loads(content) == json.loads(content)


@given(_VALUES)
def test_what_has_no_repeated_key_is_decoded_as_it_is(value: object) -> None:
    content = json.dumps(value)
    assert loads(content) == msgspec.json.decode(content)
    assert loads(content.encode()) == msgspec.json.decode(content)


@pytest.mark.parametrize("content", [b"{", b'"\xff"', b"[" * 100_000, b"NaN", b""])
def test_what_is_not_json_raises_what_callers_expect_of_the_decoder(content: bytes) -> None:
    with pytest.raises(NOT_JSON):
        loads(content)


def test_callers_that_expect_errors_of_the_decoder_expect_a_repeated_key() -> None:
    with pytest.raises(NOT_JSON):
        loads(b'{"a": 1, "a": 1}')
