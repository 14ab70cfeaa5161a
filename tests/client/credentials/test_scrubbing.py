"""No run of a secret survives in a text of the server, however it is quoted; other words do."""

from __future__ import annotations

import base64
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.transport.scrubbing import scrub

KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=60)
WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)

QUOTES = [
    str,
    json.dumps,
    repr,
    urllib.parse.quote,
    urllib.parse.quote_plus,
    lambda key: urllib.parse.quote(key, safe=""),
    lambda key: base64.b64encode(key.encode()).decode(),
    lambda key: key.encode().hex(),
    lambda key: key[:-3],
    lambda key: key[3:],
]


@pytest.mark.parametrize("quote", QUOTES)
@given(before=WORDS, key=KEYS, after=WORDS)
def test_a_quoted_key_does_not_survive(quote, before, key, after):
    text = scrub(f"{before} {quote(key)} {after}", [key])
    for start in range(len(key) - 11):
        assert key[start : start + 12] not in text
    if len(quote(key)) > 20:
        assert quote(key) not in text


@given(WORDS)
def test_a_text_without_a_secret_stays_as_it_is(text):
    if "http" not in text:
        assert scrub(text, ["0123456789abcdef" * 2]) == text
        assert scrub(text, []) == text


def test_what_stands_around_a_secret_stays():
    assert scrub("key test-only-api-key-0123456789 is wrong", ["test-only-api-key-0123456789"]) == "key *** is wrong"


def test_a_cut_off_secret_is_found():
    assert scrub("key test-only-api-k", ["test-only-api-key-0123456789"]) == "key ***"


@pytest.mark.parametrize(
    "url", ["https://store.example.com/a/b?X-Sig=1&y=2", "http:\\/\\/store.example.com\\/a?X-Sig=1"]
)
def test_the_query_of_a_url_is_hidden_and_its_path_shown(url):
    text = scrub(f'PUT to "{url}" failed', [])
    assert "X-Sig" not in text
    assert "store.example.com" in text
    assert text.endswith('" failed')


def test_a_long_text_is_scrubbed_in_no_time():
    key = "k3y" * 20
    assert "k3yk3yk3yk3y" not in scrub(("x" * 500 + key) * 100, [key])
