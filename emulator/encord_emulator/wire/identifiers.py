"""Identifiers in Encord's forms: UUIDs for resources, short base64 texts for labels, hex for features."""

from __future__ import annotations

import base64
import os
import random
import re

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_uuid() -> str:
    """A fresh random UUID, version 4."""
    return new_uuids(1)[0]


def new_uuids(count: int) -> list[str]:
    """Many at once: a hundred thousand rows need a few hundred thousand of them, and ``uuid.uuid4`` takes a second."""
    text = os.urandom(16 * count).hex()
    return [_as_version_4(text[start : start + 32]) for start in range(0, len(text), 32)]


def _as_version_4(digits: str) -> str:
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def is_uuid(text: str) -> bool:
    """Whether this is a UUID in plain lower-case form."""
    return _UUID.fullmatch(text) is not None


def label_identifier(source: random.Random) -> str:
    """An ``objectHash`` or ``classificationHash``: base64 of six random bytes, eight characters."""
    return base64.b64encode(source.randbytes(6)).decode()


def feature_identifier(source: random.Random) -> str:
    """A ``featureNodeHash``: eight hex digits."""
    return source.randbytes(4).hex()
