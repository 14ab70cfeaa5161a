"""Encord's signature of a delivery: hex HMAC-SHA256 of the timestamp, a dot and the body, with the shared secret."""

from __future__ import annotations

import hashlib
import hmac


def headers(body: bytes, secret: str, unix_seconds: int) -> dict[str, str]:
    """The two headers of a delivery.

    :param unix_seconds: The moment of signing; receivers refuse one that is more than five minutes off.
    """
    signed = f"{unix_seconds}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return {"X-Encord-Timestamp": str(unix_seconds), "X-Encord-Signature": digest}
