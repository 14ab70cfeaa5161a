"""Throwaway keys of every kind, made when the tests run: nothing that looks like a key is in this repository's files.

Kinds that ``cryptography`` cannot write in OpenSSH's container (Ed448, DSA, security keys) are put together by hand,
since what distinguishes them is in the part that is in clear.
"""

from __future__ import annotations

import base64
import json
import os
import textwrap
from functools import cache

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

PASSPHRASE = "correct horse battery staple \u2713"


def new_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def openssh(key: object, passphrase: str | None = None) -> str:
    """The text of the key file that ``ssh-keygen`` writes."""
    return _text(key, PrivateFormat.OpenSSH, _fast(passphrase))


def pkcs8(key: object, passphrase: str | None = None) -> str:
    """The text of the key file that ``openssl genpkey`` writes."""
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return _text(key, PrivateFormat.PKCS8, encryption)


def traditional(key: object, passphrase: str | None = None) -> str:
    """PKCS#1 or SEC1: ``BEGIN RSA PRIVATE KEY`` and its like, with Proc-Type and DEK-Info if encrypted."""
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return _text(key, PrivateFormat.TraditionalOpenSSL, encryption)


def public_hex(key: ed25519.Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def seed(key: ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def public_line(key: ed25519.Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def public_pem(key: ed25519.Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def pkcs8_second_version(key: ed25519.Ed25519PrivateKey, public: bytes | None = None) -> str:
    """PKCS#8 with the public half inside, as ``ring`` and some Java libraries write it."""
    public = bytes.fromhex(public_hex(key)) if public is None else public
    content = bytes.fromhex("020101300506032b657004220420") + seed(key) + bytes.fromhex("812100") + public
    return armor("PRIVATE KEY", bytes([0x30, len(content)]) + content, width=64)


def openssh_container(key_type: bytes, *, cipher: bytes = b"none", kdf: bytes = b"none", options: bytes = b"") -> str:
    """A container of a given key type; what is secret in it is random."""
    public = _string(key_type) + _string(os.urandom(32))
    parts = [_string(cipher), _string(kdf), _string(options), (1).to_bytes(4, "big"), _string(public)]
    return armor("OPENSSH PRIVATE KEY", b"openssh-key-v1\0" + b"".join(parts) + _string(os.urandom(160)))


def bcrypt_options(rounds: int) -> bytes:
    return _string(os.urandom(16)) + rounds.to_bytes(4, "big")


def armor(label: str, body: bytes, width: int = 70) -> str:
    return f"-----BEGIN {label}-----\n{wrapped(base64.b64encode(body).decode(), width)}\n-----END {label}-----\n"


def body_of(text: str) -> bytes:
    return base64.b64decode("".join(line for line in text.splitlines() if "-----" not in line))


def wrapped(text: str, width: int) -> str:
    return "\n".join(textwrap.wrap(text, width))


def putty() -> str:
    lines = wrapped(base64.b64encode(os.urandom(51)).decode(), 64)
    return (
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: test\n"
        f"Public-Lines: 2\n{lines}\nPrivate-Lines: 1\n{lines}\nPrivate-MAC: {os.urandom(32).hex()}\n"
    )


@cache
def google_account() -> str:
    """The JSON file that Google's console downloads for a service account."""
    key = {"type": "service_account", "project_id": "p", "private_key": pkcs8(rsa_key()), "client_email": "a@b.c"}
    return json.dumps(key, indent=2)


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def ecdsa_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def dsa_key() -> dsa.DSAPrivateKey:
    return dsa.generate_private_key(1024)


@cache
def ed448_key() -> ed448.Ed448PrivateKey:
    return ed448.Ed448PrivateKey.generate()


@cache
def x25519_key() -> x25519.X25519PrivateKey:
    return x25519.X25519PrivateKey.generate()


def _fast(passphrase: str | None) -> KeySerializationEncryption:
    if not passphrase:
        return NoEncryption()
    rounds = PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(1)  # the default of 16 costs the tests minutes
    return rounds.build(passphrase.encode())


def _text(key: object, form: PrivateFormat, encryption: KeySerializationEncryption) -> str:
    return key.private_bytes(Encoding.PEM, form, encryption).decode()  # type: ignore[attr-defined]


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data
