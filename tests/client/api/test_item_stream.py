"""A long list is taken out of an answer while it arrives, wherever it is cut, and gives what a whole answer gives.

Fault 7.6: a listing took 2.3 KB per row at its peak.
"""

from __future__ import annotations

import itertools
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_encord.client import item_stream
from airflow_provider_encord.client.api.label_row_stamps import list_label_row_stamps
from airflow_provider_encord.client.api.labels import list_label_rows
from airflow_provider_encord.client.errors import EncordError, InvalidRequestError, UnexpectedResponseError
from airflow_provider_encord.client.item_stream import ItemStream
from tests.client.misbehaving import packed, stream
from tests.client.scripted_server import answer, v1

PROJECT = "aaaaaaaa-0000-4000-8000-000000000001"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(alphabet='ab"\\{}[],: é\n', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='a"}],', max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.fixture(autouse=True)
def _small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small answer is cut as a large one is."""
    monkeypatch.setattr(item_stream, "_WINDOW", 40)


def _fed(text: bytes, cuts: list[int], decode: object = msgspec.json.decode) -> ItemStream[object]:
    taken: ItemStream[object] = ItemStream(decode)  # type: ignore[arg-type]
    taken._window = 40
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(places):
        taken.add(text[start:end])
    return taken


@settings(max_examples=400)
@given(
    rows=st.lists(st.dictionaries(st.text(max_size=3), JSON, max_size=4), max_size=12),
    cuts=st.lists(st.integers(0, 5000), max_size=30),
    compact=st.booleans(),
    after=st.sampled_from([{}, {"payload": None}, {"payload": [{"a": 1}, {"b": [2]}] * 20}]),
    status_first=st.booleans(),
)
def test_items_and_rest_are_the_answer(rows, cuts, compact, after, status_first):
    envelope = (
        {"status": 200, "response": rows, **after} if status_first else {"response": rows, "status": 200, **after}
    )
    text = json.dumps(envelope, separators=(",", ":") if compact else None, indent=None if compact else 1).encode()
    taken = _fed(text, cuts)
    rest = json.loads(taken.end())
    assert taken.error is None
    assert [*taken.items, *rest.pop("response")] == rows
    assert rest == {"status": 200, **after}


@given(text=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=5))
def test_an_answer_of_another_shape_is_left_as_it_is(text, cuts):
    taken = _fed(b"#" + text, cuts)
    assert taken.end() == b"#" + text
    assert taken.items == []


@given(
    rows=st.lists(st.fixed_dictionaries({"a": st.integers(0, 9)}), min_size=1, max_size=20),
    cuts=st.lists(st.integers(0, 900), max_size=9),
    cut=st.integers(1, 900),
)
def test_an_answer_that_is_cut_off_is_never_taken_for_a_whole_one(rows, cuts, cut):
    text = json.dumps({"status": 200, "response": rows}).encode()
    taken = _fed(text[: -(cut % (len(text) - 1) + 1)], cuts)
    with pytest.raises(ValueError, match=r"."):
        json.loads(taken.end())


def _row(number: int, **more: object) -> dict[str, object]:
    return {
        "label_hash": f"row-{number}",
        "data_hash": f"data-{number}",
        "dataset_hash": "dataset",
        "data_title": 'a "},{" title',
        "data_type": "image",
        "workflow_graph_node": {"uuid": "u", "title": "},"},
        "images_data": [{"image_hash": "i"}, {"image_hash": "k"}],
        "last_edited_at": "2026-01-01",
        **more,
    }


@pytest.mark.parametrize("call", [list_label_rows(PROJECT), list_label_row_stamps(PROJECT)], ids=["rows", "stamps"])
@pytest.mark.parametrize("gzipped", [False, True])
def test_a_listing_that_arrives_in_pieces_is_the_one_that_comes_whole(server, transport, call, gzipped):
    body = json.dumps({"status": 200, "response": [_row(number) for number in range(2000)]}).encode()
    pieces = [body[start : start + 1000] for start in range(0, len(body), 1000)]
    head = b"HTTP/1.1 200 OK\r\n" + (b"Content-Encoding: gzip\r\n" if gzipped else b"") + b"\r\n"
    server.will(stream(lambda: iter([head, *(packed(pieces) if gzipped else pieces)])))
    with transport(server.url) as sender:
        listed = sender.send(call)
    whole = call.read(msgspec.json.encode([_row(number) for number in range(2000)]))
    assert listed == whole


def test_a_row_that_lacks_a_field_is_named_by_its_place_among_all(server, transport):
    server.always(v1([_row(1)] * 500 + [{"data_hash": "x"}] + [_row(2)] * 10))
    with transport(server.url) as sender, pytest.raises(UnexpectedResponseError, match=r"\$\[500\]"):
        sender.send(list_label_rows(PROJECT))


@pytest.mark.parametrize("bad", ["NaN", r'"\ud83d"', "[" * 5000 + "]" * 5000])
def test_a_listing_that_is_no_json_is_not_asked_for_again(server, transport, bad):
    rows = ", ".join(json.dumps(_row(number)) for number in range(99))
    server.always(answer(text=f'{{"status": 200, "response": [{rows}, {{"data_hash": "x", "x": {bad}}}, {rows}]}}'))
    with (
        transport(server.url) as sender,
        pytest.raises(UnexpectedResponseError, match="values that JSON does not allow"),
    ):
        sender.send(list_label_rows(PROJECT))
    assert len(server.requests) == 1


def test_an_error_of_a_listing_is_the_error_that_it_is(server, transport):
    server.will(answer(json={"status": 400, "response": ["INVALID_ARGUMENTS_ERROR"]}), answer(502, text="<html>"))
    with transport(server.url, attempts=1) as sender:
        with pytest.raises(InvalidRequestError):
            sender.send(list_label_rows(PROJECT))
        with pytest.raises(EncordError, match="502"):
            sender.send(list_label_rows(PROJECT))
