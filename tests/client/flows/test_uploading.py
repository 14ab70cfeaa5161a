"""Files on their way to signed URLs: whole, with their length, and without credentials."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_encord.client.call import Transfer
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError, RefusedError, UnavailableError
from airflow_provider_encord.client.transport.settings import Settings
from tests.client.scripted_server import ScriptedServer, answer, cut, refuse_early
from tests.client.sending import api_key, sender
from tests.wire.vectors import ssh_key

HEADERS = {"Content-Type": "image/jpeg", "Cache-Control": "max-age=86400", "x-ms-blob-type": "BlockBlob"}


@pytest.fixture
def transport(kind: str) -> Callable[..., AbstractContextManager[Any]]:
    """Makes a transport of either kind, which does not wait."""

    def of(credential: Any = None, **options: Any) -> AbstractContextManager[Any]:
        settings = Settings(
            base_url="http://127.0.0.1:9", **options
        )  # the store is on this machine, so the API is, too
        return sender(kind, credential or ssh_key(), settings)

    return of


def transfer(
    server: ScriptedServer, content: bytes, *, size: int | None = None, opened: Callable[[], BinaryIO] | None = None
) -> Transfer:
    return Transfer(
        url=f"{server.url}/bucket/1?X-Sig=SIGNED%2Fpart~%7E",
        open=opened or (lambda: io.BytesIO(content)),
        size=len(content) if size is None else size,
        headers=HEADERS,
        title="cat.jpg",
    )


@pytest.mark.parametrize("credential", [ssh_key, api_key])
def test_no_credential_goes_to_a_signed_url(server, transport, credential):
    server.always(answer(200))
    with transport(credential()) as sender:
        sender.transfer(transfer(server, b"bytes"))
    (sent,) = server.requests
    own = {name.lower(): value for name, value in HEADERS.items()}
    assert sent.headers.keys() - own.keys() - {"connection"} == {
        "host", "content-length", "user-agent", "accept", "accept-encoding",
    }  # fmt: skip
    assert own.items() <= sent.headers.items()


def test_a_signed_url_is_not_logged_even_at_level_debug(server, transport, caplog):
    server.always(answer(200))
    with transport() as sender, caplog.at_level("DEBUG"):
        sender.transfer(transfer(server, b"bytes"))
    assert re.search(r"urllib3.*/bucket/1|httpcore.*PUT", caplog.text)  # the library did write its line
    assert "SIGNED" not in caplog.text


def test_netrc_is_ignored_for_signed_urls_as_well(server, transport, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    server.always(answer(200))
    with transport() as sender:
        sender.transfer(transfer(server, b"bytes"))
    assert "authorization" not in server.requests[0].headers


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=2000) | st.integers(0, 3_000_000).map(bytes))
def test_a_file_arrives_byte_for_byte_with_its_length(server, transport, content):
    server.always(answer(201))
    with transport() as sender:
        sender.transfer(transfer(server, content))
    sent = server.requests[-1]
    assert sent.body == content
    assert sent.headers["content-length"] == str(len(content))
    assert "transfer-encoding" not in sent.headers


def test_the_signed_url_arrives_as_it_was_given_but_for_needless_escapes(server, transport):
    server.always(answer(200))
    with transport() as sender:
        sender.transfer(transfer(server, b"x"))
    assert server.requests[0].target in ("/bucket/1?X-Sig=SIGNED%2Fpart~%7E", "/bucket/1?X-Sig=SIGNED%2Fpart~~")


def test_a_file_that_became_shorter_is_an_error_that_names_it(server, transport):
    server.always(answer(200))
    with transport() as sender, pytest.raises(InvalidArgumentError, match=r"cat\.jpg became shorter.*7 bytes"):
        sender.transfer(transfer(server, b"123", size=10))


def test_a_file_that_became_longer_is_an_error_that_names_it(server, transport):
    server.always(answer(200))
    with transport() as sender, pytest.raises(InvalidArgumentError, match=r"cat\.jpg became longer"):
        sender.transfer(transfer(server, b"1234567890", size=3))
    assert server.requests[0].body == b"123"


def test_an_empty_file_that_became_longer_is_noticed(server, transport):
    server.always(answer(200))
    with transport() as sender, pytest.raises(InvalidArgumentError, match="longer"):
        sender.transfer(transfer(server, b"1", size=0))


@pytest.mark.parametrize("status", [200, 201, 204])
def test_any_success_is_one(server, transport, status):
    server.always(answer(status))
    with transport() as sender:
        sender.transfer(transfer(server, b"x"))
    assert [request.body for request in server.requests] == [b"x"]


@pytest.mark.parametrize("status", [301, 307, 400, 403, 404, 411])
def test_a_refusal_is_not_repeated_here_and_the_url_not_shown(server, transport, status):
    with ScriptedServer() as elsewhere, transport() as sender:
        server.always(answer(status, text="SIGNED", headers={"Location": elsewhere.url}))
        with pytest.raises(RefusedError, match=rf"HTTP {status}.*cat\.jpg") as caught:
            sender.transfer(transfer(server, b"x"))
        assert elsewhere.accepted == 0
    assert "SIGNED" not in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize("act", [answer(408), answer(429), answer(500), answer(503), cut(), cut(reset=True)])
def test_a_failure_is_repeated_with_the_file_opened_again(server, transport, act):
    opened: list[io.BytesIO] = []

    def open_again() -> BinaryIO:
        opened.append(io.BytesIO(b"content"))
        return opened[-1]

    server.will(act, act, answer(200))
    with transport() as sender:
        sender.transfer(transfer(server, b"content", opened=open_again))
    assert [request.body for request in server.requests] == [b"content"] * 3
    assert len(opened) == 3
    assert all(one.closed for one in opened)


def test_a_failure_that_does_not_pass_is_a_transient_error(server, transport):
    server.always(answer(503))
    with transport() as sender, pytest.raises(UnavailableError, match=r"HTTP 503.*cat\.jpg"):
        sender.transfer(transfer(server, b"x"))
    assert len(server.requests) == 5


def test_a_store_that_refuses_before_it_has_read_is_heard(server, transport):
    server.always(refuse_early(403))
    with transport() as sender, pytest.raises(EncordError, match=r"403|cut"):
        sender.transfer(transfer(server, bytes(200_000)))


@pytest.mark.parametrize(
    ("error", "class_"),
    [
        (FileNotFoundError(2, "No such file or directory", "/data/cat.jpg"), InvalidArgumentError),
        (PermissionError(13, "Permission denied"), InvalidArgumentError),
        (IsADirectoryError(21, "Is a directory"), InvalidArgumentError),
        (OSError(5, "Input/output error"), UnavailableError),
        (InvalidArgumentError("its own words about cat.jpg"), InvalidArgumentError),
    ],
)
def test_a_file_that_cannot_be_opened_is_an_error_of_ours(server, transport, error, class_):
    def refuse() -> BinaryIO:
        raise error

    with transport() as sender, pytest.raises(class_, match=r"cat\.jpg"):
        sender.transfer(transfer(server, b"", size=3, opened=refuse))
    assert server.accepted == 0


class Torn(io.BytesIO):
    """A file whose disk fails after some bytes."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError(5, "Input/output error")
        return super().read(10)


def test_a_file_that_cannot_be_read_to_its_end_is_named_and_not_taken_for_a_broken_connection(server, transport):
    server.always(answer(200))
    with transport() as sender, pytest.raises(UnavailableError, match=r"cat\.jpg could not be read"):
        sender.transfer(transfer(server, bytes(100), opened=lambda: Torn(bytes(100))))


def test_an_unsafe_url_is_refused_before_the_file_is_opened(transport):
    def opened() -> BinaryIO:
        raise AssertionError("opened")

    unsafe = Transfer(url="http://store.example.com/x?sig=1", open=opened, size=1, headers={}, title="cat.jpg")
    with transport() as sender, pytest.raises(RefusedError, match="https"):
        sender.transfer(unsafe)
