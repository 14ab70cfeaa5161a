"""Encord's signature of a delivery: whether it was made with a secret of ours, and when.

``X-Encord-Signature`` is the hex HMAC-SHA256 of the timestamp, a dot and the body. ``X-Encord-Timestamp`` is in seconds
since 1970. Other headers that begin with ``X-Encord-Signature`` may come beside it; they are ignored.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence

SIGNATURE_HEADER = b"x-encord-signature"
TIMESTAMP_HEADER = b"x-encord-timestamp"
_SECONDS = re.compile(rb"[0-9]{1,12}")


class UnverifiedError(Exception):
    """A delivery cannot be shown to come from Encord now. The text is for the log, not for the sender."""


def verify(
    headers: Iterable[tuple[bytes, bytes]],
    body: bytes,
    *,
    secrets: Sequence[str],
    tolerance_seconds: int,
    now: float,
) -> str:
    """Verify a delivery. The signature is checked before the age.

    :param headers: Names in lower case, and values, as they arrived.
    :param body: The body, byte by byte.
    :param now: In seconds since 1970.
    :return: A digest by which the same delivery is recognized.
    :raises UnverifiedError: The signature is missing or wrong, or too far from now.
    """
    headers = list(headers)
    signature, timestamp = _single(headers, SIGNATURE_HEADER), _single(headers, TIMESTAMP_HEADER)
    signed = timestamp + b"." + body
    # Every secret is tried, also after one that fits, so that the time does not show which one fits.
    fits = [hmac.compare_digest(_hmac(secret, signed), signature) for secret in secrets]
    if not any(fits):
        raise UnverifiedError(
            "The signature does not fit. Compare [encord] webhook_secrets with the secret that Encord shows, and check "
            "that no proxy changes the body."
        )
    if not _SECONDS.fullmatch(timestamp):
        raise UnverifiedError("X-Encord-Timestamp is not a time in seconds since 1970.")
    age = now - int(timestamp)
    if abs(age) > tolerance_seconds:
        raise UnverifiedError(
            f"X-Encord-Timestamp is {age:.0f} s old, but [encord] webhook_tolerance_seconds is {tolerance_seconds}. "
            "Check the clock of this machine."
        )
    return hashlib.sha256(signature).hexdigest()[:32]


def _single(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes:
    """The value of a header that must be there once."""
    values = [value for header, value in headers if header == name]
    if len(values) != 1:
        raise UnverifiedError(f"The header {name.decode()} is there {len(values)} times, not once.")
    return values[0]


def _hmac(secret: str, signed: bytes) -> bytes:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()
