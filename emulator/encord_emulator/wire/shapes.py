"""Strict reading of what arrives: a field that is not listed, or of the wrong type, is refused by name.

Open things (label rows, ontology structures, upload manifests, client metadata) are declared ``dict[str, Any]`` where
they occur; everything else is a :class:`Strict` record.
"""

from __future__ import annotations

import functools
import typing
import urllib.parse
from typing import Annotated, Any, TypeAlias

import msgspec

from . import times
from .errors import Reason, RefusalError


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record in v1 style: ``snake_case``, an absent value is ``null``."""


class StrictCamel(Strict, frozen=True, rename="camel"):
    """A record in v2 style: ``camelCase``, an absent value is left out."""


Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
"""A number of things, 0 or more."""
PositiveCount: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
"""A number of things, 1 or more."""
Email: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[^@\s]+@[^@\s]+$", max_length=320)]
Share: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""A part of the whole, from 0 to 1."""


class NoQuery(StrictCamel, frozen=True):
    """No query parameter at all."""


def convert(shape: Any, value: Any, where: str) -> Any:
    """Parsed JSON, of which only the caller knows what it must be, read as ``shape``.

    :raises RefusalError: As :func:`decode`.
    """
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise RefusalError(Reason.MALFORMED, f"{where}: {error}") from None


@functools.cache
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape)


def decode(shape: Any, text: bytes | msgspec.Raw, where: str) -> Any:
    """JSON read as ``shape``.

    :param where: What the text is (``payload``, ``body``), for the message.
    :raises RefusalError: It is not JSON, a field is unknown or missing, or a type is wrong.
    """
    try:
        return _decoder(shape).decode(text)
    except msgspec.ValidationError as error:
        raise RefusalError(Reason.MALFORMED, f"{where}: {error}") from None
    except msgspec.DecodeError:
        raise RefusalError(Reason.MALFORMED, f"{where}: this is not JSON") from None


def read_query(shape: type[StrictCamel], query: str) -> Any:
    """A query string read as ``shape``; a list is a repeated parameter, a boolean is ``True`` or ``False``.

    :raises RefusalError: A parameter is unknown, repeated where one is meant, or of the wrong type.
    """
    lists = _list_parameters(shape)
    values: dict[str, Any] = {}
    for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True):
        if name in lists:
            values.setdefault(name, []).append(value)
        elif name in values:
            raise RefusalError(Reason.MALFORMED, f"query: `{name}` is given twice")
        else:
            values[name] = value
    try:
        return msgspec.convert(values, shape, strict=False)
    except msgspec.ValidationError as error:
        raise RefusalError(Reason.MALFORMED, f"query: {error}") from None


@functools.cache
def _list_parameters(shape: type[msgspec.Struct]) -> frozenset[str]:
    fields = msgspec.structs.fields(shape)
    return frozenset(field.encode_name for field in fields if _mentions_list(field.type))


def _mentions_list(annotation: Any) -> bool:
    return typing.get_origin(annotation) is list or any(_mentions_list(part) for part in typing.get_args(annotation))


def moment(text: str, field: str) -> str:
    """A time filter in the stored form. One without an offset is taken as UTC.

    :raises RefusalError: It is not an ISO 8601 time.
    """
    try:
        return times.read(text)
    except (ValueError, OverflowError):  # in UTC it may be before the year 1 or after 9999
        raise RefusalError(Reason.BAD_DATE, f"{field}: this is not an ISO 8601 time") from None
