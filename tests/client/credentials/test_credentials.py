"""SSH keys and API keys: which are taken, which are refused, and what the refusal says."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_provider_encord.client.credentials import ApiKey, Credential, SshKey
from airflow_provider_encord.client.errors import UnsupportedByCredentialError
from airflow_provider_encord.client.key_refusals import Refusal
from tests.client import keys
from tests.client.credentials.test_pem import MANGLINGS
from tests.client.refusals import message_of, refusal_of

VECTORS = Path(__file__).parents[2] / "wire" / "vectors"
RECORDED_KEYS = json.loads((VECTORS / "auth-keys.json").read_text())
LOADING = {case["name"]: case for case in json.loads((VECTORS / "auth-key-loading.json").read_text())["cases"]}

KEY = keys.new_key()
OPENSSH, PKCS8 = keys.openssh(KEY), keys.pkcs8(KEY)
LOCKED_OPENSSH, LOCKED_PKCS8 = keys.openssh(KEY, keys.PASSPHRASE), keys.pkcs8(KEY, keys.PASSPHRASE)

PROJECT = "aaaaaaaa-0000-4000-8000-000000000001"
API_KEY = "test-only-api-key-0123456789"


# What is taken


@pytest.mark.parametrize("mangling", MANGLINGS)
@pytest.mark.parametrize(
    ("text", "passphrase"),
    [(OPENSSH, None), (PKCS8, None), (LOCKED_OPENSSH, keys.PASSPHRASE), (LOCKED_PKCS8, keys.PASSPHRASE)],
    ids=["OpenSSH", "PKCS#8", "OpenSSH, encrypted", "PKCS#8, encrypted"],
)
def test_a_key_is_taken_in_every_form_in_which_it_is_pasted(text: str, passphrase: str | None, mangling: str) -> None:
    assert SshKey.parse(MANGLINGS[mangling](text), passphrase).public_key_hex == keys.public_hex(KEY)


@pytest.mark.parametrize("text", [OPENSSH, PKCS8], ids=["OpenSSH", "PKCS#8"])
@pytest.mark.parametrize("passphrase", [None, "", "needless", "***"])
def test_a_key_without_passphrase_is_taken_with_any(text: str, passphrase: str | None) -> None:
    assert SshKey.parse(text, passphrase) == SshKey.parse(OPENSSH)


@pytest.mark.parametrize("text", [LOCKED_OPENSSH, LOCKED_PKCS8], ids=["OpenSSH", "PKCS#8"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_line_end_that_a_secret_store_added_to_the_passphrase_does_not_matter(text: str, line_end: str) -> None:
    assert SshKey.parse(text, keys.PASSPHRASE + line_end) == SshKey.parse(OPENSSH)


def test_a_line_end_that_belongs_to_the_passphrase_is_kept() -> None:
    assert SshKey.parse(keys.openssh(KEY, "typed\n"), "typed\n") == SshKey.parse(OPENSSH)


def test_the_second_version_of_pkcs8_is_taken_and_its_public_half_checked() -> None:
    assert SshKey.parse(keys.pkcs8_second_version(KEY)) == SshKey.parse(OPENSSH)
    assert refusal_of(keys.pkcs8_second_version(KEY, public=bytes(32))) is Refusal.DAMAGED


# What the SDK takes and refuses, recorded, beside what we do

_DIFFERENCES = {
    "newlines written as backslash-n": "ok",
    "passphrase given for a plain key": "ok",
    "PKCS#8 PEM of the same key": "ok",
}
_TEXTS: dict[str, Callable[[dict[str, str]], str]] = {
    "private_openssh_pem, stripped": lambda recorded: recorded["private_openssh_pem"].strip(),
    "private_openssh_pem with CRLF": lambda recorded: recorded["private_openssh_pem"].replace("\n", "\r\n"),
    "private_openssh_pem with literal \\n": lambda recorded: recorded["private_openssh_pem"].replace("\n", "\\n"),
    "'\\n  ' + private_openssh_pem": lambda recorded: "\n  " + recorded["private_openssh_pem"],
    "'Some random content.'": lambda recorded: "Some random content.",
    "''": lambda recorded: "",
}
_OUTCOMES = {
    "openssh ed25519": "ok",
    "openssh ed25519, empty passphrase": "ok",
    "no newline at the end": "ok",
    "CRLF line ends": "ok",
    "blank line and blanks before the key": "ok",
    "newlines written as backslash-n": "ok",
    "passphrase given for a plain key": "ok",
    "encrypted, right passphrase": "ok",
    "encrypted, wrong passphrase": Refusal.WRONG_PASSPHRASE,
    "encrypted, no passphrase": Refusal.NO_PASSPHRASE,
    "encrypted, empty passphrase": Refusal.NO_PASSPHRASE,
    "PKCS#8 PEM of the same key": "ok",
    "ECDSA key": Refusal.ECDSA,
    "RSA key": Refusal.RSA,
    "public key instead of private": Refusal.PUBLIC_KEY,
    "garbage": Refusal.UNRECOGNISED,
    "empty string": Refusal.EMPTY,
}


def test_every_recorded_case_of_loading_has_an_outcome_here() -> None:
    assert _OUTCOMES.keys() == LOADING.keys()


@pytest.mark.parametrize("name", LOADING)
def test_a_recorded_case_of_loading_has_the_outcome_that_is_listed(name: str) -> None:
    case = LOADING[name]
    text = _TEXTS[case["key"]](RECORDED_KEYS) if case["key"] in _TEXTS else RECORDED_KEYS[case["key"]]
    if _OUTCOMES[name] == "ok":
        assert SshKey.parse(text, case["passphrase"]).public_key_hex == RECORDED_KEYS["public_hex"]
    else:
        assert refusal_of(text, case["passphrase"]) is _OUTCOMES[name]


@pytest.mark.parametrize("name", LOADING)
def test_we_differ_from_the_sdk_in_three_cases_and_always_take_more(name: str) -> None:
    ours = "ok" if _OUTCOMES[name] == "ok" else "error"
    assert ours == _DIFFERENCES.get(name, LOADING[name]["result"])
    assert not (LOADING[name]["result"] == "ok" and ours == "error")


# What a key is


def test_the_public_key_is_what_one_registers() -> None:
    key = SshKey.parse(OPENSSH)
    assert key.openssh_public_key() == keys.public_line(KEY)
    assert key.public_key_hex == keys.public_hex(KEY)
    assert (SshKey.kind, ApiKey.kind) == ("ssh_key", "api_key")


def test_keys_are_equal_by_what_they_are_and_not_by_how_they_were_written() -> None:
    first, second = SshKey.parse(OPENSSH), SshKey.parse(LOCKED_PKCS8, keys.PASSPHRASE)
    assert first == second
    assert len({first, second}) == 1
    assert first != SshKey.parse(keys.openssh(keys.new_key()))
    assert first != first.public_key_hex
    assert ApiKey(API_KEY, PROJECT) == ApiKey(API_KEY, PROJECT.upper())
    assert len({ApiKey(API_KEY, PROJECT), ApiKey(API_KEY, PROJECT)}) == 1
    assert ApiKey(API_KEY, PROJECT) != ApiKey(API_KEY + "x", PROJECT)
    assert ApiKey(API_KEY, PROJECT) != API_KEY


@pytest.mark.parametrize("credential", [SshKey.parse(OPENSSH), ApiKey(API_KEY, PROJECT)], ids=["SSH", "API"])
def test_a_credential_does_not_change_and_a_copy_is_itself(credential: Credential) -> None:
    for name in ("kind", "public_key_hex", "resource_id", "_secret", "_key", "new"):
        with pytest.raises(AttributeError, match="cannot be changed"):
            setattr(credential, name, "other")
        with pytest.raises(AttributeError, match="cannot be changed"):
            delattr(credential, name)
    assert copy.copy(credential) is credential
    assert copy.deepcopy({"here": credential})["here"] is credential


# API keys


@pytest.mark.parametrize("around", ["{}", " {}", "{}\n", "{}\r\n", "\t{} "])
def test_blanks_and_line_ends_around_an_api_key_are_dropped(around: str) -> None:
    headers = ApiKey(around.format(API_KEY), f" {PROJECT}\n").v1_headers(b"{}", resource_type=None, resource_id=None)
    assert headers == {"Authorization": API_KEY, "ResourceID": PROJECT}


@pytest.mark.parametrize(
    ("key", "resource_id", "says"),
    [
        ("", PROJECT, "api_key: the API key is empty"),
        (" \n", PROJECT, "api_key: the API key is empty"),
        (None, PROJECT, "api_key: the API key is empty"),
        (5, PROJECT, "api_key: the API key is empty"),
        ("***", PROJECT, "api_key: this is Airflow's mask"),
        ("two words", PROJECT, "api_key: the API key contains blanks"),
        ("two\nlines", PROJECT, "api_key: the API key contains blanks"),
        ("two\r\nX-Header: lines", PROJECT, "api_key: the API key contains blanks"),
        ("null\0byte", PROJECT, "api_key: the API key contains blanks"),
        ("kl\u00fcssel", PROJECT, "api_key: the API key contains blanks"),
        (f'"{API_KEY}"', PROJECT, "api_key: it begins or ends with a quotation mark"),
        pytest.param(OPENSSH, PROJECT, "api_key: this is an SSH key. Put it into private_key", id="OpenSSH key"),
        pytest.param(keys.putty(), PROJECT, "api_key: this is an SSH key. Put it into private_key", id="PuTTY key"),
        pytest.param(
            keys.public_line(KEY), PROJECT, "api_key: this is the public key of an SSH key pair", id="public half"
        ),
        (API_KEY, "", "resource_id: this is not a UUID"),
        (API_KEY, None, "resource_id: this is not a UUID"),
        (API_KEY, "***", "resource_id: this is not a UUID"),
        (API_KEY, "My project", "resource_id: this is not a UUID"),
        (API_KEY, PROJECT + "0", "resource_id: this is not a UUID"),
        (API_KEY, f"urn:uuid:{PROJECT}", "resource_id: this is not a UUID"),
    ],
)
def test_an_api_key_that_cannot_be_right_is_refused(key: str, resource_id: str, says: str) -> None:
    message = message_of(lambda: ApiKey(key, resource_id))
    assert message.startswith(f"Connection field {says}")


@pytest.mark.parametrize("mangling", MANGLINGS)
def test_an_ssh_key_in_the_field_of_the_api_key_is_recognised(mangling: str) -> None:
    assert "this is an SSH key" in message_of(lambda: ApiKey(MANGLINGS[mangling](OPENSSH), PROJECT))


def test_an_api_key_is_not_used_for_another_resource() -> None:
    key = ApiKey(API_KEY, PROJECT)
    assert key.v1_headers(b"", resource_type="project", resource_id=PROJECT.upper())["ResourceID"] == PROJECT
    with pytest.raises(UnsupportedByCredentialError, match=r"belongs to aaaaaaaa-.*cannot be used for bbbbbbbb-"):
        key.v1_headers(b"", resource_type="dataset", resource_id="bbbbbbbb-0000-4000-8000-000000000001")


def test_an_api_key_does_not_sign_for_v2() -> None:
    with pytest.raises(
        UnsupportedByCredentialError, match=r"v2 API, which does not accept API keys. Use a connection with an SSH key"
    ):
        ApiKey(API_KEY, PROJECT).v2_headers(method="get", target="/v2/public/projects?a=b", body=b"", created=1)


def test_the_sdk_would_have_shown_the_key_that_we_refuse_in_silence() -> None:
    shown = {name for name, case in LOADING.items() if case.get("error_text_contains_the_private_key")}
    assert shown == {"RSA key", "ECDSA key"}
    for name in shown:
        text = RECORDED_KEYS[LOADING[name]["key"]]
        message = message_of(lambda text=text: SshKey.parse(text))  # type: ignore[misc]
        assert not any(line in message for line in text.splitlines()[1:-1])
        assert base64.b64encode(text.encode()).decode()[:40] not in message
