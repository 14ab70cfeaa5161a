"""HTTPS by way of a proxy: it sees where we go and nothing of what we say; and the error when it does not work."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from airflow_provider_encord.client.errors import OutcomeUnknownError, RefusedError, UnavailableError
from airflow_provider_encord.client.transport.settings import Settings
from tests.client.authority import Authority
from tests.client.scripted_server import ScriptedServer, closed_port, cut, hang
from tests.client.sending import GET, POST, api_key, everything_said, sender
from tests.client.tunnel import TunnelProxy
from tests.wire.vectors import ssh_key

PASSWORD = "s3cret-of-the-proxy"


@pytest.fixture
def authority(tmp_path: Any) -> Authority:
    return Authority(tmp_path, "ours")


@pytest.fixture
def transport(kind: str, authority: Authority) -> Callable[..., AbstractContextManager[Any]]:
    """Makes a transport of either kind that trusts `authority`."""

    def of(url: str, credential: Any = None, **options: Any) -> AbstractContextManager[Any]:
        settings = Settings(base_url=url, **{"ca_bundle": str(authority.bundle), **options})
        return sender(kind, credential or ssh_key(), settings)

    return of


def test_the_proxy_sees_where_we_go_and_not_what_we_say(authority, transport, monkeypatch):
    with authority.server() as server, TunnelProxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://someone:{PASSWORD}@{proxy.address}")
        with transport(server.url) as made:
            for _ in range(3):
                assert made.send(GET) == {}
        (head,) = proxy.heads  # one tunnel for all
        assert head.startswith(f"CONNECT 127.0.0.1:{server.port} ")
        assert base64.b64encode(f"someone:{PASSWORD}".encode()).decode() in head
        assert "signature" not in head.lower()
        assert server.accepted == 1
        assert [request.target for request in server.requests] == ["/v2/public/projects/x"] * 3
        assert all("proxy-authorization" not in one.headers for one in server.requests)


def test_certificates_are_looked_at_through_a_tunnel_too(authority, transport, monkeypatch, tmp_path):
    other = Authority(tmp_path, "other")
    with other.server() as server, TunnelProxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        with transport(server.url) as made, pytest.raises(RefusedError, match="ca_bundle"):
            made.send(POST)
        assert server.requests == []


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "127.0.0.0/8", "example.com, 127.0.0.1", "*"])
def test_names_addresses_and_networks_may_be_excepted(authority, transport, monkeypatch, no_proxy):
    with authority.server() as server, TunnelProxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        monkeypatch.setenv("NO_PROXY", no_proxy)
        with transport(server.url) as made:
            made.send(GET)
        assert proxy.heads == []


@pytest.mark.parametrize("no_proxy", ["127.0.0.2", "10.0.0.0/8", "7.0.0.1"])
def test_what_is_not_excepted_goes_by_the_proxy(authority, transport, monkeypatch, no_proxy):
    with authority.server() as server, TunnelProxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address)  # a scheme is not needed
        monkeypatch.setenv("NO_PROXY", no_proxy)
        with transport(server.url) as made:
            made.send(GET)
        assert len(proxy.heads) == 1


REFUSALS = [
    (b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n", RefusedError, "user name and a password", 1),
    (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", UnavailableError, r"refuses to connect.*HTTP 403", 5),
    (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", UnavailableError, r"refuses to connect.*HTTP 503", 5),
]  # fmt: skip


@pytest.mark.parametrize(("said", "class_", "words", "attempts"), REFUSALS, ids=["407", "403", "503"])
@pytest.mark.parametrize("call", [GET, POST], ids=["get", "post"])
def test_a_proxy_that_makes_no_tunnel_is_reported_and_nothing_was_sent(
    transport, monkeypatch, said, class_, words, attempts, call
):
    """So that even a change may be sent again."""
    with TunnelProxy(said) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://someone:{PASSWORD}@{proxy.address}")
        with transport("https://encord.example.com") as made, pytest.raises(class_, match=words) as caught:
            made.send(call)
        assert type(caught.value) is class_
        assert len(proxy.heads) == attempts
        assert PASSWORD not in everything_said(caught.value)


def test_a_proxy_that_is_not_there_is_reported(transport, monkeypatch):
    with closed_port() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with (
            transport("https://encord.example.com") as made,
            pytest.raises(UnavailableError, match="proxy of this machine was not reached") as caught,
        ):
            made.send(POST)
    assert type(caught.value) is UnavailableError


@pytest.mark.parametrize("act", [cut(), cut(reset=True), cut(after=5), hang()], ids=["cut", "reset", "broken", "hang"])
@pytest.mark.parametrize("tls", [True, False], ids=["tunnel", "forward"])
def test_a_change_that_is_lost_behind_a_proxy_is_not_sent_again(authority, transport, monkeypatch, act, tls):
    """`requests` says that the proxy failed, though the request has arrived."""
    proxy = TunnelProxy() if tls else ScriptedServer().always(act)
    server = authority.server() if tls else ScriptedServer()
    with server, proxy:
        server.always(act)
        address = proxy.address if isinstance(proxy, TunnelProxy) else f"127.0.0.1:{proxy.port}"
        monkeypatch.setenv("ALL_PROXY", f"http://{address}")
        with transport(server.url, read_timeout=0.5) as made, pytest.raises(OutcomeUnknownError):
            made.send(POST)
        assert len((server if isinstance(proxy, TunnelProxy) else proxy).requests) == 1


def test_a_proxy_that_hangs_up_is_not_trusted_to_have_sent_nothing(transport, monkeypatch):
    """As `requests` cannot report when it was, neither transport reports it."""
    with TunnelProxy(b"") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        with transport("https://encord.example.com") as made:
            with pytest.raises(UnavailableError, match="cut"):
                made.send(GET)
            with pytest.raises(OutcomeUnknownError, match="cut"):
                made.send(POST)
        assert len(proxy.heads) == 6


def test_no_key_is_in_an_error_about_a_proxy(transport, monkeypatch):
    with TunnelProxy(b"") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        with transport("https://encord.example.com", api_key()) as made, pytest.raises(Exception, match=r".") as caught:
            made.send(POST)
        assert "encord-secret-api-key" not in everything_said(caught.value)


@contextlib.contextmanager
def silent_server() -> Iterator[str]:
    """Takes connections and says nothing, not even hello."""
    taken = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    taken.append(listener.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        for one in taken:
            one.close()


def test_a_server_that_never_shakes_hands_is_a_timeout(transport):
    with silent_server() as url, transport(url, connect_timeout=0.1, read_timeout=0.1) as made:
        with pytest.raises(UnavailableError, match="read_timeout"):
            made.send(GET)
        with pytest.raises(OutcomeUnknownError, match="read_timeout"):
            made.send(POST)
