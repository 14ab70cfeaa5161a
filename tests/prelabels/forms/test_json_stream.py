"""A large document is read item by item, however its bytes are cut, and with the same values as by Python's decoder."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.prelabels.streams.json_stream import members

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.text(max_size=5), VALUES, max_size=4) | st.lists(VALUES, max_size=5)


def cut(content: bytes, size: int) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


def joined(content: bytes, size: int) -> Any:
    """The document put together again. An empty list has no items, so it is not seen."""
    found: dict[str, Any] = {}
    for member in members(cut(content, size), "x"):
        if member.number is None:
            found[member.key] = member.value
        else:
            assert len(found.setdefault(member.key, [])) == member.number
            found[member.key].append(member.value)
    return found


@given(DOCUMENTS, st.integers(1, 40), st.sampled_from([None, 2]), st.booleans())
def test_any_document_is_read_as_the_decoder_of_python_reads_it(
    document: Any, size: int, indent: int | None, ascii_only: bool
) -> None:
    content = json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode()
    expected = {"": document} if isinstance(document, list) else document
    assert joined(content, size) == {key: value for key, value in expected.items() if value != []}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "neither a JSON object nor a list"),
        (b"3", "neither a JSON object nor a list"),
        (b'{"a": [1, 2', "x: it is (cut off|not JSON)"),
        (b'{"a": [1 2]}', "'2' where ',' is expected"),
        (b'{"a": 1} x', "it has more after its end"),
        (b'{"a": 1, "a": 2}', "the key 'a' is given twice"),
        (b'{"a": [{"b": 1, "b": 2}]}', "the key 'b' is given twice in one object"),
        (b'{"a": [NaN]}', "NaN is not a number"),
        (b'{"a": ["\xff"]}', "it is not UTF-8"),
        (b"[" + b'{"a":' * 100_000, "nested too deeply|not JSON"),
        (b"{3: 4}", "a key is not text"),
        (b'{"a": 1,}', "not JSON|a key is not text"),
        (b"[1,]", "not JSON"),
        (b"[1" + b"0" * 9000 + b"]", "a number that is too long"),
        (b'["\\ud800"]', "half of a surrogate pair"),
    ],
)
def test_what_is_not_json_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        list(members(cut(content, 7), "x"))


def test_items_are_passed_on_before_the_rest_is_read() -> None:
    read: list[int] = []

    def blocks() -> Iterator[bytes]:
        yield b'{"images": ['
        for number in itertools.count():
            read.append(number)
            yield b'{"id": %d},' % number

    first = [member.value["id"] for member in itertools.islice(members(blocks(), "x"), 100)]
    assert first == list(range(100))
    assert len(read) < 110


def test_a_mark_of_byte_order_is_skipped() -> None:
    assert joined(b"\xef\xbb\xbf[1]", 2) == {"": [1]}
