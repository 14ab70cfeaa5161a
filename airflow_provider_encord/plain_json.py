"""Values of a user's Python made plain JSON, so that what is compared is what Encord gives back.

``datetime``, ``Decimal`` and ``UUID`` values, tuples and numbers as keys have an obvious form in JSON. What has none
is refused with its place, before anything is sent.
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

DEEPEST = 100
"""Levels of nesting. Encord's own limit is not known; Python's parsers give up at some hundreds."""

_MOST_DIGITS = 308  # larger numbers are infinite to readers that keep numbers in 64 bits
_MOST_BITS = 1023


def plain_json(value: Any, where: str) -> Any:
    """The value as JSON has it: dictionaries with texts as keys, lists, texts, numbers, truth values and None.

    :param where: Where the value stands, for messages (``metadata of 'a.png'``).
    :raises InvalidArgumentError: It has no form in JSON, has a key twice there, holds NaN or half a character, or is
        nested too deeply.
    """
    return _plain(value, where, 0)


def same_json(first: Any, second: Any) -> bool:
    """Whether two plain values are the same in JSON; see `json_key`."""
    return json_key(first) == json_key(second)


def json_key(value: Any) -> bytes:
    """Equal for plain values that are the same in JSON: ``1`` and ``true`` are not, ``1`` and ``1.0`` are."""
    return msgspec.json.encode(_with_whole_numbers(value), order="sorted")


def _with_whole_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_whole_numbers(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _plain(value: Any, where: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise InvalidArgumentError(f"{where.partition('[')[0]}: it is nested more than {DEEPEST} levels deep.")
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
        return [_plain(one, f"{where}[{number}]"[:200], depth + 1) for number, one in enumerate(inner)]
    return _other(value, where, depth)


def _object(value: Mapping[Any, Any], where: str, depth: int) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, inner in value.items():
        text = _key(key, where)
        if text in plain:
            raise InvalidArgumentError(
                f"{where}: two of its keys are {text[:40]!r} in JSON, such as the number 1 and the text '1'. Rename it."
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
    if callable(getattr(value, "tolist", None)):  # of NumPy, pandas and their like
        return _plain(value.tolist(), where, depth + 1)
    raise InvalidArgumentError(
        f"{where}: a value of type {type(value).__name__} has no form in JSON. Convert it to a text, a number, a list "
        "or a dictionary."
    )


def _number(value: float | decimal.Decimal, where: str) -> int | float:
    finite = value.is_finite() if isinstance(value, decimal.Decimal) else math.isfinite(value)
    if not finite:
        raise InvalidArgumentError(f"{where}: {value} is not a number in JSON. Leave the key out, or write a text.")
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
    return InvalidArgumentError(f"{where}: a number has more than {_MOST_DIGITS} digits. Write it as a text.")


def _key(key: Any, where: str) -> str:
    key = key.value if isinstance(key, enum.Enum) else key
    if isinstance(key, int):
        _whole(key, where)
    if isinstance(key, bool) or not isinstance(key, str | int | float):
        raise InvalidArgumentError(f"{where}: the key {str(key)[:40]!r} of type {type(key).__name__} must be a text.")
    return _text(key if isinstance(key, str) else str(key), where)


def _text(value: str | bytes, where: str) -> str:
    text = value if isinstance(value, str) else os.fsdecode(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"{where}: a text holds half of a character (a lone surrogate).") from None
    return str(text)
