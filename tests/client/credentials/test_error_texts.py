"""What an error, its causes and our log lines say: no proof of who we are, whatever the server quotes."""

from __future__ import annotations

import pytest

from airflow_provider_encord.client.errors import (
    EncordError,
    InvalidRequestError,
    UnavailableError,
)
from tests.client.scripted_server import answer, cut, echo, hang
from tests.client.sending import GET, POST, READ_V1, SECRET, api_key, everything_said


@pytest.mark.parametrize("call", [GET, POST, READ_V1], ids=["get", "post", "v1"])
def test_a_server_that_quotes_our_signature_does_not_get_it_into_the_error(server, transport, call):
    server.always(echo())
    with transport(server.url) as sender, pytest.raises(InvalidRequestError, match="You sent") as caught:
        sender.send(call)
    headers = server.requests[0].headers
    proof = headers.get("signature") or headers["authorization"]
    assert proof not in everything_said(caught.value)
    assert proof[80:120] not in everything_said(caught.value)


@pytest.mark.parametrize(
    "quote",
    [
        "{}",
        "Authorization: {}",
        "key={}&x=1",
        '{{"Authorization": "{}"}}',
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 413, 500])
def test_a_server_that_quotes_the_api_key_does_not_get_it_into_the_error(server, transport, quote, status):
    text = quote.format(SECRET)
    if status == 200:
        server.always(answer(200, json={"status": 400, "response": ["INVALID_ARGUMENTS_ERROR"], "payload": text}))
    else:
        server.always(answer(status, json={"detail": [{"msg": text}]}))
    with transport(server.url, api_key()) as sender, pytest.raises(EncordError) as caught:
        sender.send(READ_V1)
    assert_nowhere(everything_said(caught.value))
    assert "***" in str(caught.value)


def test_a_code_of_the_envelope_that_is_the_api_key_is_not_shown(server, transport):
    server.always(answer(200, json={"status": 500, "response": [SECRET]}))
    with transport(server.url, api_key()) as sender, pytest.raises(EncordError) as caught:
        sender.send(READ_V1)
    assert_nowhere(everything_said(caught.value))


@pytest.mark.parametrize("failing", [cut(), cut(after=3), hang()], ids=["cut", "broken", "hang"])
def test_an_error_without_an_answer_holds_no_prepared_request(server, transport, failing):
    """An exception of `requests` has the request, with its headers, as an attribute."""
    server.always(failing)
    with transport(server.url, api_key(), read_timeout=0.05) as sender, pytest.raises(UnavailableError) as caught:
        sender.send(READ_V1)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert_nowhere(everything_said(caught.value))


def test_log_lines_of_repeats_do_not_hold_the_key(server, transport, caplog):
    server.always(answer(503, json={"message": f"Authorization: {SECRET}"}))
    with (
        caplog.at_level("DEBUG"),
        transport(server.url, api_key()) as sender,
        pytest.raises(UnavailableError),
    ):
        sender.send(READ_V1)
    assert "Attempt 2" in caplog.text
    assert_nowhere(caplog.text)


def assert_nowhere(text: str) -> None:
    for start in range(len(SECRET) - 12):
        assert SECRET[start : start + 12] not in text
