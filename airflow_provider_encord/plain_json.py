"""Convert Python values to JSON types, so that they can be compared with the values that Encord returns.

``datetime``, ``Decimal`` and ``UUID`` values, tuples, and keys that are numbers are converted. For any other value, an
error names the value's place, before anything is sent. `read_json` reads JSON that a user wrote.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import math
import os
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.client.strict_json import loads

DEEPEST = 100
"""Maximum nesting depth. Encord's limit is not known; Python's parsers fail at a few hundred levels."""

_MOST_DIGITS = 308  # readers with 64-bit floats read larger numbers as infinite
_MOST_BITS = 1023


def plain_json(value: Any, where: str) -> Any:
    """Convert a value to JSON types: dictionaries with string keys, lists, strings, numbers, booleans and None.

    :param value: The value.
    :param where: The place of the value, for error messages (``metadata of 'a.png'``).
    :raises InvalidArgumentError: The value cannot be converted, two keys are equal after conversion, it contains NaN
        or half of a surrogate pair, or it is nested too deeply.
    """
    return _plain(value, where, 0)


def read_json(text: str) -> Any:
    """Read JSON text.

    :raises ValueError: It is not JSON, or an object has the same key twice. The message says why.
    """
    try:
        return loads(text)
    except NOT_JSON as error:
        raise ValueError(str(error)) from None


def same_json(first: Any, second: Any) -> bool:
    """Whether two converted values are equal in JSON; see `json_key`."""
    return json_key(first) == json_key(second)


def json_key(value: Any) -> bytes:
    """Return a key that is the same for values that are equal in JSON: ``1`` equals ``1.0``, but not ``true``."""
    return msgspec.json.encode(_with_whole_numbers(value), order="sorted")


def _with_whole_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _plain(value: Any, where: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise InvalidArgumentError(
            f"{where.partition('[')[0]}: it is nested more than {DEEPEST} levels deep. Use fewer levels."
        )
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return _plain(value.value, where, depth + 1)
    if isinstance(value, str):
        return _text(value, where)
    if isinstance(value, int):
        return _whole(int(value), where)
    if isinstance(value, float | decimal.Decimal):
        return _number(value, where)
    if isinstance(value, Mapping):
        return _object(value, where, depth)
    if isinstance(value, list | tuple | set | frozenset):
        inner = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
        return [_plain(item, f"{where}[{number}]"[:200], depth + 1) for number, item in enumerate(inner)]
    return _other(value, where, depth)


def _object(value: Mapping[Any, Any], where: str, depth: int) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, inner in value.items():
        text = _key(key, where)
        if text in plain:
            raise InvalidArgumentError(
                f"{where}: two keys become {text[:40]!r} in JSON, like the number 1 and the string '1'. Rename one."
            )
        plain[text] = _plain(inner, f"{where}[{key!r}]"[:200], depth + 1)
    return plain


def _other(value: Any, where: str, depth: int) -> Any:
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, os.PathLike):
        return _text(os.fspath(value), where)
    if callable(getattr(value, "tolist", None)):  # NumPy, pandas and similar libraries
        return _plain(value.tolist(), where, depth + 1)
    raise InvalidArgumentError(
        f"{where}: a value of type {type(value).__name__} cannot be converted to JSON. Convert it to a string, a "
        "number, a list or a dictionary."
    )


def _number(value: float | decimal.Decimal, where: str) -> int | float:
    finite = value.is_finite() if isinstance(value, decimal.Decimal) else math.isfinite(value)
    if not finite:
        raise InvalidArgumentError(f"{where}: {value} is not a number in JSON. Remove the key, or pass a string.")
    if isinstance(value, decimal.Decimal) and value.adjusted() > _MOST_DIGITS:
        raise _too_large(where)
    if isinstance(value, decimal.Decimal) and value == value.to_integral_value():
        return int(value)
    return float(value)


def _whole(value: int, where: str) -> int:
    if value.bit_length() > _MOST_BITS:
        raise _too_large(where)
    return value


def _too_large(where: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"{where}: a number has more than {_MOST_DIGITS} digits. Pass it as a string.")


def _key(key: Any, where: str) -> str:
    key = key.value if isinstance(key, enum.Enum) else key
    if isinstance(key, int):
        _whole(key, where)
    if isinstance(key, bool) or not isinstance(key, str | int | float):
        raise InvalidArgumentError(f"{where}: the key {str(key)[:40]!r} must be a string, not a {type(key).__name__}.")
    return _text(key if isinstance(key, str) else str(key), where)


def _text(value: str | bytes, where: str) -> str:
    text = value if isinstance(value, str) else os.fsdecode(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError(
            f"{where}: a string contains half of a character (a lone surrogate). Remove it."
        ) from None
    return str(text)
