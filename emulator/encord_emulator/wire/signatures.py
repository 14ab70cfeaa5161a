"""Checking the two SSH signatures. Nothing here knows which keys are registered.

v1 signs the SHA-256 of the body with Ed25519 and covers nothing else. v2 is an HTTP message signature over method,
target and content digest: the target exactly as it arrived, percent-encoding included. Every text is compared in its
one canonical form (lower-case hex, padded base64), so that no byte of a header can change without a refusal.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import functools
import hashlib
import re
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

OLDEST_SECONDS = 300
"""How old a v2 signature may be on arrival. Old SDKs date it 30 s back, and retries repeat it."""
NEWEST_SECONDS = 60
"""How far ahead of the emulator's clock a v2 signature may be dated."""

_V1 = re.compile(r"([0-9a-f]{64}):([0-9a-f]{128})")
_LABEL = "encord-sig="
_INPUT = re.compile(r"\(([^()]*)\)((?:;[a-z]+=(?:\"[^\"]*\"|[0-9]+))*)")
_PARAMETER = re.compile(r";([a-z]+)=(\"[^\"]*\"|[0-9]+)")
_COVERED = {"@method", "@request-target", "content-digest"}
_KNOWN_PARAMETERS = {"created", "keyid", "alg", "expires", "nonce", "tag"}


class SignatureError(Exception):
    """The signature does not hold; the text says which part, and never quotes it."""


def looks_like_v1(authorization: str) -> bool:
    """Whether an ``Authorization`` header has the form ``<public key hex>:<signature hex>``."""
    return _V1.fullmatch(authorization) is not None


def verify_v1(authorization: str, body: bytes) -> str:
    """Check a v1 header against the bytes of the body.

    :return: The public key, 64 hex digits.
    :raises SignatureError: The header has another form, or the signature is not of these bytes by this key.
    """
    match = _V1.fullmatch(authorization)
    if match is None:
        raise SignatureError("Authorization is not <public key hex>:<signature hex>")
    _verify(match[1], bytes.fromhex(match[2]), hashlib.sha256(body).digest())
    return match[1]


def content_digest(body: bytes) -> str:
    """The ``Content-Digest`` of a body."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


@dataclasses.dataclass(frozen=True)
class SignatureInput:
    """A parsed ``Signature-Input``: ``text`` is what the signature covers, as it arrived."""

    text: str
    components: tuple[str, ...]
    parameters: dict[str, str]


def parse_input(header: str) -> SignatureInput:
    """Read ``encord-sig=("@method" ...);created=...;keyid="...";alg="ed25519"``; parameters in any order.

    :raises SignatureError: The header cannot be read, or does not cover what it must.
    """
    if not header.startswith(_LABEL):
        raise SignatureError("Signature-Input has no signature called encord-sig")
    text = header.removeprefix(_LABEL)
    match = _INPUT.fullmatch(text)
    if match is None:
        raise SignatureError("Signature-Input cannot be read")
    names = match[1].split(" ")
    if any(not re.fullmatch(r'"[^"]+"', name) for name in names):
        raise SignatureError("Signature-Input: each component is one quoted name, with one blank between two")
    components = tuple(name.strip('"') for name in names)
    if set(components) != _COVERED or len(components) != len(_COVERED):
        raise SignatureError("Signature-Input must cover @method, @request-target and content-digest, and nothing else")
    pairs = _PARAMETER.findall(match[2])
    parameters = {name: value.strip('"') for name, value in pairs}
    if len(parameters) != len(pairs) or not parameters.keys() <= _KNOWN_PARAMETERS:
        raise SignatureError("Signature-Input has a parameter twice, or one that is unknown")
    return SignatureInput(text, components, parameters)


def verify_v2(method: str, target: str, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """Check a v2 signature.

    :param target: Path and query exactly as received.
    :param headers: Header values by lower-case name.
    :param now: The server's time, unix seconds.
    :return: The public key, 64 hex digits.
    :raises SignatureError: A header is missing, digest or signature do not hold, or it is too old or from the future.
    """
    missing = [name for name in ("content-digest", "signature-input", "signature") if name not in headers]
    if missing:
        raise SignatureError(f"the request is not signed: no {' and no '.join(missing)} header")
    if headers["content-digest"] != content_digest(body):
        raise SignatureError("Content-Digest is not that of the body")
    signed = parse_input(headers["signature-input"])
    key = signed.parameters.get("keyid", "")
    if re.fullmatch(r"[0-9a-f]{64}", key) is None or signed.parameters.get("alg", "ed25519") != "ed25519":
        raise SignatureError("Signature-Input: keyid must be a public key in hex, alg must be ed25519")
    _check_age(signed.parameters.get("created", ""), now)
    values = {"@method": method, "@request-target": target, "content-digest": headers["content-digest"]}
    lines = [f'"{name}": {values[name]}' for name in signed.components]
    base = "\n".join([*lines, f'"@signature-params": {signed.text}'])
    _verify(key, _signature_bytes(headers["signature"]), base.encode())
    return key


def _check_age(created: str, now: float) -> None:
    if not created.isdigit():
        raise SignatureError("Signature-Input: created must be unix seconds")
    age = now - int(created)
    if age > OLDEST_SECONDS:
        raise SignatureError(f"the signature is stale: created {age:.0f} s ago, at most {OLDEST_SECONDS} s are taken")
    if age < -NEWEST_SECONDS:
        raise SignatureError(f"the signature is from the future: created {-age:.0f} s ahead of this server's clock")


def _signature_bytes(header: str) -> bytes:
    match = re.fullmatch(r"encord-sig=:([A-Za-z0-9+/=]+):", header)
    try:
        signature = base64.b64decode(match[1], validate=True) if match else b""
    except binascii.Error:
        signature = b""
    if match is None or base64.b64encode(signature).decode() != match[1]:
        raise SignatureError("Signature is not encord-sig=:<base64>:")
    return signature


@functools.lru_cache(maxsize=256)
def _public_key(key_hex: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(key_hex))


def _verify(key_hex: str, signature: bytes, message: bytes) -> None:
    try:
        _public_key(key_hex).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise SignatureError("the signature does not belong to this request and this key") from None
