"""Ids are found at the beginning of an object, wherever they are in it, as if all of it had been decoded."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.api.core.leading_members import decode_leading
from airflow_provider_encord.client.api.labels import LabelRowIds

IDS = msgspec.json.Decoder(LabelRowIds)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=6
)
NAMES = st.one_of(st.sampled_from(["label_hash", "data_hash", "data_units"]), st.text())
SPACES = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:\r\n")])


@given(st.lists(st.tuples(NAMES, VALUES), max_size=8), SPACES, st.booleans())
def test_the_ids_are_those_of_the_whole_object(
    members: list[tuple[str, object]], separators: tuple[str, str], in_ascii: bool
) -> None:
    text = json.dumps(dict(members), separators=separators, ensure_ascii=in_ascii)
    content = text.encode("utf-8", "surrogatepass")
    try:
        whole: LabelRowIds | str = IDS.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        whole = str(error)
    try:
        found: LabelRowIds | str = decode_leading(IDS, content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        found = str(error)
    assert found == whole


@pytest.mark.parametrize(
    "text",
    [
        '{"label_hash": "l", "data_hash": "d", "units": {}}',
        '{"label_hash": "l", "data_hash": "d"}',
        '{"title": "a \\" quote, {", "label_hash": "l", "data_hash": "d", "n": [1]}',
        '{"units": {"data_hash": "of a unit"}, "label_hash": "l", "data_hash": "d"}',
        '{"label_hash": "l", "units": [{"data_hash": "of a unit"}], "data_hash": "d"}',
    ],
)
def test_ids_are_found_at_every_place(text: str) -> None:
    assert decode_leading(IDS, text.encode()) == LabelRowIds(label_hash="l", data_hash="d")


def test_the_first_of_several_nested_values_ends_what_is_decoded() -> None:
    """The rest is not looked at: it was found to be JSON when the response was taken apart."""
    assert decode_leading(IDS, b'{"label_hash": "l", "data_hash": "d", "units": not JSON').label_hash == "l"


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"label_hash": 1, "data_hash": "d", "n": []}'])
def test_what_has_no_ids_is_an_error(text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_leading(IDS, text.encode())
