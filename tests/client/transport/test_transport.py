"""The transport over real sockets: what is sent where, and what is said when it goes wrong."""

from __future__ import annotations

import base64
import concurrent.futures
import re
import socket
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_encord.client.api.core.reading import ignored
from airflow_provider_encord.client.call import API_KEY_ONLY, SSH_OR_API_KEY, Call, Envelope, Request, Resource
from airflow_provider_encord.client.errors import (
    EncordError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
    UnsupportedByCredentialError,
)
from airflow_provider_encord.client.transport.base import user_agent
from tests.client.scripted_server import ScriptedServer, answer, cut, hang, late, v1
from tests.client.sending import GET, POST, PROJECT, READ_V1, SECRET, SYNC, api_key, everything_said
from tests.wire.vectors import ssh_key


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that is bound to happen."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.001)


# Redirects, other credentials, cookies


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", [GET, POST, READ_V1], ids=["get", "post", "v1"])
def test_a_redirect_is_an_error_and_nothing_is_sent_to_where_it_leads(server, transport, status, call):
    with ScriptedServer() as elsewhere, transport(server.url) as sender:
        server.will(answer(status, headers={"Location": elsewhere.url + "/?token=SIGNED"}))
        with pytest.raises(RefusedError, match="redirect") as caught:
            sender.send(call)
        assert "SIGNED" not in str(caught.value)
        assert elsewhere.accepted == 0
    assert len(server.requests) == 1


@pytest.mark.parametrize("call", [GET, READ_V1], ids=["v2", "v1"])
def test_netrc_is_ignored(server, transport, tmp_path, monkeypatch, call):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\ndefault login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text(netrc.read_text())
    server.always(answer(json={"status": 200, "response": {}}))
    with transport(server.url) as sender:
        sender.send(call)
    assert "Basic" not in server.requests[0].headers.get("authorization", "")


def test_cookies_are_not_taken(server, transport):
    server.always(answer(json={}, headers={"Set-Cookie": "session=1; Path=/"}))
    with transport(server.url) as sender:
        sender.send(GET)
        sender.send(GET)
    assert "cookie" not in server.requests[1].headers


# Proxies


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_the_proxy_of_the_machine_is_used(server, transport, monkeypatch, variable):
    with ScriptedServer() as proxy, transport(server.url) as sender:
        proxy.always(answer(json={"via": "proxy"}))
        monkeypatch.setenv(variable, proxy.url)
        assert sender.send(GET) == {"via": "proxy"}
        assert proxy.requests[0].target == f"{server.url}/v2/public/projects/x"
    assert server.accepted == 0


def test_a_request_through_a_proxy_is_signed_for_the_path_that_the_server_will_see(server, transport, monkeypatch):
    call = Call(request=Request("GET", "projects", {"titleEq": "ż ~"}), read=ignored, operation="projects.list")
    with ScriptedServer() as proxy, transport(server.url) as sender:
        proxy.always(answer(json={}))
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        sender.send(call)
        (sent,) = proxy.requests
    target = sent.target.removeprefix(server.url)
    assert_signed("GET", target, sent.headers)


def test_no_proxy_is_honoured(server, transport, monkeypatch):
    server.always(answer(json={}))
    with ScriptedServer() as proxy, transport(server.url) as sender:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        sender.send(GET)
        assert proxy.accepted == 0
    assert len(server.requests) == 1


def test_a_proxy_that_is_not_there_differs_from_a_server_that_is_not(server, transport, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://someone:pass-word@127.0.0.1:1")
    with transport(server.url) as sender, pytest.raises(UnavailableError, match="proxy") as caught:
        sender.send(POST)
    assert type(caught.value) is UnavailableError
    assert "pass-word" not in everything_said(caught.value)


@pytest.mark.parametrize("proxy", ["socks5://someone:pass-word@127.0.0.1:1", "http://"])
def test_a_proxy_that_cannot_be_used_is_no_reason_to_try_again(server, transport, monkeypatch, proxy):
    monkeypatch.setenv("HTTP_PROXY", proxy)
    with transport(server.url) as sender, pytest.raises(RefusedError, match="PROXY") as caught:
        sender.send(POST)
    assert "pass-word" not in everything_said(caught.value)


# Time-outs and cuts


def test_an_answer_that_does_not_come_is_a_timeout(server, transport):
    server.always(hang())
    with transport(server.url, read_timeout=0.05) as sender:
        with pytest.raises(UnavailableError, match="read_timeout"):
            sender.send(GET)
        with pytest.raises(OutcomeUnknownError, match="read_timeout"):
            sender.send(POST)


def test_a_long_poll_may_be_held_longer_than_the_timeout(server, transport):
    held = Call(request=GET.request, read=ignored, hold_seconds=5, operation="poll")
    server.always(late(0.3, answer(json={})))
    with transport(server.url, read_timeout=0.1) as sender:
        sender.send(held)
    assert len(server.requests) == 1


def test_a_change_whose_connection_was_cut_is_not_sent_again(server, transport):
    server.always(cut())
    with transport(server.url) as sender, pytest.raises(OutcomeUnknownError, match="cut"):
        sender.send(POST)
    assert len(server.requests) == 1


@pytest.mark.parametrize(("act", "word"), [(cut(), "cut"), (cut(after=5), "broke off")])
def test_a_read_whose_connection_was_cut_is_sent_again(server, transport, act, word):
    server.will(act, answer(json={"title": "t"}))
    with transport(server.url) as sender:
        assert sender.send(GET) == {"title": "t"}
    server.always(act)
    with transport(server.url) as sender, pytest.raises(UnavailableError, match=word):
        sender.send(GET)


def test_an_answer_that_cannot_be_unpacked_is_not_taken(server, transport):
    server.always(answer(text=b"not gzip", headers={"Content-Encoding": "gzip"}))
    with transport(server.url) as sender, pytest.raises(UnavailableError, match="decompressed"):
        sender.send(GET)


def test_an_unknown_host_name_is_named_as_such(transport, monkeypatch):
    def unknown(*arguments: Any) -> Any:  # asking a real resolver would leave the machine
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with transport("https://no-such-host") as sender, pytest.raises(UnavailableError, match="name is not known"):
        sender.send(POST)


# The pool


def test_many_calls_share_one_connection(server, transport):
    server.always(v1(True))
    with transport(server.url) as sender:
        for _ in range(25):
            sender.send(READ_V1)
    assert len(server.requests) == 25
    assert server.accepted == 1


def test_errors_with_an_answer_keep_the_connection(server, transport):
    server.always(answer(404, json={}))
    with transport(server.url) as sender:
        for _ in range(5):
            with pytest.raises(EncordError):
                sender.send(GET)
    assert server.accepted == 1


def test_a_connection_that_the_server_closed_meanwhile_does_not_cost_a_change(server, transport):
    server.always(answer(json={}, keep_alive=False))
    with transport(server.url) as sender:
        for number in range(1, 6):
            sender.send(POST)
            until(lambda number=number: server.ended == number)
    assert len(server.requests) == server.accepted == 5


def test_threads_share_the_transport(server, transport):
    server.always(answer(json={}))
    with transport(server.url) as sender, concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: sender.send(GET), range(64)))
    assert len(server.requests) == 64
    assert server.accepted <= 8
    for sent in server.requests:
        assert_signed("GET", sent.target, sent.headers)


# Names, traces, signatures


def test_the_user_agent_is_ours_with_a_suffix(server, transport, kind):
    server.always(answer(json={}))
    with transport(server.url, user_agent_suffix="apache-airflow/3.3.2") as sender:
        sender.send(GET)
    agent = server.requests[0].headers["user-agent"]
    library = f"requests/{requests.__version__}" if kind == SYNC else f"httpx/{httpx.__version__}"
    assert agent == user_agent(library, "apache-airflow/3.3.2")
    assert re.fullmatch(
        r"airflow-provider-encord/\S+ python/3\.\d+\.\d+ (requests|httpx)/\d+\.\d+\S* apache-airflow/3\.3\.2", agent
    )


def test_the_error_has_the_trace_id_that_was_sent(server, transport):
    server.will(answer(400, json={"message": "m"}), cut())
    with transport(server.url) as sender:
        for _ in range(2):
            with pytest.raises(EncordError) as caught:
                sender.send(POST)
            sent = server.requests[-1].headers["x-cloud-trace-context"]
            assert sent == f"{caught.value.trace_id}/1;o=1"
            assert re.fullmatch("[0-9a-f]{32}", str(caught.value.trace_id))
            assert f"trace id {caught.value.trace_id}" in str(caught.value)
            assert caught.value.operation == "dataset.create"


def assert_signed(method: str, target: str, headers: dict[str, str]) -> None:
    """The signature is one over the target as it arrived (protocol, section 2.2), made with the test key."""
    parameters = headers["signature-input"].removeprefix("encord-sig=")
    signed = (
        f'"@method": {method}\n"@request-target": {target}\n'
        f'"content-digest": {headers["content-digest"]}\n"@signature-params": {parameters}'
    )
    signature = base64.b64decode(headers["signature"].removeprefix("encord-sig=:").removesuffix(":"))
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(ssh_key().public_key_hex)).verify(signature, signed.encode())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    query=st.dictionaries(
        st.text(min_size=1, max_size=5), st.text(max_size=8) | st.lists(st.text(max_size=4), max_size=3), max_size=4
    ),
    title=st.text(max_size=10),
)
def test_the_target_that_arrives_is_the_one_that_was_signed(server, transport, query, title):
    server.always(answer(json={}))
    call = Call(request=Request("POST", "projects", query, json={"title": title}), read=ignored, operation="x")
    with transport(server.url) as sender:
        sender.send(call)
    sent = server.requests[-1]
    assert_signed("POST", sent.target, sent.headers)
    expected = [(name, one) for name, value in query.items() for one in ([value] if isinstance(value, str) else value)]
    arrived = urllib.parse.parse_qsl(sent.target.partition("?")[2], keep_blank_values=True)
    assert arrived == expected
    assert sent.json() == {"title": title}


def test_an_api_key_goes_with_its_own_resource_and_without_a_signature(server, transport):
    server.always(v1({}))
    lookup = Call(request=Envelope("apikeymeta", "GET", own_resource=True), read=ignored, credentials=API_KEY_ONLY)
    with transport(server.url, api_key()) as sender:
        sender.send(lookup)
        sender.send(READ_V1)
    assert len(server.requests) == 2
    for sent in server.requests:
        assert (sent.headers["authorization"], sent.headers["resourceid"]) == (SECRET, PROJECT)
        assert "signature" not in sent.headers
        assert "resourcetype" not in sent.headers


def test_an_api_key_is_not_sent_for_another_resource_or_to_v2(server, transport):
    other = Call(
        request=Envelope("project", "GET", Resource("project", PROJECT.replace("a", "b"))),
        read=ignored,
        credentials=SSH_OR_API_KEY,
    )
    with transport(server.url, api_key()) as sender:
        for call in (other, GET):
            with pytest.raises(UnsupportedByCredentialError):
                sender.send(call)
    assert server.requests == []
