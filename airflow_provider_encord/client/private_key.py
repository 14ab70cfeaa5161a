"""From repaired text to an Ed25519 key that can sign, or to the reason why not.

Both containers, OpenSSH's and PKCS#8, are looked at before ``cryptography`` opens them. That distinguishes "cut off"
from "wrong passphrase", and names the algorithm of an encrypted OpenSSH key, whose public half is in clear. OpenSSH's
checksum does not cover the key, and ``cryptography`` does not compare the halves; only deriving the public half again
shows that a character in the middle is wrong. Without that, a damaged key signs, and Encord refuses it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from importlib.util import find_spec
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x448, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
    load_ssh_private_key,
)

from airflow_provider_encord.client.key_refusals import KeyTextError, Refusal
from airflow_provider_encord.client.pem import OPENSSH, OPENSSH_MAGIC, is_whole_der, read_key_block
from airflow_provider_encord.client.placeholders import is_placeholder

Ed25519Key = ed25519.Ed25519PrivateKey

# What the loaders of cryptography raise on data that is not what it says. Their texts can quote the data.
_LOADER_ERRORS = (ValueError, TypeError, LookupError, ArithmeticError, AssertionError)
_MOST_ROUNDS = 5_000  # ssh-keygen writes 16 to 24; one round takes up to 10 ms, and one lost bit can ask for 2**31
_SEQUENCE = 0x30
# Version 0 or 1, the algorithm Ed25519, an octet string within an octet string: then come the 32 bytes.
_ED25519_PKCS8 = re.compile(rb"\x02\x01[\0\1]\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20(.{32})", re.DOTALL)
_PKCS8_PUBLIC = re.compile(rb"\x81\x21\0(.{32})\Z", re.DOTALL)

_OTHER_SSH_TYPES = {
    b"ssh-rsa": Refusal.RSA,
    b"ssh-dss": Refusal.DSA,
    b"ssh-ed448": Refusal.ED448,
    b"ecdsa-sha2-nistp256": Refusal.ECDSA,
    b"ecdsa-sha2-nistp384": Refusal.ECDSA,
    b"ecdsa-sha2-nistp521": Refusal.ECDSA,
}
_OTHER_CLASSES: tuple[tuple[type, Refusal], ...] = (
    (rsa.RSAPrivateKey, Refusal.RSA),
    (ec.EllipticCurvePrivateKey, Refusal.ECDSA),
    (dsa.DSAPrivateKey, Refusal.DSA),
    (ed448.Ed448PrivateKey, Refusal.ED448),
    (x25519.X25519PrivateKey, Refusal.X25519),
    (x448.X448PrivateKey, Refusal.OTHER_ALGORITHM),
)


def load_ed25519(text: object, passphrase: object = None) -> Ed25519Key:
    """The Ed25519 key in a text.

    :param text: The text as stored; see :mod:`airflow_provider_encord.client.pem` for what is repaired.
    :param passphrase: Opens an encrypted key; empty or None is none; not looked at if the key is not encrypted.
    :raises KeyTextError: The key cannot be used; the message says why.
    """
    if not isinstance(text, str):
        raise KeyTextError(Refusal.EMPTY if text is None else Refusal.NOT_TEXT)
    if passphrase is not None and not isinstance(passphrase, str):
        raise KeyTextError(Refusal.PASSPHRASE_NOT_TEXT)
    block = read_key_block(text)
    read = _from_openssh if block.label == OPENSSH else _from_pkcs8
    return read(block.body, passphrase or "")


def public_bytes(key: Ed25519Key) -> bytes:
    """The 32 bytes of the public half."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def private_text(key: Ed25519Key) -> str:
    """The key as the text of a file in OpenSSH's format, without a passphrase."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


class _OpenSshHead(NamedTuple):
    """The part of OpenSSH's container that is never encrypted."""

    encrypted: bool
    rounds: int
    key_type: bytes
    public: bytes


def _from_openssh(body: bytes, passphrase: str) -> Ed25519Key:
    head = _read_openssh_head(body)
    if head.key_type != b"ssh-ed25519":
        raise KeyTextError(_other_ssh_type(head.key_type))
    if head.encrypted and not passphrase:
        raise KeyTextError(Refusal.NO_PASSPHRASE)
    if head.rounds > _MOST_ROUNDS:
        raise KeyTextError(Refusal.TOO_MANY_ROUNDS)
    armored = b"-----BEGIN OPENSSH PRIVATE KEY-----\n%b\n-----END OPENSSH PRIVATE KEY-----\n" % base64.b64encode(body)
    key = _open(
        lambda password: load_ssh_private_key(armored, password),
        passphrase if head.encrypted else "",
        unsupported=Refusal.BCRYPT_MISSING if find_spec("bcrypt") is None else Refusal.UNKNOWN_ENCRYPTION,
    )
    if not isinstance(key, Ed25519Key) or public_bytes(key) != head.public:
        raise KeyTextError(Refusal.DAMAGED)
    return key


def _other_ssh_type(key_type: bytes) -> Refusal:
    if key_type.startswith(b"sk-"):
        return Refusal.SECURITY_KEY
    return _OTHER_SSH_TYPES.get(key_type, Refusal.OTHER_ALGORITHM)


def _read_openssh_head(body: bytes) -> _OpenSshHead:
    """Read the container as far as it is in clear, and check that it is all there."""
    if not body.startswith(OPENSSH_MAGIC):
        raise KeyTextError(Refusal.CUT_OFF if OPENSSH_MAGIC.startswith(body[: len(OPENSSH_MAGIC)]) else Refusal.DAMAGED)
    cipher, rest = _take(body[len(OPENSSH_MAGIC) :])
    kdf, rest = _take(rest)
    kdf_options, rest = _take(rest)
    public_half, rest = _take(rest[4:])  # behind the number of keys, which cryptography checks
    _, tag = _take(rest)
    if tag and b"gcm" not in cipher and b"poly1305" not in cipher:
        raise KeyTextError(Refusal.DAMAGED)
    rounds = int.from_bytes(kdf_options[-4:], "big")
    key_type, public = _take(public_half)
    public = public[4:]
    return _OpenSshHead(cipher != b"none" or kdf != b"none", rounds, key_type, public)


def _take(data: bytes) -> tuple[bytes, bytes]:
    """One string with its length in front, as SSH writes it, and what comes behind it."""
    end = 4 + int.from_bytes(data[:4], "big")
    if len(data) < 4 or len(data) < end:
        raise KeyTextError(Refusal.CUT_OFF)
    return data[4:end], data[end:]


def _from_pkcs8(body: bytes, passphrase: str) -> Ed25519Key:
    if not is_whole_der(body):
        raise KeyTextError(Refusal.CUT_OFF)
    if _is_public_half(body):
        raise KeyTextError(Refusal.PUBLIC_KEY)
    content = body[2 + (body[1] & 0x7F if body[1] & 0x80 else 0) :]
    plain = _ED25519_PKCS8.match(content)
    if plain:
        return _checked_against_public_half(Ed25519Key.from_private_bytes(plain[1]), content)
    encrypted = content[:1] == bytes([_SEQUENCE])
    if encrypted and not passphrase:
        raise KeyTextError(Refusal.NO_PASSPHRASE)
    key = _open(
        lambda password: load_der_private_key(body, password),
        passphrase if encrypted else "",
        unsupported=Refusal.UNKNOWN_ENCRYPTION if encrypted else Refusal.OTHER_ALGORITHM,
    )
    if not isinstance(key, Ed25519Key):
        others = (refusal for other, refusal in _OTHER_CLASSES if isinstance(key, other))
        raise KeyTextError(next(others, Refusal.OTHER_ALGORITHM))
    return key


def _checked_against_public_half(key: Ed25519Key, content: bytes) -> Ed25519Key:
    # the second version of PKCS#8 may hold the public half too; cryptography does not read that version
    public = _PKCS8_PUBLIC.search(content)
    if public and public[1] != public_bytes(key):
        raise KeyTextError(Refusal.DAMAGED)
    return key


def _is_public_half(body: bytes) -> bool:
    try:
        load_der_public_key(body)
    except (UnsupportedAlgorithm, *_LOADER_ERRORS):
        return False
    return True


def _open(load: Callable[[bytes | None], object], passphrase: str, *, unsupported: Refusal) -> object:
    """Open a container with the passphrase, or without one if it is empty."""
    opened = _try(load, passphrase, unsupported)
    # secret stores and files often add a line end, which is not part of the passphrase that was typed
    typed = passphrase.rstrip("\r\n")
    if opened is Refusal.WRONG_PASSPHRASE and typed not in ("", passphrase):
        opened = _try(load, typed, unsupported)
    if opened is Refusal.WRONG_PASSPHRASE and is_placeholder(passphrase):
        opened = Refusal.MASKED_PASSPHRASE
    if isinstance(opened, Refusal):
        raise KeyTextError(opened)
    return opened


def _try(load: Callable[[bytes | None], object], passphrase: str, unsupported: Refusal) -> object:
    # A value, not an exception: what the loader raised must not hang on our own exception as its context.
    try:
        # surrogates stand for bytes of an environment variable that are not UTF-8; encoded again, they are these bytes
        return load(passphrase.encode("utf-8", "surrogateescape") or None)
    except UnsupportedAlgorithm:
        return unsupported
    except _LOADER_ERRORS:
        return Refusal.WRONG_PASSPHRASE if passphrase else Refusal.DAMAGED
