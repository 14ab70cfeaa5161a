"""No part of a key, passphrase or API key is in anything that our objects or our refusals can be turned into."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_encord.client.credentials import ApiKey, Credential, SshKey
from airflow_provider_encord.client.errors import CredentialError, EncordError
from airflow_provider_encord.client.masking import secret_forms
from tests.client import keys
from tests.client.credentials.test_pem import MANGLINGS
from tests.client.leaks import (
    FILES,
    KEY,
    PASSPHRASE,
    PROJECT,
    WINDOW,
    assert_hidden,
    body_parts,
    everything_about,
    locals_of_our_frames,
    made_or_refused,
    outcome,
    parts,
    texts_of,
    windows,
)

# The detector itself can fail


@pytest.mark.parametrize(
    "leak",
    [
        lambda text: text,
        lambda text: "Provided key [" + text + "] is not an Ed25519 private key",
        lambda text: text.splitlines()[2],
        lambda text: text.splitlines()[2][20:30],
        lambda text: keys.body_of(text).hex()[300:330],
        lambda text: repr(keys.body_of(text)),
        lambda text: quote(text),
        lambda text: base64.b64encode(text.encode()).decode()[300:340],
        lambda text: base64.b64encode(b"x" + text.encode()).decode()[300:340],
        lambda text: base64.urlsafe_b64encode(b"xy" + text.encode()).decode()[300:340],
        lambda text: keys.seed(KEY).hex(),
        lambda text: base64.b64encode(keys.seed(KEY)).decode(),
    ],
)
def test_the_detector_finds_a_leak(leak: Callable[[str], str]) -> None:
    with pytest.raises(AssertionError, match="parts of the secret"):
        assert_hidden(iter([leak(FILES["OpenSSH"])]), body_parts(FILES["OpenSSH"]))


def test_the_detector_sees_the_context_of_an_exception() -> None:
    secret = FILES["OpenSSH"].splitlines()[2]

    def fails() -> Credential:
        try:
            int(secret)
        except ValueError:
            raise CredentialError("hidden") from None
        raise AssertionError

    refused = made_or_refused(fails)
    assert isinstance(refused, EncordError)
    with pytest.raises(AssertionError, match="parts of the secret"):
        assert_hidden(texts_of(refused), body_parts(FILES["OpenSSH"]))


def test_the_detector_sees_local_variables() -> None:
    refused = made_or_refused(lambda: SshKey.parse("not a key"))
    assert isinstance(refused, EncordError)
    assert any("private_key" in local for local in locals_of_our_frames(refused))


# Properties


def _words_of_ours(*makes: Callable[[], Credential]) -> set[str]:
    """Parts of what is said whatever the secret is: `hypothesis` tries words that stand in the code as secrets, too."""
    return {part for make in makes for text in everything_about(make) for part in windows(text)}


@cache
def _words_about_passphrases() -> set[str]:
    locked = keys.openssh(KEY, "7#q 0~Z 4^x")
    return _words_of_ours(lambda: SshKey.parse(locked, "7#q 0~Z 4^x"), lambda: SshKey.parse(locked, "4^x 0~Z 7#q"))


@cache
def _words_about_api_keys() -> set[str]:
    return _words_of_ours(
        lambda: ApiKey("7#q0~Z4^x", PROJECT), lambda: ApiKey("7#q 0~Z", PROJECT), lambda: ApiKey("7#q0~Z4^x", "4^x 0~Z")
    )


# Every mangling of what is usual; of the rest some, as they are refused before or after the same repair. "wrapped at 40
# columns" takes a text apart that has BEGIN and END, which PuTTY's has not.
_USUAL = {"OpenSSH", "OpenSSH, encrypted", "PKCS#8", "PKCS#8, encrypted", "RSA"}
FORMS = [
    (file, mangling)
    for file in FILES
    for number, mangling in enumerate(MANGLINGS)
    if file in _USUAL or (number % 5 == 0 and mangling != "wrapped at 40 columns")
]


@pytest.mark.parametrize(("file", "mangling"), FORMS)
def test_no_form_of_a_key_is_shown_whatever_the_passphrase(file: str, mangling: str) -> None:
    text = MANGLINGS[mangling](FILES[file])
    secret = body_parts(FILES[file]) | parts(PASSPHRASE)
    for passphrase in [None, PASSPHRASE, PASSPHRASE + "\n", PASSPHRASE[:-1]] if "encrypted" in file else [PASSPHRASE]:
        assert_hidden(everything_about(lambda given=passphrase: SshKey.parse(text, given)), secret)  # type: ignore[misc]


@pytest.mark.parametrize(("file", "mangling"), FORMS)
def test_no_form_of_a_key_in_a_wrong_field_is_shown(file: str, mangling: str, tmp_path: Path) -> None:
    text = MANGLINGS[mangling](FILES[file])
    secret = body_parts(FILES[file])
    assert_hidden(everything_about(lambda: ApiKey(text, PROJECT)), secret)
    assert_hidden(everything_about(lambda: ApiKey("test-only-api-key", text)), secret)
    assert_hidden(everything_about(lambda: SshKey.from_path(text)), secret)
    (tmp_path / "key").write_bytes(text.encode())
    assert_hidden(everything_about(lambda: SshKey.from_path(tmp_path / "key", text)), secret)


@pytest.mark.parametrize("mangling", [name for name in MANGLINGS if "percent-encoded" in name])
def test_an_encoded_key_without_a_long_run_of_base64_is_no_path(mangling: str) -> None:
    """Whether it had such a run depended on the key: every sign that is encoded ends one."""
    body = "/".join(["aB3" + letter * 6 + letter.lower() * 6 for letter in "CDEFGHIJ"])
    text = f"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\n{body}\n"
    assert_hidden(everything_about(lambda: SshKey.from_path(MANGLINGS[mangling](text))), parts(body))


CORRUPTIONS = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 40),
        st.sampled_from(["", "\n", " ", "\\n", "\0", "*", "A", "=", "-", "\u2713", "\ud800", "-----END", "'"]),
    ),
    min_size=1,
    max_size=4,
)


@given(st.sampled_from(FORMS), CORRUPTIONS, st.sampled_from([None, PASSPHRASE]))
@settings(max_examples=150, deadline=None)
def test_no_damaged_key_is_shown(
    form: tuple[str, str], corruptions: list[tuple[float, int, str]], passphrase: str | None
) -> None:
    file, mangling = form
    text = MANGLINGS[mangling](FILES[file])
    for at, removed, put in corruptions:
        start = int(at * len(text))
        text = text[:start] + put + text[start + removed :]
    secret = body_parts(FILES[file]) | parts(PASSPHRASE)
    assert_hidden(everything_about(lambda: SshKey.parse(text, passphrase)), secret)


@given(st.sampled_from(["OpenSSH", "OpenSSH, encrypted", "PKCS#8", "PKCS#8, encrypted"]), st.data())
@settings(max_examples=150, deadline=None)
def test_no_key_with_damaged_bytes_is_shown_or_taken_for_another(file: str, data: st.DataObject) -> None:
    body = bytearray(keys.body_of(FILES[file]))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    text = keys.armor(FILES[file].splitlines()[0].strip("-").removeprefix("BEGIN "), bytes(body))
    assert_hidden(everything_about(lambda: SshKey.parse(text, PASSPHRASE)), body_parts(text) | parts(PASSPHRASE))
    if file.startswith("OpenSSH"):
        # only what is not secret can have changed: the comment, or the number of rounds of a key that has none
        assert outcome(lambda: SshKey.parse(text, PASSPHRASE).public_key_hex == keys.public_hex(KEY)) != "False"


@given(st.text(min_size=WINDOW, max_size=60), st.text(min_size=WINDOW, max_size=60))
@settings(max_examples=40, deadline=None)
def test_no_passphrase_is_shown(right: str, wrong: str) -> None:
    try:
        locked = keys.openssh(KEY, right)
    except ValueError:
        return  # no passphrase that a key could have been locked with
    secret = parts(right, wrong) - _words_about_passphrases()
    assert_hidden(everything_about(lambda: SshKey.parse(locked, right)), secret)
    assert_hidden(everything_about(lambda: SshKey.parse(locked, wrong)), secret)


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=WINDOW, max_size=80), st.text(max_size=50)
)
@settings(max_examples=200, deadline=None)
def test_no_api_key_is_shown(key: str, resource_id: str) -> None:
    ours = _words_about_api_keys()
    secret = parts(key) - ours
    assert_hidden(everything_about(lambda: ApiKey(key, PROJECT)), secret)
    assert_hidden(everything_about(lambda: ApiKey(key, resource_id)), secret | (parts(resource_id) - ours))
    assert_hidden(everything_about(lambda: ApiKey("test-only-api-key", key)), secret)


def test_what_an_api_key_cannot_do_does_not_show_it() -> None:
    key = ApiKey("Zx81-Kq93-Wm47-Tv26-Lb58", PROJECT)
    for attempt in (
        lambda: key.v2_headers(method="GET", target="/v2/public/user?secret=Zx81-Kq93", body=b"", created=1),
        lambda: key.v1_headers(b"", resource_type="project", resource_id="bbbbbbbb-0000-4000-8000-000000000001"),
    ):
        with pytest.raises(EncordError) as refused:
            attempt()
        assert_hidden((text for text in (str(refused.value), repr(refused.value))), parts("Zx81-Kq93-Wm47-Tv26-Lb58"))


@pytest.mark.parametrize("protocol", range(6))
def test_a_credential_is_not_pickled(protocol: int) -> None:
    for credential in (SshKey.parse(FILES["OpenSSH"]), ApiKey("test-only-api-key", PROJECT)):
        with pytest.raises(TypeError, match="holds a secret and cannot be pickled"):
            pickle.dumps({"inside": credential}, protocol)


# What the hook masks


@pytest.mark.parametrize("mangling", MANGLINGS)
@pytest.mark.parametrize("file", ["OpenSSH", "OpenSSH, encrypted", "PKCS#8", "PKCS#8, encrypted"])
def test_every_line_of_a_key_is_masked_however_it_was_stored(file: str, mangling: str) -> None:
    stored, forms = MANGLINGS[mangling](FILES[file]), secret_forms(MANGLINGS[mangling](FILES[file]))
    for text in (stored, FILES[file], FILES[file].replace("\n", "\\n"), FILES[file].replace("\n", " ")):
        for form in forms:
            text = text.replace(form, "***")
        assert not windows(text) & body_parts(FILES[file])
    assert forms == sorted(forms, key=lambda form: (-len(form), form))
    assert not any(form in "-----BEGIN OPENSSH PRIVATE KEY----------END OPENSSH PRIVATE KEY-----" for form in forms)


@pytest.mark.parametrize(
    "secret", ["p\u00e4ss w\u00f6rd", "test-only-api-key-0123456789", 'quo"te\\d', "a+b/c=d e&f", " blank around\n"]
)
def test_a_secret_that_is_no_key_is_masked_whole_and_escaped(secret: str) -> None:
    forms = secret_forms(secret)
    assert {secret, secret.strip(), quote(secret.strip(), safe=""), json.dumps(secret.strip())[1:-1]} <= set(forms)
    assert "" not in forms


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_nothing_is_masked_for_a_blank(blank: str) -> None:
    assert secret_forms(blank) == []


def test_a_short_secret_with_blanks_does_not_mask_its_single_words() -> None:
    assert "the" not in secret_forms("the cat is in")
