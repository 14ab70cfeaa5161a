"""Find parts of a secret in whatever a program can be made to tell: the detector behind test_secrets_stay_secret.

What counts as a part: eight characters in a row of any form of a secret (`tests.leaks.forms`). The public half of a key
is none: Encord lists it. Nor is what any other key of the kind has too. Looked at is what loggers and error reporters
use, local variables of our own frames included.
"""

from __future__ import annotations

import copy
import dataclasses
import io
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa

from airflow_provider_encord.client import credentials, key_file, pem, private_key
from airflow_provider_encord.client.credentials import Credential
from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.client.key_refusals import Refusal
from tests.client import keys
from tests.leaks.forms import encodings, key_pieces

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


def encoded_windows(*secrets: str | bytes) -> set[str]:
    texts = set()
    for secret in secrets:
        raw = secret if isinstance(secret, bytes) else secret.encode("utf-8", "surrogatepass")
        for form in {*encodings(raw).values()}:
            texts |= {form.decode("latin-1"), form.decode("utf-8", "replace")}
    return set().union(*map(windows, texts))


_FRAMING = frozenset().union(*(encoded_windows(*key_pieces(text)) for text in OTHER_FILES.values()))


@cache
def parts(*secrets: str | bytes) -> frozenset[str]:
    """Every part of the secrets, in any encoding, that says something about them.

    Digits alone do not: a log record holds so many of them (times, threads) that some are a key's by chance.
    """
    found = encoded_windows(*secrets) - _INNOCENT - _FRAMING
    return frozenset(part for part in found if len(set(part)) > 2 and not part.isdigit())


@cache
def body_parts(text: str) -> frozenset[str]:
    return parts(*key_pieces(text))


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
        return "\n".join(texts_of(error))


def texts_of(error: BaseException) -> Iterator[str]:
    """Everything that an exception shows: text, arguments, notes, chain, and local variables of our own frames."""
    yield from (str(error), repr(error), repr(error.args), repr(vars(error)), repr(getattr(error, "__notes__", "")))
    yield "".join(traceback.format_exception(error))
    yield logged(lambda log: log.error("failed: %s", error, exc_info=error))
    yield repr(locals_of_our_frames(error))
    if isinstance(error, EncordError):
        yield pickle.dumps(error).decode("latin-1")
    for other in (error.__cause__, error.__context__):
        if other is not None:
            yield from texts_of(other)


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
    for text in {*texts}:  # half of them are what others are
        leaked = windows(text) & secret_parts
        assert not leaked, f"{len(leaked)} parts of the secret are in: {text[:200]}"


def everything_about(make: Callable[[], Credential]) -> Iterator[str]:
    made = made_or_refused(make)
    if isinstance(made, EncordError):
        assert (made.__cause__, made.__context__) == (None, None)
        yield from texts_of(made)
    else:
        yield from shown(made)


def made_or_refused(make: Callable[[], Credential]) -> Credential | EncordError:
    try:
        return make()
    except EncordError as error:
        return error
