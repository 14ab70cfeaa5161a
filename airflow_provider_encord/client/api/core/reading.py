"""Decoding responses into results, including the meaning of an empty v1 response.

The meaning of an empty v1 response (``null``; for a single resource also ``{}``, ``[]``, ``""``, 0) depends on the
operation: a read found nothing, a write failed, a removal was done (protocol, section 3). Keys of v2 responses are in
``camelCase``. The vendor's SDK also accepts ``snake_case`` (section 4), so this client does, too. Decoders are built
once.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import msgspec

from airflow_provider_encord.client.errors import NotFoundError, RefusedError

T = TypeVar("T")

_NO_SUCCESS = "Encord accepted the request but does not report success, and gives no reason."
_NOTHING = "Encord returned an empty response: the resource does not exist, or this credential cannot see it."
_EMPTY = (b"null", b"{}", b"[]", b'""', b"0", b"false", b"")


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True, rename="camel"):
    """One page of a v2 listing."""

    results: list[T]
    next_page_token: str | None = None


class Listing(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A v2 listing without pages."""

    result: list[T]


def v1_reader(type_: Any) -> Callable[[bytes], Any]:
    """Make a decoder for the inner ``response`` of an envelope."""
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(type_).decode
    return decode


def v2_reader(type_: Any) -> Callable[[bytes], Any]:
    """Make a decoder for the body of a v2 response, whose keys may also be in ``snake_case``.

    Decoding alone cannot detect ``snake_case``: most fields are optional, and a page token in ``snake_case`` would be
    missed and end the listing. So the decoder searches for the names themselves.
    """
    decoder = msgspec.json.Decoder(type_)
    names = sorted(_snake_names(type_))
    in_snake_case = re.compile(f'"(?:{"|".join(names)})"\\s*:'.encode()) if names else None

    def decode(answer: bytes) -> Any:
        if in_snake_case is None or not in_snake_case.search(answer):
            return decoder.decode(answer)
        return msgspec.convert(_with_wire_names(msgspec.json.decode(answer), type_), type_)

    return decode


def _snake_names(type_: Any) -> Iterator[str]:
    """The ``snake_case`` names of fields that are called differently in a response, at every depth."""
    plain = typing.get_origin(type_) or type_
    for argument in typing.get_args(type_):
        yield from _snake_names(argument)
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        for field in msgspec.structs.fields(plain):
            if field.encode_name != field.name:
                yield field.name
            yield from _snake_names(field.type)


def _with_wire_names(value: Any, type_: Any) -> Any:
    """The same value with ``snake_case`` keys renamed.

    Only fields of records are renamed, not keys of other content.
    """
    origin, arguments = typing.get_origin(type_), typing.get_args(type_)
    if origin in (typing.Union, types.UnionType):
        named = next(
            (argument for argument in arguments if _is_record(argument) or typing.get_origin(argument) in (list, dict)),
            None,
        )
        return value if named is None else _with_wire_names(value, named)
    if origin is list and isinstance(value, list):
        return [_with_wire_names(item, arguments[0]) for item in value]
    if origin is dict and isinstance(value, dict):  # its own keys are not names of fields
        return {key: _with_wire_names(item, arguments[1]) for key, item in value.items()}
    if not _is_record(type_) or not isinstance(value, dict):
        return value
    renamed = dict(value)
    for field in msgspec.structs.fields(type_):
        key = field.encode_name if field.encode_name in renamed else field.name
        if key in renamed:
            renamed[field.encode_name] = _with_wire_names(renamed.pop(key), _of(field.type, arguments))
    return renamed


def _is_record(type_: Any) -> bool:
    plain = typing.get_origin(type_) or type_
    return isinstance(plain, type) and issubclass(plain, msgspec.Struct)


def _of(type_: Any, arguments: tuple[Any, ...]) -> Any:
    """The type of a generic record's field, with its type parameter filled in."""
    return type_[arguments] if arguments and getattr(type_, "__parameters__", ()) else type_


def single(read: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """Read one resource from v1. An empty response means that it does not exist."""

    def decode(answer: bytes) -> T:
        if bytes(answer).strip() in _EMPTY:
            raise NotFoundError(_NOTHING)
        return read(answer)

    return decode


def only(read: Callable[[bytes], Page[T]]) -> Callable[[bytes], T]:
    """Read one resource from a v2 listing that was filtered by its id.

    An empty listing means that it does not exist, or that this credential cannot see it.
    """

    def decode(answer: bytes) -> T:
        found = read(answer).results
        if not found:
            raise NotFoundError(_NOTHING)
        return found[0]

    return decode


def made(read: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """Read the result of a v1 creation. An empty response means that it failed."""

    def decode(answer: bytes) -> T:
        if bytes(answer).strip() in (b"null", b'""', b"[]", b""):
            raise RefusedError(_NO_SUCCESS)
        return read(answer)

    return decode


def several(read: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """Read a list from v1. ``null`` means that its parent resource does not exist; an empty list is a valid result."""

    def decode(answer: bytes) -> T:
        if bytes(answer).strip() == b"null":
            raise NotFoundError(_NOTHING)
        return read(answer)

    return decode


def accepted(answer: bytes) -> None:
    """Read the response to a v1 write without a result.

    ``null`` means that it failed, anything else that it was done.
    """
    if bytes(answer).strip() == b"null":
        raise RefusedError(_NO_SUCCESS)


def ignored(answer: bytes) -> None:
    """Ignore the response: any response means that the request was carried out."""
