"""A JSON decoder that refuses repeated keys. It decodes files and arguments that people write.

Other decoders keep the last value of a repeated key, so the first value is lost without a message. RFC 8259 does not
define the result, and I-JSON (RFC 7493) forbids repeated keys.

``msgspec`` does not detect repeated keys, and the decoder of the standard library is five times slower. So ``msgspec``
decodes, and then the keys are counted: outside of strings, JSON has one colon per key. If there are more colons than
decoded keys, a key is repeated, and the slow decoder finds its name.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

_CONTAINERS = frozenset({dict, list})
_TEXTS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')


class RepeatedKeyError(msgspec.DecodeError):
    """An object has the same key twice. `airflow_provider_encord.client.malformed.NOT_JSON` includes this error.

    :param key: The key.
    """

    def __init__(self, key: str):
        super().__init__(f"the key {key[:80]!r} is given twice in one object")
        self.key = key


def loads(content: bytes | str) -> Any:
    """Decode JSON.

    :raises RepeatedKeyError: An object has the same key twice.
    :raises msgspec.DecodeError: The content is not JSON. ``msgspec`` also raises `UnicodeError` for text that is not
        UTF-8 and `RecursionError` for deep nesting; `airflow_provider_encord.client.malformed.NOT_JSON` includes all of
        them.
    """
    value = msgspec.json.decode(content)
    encoded = content.encode() if isinstance(content, str) else content
    keys = _count_keys(value)
    # The first count is fast, and it is exact if no string contains a colon.
    if encoded.count(b":") != keys and _TEXTS.sub(b"", encoded).count(b":") != keys:
        json.loads(encoded, object_pairs_hook=_require_unique, parse_int=str, parse_float=str)
    return value


def _count_keys(value: Any) -> int:
    """The number of keys of all objects in a decoded value."""
    count, waiting = 0, [value]
    for item in waiting:
        inner = item
        if isinstance(item, dict):
            count += len(item)
            inner = item.values()
        elif not isinstance(item, list):
            continue
        waiting.extend(value for value in inner if type(value) in _CONTAINERS)
    return count


def _require_unique(pairs: list[tuple[str, Any]]) -> None:
    keys: set[str] = set()
    for key, _ in pairs:
        if key in keys:
            raise RepeatedKeyError(key)
        keys.add(key)
