"""Answers that are too large, or no HTTP: refused before they take memory, in the right words, and never a raw error.

Faults 7.2 (a gzip answer of 1000:1 is taken whole), 7.5 (103 and two ``Content-Length`` become permanent errors with
wrong words) and 4.4 (a non-Latin header).
"""

from __future__ import annotations

import contextlib
import gzip
import io
import itertools
import json
import resource
import zlib

import hypothesis
import hypothesis.strategies as st
import pytest

from airflow_provider_encord.client.api.labels import get_label_rows
from airflow_provider_encord.client.call import MOST_BYTES, Transfer
from airflow_provider_encord.client.errors import (
    EncordError,
    OutcomeUnknownError,
    PayloadTooLargeError,
    UnavailableError,
)
from airflow_provider_encord.client.transport.content import Content, NotUnpackedError, TooMuchError
from airflow_provider_encord.client.transport.settings import Settings
from tests.client.misbehaving import bomb, raw
from tests.client.scripted_server import ScriptedServer, answer
from tests.client.sending import GET, KINDS, POST, sender
from tests.wire.vectors import ssh_key

OK = b"HTTP/1.1 200 OK\r\n"
JSON = b'{"title": "t"}'
LENGTH = b"Content-Length: 14\r\n"


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_an_answer_of_1000_to_1_is_refused_and_its_memory_is_never_taken(server, transport):
    server.always(bomb(1300 << 20))
    with transport(server.url, attempts=1) as sending:
        before = _peak()
        with pytest.raises(PayloadTooLargeError, match=f"larger than {MOST_BYTES >> 20} MiB") as raised:
            sending.send(GET)
        assert _peak() - before < MOST_BYTES + (40 << 20)
    assert not raised.value.retryable


def test_an_answer_to_a_change_that_is_too_large_leaves_it_in_doubt(server, transport):
    server.always(bomb(200 << 20))
    with transport(server.url, attempts=1) as sending, pytest.raises(OutcomeUnknownError, match="128 MiB"):
        sending.send(POST)


def test_label_rows_have_a_larger_limit_which_is_halved_like_any_other_that_is_too_large():
    assert get_label_rows("p", ["a"]).most_bytes > MOST_BYTES


@pytest.mark.parametrize("status", [200, 403, 503])
def test_a_large_answer_of_an_object_store_is_not_read(server, transport, status):
    server.always(bomb(1300 << 20, status=status))
    file = Transfer(url=server.url, open=lambda: io.BytesIO(b"abc"), size=3, headers={}, title="a.bin")
    with transport(server.url, attempts=1) as sending:
        before = _peak()
        if status == 200:
            sending.transfer(file)
        else:
            with pytest.raises(EncordError, match=f"HTTP {status}"):
                sending.transfer(file)
        assert _peak() - before < 40 << 20


@hypothesis.given(
    body=st.binary(max_size=4000),
    cuts=st.lists(st.integers(0, 4000), max_size=5),
    how=st.sampled_from(["", "identity", "gzip", "x-gzip", "GZIP ", "deflate", "raw deflate", "members", "junk after"]),
)
def test_what_is_packed_is_unpacked_wherever_it_is_cut(body, cuts, how):
    packed, encoding = {
        "gzip": (gzip.compress(body), "gzip"),
        "x-gzip": (gzip.compress(body), "x-gzip"),
        "GZIP ": (gzip.compress(body), "GZIP "),
        "deflate": (zlib.compress(body), "deflate"),
        "raw deflate": (zlib.compress(body)[2:-4], "deflate"),
        "members": (gzip.compress(body[:100]) + gzip.compress(body[100:]), "gzip"),
        "junk after": (gzip.compress(body) + b"junk" * 4, "gzip"),
    }.get(how, (body, how))
    content = Content(encoding, 1 << 20)
    places = sorted({0, len(packed), *(min(cut, len(packed)) for cut in cuts)})
    for start, end in itertools.pairwise(places):
        content.add(packed[start:end])
    assert content.end() == body


@hypothesis.given(body=st.binary(min_size=1, max_size=2000), most=st.integers(0, 2000))
def test_no_more_than_the_limit_is_taken(body, most):
    content = Content("", most)
    if len(body) <= most:
        content.add(body)
        assert content.end() == body
    else:
        with pytest.raises(TooMuchError):
            content.add(body)


@hypothesis.given(body=st.binary(min_size=1, max_size=2000), cut=st.integers(1, 20))
def test_a_packed_body_that_ends_in_the_middle_is_not_taken(body, cut):
    packed = gzip.compress(body)
    content = Content("gzip", 1 << 20)
    content.add(packed[:-cut])
    with pytest.raises(NotUnpackedError):
        content.end()


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "nonsense"])
def test_a_packing_that_was_not_asked_for_is_not_taken(server, transport, encoding):
    server.always(answer(text=b"abc", headers={"Content-Encoding": encoding}))
    with transport(server.url, attempts=1) as sending, pytest.raises(UnavailableError, match="decompressed"):
        sending.send(GET)


@pytest.mark.parametrize("interim", [b"100 Continue", b"102 Processing", b"103 Early Hints", b"199 What"])
def test_an_interim_answer_is_skipped(server, transport, interim):
    hints = b"HTTP/1.1 " + interim + b"\r\nLink: </style.css>; rel=preload\r\n\r\n"
    server.always(raw(hints, hints, OK + LENGTH + b"\r\n" + JSON, keep_alive=True))
    with transport(server.url, attempts=1) as sending:
        assert sending.send(GET) == {"title": "t"}
        assert sending.send(GET) == {"title": "t"}
    assert server.accepted == 1


_NO_HTTP = {
    "two lengths": OK + b"Content-Length: 14\r\nContent-Length: 15\r\n\r\n" + JSON,
    "two lengths in one": OK + b"Content-Length: 14, 15\r\n\r\n" + JSON,
    "a chunk without a length": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + JSON,
    "a bad status line": b"HELLO\r\n\r\n",
    "a status that is not a number": b"HTTP/1.1 abc OK\r\n\r\n",
    "a status of five digits": b"HTTP/1.1 20000 OK\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "a very long status line": b"HTTP/1.1 200 " + b"a" * 200_000 + b"\r\n\r\n",
    "a very long header": OK + b"X: " + b"a" * 200_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("sent", _NO_HTTP.values(), ids=_NO_HTTP)
def test_what_is_no_http_may_pass_and_is_called_so(server, transport, sent):
    server.always(raw(sent))
    with transport(server.url) as sending:
        with pytest.raises(UnavailableError, match="not valid HTTP"):
            sending.send(GET)
        with pytest.raises(OutcomeUnknownError, match="not valid HTTP"):
            sending.send(POST)


_HEADERS = [
    b"X-Name: \xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82\r\n",
    b"X-Name: \xff\xfe\xfd\r\n",
    b"Retry-After: \xd0\x9f\r\nDate: \xd0\x9f\r\n",
    b"Date: Fri, 99 Foo 99999 99:99:99 GMT\r\n",
    b"Retry-After: " + b"9" * 400 + b"\r\n",
    b"Retry-After: Fri, 31 Dec 9999 23:59:59 -2359\r\n",
    b"Content-Type: \xff\r\n",
    b"Set-Cookie: \x01\r\n",
]


@pytest.mark.parametrize("status", [200, 400, 429, 503])
@pytest.mark.parametrize("header", _HEADERS)
def test_a_header_that_is_odd_is_no_raw_error(server, transport, header, status):
    server.always(raw(f"HTTP/1.1 {status} \xff\r\n".encode("latin-1") + LENGTH + header + b"\r\n" + JSON))
    with transport(server.url) as sending, contextlib.suppress(EncordError):
        assert sending.send(GET) == {"title": "t"}


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_bytes_come_are_an_answer_or_an_error_of_ours(kind):
    parts = st.sampled_from(
        [
            *(OK, LENGTH, b"\r\n", JSON, b"Transfer-Encoding: chunked\r\n", b"e\r\n" + JSON + b"\r\n0\r\n\r\n"),
            *(b"HTTP/1.1 103 X\r\n\r\n", b"HTTP/1.1 101 X\r\n\r\n", b"HTTP/1.1 204 X\r\n", b"HTTP/1.1 304 X\r\n"),
            *(b"Content-Encoding: gzip\r\n", b"Content-Encoding: deflate\r\n", b"Content-Length: -1\r\n"),
            *(
                b"Content-Length: 99999999999999999999\r\n",
                b": nothing\r\n",
                b"no colon\r\n",
                b" folded\r\n",
                b"\0\r\n",
            ),
            *(b"Location: http://[\r\n", b"Content-Type: text/html\r\n", b"<html>", b"\xff\xfe", b"HTTP/1.0 500 X\r\n"),
        ]
    )
    with ScriptedServer() as server, sender(kind, ssh_key(), Settings(base_url=server.url), attempts=1) as sending:

        @hypothesis.settings(max_examples=150, deadline=None)
        @hypothesis.given(st.lists(parts | st.binary(max_size=20), max_size=8))
        def check(pieces: list[bytes]) -> None:
            server.will(raw(b"".join(pieces)))
            for call in (GET, POST):
                try:
                    sending.send(call)
                except EncordError as error:
                    json.dumps(str(error))
                server.always(raw(b"".join(pieces)))

        check()
