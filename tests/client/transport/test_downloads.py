"""Fetching files from signed URLs, from object stores that behave well and badly."""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import http.server
import io
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_encord.client.call import Download, Downloaded
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.errors import RefusedError, SignedUrlRefusedError, UnavailableError
from airflow_provider_encord.client.transport.files import stated_md5
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync import SyncTransport
from tests.client import keys

CONTENT = bytes(range(256)) * 4096
MD5 = hashlib.md5(CONTENT, usedforsecurity=False)

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


class Store(http.server.ThreadingHTTPServer):
    """Answers one request after the other with the next of its answers; the last one again and again."""

    def __init__(self, *answers: Answer):
        waiting, seen = list(answers), []
        self.seen: list[dict[str, str]] = seen

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
                (waiting.pop(0) if len(waiting) > 1 else waiting[0])(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by http.server
                """Log nothing."""

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/a.png?signature=secret"


def answer(status: int = 200, body: bytes = CONTENT, **headers: str) -> Answer:
    def give(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        stated = {"content_length": str(len(body)), **headers}
        for name, value in stated.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return give


class Target:
    """Keeps what was written, if it was whole."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.attempts = 0

    @contextlib.contextmanager
    def open(self) -> Iterator[io.BytesIO]:
        self.attempts += 1
        buffer = io.BytesIO()
        yield buffer
        self.kept.append(buffer.getvalue())


@pytest.fixture
def fetch() -> Iterator[Callable[..., tuple[Downloaded, Target, Store]]]:
    stores: list[Store] = []
    credential = SshKey.parse(keys.openssh(keys.new_key()))
    transport = SyncTransport(credential, Settings(base_url="http://127.0.0.1:1"), sleep=lambda seconds: None)

    def run(*answers: Answer, target: Target | None = None, size: int | None = None) -> Any:
        store, target = Store(*answers), target or Target()
        stores.append(store)
        threading.Thread(target=store.serve_forever, daemon=True).start()
        return transport.download(Download(store.url, target.open, "a.png", size)), target, store

    yield run
    transport.close()
    for store in stores:
        store.shutdown()
        store.server_close()


def test_a_file_arrives_whole_without_a_credential(fetch: Any) -> None:
    done, target, store = fetch(answer(), size=len(CONTENT))
    assert target.kept == [CONTENT]
    assert done == Downloaded(len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), md5_matched=False, length_known=True)
    assert not {"authorization", "signature", "cookie"} & store.seen[0].keys()
    assert store.seen[0]["accept-encoding"] == "identity"


def test_a_file_that_breaks_off_is_fetched_again(fetch: Any) -> None:
    broken = answer(body=CONTENT[:1000], content_length=str(len(CONTENT)), connection="close")

    def cut(handler: http.server.BaseHTTPRequestHandler) -> None:
        broken(handler)
        handler.close_connection = True

    _, target, _ = fetch(cut, answer(503, b""), answer())
    assert target.kept == [CONTENT]
    assert target.attempts == 3


def chunked(*blocks: bytes, end: bytes = b"0\r\n\r\n") -> Answer:
    """A file of unknown length, in chunks; `end` says that it is complete."""

    def give(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for block in blocks:
            handler.wfile.write(f"{len(block):x}\r\n".encode() + block + b"\r\n")
        handler.wfile.write(end)
        handler.close_connection = True

    return give


def without_length(body: bytes = CONTENT) -> Answer:
    """A file that ends where the connection does."""

    def give(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return give


@pytest.mark.parametrize("end", [b"", b"10000\r\nhalf", b"1"])
def test_a_file_in_chunks_that_breaks_off_is_fetched_again(fetch: Any, end: bytes) -> None:
    done, target, _ = fetch(chunked(CONTENT[:1000], CONTENT[1000:5000], end=end), chunked(CONTENT[:9], CONTENT[9:]))
    assert target.kept == [CONTENT]
    assert (target.attempts, done.length_known) == (2, True)


def test_a_file_without_a_stated_length_is_kept_but_it_is_known_that_its_end_was_not_checked(fetch: Any) -> None:
    done, target, _ = fetch(without_length())
    assert (target.kept, done.length_known) == ([CONTENT], False)
    assert fetch(answer())[0].length_known


def test_a_file_without_a_stated_length_is_refused_if_it_is_shorter_than_encord_states(fetch: Any) -> None:
    target = Target()
    with pytest.raises(UnavailableError, match="was closed after"):
        fetch(without_length(CONTENT[:-1]), target=target, size=len(CONTENT))
    assert target.kept == []
    done, _, _ = fetch(without_length(CONTENT[:-1]), without_length(), size=len(CONTENT))
    assert done.length_known


def test_a_file_whose_md5_differs_is_fetched_again(fetch: Any) -> None:
    stated = base64.b64encode(MD5.digest()).decode()
    damaged = answer(body=b"x" + CONTENT[1:], content_md5=stated)
    done, target, _ = fetch(damaged, answer(content_md5=stated))
    assert target.kept == [CONTENT]
    assert done.md5_matched


def test_a_full_disk_is_an_error_of_the_disk(fetch: Any) -> None:
    """It had been taken for an error of the connection: certificates that cannot be read."""

    class Full(Target):
        @contextlib.contextmanager
        def open(self) -> Iterator[Any]:
            yield self

        def write(self, data: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left") as raised:
        fetch(answer(), target=Full())
    assert raised.value.errno == errno.ENOSPC


def test_a_redirect_to_what_is_no_url_is_refused(fetch: Any) -> None:
    with pytest.raises(RefusedError, match="not a URL"):
        fetch(answer(307, b"", location="http://[bad/"))


@pytest.mark.parametrize("body", [CONTENT + b"x", CONTENT[:-1]])
def test_a_file_of_another_size_is_refused_and_not_kept(fetch: Any, body: bytes) -> None:
    target = Target()
    with pytest.raises(RefusedError, match=f"bytes, but Encord states {len(CONTENT)}"):
        fetch(answer(body=body), target=target, size=len(CONTENT))
    assert (target.kept, target.attempts) == ([], 1)


def test_a_redirect_is_followed_but_not_for_ever_and_not_to_the_address_of_a_cloud(fetch: Any) -> None:
    _, target, store = fetch(answer(307, b"", location="/there?signature=secret"), answer())
    assert target.kept == [CONTENT]
    assert store.seen[1]["path"] == "/there?signature=secret"
    with pytest.raises(SignedUrlRefusedError, match="HTTP 307"):
        fetch(answer(307, b"", location="/again"))
    with pytest.raises(RefusedError, match="no object store has such an address"):
        fetch(answer(307, b"", location="http://169.254.169.254/latest"))


def test_a_url_that_is_not_accepted_differs_from_a_file_that_is_gone(fetch: Any) -> None:
    with pytest.raises(SignedUrlRefusedError, match="may have expired") as raised:
        fetch(answer(403, b"<Error>secret</Error>"))
    assert "secret" not in str(raised.value)
    with pytest.raises(RefusedError, match="not there") as missing:
        fetch(answer(404, b""))
    assert not isinstance(missing.value, SignedUrlRefusedError)
    with pytest.raises(UnavailableError):
        fetch(answer(500, b""))


@pytest.mark.parametrize(
    ("headers", "stated"),
    [
        ({"content-md5": base64.b64encode(MD5.digest()).decode()}, True),
        ({"x-goog-hash": f"crc32c=AAAAAA==,md5={base64.b64encode(MD5.digest()).decode()}"}, True),
        ({"etag": f'"{MD5.hexdigest()}"', "x-amz-request-id": "1"}, True),
        ({"etag": f'"{MD5.hexdigest()}"', "x-amz-request-id": "1", "x-amz-server-side-encryption": "AES256"}, True),
        ({"etag": f'"{MD5.hexdigest()}"', "x-amz-request-id": "1", "x-amz-server-side-encryption": "aws:kms"}, False),
        ({"etag": f'"{MD5.hexdigest()}-2"', "x-amz-request-id": "1"}, False),
        ({"etag": f'"{MD5.hexdigest()}"'}, False),
        ({"content-md5": "not base64!"}, False),
        ({}, False),
    ],
)
def test_an_md5_is_believed_only_where_it_is_one(headers: dict[str, str], stated: bool) -> None:
    assert stated_md5(headers) == (MD5.hexdigest() if stated else None)
