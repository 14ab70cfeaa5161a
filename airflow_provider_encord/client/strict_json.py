"""JSON in which no object has a key twice.

Decoders keep the last value of a repeated key, so the first one is lost without a message. RFC 8259 leaves the result
open, and I-JSON (RFC 7493) forbids repeated keys. Files and arguments that people write are decoded here.

``msgspec`` cannot see repeated keys, and the decoder of the standard library is five times slower. So ``msgspec``
decodes, and only the keys are counted: outside of texts, JSON has one colon for each key. If there are more colons than
decoded keys, some key is repeated, and the slow decoder finds its name.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

_TEXTS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')


class RepeatedKeyError(msgspec.DecodeError):
    """An object has a key twice. It is among `airflow_provider_encord.client.malformed.NOT_JSON`.

    :param key: The key.
    """

    def __init__(self, key: str):
        super().__init__(f"the key {key[:80]!r} is given twice in one object")
        self.key = key


def loads(content: bytes | str) -> Any:
    """Decode JSON.

    :raises RepeatedKeyError: An object has a key twice.
    :raises msgspec.DecodeError: It is not JSON. Like `UnicodeError` and `RecursionError`, which ``msgspec`` raises of
        texts that are not UTF-8 and of deep nesting, it is among `airflow_provider_encord.client.malformed.NOT_JSON`.
    """
    value = msgspec.json.decode(content)
    encoded = content.encode() if isinstance(content, str) else content
    keys = _count_keys(value)
    # The first count is cheap, and equal if no text contains a colon.
    if encoded.count(b":") != keys and _TEXTS.sub(b"", encoded).count(b":") != keys:
        json.loads(encoded, object_pairs_hook=_require_unique, parse_int=str, parse_float=str)
    return value


def _count_keys(value: Any) -> int:
    """The number of keys of all objects in a decoded value."""
    count, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            count += len(one)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return count


def _require_unique(pairs: list[tuple[str, Any]]) -> None:
    keys: set[str] = set()
    for key, _ in pairs:
        if key in keys:
            raise RepeatedKeyError(key)
        keys.add(key)
