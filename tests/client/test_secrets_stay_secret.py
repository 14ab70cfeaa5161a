"""No part of a key, passphrase or API key is in anything that our objects or our refusals can be turned into.

What counts as a part: eight characters in a row of the secret as it was given, or of its raw bytes in text, in
hexadecimal, in base64 (in any of the three alignments) or percent-encoded. The public half of a key is none: Encord
lists it. Nor is what any other key of the kind has too. Looked at is what loggers and error reporters use, local
variables of our own frames included.
"""

from __future__ import annotations

import base64
import copy
import dataclasses
import io
import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_encord.client import credentials, key_file, pem, private_key
from airflow_provider_encord.client.credentials import ApiKey, Credential, SshKey
from airflow_provider_encord.client.errors import CredentialError, EncordError
from airflow_provider_encord.client.key_refusals import Refusal
from airflow_provider_encord.client.masking import secret_forms
from tests.client import keys
from tests.client.test_pem import MANGLINGS

WINDOW = 8
PROJECT = "aaaaaaaa-0000-4000-8000-000000000001"
OUR_FILES = {module.__file__ for module in (credentials, key_file, pem, private_key)}

KEY = keys.new_key()
PASSPHRASE = "Vq7#mPz2!kLw9@xT\u2713"


def files_of(key: object, rsa_key: object, ecdsa_key: object, ed448_key: object) -> dict[str, str]:
    return {
        "OpenSSH": keys.openssh(key),
        "OpenSSH, encrypted": keys.openssh(key, PASSPHRASE),
        "PKCS#8": keys.pkcs8(key),
        "PKCS#8, encrypted": keys.pkcs8(key, PASSPHRASE),
        "RSA": keys.openssh(rsa_key),
        "RSA, encrypted": keys.openssh(rsa_key, PASSPHRASE),
        "RSA, PKCS#8": keys.pkcs8(rsa_key),
        "ECDSA": keys.openssh(ecdsa_key),
        "ECDSA, SEC1": keys.traditional(ecdsa_key),
        "Ed448": keys.pkcs8(ed448_key),
        "PuTTY": keys.putty(),
    }


FILES = files_of(KEY, keys.rsa_key(), keys.ecdsa_key(), keys.ed448_key())
OTHER_FILES = files_of(
    keys.new_key(),
    rsa.generate_private_key(65537, 2048),
    ec.generate_private_key(ec.SECP256R1()),
    ed448.Ed448PrivateKey.generate(),
)
PUBLIC = f"{keys.public_hex(KEY)} {keys.public_line(KEY)} {KEY.public_key()}"


# What counts as a part of the secret


def windows(text: str) -> set[str]:
    return {text[start : start + WINDOW] for start in range(len(text) - WINDOW + 1)}


def encodings(secret: bytes) -> Iterator[str]:
    yield secret.decode("latin-1")
    yield secret.decode("utf-8", "replace")
    yield secret.hex()
    yield secret.hex().upper()
    yield quote(secret, safe="")
    yield repr(secret)[2:-1]
    for shift in range(3):
        # the alignment within a longer text; the ends depend on neighbours and are left out
        yield base64.b64encode(bytes(shift) + secret).decode()[4:-4]
        yield base64.urlsafe_b64encode(bytes(shift) + secret).decode()[4:-4]


# Words of our own messages and code (which tracebacks quote) and of public formats: a text can hold them as well.
_INNOCENT = windows(
    "\n".join(
        [
            *(refusal.value for refusal in Refusal),
            *(Path(file).read_text() for file in OUR_FILES if file),
            Path(__file__).read_text(),
            PUBLIC,
            PROJECT,
            "-----BEGIN OPENSSH ENCRYPTED RSA EC DSA PRIVATE KEY-----",
        ]
    )
)


def base64_and_bytes(text: str) -> list[str | bytes]:
    """The body of a key file in its lines and in one run, and the bytes that it stands for."""
    lines = [line for line in text.splitlines() if "-----" not in line and ":" not in line]
    run = "".join(lines)
    raw = base64.b64decode(run + "=" * (-len(run) % 4)) if len(run) % 4 != 1 else b""
    return [run, *lines, "\n".join(lines), raw]


def encoded_windows(*secrets: str | bytes) -> Iterator[str]:
    for secret in secrets:
        raw = secret if isinstance(secret, bytes) else secret.encode("utf-8", "surrogatepass")
        for encoded in encodings(raw):
            yield from windows(encoded)


_FRAMING = frozenset(part for text in OTHER_FILES.values() for part in encoded_windows(*base64_and_bytes(text)))


@cache
def parts(*secrets: str | bytes) -> frozenset[str]:
    """Every part of the secrets, in any encoding, that says something about them."""
    found = set(encoded_windows(*secrets)) - _INNOCENT - _FRAMING
    return frozenset(part for part in found if len(set(part)) > 2)


@cache
def body_parts(text: str) -> frozenset[str]:
    return parts(*base64_and_bytes(text))


# What objects and refusals turn into


def shown(credential: Credential) -> Iterator[str]:
    """Everything that an object of ours can be turned into by someone who means no harm."""
    yield repr(credential)
    yield str(credential)
    yield f"{credential}"
    yield f"{credential!r:>5}{[credential]}{ {'key': credential} }"
    yield "%s %r" % (credential, credential)  # noqa: UP031
    yield format(credential)
    yield repr(copy.deepcopy([credential]))
    for attempt in (
        lambda: vars(credential),
        lambda: credential.__dict__,
        lambda: dataclasses.asdict(credential),  # type: ignore[call-overload]
        lambda: dict(credential),  # type: ignore[call-overload]
        lambda: list(credential),  # type: ignore[arg-type]
        lambda: bytes(credential),  # type: ignore[arg-type]
        lambda: credential.__getstate__(),
        *(lambda protocol=protocol: pickle.dumps(credential, protocol) for protocol in range(6)),
    ):
        yield outcome(attempt)
    yield logged(lambda log: log.error("%s %r", credential, credential, extra={"credential": credential}))


def outcome(attempt: Callable[[], object]) -> str:
    try:
        return f"{attempt()!r}"
    except Exception as error:  # noqa: BLE001 - whatever it raises is what we look at
        return "\n".join(told(error))


def told(error: BaseException) -> Iterator[str]:
    """Everything that an exception tells: text, arguments, notes, chain, and local variables of our own frames."""
    yield from (str(error), repr(error), repr(error.args), repr(vars(error)), repr(getattr(error, "__notes__", "")))
    yield "".join(traceback.format_exception(error))
    yield logged(lambda log: log.error("failed: %s", error, exc_info=error))
    yield repr(locals_of_our_frames(error))
    if isinstance(error, EncordError):
        yield pickle.dumps(error).decode("latin-1")
    for other in (error.__cause__, error.__context__):
        if other is not None:
            yield from told(other)


def locals_of_our_frames(error: BaseException) -> list[str]:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [frame for frame in frames if frame.f_code.co_filename in OUR_FILES]
    return [f"{name}={value!r}" for frame in ours for name, value in frame.f_locals.items()]


def logged(write: Callable[[logging.Logger], object]) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    records: list[dict[str, Any]] = []
    handler.addFilter(lambda record: records.append(vars(record).copy()) or True)
    log = logging.Logger("secrets")  # noqa: LOG001 - one of its own, which nothing else listens to
    log.addHandler(handler)
    write(log)
    return stream.getvalue() + repr(records)


def assert_hidden(texts: Iterator[str], secret_parts: frozenset[str]) -> None:
    for text in texts:
        leaked = windows(text) & secret_parts
        assert not leaked, f"{len(leaked)} parts of the secret are in: {text[:200]}"


def everything_about(make: Callable[[], Credential]) -> Iterator[str]:
    made = made_or_refused(make)
    if isinstance(made, EncordError):
        assert (made.__cause__, made.__context__) == (None, None)
        yield from told(made)
    else:
        yield from shown(made)


def made_or_refused(make: Callable[[], Credential]) -> Credential | EncordError:
    try:
        return make()
    except EncordError as error:
        return error


# The detector itself can fail


@pytest.mark.parametrize(
    "leak",
    [
        lambda text: text,
        lambda text: "Provided key [" + text + "] is not an Ed25519 private key",
        lambda text: text.splitlines()[2],
        lambda text: text.splitlines()[2][20:30],
        lambda text: keys.body_of(text).hex()[200:220],
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
        assert_hidden(told(refused), body_parts(FILES["OpenSSH"]))


def test_the_detector_sees_local_variables() -> None:
    refused = made_or_refused(lambda: SshKey.parse("not a key"))
    assert isinstance(refused, EncordError)
    assert any("private_key" in local for local in locals_of_our_frames(refused))


# Properties


# "wrapped at 40 columns" takes a text apart that has BEGIN and END, which PuTTY's has not
FORMS = [
    (file, mangling) for file in FILES for mangling in MANGLINGS if (file[:5], mangling[:7]) != ("PuTTY", "wrapped")
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
@settings(max_examples=300, deadline=None)
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
@settings(max_examples=300, deadline=None)
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
    secret = parts(right, wrong)
    assert_hidden(everything_about(lambda: SshKey.parse(locked, right)), secret)
    assert_hidden(everything_about(lambda: SshKey.parse(locked, wrong)), secret)


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=WINDOW, max_size=80), st.text(max_size=50)
)
@settings(max_examples=200, deadline=None)
def test_no_api_key_is_shown(key: str, resource_id: str) -> None:
    secret = parts(key)
    assert_hidden(everything_about(lambda: ApiKey(key, PROJECT)), secret)
    assert_hidden(everything_about(lambda: ApiKey(key, resource_id)), secret | parts(resource_id))
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
        with pytest.raises(TypeError, match="holds a secret and is not pickled"):
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
