"""Whose certificates are trusted: those of the machine and of a configured authority, and no others."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.errors import OutcomeUnknownError, RefusedError, UnavailableError
from airflow_provider_encord.client.transport.settings import Settings
from tests.client.authority import Authority
from tests.client.scripted_server import ScriptedServer, answer
from tests.client.sending import GET, POST, sender
from tests.wire.vectors import ssh_key


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ours")


@pytest.fixture
def transport(kind: str) -> Callable[..., AbstractContextManager[Any]]:
    """Makes a transport of either kind, which does not wait, for a server."""

    def of(server: ScriptedServer, ca_bundle: Path | str | None = None) -> AbstractContextManager[Any]:
        return sender(kind, ssh_key(), Settings(base_url=server.url, ca_bundle=str(ca_bundle) if ca_bundle else None))

    return of


def test_a_bundle_of_ones_own_is_trusted(transport, authority):
    with authority.server() as server, transport(server, authority.bundle) as made:
        assert made.send(GET) == {}


def test_an_unknown_authority_is_refused_with_advice_and_nothing_is_sent(transport, authority):
    with authority.server() as server, transport(server) as made:
        with pytest.raises(RefusedError, match="ca_bundle"):
            made.send(POST)
        assert server.requests == []
        assert server.accepted == 1


def test_another_authority_is_refused(transport, authority, tmp_path):
    other = Authority(tmp_path, "other")
    with authority.server() as server, transport(server, other.bundle) as made:
        with pytest.raises(RefusedError, match="certificate"):
            made.send(GET)
        assert server.requests == []


def test_an_expired_certificate_and_one_for_another_host_are_refused(transport, tmp_path):
    for other in (Authority(tmp_path, "old", days=-1), Authority(tmp_path, "moved", address="127.0.0.2")):
        with other.server() as server, transport(server, other.bundle) as made:
            with pytest.raises(RefusedError, match="certificate"):
                made.send(GET)
            assert server.requests == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_bundle_of_the_machine_is_honoured(transport, authority, monkeypatch, variable):
    monkeypatch.setenv(variable, str(authority.bundle))
    with authority.server() as server, transport(server) as made:
        assert made.send(GET) == {}


def test_the_bundle_of_the_connection_beats_that_of_the_machine(transport, authority, tmp_path, monkeypatch):
    other = Authority(tmp_path, "other")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.bundle))
    with authority.server() as server, transport(server, authority.bundle) as made:
        assert made.send(GET) == {}
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    with authority.server() as server, transport(server, other.bundle) as made, pytest.raises(RefusedError):
        made.send(GET)


def test_variables_that_are_of_another_library_mean_nothing(authority, transport, tmp_path, monkeypatch):
    """`httpx` would read them, and `requests` does not."""
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(variable, str(authority.bundle))
    with authority.server() as server, transport(server) as made, pytest.raises(RefusedError, match="certificate"):
        made.send(GET)


def test_certificates_that_are_replaced_count_from_the_next_connection_on(authority, transport, tmp_path):
    """A triggerer runs for weeks."""
    other = Authority(tmp_path, "other")
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(other.bundle.read_bytes())
    with authority.server() as server, transport(server, bundle) as made:
        with pytest.raises(RefusedError, match="certificate"):
            made.send(GET)
        bundle.write_bytes(authority.bundle.read_bytes())
        os.utime(bundle, ns=(1, 1))  # a file system may count in seconds
        assert made.send(GET) == {}


def test_a_bundle_may_be_named_by_the_home_directory(transport, authority, monkeypatch):
    monkeypatch.setenv("HOME", str(authority.bundle.parent))
    with authority.server() as server, transport(server, "~/ours.pem") as made:
        assert made.send(GET) == {}


def test_a_bundle_that_cannot_be_read_is_reported_and_not_tried_again(transport, authority, tmp_path, monkeypatch):
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    with authority.server() as server, transport(server, broken) as made:
        with pytest.raises(RefusedError, match="ca_bundle"):
            made.send(GET)
        assert server.accepted <= 1
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with authority.server() as server, transport(server) as made, pytest.raises(RefusedError, match="CA_BUNDLE"):
        made.send(GET)


def test_https_to_a_server_that_speaks_http_is_reported(server, kind):
    server.always(answer(json={}))
    settings = Settings(base_url=server.url.replace("http:", "https:"))
    with sender(kind, ssh_key(), settings) as made, pytest.raises(RefusedError, match="http://"):
        made.send(GET)


def test_a_handshake_that_breaks_off_may_pass(transport):
    """`requests` calls it an SSL error, too, but the certificate has nothing to do with it."""
    with ScriptedServer(drop_handshakes=True) as server, transport(server) as made:
        with pytest.raises(UnavailableError, match="cut"):
            made.send(GET)
        assert server.accepted == 5
        with pytest.raises(OutcomeUnknownError):
            made.send(POST)
