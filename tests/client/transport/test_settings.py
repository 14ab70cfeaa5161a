"""Where Encord is: what is taken for an address, and what is refused before anything is sent."""

from __future__ import annotations

import contextlib
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.errors import CredentialError, RefusedError
from airflow_provider_encord.client.transport.files import require_safe
from airflow_provider_encord.client.transport.settings import Settings, base_url, is_loopback


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        (None, None, "https://api.encord.com"),
        ("", None, "https://api.encord.com"),
        ("  ", 0, "https://api.encord.com"),
        ("", 8443, "https://api.encord.com:8443"),
        ("api.us.encord.com", None, "https://api.us.encord.com"),
        ("API.US.Encord.com", None, "https://api.us.encord.com"),
        (" api.encord.com ", None, "https://api.encord.com"),
        ("api.encord.com:8443", None, "https://api.encord.com:8443"),
        ("api.encord.com", 8443, "https://api.encord.com:8443"),
        ("api.encord.com:1", 2, "https://api.encord.com:1"),
        ("https://api.encord.com", None, "https://api.encord.com"),
        ("https://api.encord.com///", None, "https://api.encord.com"),
        ("HTTPS://api.encord.com:443", None, "https://api.encord.com:443"),
        ("http://localhost:8765", None, "http://localhost:8765"),
        ("http://localhost", 8765, "http://localhost:8765"),
        ("http://127.0.0.1:8765/", None, "http://127.0.0.1:8765"),
        ("api.encord.com.", None, "https://api.encord.com"),
        ("https://api.encord.com.:8443/", None, "https://api.encord.com:8443"),
        ("http://127.1.2.3", None, "http://127.1.2.3"),
        ("http://[::1]:8765", None, "http://[::1]:8765"),
        ("http://[::1]", 8765, "http://[::1]:8765"),
        ("[2001:db8::1]", None, "https://[2001:db8::1]"),
        ("2001:db8::1", None, "https://[2001:db8::1]"),
        ("::1", 8765, "https://[::1]:8765"),
        ("10.0.0.7", None, "https://10.0.0.7"),
        ("encord_proxy", None, "https://encord_proxy"),
        ("xn--bcher-kva.example", None, "https://xn--bcher-kva.example"),
    ],
)
def test_a_host_becomes_a_base_url(host, port, url):
    assert base_url(host, port) == url


@pytest.mark.parametrize(
    ("host", "port", "word"),
    [
        # fault 8.5
        ("api.encord.com:8443/v2", None, "so that https://api.encord.com:8443 is left"),
        ("https://api.encord.com:8443/v2?x=1#y", None, "so that https://api.encord.com:8443 is left"),
        ("http://[::1]:8765/v2", None, r"so that http://\[::1\]:8765 is left"),
        ("\u0430pi.encord.com", None, "CYRILLIC SMALL LETTER A"),
        ("api.\u0435ncord.com", None, "CYRILLIC SMALL LETTER IE"),
        ("b\u00fccher.example", None, "LATIN SMALL LETTER U WITH DIAERESIS.*xn--bcher-kva.example"),
        ("api.encord.com\u200b", None, "invisible"),
        ("api.\nencord.com", None, "line ends"),
        ("https://https://api.encord.com", None, "twice"),
        (".".join(["a" * 60] * 5), None, "no host name"),
        ("https://api.encord.com/v2", None, "only scheme, host and port"),
        ("api.encord.com/v2/public", None, "only scheme, host and port"),
        ("api.encord.com?x=1", None, "only scheme, host and port"),
        ("api.encord.com#x", None, "only scheme, host and port"),
        ("http://api.encord.com", None, "allow_http"),
        ("http://10.0.0.7", None, "allow_http"),
        ("http://localhost.example.com", None, "allow_http"),
        ("http://127.0.0.1.example.com", None, "allow_http"),
        ("ftp://api.encord.com", None, "scheme"),
        ("file:///etc/passwd", None, "scheme"),
        ("user:word@api.encord.com", None, "user name"),
        ("https://word@api.encord.com", None, "user name"),
        ("https://", None, "no host name"),
        ("http:", None, "no host name"),
        ("https://:443", None, "no host name"),
        ("two words", None, "no host name"),
        ("api\\evil.com", None, "no host name"),
        ("a..b", None, "no host name"),
        (".", None, "no host name"),
        ("a" * 64 + ".com", None, "no host name"),
        ("\uff41pi.encord.com", None, "FULLWIDTH LATIN SMALL LETTER A"),
        ("[::1", None, "neither a host name nor a URL"),
        ("[::zz]", None, "neither a host name nor a URL"),
        ("api.encord.com:port", None, "port"),
        ("api.encord.com:99999", None, "port"),
        ("api.encord.com", 99999, "not a number.*443"),
        ("api.encord.com", -1, "not a number"),
    ],
)
def test_what_is_no_address_is_refused_and_the_field_named(host, port, word):
    with pytest.raises(CredentialError, match=f"Connection field (host|port).*{word}") as caught:
        base_url(host, port)
    assert "user:word" not in str(caught.value)


def test_plain_http_to_another_machine_is_possible_if_allowed():
    assert base_url("http://encord.internal", 8080, allow_http=True) == "http://encord.internal:8080"


@given(st.text() | st.text("ab:/[]@.%#?\\ 01", max_size=20), st.none() | st.integers())
def test_any_text_is_an_address_or_refused(host, port):
    try:
        url = base_url(host, port)
    except CredentialError:
        return
    parts = urllib.parse.urlsplit(url)
    assert parts.scheme in ("http", "https")
    assert parts.hostname
    assert (parts.path, parts.query, parts.fragment, parts.username) == ("", "", "", None)
    assert parts.scheme == "https" or is_loopback(parts.hostname)
    assert base_url(url) == url


@pytest.mark.parametrize("field", ["connect_timeout", "read_timeout", "total_timeout"])
@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 1e12, 86_401])
def test_a_timeout_must_be_a_time(field, seconds):
    with pytest.raises(CredentialError, match=field):
        Settings(**{field: seconds})


def test_a_ca_bundle_must_be_there(tmp_path):
    with pytest.raises(CredentialError, match="ca_bundle"):
        Settings(ca_bundle=str(tmp_path / "none.pem"))


def test_the_home_directory_in_a_ca_bundle_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "ca.pem").write_text("x")
    settings = Settings(ca_bundle="~/ca.pem")
    assert settings.trusted == str(tmp_path / "ca.pem")
    assert Settings().trusted is None


def test_the_host_is_named_with_its_port():
    assert Settings(base_url="http://127.0.0.1:8765").host == "127.0.0.1:8765"


REMOTE, LOCAL = "https://api.encord.com", "http://127.0.0.1:8765"
_HERE = (
    *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "localhost.", "LOCALHOST"),
    *("a.localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
)
_NO_STORE = (
    *("169.254.169.254", "0xa9fea9fe", "2852039166", "[fe80::1]", "[::ffff:169.254.169.254]", "0.0.0.0", "[::]"),
    *("metadata.google.internal", "METADATA.google.internal.", "224.0.0.1"),
)


@pytest.mark.parametrize(
    ("url", "api", "allow_http", "safe"),
    [
        ("https://store.example.com/x?sig=SECRET", REMOTE, False, True),
        ("https://10.0.0.5/x?sig=SECRET", REMOTE, False, True),
        ("http://store.example.com/x?sig=SECRET", REMOTE, False, False),
        ("http://store.example.com/x?sig=SECRET", REMOTE, True, True),
        ("http://10.0.0.5/x?sig=SECRET", REMOTE, False, False),
        ("http://10.0.0.5/x?sig=SECRET", REMOTE, True, True),
        ("http://127.0.0.1:9/x?sig=SECRET", LOCAL, False, True),
        ("http://localhost:9/x?sig=SECRET", "https://localhost:8765", False, True),
        ("http://[::1]:9/x?sig=SECRET", "http://[::1]:8765", False, True),
        ("http://store.example.com/x?sig=SECRET", LOCAL, False, False),
        # fault 7.4: only the API of this machine may have files sent to this machine
        *[(f"http://{host}:9/x?sig=SECRET", REMOTE, allowed, False) for host in _HERE for allowed in (False, True)],
        # the metadata services of clouds, whatever is allowed
        *[(f"http://{host}/latest/?sig=SECRET", api, True, False) for host in _NO_STORE for api in (REMOTE, LOCAL)],
        *[(f"https://{host}/latest/?sig=SECRET", REMOTE, True, False) for host in _NO_STORE],
        ("ftp://store.example.com/x?sig=SECRET", REMOTE, True, False),
        ("file:///etc/passwd?SECRET", REMOTE, True, False),
        ("http://[/x?sig=SECRET", REMOTE, True, False),
        ("https://store.example.com:99999/x?sig=SECRET", REMOTE, True, False),
        ("https:///x?sig=SECRET", REMOTE, True, False),
        ("store.example.com/x?sig=SECRET", REMOTE, True, False),
        ("", REMOTE, True, False),
    ],
)
def test_a_file_is_sent_over_https_or_from_the_loopback_to_the_loopback_only(url, api, allow_http, safe):
    if safe:
        require_safe(url, "cat.jpg", base_url=api, allow_http=allow_http)
        return
    with pytest.raises(RefusedError, match=r"cat\.jpg") as caught:
        require_safe(url, "cat.jpg", base_url=api, allow_http=allow_http)
    assert "SECRET" not in str(caught.value)


@given(url=st.text(max_size=30) | st.from_regex(r"https?://[^a]{0,10}(:[0-9a-z]{0,6})?/?.{0,5}"))
def test_any_text_is_a_url_to_send_to_or_refused(url):
    with contextlib.suppress(RefusedError):
        require_safe(url, "cat.jpg", base_url=REMOTE, allow_http=False)
