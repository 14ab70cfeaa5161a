"""How answers become results: decoders that are built once, and what an empty answer means on v1.

Of an empty v1 answer (``null``, and for one resource also ``{}``, ``[]``, ``""``, 0) the meaning depends on the
operation: a read did not find it, a write failed, a removal is done (protocol, section 3). On v2 the keys of an answer
are ``camelCase``; the vendor's SDK takes ``snake_case`` as well (section 4), so we do.
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

_NO_SUCCESS = "Encord took the request but reports no success, and gives no reason."
_EMPTY = (b"null", b"{}", b"[]", b'""', b"0", b"false", b"")


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True, rename="camel"):
    """One page of a v2 listing."""

    results: list[T]
    next_page_token: str | None = None


class Listing(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A v2 listing that comes whole."""

    result: list[T]


def v1_reader(type_: Any) -> Callable[[bytes], Any]:
    """Decode the inner ``response`` of an envelope as this type."""
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(type_).decode
    return decode


def v2_reader(type_: Any) -> Callable[[bytes], Any]:
    """Decode the body of a v2 answer as this type, whose keys may also come in ``snake_case``.

    A failure to decode does not show which spelling it is: most fields may be absent, and a page token in
    ``snake_case`` would be taken for the end of the listing. So we look for the names themselves.
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
    """Names of our fields that are spelled otherwise on the wire, at every depth."""
    plain = typing.get_origin(type_) or type_
    for argument in typing.get_args(type_):
        yield from _snake_names(argument)
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        for field in msgspec.structs.fields(plain):
            if field.encode_name != field.name:
                yield field.name
            yield from _snake_names(field.type)


def _with_wire_names(value: Any, type_: Any) -> Any:
    """The same value with ``snake_case`` keys renamed, but only where a record names them: content stays as it is."""
    origin, arguments = typing.get_origin(type_), typing.get_args(type_)
    if origin in (typing.Union, types.UnionType):
        named = next(
            (argument for argument in arguments if _is_record(argument) or typing.get_origin(argument) is list), None
        )
        return value if named is None else _with_wire_names(value, named)
    if origin is list and isinstance(value, list):
        return [_with_wire_names(item, arguments[0]) for item in value]
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
    """The type of a generic record's field, with its one parameter filled in."""
    return type_[arguments] if arguments and getattr(type_, "__parameters__", ()) else type_


def single(read: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """One resource on v1: an empty answer means that it does not exist."""

    def decode(answer: bytes) -> T:
        if bytes(answer).strip() in _EMPTY:
            raise NotFoundError("Encord answered with nothing: no such resource, or this credential cannot see it.")
        return read(answer)

    return decode


def made(read: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """What a v1 write created: nothing means that it failed."""

    def decode(answer: bytes) -> T:
        if bytes(answer).strip() in (b"null", b'""', b"[]", b""):
            raise RefusedError(_NO_SUCCESS)
        return read(answer)

    return decode


def several(read: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """A list on v1: ``null`` means that what it belongs to does not exist; an empty list is a list."""

    def decode(answer: bytes) -> T:
        if bytes(answer).strip() == b"null":
            raise NotFoundError("Encord answered with nothing: no such resource, or this credential cannot see it.")
        return read(answer)

    return decode


def accepted(answer: bytes) -> None:
    """A v1 write without a result: ``null`` means that it failed, anything else that it was done."""
    if bytes(answer).strip() == b"null":
        raise RefusedError(_NO_SUCCESS)


def ignored(answer: bytes) -> None:
    """Whatever was answered, it is done."""
