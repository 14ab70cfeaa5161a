"""Which client a connection becomes, and what is said of one that becomes none.

The variables of the vendor's SDK are set throughout: a connection must never fall back to them.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import ApiKey, SshKey
from airflow_provider_encord.client.errors import CredentialError
from airflow_provider_encord.hooks.connection import secret_values
from airflow_provider_encord.hooks.encord import EncordHook
from airflow_provider_encord.hooks.masking import patterns
from tests.airflow_layer.connection_extras import (
    API_KEY,
    CA_BUNDLE,
    EVERY_FIELD,
    GOOGLE_ACCOUNT,
    LOCKED,
    LOCKED_BY_NUMBER,
    PASSPHRASE,
    REFUSED,
    RESOURCE,
    SECRETS,
    STRANGER,
    TEXT,
)
from tests.airflow_layer.lines import running_line

VARIABLE = "AIRFLOW_CONN_ENCORD_DEFAULT"


@pytest.fixture(autouse=True)
def _environment_of_the_vendors_sdk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "stranger"
    file.write_text(STRANGER)
    monkeypatch.setenv("ENCORD_SSH_KEY", STRANGER)
    monkeypatch.setenv("ENCORD_SSH_KEY_FILE", str(file))
    monkeypatch.setenv("ENCORD_API_KEY", API_KEY)
    monkeypatch.setenv("ENCORD_RESOURCE_ID", RESOURCE)
    monkeypatch.setenv("ENCORD_PROJECT_ID", RESOURCE)


@pytest.fixture
def client_of(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the client of a connection that is given as the variable's text."""

    def make(text: str) -> EncordClient:
        monkeypatch.setenv(VARIABLE, text)
        with EncordHook() as hook:
            return hook.get_conn()

    return make


def _as_object(extra: Mapping[str, Any]) -> str:
    return json.dumps({"conn_type": "encord", "extra": extra})


def _as_text(extra: Mapping[str, Any]) -> str:
    return json.dumps({"conn_type": "encord", "extra": json.dumps(extra)})


def _as_query(extra: Mapping[str, Any]) -> str:
    texts = {name: str(value) for name, value in extra.items() if value is not None}
    return "encord://?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in texts.items())


def _as_quoted_extra(extra: Mapping[str, Any]) -> str:
    return f"encord://?__extra__={quote(json.dumps(extra), safe='')}"


FORMS = pytest.mark.parametrize("written", [_as_object, _as_text, _as_query, _as_quoted_extra])


@pytest.mark.parametrize("passphrase", [1e5, True, ["123456"], {"is": "123456"}])
def test_a_passphrase_that_is_no_text_any_more_names_the_field_and_the_way_round(
    passphrase: Any, client_of: Any
) -> None:
    with pytest.raises(CredentialError, match=r"private_key_passphrase: .* __extra__"):
        client_of(_as_object({"private_key": LOCKED_BY_NUMBER, "private_key_passphrase": passphrase}))


def test_a_passphrase_that_arrives_as_a_number_is_masked() -> None:
    assert secret_values({"private_key_passphrase": 12345678}) == ["12345678"]


def test_a_key_that_arrives_as_an_object_is_masked_as_its_text() -> None:
    (text,) = secret_values({"private_key": GOOGLE_ACCOUNT})
    assert json.loads(text) == GOOGLE_ACCOUNT
    assert set(GOOGLE_ACCOUNT["private_key"].splitlines()[1:-1]) <= set(patterns([text]))


@FORMS
@pytest.mark.parametrize("extra", EVERY_FIELD.values(), ids=EVERY_FIELD)
def test_an_ssh_key_connects_however_the_connection_is_written(
    extra: dict[str, Any], written: Any, client_of: Any
) -> None:
    client = client_of(written(extra))
    customised = bool(extra.get("connect_timeout"))

    assert client.credential == SshKey.parse(TEXT)
    assert client.settings.base_url == "https://api.encord.com"
    assert (client.settings.connect_timeout, client.settings.read_timeout) == ((5, 7.5) if customised else (30, 180))
    assert client.settings.ca_bundle == (CA_BUNDLE if customised else None)
    assert client.settings.allow_http is customised
    assert client.settings.link_base == ("https://app.example.com" if customised else "https://api.encord.com")


@FORMS
@pytest.mark.parametrize(
    "extra",
    [
        {"api_key": API_KEY, "resource_id": RESOURCE},
        {"auth_method": "api_key", "api_key": API_KEY, "resource_id": RESOURCE},
        {"auth_method": "api_key", "api_key": API_KEY, "resource_id": RESOURCE, "private_key": TEXT},
        {"auth_method": " api_key ", "api_key": f" {API_KEY}\n", "resource_id": RESOURCE.upper()},
    ],
)
def test_an_api_key_connects_however_the_connection_is_written(
    extra: dict[str, Any], written: Any, client_of: Any
) -> None:
    assert client_of(written(extra)).credential == ApiKey(API_KEY, RESOURCE)


@pytest.mark.parametrize("path", ["{home}/.ssh/key", "~/.ssh/key", " ~/.ssh/key "])
def test_a_key_is_read_from_its_path(
    path: str, client_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".ssh" / "key"
    file.parent.mkdir()
    file.write_text(LOCKED)
    monkeypatch.setenv("HOME", str(tmp_path))
    extra = {"ssh_key_path": path.format(home=tmp_path), "private_key_passphrase": PASSPHRASE}

    assert client_of(_as_object(extra)).credential == SshKey.parse(TEXT)


HOSTS = {
    "": "https://api.encord.com",
    "api.encord.com": "https://api.encord.com",
    "https://api.us.encord.com/": "https://api.us.encord.com",
    " https://api.us.encord.com ": "https://api.us.encord.com",
    "api.encord.com:8443": "https://api.encord.com:8443",
    "http://localhost:8765": "http://localhost:8765",
    "http://127.0.0.1": "http://127.0.0.1",
    "http://[::1]:80": "http://[::1]:80",
}


@pytest.mark.parametrize(("host", "url"), HOSTS.items())
def test_the_host_may_be_empty_a_name_or_a_url(host: str, url: str, client_of: Any) -> None:
    given = json.dumps({"conn_type": "encord", "host": host, "extra": {"private_key": TEXT}})
    assert client_of(given).settings.base_url == url


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        ("encord://api.us.encord.com/?", "https://api.us.encord.com"),
        ("encord://api.us.encord.com:8443/?", "https://api.us.encord.com:8443"),
        ("encord://http://127.0.0.1:8765/?", "http://127.0.0.1:8765"),
        ("encord://http%3A%2F%2F127.0.0.1:8765/?", "http://127.0.0.1:8765"),
    ],
)
def test_a_uri_names_host_and_port(uri: str, url: str, client_of: Any) -> None:
    assert client_of(f"{uri}private_key={quote(TEXT, safe='')}").settings.base_url == url


@pytest.mark.parametrize(("port", "url"), [(0, "https://api.encord.com"), (8443, "https://api.encord.com:8443")])
def test_the_port_field_counts_unless_it_is_the_zero_that_the_test_button_posts(
    port: int, url: str, client_of: Any
) -> None:
    given = json.dumps({"conn_type": "encord", "host": "api.encord.com", "port": port, "extra": {"private_key": TEXT}})
    assert client_of(given).settings.base_url == url


def test_allow_http_lets_a_test_server_of_another_machine_be_spoken_to(client_of: Any) -> None:
    extra = {"private_key": TEXT, "allow_http": "true"}
    given = json.dumps({"conn_type": "encord", "host": "http://encord.test:8765", "extra": extra})

    assert client_of(given).settings.base_url == "http://encord.test:8765"


@pytest.mark.parametrize("written", [_as_object, _as_text])
@pytest.mark.parametrize(("extra", "named"), REFUSED.values(), ids=REFUSED)
def test_a_connection_that_cannot_be_used_is_refused_by_field(
    extra: dict[str, Any], named: list[str], written: Any, client_of: Any
) -> None:
    with pytest.raises(CredentialError) as refusal:
        client_of(written(extra))

    assert [word for word in named if word not in str(refusal.value)] == [], str(refusal.value)
    assert_holds_no_secret(str(refusal.value))


@pytest.mark.parametrize("extra", ["not json", '["a", "list"]', '"a text"', "17", f'{{"private_key": "{API_KEY}"'])
def test_an_extra_that_is_no_json_object_is_refused(extra: str, client_of: Any) -> None:
    with _refused_extra("extra: it is not a JSON object") as refusal:
        client_of(json.dumps({"conn_type": "encord", "extra": extra}))

    assert_holds_no_secret(str(refusal.value))


@pytest.mark.parametrize("written", [_as_object, _as_text])
def test_fields_with_the_prefix_of_old_forms_are_read(written: Any, client_of: Any) -> None:  # fault 8.5
    client = client_of(written({"extra__encord__private_key": TEXT, "extra__encord__read_timeout": 7}))
    assert client.settings.read_timeout == 7
    filled = client_of(written({"extra__encord__private_key": "***", "private_key": TEXT}))
    assert filled.credential == client.credential


@pytest.mark.skipif(running_line() == "3.1", reason="Airflow 3.1 refuses it itself")
@pytest.mark.parametrize("before", ["", "\ufeff", " \n"])
def test_a_key_with_its_line_ends_in_the_extra_is_read(before: str, client_of: Any) -> None:  # fault 8.5
    extra = f'{before}{{"private_key": "{TEXT}", "read_timeout": 7}}'
    assert client_of(json.dumps({"conn_type": "encord", "extra": extra})).settings.read_timeout == 7


@pytest.mark.parametrize("extra", ["", "{}", "{ }"])
def test_an_empty_extra_is_a_connection_without_a_credential(extra: str, client_of: Any) -> None:
    with pytest.raises(CredentialError, match="has no credential"):
        client_of(json.dumps({"conn_type": "encord", "extra": extra}))


@pytest.mark.parametrize("extra", ["null", " "])
def test_an_extra_of_nothing_is_a_connection_without_a_credential(extra: str, client_of: Any) -> None:
    with _refused_extra("has no credential"):
        client_of(json.dumps({"conn_type": "encord", "extra": extra}))


def _refused_extra(message: str) -> pytest.RaisesExc[Exception]:
    """Who refuses an extra that is not a JSON object, and how: Airflow 3.1 itself, before the hook sees it."""
    from airflow.providers.common.compat.sdk import AirflowNotFoundException

    if running_line() == "3.1":
        return pytest.raises(AirflowNotFoundException, match="isn't defined")
    return pytest.raises(CredentialError, match=message)


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("http://api.encord.com", "allow_http"),
        ("http://localhost.example.com", "allow_http"),
        ("ftp://api.encord.com", "scheme"),
        ("https://api.encord.com/v2/public", "only scheme, host and port"),
        ("https://me@api.encord.com", "user name"),
        ("https://api.encord.com:many", "port"),
        ("https://", "no host name"),
    ],
)
def test_a_host_that_cannot_be_used_is_refused(host: str, named: str, client_of: Any) -> None:
    with pytest.raises(CredentialError, match=f"host: .*{named}"):
        client_of(json.dumps({"conn_type": "encord", "host": host, "extra": {"private_key": TEXT}}))


def assert_holds_no_secret(text: str) -> None:
    """Fail if any line of a key, the passphrase or the API key is in the text."""
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.parametrize(
    "extra",
    [
        {"private_key": TEXT, "read_timeout": API_KEY},
        {"private_key": TEXT, "allow_http": API_KEY},
        {"private_key": TEXT, "ca_bundle": TEXT.splitlines()[2]},
        {API_KEY: "a key in the place of a name"},
        {TEXT: ""},
    ],
    ids=["time-out", "truth value", "certificates", "name", "whole key as name"],
)
def test_a_secret_in_the_wrong_place_is_not_quoted(extra: dict[str, Any], client_of: Any) -> None:
    with pytest.raises(CredentialError) as refused:
        client_of(_as_object(extra))
    assert not [secret for secret in SECRETS if secret in str(refused.value)]


@pytest.mark.parametrize(
    "extra",
    [
        {"private_key": TEXT, "read_timeout": "soon"},
        {"private_key": TEXT[:200], "private_key_passphrase": PASSPHRASE},
        {"private_key": TEXT, "api_key": API_KEY},
        {"api_key": API_KEY, "resource_id": "no id"},
    ],
    ids=["time-out", "half a key", "both methods", "no id"],
)
def test_no_frame_of_a_refusal_holds_a_secret(extra: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, _as_object(extra))
    with pytest.raises(CredentialError) as refused:
        EncordHook().get_conn()
    frames = traceback.walk_tb(refused.value.__traceback__)
    ours = [frame.f_locals for frame, _ in frames if "airflow_provider_encord" in frame.f_code.co_filename]
    assert ours
    assert not [secret for secret in SECRETS for local in ours if secret in repr(local)]
    assert refused.value.__context__ is None


def test_a_field_that_means_nothing_is_reported(client_of: Any, logged: Callable[[], str]) -> None:
    client_of(_as_object({"private_key": TEXT, "read_timout": 5}))
    assert "read_timout" in logged()
